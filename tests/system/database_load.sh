#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What do clients that stop reading, connect by the thousand, wait or steal locks cost the others?  Needs no
# privileges.  WEIR_LOAD=N: N times as much; 20 is what RELIABILITY asks for.
set -eu

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
build=${WEIR_BUILD:-$here/../../build/release}

! ldd "$build/ovsdb-lite/ovsdb-lite" | grep -q libasan || { echo "skipped: AddressSanitizer keeps what is freed"; exit 77; }

dir=$(mktemp -d)
pid=
stop() {
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
    rm -rf "$dir"
}
trap stop EXIT
export OVS_RUNDIR=$dir
(ulimit -n 1024; exec "$build/ovsdb-lite/ovsdb-lite" --unixctl=none "$dir/db" </dev/null >"$dir/log" 2>&1) &
pid=$!
for _ in $(seq 1200); do
    [ -S "$dir/db.sock" ] && break
    sleep 0.05
done
python3 "$here/database_load.py" "$dir/db.sock" "$pid" "${WEIR_LOAD:-1}" || { tail -n 5 "$dir/log"; exit 1; }
