#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Flow monitors that are not read from for a while: paused, and in the end as good as a dump, with Weir and with Open vSwitch.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
for rundir in "$work" "$ovs_rundir"; do
  OVS_RUNDIR=$rundir vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail_mode=secure
done

export PYTHONDONTWRITEBYTECODE=1
step "a client that stalls, with both"
python3 "$here/openflow_monitors.py" "$ovs_rundir" "Open vSwitch" || fail "with Open vSwitch"
python3 "$here/openflow_monitors.py" "$work" Weir "${WEIR_ROUNDS:-3}" "${WEIR_SEED:-1}" || fail "with Weir"
