#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every command of ovs-ofctl(8), in every version of OpenFlow, given to Weir and to Open vSwitch: the same words, the
# same answer.
#
#     p1 ---- br0 ---- p2        (both switches, once for each version)
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"
. "$here/openflow_bridges.sh"

start_switch
start_ovs
add_bridges "$space" "$work"
add_bridges "$space-ovs" "$ovs_rundir"

write_files "$work/files"

step "the same words to both"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/openflow_commands.py" "$here/openflow_commands.commands" \
  "$work" "$ovs_rundir" || fail "ovs-ofctl sees a difference between Weir (-) and Open vSwitch (+)"
