#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Devices go, come, swap places and go down under traffic: no frame is taken for one of another port, and
# nobody waits in a loop.
#
#     red 10.1.1.1   green 10.1.1.2   blue 10.1.1.3
#        | VLAN 10      | VLAN 10        | VLAN 20
#     .--+--------------+----------------+--.
#     |                br0                  |
#     '-------------------------------------'
. "$(dirname "$0")/lib.sh"

interface_is_open() { [ "$(vsctl get Interface "$1" error link_state | xargs)" = "[] up" ]; }

start_switch
vsctl add-br br0
make_host green 10.1.1.2 br0 tag=10

# Frames from blue, as fast as they go, on a device that is not a port yet.
cat >"$work/flood.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
frame = b"\xff" * 6 + b"\x02\xb1\x0e\x00\x00\x01" + b"\x88\xb6" + b"from blue" + bytes(40)
while True:
    try:
        s.send(frame)
    except OSError:
        pass
PY
cat >"$work/count.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b6))
s.bind((sys.argv[1], 0x88b6))
print("ready", flush=True)
n = 0
while s.recv(2000):
    n += 1
    open(sys.argv[2], "w").write(str(n))
PY

step "a device that takes the place of another is not taken for it"
vsctl add-port br0 blue tag=20 2>/dev/null || true # Its device comes when red's has gone.
make_host red 10.1.1.1 br0 tag=10
can_reach red 10.1.1.2 || fail "red does not reach green"
on green python3 "$work/count.py" eth0 "$work/seen" >"$work/count.out" 2>&1 &
disown
wait_until found ready "$work/count.out" || fail "the counter does not start"
ip netns add "$space-blue"
ip -n "$space" link add spare type veth peer name eth0 netns "$space-blue"
ip -n "$space-blue" link set eth0 up
on blue python3 "$work/flood.py" eth0 &
disown
ip -n "$space" link set spare up
hears_blue() { [ "$(on_switch cat /sys/class/net/spare/statistics/rx_packets)" -gt 1000 ]; }
wait_until hears_blue || fail "blue does not send"
printf 'link set red name gone\nlink set spare name blue\n' | ip -n "$space" -batch -
wait_until interface_is_open blue || fail "blue is not taken up"
sleep 0.3
[ ! -s "$work/seen" ] || fail "$(cat "$work/seen") frames of VLAN 20 came out in VLAN 10"
ip -n "$space" link set gone name red
wait_until can_reach red 10.1.1.2 || fail "red does not come back"

step "a device that was away for a moment is taken up again"
ip -n "$space" link set red netns "$space-blue"
ip -n "$space-blue" link set red netns "$(pid_of ovs-vswitchd)"
ip -n "$space" link set red up
wait_until can_reach red 10.1.1.2 || fail "red is not heard any more"

step "nobody waits in a loop for a device that is down"
for pid in $(ip netns pids "$space-blue"); do kill "$pid"; done 2>/dev/null
tap=$(ip -n "$space" -o link | sed -nE 's/^[0-9]+: ([^:@]+-miss):.*/\1/p')
if [ -n "$tap" ]; then
  ip -n "$space" link set "$tap" down
  ip -n "$space" link set "$tap" up
  used() { awk '{print $14 + $15}' "/proc/$(pid_of ovs-vswitchd)/stat"; }
  wait_until can_reach red 10.1.1.2 || fail "red is not heard after the tap was down"
  before=$(used)
  sleep 1
  [ $(($(used) - before)) -lt 20 ] || fail "the switch uses $(($(used) - before)) % of a processor when idle"
fi
