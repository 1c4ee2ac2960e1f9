#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The database server as another user: no capabilities, no way to get any, and all that it does still works.
. "$(dirname "$0")/lib.sh"

chmod 755 "$work"
mkdir "$work/logs" "$work/data"
chown nobody "$work/logs" "$work/data"
export OVS_RUNDIR=$work/run
vsctl() { ovs-vsctl -t 10 --no-wait "$@"; }
start() {
  on_switch "$WEIR_BUILD/ovsdb-lite/ovsdb-lite" --pidfile="$work/ovsdb-server.pid" --detach --no-chdir \
    --log-file="$work/logs/ovsdb.log" -vconsole:off "$@" "$work/data/conf.db"
}
has() { found "^$1:[[:space:]]*$2" <"/proc/$(pid_of ovsdb-server)/status" || fail "$1 is not $2"; }

step "--user=nobody"
said=$(start --user=no-such-user 2>&1) && fail "a user that does not exist"
found "there is no user no-such-user" <<<"$said" || fail "what is said: $said"
start --user=nobody --pidfile="$work/run/ovsdb-server.pid" --monitor
pid_of() { cat "$work/run/$1.pid" 2>/dev/null; }
has Uid 65534
for set in CapInh CapPrm CapEff CapBnd CapAmb; do has $set 0000000000000000; done
has NoNewPrivs 1
has Seccomp 2
expect nobody "$(stat -c %U "$work/run")" "whose the run directory is"

step "it works"
vsctl add-br br0
vsctl set-manager ptcp:6640:127.0.0.1
ovs-appctl -T 5 -t ovsdb-server ovsdb-server/compact
ovs-appctl -T 5 -t ovsdb-server vlog/reopen
expect br0 "$(vsctl list-br)" "bridges"
first=$(pid_of ovsdb-server)
crash ovsdb-server
restarted() { [ "$(pid_of ovsdb-server)" != "$first" ] && vsctl list-br; }
wait_until restarted || fail "the monitor does not start it again"
has Uid 65534
has Seccomp 2
expect br0 "$(vsctl list-br)" "bridges after a crash"
ovs-appctl -T 5 -t ovsdb-server exit
wait_until eval '! vsctl list-br' || fail "it does not stop"

step "as root the filter is there, too, unless it is not wanted"
for option in --no-chdir --no-self-confinement; do
  start $option --pidfile="$work/run/ovsdb-server.pid"
  has Seccomp "$([ $option = --no-chdir ] && echo 2 || echo 0)"
  ovs-appctl -T 5 -t ovsdb-server exit
  wait_until eval '! vsctl list-br' || fail "it does not stop"
done
