#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several databases in one server, that come, go and change their schema while clients are connected.
. "$(dirname "$0")/lib.sh"
command -v ovsdb-client >/dev/null || skip "needs ovsdb-client"

cat >"$work/t.ovsschema" <<'EOF'
{"name": "T", "version": "1.0.0", "tables": {"A": {"isRoot": true, "columns": {
  "name": {"type": "string"}, "n": {"type": "integer"}}}}}
EOF
sed 's/"1.0.0"/"1.1.0"/; s/"n": {"type": "integer"}/"n": {"type": "real"}, "new": {"type": "string"}/' \
  "$work/t.ovsschema" >"$work/t2.ovsschema"
sed 's/"1.0.0"/"1.2.0"/; s/"n": {"type": "integer"}/"n": {"type": "uuid"}/' "$work/t.ovsschema" >"$work/bad.ovsschema"

ovsdb_lite=$WEIR_BUILD/ovsdb-lite/ovsdb-lite
serve() { # FILE...
  "$ovsdb_lite" "$@" "--remote=punix:$work/db.sock" --pidfile --detach --no-chdir \
    --log-file="$work/ovsdb-lite.log" -vconsole:off
}
client() { ovsdb-client -t 10 "$@"; }
appctl() { ovs-appctl -T 10 -t ovsdb-server "$@"; }
refused() { ! appctl "$@" >/dev/null 2>"$work/why"; }
socket=unix:$work/db.sock

step "a file with another schema"
"$ovsdb_lite" create "$work/t.db" "$work/t.ovsschema"
! "$ovsdb_lite" create "$work/t.db" "$work/t.ovsschema" 2>"$work/why" || fail "create overwrites a file"
! "$ovsdb_lite" create "$work/u.db" "$work/nonesuch" 2>"$work/why" || fail "create without a schema"
[ ! -e "$work/u.db" ] || fail "create left a file"
serve "$work/t.db" "$work/conf.db"
expect "$(printf 'Open_vSwitch\nT\n_Server')" "$(client list-dbs)" list-dbs
expect "$(printf 'Open_vSwitch\nT\n_Server')" "$(appctl ovsdb-server/list-dbs)" ovsdb-server/list-dbs
client transact "$socket" '["T", {"op": "insert", "table": "A", "row": {"name": "one", "n": 1}}]' >/dev/null
ovs-vsctl --no-wait add-br br0

step "they go and come"
expect "status: ok" "$(appctl ovsdb-server/get-db-storage-status T)" "storage status"
appctl ovsdb-server/remove-db T
expect "$(printf 'Open_vSwitch\n_Server')" "$(client list-dbs)" "list-dbs after remove-db"
refused ovsdb-server/remove-db T || fail "removed twice"
refused ovsdb-server/remove-db _Server || fail "removed _Server"
refused ovsdb-server/get-db-storage-status T || fail "has a storage status, but is gone"
refused ovsdb-server/add-db "$work/nonesuch.db" || fail "added what is not there"
refused ovsdb-server/add-db "$work/conf.db" || fail "added a second time"
appctl ovsdb-server/add-db "$work/t.db"
client dump "$socket" T A name | found one || fail "rows are gone after add-db"
appctl ovsdb-server/compact T
refused ovsdb-server/compact nonesuch || fail "compacted what is not there"

step "remotes"
mkdir "$work/deep"
expect "punix:$work/db.sock" "$(appctl ovsdb-server/list-remotes)" list-remotes
appctl ovsdb-server/add-remote "punix:$work/deep/more.sock"
appctl ovsdb-server/add-remote db:Open_vSwitch,Open_vSwitch,manager_options
refused ovsdb-server/add-remote db:nonesuch,A,name || fail "a remote of no database"
expect 3 "$(appctl ovsdb-server/list-remotes | wc -l)" "remotes"
client list-dbs "unix:$work/deep/more.sock" >/dev/null || fail "the new remote is deaf"
appctl ovsdb-server/remove-remote "punix:$work/deep/more.sock"
[ ! -S "$work/deep/more.sock" ] || fail "the socket stays"
refused ovsdb-server/remove-remote "punix:$work/deep/more.sock" || fail "removed a remote twice"

step "conversion"
ovsdb-client monitor "$socket" T A name >"$work/monitor" 2>&1 &
follower=$!
wait_until eval "found one <$work/monitor" || fail "the monitor does not begin"
expect yes "$(client needs-conversion "$socket" "$work/t2.ovsschema")" needs-conversion
! client convert "$socket" "$work/bad.ovsschema" 2>"$work/why" || fail "integers became uuids"
found "cannot keep its value" <"$work/why" || fail "the refusal says: $(cat "$work/why")"
expect 1.0.0 "$(client get-schema-version "$socket" T)" "version after a refused conversion"
client convert "$socket" "$work/t2.ovsschema" || fail convert
expect 1.1.0 "$(client get-schema-version "$socket" T)" "version after conversion"
expect no "$(client needs-conversion "$socket" "$work/t2.ovsschema")" "needs-conversion after it"
wait_until eval "! kill -0 $follower 2>/dev/null" || fail "a client that knows nothing of changes stays"
wait $follower 2>/dev/null || true
select='["T", {"op": "select", "table": "A", "where": [], "columns": ["name", "n", "new"]}]'
expect '[{"rows":[{"n":1,"name":"one","new":""}]}]' "$(client query "$socket" "$select")" "the row under the new schema"

step "a restart keeps it"
pid=$(pid_of ovsdb-server)
appctl exit
wait_until eval "! is_alive $pid" || fail "exit does not end it"
serve "$work/t.db" "$work/conf.db"
expect '[{"rows":[{"n":1,"name":"one","new":""}]}]' "$(client query "$socket" "$select")" "the row after a restart"
expect br0 "$(ovs-vsctl list-br)" "the other database"

if command -v strace >/dev/null; then
  step "a conversion whose directory cannot be synced is not acknowledged"
  sed 's/"1.1.0"/"1.2.0"/' "$work/t2.ovsschema" >"$work/t3.ovsschema"
  strace -qq -f -p "$(pid_of ovsdb-server)" -e trace=fsync -e inject=fsync:error=EIO:when=1 2>"$work/strace" &
  tracer=$!
  wait_until grep -q '^TracerPid:[^0]*[1-9]' "/proc/$(pid_of ovsdb-server)/status" || fail "strace does not attach"
  ! client convert "$socket" "$work/t3.ovsschema" 2>"$work/why" || fail "acknowledged without a sync"
  kill $tracer && wait $tracer 2>/dev/null || true
  found INJECTED <"$work/strace" || fail "no fault was injected"
  ! appctl ovsdb-server/get-db-storage-status T | found "status: ok" || fail "the database is not read-only"
  expect br0 "$(ovs-vsctl list-br)" "the other database"
fi

step "managers of a database that is converted away"
appctl ovsdb-server/add-remote db:Open_vSwitch,Open_vSwitch,manager_options
ovs-vsctl --no-wait set-manager "punix:$work/manager.sock"
wait_until test -S "$work/manager.sock" || fail "the manager's socket is missing"
cat >"$work/small.ovsschema" <<'EOF'
{"name": "Open_vSwitch", "version": "9.0.0", "tables": {"Open_vSwitch": {"isRoot": true, "columns": {"x": {"type": "string"}}}}}
EOF
client convert "$socket" "$work/small.ovsschema" || fail "conversion to a small schema"
wait_until eval "[ ! -S $work/manager.sock ]" || fail "the manager's socket stays"
client query "$socket" '["Open_vSwitch", {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["x"]}]' |
  found '"x":""' || fail "the small database does not answer"
