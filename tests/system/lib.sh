# SPDX-License-Identifier: Apache-2.0
# lib.sh - what system tests share: a switch of their own, hosts, and verbs to ask about both.
#
#   . "$(dirname "$0")/lib.sh"
#   start_switch
#   vsctl add-br br0
#   make_host h1 10.1.1.1 br0 tag=10
#   can_reach h1 10.1.1.2 || fail "h1 does not reach h2"
#
# The switch lives in a network namespace of its own, with its own run directory, so tests disturb neither
# the machine nor each other.  Everything made here goes when the script ends, however it ends; after a failure the
# ends of the logs are shown.
set -euo pipefail

WEIR_BUILD=${WEIR_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/release}
test_name=$(basename "$0" .sh)
space=weir-$test_name-$$ # Of the switch; hosts are $space-HOST.
work=$(mktemp -d)
export OVS_RUNDIR=$work
# A daemon built with a sanitizer goes on after a report; the test that finds one in the end fails.
export TSAN_OPTIONS=log_path=$work/sanitizer ASAN_OPTIONS=log_path=$work/sanitizer

skip() { echo "SKIP: $*" && exit 77; }
fail() { echo "FAIL: $*" >&2 && exit 1; }
step() { echo "-- $*"; }
found() { grep "$@" >/dev/null; } # As grep -q, but reads to the end: nobody before it in the pipe fails.

pid_of() { cat "$work/$1.pid" 2>/dev/null; } # ovs-vswitchd or ovsdb-server

# A process that nobody waits for stays as a zombie; it is over when its last thread is one.
is_alive() { (cat "/proc/$1"/task/*/status 2>/dev/null || true) | found '^State:.[^ZX]'; }

# Kills one of our daemons as a crash would, and waits until it is gone.
crash() {
  local pid
  pid=$(pid_of "$1") || return 0
  kill -9 "$pid" 2>/dev/null || return 0
  while is_alive "$pid"; do sleep 0.01; done
}

# A daemon of ours that still runs must come to its end: one that aborts leaves its pidfile.
ends_in_order() { # ovs-vswitchd or ovsdb-server
  local pid
  pid=$(pid_of "$1") && is_alive "$pid" || return 0
  if [ "$1" != ovs-vswitchd ] || ! appctl exit --cleanup >/dev/null 2>&1; then kill "$pid"; fi
  for _ in $(seq 1200); do
    is_alive "$pid" || break
    sleep 0.05
  done
  [ ! -e "$work/$1.pid" ] || { echo "FAIL: $1 does not end in order" >&2 && return 1; }
}

cleanup() {
  local status=$? name pid log
  trap - EXIT
  trap '' PIPE # Whoever read what we say may have been killed before us.
  set +e
  if [ $status = 0 ]; then
    ends_in_order ovs-vswitchd && ends_in_order ovsdb-server || status=1
  fi
  if [ $status != 0 ] && [ $status != 77 ]; then
    for log in "$work"/*.log; do
      [ -f "$log" ] && echo "== ${log##*/}" >&2 && tail -n 15 "$log" >&2
    done
  fi
  for name in ovs-vswitchd ovsdb-server; do crash $name; done
  if compgen -G "$work/sanitizer.*" >/dev/null; then
    [ $status != 0 ] || status=1
    head -n 60 "$work"/sanitizer.* >&2
  fi
  for pid in $(ip netns pids "$space"); do kill -9 "$pid"; done # Monitors, who start others.
  crash ovs-vswitchd
  [ ! -d /sys/fs/bpf/weir ] || on_switch "$WEIR_BUILD/vswitchd/vswitchd" --cleanup-only >/dev/null 2>&1
  for name in $(ip netns list | awk -v p="$space" 'index($1, p) == 1 {print $1}'); do
    for pid in $(ip netns pids "$name"); do kill -9 "$pid"; done
    ip netns del "$name"
  done
  rm -rf "$work"
  [ $status != 0 ] || echo "PASS: $test_name"
  exit $status
}

[ "$(id -u)" = 0 ] || { rm -rf "$work" && skip "needs root"; }
for tool in ip ovs-vsctl ping; do
  command -v $tool >/dev/null || { rm -rf "$work" && skip "needs $tool"; }
done
trap cleanup EXIT
trap 'exit 130' INT TERM
ip netns add "$space"
ip -n "$space" link set lo up

on() { # HOST COMMAND...
  local host=$1
  shift
  ip netns exec "$space-$host" "$@"
}
on_switch() { ip netns exec "$space" "$@"; }

# --- The switch -----------------------------------------------------------------------------

start_database() { # [OPTION...]
  on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" "$work/conf.db" "--remote=punix:$work/db.sock" \
    --remote=db:Open_vSwitch,Open_vSwitch,manager_options --pidfile --detach --no-chdir \
    --log-file="$work/ovsdb-lite.log" -vconsole:off "$@"
}
start_forwarding() { # [OPTION...]
  on_switch "$WEIR_BUILD/vswitchd/vswitchd" "unix:$work/db.sock" --pidfile --detach --no-chdir \
    --log-file="$work/vswitchd.log" -vconsole:off "$@"
}
start_switch() {
  start_database
  start_forwarding "$@"
}

vsctl() { ovs-vsctl -t 10 "$@"; }
appctl() { ovs-appctl -T 10 "$@"; }
ofctl() { ovs-ofctl -t 10 "$@"; }

# --- Hosts ----------------------------------------------------------------------------------

# make_host HOST ADDRESS [BRIDGE [SETTING...]]: a namespace with eth0, on the bridge as port HOST.
make_host() {
  local host=$1 address=$2 bridge=${3:-}
  shift $(($# > 3 ? 3 : $#))
  ip netns add "$space-$host"
  ip -n "$space-$host" link set lo up
  plug_in "$host"
  [ "$address" = none ] || ip -n "$space-$host" addr add "$address/24" dev eth0
  [ -z "$bridge" ] || vsctl add-port "$bridge" "$host" "$@"
}

# The cable between a host and the switch, and its loss.  A host keeps its address when it is plugged in
# again; IPv6 is off, because its own chatter would stand in every counter.
plug_in() {
  local mac
  mac=02:$(echo "$1" | md5sum | sed -E 's/(..)(..)(..)(..)(..).*/\1:\2:\3:\4:\5/')
  ip -n "$space" link add "$1" type veth peer name eth0 address "$mac" netns "$space-$1"
  on "$1" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
  on_switch sysctl -qw "net.ipv6.conf.$1.disable_ipv6=1"
  ip -n "$space" link set "$1" up
  ip -n "$space-$1" link set eth0 up
}
pull_out() { ip -n "$space" link del "$1"; }

# --- Questions ------------------------------------------------------------------------------

# wait_until COMMAND...: true as soon as the command is, within a minute.
wait_until() {
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}

# A question that was asked in vain before must not leave its ARP entry to this one.
forget_neighbour() { ip -n "$space-$1" neigh flush to "$2" nud all >/dev/null 2>&1 || true; }
can_reach() { # HOST ADDRESS [PING-OPTION...]
  local host=$1 address=$2
  shift 2
  forget_neighbour "$host" "$address"
  on "$host" ping -q -c 3 -i 0.05 -W 2 "$@" "$address" >/dev/null 2>&1
}
cannot_reach() { # HOST ADDRESS
  forget_neighbour "$1" "$2"
  ! on "$1" ping -q -c 2 -i 0.05 -W 0.3 "$2" >/dev/null 2>&1
}

start_iperf() { # COMMAND...: that runs others where the server is wanted: "on h2".
  "$@" iperf3 -s -1 -D >/dev/null
  wait_until eval "$* ss -ltn | found :5201" || fail "iperf3 does not start: $*"
}
tcp_mbps() { # CLIENT SERVER ADDRESS-OF-SERVER
  start_iperf on "$2"
  on "$1" iperf3 -c "$3" -t 1 -J | python3 -c 'import json, sys
print(int(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e6))'
}

interface_has() { # INTERFACE COLUMN[:KEY] VALUE
  local value
  value=$(vsctl get Interface "$1" "$2" 2>/dev/null | tr -d '"') && [ "$value" = "$3" ]
}
expect() { # WANTED GOT WHAT
  [ "$1" = "$2" ] || fail "$3: wanted \"$1\", got \"$2\""
}
