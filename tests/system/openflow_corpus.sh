#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Are flows that use every field and action, with masks and without, shown as Open vSwitch shows them?  Over a
# thousand of them in each version, from openflow_corpus.py.  WEIR_SEED: which values; WEIR_ROUNDS: how often;
# WEIR_OF_VERSIONS="10 11 ...": in OpenFlow 1.0, 1.1 ... (without it: a sample).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reference.sh"

for round in $(seq "${WEIR_ROUNDS:-1}"); do
  seed=$((${WEIR_SEED:-1} + round - 1))
  for version in ${WEIR_OF_VERSIONS:-10 11 13 15}; do
    step "seed $seed, OpenFlow 1.${version#1}"
    python3 "$(dirname "$0")/openflow_corpus.py" $seed $version >"$work/corpus"
    [ "$(wc -l <"$work/corpus")" -gt 500 ] || fail "a small corpus"
    same -O OpenFlow$version add-flows br0 "$work/corpus"
    same -O OpenFlow$version --sort=priority dump-flows br0
    same -O OpenFlow$version del-flows br0
  done
done
