#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Open vSwitch's Python library (ovs.db.idl), with all that it does.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3 # The one that the distribution's libraries are for.
$python -c 'import ovs.db.idl' 2>/dev/null || skip "needs python3-openvswitch"

start_database
# For the test to do in the middle.
cat >"$work/restart" <<SCRIPT
kill \$(cat "$work/ovsdb-server.pid")
while kill -0 \$(cat "$work/ovsdb-server.pid" 2>/dev/null) 2>/dev/null; do sleep 0.02; done
exec ip netns exec $space $(realpath "$WEIR_BUILD")/ovsdb-lite/ovsdb-lite "$work/conf.db" --remote=punix:$work/db.sock \
  --pidfile --detach --no-chdir --log-file="$work/ovsdb-lite.log" -vconsole:off
SCRIPT
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 $python "$here/clients_python_idl.py" "$work/db.sock" "$work/restart"
