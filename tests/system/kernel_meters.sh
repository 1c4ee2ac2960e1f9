#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Meters limit what the kernel's flow cache forwards, as they limit what the daemon does: frames and bytes, by TC and XDP,
# counted once, from the first frame after a change, and while no daemon runs.
#
#     h1 10.9.0.1 -- br0 -- h2 10.9.0.2       frames are pings
#
# Bursts are large and rates small, so that it is the bucket that counts, and not the time that a busy machine takes.
. "$(dirname "$0")/lib.sh"
# Not ip netns exec, whose mounts, and the BPF filesystem among them, go with its process.
on_switch() { nsenter --net="/run/netns/$space" "$@"; }
ofctl13() { ofctl -O OpenFlow13 "$@"; }

start_database
start_forwarding --monitor
vsctl add-br br0
make_host h1 10.9.0.1 br0
make_host h2 10.9.0.2 br0
mac() { on "$1" cat /sys/class/net/eth0/address; }
ip -n "$space-h1" neigh replace 10.9.0.2 lladdr "$(mac h2)" dev eth0
ip -n "$space-h2" neigh replace 10.9.0.1 lladdr "$(mac h1)" dev eth0
# Else the host would answer to no more than so many a second.
on h2 sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=1000000
vsctl get Interface h1 status | found 'path=TC' || skip "no BPF here: $(vsctl get Interface h1 status)"

in_kernel() { appctl weir/cache | awk -v p="$1" '$1 == p {print $2}'; }
drops() { appctl weir/drops h1 | awk '$2 == "meter" {print $3}'; }
meter_stat() { ofctl13 meter-stats br0 meter=1 | sed -nE "s/.*$1:([0-9]+).*/\1/p" | tail -n 1; }
n_packets() { ofctl dump-flows br0 "$1" | sed -nE 's/.*n_packets=([0-9]+).*/\1/p'; }
sent_to_h2() { ofctl dump-ports br0 h2 | sed -nE 's/.*tx pkts=([0-9]+).*/\1/p'; }
read_bytes() { on h2 cat /sys/class/net/eth0/statistics/rx_bytes; }

echoes() { on h2 awk '$1 == "Icmp:" {for (i = 2; i <= NF; i++) if (name[i] == "InEchos") print $i; else name[i] = $i}' /proc/net/snmp; }

# All at once, to nobody's knowledge of when.
sends() { # N [PING-OPTION...]
  on h1 ping -q -c "$1" -l "$1" -W 0.1 "${@:2}" 10.9.0.2 >/dev/null || true
  sent=$((sent + $1))
}
# One by one, until the kernel treats them.
warms_up() { # [PING-OPTION...]
  local before end=$((SECONDS + 60))
  before=$(in_kernel h1)
  while [ "$(in_kernel h1)" = "$before" ]; do
    [ $SECONDS -lt $end ] || fail "the kernel does not take the flow: $(appctl dpctl/dump-flows) $(appctl weir/cache)"
    sends 1 "$@"
  done
}
# N frames, nearly all of them by the kernel.
in_kernel_sends() { # N [PING-OPTION...]
  local before
  warms_up "${@:2}"
  before=$(in_kernel h1)
  sends "$@"
  treats_most() { [ "$(in_kernel h1)" -ge $((before + $1 * 9 / 10)) ]; }
  wait_until treats_most "$1" ||
    fail "only $(($(in_kernel h1) - before)) of $1 frames were treated by the kernel: $(appctl weir/cache)"
}

begin() { sent=0 began=$SECONDS heard=$(echoes); }
limits() { # SETTINGS: the meter's, with full buckets and no counters
  begin
  ofctl13 mod-meter br0 "meter=1,$1"
}
hears() { [ $(($(echoes) - heard)) -ge "$1" ]; }
is_charged() { [ "$(meter_stat packet_in_count)" = "$sent" ]; }
is_within() { [ "$1" -ge "$2" ] && [ "$1" -le $(($2 + SECONDS - began + 2)) ]; } # The rate is one a second.
has_passed() { # N WHAT: and what has come later
  wait_until is_charged || fail "$2: the meter counts $(meter_stat packet_in_count) frames of $sent"
  passed=$((sent - $(meter_stat packet_count)))
  is_within $passed "$1" || fail "$2: $passed of $sent frames passed, not $1"
  wait_until hears $passed || fail "$2: of $passed frames h2 has got $(($(echoes) - heard))"
  hears $((passed + 1)) && fail "$2: h2 has got more than $passed frames: $(($(echoes) - heard))"
  return 0
}

ofctl13 add-meter br0 meter=1,pktps,burst,band=type=drop,rate=1,burst_size=100
ofctl13 add-flow br0 priority=10,icmp,in_port=1,actions=meter:1,normal

limits_frames() {
  limits pktps,burst,band=type=drop,rate=1,burst_size=100
  in_kernel_sends 300
  has_passed 100 "frames $1"
}
step "frames: a burst, and then the rate"
before=$(sent_to_h2)
limits_frames "by TC"
appctl dpctl/dump-flows type=offloaded | found 'actions:meter(' || fail "offloaded flows: $(appctl dpctl/dump-flows)"
"$WEIR_BUILD/cli/weir" cache kernel | found 'meter(' || fail "weir cache kernel: $("$WEIR_BUILD/cli/weir" cache kernel)"
"$WEIR_BUILD/cli/weir" verify | found ': 0 differences$' || fail "$("$WEIR_BUILD/cli/weir" verify)"

step "all of it is counted once, wherever it was treated"
expect $((sent * 98)) "$(meter_stat byte_in_count)" "bytes to the meter"
expect $((sent - passed)) "$(drops)" "frames of h1 that were dropped"
expect "$sent" "$(n_packets icmp,in_port=1)" "frames of the flow"
expect "$passed" $(($(sent_to_h2) - before)) "frames to h2"

step "a meter that changes does so from the next frame on"
for burst in 40 7 90; do
  limits "pktps,burst,band=type=drop,rate=1,burst_size=$burst"
  sends 150
  has_passed $burst "a burst of $burst"
done

step "bytes"
limits kbps,burst,band=type=drop,rate=8,burst_size=800 # 100,000 bytes, 1,000 a second.
in_kernel_sends 200 -s 958
has_passed 100 "frames of 1000 bytes"

step "TCP, in frames that are still to be segmented"
ofctl13 mod-meter br0 meter=1,kbps,burst,band=type=drop,rate=40000,burst_size=4000
ofctl13 add-flow br0 priority=10,tcp,in_port=1,actions=meter:1,normal
start_iperf on h2
before=$(in_kernel h1) bytes=$(read_bytes) began=$SECONDS
on h1 timeout 60 iperf3 -c 10.9.0.2 -t 1 >"$work/iperf.log" 2>&1 || fail "TCP: $(cat "$work/iperf.log")"
bytes=$(($(read_bytes) - bytes))
[ "$(in_kernel h1)" -gt $((before + 50)) ] || fail "TCP was not treated by the kernel: $(appctl weir/cache)"
[ $bytes -le $(((SECONDS - began + 2) * 5000000 + 500000)) ] || fail "$bytes bytes of TCP passed in $((SECONDS - began)) s"
[ $bytes -ge 200000 ] || fail "only $bytes bytes of TCP passed"
ofctl del-flows br0 tcp # What is still to come of it is not to be charged.

step "what is too much gets a lower precedence: AF11 becomes AF12"
ofctl add-flow br0 "priority=20,icmp,in_port=2,nw_tos=40,actions=normal" # Answers tell what came.
ofctl add-flow br0 "priority=20,icmp,in_port=2,nw_tos=48,actions=normal"
limits pktps,burst,band=type=dscp_remark,rate=1,prec_level=1,burst_size=100
in_kernel_sends 150 -Q 40
kept() { n_packets icmp,nw_tos=40; }
lost() { n_packets icmp,nw_tos=48; }
are_back() { [ $(($(kept) + $(lost))) = "$sent" ]; }
wait_until are_back || fail "of $sent frames $(kept) came through, and with a lower precedence $(lost)"
is_within "$(kept)" 100 || fail "of $sent frames $(kept) kept their precedence, not 100"

step "by XDP"
vsctl set Interface h1 options:fastpath=xdp -- set Interface h2 options:fastpath=xdp
if vsctl get Interface h1 status | found 'path=XDP'; then
  limits_frames "by XDP"
else
  echo "   (this kernel cannot: $(vsctl get Interface h1 status))"
fi
vsctl remove Interface h1 options fastpath -- remove Interface h2 options fastpath

step "while no daemon runs the kernel goes on, with what is left in the bucket"
answers() { appctl version >/dev/null 2>&1; }
limits pktps,burst,band=type=drop,rate=1,burst_size=100
warms_up
monitor=$(awk '/^PPid/ {print $2}' "/proc/$(pid_of ovs-vswitchd)/status")
kill -STOP "$monitor"
kill -9 "$(pid_of ovs-vswitchd)"
sends 300
wait_until hears 100 || fail "without a daemon $(($(echoes) - heard)) of $sent frames passed"
kill -CONT "$monitor"

step "the next one goes on limiting"
wait_until answers || fail "the new daemon does not answer"
adopts() { found "adopted [1-9][0-9]* cached flows" <"$work/vswitchd.log"; }
wait_until adopts || fail "nothing was adopted"
is_within $(($(echoes) - heard)) 100 || fail "without a daemon $(($(echoes) - heard)) of $sent frames passed"
begin # Its buckets are full.
in_kernel_sends 300
has_passed 100 "after a restart"

step "without the meter there is no limit"
begin
ofctl13 del-meter br0 meter=1
in_kernel_sends 300
wait_until hears "$sent" || fail "without a meter $(($(echoes) - heard)) of $sent frames passed"
