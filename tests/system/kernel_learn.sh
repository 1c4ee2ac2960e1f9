#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stations that move between ports whose frames are cached already: what they teach by learn() is noticed when flows are
# looked at again, within some half a second, by Weir as by Open vSwitch, and at once by whoever asks for that.
#
#     q1, q2 (the station) -- br0 -- q3 (who looks for it)        in both switches
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
add_bridge() { # NAMESPACE RUNDIR
  local i
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  OVS_RUNDIR=$2 vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail_mode=secure
  for i in 1 2 3; do
    ip -n "$1" link add p$i type veth peer name q$i
    ip -n "$1" link set p$i up
    ip -n "$1" link set q$i up
    OVS_RUNDIR=$2 vsctl add-port br0 p$i -- set Interface p$i ofport_request=$i
  done
  OVS_RUNDIR=$2 ofctl add-flows br0 - <<'FLOWS'
in_port=1,actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])
in_port=2,actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])
in_port=3,actions=resubmit(,1)
FLOWS
}
add_bridge "$space" "$work"
add_bridge "$space-ovs" "$ovs_rundir"

PYTHONDONTWRITEBYTECODE=1 python3 "$here/kernel_learn.py" "$space" "$work" "$space-ovs" "$ovs_rundir" ||
  fail "stations that move are not found: $(appctl weir/cache)"
