#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A virtual machine whose tap QEMU opened itself talks to a host: ping, TCP both ways with offloads on,
# and an access VLAN; it survives its tap going away and coming back.
#
#     h1 10.1.1.1        guest 10.1.1.3 (virtio-net)
#         | veth             | tap, held by QEMU
#     .---+------------------+---.
#     |  h1       br0       vm1  |
#     '--------------------------'
. "$(dirname "$0")/lib.sh"

for tool in qemu-system-x86_64 cpio; do
  command -v $tool >/dev/null || skip "needs $tool"
done
guest=$PWD/scripts/guest
[ -x "$guest" ] || guest=$(cd "$(dirname "$0")/../.." && pwd)/scripts/guest
image=$WEIR_BUILD/../guest
"$guest" image "$image" >/dev/null 2>&1 || skip "cannot fetch Debian's cloud kernel"

boot() { on_switch "$guest" start "$image" "$space" vm1 02:00:00:00:00:31 10.1.1.3/24; }
in_guest() { "$guest" exec "$image" "$space" "$@"; }
halt() { "$guest" stop "$image" "$space"; }
trap 'status=$?; halt; (exit $status); cleanup' EXIT

start_switch
vsctl add-br br0
make_host h1 10.1.1.1 br0
boot
ip -n "$space" link set vm1 up
vsctl add-port br0 vm1

step "ping, both ways"
can_reach h1 10.1.1.3 || fail "h1 does not reach the guest"
in_guest "ping -q -c 2 10.1.1.1" >/dev/null || fail "the guest does not reach h1"

step "TCP, both ways, super-frames and partial checksums whole"
head -c 4000000 /dev/urandom >"$work/data"
sum=$(md5sum <"$work/data" | cut -d' ' -f1)
on h1 python3 -m http.server -d "$work" 8000 >/dev/null 2>&1 &
wait_until eval "on h1 ss -ltn | grep -q :8000" || fail "no server on h1"
got=$(in_guest "wget -q -O - http://10.1.1.1:8000/data | md5sum" | cut -d' ' -f1)
expect "$sum" "$got" "what the guest downloads"
in_guest "dd if=/dev/urandom of=/data bs=100k count=20 2>/dev/null"
sum=$(in_guest "md5sum /data" | cut -d' ' -f1)
got=$(on h1 python3 -c 'import hashlib, urllib.request
print(hashlib.md5(urllib.request.urlopen("http://10.1.1.3/data", timeout=20).read()).hexdigest())')
expect "$sum" "$got" "what h1 downloads"

step "an access VLAN separates it"
vsctl set Port vm1 tag=20
cannot_reach h1 10.1.1.3 || fail "h1 reaches the guest across VLANs"
vsctl clear Port vm1 tag
can_reach h1 10.1.1.3 || fail "h1 does not reach the guest again"

step "a guest that stops and boots again is taken up again, with the same number"
ofport=$(vsctl get Interface vm1 ofport)
halt
wait_until eval '! ip -n "$space" link show vm1' || fail "QEMU's tap stays"
boot
ip -n "$space" link set vm1 up
wait_until can_reach h1 10.1.1.3 || fail "the guest that came back is not connected"
expect "$ofport" "$(vsctl get Interface vm1 ofport)" "ofport after a reboot"
