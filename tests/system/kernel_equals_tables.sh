#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does the kernel's flow cache ever decide differently from the tables, cold, warm or while they change?
# WEIR_FRAMES: how many frames; WEIR_SEED: where to begin, to repeat what a failure reports.
set -eu

[ "$(id -u)" = 0 ] || { echo "SKIP: needs root"; exit 77; }
build=${WEIR_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build/release}
space=weir-kernel-equals-$$
trap 'ip netns del $space' EXIT
ip netns add "$space"
ip netns exec "$space" "$build/tests/kernel_equals_tables" "${WEIR_FRAMES:-25000}" "${WEIR_SEED:-1}"
