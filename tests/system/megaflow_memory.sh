#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The memory of very many flows goes back to the kernel when they have gone: a flood costs memory only while it lasts.
#
#     guest -- br0        sends 60,000 frames a second, each of a flow never seen before
. "$(dirname "$0")/lib.sh"

! ldd "$WEIR_BUILD/vswitchd/vswitchd" | found -E 'lib[at]san' || skip "sanitizers keep what is freed"

start_switch
vsctl add-br br0 -- set Open_vSwitch . other_config:max-idle=2000
ip -n "$space" tuntap add dev g1 mode tap vnet_hdr
ip -n "$space" link set g1 up
vsctl add-port br0 g1
# What an action reads is part of the megaflow, so none serves two frames.
ofctl add-flow br0 "priority=1,udp,actions=move:NXM_OF_IP_SRC[]->NXM_NX_REG0[],move:NXM_OF_UDP_SRC[]->NXM_NX_REG1[0..15],\
mod_dl_src:02:00:00:00:00:01,mod_nw_ttl:7,LOCAL"

anonymous_kb() { awk '/^Anonymous/ { print $2 }' "/proc/$(pid_of ovs-vswitchd)/smaps_rollup"; }
n_megaflows() { appctl dpctl/show | sed -n 's/^ *flows: //p'; }

step "a flood"
before_kb=$(anonymous_kb)
on_switch "$WEIR_BUILD/tests/bench/load/tap_guest" flood g1 2 60000 1 02:00:00:00:00:11 02:00:00:00:00:12 >/dev/null
n=$(n_megaflows)
flood_kb=$(anonymous_kb)
echo "$n megaflows, $((flood_kb - before_kb)) KB more"
[ "$n" -gt 20000 ] || fail "the flood was none"

step "goes by"
has_gone() { [ "$(n_megaflows)" -lt 100 ]; }
wait_until has_gone || fail "$(appctl dpctl/show)"
# Some stays: arrays that have grown, and what lies on one page with something in use.
has_given_back() { [ $(($(anonymous_kb) - before_kb)) -lt $(((flood_kb - before_kb) / 4)) ]; }
wait_until has_given_back || fail "$(anonymous_kb) KB, $before_kb before, $flood_kb in the flood"
echo "$(($(anonymous_kb) - before_kb)) KB more"
