#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same words to weir and to ovs-vsctl leave the same rows, exit alike and print alike.
#
# What cli_words.txt says and what cli_compare.py makes up; then what only weir says.
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
schema=ovsdb-lite/vswitch.ovsschema
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
  for _ in $(seq 1200); do
    [ -S "$1/db.sock" ] && return
    sleep 0.05
  done
  echo "skipped: $server does not start" && exit 77
}

ours() { timeout 10 "$weir" --rundir="$work/ours" --no-wait "$@"; }

compare() { # MODE [FILE]: the same words to both, compared in every way; see there.
  python3 tests/system/cli_compare.py "$weir" "$work/ours" "$work/theirs" "$@" || fail "compare $1"
  n_checks=$((n_checks + 1))
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

compare words tests/system/cli_words.txt


# Sentences to rely on.
refused "there is no bridge nothing" list-ports nothing
refused "did you mean \"add-port\"" add-prt br0 x
refused "there is no port nothing (--if-exists accepts that)" del-port nothing
refused "port s1-eth1 is on bridge s1, not on br0" del-port br0 s1-eth1
refused "it goes with the bridge" del-port br0
refused "bridge br0 exists already (--may-exist accepts that)" add-br br0
refused "a VLAN must follow" add-br child br0
refused "is not a number from 0 to 4095" add-br child br0 ten
refused "has no settings of its own" add-br f5 br0 5 -- set-fail-mode f5 secure
refused "a bond needs at least two" add-bond br0 bond9 e0
refused "is the only interface of port p0" del-bond-iface p0
refused "is not that of a switch" --database=_Server list-br
refused "exclude each other" --if-exists --id=@x get Port p0
refused "no command creates it" set Port p0 qos=@nothing
refused "blanks, slashes and control characters" add-br ../x
refused "at most 15" add-br 1234567890123456
for name in '%s%n' 'a;b' '$(id)' 'a`b' 'ü'; do refused "is not possible, nor is what is not ASCII" add-br "$name"; done
refused "is not possible, nor is what is not ASCII" add-port br0 'a|b'
refused "must not be empty" add-port br0 ""
refused 'a\x1bb' add-port br0 $'a\x1bb'
refused "timed out: wait-until Port nothing has not come true" -t 0.1 wait-until Port nothing
refused "no database at" --db=unix:/nonexistent list-br
refused "cannot be chained" list-br -- help

# Every command and option of ovs-vsctl is ours, too.
ours --commands >"$work/commands"
ovs-vsctl --commands | while IFS=, read -r options command _; do
  line=$(grep -F ",$command," "$work/commands") || { echo "there is no $command" && continue; }
  for option in $options; do
    [[ ${line%%,*} == *"$option"* ]] || echo "$command has no $option"
  done
done >"$work/missing"
ours --options | sort >"$work/options"
ovs-vsctl --options | sed 's/=ARG/=/; s/ ARG//' | while read -r option; do
  grep -q -- "^${option%=}\([= ]\|$\)" "$work/options" || echo "there is no ${option%=}"
done >>"$work/missing"
n_checks=$((n_checks + 1))
[ ! -s "$work/missing" ] || fail "of ovs-vsctl: $(cat "$work/missing")"

# Words that were not understood: status 2 and a sentence, whatever command, without asking any daemon.
not_understood() { # WORD...
  local status=0
  n_checks=$((n_checks + 1))
  timeout 10 "$weir" --rundir="$work/nowhere" -t 5 "$@" >"$work/out1" 2>"$work/err1" </dev/null || status=$?
  [ $status = 2 ] && grep -q '^weir: ' "$work/err1" && [ ! -s "$work/out1" ] ||
    fail "weir $*: exits with $status: $(cat "$work/out1" "$work/err1")"
}
ones() { for ((i = 0; i < $1; i++)); do echo 1; done; }
while IFS=, read -r _ command arguments; do # One argument too few, one too many; an option it has not.
  read -ra words <<<"$arguments"
  needed=${arguments//[^!+]/}
  not_understood "$command" --no-such-option
  # shellcheck disable=SC2046
  [ -z "$needed" ] || not_understood "$command" $(ones $((${#needed} - 1)))
  case $command,$arguments in *[*+]* | packet-out,* | trace,*) continue ;; esac
  # shellcheck disable=SC2046
  not_understood "$command" $(ones $((${#words[@]} + 1)))
done <"$work/commands"
while read -ra words; do not_understood "${words[@]}"; done <<'WORDS'
no-such-command
help no-such-command
-O OpenFlow16 dump-flows br0
-O 1.3,x dump-flows br0
-F x dump-flows br0
-P x monitor br0
-t x list-br
-f x list-br
-d x list-br
--max-column-width=x list-br
cache show br0
cache kernel br0
fdb show
fdb show br0 x
fdb add br0 p0 1
log set
log list x
db no-such-verb
db dump a b c
flows x br0
flows --interval=x watch br0
flows --count=x watch br0
--sort=x dump-flows br0
--sort --sort=x dump-flows br0
monitor br0 x
monitor br0 65536
mod-port br0 p1 up x
mod-table br0 0 x
mod-table br0 0 vacancy:x
set-frags br0 x
ping br0 x
ping br0 65536
benchmark br0 1 x
queue-stats br0 p1 x
queue-get-config br0 p1 x
packet-out br0 1 2
ofp-print 0
ofp-print 01 xx
verify --sample=x
set-fail-mode br0 x
WORDS

# Under the names of others.
mkdir "$work/names"
for name in ovs-vsctl ovs-appctl; do ln -s "$weir" "$work/names/$name"; done
vsctl() { timeout 10 "$work/names/ovs-vsctl" --db="unix:$work/ours/db.sock" --no-wait "$@"; }
n_checks=$((n_checks + 6))
vsctl --version | sed -n 1p | grep -Eq '^ovs-vsctl .* [0-9]+\.[0-9]+' || fail "version as ovs-vsctl"
vsctl --version | sed -n 2p | grep -Eq '^DB Schema [0-9.]+$' || fail "schema as ovs-vsctl"
vsctl -vconsole:off --timeout=5 --may-exist add-port br0 p0 tag=77 -- get Port p0 tag | grep -qx 77 && fail "ovs-vsctl leaves ports alone"
status=0 && vsctl nonsense 2>"$work/err1" || status=$?
[ $status = 1 ] && grep -q '^ovs-vsctl: ' "$work/err1" || fail "refusal as ovs-vsctl: $status, $(cat "$work/err1")"
status=0 && vsctl br-exists nothing || status=$?
[ $status = 2 ] || fail "br-exists as ovs-vsctl"
vsctl set-manager ptcp:0 -- --may-exist add-br br0 -- set-controller br0 tcp:127.0.0.1:9 -- \
  set-fail-mode br0 secure -- --may-exist add-port br0 p0 tag=5 trunks=7,8 -- set Interface p0 type=patch options:peer=p1
# Ours sorts by name, theirs by UUID: lines are compared with what stands above them.
lineage() { awk '{ depth = match($0, /[^ ]/); above[depth] = $0; line = ""; for (i = 1; i <= depth; i += 4) line = line above[i]; print line }' | sort; }
diff <(vsctl show | lineage) <(ovs-vsctl --db="unix:$work/ours/db.sock" show | lineage) || fail "show as ovs-vsctl"
status=0 && vsctl --timeout=1 wait-until Bridge never 2>"$work/err1" || status=$?
[ $status = $((128 + 14)) ] || fail "a timeout as ovs-vsctl: $status, $(cat "$work/err1")"
appctl() { OVS_RUNDIR=$work/ours timeout 10 "$work/names/ovs-appctl" -T 5 "$@"; }
diff <(appctl -t "$work/ours/ctl" ovsdb-server/list-dbs) <(ovs-appctl -t "$work/ours/ctl" ovsdb-server/list-dbs) ||
  fail "ovs-appctl prints something else"
appctl --target="$work/ours/ctl" nonsense >"$work/out1" 2>"$work/err1"
status1=$?
ovs-appctl --target="$work/ours/ctl" nonsense >"$work/out2" 2>"$work/err2"
[ $status1 = $? ] && cmp "$work/err1" "$work/err2" && [ ! -s "$work/out1" ] || fail "ovs-appctl refuses otherwise"

# What ovs-vsctl has only verbs of records for.
prints() { # EXPECTED WORD...
  local expected=$1 printed
  shift
  n_checks=$((n_checks + 1))
  printed=$(ours "$@" 2>&1) || fail "$*: $printed"
  [ "$printed" = "$expected" ] || fail "$*: expected \"$expected\", got \"$printed\""
}
prints "" add-mirror br0 mx output_port=p0
prints true get Mirror mx select_all
prints "" add-mirror br0 my output-vlan=7 select_src_port=p0,tap0 select_vlan=1-3
prints 'mx,true,,,p0,,
my,false,1 2 3,7,,p0 tap0,' --format=csv --no-headings list-mirrors br0
refused "has a mirror mx already" add-mirror br0 mx output_port=p0
refused "there is no port nothing" add-mirror br0 mz output_port=nothing
refused "has nowhere to send copies to" add-mirror br0 mz select_all=true
refused "has no mirror mz (--if-exists accepts that)" del-mirror br0 mz
prints "" --if-exists del-mirror br0 mz -- del-mirror br0 mx -- del-mirror br0 my
refused "has no QoS" set-queue p0 1 min-rate=5
prints "" set-qos p0 linux-htb max-rate=1000 -- set-queue p0 1 min-rate=5 -- set-queue p0 2 min-rate=6
prints 'port,type,queue,settings
p0,linux-htb,,max-rate=1000
p0,,1,min-rate=5
p0,,2,min-rate=6' --format=csv list-qos p0
prints "" set-queue p0 2 min-rate=9 -- del-queue p0 1
prints 'p0,linux-htb,,max-rate=1000
p0,,2,min-rate=9' --format=csv --no-headings list-qos
refused "has no queue 1" del-queue p0 1
prints "" del-qos p0
prints "" --columns=_uuid find Queue 'other_config:min-rate{in}5,6,9'
prints "" --columns=_uuid find QoS other_config:max-rate=1000

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

compare tables # Leaves nothing of what was there.

echo "$n_checks checks, $n_failed failed"
[ $n_failed = 0 ]
