#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many switches of one machine start and stop at once, each with its own run directory: none takes from another what it
# has in the kernel, and what a dead one has left goes without the others being touched.
# WEIR_STARTS: how many switches.
. "$(dirname "$0")/lib.sh"
n=${WEIR_STARTS:-4}
# Not ip netns exec, which has a BPF filesystem for each process.
on_switch() { nsenter --net="/run/netns/$space" "$@"; }
pins=/sys/fs/bpf/weir

run_dir() { echo "$work/s$1"; }
log_of() { echo "$(run_dir "$1")/vswitchd.log"; }
daemon() { # N [OPTION...]
  local dir
  dir=$(run_dir "$1")
  OVS_RUNDIR=$dir on_switch "$WEIR_BUILD/vswitchd/vswitchd" "unix:$dir/db.sock" --pidfile --detach --no-chdir \
    --log-file="$dir/vswitchd.log" -vconsole:off
}
ask() { # N COMMAND...
  local dir
  dir=$(run_dir "$1")
  OVS_RUNDIR=$dir ovs-appctl -T 60 "${@:2}"
}
pid_of_switch() { cat "$(run_dir "$1")/ovs-vswitchd.pid"; }
is_gone() { ! is_alive "$1"; }
instances() { (find $pins -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null || true) | sort; }
# Which of them are new since the test began: others may have some, too.
ours() { comm -13 "$work/before" <(instances); }

instances >"$work/before"
for i in $(seq "$n"); do
  dir=$(run_dir "$i")
  mkdir "$dir"
  OVS_RUNDIR=$dir on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" "$dir/conf.db" "--remote=punix:$dir/db.sock" \
    --pidfile --detach --no-chdir --log-file="$dir/ovsdb-lite.log" -vconsole:off
  ovs-vsctl -t 10 --db="unix:$dir/db.sock" --no-wait add-br "br$i" -- add-port "br$i" "p$i"
  ip -n "$space" link add "p$i" type veth peer name "e$i"
  ip -n "$space" link set "p$i" up
done

start() { # N...
  local i jobs=()
  for i in "$@"; do
    daemon "$i" &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do wait "$i" || fail "a switch does not start"; done
}
stop() { # N...
  local i pids=() jobs=()
  for i in "$@"; do
    pids+=("$(pid_of_switch "$i")")
    ask "$i" exit --cleanup &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do wait "$i" || fail "a switch does not stop"; done
  for i in "${pids[@]}"; do wait_until is_gone "$i" || fail "a switch does not end"; done
}
path_of_port() { ovs-vsctl -t 10 --db="unix:$(run_dir "$1")/db.sock" get Interface "p$1" status:path 2>/dev/null; }
is_by_tc() { [ "$(path_of_port "$1")" = TC ]; }
all_have_pins() { # N...
  local i
  for i in "$@"; do
    wait_until is_by_tc "$i" || fail "switch $i: path is $(path_of_port "$i")"
    ! grep -E '\|(WARN|ERR)\|' "$(log_of "$i")" || fail "switch $i warns"
  done
  expect $# "$(ours | wc -l)" "switches that have pins"
}
all=($(seq "$n")) odd=($(seq 1 2 "$n")) even=($(seq 2 2 "$n"))

step "$n switches start at once"
start 1
wait_until eval 'path_of_port 1 | found .' || fail "switch 1 does not take its port"
is_by_tc 1 || skip "no BPF here"
start "${all[@]:1}"
all_have_pins "${all[@]}"

step "some stop, and others start meanwhile"
stop "${odd[@]}"
expect ${#even[@]} "$(ours | wc -l)" "switches that have pins"
stop "${even[@]}" &
stopping=$!
start "${odd[@]}"
wait $stopping || fail "they do not stop"
all_have_pins "${odd[@]}"
stop "${odd[@]}" &
stopping=$!
start "${even[@]}"
wait $stopping || fail "they do not stop"
all_have_pins "${even[@]}"

step "what a dead one has left goes, and nothing of the others"
kill -9 "$(pid_of_switch 2)"
wait_until is_gone "$(pid_of_switch 2)"
expect ${#even[@]} "$(ours | wc -l)" "switches that have pins, one of which is dead"
OVS_RUNDIR=$(run_dir 2) on_switch "$WEIR_BUILD/vswitchd/vswitchd" --cleanup-only >"$work/freed" 2>&1
found "^$pins/" <"$work/freed" || fail "cleanup does not tell: $(cat "$work/freed")"
found '^p2$' <"$work/freed" || fail "cleanup does not free p2: $(cat "$work/freed")"
! found '^p4$' <"$work/freed" || fail "cleanup takes the port of another: $(cat "$work/freed")"
all_have_pins "${even[@]:1}"
for i in "${even[@]:1}"; do
  on_switch tc filter show dev "p$i" ingress | found weir_ingress || fail "p$i has lost its program"
done
stop "${even[@]:1}"
expect "" "$(ours)" "pins that are left"
for i in "${all[@]}"; do kill "$(cat "$(run_dir "$i")/ovsdb-server.pid")"; done
