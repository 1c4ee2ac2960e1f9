#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tables with limits (Flow_Table): which flows are refused, which leave, and what controllers are told, with Weir and with
# Open vSwitch.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ovs_lib.sh"

start_switch
start_ovs
both() { # COMMAND...: for one switch, then for the other.
  OVS_RUNDIR=$work "$@"
  OVS_RUNDIR=$ovs_rundir "$@"
}
add_bridge() {
  vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail_mode=secure
}
both add_bridge
of() { ovs-ofctl -t 10 -O OpenFlow14 "$@" 2>&1 | sed -E 's/xid=0x[0-9a-f]+//; s/duration[=0-9.]*s,?//; s/unix:.*mgmt/unix/'; }
same() { # COMMAND...: says the same of both.
  local ours theirs
  ours=$(OVS_RUNDIR=$work "$@" || true)
  theirs=$(OVS_RUNDIR=$ovs_rundir "$@" || true)
  [ "$ours" = "$theirs" ] || fail "$*:$(printf '\n-- Weir\n%s\n-- Open vSwitch\n%s' "$ours" "$theirs")"
}
flows() { of --no-stats dump-flows br0 | sort; }
table_desc() { of dump-table-desc br0 | head -n 8; }
table_name() { of dump-table-features br0 | grep '^  table 0'; }

watch_removals() { # Starts a monitor for each version; they say which flows are gone, and why, and which tables are full.
  local version control
  for version in 10 13 14 15; do
    control=$OVS_RUNDIR/monitor.$version.ctl
    ovs-ofctl -O "OpenFlow$version" "--unixctl=$control" monitor br0 65534 </dev/null >"$OVS_RUNDIR/monitor.$version" 2>&1 &
    wait_until ovs-appctl -t "$control" ofctl/barrier || fail "no monitor"
  done
  # SET_ASYNC: table_status, too.
  for version in 14 15; do
    ovs-appctl -t "$OVS_RUNDIR/monitor.$version.ctl" ofctl/send "0$((version - 9))1c0010000000420009000800000018" |
      found . || true
    ovs-appctl -t "$OVS_RUNDIR/monitor.$version.ctl" ofctl/barrier >/dev/null
  done
}
heard() { # VERSION
  ovs-appctl -t "$OVS_RUNDIR/monitor.$1.ctl" ofctl/barrier >/dev/null
  grep -E '^(OFPT|NXT)_FLOW_REMOVED' "$OVS_RUNDIR/monitor.$1" | sed -E 's/xid=0x[0-9a-f]+//; s/duration[0-9.]+s?//' | sort
  grep -A4 TABLE_STATUS "$OVS_RUNDIR/monitor.$1" | grep -E 'TABLE_STATUS|^ +(table|eviction|vacancy)'
}

step "a table refuses what is too much"
limit_table() { # COLUMN=VALUE...
  vsctl -- clear Bridge br0 flow_tables -- --id=@t create Flow_Table "$@" -- set Bridge br0 flow_tables:0=@t >/dev/null
}
both limit_table name=main flow_limit=3 overflow_policy=refuse
same table_name
both watch_removals
for i in 1 2 3 4; do
  same of add-flow br0 "priority=$i,hard_timeout=${i}00,send_flow_rem,actions=drop"
done
same of add-flow br0 "priority=2,hard_timeout=200,send_flow_rem,actions=output:1" # The same flow.
same flows
same table_desc

step "a table that evicts lets the one go whose time ends first"
both limit_table name=main flow_limit=3 overflow_policy=evict
for i in 4 5 6; do
  same of add-flow br0 "priority=$i,hard_timeout=${i}00,send_flow_rem,actions=drop"
done
same flows
step "but never one that has no timeout"
for i in 10 11 12 13; do
  same of add-flow br0 "priority=$i,actions=drop"
done
same flows
same of del-flows br0
step "importance comes before time"
for i in 9 7 8 6 5; do
  same of add-flow br0 "importance=$i,priority=$i,hard_timeout=${i}000,send_flow_rem,actions=drop"
done
same flows
step "of groups the largest gives one"
same of del-flows br0
both limit_table flow_limit=4 overflow_policy=evict 'groups="NXM_OF_IN_PORT[]"'
for flow in in_port=1,hard_timeout=100 in_port=2,hard_timeout=300 in_port=2,hard_timeout=200,tcp \
  in_port=2,hard_timeout=400,udp in_port=3,hard_timeout=500; do
  same of add-flow br0 "$flow,send_flow_rem,actions=drop"
done
same flows
step "a lower limit lets some go at once"
both limit_table flow_limit=2 overflow_policy=evict
same flows
same of del-flows br0

step "table_mods: eviction and vacancy"
both limit_table flow_limit=10
same of mod-table br0 0 evict
same of mod-table br0 0 vacancy:30,60
same table_desc
for i in 1 2 3 4 5 6 7 8 9 10 11; do
  same of add-flow br0 "priority=$i,hard_timeout=${i}00,send_flow_rem,actions=drop"
done
same table_desc
same of del-flows br0
same of mod-table br0 0 noevict
same of mod-table br0 0 novacancy
same table_desc

step "and all of it is told in the same words"
for version in 10 13 14 15; do
  same heard $version
done
heard 14 | found TABLE_STATUS || fail "no vacancy is told"
heard 14 | found reason=eviction || fail "no eviction is told"

step "without a row there is no limit, and no name"
both vsctl clear Bridge br0 flow_tables
same table_name

step "a controller gets no more packet-ins than it may"
command -v ovs-testcontroller >/dev/null || exit 0
FRAME=020000000001020000000002080045000028000000004011f96c0a0000010a00000200350035001400000000000000000000
limit_controller() {
  ip netns exec "$1" ovs-testcontroller --mute "punix:$OVS_RUNDIR/mute.sock" </dev/null >/dev/null 2>&1 &
  wait_until [ -S "$OVS_RUNDIR/mute.sock" ] || fail "no controller"
  vsctl set-controller br0 "unix:$OVS_RUNDIR/mute.sock" -- set Controller br0 controller_rate_limit=100 \
    max_backoff=1000 inactivity_probe=60000
  wait_until is_connected || fail "the controller is not connected"
  of add-flow br0 "in_port=5,actions=controller$(printf ',controller%.0s' {1..44})"
  of packet-out br0 "in_port=5,packet=$FRAME,actions=table"
  wait_until limits_are_told || fail "$(vsctl get Controller br0 status)"
  vsctl del-controller br0
}
is_connected() { [ "$(vsctl get Controller br0 is_connected)" = true ]; }
# 25 at once, and the others within 0.2 s; tokens may have come meanwhile.
limits_are_told() {
  vsctl get Controller br0 status | tr -d '{}" ' | tr , '\n' | awk -F= '
    $1 == "state" && $2 == "ACTIVE" { n++ }
    $1 ~ /^packet-in-(miss|action)-(bypassed|queued|dropped|backlog)$/ { n++ }
    { value[$1] = $2 }
    END { all = value["packet-in-action-bypassed"] + value["packet-in-action-queued"]
      exit !(n == 9 && all == 45 && value["packet-in-action-bypassed"] >= 25 && value["packet-in-action-dropped"] == 0 &&
        value["packet-in-action-backlog"] == 0) }'
}
OVS_RUNDIR=$work limit_controller "$space"
OVS_RUNDIR=$ovs_rundir limit_controller "$space-ovs"
