#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "ovs-ofctl snoop": does one who watches a bridge and its controller see with Weir what is seen with Open vSwitch?  And with
# "weir snoop"?  One controller of each switch says the same.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
for rundir in "$work" "$ovs_rundir"; do
  OVS_RUNDIR=$rundir vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail_mode=secure \
    other_config:hwaddr=02:00:00:00:00:05
  [ "$(stat -c %F "$rundir/br0.snoop")" = socket ] || fail "$rundir has no br0.snoop"
done
[ "$(stat -c %a "$work/br0.snoop")" = 660 ] || fail "br0.snoop is open to everybody"

step "without a controller there is nothing to see"
ofctl snoop br0 >/dev/null 2>&1 && fail "snoop does not fail without a controller"

"$WEIR_BUILD/cli/weir" -t 10 snoop br0 >/dev/null 2>&1 && fail "weir does not fail then, either"
{ "$WEIR_BUILD/cli/weir" -t 10 snoop br0 2>&1 || true; } | found 'br0 has no controller' || fail "weir does not say why"

step "the same is seen"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/openflow_snoop.py" "$work" "$ovs_rundir" "$WEIR_BUILD/cli/weir" ||
  fail "snoop with Weir (-) and Open vSwitch (+) does not show the same"

step "the socket goes with its bridge"
vsctl del-br br0
[ ! -e "$work/br0.snoop" ] || fail "the socket of a deleted bridge is left"
