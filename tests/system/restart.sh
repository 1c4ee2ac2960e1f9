#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Either daemon may be killed at any moment: the configuration survives, ports keep their numbers,
# traffic resumes, and nothing is left over.  WEIR_KILLS says how often (default 8).
#
#     h1 10.4.0.1 -- br0 (int0, patch ports, a removed port's gap in the numbers) -- h2 10.4.0.2
. "$(dirname "$0")/lib.sh"
kills=${WEIR_KILLS:-8}

start_switch
vsctl add-br br0 -- add-br br1
make_host h1 10.4.0.1 br0
make_host gone none br0
make_host h2 10.4.0.2 br0
vsctl del-port br0 gone
vsctl add-port br0 int0 -- set Interface int0 type=internal ofport_request=17
vsctl add-port br0 pa -- set Interface pa type=patch options:peer=pb -- \
  add-port br1 pb -- set Interface pb type=patch options:peer=pa
vsctl set Port h1 tag=5 -- set Port h2 tag=5
ofctl mod-port br0 h2 no-packet-in
ofctl mod-port br0 int0 no-packet-in
vsctl del-port br0 h2 -- add-port br0 h2 -- set Port h2 tag=5 # Still the same port, by another row.
can_reach h1 10.4.0.2 || fail "h1 does not reach h2 before any restart"

# What must be the same after every restart.
no_packet_ins() { ofctl show br0 | grep -B1 NO_PACKET_IN | sed -n 's/.*(\(.*\)).*/\1/p'; }
expect "$(printf 'h2\nint0')" "$(no_packet_ins | sort)" "ports without packet-ins"
picture() {
  vsctl show | sed 's/ovs_version.*//'
  vsctl --columns=name,ofport,mac_in_use list Interface | sort
  vsctl get Bridge br0 datapath_id
  no_packet_ins
  ip -n "$space" -o link | awk -F': ' '{print $2}' | sort
}
before=$(picture)
nap() { sleep "0.$(printf %03d $((RANDOM % 300)))"; }
is_back() { [ "$(picture)" = "$before" ]; }

step "forwarding goes on while the database is away"
crash ovsdb-server
can_reach h1 10.4.0.2 || fail "forwarding stops without the database"
start_database
vsctl set Bridge br0 external_ids:mark=1 || fail "the switch does not come back to the database"
wait_until is_back || fail "not the same after the database returned: $(diff <(echo "$before") <(picture))"

step "a clean stop and start"
appctl exit
wait_until test ! -e "$work/ovs-vswitchd.pid" || fail "exit does not end the daemon"
start_forwarding
wait_until is_back || fail "not the same after a clean restart: $(diff <(echo "$before") <(picture))"
can_reach h1 10.4.0.2 || fail "traffic does not resume after a clean restart"

step "a clean stop ends under traffic too, $kills times"
for i in $(seq "$kills"); do
  on h1 timeout 0.5 ping -q -f 10.4.0.2 >/dev/null 2>&1 &
  appctl exit
  wait_until test ! -e "$work/ovs-vswitchd.pid" || fail "round $i: exit under traffic hangs"
  start_forwarding
done
wait_until is_back || fail "not the same after clean stops: $(diff <(echo "$before") <(picture))"

step "kill -9 of either daemon at random moments, $kills times"
for i in $(seq "$kills"); do
  # A writer that is always in the middle of something.
  (for n in $(seq 20); do
    vsctl --no-wait set Bridge br0 external_ids:count="$n" 2>/dev/null
    sleep 0.01
  done) &
  writer=$!
  nap
  if [ $((i % 2)) = 0 ]; then
    crash ovsdb-server
    nap
    start_database
  else
    crash ovs-vswitchd
    nap
    start_forwarding
  fi
  wait $writer || true
  wait_until is_back || fail "round $i: not the same: $(diff <(echo "$before") <(picture))"
  can_reach h1 10.4.0.2 || fail "round $i: traffic does not resume"
done

step "a change made while the switch was down is applied when it starts"
crash ovs-vswitchd
vsctl --no-wait del-port br0 int0 -- set Port h1 tag=6
start_forwarding
cannot_reach h1 10.4.0.2 || fail "a tag that was set meanwhile is not in force"
ip -n "$space" link show int0 >/dev/null 2>&1 && fail "the device of a port that was deleted meanwhile is left"
vsctl set Port h1 tag=5
can_reach h1 10.4.0.2 || fail "h1 does not reach h2 at the end"
vsctl add-port br0 int0 -- set Interface int0 type=internal ofport_request=17
expect h2 "$(no_packet_ins)" "ports without packet-ins after one was deleted meanwhile"
vsctl del-port br0 int0

step "a device whose port was deleted meanwhile belongs to the host again"
is_stolen() { on_switch tc filter show dev "$1" ingress | found weir; }
crash ovs-vswitchd
vsctl --no-wait del-port br0 h1
start_forwarding
is_stolen h1 && fail "h1 still has our filter"
crash ovs-vswitchd
freed=$(on_switch "$WEIR_BUILD/vswitchd/vswitchd" --cleanup-only 2>&1)
is_stolen h2 && fail "h2 still has our filter after --cleanup-only: $freed; $(ip -n "$space" -br link)"
ip -n "$space" addr add 10.4.0.9/24 dev h2
can_reach h2 10.4.0.9 || fail "the host does not hear the device"
