#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who hears whom across VLANs: access, trunk, native-tagged and native-untagged ports.
#
#     a10 .1    b10 .2    c20 .3    trunk .4 in VLAN 10 (eth0.10), .5 in VLAN 20 (eth0.20), .6 untagged
#                                   e10 .8 comes later, tag=10
#      |         |         |          |
#     .+---------+---------+----------+.
#     |tag=10  tag=10    tag=20     (all)|
#     '----------------- br0 ------------'
. "$(dirname "$0")/lib.sh"

start_switch
vsctl add-br br0
make_host a10 10.3.0.1 br0 tag=10
make_host b10 10.3.0.2 br0 tag=10
make_host c20 10.3.0.3 br0 tag=20
make_host trunk none br0
on trunk sysctl -qw net.ipv4.conf.all.arp_ignore=1
# The kernel may be built without VLAN devices; a small program stands in for them.
add_vlan_device() { # VID
  if ip -n "$space-trunk" link add link eth0 name "eth0.$1" type vlan id "$1" 2>/dev/null; then
    ip -n "$space-trunk" link set "eth0.$1" up
    return
  fi
  on trunk python3 "$(dirname "$0")/vlan_device.py" eth0 "$1" "eth0.$1" >"$work/vlan$1" 2>&1 &
  wait_until grep -q ready "$work/vlan$1" || fail "no VLAN device: $(cat "$work/vlan$1")"
}
add_vlan_device 10
add_vlan_device 20
# One subnet everywhere: only VLANs keep the hosts apart.
address_of_trunk() { # DEVICE ADDRESS: the trunk host answers there, and only there.
  ip -n "$space-trunk" -4 addr flush scope global
  ip -n "$space-trunk" addr add "$2/24" dev "$1"
}

step "access ports of one VLAN hear each other, others do not"
can_reach a10 10.3.0.2 || fail "a10 does not reach b10"
cannot_reach a10 10.3.0.3 || fail "VLAN 10 leaks into VLAN 20"

step "a trunk carries every VLAN with its tag"
address_of_trunk eth0.10 10.3.0.4
can_reach a10 10.3.0.4 || fail "a10 does not reach the trunk's VLAN 10"
cannot_reach c20 10.3.0.4 || fail "c20 reaches the trunk's VLAN 10"
address_of_trunk eth0.20 10.3.0.5
can_reach c20 10.3.0.5 || fail "c20 does not reach the trunk's VLAN 20"
address_of_trunk eth0 10.3.0.6
cannot_reach a10 10.3.0.6 || fail "untagged frames of the trunk reach VLAN 10"

step "a flood gives each port the frame with its own tags, however often they change"
make_host e10 10.3.0.8 br0 tag=10
can_reach a10 10.3.0.8 || fail "a10 does not reach e10 beyond the trunk"

step "TCP super-frames keep their tag on a trunk between two bridges"
ip -n "$space" link add up0 type veth peer name down0
ip -n "$space" link set up0 up
ip -n "$space" link set down0 up
vsctl add-port br0 up0 -- add-br br1 -- add-port br1 down0
make_host d10 10.3.0.7 br1 tag=10
can_reach a10 10.3.0.7 || fail "a10 does not reach d10 across two bridges"
cannot_reach c20 10.3.0.7 || fail "VLAN 20 leaks into VLAN 10 across two bridges"
rate=$(tcp_mbps a10 d10 10.3.0.7)
[ "$rate" -gt 200 ] || fail "TCP moves only $rate Mbit/s"
echo "   $rate Mbit/s"
vsctl del-port br0 up0

step "a trunk with a list carries only that"
vsctl set Port trunk trunks=20
cannot_reach a10 10.3.0.4 || fail "VLAN 10 passes a trunk of VLAN 20"
address_of_trunk eth0.20 10.3.0.5
can_reach c20 10.3.0.5 || fail "VLAN 20 does not pass a trunk of VLAN 20"
wait_until eval 'appctl weir/drops trunk | found .' || fail "weir/drops says nothing"

step "native-untagged: its VLAN without tag both ways, the others with"
vsctl set Port trunk vlan_mode=native-untagged tag=10 trunks=10,20
address_of_trunk eth0 10.3.0.6
can_reach a10 10.3.0.6 || fail "a10 does not reach the native VLAN"
cannot_reach c20 10.3.0.6 || fail "c20 reaches the native VLAN"
address_of_trunk eth0.20 10.3.0.5
can_reach c20 10.3.0.5 || fail "c20 does not reach the tagged VLAN"

step "native-tagged: its VLAN goes out with the tag, and comes in either way"
vsctl set Port trunk vlan_mode=native-tagged tag=10 trunks=10,20
address_of_trunk eth0.10 10.3.0.4
can_reach a10 10.3.0.4 || fail "a10 does not reach the native VLAN with its tag"

step "an access port does not take tagged frames of another VLAN"
vsctl clear Port trunk vlan_mode trunks -- set Port trunk tag=20
address_of_trunk eth0.10 10.3.0.4
cannot_reach a10 10.3.0.4 || fail "a tagged frame enters VLAN 10 by an access port of VLAN 20"
address_of_trunk eth0 10.3.0.6
can_reach c20 10.3.0.6 || fail "an access port does not carry its own VLAN"

step "stations are known by their VLAN"
appctl fdb/show br0 | found -E '^ +[0-9]+ +20 ' || fail "fdb/show has no station in VLAN 20"
appctl fdb/flush br0 >/dev/null
expect 1 "$(appctl fdb/show br0 | wc -l)" "lines of fdb/show after a flush"

step "a port that changes its VLAN under traffic is not known in the old one"
on b10 ping -q -f -w 20 10.3.0.1 >/dev/null 2>&1 &
flood=$!
for vid in 30 10 31 10 32 10 33 10 34 10; do
  port=$(vsctl get Interface b10 ofport)
  old=$(vsctl get Port b10 tag)
  vsctl set Port b10 tag=$vid
  ! appctl fdb/show br0 | found -E "^ +$port +$old " || fail "VLAN $old still has a station on port b10"
done
kill $flood
wait $flood 2>/dev/null || true

step "an impossible mode is an error and closes the port"
vsctl --no-wait set Port trunk vlan_mode=dot1q-tunnel
wait_until eval 'vsctl get Interface trunk error | found dot1q-tunnel' || fail "no error in the row"
cannot_reach c20 10.3.0.6 || fail "a port that cannot be had as wanted carries frames"
can_reach a10 10.3.0.2 || fail "other ports suffer"
