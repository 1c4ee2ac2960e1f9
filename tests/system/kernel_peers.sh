#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Frames of cached flows go straight to a veth's other end, past the device that is the port, as long as that end is in
# another namespace; where they must not, because it is here too, or somebody has put something in their way, they go by
# the device again.
#
#     h1 10.9.0.1 -- br0 -- h2 10.9.0.2        h2 counts as sent what goes by the device, and only that
. "$(dirname "$0")/lib.sh"

start_switch
vsctl add-br br0
make_host h1 10.9.0.1 br0
make_host h2 10.9.0.2 br0
vsctl get Interface h1 status | found 'path=TC' || skip "no BPF here: $(vsctl get Interface h1 status)"
in_kernel() { appctl weir/cache | awk '$1 == "h1" && NF > 2 {print $2}'; }
by_device() { on_switch cat /sys/class/net/h2/statistics/tx_packets; }

# Of 100 frames, nearly all treated by the kernel and none lost: how many leave by the device?
most_go() { # "straight" or "by the device"
  local kernel device
  on h1 ping -q -c 3 -i 0.01 -W 1 10.9.0.2 >/dev/null || return 1
  kernel=$(in_kernel) device=$(by_device)
  on h1 ping -q -c 100 -i 0.002 10.9.0.2 | found " 100 received" || return 1
  kernel=$(($(in_kernel) - kernel)) device=$(($(by_device) - device))
  seen="of 100 frames $kernel treated by the kernel, $device by the device"
  [ $kernel -ge 90 ] || return 1
  if [ "$1" = straight ]; then [ $device -le 10 ]; else [ $device -ge 90 ]; fi
}
go() {
  seen="frames are lost"
  wait_until most_go "$1" || fail "frames do not go $1: $seen"
  echo "   $seen"
}

step "to another namespace"
go straight

step "somebody queues what leaves the device, and stops it"
on_switch tc qdisc replace dev h2 root pfifo
go "by the device"
on_switch tc qdisc del dev h2 root
go straight

step "the other end gets another address"
ip -n "$space-h2" link set eth0 address 02:00:00:00:00:77
on h1 ip neigh flush to 10.9.0.2
go straight

# What the neighbour had to say goes with it.
move() { # FROM TO
  ip -n "$1" link set eth0 netns "$2"
  ip -n "$2" addr add 10.9.0.2/24 dev eth0
  ip -n "$2" link set eth0 up
}
step "the other end moves to where the switch is"
move "$space-h2" "$space"
go "by the device"

step "and to another namespace"
ip netns add "$space-h3"
move "$space" "$space-h3"
go straight
"$WEIR_BUILD/cli/weir" verify || fail "weir verify"
