#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ports of every type carry frames of every size, and one that fails or vanishes stops no other.
#
#     h1 10.1.1.1      h2 10.1.1.2       h3 10.1.1.3
#         | veth           | veth            | veth
#     .---+----------------+---.       .-----+-----.
#     |  h1      br0       h2  |       |    h3     |
#     |                  patch-+-------+-patch br1 |
#     '---+-----+-----------+--'       '-----------'
#        br0   int0        tap0
#   10.1.1.10  10.2.2.1    (a process that holds its descriptor)
. "$(dirname "$0")/lib.sh"

start_switch
vsctl add-br br0
make_host h1 10.1.1.1 br0
make_host h2 10.1.1.2 br0

step "two hosts reach each other"
can_reach h1 10.1.1.2 || fail "h1 does not reach h2"
can_reach h2 10.1.1.1 || fail "h2 does not reach h1"

step "TCP passes with every offload on"
for feature in tcp-segmentation-offload tx-checksumming; do
  on h1 ethtool -k eth0 2>/dev/null | found "^$feature: on" || fail "$feature is off on h1"
done
rate=$(tcp_mbps h1 h2 10.1.1.2)
[ "$rate" -gt 20 ] || fail "TCP moves only $rate Mbit/s" # Without the right offloads it is next to none.
echo "   $rate Mbit/s"

step "jumbo frames pass whole"
for host in h1 h2; do
  ip -n "$space" link set $host mtu 9000
  ip -n "$space-$host" link set eth0 mtu 9000
done
wait_until interface_has h1 mtu 9000 || fail "Interface.mtu does not follow the device"
can_reach h1 10.1.1.2 -M do -s 8972 || fail "jumbo frames do not pass"

step "so do frames as long as a device takes"
for host in h1 h2; do
  ip -n "$space" link set $host mtu 65000
  ip -n "$space-$host" link set eth0 mtu 65000
done
for n_bytes in 16300 64972; do
  can_reach h1 10.1.1.2 -M do -s $n_bytes || fail "frames of $n_bytes bytes do not pass"
done
for host in h1 h2; do
  ip -n "$space" link set $host mtu 9000
  ip -n "$space-$host" link set eth0 mtu 9000
done

step "an internal port with an address is a host"
ip -n "$space" addr add 10.1.1.10/24 dev br0
ip -n "$space" link set br0 up
can_reach h1 10.1.1.10 || fail "h1 does not reach the local port"
vsctl add-port br0 int0 -- set Interface int0 type=internal mtu_request=2000
ip -n "$space" addr add 10.2.2.1/24 dev int0
ip -n "$space" link set int0 up
ip -n "$space-h1" addr add 10.2.2.9/24 dev eth0
can_reach h1 10.2.2.1 || fail "h1 does not reach the internal port"
interface_has int0 mtu 2000 || fail "mtu_request was not honoured"
vsctl del-port br0 int0
ip -n "$space" link show int0 >/dev/null 2>&1 && fail "the device of a deleted internal port is left"

step "a tap that another process holds is a port"
cat >"$work/tap.py" <<'PY'
import fcntl, os, select, struct, sys, time
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", b"tap0", 0x0002 | 0x1000))
print("open", flush=True)
sys.stdin.readline()
us, them = bytes([10, 1, 1, 77]), bytes([10, 1, 1, 1])
mac = bytes([2, 0, 0, 0, 0, 77])
arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + us + bytes(6) + them
deadline = time.time() + 60
while time.time() < deadline:
    os.write(tap, b"\xff" * 6 + mac + b"\x08\x06" + arp)
    end = time.time() + 0.5
    while select.select([tap], [], [], max(0, end - time.time()))[0]:
        frame = os.read(tap, 65536)
        if frame[:6] == mac and frame[12:14] == b"\x08\x06" and frame[28:32] == them:
            print("answered", flush=True)
            sys.exit(0)
sys.exit(1)
PY
coproc TAP { on_switch python3 "$work/tap.py"; }
tap_pid=$TAP_PID
read -r -u "${TAP[0]}" line && [ "$line" = open ] || fail "cannot make a tap"
ip -n "$space" link set tap0 up
vsctl add-port br0 tap0
echo go >&"${TAP[1]}"
wait "$tap_pid" || fail "the process behind tap0 gets no answer from h1"
wait_until interface_has tap0 link_state '[]' || fail "tap0 has gone with its process, but its row does not say so"
vsctl del-port br0 tap0

step "a device that is not there is an error in its row and stops nothing"
vsctl --no-wait add-port br0 nosuch
wait_until interface_has nosuch ofport -1 || fail "ofport of a missing device is not -1"
vsctl get Interface nosuch error | found nosuch || fail "the error does not name the device"
can_reach h1 10.1.1.2 || fail "a missing device stops other ports"
vsctl del-port br0 nosuch

step "a device that vanishes and returns is taken up again under its number"
number=$(vsctl get Interface h2 ofport)
pull_out h2
wait_until interface_has h2 admin_state '[]' || fail "the row does not say that the device has gone"
vsctl get Interface h2 error | found h2 || fail "the error does not name the device"
interface_has h2 ofport "$number" || fail "the number was given up"
can_reach h1 10.1.1.10 || fail "a vanished device stops other ports"
plug_in h2
ip -n "$space-h2" addr add 10.1.1.2/24 dev eth0
wait_until interface_has h2 error '[]' || fail "the device was not taken up again within a second"
interface_has h2 ofport "$number" || fail "it has another number"
can_reach h1 10.1.1.2 || fail "h1 does not reach h2 after it returned"

step "ofport_request is honoured, and numbers do not change hands"
vsctl set Interface h2 ofport_request=42
wait_until interface_has h2 ofport 42 || fail "ofport_request=42 was not honoured"
vsctl set Interface h1 ofport_request=42
[ "$(vsctl get Interface h1 ofport)" != 42 ] || fail "two ports have number 42"
can_reach h1 10.1.1.2 || fail "h1 does not reach h2 after the renumbering"

step "patch ports join two bridges"
vsctl add-br br1
make_host h3 10.1.1.3 br1
vsctl --no-wait add-port br0 patch0 -- set Interface patch0 type=patch options:peer=patch1
wait_until eval 'vsctl get Interface patch0 error | found patch1' ||
  fail "a patch port without its peer has no error"
vsctl add-port br1 patch1 -- set Interface patch1 type=patch options:peer=patch0
interface_has patch0 error '[]' || fail "the error stays though the peer is there"
can_reach h1 10.1.1.3 || fail "h1 does not reach h3 through the patch"
can_reach h3 10.1.1.2 || fail "h3 does not reach h2 through the patch"
vsctl del-port br1 patch1
cannot_reach h1 10.1.1.3 || fail "frames pass a patch port whose peer has gone"

step "rows tell the state of links, and count"
mac=$(on_switch cat /sys/class/net/h1/address)
interface_has h1 mac_in_use "$mac" || fail "mac_in_use"
interface_has h1 link_state up || fail "link_state"
interface_has h1 admin_state up || fail "admin_state"
interface_has h1 ifindex "$(on_switch cat /sys/class/net/h1/ifindex)" || fail "ifindex"
[ -n "$(vsctl get Interface h1 status:path)" ] || fail "status:path"
ip -n "$space-h1" link set eth0 down
wait_until interface_has h1 link_state down || fail "a lost carrier is not told"
ip -n "$space-h1" link set eth0 up
wait_until interface_has h1 link_state up || fail "a carrier that returned is not told"
wait_until eval '[ "$(vsctl get Interface h1 statistics:rx_packets)" -gt 10 ]' ||
  fail "statistics do not count"

step "nothing of ours is left after exit"
appctl exit --cleanup
wait_until test ! -e "$work/ovs-vswitchd.pid" || fail "the pidfile is left"
left=$(ip -n "$space" -o link | awk -F': ' '{print $2}' | grep -vE '^(lo|h[123]@.*)$' || true)
[ -z "$left" ] || fail "devices are left: $left"
