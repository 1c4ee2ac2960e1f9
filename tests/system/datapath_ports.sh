#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two hosts and the switch's own port talk through the datapath alone, every offload on.
#
#     alice --veth-- pa .--------. pb --veth-- bob
#                       | switch |
#                       '--br0---'   (10.99.0.1, .2, .3)
#
# The switch is tests/bench/datapath/switch_bench.c, once with the exception tap, once without the
# right to load BPF programs, when it must fall back to AF_PACKET.  Exit 77: skipped.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${WEIR_BUILD:-build/release}")
switch=$build/tests/switch_bench
[ "$(id -u)" = 0 ] || { echo "skipped: needs root" && exit 77; }
for program in ip ping iperf3 tc setpriv "$switch"; do
  command -v "$program" >/dev/null || { echo "skipped: $program is not here" && exit 77; }
done

id=wdp$$
work=$(mktemp -d)
switch_pid=
n_checks=0 n_failed=0

stop_switch() {
  [ -n "$switch_pid" ] && kill "$switch_pid" 2>/dev/null && wait "$switch_pid"
  switch_pid=
}
cleanup() {
  stop_switch
  [ -s "$work/iperf3.pid" ] && kill "$(tr -d '\0' <"$work/iperf3.pid")" 2>/dev/null
  for name in switch alice bob; do ip netns del "$id-$name" 2>/dev/null; done
  rm -rf "$work"
}
trap cleanup EXIT

in_ns() { # NAMESPACE COMMAND...
  local name=$1
  shift
  ip netns exec "$id-$name" "$@"
}
check() { # SENTENCE COMMAND...
  local sentence=$1
  shift
  n_checks=$((n_checks + 1))
  "$@" >"$work/out" 2>&1 && return
  n_failed=$((n_failed + 1))
  echo "FAILED: $sentence"
  sed 's/^/    /' "$work/out" "$work/switch.log"
}

build_network() {
  for name in switch alice bob; do
    ip netns add "$id-$name"
    ip -n "$id-$name" link set lo up
  done
  for host in alice bob; do
    ip -n "$id-switch" link add "p${host:0:1}" mtu 9000 type veth peer name eth0 mtu 9000 netns "$id-$host"
    ip -n "$id-switch" link set "p${host:0:1}" up
    ip -n "$id-$host" link set eth0 up
  done
  ip -n "$id-alice" addr add 10.99.0.1/24 dev eth0
  ip -n "$id-bob" addr add 10.99.0.2/24 dev eth0
}
start_switch() { # COMMAND-PREFIX...
  ip netns exec "$id-switch" "$@" "$switch" -i br0 pa pb >"$work/switch.log" 2>&1 &
  switch_pid=$!
  for _ in $(seq 1200); do
    grep -q ready "$work/switch.log" && break
    sleep 0.05
  done
  ip -n "$id-switch" link set br0 address 02:00:00:00:00:99 mtu 9000 up # The one that peers remember.
  ip -n "$id-switch" addr add 10.99.0.3/24 dev br0
}

travels_by() { grep -qx "$1: $2" "$work/switch.log"; }
can_reach() { in_ns "$1" ping -q -c 2 -i 0.05 -W 2 "${@:3}" "$2"; }
sends_tcp() { # FROM TO-NAMESPACE ADDRESS IPERF3-ARGUMENTS...: at least 100 Mbit/s, which wrong offloads do not give
  local from=$1 to=$2 address=$3
  shift 3
  in_ns "$to" iperf3 -s -1 -D -I "$work/iperf3.pid"
  in_ns "$to" timeout 60 sh -c 'until ss -ltn | grep -q :5201; do sleep 0.05; done'
  in_ns "$from" iperf3 -c "$address" -t 1 --connect-timeout 2000 -f m "$@" |
    awk '{ print } /receiver/ { good = $7 >= 100 } END { exit !good }'
}
has_no_trace() {
  ! ip -n "$id-switch" link show weir-miss && ! ip -n "$id-switch" link show br0 &&
    ! in_ns switch tc qdisc show | grep clsact
}

everything_works() { # PATH
  check "pa travels by $1" travels_by pa "$1"
  check "alice reaches bob ($1)" can_reach alice 10.99.0.2
  check "alice reaches the switch's host ($1)" can_reach alice 10.99.0.3
  check "jumbo frames pass ($1)" can_reach bob 10.99.0.1 -M do -s 8972
  check "TCP from alice to bob ($1)" sends_tcp alice bob 10.99.0.2
  check "TCP with a small MSS ($1)" sends_tcp alice bob 10.99.0.2 -M 500
  check "TCP from the host to bob ($1)" sends_tcp switch bob 10.99.0.2
  check "TCP from alice to the host ($1)" sends_tcp alice switch 10.99.0.3
}

build_network
start_switch env
everything_works TC
stop_switch
check "a stopped switch leaves no trace" has_no_trace

start_switch setpriv --bounding-set=-bpf,-sys_admin,-perfmon
everything_works AF_PACKET
stop_switch
check "a stopped switch leaves no trace" has_no_trace

echo "$((n_checks - n_failed)) of $n_checks checks passed"
[ "$n_failed" = 0 ]
