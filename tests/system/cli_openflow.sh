#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same words to weir and to ovs-ofctl: the same flows, groups, meters and ports, and the same printed.
#
#     p1v13 ---- br0v13 ---- p2v13        what weir is told, once for each version
#     p1w13 ---- br0w13 ---- p2w13        what ovs-ofctl is told
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/openflow_bridges.sh"
versions=${WEIR_OF_VERSIONS:-10 13 15}

start_switch
add_bridges "$space" "$work"
add_bridges "$space" "$work" w
write_files "$work/files"

step "the same words to both"
# shellcheck disable=SC2086
PYTHONDONTWRITEBYTECODE=1 python3 "$here/cli_openflow.py" "$here/openflow_commands.commands" \
  "$WEIR_BUILD/cli/weir" "$work" $versions || fail "weir (-) and ovs-ofctl (+) say something else"
