#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nonsense at every door: malformed frames on every type of port, lying offload headers from a tap, malformed
# JSON, transactions, control commands and OpenFlow, absurd words on the command line.  The daemons stay the
# same processes, other ports go on, and what was refused was counted.
#
#     h1, h2 (honest)   h3 (hostile)    tap0 (hostile)
#         |                 |               |
#     .---+-----------------+---------------+---.          .-----.
#     |                br0                      +- patch --+ br1 |
#     '---------+---------------------+---------'          '-----'
#           int0 (hostile host)   br0 (hostile host)
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
weir=$WEIR_BUILD/cli/weir
start_switch
vsctl add-br br0 -- add-port br0 int0 -- set Interface int0 type=internal
make_host h1 10.1.1.1 br0
make_host h2 10.1.1.2 br0
make_host h3 10.1.1.3 br0
for device in br0 int0; do ip -n "$space" link set $device up; done
vsctl add-port br0 pa -- set Interface pa type=patch options:peer=pb -- add-br br1 -- \
  add-port br1 pb -- set Interface pb type=patch options:peer=pa -- add-port br1 int1 -- \
  set Interface int1 type=internal
ip -n "$space" link set int1 up
forwarding=$(pid_of ovs-vswitchd)
database=$(pid_of ovsdb-server)

all_is_well() {
  is_alive "$forwarding" || fail "vswitchd died: $1"
  is_alive "$database" || fail "ovsdb-lite died: $1"
  can_reach h1 10.1.1.2 || fail "h1 does not reach h2 any more: $1"
}
all_is_well "before anything"

# Flows that look at everything, so that no field of a frame goes unread.
cat >"$work/flows" <<'FLOWS'
priority=1 actions=NORMAL
priority=10,tcp,tp_dst=80 actions=mod_nw_tos:32,mod_tp_dst:81,NORMAL
priority=10,udp6,tp_dst=53 actions=dec_ttl,NORMAL
priority=10,icmp6,icmp_type=136,nd_target=::9 actions=drop
priority=10,arp,arp_op=2 actions=load:0x5->NXM_NX_REG0[],NORMAL
priority=10,ip,nw_frag=later actions=mod_nw_src:10.0.0.9,NORMAL
priority=10,dl_vlan=20 actions=strip_vlan,NORMAL
priority=10,ip,nw_ttl=1 actions=controller
FLOWS
ofctl add-flows br0 "$work/flows"
grep -v '^priority=1 ' "$work/flows" | ofctl add-flows br1 -

step "malformed frames through a veth, two internal ports, a patch port and a tap"
on h3 python3 "$here/bad_frames.py" device eth0 >/dev/null
all_is_well "frames on a veth"
for device in br0 int0; do
  on_switch python3 "$here/bad_frames.py" device $device >/dev/null
  all_is_well "frames on internal port $device"
done
mkfifo "$work/go"
on_switch python3 "$here/bad_frames.py" tap tap0 <"$work/go" >"$work/sent" &
exec 9>"$work/go"
wait_until ip -n "$space" link show tap0 || fail "no tap"
ip -n "$space" link set tap0 up
vsctl add-port br0 tap0
echo go >&9
wait $!
[ "$(cat "$work/sent")" -gt 1000 ] || fail "the tap sent only $(cat "$work/sent") frames"
all_is_well "frames through a tap"

[ "$(ofctl dump-ports br1 pb | sed -n 's/.*rx pkts=\([0-9]*\).*/\1/p')" -gt 1000 ] || fail "the patch port carried nothing"

step "what was refused was counted, by port and reason"
$weir --json drops >"$work/drops" || fail "weir drops failed"
python3 - "$work/drops" <<'PY' || fail "no drops were counted: $(cat "$work/drops")"
import json, sys
text = json.dumps(json.load(open(sys.argv[1])))
sys.exit(not any(reason in text for reason in ("bad_offload", "too_short", "by_flow", "reserved_multicast")))
PY

step "malformed frames where BPF is not permitted: by AF_PACKET"
crash ovs-vswitchd
on_switch setpriv --bounding-set=-bpf,-sys_admin,-perfmon "$WEIR_BUILD/vswitchd/vswitchd" \
  "unix:$work/db.sock" --pidfile --detach --no-chdir --log-file="$work/vswitchd.log" -vconsole:off
forwarding=$(pid_of ovs-vswitchd)
wait_until interface_has h3 status:path AF_PACKET || fail "h3 goes by $(vsctl get Interface h3 status:path)"
ofctl add-flows br0 "$work/flows"
on h3 python3 "$here/bad_frames.py" device eth0 >/dev/null
all_is_well "frames by AF_PACKET"
vsctl --no-wait --if-exists del-port tap0

step "malformed JSON, transactions, control commands and OpenFlow"
on_switch python3 "$here/bad_clients.py" "$work" br0 || fail "bad clients were not treated well"
all_is_well "bad clients"

step "absurd words on the command line"
long=$(head -c 100000 /dev/zero | tr '\0' a)
refuses() {
  local status=0
  "$weir" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ $status != 0 ] && [ $status -lt 126 ] || fail "weir ${1:0:30} ${2:0:30} ended with $status"
  [ -s "$work/err" ] || fail "weir ${1:0:30} ${2:0:30} said nothing"
}
refuses nonsense
refuses "$long"
refuses add-br "$long"
refuses add-br ../../etc/passwd
refuses add-br 'a/b'
refuses add-br ''
refuses add-br $'new\nline'
refuses add-port nobridge p1
refuses add-port br0
refuses set Bridge br0 no_such_column=1
refuses set Port h1 tag=5000
refuses set Port h1 tag=five
refuses get NoTable x y
refuses add-flow br0 'priority=99999999,actions=drop'
refuses add-flow br0 'actions=fly'
refuses add-flow br0 "$long"
refuses add-flow br0 '%s%n%n'
refuses add-flow no-such-bridge 'actions=drop'
refuses add-flows br0 /no/such/file
refuses trace br0 'in_port=nothing'
refuses --db=unix:/no/such/socket show
all_is_well "absurd words"

step "nothing grew without bound"
rss=$(awk '/^VmRSS/ {print $2}' "/proc/$forwarding/status")
[ "$rss" -lt 300000 ] || fail "vswitchd uses $rss KiB"
rss=$(awk '/^VmRSS/ {print $2}' "/proc/$database/status")
[ "$rss" -lt 300000 ] || fail "ovsdb-lite uses $rss KiB"
