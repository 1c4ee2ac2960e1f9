#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ports with options:fastpath=xdp: frames are forwarded by XDP where XDP sees all of them, and by TC where it
# does not; nothing is lost or wrong in between.
#
#     h1 10.5.0.1 --.     .-- h2 10.5.0.2      both veths, whose other ends do GRO
#                   | br0 |
#     h3 10.5.0.3 --'     '-- h4 10.5.0.4      has a program of someone else's; does no GRO
. "$(dirname "$0")/lib.sh"
load=$WEIR_BUILD/tests/bench/load
for tool in ethtool bpftool tc; do command -v $tool >/dev/null || skip "needs $tool"; done

start_switch
vsctl add-br br0
for i in 1 2 3 4; do make_host h$i 10.5.0.$i; done
for h in h1 h2; do on $h ethtool -K eth0 gro on; done

# bpftool needs /sys/fs/bpf, which ip netns exec hides.
in_switch() { nsenter --net="/run/netns/$space" "$@"; }
path_of() { vsctl get Interface "$1" status:path | tr -d '"'; }
reason_of() { vsctl get Interface "$1" status:path_reason 2>/dev/null | tr -d '"'; }
path_is() { [ "$(path_of "$1")" = "$2" ]; }
n_by_xdp() { on_switch ethtool -S "$1" | awk '/xdp_redirect:/ && !/err/ {n += $2} END {print n + 0}'; }
program_of() { ip -n "$space" -d link show "$1" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p'; }

vsctl add-port br0 h1 -- set Interface h1 options:fastpath=xdp -- \
  add-port br0 h2 -- set Interface h2 options:fastpath=xdp
path_is h1 XDP || {
  reason_of h1 | found "before Linux 6.8" && skip "this kernel does not show VLAN tags to XDP"
  fail "h1 is not on XDP: $(vsctl get Interface h1 status)"
}
can_reach h1 10.5.0.2 || fail "h1 does not reach h2"

step "small frames of a flow go by XDP"
before=$(n_by_xdp h1)
on h1 ping -q -c 100 -i 0.002 10.5.0.2 >/dev/null || fail "frames are lost"
after=$(n_by_xdp h1)
[ $((after - before)) -ge 80 ] || fail "only $((after - before)) of 100 frames went by XDP"

step "checksums that are left to the device arrive right, in TCP and in UDP"
head -c 3000000 /dev/urandom >"$work/data"
sum=$(md5sum <"$work/data" | cut -d' ' -f1)
on h1 python3 -m http.server -d "$work" 8000 >/dev/null 2>&1 &
wait_until eval "on h1 ss -ltn | found :8000" || fail "no server on h1"
got=$(on h2 timeout 20 python3 -c 'import hashlib, urllib.request
print(hashlib.md5(urllib.request.urlopen("http://10.5.0.1:8000/data", timeout=15).read()).hexdigest())')
expect "$sum" "$got" "what h2 downloads"
on h2 timeout 90 python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 7000)); s.settimeout(60)
print("bound", flush=True)
for i in range(40): assert s.recv(2000) == bytes([i]) * (1 + 36 * i), i' >"$work/udp" &
listener=$!
wait_until grep -q bound "$work/udp"
on h1 python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("10.5.0.2", 7000))
for i in range(40): s.send(bytes([i]) * (1 + 36 * i)); time.sleep(0.005)'
wait $listener || fail "datagrams of 1 to 1405 bytes do not all arrive"

step "tags, in the frame or beside it"
vsctl set Port h1 tag=10
on h2 "$load/load" tag eth0 30 &
tagger=$!
wait_until eval "on h2 tc filter show dev eth0 egress | found push_tag"
can_reach h1 10.5.0.2 || fail "a tag beside the frame is lost"
[ "$(tcp_mbps h1 h2 10.5.0.2)" -gt 20 ] || fail "no TCP with tags beside the frames"
kill "$(pgrep -P $tagger || echo $tagger)"
wait $tagger || true
cannot_reach h1 10.5.0.2 || fail "frames without a tag get into the VLAN"
vsctl clear Port h1 tag
on h2 ethtool -K eth0 txvlan off
can_reach h1 10.5.0.2 || fail "h1 does not reach h2 without tags"

step "a veth whose other end does no GRO gets its frames by TC"
on h2 ethtool -K eth0 gro off
wait_until can_reach h1 10.5.0.2 || fail "h2 hears nothing without GRO"
on h2 ethtool -K eth0 gro on
can_reach h1 10.5.0.2 || fail "h2 hears nothing with GRO again"
vsctl add-port br0 h4 -- set Interface h4 options:fastpath=xdp
can_reach h1 10.5.0.4 || fail "h1 does not reach h4"
can_reach h4 10.5.0.2 || fail "h4 does not reach h2"

step "somebody else's program is left alone"
mkdir -p "/sys/fs/bpf/$space"
bpftool prog loadall "$WEIR_BUILD/tests/bench/load/floor.bpf.o" "/sys/fs/bpf/$space" >/dev/null 2>&1 ||
  fail "cannot load a program to stand in the way"
in_switch bpftool net attach xdpdrv pinned "/sys/fs/bpf/$space/xdp_pass" dev h3
rm -r "/sys/fs/bpf/$space"
theirs=$(program_of h3)
vsctl add-port br0 h3 -- set Interface h3 options:fastpath=xdp
expect "another XDP program is attached to it" "$(reason_of h3)" "why h3 is not on XDP"
expect "$theirs" "$(program_of h3)" "the program on h3"
can_reach h1 10.5.0.3 || fail "h1 does not reach h3 by TC"
vsctl del-port br0 h3
expect "$theirs" "$(program_of h3)" "the program on h3 after its port is gone"
in_switch bpftool net detach xdpdrv dev h3
vsctl add-port br0 h3 -- set Interface h3 options:fastpath=xdp
wait_until path_is h3 XDP || fail "h3 is free, and not on XDP"

step "a setting that changes, and one that is wrong"
vsctl remove Interface h3 options fastpath
expect "" "$(program_of h3)" "a program on h3 that nobody wants"
can_reach h1 10.5.0.3 || fail "h1 does not reach h3 without XDP"
vsctl set Interface h3 options:fastpath=fast || true
vsctl get Interface h3 error | found "none of" || fail "a wrong setting is not told"
vsctl remove Interface h3 options fastpath -- set Bridge br0 other_config:fastpath=xdp
wait_until path_is h3 XDP || fail "the bridge's setting does not reach h3"

step "after a crash the next one takes over, and cleanup leaves nothing"
crash ovs-vswitchd
[ -n "$(program_of h1)" ] || fail "a crash takes the program off"
start_forwarding
can_reach h1 10.5.0.2 || fail "h1 does not reach h2 after a crash"
path_is h1 XDP || fail "h1 is not on XDP after a crash"
crash ovs-vswitchd
on_switch "$WEIR_BUILD/vswitchd/vswitchd" --cleanup-only >/dev/null 2>&1
for h in h1 h2 h3 h4; do expect "" "$(program_of $h)" "the program on $h after cleanup"; done
