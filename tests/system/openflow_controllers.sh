#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Other people's controllers make a switch that learns out of a bridge that does nothing by itself.
#
#     h1 ---- br0 ---- h2,   controller on 127.0.0.1:6653
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3 # The one that the distribution's libraries are for.

start_switch
vsctl add-br br0 -- set Bridge br0 fail_mode=secure other-config:datapath-id=00000000000000c1
make_host h1 10.7.0.1 br0 -- set Interface h1 ofport_request=1
make_host h2 10.7.0.2 br0 -- set Interface h2 ofport_request=2
cannot_reach h1 10.7.0.2 || fail "a bridge without flows forwards"

controller= # Its process.
stop_controller() {
  [ -z "$controller" ] || kill "$controller" 2>/dev/null || true
  [ -z "$controller" ] || wait "$controller" 2>/dev/null || true
  controller=
}
trap 'status=$?; stop_controller; (exit $status); cleanup' EXIT
is_connected() { [ "$(vsctl get Controller br0 is_connected)" = true ]; }
use_controller() { # OPENFLOW...
  ofctl -O OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15 del-flows br0
  vsctl set Bridge br0 "protocols=$(printf ',OpenFlow%s' "$@" | cut -c2-)" -- set-controller br0 tcp:127.0.0.1:6653 \
    -- set Controller br0 max_backoff=1000
  wait_until is_connected || fail "no connection to the controller: $(tail -n 3 "$work"/*.out)"
}
leave_controller() {
  stop_controller
  vsctl del-controller br0
  vsctl clear Bridge br0 protocols
}

check_os_ken() { # OPENFLOW
  local told=$work/told.$1 line
  : >"$told"
  OPENFLOW=$1 TOLD=$told PYTHONDONTWRITEBYTECODE=1 ip netns exec "$space" $python -W ignore -m os_ken.cmd.manager \
    --nouse-stderr "$here/openflow_controllers.py" </dev/null >"$work/os-ken.$1.out" 2>&1 &
  controller=$!
  use_controller "$1"
  can_reach h1 10.7.0.2 || fail "os-ken's switch does not forward"
  for line in "connected 00000000000000c1" "description" "learned 2 flows"; do
    wait_until grep -qx "$line" "$told" || fail "os-ken does not hear: $line, but $(sort -u "$told")"
  done
  grep -q "^ports 1 2" "$told" || fail "statistics of ports"
  if [ "$1" != 10 ]; then
    grep -qx "tables 254" "$told" || fail "statistics of tables"
    grep -qx "names br0 h1 h2" "$told" || fail "descriptions of ports"
    # The group was changed from indirect (2) to all (0).
    for line in "meters 3:100000" "groups 7:0" "meter 3 has 1 flows, 1 bands" \
      "group 7 has 1 flows, 1 buckets" "both have counted" "meters" "group 7 has 0 flows, 1 buckets" "groups" \
      "group features 15"; do
      wait_until grep -qx "$line" "$told" || fail "os-ken does not hear: $line, but $(sort -u "$told")"
    done
    [ "$1" = 15 ] || wait_until grep -q "^meter features [1-9]" "$told" || fail "features of meters"
    ! ofctl -O "OpenFlow$1" dump-groups br0 | found group_id= || fail "the group is still there"
  fi
  ! grep error "$told" || fail "os-ken got an error"
  leave_controller
}

if $python -c 'import os_ken.cmd.manager' 2>/dev/null; then
  for version in 10 13 14 15; do
    step "os-ken: a learning switch with statistics, OpenFlow 1.${version#1}"
    check_os_ken $version
  done
else
  step "no os-ken here"
fi

if command -v ovs-testcontroller >/dev/null; then
  for version in 10 11 12 13 14 15; do
    step "ovs-testcontroller, OpenFlow 1.${version#1}"
    ip netns exec "$space" ovs-testcontroller -O OpenFlow$version --unixctl="$work/controller.ctl" ptcp:6653 -vconsole:off \
      </dev/null >/dev/null 2>&1 &
    controller=$!
    use_controller $version
    can_reach h1 10.7.0.2 || fail "ovs-testcontroller's switch does not forward"
    ofctl -O OpenFlow$version dump-flows br0 | found 'idle_timeout=60' || fail "no flow was learned"
    leave_controller
  done
fi

step "a bridge left alone by its controller learns by itself, if it may"
ofctl del-flows br0
vsctl set-controller br0 tcp:127.0.0.1:6653 -- set Controller br0 max_backoff=1000 -- set-fail-mode br0 secure
cannot_reach h1 10.7.0.2 || fail "fail_mode=secure forwards"
vsctl del-controller br0 -- set-fail-mode br0 standalone
wait_until can_reach h1 10.7.0.2 || fail "fail_mode=standalone does not forward"
