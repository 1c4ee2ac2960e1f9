#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Devices come, go and change under a switch at work: WEIR_LINK_EVENTS times (default 40) one of four is
# deleted, renamed, moved to another namespace, given another MTU or taken down, and put right again.  Its own
# port shows an error and loses it within 2 s; no other port loses a frame.
#
#     h1 --. br0 .-- h2        a steady stream of 5,000 frames a second, and TCP
#     v1 --+     +-- v2        the devices that suffer
#     v3 --'     '-- v4
. "$(dirname "$0")/lib.sh"
events=${WEIR_LINK_EVENTS:-40}
probe=$WEIR_BUILD/tests/probe

start_switch
vsctl add-br br0
make_host h1 10.7.0.1 br0
make_host h2 10.7.0.2 br0
for v in v1 v2 v3 v4; do make_host $v 10.7.0.1${v#v} br0; done
ip netns add "$space-away"
can_reach h1 10.7.0.2 || fail "h1 does not reach h2"

has_error() { [ "$(vsctl get Interface "$1" error)" != "[]" ]; }
has_no_error() { ! has_error "$1" && [ "$(vsctl get Interface "$1" ofport)" != -1 ]; }
within_2s() { # SENTENCE COMMAND...
  local sentence=$1 begin now
  shift
  begin=$(date +%s%N)
  until "$@" 2>/dev/null; do
    now=$(date +%s%N)
    [ $((now - begin)) -lt 2000000000 ] || fail "$sentence"
    sleep 0.02
  done
}

suffer() { # DEVICE: one event, and its end
  local v=$1
  case $((RANDOM % 5)) in
  0)
    pull_out "$v"
    within_2s "$v was deleted, and has no error" has_error "$v"
    plug_in "$v"
    ip -n "$space-$v" addr add "10.7.0.1${v#v}/24" dev eth0
    ;;
  1)
    ip -n "$space" link set "$v" name other
    within_2s "$v was renamed, and has no error" has_error "$v"
    ip -n "$space" link set other name "$v"
    ;;
  2)
    ip -n "$space" link set "$v" netns "$space-away"
    within_2s "$v was moved, and has no error" has_error "$v"
    ip -n "$space-away" link set "$v" netns "$space"
    ip -n "$space" link set "$v" up
    ;;
  3)
    ip -n "$space" link set "$v" mtu $((RANDOM % 2 ? 9000 : 1500))
    ;;
  4)
    ip -n "$space" link set "$v" down
    ip -n "$space" link set "$v" up
    ;;
  esac
  within_2s "$v is back, and still has an error: $(vsctl get Interface "$v" error)" has_no_error "$v"
}

step "$events events"
seconds=$((events * 2 + 20))
on h2 "$probe" receive eth0 $seconds >"$work/received" &
receiver=$!
wait_until 5 grep -q ready "$work/received" || fail "the receiver does not start"
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
expect "$sent" "$received" "frames of a port beside"
expect 0 "$doubled" "frames doubled"

step "ports that suffered carry TCP in the end"
for v in v1 v2; do can_reach $v 10.7.0.2 || fail "$v does not reach h2 in the end"; done
[ "$(tcp_mbps v1 h2 10.7.0.2)" -gt 100 ] || fail "TCP is slow in the end"
