#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What rows of Controller say of controllers that come, lead, follow, go, and make no sense, with Weir and with Open vSwitch.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs

ask() { # NAMESPACE RUNDIR NAME
  PYTHONDONTWRITEBYTECODE=1 ip netns exec "$1" python3 "$here/openflow_status.py" "$2" "$3"
}
step "both are asked"
ask "$space-ovs" "$ovs_rundir" "Open vSwitch" &
reference=$!
ask "$space" "$work" Weir || fail "is_connected, role or status are wrong"
wait $reference || fail "Open vSwitch has something else to say"
