#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Features of the switch and table misses in each version, with Weir and with Open vSwitch.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
add_bridge() { # NAMESPACE RUNDIR
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$1" link add p1 type veth peer name q1
  ip -n "$1" link set p1 up
  ip -n "$1" link set q1 up
  OVS_RUNDIR=$2 vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail_mode=secure \
    -- add-port br0 p1 -- set Interface p1 ofport_request=1
}
add_bridge "$space" "$work"
add_bridge "$space-ovs" "$ovs_rundir"

step "what they say, and who hears of frames that no flow matches"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/openflow_misses.py" "$work" "$space" "$ovs_rundir" "$space-ovs" ||
  fail "Weir (-) and Open vSwitch (+) differ"
