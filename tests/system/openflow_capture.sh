#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Captured OpenFlow connections, as weir and ovs-ofctl print them.
. "$(dirname "$0")/lib.sh"
command -v ovs-ofctl >/dev/null || skip "needs ovs-ofctl"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/openflow_capture.py" "$WEIR_BUILD/cli/weir" ||
  fail "captures are printed otherwise"
