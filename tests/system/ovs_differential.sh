#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does Weir do with random frames and random tables what Open vSwitch does?  Starts Debian's Open
# vSwitch with dummy ports in a folder of its own; needs no privileges.  WEIR_ROUNDS: how many tables;
# WEIR_FRAMES: how many frames through each; WEIR_SEED: the first table.
#
# Open vSwitch gets a few tables in a life.  It crashes now and then after tens of them, and on some at once: then
# they are repeated one by one, and what it does not survive alone is left out, and counted.
set -eu

tables_in_a_life=10
for tool in ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl ovs-ofctl ovs-appctl; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
schema=/usr/share/openvswitch/vswitch.ovsschema
[ -r "$schema" ] || { echo "skipped: no $schema"; exit 77; }
build=${WEIR_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}

pids=()
stop_ovs() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    pids=()
    rm -rf "$dir"
}
trap stop_ovs EXIT

start_ovs() {
    dir=$(mktemp -d)
    export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir
    ovsdb-tool create "$dir/conf.db" "$schema"
    ovsdb-server --remote="punix:$dir/db.sock" --pidfile -vconsole:off "$dir/conf.db" </dev/null >"$dir/ovsdb.out" 2>&1 &
    pids+=($!)
    for _ in $(seq 1200); do [ -S "$dir/db.sock" ] && break; sleep 0.05; done
    ovs-vsctl --no-wait init
    ovs-vswitchd --enable-dummy=override --disable-system --pidfile -vconsole:off \
        --unixctl="$dir/vswitchd.ctl" "unix:$dir/db.sock" </dev/null >"$dir/vswitchd.out" 2>&1 &
    pids+=($!)
    for _ in $(seq 1200); do [ -S "$dir/vswitchd.ctl" ] && break; sleep 0.05; done
}

lives() { [ -n "$(readlink "/proc/${pids[1]}/exe")" ]; }

compare() { # SEED TABLES: 0 if they do the same, 1 if not, 2 if Open vSwitch did not live to see it.
    local result=0
    start_ovs
    WEIR_SEED=$1 WEIR_ROUNDS=$2 "$build/tests/ovs_differential" "$dir" || result=1
    [ $result = 0 ] || { sleep 1 && lives; } || result=2
    stop_ovs
    return $result
}

play() { # SEED TABLES
    local result=0 seed
    compare "$1" "$2" || result=$?
    [ $result = 2 ] || return $result
    if [ "$2" = 1 ]; then
        echo "Open vSwitch does not survive table $1"
        n_fatal=$((n_fatal + 1))
        return 0
    fi
    for seed in $(seq "$1" $(($1 + $2 - 1))); do
        play "$seed" 1 || return 1
    done
}

first=${WEIR_SEED:-1} end=$((${WEIR_SEED:-1} + ${WEIR_ROUNDS:-60})) n_fatal=0
while [ "$first" -lt $end ]; do
    n=$((end - first < tables_in_a_life ? end - first : tables_in_a_life))
    play "$first" $n || exit 1
    first=$((first + n))
done
[ $((n_fatal * 10)) -le "${WEIR_ROUNDS:-60}" ] || { echo "Open vSwitch has survived too little"; exit 1; }
