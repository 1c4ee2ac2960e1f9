#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Verdicts do the same in the kernel, by XDP and by TC, as in userspace.  WEIR_FRAMES: how many random frames
# (default 50,000), from WEIR_SEED on.
. "$(dirname "$0")/lib.sh"

"$WEIR_BUILD/tests/kernel_actions" "${WEIR_FRAMES:-50000}" "${WEIR_SEED:-1}"
