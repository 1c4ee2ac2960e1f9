#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Flows of a whole switch end up in the kernel: ping, TCP with offloads on, IPv6, an access VLAN, the host's
# own port; and what the tables forbid ends at once.  Needs few tools, so that it runs in small guests.
#
#     h1 10.8.0.1 --.     .-- h2 10.8.0.2
#                   | br0 |   10.8.0.100
. "$(dirname "$0")/lib.sh"

start_switch
vsctl add-br br0
make_host h1 10.8.0.1 br0
make_host h2 10.8.0.2 br0
ip -n "$space" addr add 10.8.0.100/24 dev br0
ip -n "$space" link set br0 up

# Frames that came up to userspace.
n_up() { ip -n "$space" -s link show "$1" | awk '/TX:/ {getline; print $2}'; }
miss_tap=$(ip -n "$space" -o link | sed -n 's/^[0-9]*: \([^:@]*-miss\).*/\1/p')
[ -n "$miss_tap" ] || skip "BPF is not permitted"

step "frames of a known flow stay in the kernel"
wait_until can_reach h1 10.8.0.2 || fail "h1 does not reach h2"
before=$(n_up "$miss_tap")
on h1 ping -q -c 50 -i 0.01 10.8.0.2 >/dev/null || fail "frames are lost"
after=$(n_up "$miss_tap")
[ $((after - before)) -le 20 ] || fail "$((after - before)) of 100 frames came up"

step "TCP, with super-frames and partial checksums whole, both ways"
start_iperf on h2
on h1 iperf3 -c 10.8.0.2 -t 1 >"$work/iperf" || fail "$(cat "$work/iperf")"
found receiver "$work/iperf" || fail "no TCP"

step "IPv6"
for i in 1 2; do
  on h$i sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
  ip -n "$space-h$i" addr add fd00::$i/64 dev eth0 nodad
done
wait_until can_reach h1 fd00::2 || fail "no IPv6"
before=$(n_up "$miss_tap")
on h1 ping -q -c 50 -i 0.01 fd00::2 >/dev/null || fail "frames of IPv6 are lost"
after=$(n_up "$miss_tap")
[ $((after - before)) -le 20 ] || fail "$((after - before)) of 100 frames of IPv6 came up"

step "the host's own port"
wait_until can_reach h1 10.8.0.100 || fail "h1 does not reach the host"
start_iperf on_switch
on h1 iperf3 -c 10.8.0.100 -t 1 >"$work/iperf" || fail "$(cat "$work/iperf")"

step "a tag on one of them separates, and takes effect at once"
vsctl set Port h1 tag=10
cannot_reach h1 10.8.0.2 || fail "the VLAN is not in force"
vsctl set Port h2 tag=10
wait_until can_reach h1 10.8.0.2 || fail "h1 does not reach h2 in the VLAN"
vsctl clear Port h1 tag -- clear Port h2 tag
wait_until can_reach h1 10.8.0.2 || fail "h1 does not reach h2 without it"

step "what the tables forbid ends at once"
ofctl add-flow br0 priority=1000,icmp,actions=drop
cannot_reach h1 10.8.0.2 || fail "frames still pass"
ofctl del-flows br0 icmp
wait_until can_reach h1 10.8.0.2 || fail "frames do not pass again"
