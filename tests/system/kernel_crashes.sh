#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon is killed at moments that nobody chose, WEIR_CRASHES times (default 6; WEIR_SEED=N: others): while it
# starts, adds and deletes ports, changes how they forward, and stops.  What it leaves, the next one takes over, and
# cleanup removes: all of it, also what belongs to run directories that are no more, and nothing of anybody who runs.
#
#     h1 10.5.0.1 --. br0 .-- h2 10.5.0.2
#     h3 -----------+     +-- nic, a device that looks at addresses
. "$(dirname "$0")/lib.sh"
# Not ip netns exec, whose mounts, and the BPF filesystem among them, go with its process.
on_switch() { nsenter --net="/run/netns/$space" "$@"; }
crashes=${WEIR_CRASHES:-6}
RANDOM=${WEIR_SEED:-1}
others=$(mktemp -d) # Run directories of other switches.
trap 'status=$?; set +e; rm -rf "$others"; (exit $status); cleanup' EXIT
clean_up() { on_switch "$WEIR_BUILD/vswitchd/vswitchd" --cleanup-only -vconsole:off "$@"; }

make_host h1 10.5.0.1
make_host h2 10.5.0.2
make_host h3 10.5.0.3
ip -n "$space" link add nic type dummy 2>/dev/null || ip -n "$space" link add link h3 name nic type macvlan 2>/dev/null ||
  skip "the kernel has neither dummy nor macvlan devices"
ip -n "$space" link set nic up

# All that is in the kernel.
traces() {
  ip -n "$space" -d -o link | sed -E 's/ (state|promiscuity|qlen) [^ ]*//g; s/numtxqueues.*//' | cut -c 1-200
  on_switch tc qdisc show
  for device in h1 h2 h3 nic; do
    on_switch tc filter show dev $device ingress
    on_switch tc filter show dev $device egress
  done
  ls /sys/fs/bpf/weir 2>/dev/null | grep -Fx "$instance" || true
}
# As lib/rundir.c makes it of a run directory.
instance_of() {
  local hash=2166136261 byte
  for byte in $(printf %s "$1" | od -An -v -tu1); do
    hash=$(((hash ^ byte) * 16777619 & 0xffffffff))
  done
  printf 'w%06x' $((hash & 0xffffff))
}
instance=$(instance_of "$work")
traces >"$work/before"
leaves_nothing() { # AFTER-WHAT
  clean_up >"$work/removed" 2>&1 || fail "cleanup after $1: $(cat "$work/removed")"
  traces >"$work/after"
  diff "$work/before" "$work/after" >"$work/difference" || fail "$1, and cleanup leave: $(cat "$work/difference")"
}

start_database
launch() { # Not on_switch, which would be a process of its own.
  nsenter --net="/run/netns/$space" "$WEIR_BUILD/vswitchd/vswitchd" "unix:$work/db.sock" --pidfile --no-chdir \
    --log-file="$work/vswitchd.log" -vconsole:off &
  pid=$!
  disown
}
kill_pid() {
  kill -9 "$1" 2>/dev/null || true
  while is_alive "$1"; do sleep 0.01; done
}
kill_it() { kill_pid "$pid"; }
is_up() { appctl version; }
pause() { sleep "0.$(printf %03d $((RANDOM % $1)))"; } # Up to so many milliseconds.

configure() {
  vsctl --no-wait add-br br0 \
    -- add-port br0 h1 -- add-port br0 h2 -- add-port br0 nic -- add-port br0 in1 -- set Interface in1 type=internal
}
configure

step "$crashes crashes"
launch
wait_until is_up || fail "the daemon does not start"
wait_until can_reach h1 10.5.0.2 || fail "h1 does not reach h2"
clean_up >"$work/said" 2>&1 && fail "cleanup does not refuse while a daemon runs"
mv "$work/ovs-vswitchd.pid" "$work/hidden"
clean_up >"$work/said" 2>&1 && fail "cleanup does not see that a daemon without pidfile runs"
mv "$work/hidden" "$work/ovs-vswitchd.pid"
can_reach h1 10.5.0.2 || fail "a cleanup that was refused has done something"
kill_it
[ "$(traces)" != "$(cat "$work/before")" ] || fail "a crash leaves nothing: what is cached is not forwarded"
on h1 ping -q -i 0.01 -w 3600 10.5.0.2 >/dev/null 2>&1 &
disown
for i in $(seq "$crashes"); do
  launch
  case $((RANDOM % 6)) in
  0) ;; # While it starts.
  1) pause 300 && vsctl --no-wait --may-exist add-port br0 h3 -- set Interface h3 options:fastpath=xdp ;;
  2) pause 300 && vsctl --no-wait --if-exists del-port h3 -- --if-exists del-port nic ;;
  3) pause 300 && vsctl --no-wait --may-exist add-port br0 nic -- --may-exist add-port br0 in2 -- set Interface in2 type=internal ;;
  4) pause 300 && vsctl --no-wait --if-exists del-br br0 && configure ;;
  5) wait_until is_up && (appctl exit "$([ $((RANDOM % 2)) = 0 ] || echo --cleanup)" || true) >/dev/null 2>&1 & ;;
  esac
  pause 200
  kill_it
  [ $((i % 3)) != 0 ] || leaves_nothing "$i crashes"
done
launch
wait_until can_reach h1 10.5.0.2 || fail "h1 does not reach h2 in the end"
kill_it
leaves_nothing "$crashes crashes"

has_filter() { on_switch tc filter show dev "$1" ingress | found weir_ingress; }
step "what another build has left on a device goes with its port, too, though it was not taken over yet"
vsctl --no-wait --may-exist add-port br0 h1 -- --if-exists del-port nic `# What it was like is known to pins only.` \
  -- set Open_vSwitch . other_config:flow-restore-wait=true
launch
wait_until has_filter h1 || fail "h1 has no filter"
kill_it
rm "/sys/fs/bpf/weir/$instance"/* # Nothing of another build's is understood.
launch
wait_until is_up || fail "the daemon does not start"
vsctl del-port br0 h1
on_switch tc qdisc show dev h1 | found clsact && fail "the qdisc of another build stays on a device that is no port any more"
vsctl remove Open_vSwitch . other_config flow-restore-wait -- add-port br0 h1
kill_it
leaves_nothing "another build"

flags() { ip -n "$space" -o link show nic | found PROMISC; }
step "a device that looks at addresses takes all frames while no daemon runs"
vsctl --no-wait --may-exist add-port br0 nic
launch
wait_until flags || fail "the device does not take all frames"
kill_it
flags || fail "it does not after a crash"
launch
wait_until is_up || fail "the daemon does not start"
vsctl del-port br0 nic
wait_until eval '! flags' || fail "it still does when it is no port any more"
ip -n "$space" link set nic promisc on
vsctl add-port br0 nic
vsctl del-port br0 nic
flags || fail "what somebody else had asked for is gone"
ip -n "$space" link set nic promisc off
vsctl add-port br0 nic
wait_until flags || fail "the device does not take all frames again"
appctl exit >/dev/null
wait_until eval '! is_alive "$pid"' || fail "the daemon does not stop"
flags || fail "it does not after a stop"
launch
wait_until is_up || fail "the daemon does not start"
kill_it
vsctl --no-wait del-port br0 nic
launch
wait_until eval '! flags' || fail "the next daemon does not give back a device that is no port any more"
kill_it
leaves_nothing "that"

step "what belongs to run directories that are gone goes, too, but not what somebody uses"
start_other() { # NAME DEVICE: a switch in the same namespace, with its own run directory.
  mkdir "$others/$1"
  OVS_RUNDIR=$others/$1 on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" "$others/$1/conf.db" \
    "--remote=punix:$others/$1/db.sock" --pidfile --detach --no-chdir --log-file="$work/other.log" -vconsole:off
  OVS_RUNDIR=$others/$1 nsenter --net="/run/netns/$space" "$WEIR_BUILD/vswitchd/vswitchd" "unix:$others/$1/db.sock" --pidfile \
    --no-chdir --log-file="$work/other.log" -vconsole:off &
  other=$!
  disown
  OVS_RUNDIR=$others/$1 vsctl add-br "br-$1" -- add-port "br-$1" "$2"
  has_filter "$2" || fail "$2 is no port of $1"
}
start_other lost h1
kill_pid $other
start_other stopped h2
kill_pid $other
start_other alive h3
rm -r "$others/lost"
rm -r "$others/alive"
clean_up >"$work/removed"
for leftover in h1 br-lost "/sys/fs/bpf/weir/$(instance_of "$others/lost")"; do
  found -Fx -- "$leftover" "$work/removed" || fail "$leftover of a lost switch is not removed: $(cat "$work/removed")"
done
has_filter h1 && fail "the filter of a lost switch stays"
[ ! -e "/sys/fs/bpf/weir/$(instance_of "$others/lost")" ] || fail "pins of a lost switch stay"
for kept in stopped alive; do
  ip -n "$space" link show br-$kept >/dev/null || fail "the bridge of a switch that is $kept has gone"
  [ -e "/sys/fs/bpf/weir/$(instance_of "$others/$kept")" ] || fail "pins of a switch that is $kept have gone"
done
has_filter h2 && has_filter h3 || fail "filters of others have gone"
kill_pid $other
rm -r "$others/stopped"
leaves_nothing "others"
for gone in stopped alive; do
  [ ! -e "/sys/fs/bpf/weir/$(instance_of "$others/$gone")" ] || fail "pins of a switch that was $gone stay"
done
expect "" "$(clean_up)" "a second cleanup"
