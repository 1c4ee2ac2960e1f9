#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# weir db: the database as a whole, served by ovsdb-lite; its backups are read by Debian's ovsdb-tool.  No
# vswitchd runs, and root is not needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${WEIR_BUILD:-build/release}")
for program in ovsdb-tool python3 "$build/cli/weir" "$build/ovsdb-lite/ovsdb-lite"; do
  command -v "$program" >/dev/null || { echo "skipped: $program is not here" && exit 77; }
done

work=$(mktemp -d)
cleanup() {
  local status=$?
  trap - EXIT
  for file in "$work"/ovsdb-server.pid "$work"/second/ovsdb-server.pid; do
    [ ! -s "$file" ] || kill "$(cat "$file")"
  done
  rm -rf "$work"
  exit $status
}
trap cleanup EXIT
fail() { echo "FAIL: $*" >&2 && exit 1; }
step() { echo "-- $*"; }
weir() { timeout 20 "$build/cli/weir" --rundir="$work" --no-wait "$@"; }
expect() { [ "$1" = "$2" ] || fail "$3: expected \"$1\", got \"$2\""; }
refused() { # SENTENCE WORD...
  local sentence=$1
  shift
  ! weir "$@" >/dev/null 2>"$work/err" || fail "should be refused: $*"
  grep -qF -- "$sentence" "$work/err" || fail "$*: expected \"$sentence\", got: $(cat "$work/err")"
}
wait_for() { # WORD FILE
  for _ in $(seq 1200); do
    ! grep -q -- "$1" "$2" || return 0
    sleep 0.05
  done
  fail "$2 has no $1: $(cat "$2")"
}

OVS_RUNDIR=$work "$build/ovsdb-lite/ovsdb-lite" "$work/conf.db" --remote="punix:$work/db.sock" --pidfile --detach \
  --no-chdir --log-file="$work/log" -vconsole:off
weir db wait added
weir add-br br0 -- add-port br0 p0 tag=3 -- set Bridge br0 other_config:a='"x y"'
weir -- --id=@q create QoS type=linux-htb queues:0=@q0 -- --id=@q0 create Queue dscp=3 -- set Port p0 qos=@q >/dev/null

step "schema, dump, verbs of records"
weir db list-dbs | grep -q '^Open_vSwitch 8.8.0' || fail list-dbs
weir db schema | python3 -c 'import json, sys; assert json.load(sys.stdin)["tables"]["Bridge"]'
expect "$(weir get Port p0 tag)" "$(weir db get Port p0 tag -- db get Port p0 tag | head -n 1)" "db get"
weir db dump | grep -q '^QoS:' || fail dump
expect '{"Queue":[{"dscp":3}]}' "$(weir --json db dump Queue --columns=dscp)" "dump as JSON"
refused "there is no table Nothing" db dump Nothing
refused "has no such option" db dump --force
refused "is not one of list-dbs" db nothing
refused "usage: weir db transact" db transact
expect 2 "$(weir db dump Queue QoS 2>/dev/null || echo $?)" "exit status of what is not understood"
weir help db | grep -q '^  restore FILE|- .*(--force)$' || fail "help has no verbs"
refused "is not that of a switch" --database=_Server list-br
expect '"Open_vSwitch"' "$(weir --json --database=_Server get Database Open_vSwitch name)" "another database"

step "transact"
select='{"op":"select","table":"Bridge","where":[],"columns":["name"]}'
expect '[{"rows":[{"name":"br0"}]}]' "$(weir db transact "[$select]")" transact
expect '[{"rows":[{"name":"br0"}]}]' "$(weir db transact '["Open_vSwitch",'"$select]")" "transact with a name"
expect '[{"rows":[{"name":"br0"}]}]' "$(echo "$select" | weir db transact -)" "transact from standard input"
expect '[{"count":2}]' "$(weir --dry-run db transact '[{"op":"delete","table":"Port","where":[]}]')" "dry run"
expect p0 "$(weir list-ports br0)" "a dry run changes nothing"
refused "operation 2 (insert Nothing): " db transact "[$select,"'{"op":"insert","table":"Nothing","row":{}}]'
refused "the transaction: referential integrity violation" db transact '[{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["bridges","insert",["uuid","00000000-0000-4000-8000-000000000001"]]]}]'
refused "are for database Other" db transact '["Other"]'
refused "operations: line 1" db transact '[{'

step "backup and restore"
weir db backup "$work/backup"
expect "Open_vSwitch" "$(ovsdb-tool db-name "$work/backup")" "what backup writes"
expect "8.8.0" "$(ovsdb-tool db-version "$work/backup")" "its version"
expect 640 "$(stat -c %a "$work/backup")" "its mode"
cmp <(weir db backup | sed 's/"_date":[0-9]*//; s/ [0-9a-f]\{40\}$//') <(sed 's/"_date":[0-9]*//; s/ [0-9a-f]\{40\}$//' "$work/backup") ||
  fail "backup to standard output"
refused "cannot write $work/none/x" db backup "$work/none/x"
weir --json db dump | sed 's/"cur_cfg":[0-9]*,//' >"$work/before"
weir del-port p0 -- add-port br0 p1 -- --all destroy QoS -- clear Bridge br0 other_config
weir db restore "$work/backup" >/dev/null
ordered() { python3 -c 'import json, sys
print(json.dumps({name: sorted(rows, key=lambda row: row["_uuid"]) for name, rows in json.load(sys.stdin).items()}))'; }
cmp <(weir --json db dump | sed 's/"cur_cfg":[0-9]*,//' | ordered) <(ordered <"$work/before") || fail "restore, UUIDs included"
expect "0 rows added, changed or deleted" "$(weir db restore - <"$work/backup")" "restoring what is there"
refused "cannot be restored" db restore /etc/passwd
sed 's/"8.8.0"/"8.7.9"/' "$work/backup" >"$work/bad"
refused "cannot be restored" db restore "$work/bad"
python3 - "$work" <<'PYTHON'
import hashlib, json, sys
lines = open(sys.argv[1] + "/backup").read().split("\n")
schema = json.loads(lines[1])
schema["version"] = "8.8.9"
def record(value):
    text = json.dumps(value) + "\n"
    return f"OVSDB JSON {len(text)} {hashlib.sha1(text.encode()).hexdigest()}\n{text}"
open(sys.argv[1] + "/newer", "w").write(record(schema) + record(json.loads(lines[3])))
n = 20000
rows = {f"{i:08x}-0000-4000-8000-000000000000": {"dscp": i % 64, "external_ids": ["map", [["n", str(i)]]]} for i in range(n)}
data = json.loads(lines[3])
data["Queue"].update(rows)
open(sys.argv[1] + "/many", "w").write(record(json.loads(lines[1])) + record(data))
for row in rows.values():
    row["external_ids"][1][0][1] = "x" * 1000
open(sys.argv[1] + "/large", "w").write(record(json.loads(lines[1])) + record(data))
PYTHON
refused "the schema of the backup is Open_vSwitch 8.8.9" db restore "$work/newer"
weir db restore --force "$work/newer" >/dev/null
expect "20000 rows added, changed or deleted" "$(weir db restore "$work/many")" "20000 rows"
expect 20001 "$(weir --json db dump Queue --columns=dscp | grep -o dscp | wc -l)" "rows after restoring 20000"
expect "20000 rows added, changed or deleted" "$(weir db restore "$work/backup")" "deleting 20000 rows"

step "a database larger than any transaction"
refused "start ovsdb-lite with a copy of $work/large" db restore "$work/large"
mkdir "$work/second"
cp "$work/large" "$work/second/conf.db"
OVS_RUNDIR=$work/second "$build/ovsdb-lite/ovsdb-lite" "$work/second/conf.db" --remote="punix:$work/second/db.sock" --pidfile \
  --detach --no-chdir --log-file="$work/second/log" -vconsole:off
weir --db="unix:$work/second/db.sock" db check | grep -q ' 2000[0-9] rows in .*, sound' || fail "check of what is large"
weir --db="unix:$work/second/db.sock" db backup "$work/again"
expect "0 rows added, changed or deleted" "$(weir --db="unix:$work/second/db.sock" db restore "$work/large")" "what was opened is what was backed up"
weir db check "$work/again" | grep -q ^sound || fail "backup of what is large"
kill "$(cat "$work/second/ovsdb-server.pid")"

step "compact and check"
weir db compact
weir db check | grep -q sound || fail check
weir db check "$work/conf.db" "$work/backup" | grep -c '^sound' | grep -qx 2 || fail "check of files"
refused "not all of these files are sound" db check /etc/passwd
! weir db check /etc/passwd 2>/dev/null | grep -q repair || fail "check offers to repair what is no database"
refused "timed out: database Open_vSwitch is not removed" -t 0.2 db wait removed

step "monitor"
"$build/cli/weir" --rundir="$work" db monitor Port --columns=name,tag >"$work/text" &
text=$!
"$build/cli/weir" --rundir="$work" --json db monitor --timestamp Port >"$work/json" &
json=$!
wait_for "initial name=p0" "$work/text"
wait_for '"initial"' "$work/json"
weir add-port br0 p9 tag=9
weir set Port p9 tag=8
weir del-port p9
for file in text json; do wait_for delete "$work/$file"; done
grep -q 'insert name=p9 tag=9' "$work/text" || fail "monitor: a new row"
grep -q 'modify tag=9->8' "$work/text" || fail "monitor: a changed row"
grep -q 'delete name=p9 tag=8' "$work/text" || fail "monitor: a row that goes"
python3 -c 'import json, sys
changes = [json.loads(line) for line in open(sys.argv[1])]
assert [c["change"] for c in changes] == ["initial", "initial", "insert", "modify", "delete"], changes
assert changes[3]["old"]["tag"] == 9 and changes[3]["new"]["tag"] == 8 and changes[3]["time"].endswith("Z")' "$work/json" ||
  fail "monitor as JSON"
kill $text && status=0 && wait $text || status=$?
expect 143 "$status" "status of a monitor that a signal ends"
weir -t 0.2 db monitor Bridge >/dev/null || fail "a monitor for some time"
refused "needs the name of a table" db monitor --columns=name
kill "$(cat "$work/ovsdb-server.pid")"
status=0
wait $json 2>"$work/err" || status=$?
expect 1 "$status" "status of a monitor whose server ends"
rm -f "$work/ovsdb-server.pid"
refused "no database at" db list-dbs
echo "PASS: cli_db"
