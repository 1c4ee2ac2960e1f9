#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may do what at Unix sockets: root and the sockets' group everything, the read-only group reading, others nothing.
. "$(dirname "$0")/lib.sh"
command -v setpriv >/dev/null || skip "needs setpriv"

# Numbers that nobody has: a writer, a reader, one of both and a stranger, the groups as first or as further group.
writers=54301 readers=54302 nobody=65534
chgrp $writers "$work"
chmod 750 "$work" # What lets readers through is an ACL.
as() { # GROUP[,GROUP...] COMMAND...
  setpriv --reuid=54300 --regid="${1%%,*}" --groups="$1" "${@:2}"
}
"$WEIR_BUILD/ovsdb-lite/ovsdb-lite" --remote="punix:$work/db.sock" --read-only-group=$readers --pidfile --detach \
  --no-chdir --log-file="$work/ovsdb.log" -vconsole:off "$work/conf.db"
on_switch "$WEIR_BUILD/vswitchd/vswitchd" "unix:$work/db.sock" --read-only-group=$readers --pidfile --detach \
  --no-chdir --log-file="$work/vswitchd.log" -vconsole:off
chgrp $writers "$work/db.sock" "$work"/*.ctl
reads() { as "$1" ovs-vsctl -t 3 --no-wait list-br >/dev/null 2>&1; }
writes() { as "$1" ovs-vsctl -t 3 --no-wait add-br "br$RANDOM" >/dev/null 2>&1; }

step "the database"
ovs-vsctl -t 3 add-br br0 || fail "root does not write"
for groups in $writers $nobody,$writers $readers,$writers; do writes $groups || fail "groups $groups do not write"; done
for groups in $readers $nobody,$readers; do
  reads $groups || fail "groups $groups do not read"
  ! writes $groups || fail "groups $groups write"
done
! reads $nobody || fail "a stranger reads"
said=$(as $readers ovs-vsctl -t 3 --no-wait add-br br9 2>&1 || true)
found "permission error" <<<"$said" || fail "what a reader hears: $said"
setpriv --reuid=54300 --regid=$readers --clear-groups ovsdb-client -t 3 monitor "unix:$work/db.sock" Bridge name >"$work/heard" 2>&1 &
wait_until grep -q br0 "$work/heard" || fail "a reader does not monitor"
ovs-vsctl -t 3 add-br br7
wait_until grep -q br7 "$work/heard" || fail "a reader does not hear of changes"

step "every way to change something"
ask() { as $readers /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
s.settimeout(3)
print(s.recv(65536).decode())' "$work/db.sock" "$1"; }
before=$(ovsdb-client -t 5 dump "unix:$work/db.sock" Open_vSwitch Bridge name | sort)
bridges='"table":"Bridge"'
for request in \
  '{"method":"lock","params":["x"],"id":1}' '{"method":"steal","params":["x"],"id":1}' \
  '{"method":"unlock","params":["x"],"id":1}' '{"method":"convert","params":["Open_vSwitch",{}],"id":1}' \
  "{\"method\":\"transact\",\"params\":[\"Open_vSwitch\",{\"op\":\"delete\",$bridges,\"where\":[]}],\"id\":1}" \
  "{\"method\":\"transact\",\"params\":[\"Open_vSwitch\",{\"op\":\"update\",$bridges,\"where\":[],\"row\":{\"fail_mode\":\"secure\"}}],\"id\":1}" \
  "{\"method\":\"transact\",\"params\":[\"Open_vSwitch\",{\"op\":\"mutate\",$bridges,\"where\":[],\"mutations\":[[\"external_ids\",\"insert\",[\"map\",[[\"a\",\"b\"]]]]]}],\"id\":1}" \
  '{"method":"transact","params":["Open_vSwitch",{"op":"insert","table":"QoS","row":{"type":"x"}}],"id":1}'; do
  said=$(ask "$request")
  found "permission error" <<<"$said" || fail "$request: $said"
done
expect "$before" "$(ovsdb-client -t 5 dump "unix:$work/db.sock" Open_vSwitch Bridge name | sort)" "the bridges afterwards"

step "control sockets"
for daemon in ovs-vswitchd ovsdb-server; do
  ctl=$work/$daemon.$(pid_of $daemon).ctl
  control() { as "$1" ovs-appctl -T 3 -t "$ctl" "${@:2}" 2>&1; }
  control $readers memory/show >/dev/null || fail "$daemon: a reader does not see memory/show"
  control $readers list-commands >/dev/null || fail "$daemon: a reader does not see list-commands"
  for command in exit vlog/set vlog/reopen; do
    said=$(control $readers $command || true)
    found "read-only group" <<<"$said" || fail "$daemon: a reader's $command: $said"
  done
  ! control $nobody version >/dev/null || fail "$daemon: a stranger sees the version"
  control $writers vlog/set info >/dev/null || fail "$daemon: a writer does not set log levels"
done

step "readers do not keep writers out"
setpriv --reuid=54300 --regid=$readers --clear-groups /usr/bin/python3 - "$work/db.sock" >"$work/crowd" <<'PY' &
import socket, sys, time
crowd = []
for _ in range(1100):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    crowd.append(s)
print("here", flush=True)
time.sleep(20)
PY
crowd=$!
wait_until grep -q here "$work/crowd" || fail "no crowd"
as $writers ovs-vsctl -t 3 --no-wait list-br >/dev/null || fail "a crowd of readers keeps a writer out"
kill $crowd

step "weir up --read-only-group"
up() { on_switch "$WEIR_BUILD/cli/weir" --rundir="$work/second" --timeout=20 "$@" >/dev/null; }
up up --read-only-group=$readers || fail "weir up"
second() { as "$1" ovs-vsctl -t 3 --db="unix:$work/second/db.sock" --no-wait "${@:2}" >/dev/null 2>&1; }
result=0
second $readers list-br || result="a reader does not read"
! second $readers add-br br0 || result="a reader writes"
! second $nobody list-br || result="a stranger reads"
up down || fail "weir down"
[ "$result" = 0 ] || fail "$result"
