#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Commands of ovs-appctl, right and wrong, given to Weir and to Open vSwitch: both do them, or both refuse, in the same
# form.  What differs is in control_commands.commands, with the reason.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ovs_lib.sh"

set_up() { # RUNNER...
  "$@" ovs-vsctl -t 10 add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=secure \
    -- add-port br0 p1 -- set interface p1 type=internal ofport_request=1 \
    -- add-port br0 p2 -- set interface p2 type=internal ofport_request=2
  "$@" ovs-ofctl -t 10 add-flow br0 priority=7,in_port=1,actions=output:2
}
here=$(dirname "$0")
start_switch
start_ovs_database
in_ovs ovs-vsctl --no-wait init
in_ovs ovs-vswitchd --detach --no-chdir --pidfile --log-file -vconsole:off -vsyslog:off \
  "unix:$ovs_rundir/db.sock"
set_up on_switch
set_up in_ovs

step "commands"
outcome=0
/usr/bin/python3 "$here/control_commands.py" "$here/control_commands.commands" \
  "$work/ovs-vswitchd.$(pid_of ovs-vswitchd).ctl" "$ovs_rundir"/ovs-vswitchd.*.ctl ||
  outcome=$?
[ $outcome != 77 ] || skip "Open vSwitch died"
[ $outcome = 0 ] || fail "other answers"

step "ends"
[ "$(appctl ofproto/trace br0 nosuch >/dev/null 2>&1; echo $?)" = 2 ] || fail "a refusal is not status 2"
! appctl exit --nosuch >/dev/null 2>&1 || fail "exit took an option that it does not know"
appctl exit --cleanup || fail "exit"
