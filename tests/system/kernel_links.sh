#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Devices come, go and change under a switch at work: WEIR_LINK_EVENTS times (default 40; WEIR_SEED=N: others) one
# of four is deleted, renamed, moved to another namespace, given another MTU, taken down, robbed of its qdisc or filter
# or renumbered, and put right again.  Its own port shows an error and loses it (within 2 s, if the machine has the
# time); no other port loses a frame.
#
#     h1 --. br0 .-- h2        a steady stream of 5,000 frames a second, and TCP
#     v1 --+     +-- v2        the devices that suffer
#     v3 --'     '-- v4
. "$(dirname "$0")/lib.sh"
events=${WEIR_LINK_EVENTS:-40}
probe=$WEIR_BUILD/tests/probe
RANDOM=${WEIR_SEED:-1}

start_switch
vsctl add-br br0
make_host h1 10.7.0.1 br0
make_host h2 10.7.0.2 br0
for v in v1 v2 v3 v4; do make_host $v 10.7.0.1${v#v} br0; done
ip netns add "$space-away"
can_reach h1 10.7.0.2 || fail "h1 does not reach h2"

has_error() { [ "$(vsctl get Interface "$1" error)" != "[]" ]; }
has_no_error() { ! has_error "$1" && [ "$(vsctl get Interface "$1" ofport)" != -1 ]; }
has_number() { interface_has "$1" ofport "$2"; }
has_filter() { on_switch tc filter show dev "$1" ingress 2>/dev/null | found weir_ingress; }
worst_appears=0 worst_clears=0 worst_heals=0 # In ms.
# How long it takes is what people are to read at the end; a machine that is busy elsewhere takes what it takes.
within() { # WORST SENTENCE COMMAND...
  local -n worst=$1
  local sentence=$2 begin now=0
  shift 2
  begin=$(date +%s%N)
  until "$@" 2>/dev/null; do
    [ $now -lt 60000 ] || fail "$sentence"
    sleep 0.01
    now=$((($(date +%s%N) - begin) / 1000000))
  done
  now=$((($(date +%s%N) - begin) / 1000000))
  [ $now -le "$worst" ] || worst=$now
}

suffer() { # DEVICE: one event, and its end
  local v=$1 number
  case $((RANDOM % 8)) in
  0)
    pull_out "$v"
    within worst_appears "$v was deleted, and has no error" has_error "$v"
    plug_in "$v"
    ip -n "$space-$v" addr add "10.7.0.1${v#v}/24" dev eth0
    ;;
  1)
    printf 'link set %s down\nlink set %s name other\n' "$v" "$v" | ip -n "$space" -batch -
    within worst_appears "$v was renamed, and has no error" has_error "$v"
    ip -n "$space" link set other name "$v"
    ip -n "$space" link set "$v" up
    ;;
  2)
    ip -n "$space" link set "$v" netns "$space-away"
    within worst_appears "$v was moved, and has no error" has_error "$v"
    ip -n "$space-away" link set "$v" netns "$space"
    ip -n "$space" link set "$v" up
    ;;
  3) ip -n "$space" link set "$v" mtu $((RANDOM % 2 ? 9000 : 1500)) ;;
  4)
    ip -n "$space" link set "$v" down
    ip -n "$space" link set "$v" up
    ;;
  5) on_switch tc qdisc del dev "$v" clsact ;;
  6) on_switch tc filter del dev "$v" ingress ;;
  7)
    number=$((100 * ${v#v} + RANDOM % 100)) # Of its own, whoever else has asked.
    vsctl set Interface "$v" "ofport_request=$number"
    within worst_heals "$v does not get the number $number" has_number "$v" "$number"
    ;;
  esac
  within worst_clears "$v is back, and still has an error: $(vsctl get Interface "$v" error)" has_no_error "$v"
  within worst_heals "$v has no filter" has_filter "$v"
}

step "$events events"
seconds=$((events * 20 + 60)) # At most: emulated processors are slow.
on h2 "$probe" receive eth0 $seconds >"$work/received" &
receiver=$!
wait_until grep -q ready "$work/received" || fail "the receiver does not start"
on h1 "$probe" send 10.7.0.2 a 7000 1 5000 $seconds >"$work/sent" &
sender=$!
for i in $(seq "$events"); do
  v=v$((RANDOM % 4 + 1))
  suffer $v
  [ $((i % 10)) != 0 ] || can_reach h1 "10.7.0.1${v#v}" || fail "h1 does not reach $v after event $i"
done
kill "$(pgrep -P $sender -x probe || echo $sender)"
wait $sender || true
sleep 0.3
kill "$(pgrep -P $receiver -x probe || echo $receiver)"
wait $receiver || true

sent=$(cat "$work/sent")
read -r _ _ received _ doubled _ gap < <(grep '^a ' "$work/received") || fail "nothing arrived"
echo "   sent $sent, received $received, longest silence $gap ms"
echo "   an error appears within $worst_appears ms and clears within $worst_clears ms; a filter is back, or a number" \
  "in force, within $worst_heals ms"
expect "$sent" "$received" "frames of a port beside"
expect 0 "$doubled" "frames doubled"

step "ports that suffered carry TCP in the end"
for v in v1 v2; do can_reach $v 10.7.0.2 || fail "$v does not reach h2 in the end"; done
start_iperf on h2
on v1 iperf3 -c 10.7.0.2 -t 1 >"$work/iperf" || fail "$(cat "$work/iperf")"
found receiver "$work/iperf" || fail "no TCP in the end"
