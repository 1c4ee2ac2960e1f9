#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same words to weir and to ovs-ofctl: the same flows, groups, meters and ports, and the same printed.
#
#     p1v13 ---- br0v13 ---- p2v13        what weir is told, once for each version
#     p1w13 ---- br0w13 ---- p2w13        what ovs-ofctl is told
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/openflow_bridges.sh"
versions=${WEIR_OF_VERSIONS:-10 13 15}

start_switch
add_bridges "$space" "$work"
add_bridges "$space" "$work" w
write_files "$work/files"

step "without -O, the lowest version that can say it"
weir() { "$WEIR_BUILD/cli/weir" "$@"; }
first=${versions%% *}
bridge=br0w$first
weir add-meter "$bridge" meter=1,kbps,bands=type=drop,rate=1000
weir add-flow "$bridge" table=1,importance=5,actions=push_vlan:0x8100,output:1
printf '%s\n' table=2,tcp,actions=1 "table=2,udp,actions=push_vlan:0x8100,p1w$first" \
  'table=2,icmp,actions=meter:1,write_actions(output:2)' >"$work/later"
weir add-flows "$bridge" - <"$work/later"
cat >"$work/expected" <<FLOWS
 table=1, importance=5, actions=push_vlan:0x8100,output:1
 table=2, icmp actions=meter:1,write_actions(output:2)
 table=2, tcp actions=output:1
 table=2, udp actions=push_vlan:0x8100,output:1
FLOWS
has_expected() { diff <(ofctl -O OpenFlow15 --no-stats dump-flows "$bridge" | sort) "$work/expected"; }
has_expected || fail "flows get lost on the way"
weir replace-flows "$bridge" - < <(cat "$work/later" && echo table=1,importance=5,actions=push_vlan:0x8100,output:1)
has_expected || fail "replace-flows changed what was there"
weir diff-flows "$bridge" - < <(cat "$work/later" && echo table=1,importance=5,actions=push_vlan:0x8100,output:1) ||
  fail "diff-flows says what differs in another version"
[ "$(weir dump-aggregate "$bridge" out_group=1)" = "packet_count=0 byte_count=0 flow_count=0" ] || fail "out_group"
weir packet-out "$bridge" "in_port=1,metadata=5 packet=020000000001020000000002080045000014 actions=push_vlan:0x8100,2"
weir add-group "$bridge" group_id=1,type=all,bucket=push_vlan:0x8100,output:1
weir del-flows "$bridge" out_group=1
has_expected || fail "del-flows deletes what does not lead to the group"
refused() { # SENTENCE WORD...
  local sentence=$1
  shift
  if weir "$@" >/dev/null 2>"$work/refusal"; then fail "$*: is not refused"; fi
  found -F -- "$sentence" "$work/refusal" || fail "$*: $(cat "$work/refusal")"
}
refused "(try -O OpenFlow13)" -O OpenFlow11 add-flow "$bridge" actions=meter:1,2
refused "(try -F nxm)" -F OpenFlow10 add-flow "$bridge" reg0=1,actions=2
refused "OpenFlow 1.1, which another one needs" add-flows "$bridge" \
  <(printf '%s\n' actions=push_vlan:0x8100,1 'modify cookie=3,tcp,actions=1')
vsctl set Bridge "$bridge" protocols=OpenFlow10,OpenFlow12
weir add-flow "$bridge" table=1,importance=5,actions=1 2>"$work/refusal" && fail "importance gets lost"
found "speaks no version of OpenFlow that can say this" "$work/refusal" || fail "$(cat "$work/refusal")"
weir add-flow "$bridge" table=1,actions=push_vlan:0x8100,1
vsctl clear Bridge "$bridge" protocols
weir del-flows "$bridge"
weir del-groups "$bridge"
weir del-meters "$bridge"

step "the same words to both"
# shellcheck disable=SC2086
PYTHONDONTWRITEBYTECODE=1 python3 "$here/cli_openflow.py" "$here/openflow_commands.commands" \
  "$WEIR_BUILD/cli/weir" "$work" $versions || fail "weir (-) and ovs-ofctl (+) say something else"
