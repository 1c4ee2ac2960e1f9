#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Once the switch has said that a change is done, no frame is treated by an old verdict any more: by TC, and by XDP.
# WEIR_CHANGES: how many changes (half of them each way); WEIR_SEED: where to begin, to repeat what a failure reports.
#
#     s1 (a stream) --.     .-- r1 to r5          v1 -- br1 -- w1 (trunk)
#     s2 -------------- br0
. "$(dirname "$0")/lib.sh"
changes=$((${WEIR_CHANGES:-600} / 2)) seed=${WEIR_SEED:-1}
command -v ethtool >/dev/null || skip "needs ethtool"

start_switch
vsctl add-br br0 -- set-fail-mode br0 secure -- add-br br1
number=0
for host in s1 s2 r1 r2 r3 r4 r5; do
  number=$((number + 1))
  [ $host != r1 ] || number=11
  make_host $host none br0 -- set Interface $host ofport_request=$number
done
make_host v1 none br1 tag=1
make_host w1 none br1
on_each() { for host in s1 s2 r1 r2 r3 r4 r5 v1 w1; do on $host "$@"; done; }

frames_of_kernel() { appctl weir/cache | awk -v p="$1" '$1 == p {n += $2} END {print n + 0}'; }
frames_of() { ofctl dump-ports br0 "$1" | sed -nE 's/.*rx pkts=([0-9]+).*/\1/p'; }

# Half of what is sent after a change must come up, as the kernel knows nothing new yet.
all_changes_hold() { # PATH FIRST-CHANGE
  local all kernel
  all=$(frames_of s2) kernel=$(frames_of_kernel s2)
  on_switch "$WEIR_BUILD/tests/kernel_barrier" "$space" "$work" $changes "$seed" "$2" || fail "$1: seed $seed"
  all=$(($(frames_of s2) - all)) kernel=$(($(frames_of_kernel s2) - kernel))
  echo "   of $all frames $kernel were treated by the kernel"
  [ $((kernel * 4)) -ge "$all" ] || fail "$1: too few frames were treated by the kernel: $(appctl weir/cache)"
}

vsctl get Interface s2 status | found 'path=TC' || skip "no BPF here: $(vsctl get Interface s2 status)"
step "by TC: $changes changes"
all_changes_hold TC 0

step "by XDP: $changes changes"
on_each ethtool -K eth0 gro on
vsctl set Bridge br0 other_config:fastpath=xdp -- set Bridge br1 other_config:fastpath=xdp
if interface_has s2 status:path XDP; then
  ofctl del-flows br0 # The program makes its own.
  ofctl -O OpenFlow13 del-groups br0
  ofctl -O OpenFlow13 del-meters br0
  appctl fdb/flush br0
  seed=$((seed + 1))
  all_changes_hold XDP 1000000
else
  echo "   (not here: $(vsctl get Interface s2 status:path_reason))"
fi
