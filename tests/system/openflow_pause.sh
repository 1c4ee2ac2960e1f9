#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# controller(pause): the same flows and frames, and a controller that lets each frame go on (ovs-ofctl monitor ... resume), with
# Weir and with Open vSwitch: does it hear the same?
#
#     p1 ---- br0 ==== br1        (both switches; "=": patch ports)
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
add_bridges() { # NAMESPACE RUNDIR
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$1" link add p1 type veth peer name q1
  OVS_RUNDIR=$2 vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail_mode=secure \
    -- add-port br0 p1 -- set Interface p1 ofport_request=1 \
    -- add-br br1 -- set Bridge br1 datapath_type=netdev fail_mode=secure \
    -- add-port br0 x0 -- set Interface x0 type=patch options:peer=x1 ofport_request=5 \
    -- add-port br1 x1 -- set Interface x1 type=patch options:peer=x0 ofport_request=6
}
add_bridges "$space" "$work"
add_bridges "$space-ovs" "$ovs_rundir"

mkdir "$work/files"
cd "$work/files"
step "the same flows and frames to both"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/openflow_pause.py" "$work" "$ovs_rundir" ||
  fail "the controllers of Weir (-) and Open vSwitch (+) do not hear the same"
