#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Do groups work as with Open vSwitch: what every command of ovs-ofctl for them does in every version, what is
# refused and with which error, what is told of them?
#
#     p1 ---- br0 ---- p2        (both switches)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reference.sh"

# Groups are told in no particular order by Open vSwitch, so answers with several are sorted.  Weir has
# at most a million groups.
without_limits() { sed -E 's/max_groups=.*/max_groups/'; }

cat >"$work/groups" <<'END'
group_id=1,type=all,bucket=output:1,bucket=output:2
group_id=2,type=indirect,bucket=set_field:02:00:00:00:00:09->eth_dst,output:2
group_id=3,type=select,bucket=weight:5,output:1,bucket=weight:10,output:2
group_id=4,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2
group_id=5,type=all
group_id=6,type=all,bucket=group:1,bucket=output:LOCAL
group_id=7,type=ff,bucket=watch_group:1,output:1
group_id=4294967040,type=all,bucket=push_vlan:0x8100,set_field:4106->vlan_vid,output:1
END

check_groups() { # VERSION: 10 ...
  local o="-O OpenFlow$1" v=$1
  step "OpenFlow 1.${v#1}"
  same $o add-groups br0 "$work/groups"
  same_sorted $o dump-groups br0
  same_sorted $o dump-group-stats br0
  same_sorted $o dump-groups br0 3
  same $o dump-group-stats br0 3
  same $o dump-group-stats br0 99
  same_through without_limits $o dump-group-features br0

  same $o add-group br0 group_id=1,type=all
  same $o mod-group br0 group_id=99,type=all
  same $o --may-create mod-group br0 group_id=99,type=all,bucket=output:1
  same $o --may-create mod-group br0 group_id=99,type=indirect,bucket=output:2
  same $o mod-group br0 group_id=99,type=indirect
  same $o add-group br0 group_id=100,type=indirect,bucket=output:1,bucket=output:2
  same $o add-group br0 group_id=100,type=all,bucket=group:77
  same $o add-group br0 group_id=101,type=all,bucket=group:101
  same $o add-group br0 group_id=102,type=all,bucket=weight:5,output:1
  same $o add-group br0 group_id=103,type=ff,bucket=output:1
  same $o add-group br0 group_id=4294967041,type=all
  same $o add-group br0 group_id=104,type=all,bucket=output:77
  same $o add-group br0 group_id=105,type=all,bucket=dec_ttl,output:1
  same $o add-group br0 group_id=106,type=select,selection_method=hash,bucket=output:1
  same_sorted $o dump-groups br0

  same $o add-flow br0 ip,actions=group:2
  same $o add-flow br0 table=1,priority=7,actions=group:1,group:2
  same $o add-flow br0 ip6,actions=group:777
  same $o add-flow br0 arp,actions=group:101
  same_sorted $o dump-flows br0
  same_sorted $o dump-group-stats br0
  same $o del-flows br0 out_group=101
  same_sorted $o dump-flows br0
  same $o del-groups br0 group_id=1
  same_sorted $o dump-flows br0
  same $o del-groups br0 group_id=777
  same_sorted $o dump-groups br0
  same $o del-groups br0
  same $o dump-flows br0
  same $o dump-groups br0
  same $o dump-group-stats br0
}

# Numbered buckets, in 1.5 and in Nicira's messages.
check_buckets() { # VERSION
  local o="-O OpenFlow$1"
  same $o add-group br0 group_id=1,type=select,selection_method=dp_hash,bucket=bucket_id=1,weight:3,output:1,bucket=bucket_id=5,output:2
  same $o add-group br0 "group_id=2,type=select,selection_method=hash,selection_method_param=7,fields(ip_src,ip_dst=255.255.255.0,tcp_src),bucket=output:1"
  same $o add-group br0 group_id=3,type=indirect,bucket=output:1
  same $o add-group br0 group_id=4,type=all,bucket=bucket_id=1,output:1,bucket=bucket_id=1,output:2
  same $o insert-buckets br0 group_id=1,command_bucket_id=first,bucket=bucket_id=7,output:LOCAL
  same $o insert-buckets br0 group_id=1,command_bucket_id=last,bucket=bucket_id=8,output:LOCAL
  same $o insert-buckets br0 group_id=1,command_bucket_id=1,bucket=bucket_id=9,output:LOCAL,bucket=bucket_id=10,output:1
  same $o insert-buckets br0 group_id=1,command_bucket_id=77,bucket=bucket_id=11,output:LOCAL
  same $o insert-buckets br0 group_id=1,command_bucket_id=last,bucket=bucket_id=9,output:LOCAL
  same $o insert-buckets br0 group_id=9,command_bucket_id=last,bucket=bucket_id=9,output:LOCAL
  same $o insert-buckets br0 group_id=3,command_bucket_id=last,bucket=bucket_id=9,output:LOCAL
  same_sorted $o dump-groups br0
  same $o remove-buckets br0 group_id=1,command_bucket_id=first
  same $o remove-buckets br0 group_id=1,command_bucket_id=last
  same $o remove-buckets br0 group_id=1,command_bucket_id=9
  same $o remove-buckets br0 group_id=1,command_bucket_id=77
  same $o remove-buckets br0 group_id=3,command_bucket_id=first
  same $o remove-buckets br0 group_id=77,command_bucket_id=first
  same_sorted $o dump-groups br0
  same $o remove-buckets br0 group_id=1,command_bucket_id=all
  same $o remove-buckets br0 group_id=1,command_bucket_id=first
  same_sorted $o dump-groups br0
  same_sorted $o dump-group-stats br0
  same $o del-groups br0
}

for version in ${WEIR_OF_VERSIONS:-10 11 13 15}; do check_groups $version; done
for version in 10 15; do check_buckets $version; done
step "fast failover follows the links"
ofctl -O OpenFlow15 add-group br0 group_id=1,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2
ofctl -O OpenFlow15 add-flow br0 actions=group:1
uses_bucket() { appctl ofproto/trace br0 in_port=LOCAL | found "using bucket $1"; }
wait_until uses_bucket 0 || fail "the first bucket is not used, though its port is up"
on_switch ip link set p1 down
wait_until uses_bucket 1 || fail "the second bucket is not used, though the first one's port is down"
on_switch ip link set p1 up
wait_until uses_bucket 0 || fail "the first bucket is not used again"

[ $same_n -gt 180 ] || fail "only $same_n answers compared"
