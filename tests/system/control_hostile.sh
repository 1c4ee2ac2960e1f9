#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Clients that are up to no good, at the control sockets of both daemons: malformed, nested, huge and half requests, a
# thousand connections, clients that do not read, and random words for every command.  Others are answered all the while.
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
ulimit -n 4096
ASAN_OPTIONS+=:quarantine_size_mb=8 # What it keeps is not the daemon's.
start_switch
vsctl add-br br0 -- set bridge br0 fail_mode=secure -- add-port br0 p1 -- set interface p1 type=internal \
  -- add-port br0 p2 -- set interface p2 type=internal
ofctl add-flow br0 in_port=p1,actions=p2

for daemon in ovsdb-server ovs-vswitchd; do
  step "$daemon"
  pid=$(pid_of $daemon)
  on_switch /usr/bin/python3 "$here/control_hostile.py" "$work/$daemon.$pid.ctl" "$pid" \
    "${WEIR_ROUNDS:-500}" "${WEIR_SEED:-1}" || fail "$daemon"
  is_alive "$pid" || fail "$daemon has died"
done
[ "$(vsctl get interface p1 ofport)" -gt 0 ] || fail "the switch is not what it was"
