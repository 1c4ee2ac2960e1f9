#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does ovs-ofctl find in every version of OpenFlow what it finds with Open vSwitch?  The same commands go to
# Weir and, where it is installed, to a real ovs-vswitchd with ports of the same names, and must print the
# same: what is told, and what is refused.
#
#     p1 ---- br0 ---- p2        (both switches)
. "$(dirname "$0")/lib.sh"

. "$(dirname "$0")/reference.sh"

cat >"$work/flows" <<'END'
priority=9,in_port=1,actions=output:2
table=1,cookie=0x1234,priority=5,idle_timeout=60,hard_timeout=600,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=mod_nw_dst:10.0.0.1,mod_tp_dst:8080,2
table=2,udp,nw_tos=16,actions=mod_nw_tos:32,in_port
table=3,dl_vlan=10,dl_vlan_pcp=3,actions=strip_vlan,NORMAL
table=4,vlan_tci=0,dl_src=02:00:00:00:00:01,actions=mod_vlan_vid:10,mod_vlan_pcp:2,FLOOD
table=5,icmp,icmp_type=8,icmp_code=0,actions=drop
table=6,arp,arp_op=1,nw_src=10.0.0.1,actions=CONTROLLER:128
table=7,sctp,tp_src=5,actions=mod_tp_src:6,LOCAL
table=8,dl_type=0x88cc,actions=drop
table=9,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=ALL
END
cat >"$work/flows12" <<'END'
ipv6,ipv6_dst=2001:db8::/32,nw_ttl=64,actions=dec_ttl,set_field:2001:db8::1->ipv6_dst,2
table=1,ip,metadata=0x10/0xf0,actions=set_field:3->ip_dscp,write_metadata:0x5/0xff,goto_table:7
table=2,icmp6,icmpv6_type=135,nd_target=fe80::1,actions=output:1
table=3,reg0=0x5/0xff,reg3=7,actions=load:0x3->NXM_NX_REG1[0..7],move:NXM_NX_REG0[0..7]->NXM_NX_REG1[8..15],2
table=4,dl_vlan=5,actions=pop_vlan,push_vlan:0x8100,set_field:4102->vlan_vid,2
table=5,tcp,tcp_flags=+syn-ack,actions=write_actions(output:2),clear_actions
table=6,vlan_vid=0x1000/0x1000,actions=set_field:02:00:00:00:00:09->eth_dst,resubmit(,7)
END

check_version() {
  local o="-O OpenFlow$1" v=$1 file
  step "OpenFlow 1.${v#1}"
  same $o show br0
  same $o dump-ports-desc br0
  for port in 1 2 LOCAL; do same $o dump-ports br0 $port; done
  same $o dump-ports br0 77
  same $o add-flows br0 "$work/flows"
  same $o --sort dump-flows br0
  same $o dump-flows br0 table=1
  same $o --no-stats dump-flows br0 tcp
  same $o dump-aggregate br0
  same $o dump-aggregate br0 table=3
  same $o mod-flows br0 "table=2,udp,actions=output:1"
  same $o mod-flows br0 "table=77,udp,cookie=7,actions=output:1"
  same $o --strict mod-flows br0 "table=1,priority=5,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=drop"
  same $o --strict del-flows br0 "table=5,priority=1"
  same $o del-flows br0 "table=9"
  same $o del-flows br0 "cookie=0x1234/0xffff"
  same $o del-flows br0 "out_port=2"
  same $o --sort dump-flows br0
  same $o del-flows br0
  if [ "$v" -ge 12 ]; then
    same $o add-flows br0 "$work/flows12"
    same $o --sort dump-flows br0
    same $o add-flow br0 "table=1,priority=77,importance=3,send_flow_rem,check_overlap,reset_counts,actions=2"
    same $o dump-flows br0 table=1
    same $o del-flows br0
  fi
  same $o get-frags br0
  same $o set-frags br0 drop
  same $o get-frags br0
  same $o set-frags br0 normal
  same $o dump-table-desc br0
  same $o mod-table br0 1 evict
  same $o dump-table-desc br0
  same $o mod-table br0 1 vacancy:20,80
  same $o mod-table br0 1 noevict
  same $o mod-table br0 1 novacancy
  for miss in drop continue controller; do
    same $o mod-table br0 1 $miss
    [ "$v" = 12 ] || same $o mod-table br0 300 $miss
  done
  same $o mod-port br0 p1 no-forward
  same $o show br0
  same $o mod-port br0 p1 forward
  same $o mod-port br0 77 down
  same $o packet-out br0 "in_port=controller packet=0200000000010200000000020800450000140000000040007ce70a0000010a000002 actions=output:1"
  same $o packet-out br0 none FLOOD 0200000000010200000000028100000a080045000014
  same $o probe br0
  same $o queue-stats br0 77
}

# What a bundle leaves is all of it or nothing, and equal flows stay what they are.
check_bundles() { # VERSION
  local o="-O OpenFlow$1"
  step "bundles in OpenFlow 1.${1#1}"
  same $o --bundle add-flows br0 "$work/flows12"
  same $o --sort dump-flows br0
  same $o --bundle add-flow br0 "table=9,priority=3,ip,actions=1"
  same $o --bundle mod-flows br0 "table=9,ip,actions=2"
  same $o --bundle --strict del-flows br0 "table=9,priority=3,ip"
  printf '%s\n' "table=7,priority=1,actions=1" "delete table=7" "table=7,priority=2,actions=2" \
    "modify table=7,actions=3" >"$work/mixed"
  same $o --bundle add-flows br0 "$work/mixed"
  same $o --sort dump-flows br0
  # The last flow overlaps: nothing of the bundle may stay.
  printf '%s\n' "delete" "table=1,priority=5,ip,actions=1" \
    "check_overlap,table=1,priority=5,tcp,actions=1" >"$work/overlaps"
  same $o --bundle add-flows br0 "$work/overlaps"
  same $o --sort dump-flows br0
  same $o diff-flows br0 "$work/flows12"
  same $o replace-flows br0 "$work/flows12"
  same $o diff-flows br0 "$work/flows12"
  same $o --bundle replace-flows br0 "$work/flows"
  same $o --sort dump-flows br0
  same $o diff-flows br0 "$work/flows"
  same $o --bundle del-flows br0
  same $o dump-flows br0
}

# What a monitor hears while somebody else changes flows.
check_monitor() { # VERSION
  local o="-O OpenFlow$1" ours=$work/ours.$1 theirs=$work/theirs.$1 monitors=() change
  step "flow monitor in OpenFlow 1.${1#1}"
  same $o add-flow br0 "table=1,cookie=5,priority=7,idle_timeout=60,tcp,actions=2"
  ovs-ofctl $o monitor br0 watch:table=1,out_port=2 watch:table=2,\!actions >"$ours" 2>&1 &
  monitors+=($!)
  with_reference ovs-ofctl $o monitor br0 watch:table=1,out_port=2 watch:table=2,\!actions \
    >"$theirs" 2>&1 &
  monitors+=($!)
  wait_until grep -q cookie=0x5 "$ours" && wait_until grep -q cookie=0x5 "$theirs" ||
    fail "no flow that was there is told: $(cat "$ours" "$theirs")"
  for change in "add-flow table=1,udp,actions=2" "add-flow table=2,udp,actions=1" \
    "add-flow table=3,udp,actions=2" "mod-flows table=1,udp,actions=2,1" \
    "mod-flows table=1,udp,actions=2,1" "add-flow table=1,udp,actions=2" \
    "--strict del-flows table=2,udp" "del-flows table=1"; do
    same $o ${change% *} br0 "${change##* }"
  done
  same $o del-flows br0
  wait_until eval "[ \$(grep -c reason=delete $ours) = 3 ]" || fail "deletes are not told"
  wait_until eval "[ \$(grep -c reason=delete $theirs) = 3 ]" || fail "OVS tells no deletes"
  kill "${monitors[@]}"
  wait "${monitors[@]}" 2>/dev/null || true
  # What one publication deletes has no order.
  diff <(without_accidents <"$theirs" | grep event | sort) \
    <(without_accidents <"$ours" | grep event | sort) >&2 || fail "(< Open vSwitch, > Weir)"
}

for version in 10 11 12 13 14 15; do check_version $version; done
for version in 13 14 15; do check_bundles $version; done
for version in 10 13 14 15; do check_monitor $version; done
[ $same_n -gt 300 ] || fail "only $same_n answers compared"

step "versions a bridge does not allow"
vsctl set bridge br0 protocols=OpenFlow12,OpenFlow15
with_reference vsctl set bridge br0 protocols=OpenFlow12,OpenFlow15
wait_until ofctl -O OpenFlow15 get-frags br0
same -O OpenFlow13,OpenFlow14,OpenFlow15 get-frags br0
same -O OpenFlow10,OpenFlow11,OpenFlow12 get-frags br0
ofctl -O OpenFlow13 get-frags br0 >/dev/null 2>&1 && fail "a version that is not allowed is spoken"
vsctl clear bridge br0 protocols
