#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Others touch what is ours, and have programs of their own on our ports' devices.  What they take away comes back;
# what they put there stays, works, and is told.
#
#     h1 10.9.0.1 -- br0 -- h2 10.9.0.2
. "$(dirname "$0")/lib.sh"
# Not ip netns exec, whose mounts, and the BPF filesystem among them, go with its process.
on_switch() { nsenter --net="/run/netns/$space" "$@"; }
stranger() { on_switch "$WEIR_BUILD/tests/stranger" "$@"; }

start_switch
vsctl add-br br0
make_host h1 10.9.0.1 br0
make_host h2 10.9.0.2 br0
tap=$(ip -n "$space" -o link | sed -nE 's/^[0-9]+: ([^:@]+-miss):.*/\1/p')
[ -n "$tap" ] || skip "BPF is not permitted"
reaches() { can_reach h1 10.9.0.2; } # By ARP, too, and that is not cached.
reaches || fail "h1 does not reach h2"

now_ms() { echo $(($(date +%s%N) / 1000000)); }
heals() { # SENTENCE CONDITION...: how long it takes is for people to read.
  local sentence=$1 begin
  shift
  begin=$(now_ms)
  wait_until "$@" || fail "$sentence: it does not heal"
  echo "   $sentence: $(($(now_ms) - begin)) ms"
}
index_of() { ip -n "$space" -o link show "$1" 2>/dev/null | cut -d: -f1; }
tap_is_back() { [ "$(index_of "$tap")" = "$tap_index" ] && ip -n "$space" link show "$tap" | found "[<,]UP[,>]"; }
tap_index=$(index_of "$tap")

step "the exception tap comes back, however somebody has done away with it"
ip -n "$space" link del "$tap"
heals "deleted" tap_is_back
wait_until reaches || fail "frames do not come up after the tap was deleted"
ip -n "$space" link set "$tap" netns "$space-h1"
heals "moved to another namespace" tap_is_back
wait_until reaches || fail "frames do not come up after the tap was moved"
ip -n "$space-h1" -o link | found -- -miss && fail "the tap that was moved stays there"
ip -n "$space" link set "$tap" down
heals "taken down" tap_is_back
# Before Linux 6.2 only what is down can be renamed, and the switch takes care that it is up.
rename_tap() { printf 'link set %s down\nlink set %s name other\n' "$tap" "$tap" | ip -n "$space" -batch -; }
wait_until rename_tap || fail "cannot rename the tap"
heals "renamed" tap_is_back
wait_until reaches || fail "frames do not come up in the end"

step "somebody has the name of the exception tap, or its number, until he lets go of it"
take_its_place() { # LINK...
  found_before=$(grep -c "the exception tap is gone" "$work/vswitchd.log" || true)
  kill -STOP "$(pid_of ovs-vswitchd)" # It would be faster.
  ip -n "$space" link del "$tap" && ip -n "$space" link add "$@" type veth peer name peer || fail "cannot take $*"
  kill -CONT "$(pid_of ovs-vswitchd)"
}
tells_more() { [ "$(grep -c "the exception tap is gone" "$work/vswitchd.log")" -gt "$found_before" ]; }
take_its_place "$tap"
wait_until tells_more || fail "the log does not tell that the name is taken"
grep "the exception tap is gone" "$work/vswitchd.log" | tail -n 1 | found "$tap" || fail "it does not tell whose name"
ip -n "$space" -d link show "$tap" | found veth || fail "the device of somebody else is gone"
ip -n "$space" link del "$tap"
heals "the name is free" tap_is_back
take_its_place other index "$tap_index"
wait_until tells_more || fail "the log does not tell that the number is taken"
ip -n "$space" link del other
heals "the number is free" tap_is_back
wait_until reaches || fail "frames do not come up in the end"

step "a daemon finds the cache though the tap went while none ran"
on h1 ping -q -c 5 -i 0.05 10.9.0.2 >/dev/null || fail "h1 does not reach h2"
crash ovs-vswitchd
ip -n "$space" link del "$tap"
on h1 ping -q -c 5 -i 0.05 -W 2 10.9.0.2 >/dev/null || fail "what was cached is not forwarded without tap and daemon"
start_forwarding
wait_until tap_is_back || fail "the next daemon does not make the tap again"
wait_until found "adopted [1-9][0-9]* cached flows" "$work/vswitchd.log" || fail "nothing was adopted"
wait_until reaches || fail "h1 does not reach h2 by the next daemon"

foreign() { vsctl --if-exists get Interface "$1" status:foreign_programs | tr -d '"'; }
tells() { foreign "$1" | found "$2"; }
tells_nothing() { [ -z "$(foreign "$1")" ]; }
seen() { stranger count "$@" || fail "the stranger has gone"; }

step "a filter that leaves frames undecided sees them, and so does the switch"
stranger tc h1 in 100 -1
stranger tc h1 out 7 -1
wait_until tells h1 'TC filter bpf stranger (ingress, priority 100)' || fail "not told: $(foreign h1)"
tells h1 'TC filter bpf stranger (egress, priority 7)' || fail "not told: $(foreign h1)"
on_switch "$WEIR_BUILD/cli/weir" show | found 'foreign_programs: .*priority 100' || fail "weir show does not tell"
found 'interface h1: programs of others are on its device: TC filter' "$work/vswitchd.log" || fail "the log does not tell"
before_in=$(seen tc h1 in 100) before_out=$(seen tc h1 out 7)
on h1 ping -q -c 20 -i 0.01 10.9.0.2 >/dev/null || fail "frames are lost"
[ $(($(seen tc h1 in 100) - before_in)) -ge 20 ] || fail "the filter does not see what comes in"
[ $(($(seen tc h1 out 7) - before_out)) -ge 20 ] || fail "the filter does not see what goes out"

step "a filter that accepts frames for the host has them"
stranger tc h2 in 49152 0
wait_until cannot_reach h1 10.9.0.2 || fail "frames that a filter has accepted reach the switch"
[ "$(seen tc h2 in 49152)" -gt 0 ] || fail "the filter sees nothing"
on_switch tc filter del dev h2 ingress prio 49152
wait_until reaches || fail "h1 does not reach h2 without it"
wait_until tells_nothing h2 || fail "told of a filter that has gone: $(foreign h2)"

step "they stay when the port goes"
vsctl del-port br0 h1
seen tc h1 in 100 >/dev/null
on_switch tc filter show dev h1 ingress | found weir && fail "our own filter stays, too"
vsctl add-port br0 h1
wait_until tells h1 'priority 100' || fail "not told when the port is added: $(foreign h1)"
on_switch tc qdisc del dev h1 clsact
heals "qdisc deleted with all filters" eval "on_switch tc filter show dev h1 ingress | found weir_ingress"
wait_until tells_nothing h1 || fail "told of filters that have gone: $(foreign h1)"
wait_until reaches || fail "h1 does not reach h2"

step "an ingress qdisc of somebody's does for a port"
vsctl del-port br0 h1
on_switch tc qdisc add dev h1 ingress
vsctl add-port br0 h1
wait_until reaches || fail "h1 does not reach h2"
vsctl del-port br0 h1
on_switch tc qdisc show dev h1 | found "qdisc ingress" || fail "the qdisc has gone"
on_switch tc qdisc del dev h1 ingress
vsctl add-port br0 h1

step "where a filter of ours has no place, frames come by a packet socket, and it is said why"
vsctl del-port br0 h1
on_switch tc qdisc add dev h1 clsact
if on_switch tc filter add dev h1 ingress prio 65535 protocol ip u32 match u32 0 0xffffffff classid 1:1 2>/dev/null; then
  vsctl add-port br0 h1
  interface_has h1 status:path AF_PACKET || fail "the path of h1: $(vsctl get Interface h1 status)"
  vsctl get Interface h1 status:path_reason | found "cannot attach a TC filter" || fail "no reason: $(vsctl get Interface h1 status)"
  tells h1 'TC filter u32 (ingress, priority 65535)' || fail "not told: $(foreign h1)"
  found 'interface h1: not by the path asked for: cannot attach' "$work/vswitchd.log" || fail "the log does not tell"
  wait_until reaches || fail "h1 does not reach h2 by a packet socket"
  on_switch tc filter show dev h1 ingress | found u32 || fail "the filter has gone"
  on_switch tc filter del dev h1 ingress prio 65535
  wait_until interface_has h1 status:path TC || fail "the path of h1 in the end: $(vsctl get Interface h1 status)"
  wait_until reaches || fail "h1 does not reach h2 by TC"
else
  echo "   (this kernel has no other classifier)"
  vsctl add-port br0 h1
fi

step "an XDP program of somebody's stays in front of the switch"
stranger xdp h1 native 2
wait_until tells h1 'XDP program stranger (native)' || fail "not told: $(foreign h1)"
vsctl set Interface h1 options:fastpath=xdp
wait_until interface_has h1 status:path TC || fail "the path of h1: $(vsctl get Interface h1 status)"
interface_has h1 status:path_reason "another XDP program is attached to it" || fail "no reason: $(vsctl get Interface h1 status)"
wait_until reaches || fail "h1 does not reach h2"
[ "$(seen xdp h1)" -gt 0 ] || fail "the program sees nothing"
on_switch ip link set dev h1 xdp off
has_xdp() { on_switch ip -d link show dev h1 | found 'name weir_xdp' && interface_has h1 status:path XDP; }
if wait_until eval 'interface_has h1 status:path XDP || vsctl get Interface h1 status:path_reason | found -v another'; then
  if has_xdp; then
    wait_until tells_nothing h1 || fail "told of a program that has gone: $(foreign h1)"
    on_switch ip link set dev h1 xdp off
    heals "XDP program removed" has_xdp
    on_switch ip link set dev h1 xdp off
    stranger xdp h1 native 2
    wait_until interface_has h1 status:path TC || fail "the path of h1: $(vsctl get Interface h1 status)"
    seen xdp h1 >/dev/null
    wait_until reaches || fail "h1 does not reach h2 when another program has taken the place of ours"
    on_switch ip link set dev h1 xdp off
  else
    echo "   (without XDP: $(vsctl get Interface h1 status:path_reason))"
  fi
else
  fail "XDP is not taken up when the other program has gone: $(vsctl get Interface h1 status)"
fi
vsctl remove Interface h1 options fastpath

step "tcx programs are told"
if stranger tcx h1 -1; then
  wait_until tells h1 'tcx program stranger (ingress)' || fail "not told: $(foreign h1)"
  wait_until reaches || fail "h1 does not reach h2"
else
  echo "   (this kernel has none)"
fi
