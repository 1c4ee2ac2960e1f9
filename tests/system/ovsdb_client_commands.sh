#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every command of ovsdb-client(1) against the database.
. "$(dirname "$0")/lib.sh"
command -v ovsdb-client >/dev/null || skip "needs ovsdb-client"

start_database
client() { ovsdb-client -t 10 "$@"; }
vsctl() { ovs-vsctl -t 10 --no-wait "$@"; }
said() { wait_until grep -q "$1" "$work/$2"; }
follow() { # FILE COMMAND...: a client in the background, as process $follower
  local file=$work/$1
  shift
  ovsdb-client "$@" >"$file" 2>&1 &
  follower=$!
}

step "schemas"
expect "$(printf 'Open_vSwitch\n_Server')" "$(client list-dbs)" list-dbs
expect 8.8.0 "$(client get-schema-version)" get-schema-version
client get-schema-cksum >/dev/null || fail get-schema-cksum # Optional, and our schema has none.
client get-schema >"$work/schema"
expect no "$(client needs-conversion "$work/schema")" needs-conversion
sed 's/"version": *"8.8.0"/"version":"8.9.0"/' "$work/schema" >"$work/newer"
expect yes "$(client needs-conversion "$work/newer")" "needs-conversion to a newer schema"
client list-tables | found -x Interface || fail list-tables
client list-columns Open_vSwitch Bridge | found -E '^name +"string"' || fail list-columns

step "contents"
vsctl add-br br0 -- set Bridge br0 external_ids:a=1
client dump Bridge name | found br0 || fail dump
client -f csv dump Open_vSwitch Bridge name | found -x br0 || fail "dump as CSV"
select='["Open_vSwitch", {"op": "select", "table": "Bridge", "where": [], "columns": ["name"]}]'
expect '[{"rows":[{"name":"br0"}]}]' "$(client query "$select")" query
expect '[{"rows":[{"name":"br0"}]}]' "$(client transact "$select")" transact
delete='["Open_vSwitch", {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["bridges", "delete", ["set", []]]]}]'
client query "$delete" >/dev/null || fail "query of a change"
client wait unix:$work/db.sock Open_vSwitch connected 2>/dev/null || fail wait

step "monitors"
for command in "monitor Open_vSwitch Bridge name" 'monitor-cond Open_vSwitch [["name","==","br1"]] Bridge name' \
  'monitor-cond-since Open_vSwitch [["name","==","br1"]] Bridge name'; do
  read -ra words <<<"$command"
  follow monitor "${words[@]}"
  [ "${words[0]}" != monitor ] || said br0 monitor || fail "${words[0]}: first contents"
  wait_until eval "ovs-appctl -t ovsdb-server memory/show | found monitors:[1-9]" || fail "${words[0]} does not begin"
  vsctl add-br br1
  said br1 monitor || fail "${words[0]}: a row that appears"
  vsctl del-br br1
  said delete monitor || fail "${words[0]}: a row that goes"
  kill $follower && wait $follower 2>/dev/null || true
done

step "locks"
follow first lock l
first=$follower
said locked first || fail lock
follow second lock l
second=$follower
sleep 0.2
! grep -q '^locked' "$work/second" || fail "two clients have one lock"
follow third steal l
third=$follower
said locked third || fail steal
said stolen first || fail "the owner does not hear that its lock was stolen"
kill $third && wait $third 2>/dev/null || true
kill $first && wait $first 2>/dev/null || true
said locked second || fail "nobody gets a lock whose owner has gone"
kill $second

step "backup and restore"
client backup >"$work/backup" || fail backup
ovsdb-tool db-name "$work/backup" | found Open_vSwitch || fail "what backup writes is no database file"
client dump >"$work/before"
vsctl del-br br0 -- add-br br9
client restore <"$work/backup" || fail restore
client dump >"$work/after"
same() { sed -E "s/[0-9a-f]{8}-[0-9a-f-]{27}/ROW/g; s/-+/-/g; s/ +/ /g" "$work/$1"; } # Rows get new UUIDs.
expect "$(same before)" "$(same after)" "what restore leaves"
