#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# RFC 7047 and ovsdb-server(7) as a table of requests and answers; Open vSwitch's server is asked the same, where it
# is installed.  Needs no privileges.
set -eu

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
build=${WEIR_BUILD:-$here/../../build/release}

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
python3 "$here/ovsdb_protocol.py" schema >"$dir/schema"
"$build/ovsdb-lite/ovsdb-lite" create "$dir/ours.db" "$dir/schema" 2>"$dir/ours.out"
"$build/ovsdb-lite/ovsdb-lite" --remote="punix:$dir/ours.sock" --unixctl=none "$dir/ours.db" </dev/null >"$dir/ours.out" 2>&1 &
pids+=($!)
sockets=("$dir/ours.sock")
if command -v ovsdb-server >/dev/null && command -v ovsdb-tool >/dev/null; then
    ovsdb-tool create "$dir/theirs.db" "$dir/schema"
    ovsdb-server --remote="punix:$dir/theirs.sock" --unixctl="$dir/theirs.ctl" -vconsole:off "$dir/theirs.db" </dev/null >"$dir/theirs.out" 2>&1 &
    pids+=($!)
    sockets+=("$dir/theirs.sock")
fi
for socket in "${sockets[@]}"; do
    for _ in $(seq 1200); do
        [ -S "$socket" ] && break
        sleep 0.05
    done
done
python3 "$here/ovsdb_protocol.py" "${sockets[@]}" || { tail -n 5 "$dir"/*.out; exit 1; }
