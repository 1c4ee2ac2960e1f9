#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nobody, neither who asked nor who monitors, hears of a row before fdatasync() returned for its record.
# WEIR_TRANSACTIONS=N: how many.
set -euo pipefail
for tool in strace python3; do
  command -v $tool >/dev/null || { echo "SKIP: needs $tool" && exit 77; }
done
here=$(cd "$(dirname "$0")" && pwd)
lite=${WEIR_BUILD:-$here/../../build/release}/ovsdb-lite/ovsdb-lite
work=$(mktemp -d)
tracer=
export ASAN_OPTIONS=detect_leaks=0 # Which cannot be done under a tracer.
# The server ends when its tracer does.
trap '[ -z "$tracer" ] || kill $tracer 2>/dev/null || true; wait; rm -rf "$work"' EXIT

n=${WEIR_TRANSACTIONS:-800}
echo '{"name": "D", "version": "1.0.0", "tables": {"T": {"isRoot": true, "columns": {"n": {"type": "integer"}}}}}' \
  >"$work/schema"
strace -y -s 1000000 -o "$work/trace" -e trace=writev,sendto,fdatasync -e signal=none \
  "$lite" "$work/db" "--schema=$work/schema" "--rundir=$work" -vconsole:err &
tracer=$!
for _ in $(seq 1200); do
  [ ! -S "$work/db.sock" ] || break
  kill -0 $tracer 2>/dev/null || { echo "SKIP: nothing can be traced here" && tracer= && exit 77; }
  sleep 0.02
done
python3 "$here/database_syncs.py" commit "$work/db.sock" "$n"
kill "$(cat "$work/ovsdb-server.pid")"
wait $tracer
tracer=
python3 "$here/database_syncs.py" check "$work/trace" "$n"
echo "PASS: database_syncs"
