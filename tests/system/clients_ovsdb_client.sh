#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Commands of ovsdb-client(1) that print something, with each format, given to Weir's database and to Open vSwitch's,
# which holds the same rows under the same schema: the same output.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ovs_lib.sh"

start_database
vsctl() { ovs-vsctl -t 10 --no-wait "$@"; }
vsctl add-br br0 -- set Bridge br0 external_ids:a=1 other_config='{b=2, "c d"="\"e"}' flood_vlans=1,5 \
  -- add-port br0 p1 tag=3 -- set Interface p1 type=internal mtu_request=1400 -- add-br br1 \
  -- --id=@q create QoS type=linux-htb queues:1=@u -- --id=@u create Queue dscp=4 -- set Port p1 qos=@q >/dev/null
ovsdb-client get-schema "unix:$work/db.sock" >"$work/schema"
ovs_schema=$work/schema
start_ovs_database
ovsdb-client backup "unix:$work/db.sock" >"$work/backup"
ovsdb-client restore "unix:$ovs_rundir/db.sock" <"$work/backup"

declare -A socket_of=([weir]=$work/db.sock [ovs]=$ovs_rundir/db.sock)
n_commands=0 n_differ=0
# UUIDs differ after a restore, and rows come in their order.  Of an error its name is the interface.
plain() {
  sed -E 's/,?"(details|syntax)":"([^"\\]|\\.)*"//g; s/\{,/{/g; s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g; s/^[0-9T:.Z-]+\|[0-9]+\|//; s#unix:/[^ ]*/db.sock#SOCKET#g' |
    if [ "$1" = json ]; then jq -S 'del(.cksum?) | (.. | arrays) |= sort' 2>/dev/null || cat; else sort; fi
}
ask() { # FORM COMMAND [WORD...]: in WORDs, SOCKET stands for the server's.
  local form=$1 server
  shift
  for server in weir ovs; do
    (
      status=0
      ovsdb-client -t 5 "${@/SOCKET/unix:${socket_of[$server]}}" >"$work/out.$server" 2>"$work/err.$server" || status=$?
      { echo "status $status" && plain "$form" <"$work/out.$server" && plain text <"$work/err.$server"; } >"$work/answer.$server"
    ) 2>/dev/null & # Where the shell tells of every alarm.
  done
  wait
  diff "$work/answer.weir" "$work/answer.ovs" >"$work/difference" || {
    echo "ovsdb-client $*:" && cat "$work/difference"
    n_differ=$((n_differ + 1))
  }
  n_commands=$((n_commands + 1))
}

step "the same words to both"
ask text list-dbs SOCKET
for command in get-schema-version get-schema-cksum list-tables; do
  ask text $command SOCKET
  ask text $command SOCKET Open_vSwitch
  ask text $command SOCKET nosuch
done
ask json get-schema SOCKET Open_vSwitch
ask json get-schema SOCKET _Server
for format in table list csv html; do
  ask text -f $format list-columns SOCKET Open_vSwitch Bridge
  ask text -f $format dump SOCKET Open_vSwitch Bridge name,external_ids,other_config,flood_vlans,ports
  ask text -f $format -d bare dump SOCKET Open_vSwitch Port name,tag,qos
  ask text -f $format -d json --no-headings dump SOCKET Open_vSwitch Interface name,type,mtu_request,statistics
done
ask json -f json dump SOCKET Open_vSwitch Queue
ask text list-columns SOCKET
ask text list-columns SOCKET Open_vSwitch nosuch
ask text dump SOCKET
ask text dump SOCKET Open_vSwitch nosuch
ask text dump SOCKET Open_vSwitch Bridge nosuch
select='["Open_vSwitch",{"op":"select","table":"Bridge","where":[["name","==","br0"]],"columns":["name","flood_vlans"]}]'
for command in query transact; do
  ask json $command SOCKET "$select"
  ask text $command SOCKET '["Open_vSwitch",{"op":"nonsense"}]'
  ask text $command SOCKET '["nosuch",{"op":"comment","comment":"x"}]'
  ask text $command SOCKET '{}'
  ask text $command SOCKET '['
done
ask json query SOCKET '["Open_vSwitch",{"op":"delete","table":"Queue","where":[]}]'
ask text dump SOCKET Open_vSwitch Queue # Nothing of that was done.
ask json transact SOCKET '["Open_vSwitch",{"op":"mutate","table":"Bridge","where":[],"mutations":[["flood_vlans","insert",7]]}]'
ask text dump SOCKET Open_vSwitch Bridge name,flood_vlans
ask text needs-conversion SOCKET "$work/schema"
sed 's/"version": *"8.8.0"/"version":"8.8.1"/' "$work/schema" >"$work/newer"
ask text needs-conversion SOCKET "$work/newer"
ask text needs-conversion SOCKET /nosuch
ask text convert SOCKET "$work/newer"
ask text get-schema-version SOCKET
ask text dump SOCKET Open_vSwitch Bridge name,external_ids
ask text wait SOCKET Open_vSwitch added
ask text wait SOCKET Open_vSwitch connected
ask text -t 1 wait SOCKET nosuch removed
ask text -t 1 lock SOCKET l # Until the time is over.
ask text -t 1 monitor SOCKET Open_vSwitch Bridge name,flood_vlans
ask text -t 1 monitor SOCKET Open_vSwitch Bridge name,!initial
ask text -t 1 monitor SOCKET Open_vSwitch ALL
ask text -t 1 -f csv monitor-cond SOCKET Open_vSwitch '[["name","==","br1"]]' Bridge name,external_ids
ask text -t 1 monitor-cond-since SOCKET Open_vSwitch '[["name","!=","br1"]]' Bridge name
ask text monitor SOCKET Open_vSwitch nosuch
ask text monitor-cond SOCKET Open_vSwitch '[["nosuch","==","br1"]]' Bridge name
echo "   $n_commands commands"
[ $n_differ = 0 ] || fail "$n_differ commands differ (< Weir, > Open vSwitch)"
