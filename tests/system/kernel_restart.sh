#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the kernel flow cache holds goes on being forwarded while the switch restarts: by weir restart and by
# kill -9 under a supervisor, WEIR_RESTARTS times each (default 2).  So do the flows that a script has loaded.
#
#     h1 10.6.0.1 -- br0 -- h2 10.6.0.2
#
#     c  10,000 frames a second of one flow: none may be lost
#     n  200 frames a second, each a flow of its own: never silent for longer than WEIR_MAX_GAP_MS (default 3000,
#        for busy machines; 1000 is the goal)
#     f  what the tables forbid: none may arrive, at any time
#     and TCP, which must come through in one piece.
. "$(dirname "$0")/lib.sh"
# Not ip netns exec, whose mounts, and the BPF filesystem among them, go with its process.
on_switch() { nsenter --net="/run/netns/$space" "$@"; }
restarts=${WEIR_RESTARTS:-2}
probe=$WEIR_BUILD/tests/probe
seconds=$((restarts * 5 / 2 + 3))

start_database
start_forwarding --monitor
vsctl add-br br0 -- set Bridge br0 fail_mode=secure
make_host h1 10.6.0.1 br0
make_host h2 10.6.0.2 br0
mac() { on "$1" cat /sys/class/net/eth0/address; }
# ARP must not stand in the way of frames that are counted.
ip -n "$space-h1" neigh replace 10.6.0.2 lladdr "$(mac h2)" dev eth0
ip -n "$space-h2" neigh replace 10.6.0.1 lladdr "$(mac h1)" dev eth0

cat >"$work/flows" <<'FLOWS'
table=0,priority=0,actions=drop
table=0,priority=10,arp,actions=normal
table=0,priority=10,tcp,actions=normal
table=0,priority=10,icmp,actions=normal
table=0,priority=20,udp,actions=resubmit(,1)
table=1,priority=10,udp,tp_dst=7000,actions=normal
table=1,priority=10,udp,tp_dst=0x4000/0xc000,actions=normal
table=1,priority=5,actions=drop
FLOWS
load_flows() { ofctl -O OpenFlow13 replace-flows br0 "$work/flows"; }
load_flows
can_reach h1 10.6.0.2 -c 1 || fail "h1 does not reach h2"

pid_changed() { [ -n "$(pid_of ovs-vswitchd)" ] && [ "$(pid_of ovs-vswitchd)" != "$1" ]; }
answers() { appctl version >/dev/null 2>&1; }

# Nobody loads the flows again: they are kept.
n_flows=$(ofctl dump-flows br0 | grep -c priority)
has_all_flows() { [ "$(ofctl dump-flows br0 | grep -c priority)" = "$n_flows" ]; }
resume() {
  wait_until answers || fail "the new daemon does not answer"
  wait_until has_all_flows || fail "flows after a restart: $(ofctl dump-flows br0)"
  found "adopted [1-9][0-9]* cached flows" <"$work/vswitchd.log" || fail "nothing was adopted"
  sleep 1
}
planned() {
  on_switch "$WEIR_BUILD/cli/weir" restart >/dev/null || fail "weir restart fails"
  resume
}
killed() {
  local pid
  pid=$(pid_of ovs-vswitchd)
  kill -9 "$pid"
  wait_until pid_changed "$pid" || fail "the supervisor does not start another"
  resume
}

child_of() { pgrep -P "$1" || echo "$1"; }
begin_traffic() {
  on h2 "$probe" receive eth0 $((seconds + 30)) >"$work/received" &
  receiver=$!
  wait_until grep -q ready "$work/received" || fail "the receiver does not start"
  start_iperf on h2
  on h1 iperf3 -c 10.6.0.2 -t "$seconds" -b 200M -J >"$work/tcp" 2>&1 &
  tcp=$!
  on h1 "$probe" send 10.6.0.2 c 7000 1 10000 "$seconds" >"$work/sent.c" &
  on h1 "$probe" send 10.6.0.2 n 16384 16384 200 "$seconds" >"$work/sent.n" &
  on h1 "$probe" send 10.6.0.2 f 7001 100 1000 "$seconds" >"$work/sent.f" &
  sleep 1
}
end_traffic() {
  wait "$tcp" || fail "TCP broke: $(head -c 400 "$work/tcp")"
  wait_until test -s "$work/sent.f"
  sleep 0.3
  kill "$(child_of $receiver)"
  wait $receiver || true
  sed 's/^/   /' "$work/received"
}
field() { sed -n "s/^$1 .*$2 \([0-9]*\).*/\1/p" "$work/received"; }

# The BPF programs stay as well: it takes long to load them.
program_of() { tc -n "$space" filter show dev "$1" ingress | sed -n 's/.* id \([0-9]*\) .*/\1/p'; }
program=$(program_of h1)
[ -n "$program" ] || fail "which program is on h1? $(tc -n "$space" filter show dev h1 ingress)"

for kind in planned killed; do
  step "$kind restarts, $restarts times"
  begin_traffic
  for i in $(seq "$restarts"); do
    $kind
  done
  end_traffic
  expect "$(cat "$work/sent.c")" "$(field c received)" "$kind: frames of a cached flow"
  expect "" "$(field f received)" "$kind: forbidden frames"
  expect "$program" "$(program_of h1)" "$kind: program on h1"
  [ "$(field n gap_ms)" -le "${WEIR_MAX_GAP_MS:-3000}" ] || fail "$kind: new flows find silence for $(field n gap_ms) ms"
done

step "programs that are not pinned, as those of another build, are loaded"
instance=$(ip -n "$space" -o link | sed -n 's/.*: \([^:@]*\)-miss[:@].*/\1/p')
rm "/sys/fs/bpf/weir/$instance"/weir_*
planned
[ "$program" != "$(program_of h1)" ] || fail "the program on h1 is the one that was removed"
program=$(program_of h1)
planned
expect "$program" "$(program_of h1)" "program on h1"
can_reach h1 10.6.0.2 || fail "h1 does not reach h2 after programs were loaded"

step "an XDP program stays, too"
xdp_of() { ip -n "$space" -d link show "$1" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p'; }
vsctl set Interface h1 options:fastpath=xdp
if vsctl get Interface h1 status | found 'path=XDP'; then
  program=$(xdp_of h1)
  [ -n "$program" ] || fail "no XDP program on h1"
  planned
  expect "$program" "$(xdp_of h1)" "XDP program on h1"
  vsctl set Interface h1 options:fastpath=tc
  expect "" "$(xdp_of h1)" "XDP program on h1, which is not to have one"
  ! compgen -G "/sys/fs/bpf/weir/$instance/weir_xdp-*" || fail "a program that is gone is pinned"
else
  echo "   (this kernel cannot: $(vsctl get Interface h1 status))"
fi
vsctl remove Interface h1 options fastpath

step "an internal port keeps its address, and its neighbours"
ip -n "$space" addr add 10.6.0.9/24 dev br0
ip -n "$space" link set br0 up
can_reach h1 10.6.0.9 -c 20 || fail "h1 does not reach the host"
on h1 ping -q -i 0.005 -c 400 10.6.0.9 >"$work/ping" &
pinging=$!
sleep 0.5
kill -9 "$(pid_of ovs-vswitchd)"
wait $pinging || true
found "400 received" <"$work/ping" || fail "the host is away while the daemon is: $(cat "$work/ping")"

step "crashes, one after another, leave nothing that cleanup does not remove"
pid=$(pid_of ovs-vswitchd)
appctl exit --cleanup
wait_until eval '! is_alive $pid' || fail "exit --cleanup does not end the daemon"
# What there is of ours: devices, qdiscs, filters, XDP programs.
traces() {
  ip -n "$space" -o link | awk '{print $2, /prog\/xdp/ ? "xdp" : ""}'
  on_switch tc qdisc show | found clsact && echo clsact
  for h in h1 h2; do on_switch tc filter show dev $h ingress; done
}
before=$(traces)
vsctl --no-wait set Interface h1 options:fastpath=xdp
for i in $(seq $((restarts * 2))); do
  start_forwarding
  [ $((i % 3)) = 0 ] || can_reach h1 10.6.0.2 -c 1 || true
  crash ovs-vswitchd
done
[ "$before" != "$(traces)" ] || fail "a crash leaves nothing: what is cached is not forwarded"
on_switch "$WEIR_BUILD/vswitchd/vswitchd" --cleanup-only >/dev/null 2>&1
expect "$before" "$(traces)" "traces after $((restarts * 2)) crashes and cleanup"
