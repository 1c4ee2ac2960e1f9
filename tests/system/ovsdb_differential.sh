#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does ovsdb-lite answer random transactions as Open vSwitch's server does?  Both get Debian's schema and
# a folder of their own; needs no privileges.  WEIR_TRANSACTIONS: how many, WEIR_SEED: which.
set -eu

for tool in ovsdb-tool ovsdb-server python3; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
here=$(cd "$(dirname "$0")" && pwd)
build=${WEIR_BUILD:-$here/../../build/release}
schema=/usr/share/openvswitch/vswitch.ovsschema
[ -r "$schema" ] || { echo "skipped: no $schema"; exit 77; }

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
ovsdb-tool create "$dir/theirs.db" "$schema"
ovsdb-server --remote="punix:$dir/theirs.sock" --pidfile="$dir/theirs.pid" --unixctl="$dir/theirs.ctl" \
    -vconsole:off "$dir/theirs.db" </dev/null >"$dir/theirs.out" 2>&1 &
pids+=($!)
"$build/ovsdb-lite/ovsdb-lite" --remote="punix:$dir/ours.sock" --unixctl=none --schema="$schema" "$dir/ours.db" \
    </dev/null >"$dir/ours.out" 2>&1 &
pids+=($!)
for _ in $(seq 1200); do
    [ -S "$dir/theirs.sock" ] && [ -S "$dir/ours.sock" ] && break
    sleep 0.05
done
python3 "$here/ovsdb_differential.py" "$schema" "$dir/ours.sock" "$dir/theirs.sock" "${WEIR_SEED:-1}" ||
    { tail -n 5 "$dir"/*.out; exit 1; }
