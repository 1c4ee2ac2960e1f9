#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ovsdbapp, which Neutron's agents use: its own functional tests, and what the
# Open vSwitch agent of Neutron does with it.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3 # The one that the distribution's libraries are for.
$python -c 'import ovsdbapp' 2>/dev/null || skip "needs python3-ovsdbapp"

start_switch
ovsdbapp() { on_switch env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$here" $python "$here/clients_ovsdbapp.py" "$@"; }
step "its own tests"
# As Neutron's agent does when nothing listens at its default address.
vsctl --id=@manager create Manager 'target="ptcp:6640:127.0.0.1"' -- add Open_vSwitch . manager_options @manager >/dev/null
ovsdbapp own-tests tcp:127.0.0.1:6640 >"$work/ovsdbapp.log" 2>&1 || fail "ovsdbapp's own tests"
grep '^Ran ' "$work/ovsdbapp.log"

step "what Neutron's agent does"
for n in 1 2; do ip -n "$space" link add "tap$n" type veth peer name "vm$n"; done
ip netns exec "$space" ovsdb-client monitor tcp:127.0.0.1:6640 Interface name,ofport,external_ids --format=json \
  >"$work/monitor" 2>&1 &
ovsdbapp agent tcp:127.0.0.1:6640 "$work/monitor" || fail "the agent is not content"
