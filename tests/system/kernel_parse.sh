#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The parser says the same in the kernel, by TC and by XDP, as in userspace.  WEIR_FRAMES: how many random frames
# (default 50,000), from WEIR_SEED on.
. "$(dirname "$0")/lib.sh"

"$WEIR_BUILD/tests/kernel_parse" "$(dirname "$0")/../fuzz/lib/corpus_flow_fuzz" \
  "${WEIR_FRAMES:-50000}" "${WEIR_SEED:-1}"
