# SPDX-License-Identifier: Apache-2.0
# reference.sh - a real Open vSwitch beside Weir, to be asked the same; sourced behind lib.sh.
#
#   p1 (1) ---- br0 ---- p2 (2)        in both switches, where nothing is forwarded
#
#   same OFCTL-ARGUMENT...            both print the same
#   same_sorted OFCTL-ARGUMENT...     ... but for the order of lines
#   same_through FILTER OFCTL-ARGUMENT...   ... once the answers went through FILTER
#   with_reference COMMAND...         for the other one only
command -v ovs-vswitchd >/dev/null || skip "needs ovs-vswitchd"
schema=/usr/share/openvswitch/vswitch.ovsschema
[ -r "$schema" ] || skip "needs $schema"

reference=$work/reference
mkdir "$reference"
reference_pids=()
stop_reference() {
  local pid
  for pid in "${reference_pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}
trap 'status=$?; set +e; stop_reference; (exit $status); cleanup' EXIT
with_reference() { OVS_RUNDIR=$reference OVS_LOGDIR=$reference OVS_DBDIR=$reference "$@"; }

# In the background, in the place of the shell, so that killing it kills the program.
start_with_reference() {
  (with_reference exec "$@" </dev/null >"$reference/$1.out" 2>&1) &
  reference_pids+=($!)
}

start_reference() {
  with_reference ovsdb-tool create "$reference/conf.db" "$schema"
  start_with_reference ovsdb-server --remote="punix:$reference/db.sock" --pidfile -vconsole:off \
    "$reference/conf.db"
  wait_until test -S "$reference/db.sock" || fail "no reference database"
  with_reference ovs-vsctl --no-wait init
  start_with_reference ovs-vswitchd --enable-dummy=override --disable-system --pidfile -vconsole:off \
    --unixctl="$reference/vswitchd.ctl" "unix:$reference/db.sock"
  wait_until test -S "$reference/vswitchd.ctl" || fail "no reference switch"
  with_reference vsctl add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure \
    other-config:datapath-id=00000000000000aa
  for i in 1 2; do
    with_reference vsctl add-port br0 p$i -- set interface p$i type=dummy ofport_request=$i
  done
}

start_switch
on_switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
vsctl add-br br0 -- set bridge br0 fail_mode=secure other-config:datapath-id=00000000000000aa
make_host p1 10.1.1.1
make_host p2 10.1.1.2
for i in 1 2; do vsctl add-port br0 p$i -- set interface p$i ofport_request=$i; done
on_switch ip link set br0 up
start_reference

# What differs between any two switches: times, addresses of devices, speeds, counters (hosts speak unasked), the client's
# time stamps and the numbers of its requests; and what Weir does not have.
without_accidents() {
  sed -E 's/xid=0x[0-9a-f]+/xid/g; s/duration=[0-9.]+s/duration/g; s/(hard|idle)_age=[0-9]+, //g;
    s/addr:[0-9a-f:]+/addr/; s/^[0-9T:.-]+Z\|[0-9]+\|//; s/speed: .*/speed/; /^ +current: /d;
    s/ enqueue//g; s/(pkts|packets|bytes|drop|errs|frame|over|crc|coll|max_len)=[0-9?]+/\1/g; s,unix:[^ ]*/,,g;
    /bad table miss config/d; /CUSTOM Statistics/,/tx_q0_packets/d'
}
answer() { { ofctl "$@" 2>&1 || echo "exit status $?"; } | without_accidents; }

same_n=0
same() { same_through cat "$@"; }
same_sorted() { same_through sort "$@"; }
same_through() {
  local ours theirs filter=$1
  shift
  ours=$(answer "$@" | $filter)
  theirs=$(with_reference answer "$@" | $filter)
  same_n=$((same_n + 1))
  [ "$ours" = "$theirs" ] && return
  echo "ovs-ofctl $*" >&2
  diff <(echo "$theirs") <(echo "$ours") | head -n 40 >&2 || true
  fail "the answers differ (< Open vSwitch, > Weir)"
}
