#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients of the database that go and come back, and Open vSwitch's Python library.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 # The one that the distribution's libraries are for.
$python -c 'import ovs.db.idl' 2>/dev/null || skip "needs python3-openvswitch"

start_database
$python "$(dirname "$0")/ovsdb_clients.py" "$work/db.sock"
