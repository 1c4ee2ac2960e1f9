# SPDX-License-Identifier: Apache-2.0
# openflow_bridges.sh - bridges that are alike, one for each version of OpenFlow, and the files that
# openflow_commands.commands names.  Source it after lib.sh.
#
#     p1 ---- br0 ---- p2
add_bridges() { # NAMESPACE RUNDIR [LETTER]
  local v n words=() l=${3:-v}
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  for v in ${versions:-10 11 12 13 14 15}; do
    words+=(-- add-br "br0$l$v" -- set Bridge "br0$l$v" datapath_type=netdev fail_mode=secure
      "other-config:datapath-id=00000000000000$v" other-config:dp-desc=br0)
    for n in 1 2; do
      ip -n "$1" link add "p$n$l$v" type veth peer name "q$n$l$v"
      ip -n "$1" link set "q$n$l$v" up
      words+=(-- add-port "br0$l$v" "p$n$l$v" -- set Interface "p$n$l$v" ofport_request=$n)
    done
  done
  OVS_RUNDIR=$2 vsctl "${words[@]:1}"
}

write_files() { # DIRECTORY
  mkdir "$1"
  cd "$1"
  cat >flows <<'FLOWS'
# A comment, and an empty line

priority=9,in_port=1,actions=output:2
add table=1,cookie=0x1234,priority=5,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=mod_nw_dst:10.0.0.1,mod_tp_dst:8080,2
table=2,udp,nw_tos=16,actions=mod_nw_tos:32,in_port
table=3,dl_vlan=10,dl_vlan_pcp=3,actions=strip_vlan,NORMAL
table=5,icmp,icmp_type=8,icmp_code=0,actions=drop # one more
FLOWS
  cat >moreflows <<'FLOWS'
priority=9,in_port=1,actions=output:1
table=2,udp,nw_tos=16,actions=mod_nw_tos:32,in_port
table=3,dl_vlan=11,actions=strip_vlan,NORMAL
FLOWS
  printf '%s\n' 'table=7,actions=1' 'table=7,priority=5,nonsense' 'table=7,priority=6,actions=1' >wrongflows
  printf '%s\n' 'group_id=21,type=all,bucket=output:1' 'group_id=22,type=all,bucket=output:2' >groups
  printf '%s\n' 'flow table=3,tcp,actions=1' 'group group_id=31,type=all,bucket=output:1' \
    'flow add table=3,udp,actions=group:31' 'flow delete table=3,tcp' \
    'packet-out in_port=1 packet=020000000001020000000002080045000014 actions=output:2' >mixture
  write_frames
}

# Each frame is to be told with the number that the flows before it give it.
write_frames() {
  local frame="packet-out in_port=1 packet=020000000001020000000002080045000014 actions=resubmit(,7)"
  cat >frames <<FRAMES
$frame
flow add table=7,priority=1,actions=controller(userdata=01)
$frame
flow add table=7,priority=2,actions=controller(userdata=02)
$frame
flow delete_strict table=7,priority=2
$frame
flow add table=7,priority=1,actions=controller(userdata=03)
$frame
flow modify table=7,actions=controller(userdata=04),resubmit(,8)
$frame
flow add table=8,actions=learn(table=9,dl_dst=02:00:00:00:00:01),controller(userdata=05)
$frame
flow delete table=7
$frame
FRAMES
  cp frames wrongframes
  echo "flow table=7,actions=nonsense_port" >>wrongframes
  { grep -v learn frames && echo "flow table=7,actions=group:99"; } >failingframes
}
