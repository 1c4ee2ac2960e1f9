#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# weir against a running switch: up, ports, flows, looks inside, crashes, down.
#
#     h1 10.6.0.1 -- br0 -- h2 10.6.0.2
. "$(dirname "$0")/lib.sh"
weir() { on_switch timeout 20 "$WEIR_BUILD/cli/weir" "$@"; }
trap 'status=$?; set +e; weir down >/dev/null 2>&1; (exit $status); cleanup' EXIT
said() { # SENTENCE WORD...: weir fails and says so.
  local sentence=$1
  shift
  if weir "$@" >"$work/said" 2>&1; then fail "should be refused: weir $*"; fi
  found -F -- "$sentence" <"$work/said" || fail "weir $*: expected \"$sentence\", got: $(cat "$work/said")"
}
is_json() { python3 -c 'import json, sys; json.load(sys.stdin)'; }

step "up is idempotent, and down leaves nothing"
weir status >/dev/null && fail "status of a switch that is not there"
said 'start the switch with "weir up"' list-br
said 'start the switch with "weir up"' fdb show br0
weir up | found 'vswitchd started' || fail up
weir up | found 'vswitchd is running' || fail "up twice"
weir status | found -c running || fail status
weir --json up | is_json
weir add-br br0
on_switch ip link show br0 >/dev/null || fail "no device of the bridge"
weir down | found 'vswitchd stopped' || fail down
on_switch ip link show br0 >/dev/null 2>&1 && fail "down leaves the bridge's device"
on_switch ip -o link | found weir && fail "down leaves devices"
ls "$work" | found -E 'sock|mgmt|ctl|pid' && fail "down leaves sockets: $(ls "$work")"
[ "$(weir cleanup)" = "nothing was left behind" ] || fail "cleanup finds: $(weir cleanup)"
weir up >/dev/null
expect br0 "$(weir list-br)" "the configuration after down and up"

step "ports: the change is in effect when the command returns"
make_host h1 10.6.0.1
make_host h2 10.6.0.2
weir add-port br0 h1 -- add-port br0 h2
can_reach h1 10.6.0.2 || fail "h1 does not reach h2"
expect 65 "$(weir add-port br0 nosuch >/dev/null 2>"$work/said"; echo $?)" "exit status of a port that does not work"
found 'port nosuch does not work: .*[Nn]o such device' <"$work/said" || fail "the reason: $(cat "$work/said")"
weir show | found 'error: .*nosuch' || fail "show does not say what is wrong"
weir del-port nosuch
weir show | found 'path: ' || fail "show does not say the path"
weir ports br0 | found 'h1 .* up ' || fail ports
start=$(date +%s%N)
weir set Port h1 external_ids:n=1
[ $((($(date +%s%N) - start) / 1000000)) -lt 500 ] || fail "a change waits too long"

step "flows: the same words to weir and to ovs-ofctl, the same tables"
cat >"$work/flows" <<'FLOWS'
# What stands in here is not important; that both read it alike is.
priority=0,actions=NORMAL
priority=5,tcp,nw_src=10.0.0.0/8,tp_dst=22,actions=drop       # ssh
table=1,cookie=0x12,idle_timeout=60,udp6,ipv6_dst=2001:db8::/32,actions=load:0x5->NXM_NX_REG0[0..7],resubmit(,2)
table=2,in_port=h1,dl_vlan=10,actions=strip_vlan,output:h2
table=2,arp,arp_op=1,dl_dst=ff:ff:ff:ff:ff:ff/01:00:00:00:00:00,actions=FLOOD,CONTROLLER:64

table=3,reg1=0x1/0xff,metadata=7,actions=set_field:10.0.0.9->ip_dst,move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],IN_PORT
table=4,hard_timeout=100,icmp,icmp_type=8,actions=dec_ttl,mod_nw_tos:32,output(port=h2,max_len=100)
FLOWS
# Prerequisites of set_field stand in the match.
sed -i 's/table=3,/table=3,ip,/' "$work/flows"
flows() { sed -E 's/(duration|idle_age|hard_age|n_packets|n_bytes)=[^,]*,? ?//g; s/, *$//' | sort; }
weir add-flows br0 "$work/flows"
weir --no-names dump-flows br0 | flows >"$work/by_weir"
ofctl --no-names dump-flows br0 | grep actions= | flows >"$work/by_ofctl"
diff "$work/by_weir" "$work/by_ofctl" || fail "weir prints flows otherwise than ovs-ofctl"
weir del-flows br0
expect "" "$(weir dump-flows br0)" "flows after del-flows"
ofctl --names add-flows br0 "$work/flows"
weir --no-names dump-flows br0 | flows | diff "$work/by_weir" - || fail "weir adds other flows than ovs-ofctl"
weir --names dump-flows br0 table=2 | found 'in_port=h1' || fail "names of ports"
weir --json dump-flows br0 | is_json
expect 1 "$(weir --json dump-flows br0 table=3 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" filter
weir mod-flows br0 table=2,arp,actions=drop
weir --no-stats dump-flows br0 table=2,arp | found 'actions=drop' || fail mod-flows
weir --strict del-flows br0 table=2,arp,arp_op=1,dl_dst=ff:ff:ff:ff:ff:ff/01:00:00:00:00:00
expect 1 "$(weir dump-flows br0 table=2 | wc -l)" "flows after del-flows --strict"
printf 'delete table=2\nadd table=2,actions=drop\n' | weir add-flows br0 -
expect " table=2, actions=drop" "$(weir --no-stats dump-flows br0 table=2)" "commands in a file"
weir -O OpenFlow13 add-flow br0 table=5,actions=write_metadata:1,goto_table:6
weir -O OpenFlow13 dump-flows br0 table=5 | found 'goto_table:6' || fail "OpenFlow 1.3"
weir dump-aggregate br0 table=5 | found flow_count=1 || fail dump-aggregate
diff <(weir --no-names dump-ports br0 1 | sed 's/=[0-9?]*/=N/g') \
  <(ofctl --no-names dump-ports br0 1 | grep -v ^OFPST | sed 's/=[0-9?]*/=N/g') || fail "dump-ports differs"
diff <(weir dump-ports-desc br0) <(ofctl dump-ports-desc br0 | grep -v ^OFPST) || fail "dump-ports-desc differs"
weir mod-port br0 h1 no-flood
weir dump-ports-desc br0 | found 'config: *NO_FLOOD' || fail mod-port
weir mod-port br0 h1 flood
weir dump-tables br0 | found '^5 ' || fail dump-tables
weir dump-desc br0 | found -i weir || fail dump-desc

step "flows that are wrong are named by line"
said "no such field" add-flow br0 nonsense=1,actions=drop
said "actions" add-flow br0 tcp
said "there is no bridge nosuch" dump-flows nosuch
printf 'ip,actions=drop\n\n# x\nnonsense,actions=drop\n' >"$work/wrong"
said "line 4: nonsense" add-flows br0 "$work/wrong"
weir --no-stats dump-flows br0 | found '^ ip actions=drop' && fail "the line before the wrong one was done"
printf 'table=9,priority=1,ip,actions=drop\ntable=9,check_overlap,priority=1,tcp,actions=drop\n' >"$work/overlap"
said "line 2: the switch refuses the flow: it overlaps" add-flows br0 "$work/overlap"
head -c 100000 /dev/zero | tr '\0' x >"$work/long"
said "line 1: the line has 100000 characters" add-flows br0 "$work/long"
head -c 100 /dev/urandom >"$work/noise"
weir add-flows br0 "$work/noise" 2>/dev/null && fail "noise was taken for flows"
said "NUL" add-flows br0 <(printf 'ip,\0actions=drop\n')
said "No such file" add-flows br0 "$work/nosuch"
said "line 2: the switch refuses the flow: it overlaps" --bundle add-flows br0 <(sed s/9/10/ "$work/overlap")
expect "" "$(weir dump-flows br0 table=10)" "flows of a bundle that was refused"

step "100,000 flows"
awk 'BEGIN { for (i = 0; i < 100000; i++)
  printf "table=20,priority=%d,ip,nw_src=10.%d.%d.%d,actions=output:1\n", i % 1000, i / 65536, i / 256 % 256, i % 256 }' >"$work/many"
start=$(date +%s%N)
weir add-flows br0 "$work/many"
echo "add-flows of 100,000: $((($(date +%s%N) - start) / 1000000)) ms"
weir dump-aggregate br0 table=20 | found flow_count=100000 || fail "not all flows are there"
weir del-flows br0

step "the busiest flows"
weir add-flow br0 priority=5,icmp,actions=NORMAL
weir add-flow br0 priority=6,udp,actions=drop
weir add-flow br0 priority=0,actions=NORMAL
on h1 ping -q -i 0.02 -w 60 10.6.0.2 >/dev/null &
pinging=$!
is_busy() { weir flows watch --once --interval=0.2 --no-names br0 >"$work/busy" && sed -n 3p "$work/busy" | found 'priority=5,icmp actions=NORMAL'; }
wait_until is_busy || fail "flows watch: $(cat "$work/busy")"
sed -n 1p "$work/busy" | found '^3 flows, [12] of them busy: ' || fail "flows watch: $(cat "$work/busy")"
found udp <"$work/busy" && fail "a flow without frames is busy"
expect 2 "$(weir --json flows watch --count=2 --interval=0.1 br0 icmp | python3 -c 'import json, sys
print(sum(json.loads(line)["n_flows"] for line in sys.stdin))')" "flows seen twice by flows watch"
expect 2 "$(weir flows watch --once --interval=0.1 br0 udp | wc -l)" "lines of flows watch without busy flows"
kill $pinging
said "not a number of seconds" flows watch --interval=0 br0
said "is not one of watch" flows top br0
weir del-flows br0

step "looks inside"
said "fdb/show nosuch: no such bridge" fdb show nosuch
said "dump-flows nosuch: no such bridge" cache dump nosuch
said "there is no table Nosuch, only AutoAttach, Bridge" list Nosuch
weir add-flow br0 priority=0,actions=NORMAL
can_reach h1 10.6.0.2 || fail "h1 does not reach h2"
weir fdb show br0 | found "$(on h1 cat /sys/class/net/eth0/address)" || fail "fdb show"
weir fdb stats br0 >/dev/null
weir cache show | found microflow_hits || fail "cache show"
weir cache dump br0 | found actions || fail "cache dump"
weir cache flush
weir fdb flush br0
weir add-flow br0 priority=9,icmp,actions=drop
cannot_reach h1 10.6.0.2 || fail "a flow that drops does not"
weir trace br0 in_port=h1,icmp | found -i drop || fail trace
weir drops | found h1 || fail "drops"
weir coverage | found total || fail coverage
weir memory | found rss || fail memory
weir log set bridge:file:dbg
weir log list | found -E 'bridge .*DBG' || fail "log"
weir call list-commands | found fdb/show || fail call
for words in show ports "fdb show br0" "cache show" "cache dump" drops coverage memory "log list" status \
  "trace br0 in_port=h1,icmp" "dump-ports br0" "dump-ports-desc br0" "dump-tables br0" "dump-desc br0" "call version"; do
  # shellcheck disable=SC2086
  weir --json $words | is_json || fail "not JSON: $words"
done

step "a daemon that crashes comes back"
for daemon in ovs-vswitchd ovsdb-server; do
  before=$(pid_of $daemon)
  kill -9 "$before"
  is_back() { [ -n "$(pid_of $daemon)" ] && [ "$(pid_of $daemon)" != "$before" ] && weir status; }
  wait_until is_back || fail "$daemon is not restarted"
done
wait_until cannot_reach h1 10.6.0.2 || fail "the flow that drops is lost"
weir del-flows br0 icmp
wait_until can_reach h1 10.6.0.2 || fail "h1 does not reach h2 after the crashes"

step "cleanup removes what a switch that was killed for good has left"
said 'stop it first with "weir down"' cleanup
kill_for_good() { # DAEMON: its monitor first, which would start it again.
  local pid
  pid=$(pid_of "$1")
  kill -9 "$(awk '/^PPid/ {print $2}' "/proc/$pid/status")"
  kill -9 "$pid"
  while is_alive "$pid"; do sleep 0.01; done
}
kill_for_good ovs-vswitchd
kill_for_good ovsdb-server
on_switch tc filter show dev h1 ingress | found weir || fail "there is no filter to clean up"
weir --json cleanup >"$work/removed"
for leftover in "filter of device h1" "filter of device h2" "$work/db.sock" "$work/br0.mgmt" "$work/ovs-vswitchd.pid"; do
  found -F "\"$leftover\"" <"$work/removed" || fail "cleanup does not remove $leftover: $(cat "$work/removed")"
done
is_json <"$work/removed"
on_switch tc filter show dev h1 ingress | found weir && fail "cleanup leaves a filter"
expect "nothing was left behind" "$(weir cleanup)" "a second cleanup"
weir up >/dev/null
wait_until can_reach h1 10.6.0.2 || fail "h1 does not reach h2 after cleanup and up"
weir del-br br0
expect "" "$(weir list-br)" list-br
