#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The calls of libvirt, the Open vSwitch CNI plugin, OVN's ovn-controller and exporters of metrics, as these send
# them: by ovs-vsctl, by the JSON-RPC of a Go library that checks every column's type, and by control sockets.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)

start_switch
for n in $(seq 4); do ip -n "$space" link add "tap$n" type veth peer name "vm$n"; done
for n in $(seq 4); do ip -n "$space" link set "tap$n" up && ip -n "$space" link set "vm$n" up; done

step "libvirt: a guest's interface comes and goes"
libvirt() { ovs-vsctl --timeout=5 "$@"; }
vsctl add-br br0
# "trunk" is short for trunks, as libvirt writes it.
libvirt -- --if-exists del-port tap1 -- add-port br0 tap1 tag=7 vlan_mode=native-untagged trunk=7,8 \
  -- set Interface tap1 'external-ids:attached-mac="52:54:00:00:00:01"' \
  -- set Interface tap1 'external-ids:iface-id="11111111-2222-3333-4444-555555555555"' \
  -- set Interface tap1 'external-ids:vm-id="aaaaaaaa-2222-3333-4444-555555555555"' \
  -- set Interface tap1 external-ids:iface-status=active || fail "add-port"
libvirt -- --may-exist add-port br0 tap1 || fail "add-port again"
expect br0 "$(libvirt iface-to-br tap1)" iface-to-br
expect '""' "$(libvirt --if-exists get Interface tap1 external_ids:PortData | sed 's/^$/""/')" "no PortData"
libvirt set Interface tap1 'external_ids:PortData="of a guest that moved"'
expect '"of a guest that moved"' "$(libvirt get Interface tap1 external_ids:PortData)" PortData
libvirt --format=list --data=json --no-headings --columns=statistics list Interface tap1 |
  python3 -c 'import json, sys
statistics = dict(json.loads(sys.stdin.read())[1])
assert {"rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped", "rx_errors", "tx_errors"} <= set(statistics)' ||
  fail "statistics"
libvirt --no-headings --columns=name find Interface options:vhost-server-path=/nosuch | found . && fail "find of nothing"
libvirt -- clear Port tap1 tag -- clear Port tap1 trunks -- clear Port tap1 vlan_mode
libvirt -- set Port tap1 tag=9 || fail "a VLAN that changes"
libvirt set Interface tap1 ingress_policing_rate=1000 ingress_policing_burst=100 || fail "ingress policing"
libvirt -- --id=@qos create QoS type=linux-htb other_config:max-rate=1000000 other_config:burst=8000 queues:0=@q \
  external_ids:vm-id=aaaa external_ids:ifname=tap1 -- --id=@q create Queue other_config:min-rate=1000 \
  external_ids:vm-id=aaaa external_ids:ifname=tap1 -- set Port tap1 qos=@qos >/dev/null || fail "QoS"
for table in QoS Queue; do
  row=$(libvirt --no-headings --columns=_uuid --format=csv find $table external_ids:vm-id=aaaa external_ids:ifname=tap1)
  [ "$(echo "$row" | wc -w)" = 1 ] || fail "find $table: $row"
  [ $table = Queue ] || libvirt clear Port tap1 qos
  libvirt destroy $table "$row" || fail "destroy $table"
done
libvirt -- --if-exists del-port tap1 || fail "del-port"
libvirt -- --if-exists del-port tap1 || fail "del-port again"

step "a Go library, the CNI plugin, ovn-controller and an exporter"
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 python3 "$here/clients_sequences.py" "$work/db.sock" \
  "$here/../../ovsdb-lite/vswitch.ovsschema" || fail "a sequence of calls"

step "exporters: control sockets and text"
for daemon in ovs-vswitchd ovsdb-server; do
  pid=$(cat "$work/$daemon.pid")
  [ -S "$work/$daemon.$pid.ctl" ] && [ -e "/proc/$pid/status" ] || fail "the pidfile of $daemon does not lead to its socket"
  for command in list-commands version coverage/show memory/show; do
    appctl -t $daemon $command | found . || fail "$daemon $command"
  done
done
for command in dpctl/show dpif/show dpctl/dump-flows; do appctl $command >/dev/null || fail "$command"; done
appctl coverage/show | found -E '^[a-z_]+ +[0-9.]+/sec +[0-9.]+/sec +[0-9.]+/sec +total: [0-9]+$' || fail "coverage/show as text"
vsctl add-br br9
ofctl -O OpenFlow10 dump-aggregate br9 | found -E 'packet_count=[0-9]+ byte_count=[0-9]+ flow_count=[0-9]+' || fail "the aggregate of flows"
