#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does Weir answer wrong messages with the errors of Open vSwitch?  Messages of every type and subtype, empty, cut,
# too long and with bytes changed, go to both by openflow_errors.py.  WEIR_SEED: which; WEIR_ERRORS=N: one in N (1:
# all, which takes minutes); WEIR_OF_VERSIONS="10 11 ...": in OpenFlow 1.0, 1.1 ...
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reference.sh"

status=0
for version in ${WEIR_OF_VERSIONS:-10 11 12 13 14 15}; do
  step "OpenFlow 1.${version#1}"
  python3 "$(dirname "$0")/openflow_errors.py" "$work/br0.mgmt" "$reference/br0.mgmt" $((version - 9)) \
    "${WEIR_SEED:-1}" "${WEIR_ERRORS:-40}" || status=1
done
[ $status = 0 ] || fail "wrong messages are answered differently"
