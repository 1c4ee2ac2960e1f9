#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# More flows than the kernel's cache has room for, and more different verdicts: what finds no room goes on through
# userspace, new flows take the places of idle ones, all of it is counted, and no frame is lost, doubled or sent where
# the tables forbid.
#
#     h1 -- br0 -- h2        IPv6, of which there is room for 32,768 flows; of verdicts, for 8192
. "$(dirname "$0")/lib.sh"

start_switch
# No flow that the test still wants is to leave for being idle.
vsctl add-br br0 -- set Bridge br0 fail_mode=secure -- set Open_vSwitch . other_config:max-idle=600000
make_host h1 none br0
make_host h2 none br0
vsctl get Interface h1 status | found 'path=TC' || skip "no BPF here: $(vsctl get Interface h1 status)"
ofctl add-flows br0 - <<'FLOWS'
priority=0,actions=drop
priority=10,in_port=h1,udp6,tp_dst=1000,actions=output:h2
priority=10,in_port=h1,udp6,tp_dst=2000,actions=move:NXM_OF_UDP_SRC[]->NXM_OF_UDP_DST[],output:h2
FLOWS

export WEIR_BUILD PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "$0")/kernel_full.py" "$space-h1" "$space-h2" || fail "$(appctl weir/cache)"

step "what is cached is what the tables say"
"$WEIR_BUILD/cli/weir" verify || fail "weir verify"

step "verdicts that no flow has any more make room"
no_verdicts() { appctl weir/cache | found '^  verdicts  *0$'; }
ofctl del-flows br0
wait_until no_verdicts || fail "verdicts stay: $(appctl weir/cache)"
