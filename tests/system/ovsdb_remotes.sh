#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients reach the database over TCP, by listeners and by connections it makes, as the command line and the
# Manager table say.
. "$(dirname "$0")/lib.sh"
command -v ovsdb-client >/dev/null || skip "needs ovsdb-client"

on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" --remote="punix:$work/db.sock" \
  --remote=db:Open_vSwitch,Open_vSwitch,manager_options --remote=ptcp:6641:127.0.0.1 --remote="ptcp:6642:[::1]" \
  --pidfile --detach --no-chdir --log-file="$work/ovsdb.log" -vconsole:off "$work/conf.db"
vsctl() { ovs-vsctl -t 10 --no-wait "$@"; }
client() { on_switch ovsdb-client -t 10 "$@"; }
manager_has() { [ "$(vsctl get Manager "$1" "$2" 2>/dev/null | tr -d '"')" = "$3" ]; }

step "listeners of the command line, IPv4 and IPv6"
expect "$(printf 'Open_vSwitch\n_Server')" "$(client list-dbs tcp:127.0.0.1:6641)" "list-dbs by IPv4"
expect "$(printf 'Open_vSwitch\n_Server')" "$(client list-dbs 'tcp:[::1]:6642')" "list-dbs by IPv6"

step "what Neutron does"
! client list-dbs tcp:127.0.0.1:6640 2>/dev/null || fail "port 6640 is open before anybody asked"
vsctl --id=@manager create Manager 'target="ptcp:6640:127.0.0.1"' -- add Open_vSwitch . manager_options @manager >/dev/null
wait_until client list-dbs tcp:127.0.0.1:6640 || fail "the manager's port does not open"
manager() { vsctl --bare --columns=_uuid find Manager "target=\"$1\""; }
row=$(manager ptcp:6640:127.0.0.1)
wait_until manager_has "$row" status:bound_port 6640 || fail "no bound_port"
manager_has "$row" status:state ACTIVE || fail "no state"
wait_until manager_has "$row" is_connected false || fail "is_connected without a client"
ip netns exec "$space" ovsdb-client monitor tcp:127.0.0.1:6640 Interface name,ofport,external_ids --format=json >"$work/monitor" 2>&1 &
monitor=$!
wait_until manager_has "$row" is_connected true || fail "is_connected with a client"
on_switch ovs-vsctl -t 5 --no-wait --db=tcp:127.0.0.1:6640 add-br br0 -- set-manager ptcp:6640:127.0.0.1 ptcp:6643
wait_until grep -q br0 "$work/monitor" || fail "a client by TCP hears nothing"
wait_until client list-dbs tcp:127.0.0.1:6643 || fail "a second manager's port does not open"
kill -0 $monitor || fail "the first manager's client was cut off"

step "what a manager's status tells"
manager_tells() { vsctl --if-exists get Manager "$row" "status:$1" | found "$2"; }
mkfifo "$work/pipe"
on_switch python3 -c '
import socket, sys, time
holder, thief = (socket.create_connection(("127.0.0.1", 6643)) for _ in "ab")
holder.sendall(b"{\"method\":\"lock\",\"params\":[\"a\"],\"id\":1}{\"method\":\"lock\",\"params\":[\"b\"],\"id\":2}")
holder.recv(1000)
thief.sendall(b"{\"method\":\"steal\",\"params\":[\"b\"],\"id\":1}")
print("locked", flush=True)
sys.stdin.read()' <"$work/pipe" >"$work/locks" &
other=$(manager ptcp:6643)
exec {hold}>"$work/pipe"
wait_until grep -q locked "$work/locks"
row=$other
wait_until manager_tells locks_held '^a$' || fail "no locks_held: $(vsctl get Manager "$row" status)"
manager_tells locks_lost '^b$' || fail "no locks_lost: $(vsctl get Manager "$row" status)"
manager_tells n_connections '^"2"$' || fail "no n_connections: $(vsctl get Manager "$row" status)"
manager_tells sec_since_connect '^"[0-9]"$' || fail "no sec_since_connect"
exec {hold}>&-
wait_until manager_tells sec_since_disconnect '^"[0-9]"$' || fail "no sec_since_disconnect"
row=$(manager ptcp:6640:127.0.0.1)

step "a client that disappears is noticed, one that answers is kept"
row=$(manager ptcp:6640:127.0.0.1)
vsctl set Manager "$row" inactivity_probe=200
sleep 1
manager_has "$row" is_connected true || fail "a client that answers probes was cut off"
kill -STOP $monitor
wait_until manager_has "$row" is_connected false || fail "a silent client is kept"
kill -9 $monitor && wait $monitor 2>/dev/null || true

step "connections that the server makes"
vsctl set-manager tcp:127.0.0.1:6650
row=$(manager tcp:127.0.0.1:6650)
wait_until manager_has "$row" status:state BACKOFF || fail "no back-off"
manager_has "$row" status:last_error "Connection refused" || fail "no last_error"
vsctl set Manager "$row" max_backoff=1000
ip netns exec "$space" ovsdb-client -t 10 monitor ptcp:6650:127.0.0.1 Bridge name >"$work/active" 2>&1 &
monitor=$!
wait_until grep -q br0 "$work/active" || fail "the server does not connect"
wait_until manager_has "$row" is_connected true || fail "is_connected of a connection made"
kill $monitor
wait_until manager_has "$row" is_connected false || fail "is_connected after its end"

step "a manager that goes, and ones that make no sense"
vsctl set-manager ptcp:6644:127.0.0.1
wait_until client list-dbs tcp:127.0.0.1:6644 || fail "a port does not open"
! client list-dbs tcp:127.0.0.1:6640 2>/dev/null || fail "a removed manager's port is open"
vsctl del-manager
wait_until eval '! client list-dbs tcp:127.0.0.1:6644' || fail "a deleted manager's port is open"
vsctl set-manager ssl:1.2.3.4:5 nonsense ptcp:99999 tcp:host.name:1
sleep 0.2
vsctl get-manager | found nonsense || fail "nonsense ends the server"

step "1,024 clients and no more"
on_switch python3 - <<'PY' || fail "the limit of clients is not clean"
import socket, sys
clients = []
for i in range(1100):
    try:
        s = socket.create_connection(("127.0.0.1", 6641), 5)
        s.sendall(b'{"method":"echo","params":[],"id":%d}' % i)
        s.settimeout(5)
        if not s.recv(100):
            break
        clients.append(s)
    except ConnectionResetError:
        break
print(len(clients), "clients")
sys.exit(not 1000 <= len(clients) <= 1024)
PY
wait_until vsctl show || fail "no client gets in after the crowd has left"
