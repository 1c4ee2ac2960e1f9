#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every command of ovs-vsctl(8), given to Weir and to Open vSwitch: the same words, the same outcome.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
for n in $(seq 9); do
  ip -n "$space" link add "p$n" type veth peer name "q$n"
  ip -n "$space-ovs" link add "p$n" type veth peer name "q$n"
done
step "the same words to both"
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 python3 "$here/clients_ovs_vsctl.py" \
  "$here/clients_ovs_vsctl.commands" "$space=$work" "$space-ovs=$ovs_rundir" ||
  fail "ovs-vsctl sees a difference between Weir (-) and Open vSwitch (+)"
