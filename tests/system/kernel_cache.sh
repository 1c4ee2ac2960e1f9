#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Flows in the kernel do to frames what they should: addresses and ports are rewritten under partial, complete and
# segmented checksums, tags come and go, TTLs go down, and what cannot be sent is counted.
#
#     h1 10.8.0.1 -- br0 -- h2 10.8.0.2        host: br0 10.8.0.100
. "$(dirname "$0")/lib.sh"
for tool in iperf3 nstat tc ethtool; do
  command -v $tool >/dev/null || skip "needs $tool"
done

start_switch
vsctl add-br br0
make_host h1 10.8.0.1 br0
make_host h2 10.8.0.2 br0
ip -n "$space" link set br0 up
ip -n "$space" addr add 10.8.0.100/24 dev br0
mac_of() { ip -n "$space-$1" -o link show eth0 | sed -E 's/.*ether ([^ ]+).*/\1/'; }
mac1=$(mac_of h1) mac2=$(mac_of h2)
cache() { appctl weir/cache; }
in_kernel() { cache | awk -v p="$1" '$1 == p {print $2}'; } # Frames of a port.
number() { cache | awk -v n="$1" '$1 == n {print $2; exit}'; }

# treats_more PORT COMMAND...: the command succeeds, and most of its frames meet the kernel's cache.
treats_more() {
  local port=$1 before after
  shift
  before=$(in_kernel "$port")
  "$@" || return 1
  after=$(in_kernel "$port")
  [ "$after" -gt $((before + 50)) ] || fail "only $((after - before)) frames of $port were treated by the kernel: $(cache)"
}
many_pings() { on "$1" ping -q -f -c 200 "$2" >/dev/null; }
no_bad_checksums() {
  local host
  for host in h1 h2; do
    expect 0 "$(on $host nstat -asz TcpInCsumErrors | awk '/Csum/ {print $2}')" "bad checksums at $host ($1)"
  done
}
sends_tcp() { [ "$(tcp_mbps "$@")" -gt 10 ]; }

vsctl get Interface h1 status | found 'path=TC' || skip "no BPF here: $(vsctl get Interface h1 status)"

step "from namespace to namespace, and to the host"
treats_more h1 many_pings h1 10.8.0.2 || fail "h1 does not reach h2"
treats_more h1 sends_tcp h1 h2 10.8.0.2 || fail "no TCP from h1 to h2"
treats_more br0 many_pings h1 10.8.0.100 || fail "h1 does not reach the host"
ovs-appctl dpctl/dump-flows type=offloaded | found 'offloaded:yes, dp:tc, actions:' || fail "no offloaded flows are shown"

# What is cached, in the kernel too, is what the tables say.  Flows that are out of date are not compared.
compares_both() {
  answer=$("$WEIR_BUILD/cli/weir" verify 2>&1) || return 0 # There are differences.
  echo "$answer" | found -E '^checked [1-9][0-9]* megaflows, [1-9][0-9]* kernel flows: 0 differences$'
}
is_verified() {
  local answer
  wait_until compares_both || fail "weir verify: $answer"
  echo "$answer" | found ': 0 differences$' || fail "weir verify: $answer"
  echo "   $answer"
}
is_verified
"$WEIR_BUILD/cli/weir" --json verify --sample=1 | found "\"differences\":\\[\\]" || fail "differences as JSON"
"$WEIR_BUILD/cli/weir" verify --sample=few 2>/dev/null && fail "a sample of few"

step "what the kernel has forwarded is counted"
ofctl del-flows br0
ofctl add-flow br0 "in_port=h1,ip,nw_src=10.8.0.1,nw_dst=10.8.0.2,icmp,actions=output:h2" 2>/dev/null ||
  fail "flows by names of ports"
ofctl add-flow br0 "priority=1,actions=normal"
many_pings h1 10.8.0.2 || fail "ping by a flow"
expect 200 "$(ofctl dump-flows br0 icmp | sed -nE 's/.*n_packets=([0-9]+).*/\1/p')" "packets of the flow"

# The address 10.8.0.9 is h2, the port 5999 its 5201.
translate_addresses() { # ETH-TYPE ADDRESS OF-H2 OF-H1
  local kind=$1 virtual=$2 real=$3 from=$4 dst=nw_dst src=nw_src
  [ "$kind" = tcp ] || { dst=ipv6_dst && src=ipv6_src; }
  ofctl add-flow br0 "priority=50,$kind,in_port=h1,$dst=$virtual,tp_dst=5999,actions=set_field:$real->$dst,mod_tp_dst:5201,mod_dl_dst:$mac2,dec_ttl,output:h2"
  ofctl add-flow br0 "priority=50,$kind,in_port=h2,$src=$real,tp_src=5201,$dst=$from,actions=set_field:$virtual->$src,mod_tp_src:5999,mod_dl_dst:$mac1,dec_ttl,output:h1"
}
virtual_tcp() { # OPTION...
  start_iperf on h2
  on h1 timeout 20 iperf3 -t 1 -p 5999 "$@" >"$work/iperf.log" 2>&1 || { cat "$work/iperf.log" && return 1; }
}
step "addresses, ports and TTLs are rewritten: IPv4, IPv6, with every offload and without"
for host in h1 h2; do on $host sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; done
on h1 ip addr add fd00::1/64 dev eth0 nodad
on h2 ip addr add fd00::2/64 dev eth0 nodad
on h1 ip neigh replace 10.8.0.9 lladdr 02:00:00:00:00:99 dev eth0
on h1 ip neigh replace fd00::9 lladdr 02:00:00:00:00:99 dev eth0
translate_addresses tcp 10.8.0.9 10.8.0.2 10.8.0.1
translate_addresses tcp6 fd00::9 fd00::2 fd00::1
for offload in on off; do
  for host in h1 h2; do on $host ethtool -K eth0 tx $offload >/dev/null 2>&1; done
  treats_more h1 virtual_tcp -c 10.8.0.9 || fail "no TCP by a translated address, offloads $offload"
  treats_more h2 virtual_tcp -c fd00::9 -R || fail "no TCP by a translated IPv6 address, offloads $offload"
  no_bad_checksums "offloads $offload"
done
for host in h1 h2; do on $host ethtool -K eth0 tx on >/dev/null 2>&1; done
is_verified
[ "$(number verdicts)" -gt 0 ] || fail "no verdicts in the kernel: $(cache)"

step "a TTL goes down by one, and at one no further"
ofctl del-flows br0 "icmp"
ofctl add-flow br0 "priority=60,icmp,in_port=h1,actions=dec_ttl,output:h2"
treats_more h1 many_pings h1 10.8.0.2 || fail "no ping with dec_ttl"
on h1 ping -q -f -c 30 -t 2 10.8.0.2 >/dev/null || fail "a TTL of two is enough"
on h1 ping -q -c 3 -i 0.05 -W 0.3 -t 1 10.8.0.2 >/dev/null && fail "a frame whose TTL is used up passes"
ofctl del-flows br0 "icmp,in_port=h1"

step "tags come and go: h1 -- br0 ==tagged== br1 -- h2"
ofctl del-flows br0
ofctl add-flow br0 priority=1,actions=normal
ip -n "$space" link add a0 type veth peer name b0
for end in a0 b0; do ip -n "$space" link set $end up; done
vsctl add-br br1 -- set Port h1 tag=10 -- add-port br0 a0 -- set Port a0 vlan_mode=trunk -- \
  del-port br0 h2 -- add-port br1 h2 tag=10 -- add-port br1 b0 -- set Port b0 vlan_mode=trunk
wait_until can_reach h1 10.8.0.2 || fail "h1 does not reach h2 by a trunk"
treats_more b0 many_pings h1 10.8.0.2 || fail "h1 does not reach h2 by a trunk"
treats_more b0 sends_tcp h1 h2 10.8.0.2 || fail "no TCP by a trunk"
treats_more a0 sends_tcp h2 h1 10.8.0.1 || fail "no TCP by a trunk, the other way"
for host in h1 h2; do on $host ethtool -K eth0 tx off >/dev/null 2>&1; done
treats_more b0 sends_tcp h1 h2 10.8.0.2 || fail "no TCP by a trunk without offloads"
for host in h1 h2; do on $host ethtool -K eth0 tx on >/dev/null 2>&1; done
no_bad_checksums "VLANs"
is_verified
vsctl del-br br1 -- del-port br0 a0 -- clear Port h1 tag -- add-port br0 h2
wait_until can_reach h1 10.8.0.2 || fail "h1 does not reach h2, on one bridge again"

step "a third host gets a piece of each frame, super-frames and all"
make_host h3 none br0
ofctl del-flows br0
ofctl add-flow br0 "priority=1,actions=normal"
ofctl add-flow br0 "priority=50,ip,in_port=h1,actions=output(port=$(vsctl get Interface h3 ofport),max_len=80),output:h2"
received() { on h3 cat /sys/class/net/eth0/statistics/rx_{packets,bytes} | xargs; }
read -r packets bytes <<<"$(received)"
treats_more h1 sends_tcp h1 h2 10.8.0.2 || fail "no TCP from h1 to h2 beside a sample of it"
no_bad_checksums "beside a sample"
cut_in_kernel() { appctl dpctl/dump-flows type=offloaded | found 'trunc(80)'; }
wait_until cut_in_kernel || fail "no flow that cuts is in the kernel: $(appctl dpctl/dump-flows)"
set -- $(received)
packets=$(($1 - packets)) bytes=$(($2 - bytes))
[ "$packets" -gt 100 ] && [ "$bytes" -le $((packets * 80)) ] && [ "$bytes" -ge $((packets * 60)) ] ||
  fail "h3 got $bytes bytes in $packets frames of at most 80"
sent_to_h3() { vsctl get Interface h3 statistics:tx_bytes; }
wait_until eval '[ "$(sent_to_h3)" -ge $bytes ]' || fail "of $bytes bytes to h3 are counted $(sent_to_h3)"
[ "$(sent_to_h3)" -le $(($2 + 2000)) ] || fail "of $2 bytes to h3 are counted $(sent_to_h3)"
vsctl del-port h3

step "a flood reaches everybody once"
ofctl add-flow br0 "priority=70,udp,in_port=h1,tp_dst=7777,actions=flood"
on h2 nstat -n
on h1 python3 -c 'import socket
to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(200):
    to.sendto(b"hello", ("10.8.0.2", 7777))'
wait_until eval '[ "$(ofctl dump-flows br0 udp,tp_dst=7777 | sed -nE "s/.*n_packets=([0-9]+).*/\1/p")" = 200 ]' ||
  fail "200 frames flooded: $(ofctl dump-flows br0)"
expect 200 "$(on h2 nstat -z UdpNoPorts | awk '/NoPorts/ {print $2}')" "copies at h2"

step "what the kernel cannot say stays in userspace, and it is counted why"
stays_up() { # REASON MATCH ACTIONS
  local counted
  counted=$(number "$1")
  is_counted() { can_reach h1 10.8.0.2 && [ "$(number "$1")" -gt "$counted" ]; }
  ofctl -O OpenFlow13 add-flow br0 "priority=90,in_port=h1,$2,actions=$3"
  wait_until is_counted "$1" || fail "$2 is not counted as $1: $(cache)"
  "$WEIR_BUILD/cli/weir" --json cache show | python3 -c 'import json, sys
sys.exit(not json.load(sys.stdin)["ineligible"][sys.argv[1]])' "$1" || fail "$1 is not in the JSON of weir cache show"
  ofctl --strict del-flows br0 "priority=90,in_port=h1,$2"
}
stays_up fields "arp,arp_sha=$mac1" normal
stays_up actions icmp controller,normal
# What one port gets is cut, what the next one gets is changed.
stays_up cut icmp "output(port=LOCAL,max_len=80),mod_nw_tos:4,normal"
stays_up too_long icmp "$(for tos in 4 8 12 16 20; do printf 'mod_nw_tos:%d,LOCAL,' $tos; done)mod_nw_tos:0,normal"
ofctl -O OpenFlow13 add-meter br0 meter=1,pktps,band=type=drop,rate=100000
ofctl -O OpenFlow13 add-flow br0 table=5,actions=meter:1,normal
stays_up meter icmp "meter:1,LOCAL,goto_table:5"
treats_more h1 many_pings h1 10.8.0.2 || fail "the kernel does not treat h1's pings again"

step "what nobody uses leaves the kernel's cache"
is_empty() { [ "$(appctl dpctl/dump-flows type=offloaded | wc -l)" = 0 ]; }
expired=$(number expired)
vsctl set Open_vSwitch . other_config:max-idle=300
wait_until is_empty || fail "idle flows stay: $(appctl dpctl/dump-flows type=offloaded)"
wait_until eval '[ "$(number expired)" -gt "$expired" ]' || fail "they are not counted as expired: $(cache)"
vsctl remove Open_vSwitch . other_config max-idle

step "what cannot be sent is dropped for a reason"
drops() { appctl weir/drops h1 | awk -v r="$1" '$2 == r {print $3}'; }
ip -n "$space" link set h2 mtu 1400
on h1 ping -q -c 5 -i 0.05 -W 0.3 -s 1450 -M "do" 10.8.0.2 >/dev/null 2>&1 && fail "a frame beyond the MTU passes"
wait_until eval '[ "$(drops too_long)" -ge 5 ]' || fail "not counted: $(appctl weir/drops h1)"
ip -n "$space" link set h2 mtu 1500

step "entries that go wrong in the kernel's memory are found, and flushed"
make_entries_drop() {
  python3 - "$(pid_of ovs-vswitchd)" <<'END'
import sys
ENTRY, N_ENTRIES, ACTION, DROP = 64, 131072, (1 << 20) - 1, 4095
process, n_damaged = f"/proc/{sys.argv[1]}", 0
for line in open(f"{process}/maps"):
    begin, end = (int(number, 16) for number in line.split()[0].split("-"))
    if "bpf-map" not in line or end - begin != ENTRY * N_ENTRIES:
        continue
    with open(f"{process}/mem", "r+b", buffering=0) as memory:
        memory.seek(begin)
        entries = memory.read(end - begin)
        for at in range(0, len(entries), ENTRY):
            verdict = int.from_bytes(entries[at:at + 8], "little")
            if verdict:
                memory.seek(begin + at)
                memory.write((verdict & ~ACTION | DROP).to_bytes(8, "little"))
                n_damaged += 1
sys.exit(not n_damaged)
END
}
damage_is_found() { # Unless flows are just out of date.
  local status=0
  make_entries_drop || return 1
  "$WEIR_BUILD/cli/weir" verify >"$work/differences" || status=$?
  [ $status = 1 ] && found "icmp.*offloaded:yes, the kernel's copy is another" <"$work/differences"
}
many_pings h1 10.8.0.2 || fail "no ping"
wait_until damage_is_found || fail "not found: $(cat "$work/differences")"
appctl dpctl/del-flows
many_pings h1 10.8.0.2 || fail "no ping after a flush"
is_verified

step "a port says no to the kernel's cache, and yes again"
vsctl set Interface h1 options:fastpath=off
interface_has h1 status:path "exception tap" || fail "the path of h1: $(vsctl get Interface h1 status)"
before=$(in_kernel h1)
many_pings h1 10.8.0.2 || fail "no ping without the cache"
expect "$before" "$(in_kernel h1)" "frames of h1 treated by the kernel while it is off"
vsctl remove Interface h1 options fastpath
treats_more h1 many_pings h1 10.8.0.2 || fail "no ping with the cache again"

step "a filter that somebody removes comes back"
has_filter() { on_switch tc filter show dev "$1" "$2" | found "weir_$2"; }
on_switch tc qdisc del dev h1 clsact
wait_until has_filter h1 ingress || fail "the filter of h1 does not come back"
treats_more h1 many_pings h1 10.8.0.2 || fail "h1 does not reach h2 by the new filter"
on_switch tc filter del dev br0 egress
wait_until has_filter br0 egress || fail "the filter of br0 does not come back"
found 'somebody had removed' <"$work/vswitchd.log" || fail "the log does not tell"

step "somebody else's filter stays"
add_foreign() { on_switch tc filter add dev h2 ingress pref 1 protocol all "$@" action continue 2>/dev/null; }
if add_foreign matchall || add_foreign u32 match u32 0 0 || add_foreign basic; then
  many_pings h1 10.8.0.2 || fail "no ping beside a foreign filter"
  vsctl del-port br0 h2
  on_switch tc filter show dev h2 ingress | found 'pref 1 ' || fail "the foreign filter has gone"
else
  echo "   (this kernel has no classifier to try it with)"
fi
