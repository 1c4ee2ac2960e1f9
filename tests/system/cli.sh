#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same words to weir and to ovs-vsctl leave the same rows, exit alike and print alike.
#
#     weir ------> database 1          ovs-vsctl ------> database 2
#                      '--- equal, but for UUIDs ---'
#
# Databases are served by ovsdb-lite, or by Debian's ovsdb-server where that is asked for with
# WEIR_TEST_OVSDB=ovsdb-server.  No vswitchd runs, so nobody changes rows meanwhile; root is not needed.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${WEIR_BUILD:-build/release}")
weir=$build/cli/weir
lite=$build/ovsdb-lite/ovsdb-lite
server=${WEIR_TEST_OVSDB:-$lite}
schema=/usr/share/openvswitch/vswitch.ovsschema
for program in ovs-vsctl ovsdb-client python3 "$weir" "$server"; do
  command -v "$program" >/dev/null || { echo "skipped: $program is not here" && exit 77; }
done

work=$(mktemp -d)
n_checks=0 n_failed=0
cleanup() {
  for pidfile in "$work"/*/ovsdb-server.pid; do
    [ -s "$pidfile" ] && kill "$(cat "$pidfile")"
  done
  wait
  rm -rf "$work"
}
trap cleanup EXIT

fail() {
  n_failed=$((n_failed + 1))
  echo "FAILED: $*"
}

start_database() { # DIRECTORY
  mkdir "$1"
  if [ "$server" != "$lite" ]; then
    ovsdb-tool create "$1/conf.db" $schema
  fi
  OVS_RUNDIR=$1 "$server" "$1/conf.db" --remote="punix:$1/db.sock" \
    --pidfile="$1/ovsdb-server.pid" --unixctl="$1/ctl" --detach --no-chdir --log-file="$1/log" 2>/dev/null
  for _ in $(seq 100); do
    [ -S "$1/db.sock" ] && return
    sleep 0.05
  done
  echo "skipped: $server does not start" && exit 77
}

ours() { timeout 10 "$weir" --rundir="$work/ours" --no-wait "$@"; }
theirs() { timeout 10 ovs-vsctl --db="unix:$work/theirs/db.sock" --no-wait "$@"; }

# Compares everything both databases hold, with what references point to in their place.
cat >"$work/compare.py" <<'PYTHON'
import json, socket, sys

schema = json.load(open(sys.argv[1]))["tables"]

def transact(path, operations):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    request = {"method": "transact", "params": ["Open_vSwitch"] + operations, "id": 0}
    connection.sendall(json.dumps(request).encode())
    answer = b""
    while True:
        answer += connection.recv(1 << 20)
        try:
            return json.loads(answer)["result"]
        except ValueError:
            pass

def contents(path):
    tables = sorted(schema)
    answers = transact(path, [{"op": "select", "table": name, "where": []} for name in tables])
    rows = {row["_uuid"][1]: (name, row) for name, answer in zip(tables, answers) for row in answer["rows"]}

    def resolve(value, depth):
        if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
            return show(value[1], depth + 1)
        if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map"):
            return sorted(json.dumps(resolve(item, depth)) for item in value[1])
        return [resolve(item, depth) for item in value] if isinstance(value, list) else value

    def show(uuid, depth):
        if uuid not in rows or depth > 8:
            return "?"
        name, row = rows[uuid]
        hidden = ("_uuid", "_version", "next_cfg")
        return [name, {column: resolve(row[column], depth) for column in sorted(row) if column not in hidden}]

    return sorted(json.dumps(show(uuid, 0)) for uuid in rows)

ours, theirs = (contents(path + "/db.sock") for path in sys.argv[2:4])
for row in ours:
    if row not in theirs:
        print("  ours:  ", row[:600])
for row in theirs:
    if row not in ours:
        print("  theirs:", row[:600])
sys.exit(ours != theirs)
PYTHON
same_rows() { python3 "$work/compare.py" $schema "$work/ours" "$work/theirs"; }

# Rows come in no particular order, and every UUID is new.
uuids() { sed -E 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g' "$1" | sort; }

same() { # WORD...: the same words to both.
  n_checks=$((n_checks + 1))
  ours "$@" >"$work/out1" 2>"$work/err1"
  local status1=$?
  theirs "$@" >"$work/out2" 2>"$work/err2"
  local status2=$?
  [ $status1 = $status2 ] || fail "weir exits with $status1, ovs-vsctl with $status2: $*: $(cat "$work/err1" "$work/err2")"
  diff <(uuids "$work/out1") <(uuids "$work/out2") || fail "output differs: $*"
  [ $status1 = 0 ] || [ $status1 = 2 ] || [ -s "$work/err1" ] || fail "fails without a word: $*"
  same_rows || fail "rows differ: $*"
}

refused() { # SENTENCE WORD...: weir fails and says so.
  local sentence=$1
  shift
  n_checks=$((n_checks + 1))
  if ours "$@" >/dev/null 2>"$work/err1"; then
    fail "should be refused: $*"
  elif ! grep -qF -- "$sentence" "$work/err1"; then
    fail "$*: expected \"$sentence\", got: $(cat "$work/err1")"
  fi
}

start_database "$work/ours"
start_database "$work/theirs"

# Bridges and ports.
same init
same add-br br0
same add-br br1 -- add-port br1 p1 -- set Interface p1 type=internal
same --may-exist add-br br0
same list-br
same br-exists br0
same add-port br0 p0 tag=5
same add-port br0 p2 trunks=1,2,3 vlan_mode=trunk other_config:priority-tags=if-nonzero
same add-port br0 patch0 -- set Interface patch0 type=patch options:peer=patch1
same --may-exist add-port br0 p0
same list-ports br0
same list-ifaces br0
same port-to-br p1
same iface-to-br p1
same list-ports br1
same --if-exists del-port nothing
same --if-exists del-port br0 nothing
same del-port br1 p1
same del-port p2
same set-fail-mode br0 secure
same get-fail-mode br0
same del-fail-mode br0
same get-fail-mode br0
same set-controller br0 tcp:127.0.0.1:6653 ptcp:6654
same get-controller br0
same set-controller br0 unix:/tmp/x
same del-controller br0
same set-manager ptcp:6640:127.0.0.1
same get-manager
same del-manager
same br-set-external-id br0 color "light blue"
same br-get-external-id br0
same br-get-external-id br0 color
same br-set-external-id br0 color
same del-br br1
same --if-exists del-br br1

# Records.
same set Bridge br0 other_config:hwaddr=02:00:00:00:00:01 other-config:mac-aging-time=15 stp_enable=true
same set Bridge br0 'other_config={a=b, "c d"=e}' protocols=OpenFlow10,OpenFlow13
same set bridge br0 datapath_type=netdev -- get bridge br0 datapath_type other_config:a protocols name
same get Bridge br0 other_config ports stp_enable fail_mode _uuid
same --if-exists get Bridge br0 other_config:none
same set port p0 tag=7 trunks=[1,2,10] -- add port p0 trunks 5 6 -- remove port p0 trunks 1 2
same get port p0 tag trunks
same add port p0 external_ids a=b c=d -- add port p0 external_ids a=z
same remove port p0 external_ids a=wrong c
same get port p0 external_ids
same clear port p0 tag trunks external_ids
same set interface p0 mtu_request=9000 ofport_request=7 'external_ids:attached-mac="02:00:00:00:00:02"' external-ids:iface-status=active
same get interface p0 external_ids:attached-mac mtu_request
same --columns=name,tag,trunks list port
same --columns=name list port p0
same --format=csv --columns=name,mtu_request find interface mtu_request=9000
same --columns=name find port name!=p0 name!=br0
same --columns=name find bridge other_config:a=b
same --columns=name find bridge 'other_config:zzz!=b'
same --columns=name find bridge 'other_config:zzz{!=}b'
same --columns=name find interface 'mtu_request>1500'
same --columns=name find interface 'options:peer{in}patch1,patch2'
same --format=list --data=json --no-headings --columns=external_ids list Interface p0
same --format=table --columns=name,mtu_request list Interface
same --id=@q create QoS type=linux-htb other_config:max-rate=1000 queues:0=@q0 -- --id=@q0 create Queue other_config:min-rate=500 -- set Port p0 qos=@q
same list QoS p0
same clear port p0 qos
same destroy QoS p0
same --if-exists destroy Port nothing
same --all destroy QoS
same --id=@m create Mirror name=m0 select_all=true -- set Bridge br0 mirrors=@m
same get Mirror m0 select_all
same --id=@p get Port p0 -- set Mirror m0 output_port=@p
same clear Bridge br0 mirrors
same --id=@c create Controller 'target="tcp:127.0.0.1"' max_backoff=1000 -- --if-exists del-br s1 -- add-br s1 -- set bridge s1 controller=[@c] other_config:datapath-id=0000000000000001 fail_mode=secure other-config:disable-in-band=true -- add-port s1 s1-eth1 -- set Interface s1-eth1 ofport_request=1
same get Bridge s1 controller
same --may-exist add-port br0 tap0 tag=3 -- set Interface tap0 external-ids:iface-id=x external-ids:vm-id=y
same -t 2 wait-until Bridge s1 fail_mode=secure
same --dry-run del-br s1
same --oneline list-br -- list-ports br0

# What both refuse.
same br-exists nothing
same add-br br0
same del-br nothing
same add-port nothing p9
same add-port br0 s1-eth1
same del-port nothing
same del-port br0 br0
same port-to-br nothing
same get Bridge br0 nothing
same get Bridge nothing name
same get Nothing br0 name
same set Port p0 tag=4096
same set Port p0 tag=word
same set Bridge br0 fail_mode=open
same set Bridge br0 name=other
same get Bridge br0 other_config:nothing
same clear Port p0 name
same find Port 'tag~5'
same add-br br7 -- add-port br7 p0
same list-br

# Sentences to rely on.
refused "there is no bridge nothing" list-ports nothing
refused "did you mean \"add-port\"" add-prt br0 x
refused "there is no port nothing (--if-exists accepts that)" del-port nothing
refused "port s1-eth1 is on bridge s1, not on br0" del-port br0 s1-eth1
refused "it goes with the bridge" del-port br0
refused "bridge br0 exists already (--may-exist accepts that)" add-br br0
refused "are not supported yet" add-br child br0 10
refused "no command creates it" set Port p0 qos=@nothing
refused "blanks, slashes and control characters" add-br ../x
refused "at most 15" add-br 1234567890123456
refused "must not be empty" add-port br0 ""
refused 'a\x1bb' add-port br0 $'a\x1bb'
refused "timed out: wait-until Port nothing has not come true" -t 0.1 wait-until Port nothing
refused "no database at" --db=unix:/nonexistent list-br
refused "cannot be chained" list-br -- help

# JSON is JSON, whatever is asked.
for words in list-br "list Bridge" "list-ports br0" show "get Bridge br0 name ports" "find Port name=p0" \
  "get-controller s1" "br-get-external-id br0" help version "port-to-br p0"; do
  n_checks=$((n_checks + 1))
  # shellcheck disable=SC2086
  ours --json $words | python3 -c 'import json, sys; json.load(sys.stdin)' || fail "not JSON: $words"
done

# Completion offers what is there.
complete_words() { # WORD...: the last one is being typed.
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _weir 2>/dev/null
}
completes() { # CANDIDATE WORD...
  local candidate=$1
  shift
  n_checks=$((n_checks + 1))
  complete_words "$weir" "$@"
  [[ " ${COMPREPLY[*]} " == *" $candidate "* ]] || fail "completion of \"$*\" offers: ${COMPREPLY[*]}"
}
. scripts/completion/weir.bash
export OVS_RUNDIR=$work/ours
completes add-port add-p
completes br0 del-br ""
completes p0 del-port br0 ""
completes s1 add-br x -- del-br s
completes Interface list I
completes p0 set Port ""
completes --may-exist add-br --may
unset OVS_RUNDIR

# Two that write at once do not lose each other's words.
for i in $(seq 20); do
  ours set Bridge br0 "other_config:ours$i=1" &
  ours add-port br0 "race$i" &
done
wait
n_checks=$((n_checks + 1))
[ "$(ours get Bridge br0 other_config | grep -o 'ours' | wc -l)" = 20 ] || fail "keys were lost"
[ "$(ours list-ports br0 | grep -c race)" = 20 ] || fail "ports were lost"

echo "$n_checks checks, $n_failed failed"
[ $n_failed = 0 ]
