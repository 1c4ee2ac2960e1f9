#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The database file and other people's: taking over Open vSwitch's, writing one for its tools, and a
# reader made from the description alone.
. "$(dirname "$0")/lib.sh"
for tool in ovsdb-tool ovsdb-server ovsdb-client; do
  command -v $tool >/dev/null || skip "needs $tool"
done
lite=$WEIR_BUILD/ovsdb-lite/ovsdb-lite
their_schema=/usr/share/openvswitch/vswitch.ovsschema
[ -f $their_schema ] || skip "needs $their_schema"
export OVS_RUNDIR=$work

# --- Two servers, one at a time ---------------------------------------------------------------

start_ours() { # FILE [OPTION...]
  "$lite" "$1" "--remote=punix:$work/db.sock" --pidfile --detach --no-chdir "--log-file=$work/ovsdb-lite.log" \
    -vconsole:off "${@:2}"
}
start_theirs() { # FILE
  ovsdb-server "$1" "--remote=punix:$work/db.sock" "--pidfile=$work/ovsdb-server.pid" --detach --no-chdir \
    "--unixctl=$work/ovsdb-server.ctl" "--log-file=$work/ovsdb-server.log" -vconsole:off 2>/dev/null
}
stop() {
  local pid
  pid=$(pid_of ovsdb-server)
  kill "$pid"
  while is_alive "$pid"; do sleep 0.02; done
}
vsctl() { ovs-vsctl -t 10 --no-wait "--db=unix:$work/db.sock" "$@"; }
# Rows and sets in an order of their own.
dump() { ovsdb-client -t 10 -f csv dump "unix:$work/db.sock" "$@" | sort; }

# Every way a column may change, and rows that go.
make_changes() {
  vsctl init
  vsctl add-br br0 -- set Bridge br0 external_ids:a=1 external_ids:b=2 other_config:long="$(printf '%04000d' 7)"
  vsctl add-port br0 p0 tag=5 trunks=1,2,3 -- set Interface p0 'external_ids:name="größer, \\ und \"so\""'
  vsctl set Port p0 trunks=2,3,4 -- set Bridge br0 external_ids:b=3 flood_vlans=1,4095
  vsctl remove Bridge br0 external_ids a -- clear Port p0 tag
  vsctl add-port br0 p1 -- set Port p1 qos=@q -- --id=@q create QoS type=linux-htb other_config:max-rate=1 \
    queues:7=@a queues:9=@b -- --id=@a create Queue dscp=3 -- --id=@b create Queue other_config:min-rate=9
  vsctl -- --id=@m create Mirror name=m0 select_all=true -- set Bridge br0 mirrors=@m
  vsctl set Queue "$(vsctl --bare --columns=_uuid find Queue dscp=3)" dscp=[]
  vsctl del-port p0
  vsctl set-controller br0 tcp:127.0.0.1:6653 -- set Controller br0 controller_rate_limit=100 -- emer-reset
}

step "files of Open vSwitch are taken over with every row"
ovsdb-tool create "$work/theirs.db" $their_schema
start_theirs "$work/theirs.db"
make_changes >/dev/null
if "$lite" "$work/theirs.db" "--rundir=$work/second" 2>"$work/said"; then fail "two servers have one file"; fi
found 'Open vSwitch.s has this database open' <"$work/said" || fail "a locked file: $(cat "$work/said")"
dump >"$work/before"
cp "$work/theirs.db" "$work/log.db"
ovs-appctl -t "$work/ovsdb-server.ctl" ovsdb-server/compact
vsctl add-port br0 p2
dump >"$work/before-compacted"
stop
cp "$work/theirs.db" "$work/compacted.db"
for kind in log compacted; do
  "$lite" check "$work/$kind.db" | found -x sound || fail "check of their $kind file"
  cp "$work/$kind.db" "$work/original"
  start_ours "$work/$kind.db" --schema=$their_schema
  dump >"$work/after"
  before=$work/before
  [ $kind = log ] || before=$work/before-compacted
  cmp "$before" "$work/after" || fail "rows differ after taking over a $kind file"
  vsctl add-port br0 new
  stop
  cmp "$work/original" "$work/$kind.db.ovs" || fail "the old file did not stay"
  start_ours "$work/$kind.db" # Again, and now to our schema.
  expect 8.8.0 "$(ovsdb-client get-schema-version "unix:$work/db.sock")" "schema after taking over"
  expect new "$(vsctl list-ports br0 | grep new)" "a port added after taking over"
  stop
  [ -f "$work/$kind.db.backup-8.3.1" ] || fail "no copy from before the conversion"
done

step "an older schema is brought to ours at once"
cp "$work/log.db.ovs" "$work/older.db"
start_ours "$work/older.db"
expect 8.8.0 "$(ovsdb-client get-schema-version "unix:$work/db.sock")" "schema of an older file"
expect "p1" "$(vsctl list-ports br0)" "ports of an older file"
stop

step "a schema of many years ago: what it lacks begins with defaults, what ours lacks is left out"
python3 - $their_schema "$work/ancient" <<'PYTHON'
import json, sys
schema = json.load(open(sys.argv[1]))
tables = schema["tables"]
schema["version"] = "7.3.0"
del schema["cksum"], tables["AutoAttach"], tables["CT_Timeout_Policy"], tables["CT_Zone"], tables["Datapath"]
for table, columns in {"Open_vSwitch": ["datapaths"], "Bridge": ["auto_attach", "rstp_enable"], "Port": ["protected"],
                       "Interface": ["lldp", "error"]}.items():
    for column in columns:
        del tables[table]["columns"][column]
tables["Bridge"]["columns"]["forgotten"] = {"type": "string"}
tables["Old"] = {"columns": {"x": {"type": "integer"}}, "isRoot": True}
json.dump(schema, open(sys.argv[2], "w"))
PYTHON
ovsdb-tool create "$work/ancient.db" "$work/ancient"
start_theirs "$work/ancient.db"
vsctl init -- add-br br7 -- set Bridge br7 external_ids:kept=yes
ovsdb-client transact "unix:$work/db.sock" '["Open_vSwitch", {"op": "insert", "table": "Old", "row": {"x": 1}},
  {"op": "update", "table": "Bridge", "where": [], "row": {"forgotten": "gone"}}]' >/dev/null
stop
start_ours "$work/ancient.db"
expect 8.8.0 "$(ovsdb-client get-schema-version "unix:$work/db.sock")" "schema of an ancient file"
expect yes "$(vsctl get Bridge br7 external_ids:kept)" "a value of an ancient file"
expect false "$(vsctl get Bridge br7 rstp_enable)" "a column that is new"
found '1 of 5 rows left out' <"$work/ovsdb-lite.log" || fail "rows that have no table any more are not told"
stop

step "what is damaged, unfinished or clustered"
head -c -5 "$work/original" >"$work/torn.db"
start_ours "$work/torn.db"
vsctl br-exists br0 || fail "an unfinished end costs what came before"
found 'was not finished.*left out' <"$work/ovsdb-lite.log" || fail "an unfinished end is not told"
stop
sed 's/br0/br1/' "$work/log.db.ovs" >"$work/damaged.db"
cp "$work/damaged.db" "$work/copy"
if start_ours "$work/damaged.db" 2>"$work/said"; then fail "a damaged file is opened"; fi
cmp "$work/damaged.db" "$work/copy" || fail "a damaged file was changed"
"$lite" check "$work/damaged.db" >"$work/said" && fail "check of a damaged file succeeds"
found 'record [0-9]* at offset' <"$work/said" || fail "check does not say where: $(cat "$work/said")"
"$lite" check --repair "$work/damaged.db" >"$work/said" || fail "repair: $(cat "$work/said")"
cmp "$work/damaged.db.damaged" "$work/copy" || fail "the damaged file did not stay"
"$lite" check "$work/damaged.db" >/dev/null || fail "a repaired file is not sound"
ovsdb-tool -vconsole:off create-cluster "$work/cluster.db" $their_schema tcp:127.0.0.1:6644
if start_ours "$work/cluster.db" 2>"$work/said"; then fail "a clustered database is opened"; fi
found 'clustered database' <"$work/said" || fail "a clustered database: $(cat "$work/said")"

step "a stranger's reader finds the rows that the server has"
start_ours "$work/conf.db"
make_changes >/dev/null
ovsdb-client -t 10 -f json dump "unix:$work/db.sock" >"$work/dump"
python3 "$(dirname "$0")/database_reader.py" "$work/conf.db" "$work/dump" || fail "the description of the file"
ovs-appctl -t ovsdb-server ovsdb-server/compact
python3 "$(dirname "$0")/database_reader.py" "$work/conf.db" "$work/dump" >/dev/null || fail "a rewritten file"
vsctl add-port br0 p9

step "what is exported is a file for ovsdb-tool and ovsdb-server"
dump >"$work/before"
"$lite" export "$work/conf.db" "$work/exported.db" # Under a running server.
stop
tool() { ovsdb-tool "$@"; }
expect Open_vSwitch "$(tool db-name "$work/exported.db")" db-name
expect 8.8.0 "$(tool db-version "$work/exported.db")" db-version
tool db-cksum "$work/exported.db" >/dev/null || fail db-cksum
tool db-is-standalone "$work/exported.db" || fail db-is-standalone
"$lite" export "$work/conf.db" | sed -n 2p >"$work/schema"
expect no "$(tool needs-conversion "$work/exported.db" "$work/schema")" needs-conversion
expect '[{"rows":[{"name":"br0"}]}]' "$(tool query "$work/exported.db" \
  '["Open_vSwitch", {"op": "select", "table": "Bridge", "where": [], "columns": ["name"]}]')" query
tool -m show-log "$work/exported.db" | found 'insert row "br0"' || fail show-log
tool compact "$work/exported.db" "$work/compact.db" || fail compact
"$lite" check "$work/compact.db" | found -x sound || fail "their compacted file"
start_theirs "$work/exported.db"
dump >"$work/after"
stop
cmp "$work/before" "$work/after" || fail "rows differ in their server"
if "$lite" export "$work/conf.db" "$work/exported.db" 2>/dev/null; then fail "export overwrites"; fi
