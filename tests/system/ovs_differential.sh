#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does Weir do with random frames and random tables what Open vSwitch does?  Starts Debian's Open
# vSwitch with dummy ports in a folder of its own; needs no privileges.  WEIR_ROUNDS: how many tables;
# WEIR_FRAMES: how many frames through each.
set -eu

for tool in ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl ovs-ofctl ovs-appctl; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
build=${WEIR_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}

dir=$(mktemp -d)
pids=()
stop() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap stop EXIT

export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir
schema=/usr/share/openvswitch/vswitch.ovsschema
[ -r "$schema" ] || { echo "skipped: no $schema"; exit 77; }
ovsdb-tool create "$dir/conf.db" "$schema"
ovsdb-server --remote="punix:$dir/db.sock" --pidfile -vconsole:off "$dir/conf.db" </dev/null >"$dir/ovsdb.out" 2>&1 &
pids+=($!)
for _ in $(seq 100); do [ -S "$dir/db.sock" ] && break; sleep 0.05; done
ovs-vsctl --no-wait init
ovs-vswitchd --enable-dummy=override --disable-system --pidfile -vconsole:off \
    --unixctl="$dir/vswitchd.ctl" "unix:$dir/db.sock" </dev/null >"$dir/vswitchd.out" 2>&1 &
pids+=($!)
for _ in $(seq 100); do [ -S "$dir/vswitchd.ctl" ] && break; sleep 0.05; done

"$build/tests/ovs_differential" "$dir"
