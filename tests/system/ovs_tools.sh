#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unmodified ovs-vsctl, ovs-ofctl, ovs-appctl and ovsdb-client do their jobs against the daemons.
#
#     h1 10.5.0.1 -- br0 -- h2 10.5.0.2
. "$(dirname "$0")/lib.sh"
for tool in ovs-ofctl ovs-appctl ovsdb-client; do
  command -v $tool >/dev/null || skip "needs $tool"
done

start_switch
step "ovs-vsctl: bridges, ports, columns"
vsctl init
vsctl add-br br0
vsctl --may-exist add-br br0
vsctl add-br br0 2>/dev/null && fail "add-br twice is no error"
make_host h1 10.5.0.1 br0
make_host h2 10.5.0.2 br0
expect br0 "$(vsctl list-br)" list-br
expect "h1 h2" "$(vsctl list-ports br0 | tr '\n' ' ' | sed 's/ $//')" list-ports
expect br0 "$(vsctl iface-to-br h1)" iface-to-br
expect 3.1.0 "$(vsctl get Open_vSwitch . ovs_version | tr -d '"')" ovs_version
expect "$(vsctl get Open_vSwitch . next_cfg)" "$(vsctl get Open_vSwitch . cur_cfg)" cur_cfg
vsctl set Bridge br0 fail_mode=secure other_config:datapath-id=00000000000000ab
expect 00000000000000ab "$(vsctl get Bridge br0 datapath_id | tr -d '"')" datapath_id
vsctl set-fail-mode br0 standalone
vsctl show | found 'Bridge br0' || fail "show"
vsctl set Interface h1 external_ids:iface-id=x -- get Interface h1 external_ids:iface-id >/dev/null
expect h1 "$(vsctl --bare --columns=name find Interface external_ids:iface-id=x)" find
vsctl --id=@m create Mirror name=m -- set Bridge br0 mirrors=@m -- clear Bridge br0 mirrors >/dev/null
start=$(date +%s%N)
vsctl set Interface h1 external_ids:n=1
[ $((($(date +%s%N) - start) / 1000000)) -lt 1000 ] || fail "a change waits too long for cur_cfg"
vsctl --if-exists del-port br0 nosuch
(vsctl add-port br0 nosuch 2>&1 || true) | found "Error detected while setting up 'nosuch'" ||
  fail "ovs-vsctl does not report a port that cannot be had"
vsctl del-port br0 nosuch

step "ovs-ofctl: flows"
ofctl show br0 | found '(h1): addr:' || fail "show"
ofctl show br0 | found 'LOCAL(br0)' || fail "show: LOCAL"
ofctl dump-flows br0 | found 'actions=NORMAL' || fail "the default flow"
can_reach h1 10.5.0.2 || fail "h1 does not reach h2"
ofctl add-flow br0 'priority=10,icmp,nw_src=10.5.0.1,actions=drop'
cannot_reach h1 10.5.0.2 || fail "a flow that drops does not"
ofctl dump-flows br0 'icmp' | found -E 'n_packets=[1-9]' || fail "the flow counts nothing"
ofctl mod-flows br0 'icmp,nw_src=10.5.0.1,actions=NORMAL'
can_reach h1 10.5.0.2 || fail "mod-flows has no effect"
ofctl --strict del-flows br0 'priority=10,icmp,nw_src=10.5.0.1'
expect 1 "$(ofctl dump-flows br0 | grep -c actions=)" "flows after del-flows --strict"
for n in $(seq 1000); do echo "table=1,priority=$n,ip,nw_dst=10.9.$((n / 256)).$((n % 256)),actions=output:1"; done |
  ofctl add-flows br0 -
expect 1000 "$(ofctl dump-flows br0 table=1 | grep -c actions=)" "flows after add-flows"
ofctl -O OpenFlow13 dump-flows br0 table=1 | found 'table=1' || fail "dump-flows in OpenFlow 1.3"
ofctl dump-aggregate br0 table=1 | found 'flow_count=1000' || fail "dump-aggregate"
ofctl del-flows br0 table=1
ofctl dump-ports br0 | found 'rx pkts=' || fail "dump-ports"
ofctl dump-ports-desc br0 | found '(h2)' || fail "dump-ports-desc"
ofctl dump-tables br0 | found 'active=' || fail "dump-tables"
ofctl dump-desc br0 | found 'Manufacturer' || fail "dump-desc"
ofctl mod-port br0 h2 down
wait_until interface_has h2 admin_state down || fail "mod-port down"
ofctl mod-port br0 h2 up
wait_until can_reach h1 10.5.0.2 || fail "mod-port up"
ofctl probe br0 || fail "probe"
ofctl add-flow br0 'nonsense' 2>/dev/null && fail "nonsense is no error"

step "ovs-ofctl: a frame of our own"
sent_by() { ofctl dump-ports br0 "$1" | sed -n 's/.*tx pkts=\([0-9]*\).*/\1/p'; }
before=$(sent_by h1)
ofctl packet-out br0 "in_port=LOCAL,packet=ffffffffffff0200000000990806000108000604000102000000009900000000000000000000$(printf '0a050001'),actions=output:h1" ||
  fail "packet-out"
[ "$(sent_by h1)" -gt "$before" ] || fail "packet-out sends nothing"

step "ovs-appctl"
appctl version | found . || fail "version"
appctl list-commands | found fdb/show || fail "list-commands"
can_reach h1 10.5.0.2
appctl fdb/show br0 | found -E '^ +[0-9]+ +0 ' || fail "fdb/show"
appctl fdb/stats-show br0 | found 'Total number of learned MAC entries' || fail "fdb/stats-show"
appctl fdb/add br0 h1 7 02:00:00:00:00:77
appctl fdb/show br0 | found '02:00:00:00:00:77  static' || fail "fdb/add"
appctl fdb/del br0 7 02:00:00:00:00:77
appctl dpctl/show | found 'lookups: hit:' || fail "dpctl/show"
appctl dpctl/show -s | found 'RX packets:' || fail "dpctl/show -s"
appctl dpif/show | found 'h1 ' || fail "dpif/show"
can_reach h1 10.5.0.2
appctl dpctl/dump-flows | found 'actions:' || fail "dpctl/dump-flows"
appctl dpif/dump-flows -m br0 | found 'in_port(h1)' || fail "dpif/dump-flows -m"
appctl bridge/dump-flows br0 | found 'actions=NORMAL' || fail "bridge/dump-flows"
appctl ofproto/list | found -x br0 || fail "ofproto/list"
appctl ofproto/trace br0 in_port=h1,icmp,nw_src=10.5.0.1 | found "Datapath actions:" || fail "ofproto/trace"
appctl coverage/show | found 'total:' || fail "coverage/show"
counter=$(appctl coverage/show | sed -n 's/^\([a-z_]*\) .*total: .*/\1/p' | head -n 1)
appctl coverage/read-counter "$counter" | found -xE '[1-9][0-9]*' || fail "coverage/read-counter $counter"
(appctl coverage/read-counter nosuch 2>&1 || true) | found 'No such counter' || fail "a counter that is not there"
appctl memory/show | found 'ports:' || fail "memory/show"
appctl vlog/set dbg && appctl vlog/set info && appctl vlog/list | found INFO || fail "vlog"
(appctl nosuch/command 2>&1 || true) | found 'is not a valid command' || fail "an unknown command"
appctl -t ovsdb-server version | found . || fail "version of the database"

step "ovsdb-client"
client() { ovsdb-client -t 10 "$@"; }
client list-dbs | found -x Open_vSwitch || fail "list-dbs"
client get-schema Open_vSwitch | found '"tables"' || fail "get-schema"
client dump Open_vSwitch Bridge name | found br0 || fail "dump"
client transact '["Open_vSwitch", {"op": "select", "table": "Port", "where": [], "columns": ["name"]}]' |
  found '"h1"' || fail "transact"
(client transact '["Open_vSwitch", {"op": "nonsense"}]' 2>&1 || true) | found error || fail "a bad transaction is no error"
ovsdb-client monitor Open_vSwitch Interface name,ofport >"$work/monitor" 2>&1 &
monitor=$!
wait_until grep -q h1 "$work/monitor" || fail "monitor: first contents"
vsctl add-port br0 int0 -- set Interface int0 type=internal
wait_until grep -q int0 "$work/monitor" || fail "monitor: a change"
kill $monitor

step "absurd names are refused or told, and change nothing else"
for name in '../x' 'a/b' '.' '..' 'sixteen-letters-' 'bl ank' '%s%n'; do
  vsctl --no-wait add-br "$name" 2>/dev/null || true
done
sleep 0.3
can_reach h1 10.5.0.2 || fail "absurd bridge names stop others"
[ -z "$(find "$work" -name 'x*' -o -name '*b.mgmt')" ] || fail "a file was made from a name"
vsctl --no-wait --if-exists del-br '../x' -- --if-exists del-br 'a/b'
vsctl del-br br0
[ ! -e "$work/br0.mgmt" ] || fail "the socket of a deleted bridge is left"
