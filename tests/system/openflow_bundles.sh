#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What changes nothing leaves no trace: a bundle of 10,000 flows that fails at its end, in both forms of bundles, and a
# table replaced by an equal one.  Counters go on, and what was cached stays cached, in userspace and in the kernel.
#
#     h1 10.6.0.1 -- br0 -- h2 10.6.0.2
#
# WEIR_BUNDLES (default 1) is how often the bundle fails in each version.
. "$(dirname "$0")/lib.sh"
n_flows=10000

start_switch
vsctl add-br br0 -- set-fail-mode br0 secure -- \
  set Bridge br0 protocols=OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15 other_config:mac-aging-time=3600 -- \
  set Open_vSwitch . other_config:max-idle=600000
make_host h1 10.6.0.1 br0 -- set Interface h1 ofport_request=1
make_host h2 10.6.0.2 br0 -- set Interface h2 ofport_request=2
ofctl -O OpenFlow13 add-group br0 group_id=1,type=all,bucket=output:2
ofctl -O OpenFlow13 add-flows br0 - <<'END'
table=0,priority=5,arp,actions=resubmit(,1)
table=0,priority=5,cookie=0x17,in_port=1,icmp,actions=resubmit(,1)
table=0,priority=5,in_port=2,icmp,actions=output:1
table=1,priority=7,icmp,nw_dst=10.6.0.2,actions=group:1
table=1,priority=7,arp,actions=flood
END

# Counters of flows and groups, times left out.
tables() {
  appctl revalidator/wait
  ofctl -O OpenFlow13 dump-flows br0 | sed -E '1d; s/duration=[^ ]+, //; s/(idle|hard)_age=[0-9]+, //g'
  ofctl -O OpenFlow13 dump-group-stats br0 | sed -E '1d; s/duration=[^,]+,//'
  ofctl -O OpenFlow13 dump-groups br0 | sed 1d
}
cached() { appctl dpctl/dump-flows -m | sed -E 's/used:[^ ]+/used/' | sort; }
number() { appctl weir/cache | awk -v n="$1" '$1 == n {print $2; exit}'; } # The first of this name.
kernel_number() { appctl weir/cache | awk -v n="$1" '/^kernel/ {k = 1} k && $1 == n {print $2; exit}'; }
counts() { echo "misses $(number misses), kernel: installed $(kernel_number installed), renewed $(kernel_number renewed)"; }
pings() { on h1 ping -q -f -c 100 10.6.0.2 >/dev/null || fail "h1 does not reach h2"; }
n_pings() { ofctl -O OpenFlow13 dump-flows br0 cookie=0x17/-1 | sed -nE 's/.*n_packets=([0-9]+).*/\1/p'; }

# The neighbours' addresses stay: no ARP disturbs what is compared.
for host in h1 h2; do
  other=$([ $host = h1 ] && echo h2 || echo h1)
  on $host ip neigh replace "10.6.0.${other#h}" dev eth0 nud permanent \
    lladdr "$(ip -n "$space-$other" -o link show eth0 | sed -E 's/.*ether ([^ ]+).*/\1/')"
done
pings
pings
expect 200 "$(n_pings)" "pings of the flow"

# What is there is replaced and deleted, many come, and the last overlaps.
make_failing_bundle() {
  echo "delete table=1"
  echo "modify table=0,actions=drop"
  for ((i = 0; i < n_flows; i++)); do
    echo "add table=$((i % 4)),priority=9,ip,nw_src=10.$((i >> 16)).$((i >> 8 & 255)).$((i & 255)),actions=drop"
  done
  echo "delete table=0,ip"
  echo "add table=2,priority=9,tcp,actions=1"
  echo "add check_overlap,table=2,priority=9,tcp,nw_dst=10.0.0.1,actions=2"
}
make_failing_bundle >"$work/failing"
for version in 13 14 15; do
  step "$n_flows flows in a bundle that fails, OpenFlow 1.${version#1}"
  before=$(tables) cached=$(cached) counts=$(counts)
  for ((round = 0; round < ${WEIR_BUNDLES:-1}; round++)); do
    ! ofctl -O OpenFlow$version --bundle add-flows br0 "$work/failing" 2>"$work/refused" || fail "no error"
    found OFPFMFC_OVERLAP <"$work/refused" || fail "another error: $(cat "$work/refused")"
  done
  expect "$before" "$(tables)" "tables"
  expect "$cached" "$(cached)" "cached flows"
  pings
  expect "$counts" "$(counts)" "what was cached anew"
done
expect 500 "$(n_pings)" "pings of the flow"

replaced_by_equals() { # HOW, COMMAND...: nobody misses, nothing is removed, counters go on.
  local how=$1 cached misses n
  shift
  step "a table replaced by an equal one: $how"
  n=$(n_pings) cached=$(cached) misses=$(number misses)
  ofctl -O OpenFlow14 "$@"
  expect "$n" "$(n_pings)" "pings of the flow"
  appctl revalidator/wait
  expect "$cached" "$(cached)" "cached flows"
  pings
  expect $((n + 100)) "$(n_pings)" "pings of the flow"
  expect "$misses" "$(number misses)" "misses"
}
ofctl -O OpenFlow14 dump-flows --no-stats br0 | sed 's/^ *//' >"$work/equal"
removed=$(kernel_number removed) installed=$(kernel_number installed)
replaced_by_equals "add-flows" add-flows br0 "$work/equal"
replaced_by_equals "add-flows in a bundle" --bundle add-flows br0 "$work/equal"
replaced_by_equals "replace-flows" replace-flows br0 "$work/equal"
replaced_by_equals "mod-flows" mod-flows br0 "table=1,icmp,actions=group:1"
replaced_by_equals "the group" mod-group br0 group_id=1,type=all,bucket=output:2
(echo delete && sed 's/^/add /' "$work/equal") >"$work/anew"
cached=$(cached) misses=$(number misses)
step "a table deleted and added again, in a bundle"
ofctl -O OpenFlow14 --bundle add-flows br0 "$work/anew"
appctl revalidator/wait
expect "$cached" "$(cached)" "cached flows"
pings
expect "$misses" "$(number misses)" "misses"
expect "$removed $installed" "$(kernel_number removed) $(kernel_number installed)" "flows removed from the kernel, installed there"
