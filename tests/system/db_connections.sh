#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Connections to the database in numbers, in silence and in trouble.  WEIR_CONNECTIONS (1500) and
# WEIR_STOP_SECONDS (2) make it larger; 10000 and 30 are what a release is to stand.
. "$(dirname "$0")/lib.sh"
command -v ovsdb-client >/dev/null || skip "needs ovsdb-client"
crowd_size=${WEIR_CONNECTIONS:-1500}
stop_seconds=${WEIR_STOP_SECONDS:-2}
ulimit -n $((crowd_size + 1000)) 2>/dev/null || skip "needs $((crowd_size + 1000)) descriptors"

ip netns add "$space-far"
ip -n "$space" link add near type veth peer name far netns "$space-far"
ip -n "$space" addr add 10.9.0.1/24 dev near
ip -n "$space-far" addr add 10.9.0.2/24 dev far
ip -n "$space" link set near up
ip -n "$space-far" link set far up

(
  ulimit -n 1024
  on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" --remote="punix:$work/db.sock" --remote=ptcp:6641:10.9.0.1 \
    --remote=db:Open_vSwitch,Open_vSwitch,manager_options --pidfile --detach --no-chdir --log-file="$work/ovsdb.log" \
    -vconsole:off "$work/conf.db"
)
server=$(pid_of ovsdb-server)
vsctl() { ovs-vsctl -t 10 --no-wait "$@"; }
descriptors() { find "/proc/$server/fd" -mindepth 1 | wc -l; }
naps() { awk '/^voluntary_ctxt/ {print $2}' "/proc/$server/status"; }
busy_ticks() { awk '{print $14 + $15}' "/proc/$server/stat"; }

step "with nobody there the server sleeps"
vsctl add-br first
sleep 0.3
before=$(naps)
sleep 2
[ $(($(naps) - before)) -le 1 ] || fail "the server woke up $(($(naps) - before)) times in 2 s for nobody"
baseline=$(descriptors)

step "$crowd_size connections, half silent, half in the middle of a message"
ip netns exec "$space" ovsdb-client monitor "unix:$work/db.sock" Bridge name >"$work/heard" 2>&1 &
witness=$!
wait_until test -s "$work/heard" || fail "no monitor"
cat >"$work/crowd.py" <<'PY'
import socket, sys
path, count = sys.argv[1], int(sys.argv[2])
crowd, refused = [], 0
for i in range(count):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    try:
        s.connect(path)
        if i % 2:
            s.sendall(b'{"method":"transact","params":["Open_vSwitch",{"op":"comm')
        crowd.append(s)
    except OSError:
        refused += 1
print("here", len(crowd), refused, flush=True)
sys.stdin.read()
PY
mkfifo "$work/hold"
ip netns exec "$space" python3 "$work/crowd.py" "$work/db.sock" "$crowd_size" <"$work/hold" >"$work/crowd" &
exec {hold}>"$work/hold"
wait_until grep -q here "$work/crowd" || fail "the crowd did not form"
is_calm() { # Once it has refused those who are too many.
  local before
  before=$(busy_ticks)
  sleep 0.5
  [ $(($(busy_ticks) - before)) -le 5 ]
}
wait_until is_calm || fail "the server is busy with a crowd that does nothing"
[ "$(descriptors)" -le 1024 ] || fail "descriptors"
kill -0 $witness || fail "a client that was there before was cut off"
exec {hold}>&-
settled() { [ "$(descriptors)" -le $((baseline + 3)) ]; }
wait_until settled || fail "$(descriptors) descriptors, $baseline before"
vsctl add-br br0 || fail "no client gets in after the crowd has left"
wait_until grep -q br0 "$work/heard" || fail "the client that was there before hears nothing"
kill $witness

step "a client behind a cut cable is dropped in two probe intervals"
vsctl set-manager ptcp:6640:10.9.0.1 -- set Manager . inactivity_probe=500
connected() { [ "$(vsctl get Manager . is_connected)" = "$1" ]; }
wait_until on far ovsdb-client -t 3 list-dbs tcp:10.9.0.1:6640 || fail "the manager's port does not open"
ip netns exec "$space-far" ovsdb-client -t 20 monitor tcp:10.9.0.1:6640 Bridge name >"$work/far" 2>&1 &
wait_until connected true || fail "no client"
sleep 1.2
connected true || fail "a client that answers was dropped"
ip -n "$space-far" link set far down
wait_until connected false || fail "a client behind a cut cable is kept"
ip -n "$space-far" link set far up
vsctl del-manager

step "a server that stands still for $stop_seconds s loses nothing"
start_forwarding
kill -STOP "$server"
for i in 1 2 3 4 5 6 7 8; do
  ovs-vsctl -t $((stop_seconds + 10)) --no-wait add-br "stop$i" &
  waiting[i]=$!
done
sleep "$stop_seconds"
kill -CONT "$server"
for i in 1 2 3 4 5 6 7 8; do wait "${waiting[i]}" || fail "client $i was not answered"; done
expect 10 "$(ovs-vsctl list-br | wc -l)" "bridges after the stop"
ovs-vsctl -t 20 add-br after || fail "vswitchd does not follow any more"
for i in 1 5 8; do on_switch ip link show "stop$i" >/dev/null || fail "vswitchd has not made stop$i"; done
