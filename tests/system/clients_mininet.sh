#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mininet's own classes, unmodified, build networks from Weir's bridges: h1, h2 -- s1 -- s2 -- h3, h4.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3 # The one that the distribution's libraries are for.
$python -c 'import mininet.net' 2>/dev/null || skip "needs mininet"
command -v ovs-testcontroller >/dev/null || skip "needs openvswitch-testcontroller"

start_switch
on_switch env PYTHONDONTWRITEBYTECODE=1 $python -W ignore "$here/clients_mininet.py" || fail "Mininet is not content"
