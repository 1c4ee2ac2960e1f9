#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same traces asked of Weir and of Open vSwitch: trees and final flows are equal but for our own lines, and
# the tree that "weir trace --json" prints is the one that people see.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ovs_lib.sh"

flows() {
  cat <<'END'
table=0,priority=10,in_port=1,tcp,actions=resubmit(,1),output:4
table=0,priority=5,in_port=1,ip,actions=drop
table=1,cookie=0x77,tcp,tp_dst=80,actions=dec_ttl,mod_dl_dst:00:00:00:00:00:09,goto_table:2
table=2,actions=load:5->NXM_NX_REG0[],clone(load:7->NXM_NX_REG1[],output:3),output:2,move:NXM_NX_REG0[]->NXM_NX_REG2[],output:5
table=0,in_port=2,actions=group:1
table=0,in_port=3,actions=learn(table=7,hard_timeout=10,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),output:1
table=0,in_port=4,ip,priority=9,actions=resubmit(,5)
table=0,in_port=4,priority=3,actions=write_actions(output:2),goto_table:6
table=5,priority=20,conj_id=9,ip,actions=output:1
table=5,priority=20,ip,nw_src=10.0.0.1,actions=conjunction(9,1/2)
table=5,priority=20,ip,nw_dst=10.0.0.2,actions=conjunction(9,2/2)
table=6,actions=push_vlan:0x8100,set_field:4100->vlan_vid,in_port,output:99
END
}
set_up() { # RUNNER...
  "$@" ovs-vsctl -t 10 add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=secure \
    -- add-br br1 -- set bridge br1 datapath_type=netdev fail_mode=secure \
    -- add-port br0 pa -- set interface pa type=patch options:peer=pb ofport_request=5 \
    -- add-port br1 pb -- set interface pb type=patch options:peer=pa ofport_request=5
  for i in 1 2 3 4; do
    "$@" ovs-vsctl -t 10 add-port br0 "p$i" -- set interface "p$i" type=internal ofport_request="$i"
  done
  "$@" ovs-ofctl -t 10 -O OpenFlow13 add-group br0 \
    group_id=1,type=all,bucket=output:1,bucket=mod_nw_tos:4,output:3
  flows | "$@" ovs-ofctl -t 10 -O OpenFlow13 add-flows br0 -
  "$@" ovs-ofctl -t 10 add-flow br1 actions=normal
}
# Masks, datapath ports and our own lines are each switch's.
common() { grep -v '^ *# \|^Rewritten:\|^Served by:\|^Dropped:\|^Megaflow:\|^Datapath actions:'; }

start_switch
start_ovs
set_up on_switch
set_up in_ovs

step "traces"
for flow in in_port=1,tcp,tp_dst=80,nw_ttl=64 in_port=1,tcp,tp_dst=80 in_port=1,udp in_port=1,arp in_port=2,ip \
  in_port=2 in_port=3,dl_src=00:00:00:00:00:05 in_port=4,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2 in_port=4,ip \
  in_port=p4,arp in_port=LOCAL in_port=77; do
  appctl ofproto/trace br0 "$flow" | common >"$work/ours"
  in_ovs ovs-appctl -T 10 ofproto/trace br0 "$flow" | common >"$work/theirs"
  diff "$work/theirs" "$work/ours" || fail "other trace of $flow"
done
for words in "br0 in_port=1,tcp output:2,resubmit(,5)" "br0 in_port=1,tcp set_field:1->tcp_dst,output:2"; do
  # shellcheck disable=SC2086
  appctl ofproto/trace-packet-out $words | common >"$work/ours"
  # shellcheck disable=SC2086
  in_ovs ovs-appctl -T 10 ofproto/trace-packet-out $words | common >"$work/theirs"
  diff "$work/theirs" "$work/ours" || fail "other trace of packet-out $words"
done

step "wrong words"
for words in "br0" "nosuch in_port=1" "br0 in_port=1 --ct-next foo" "br0 in_port=1 -foo" "br0 in_port=1 zz" \
  "br0 in_port=1 0200" "in_port(77)" "nosuch in_port(1)" "br0 in_port=1 --ct-next"; do
  # shellcheck disable=SC2086
  ! appctl ofproto/trace $words 2>&1 | grep -v 'server returned' >"$work/ours" || true
  # shellcheck disable=SC2086
  ! in_ovs ovs-appctl -T 10 ofproto/trace $words 2>&1 | grep -v 'server returned' >"$work/theirs" || true
  diff "$work/theirs" "$work/ours" || fail "other sentence for $words"
done

step "JSON"
on_switch "$WEIR_BUILD/cli/weir" trace --json br0 in_port=1,tcp,tp_dst=80,nw_ttl=64 >"$work/trace.json"
python3 - "$work/trace.json" <<'END' || fail "the JSON tree is another"
import json, sys
trace = json.load(open(sys.argv[1]))
bridge = trace["steps"][0]
table = bridge["steps"][0]
assert bridge["type"] == "bridge" and trace["bridge"] == "br0", bridge
assert (table["type"], table["table"], table["rule"]["priority"]) == ("table", 0, 10), table
assert table["others"] == 1 and table["next"]["match"] == "ip,in_port=1", table
assert {"field": "nw_ttl", "from": "64", "to": "63"} in trace["rewritten"], trace
assert trace["served_by"]["cache"] in ("kernel", "megaflow"), trace["served_by"]
assert trace["dropped"] is None and trace["failed"] is None, trace
END

step "random flows through random tables, with actions of all kinds"
here=$(dirname "$0")
seed=${WEIR_SEED:-1}
on_switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
in_ovs sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
for i in p1 p2 p3 p4 br0 br1; do # A port that is down is flooded by Open vSwitch alone.
  on_switch ip link set "$i" up
  in_ovs ip link set "$i" up
done
all_live() { # RUNNER...: four ports, the patch port and the bridge.
  [ "$("$@" ovs-ofctl -t 10 -O OpenFlow13 show br0 | grep -c LIVE)" = 6 ]
}
replace_tables() { # RUNNER...
  wait_until all_live "$@" || fail "ports are down"
  "$@" ovs-ofctl -t 10 -O OpenFlow13 del-groups br0
  "$@" ovs-ofctl -t 10 del-flows br0
  /usr/bin/python3 "$here/control_trace.py" groups | "$@" ovs-ofctl -t 10 -O OpenFlow13 add-groups br0 -
  /usr/bin/python3 "$here/control_trace.py" flows 150 "$seed" | "$@" ovs-ofctl -t 10 -O OpenFlow14 add-flows br0 -
  /usr/bin/python3 "$here/control_trace.py" loose 30 "$seed" | "$@" ovs-ofctl -t 10 -O OpenFlow10 add-flows br0 -
  "$@" ovs-ofctl -t 10 add-flow br1 actions=output:in_port,LOCAL
}
replace_tables on_switch
replace_tables in_ovs
outcome=0
/usr/bin/python3 "$here/control_trace.py" compare "${WEIR_ROUNDS:-150}" "$seed" \
  "$work/ovs-vswitchd.$(pid_of ovs-vswitchd).ctl" "$ovs_rundir"/ovs-vswitchd.*.ctl || outcome=$?
[ $outcome != 77 ] || skip "Open vSwitch died"
[ $outcome = 0 ] || fail "other traces, seed $seed"
