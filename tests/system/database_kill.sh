#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Is everything acknowledged there, and nothing by halves, after kill -9 at any moment: during commits, during
# compaction, during conversion to another schema?  Needs no privileges.  WEIR_KILLS: how often, WEIR_SEED: when.
set -eu

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
build=${WEIR_BUILD:-$here/../../build/release}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 "$here/database_kill.py" "$build/ovsdb-lite/ovsdb-lite" "$dir" "${WEIR_KILLS:-100}" "${WEIR_SEED:-1}" ||
    { tail -n 5 "$dir"/log; exit 1; }
