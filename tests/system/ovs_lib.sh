# SPDX-License-Identifier: Apache-2.0
# ovs_lib.sh - Debian's Open vSwitch in a namespace and run directory of its own, for tests that ask a client
# to do the same with both.  Source it after lib.sh, which ends what is started here: it is in a namespace of the test.
ovs_rundir=$work/ovs
ovs_schema=/usr/share/openvswitch/vswitch.ovsschema

in_ovs() { # COMMAND...: where its daemons are.
  ip netns exec "$space-ovs" env OVS_RUNDIR="$ovs_rundir" OVS_LOGDIR="$ovs_rundir" OVS_DBDIR="$ovs_rundir" "$@"
}

start_ovs_database() {
  local tool
  for tool in ovsdb-tool ovsdb-server ovs-vswitchd; do
    command -v $tool >/dev/null || skip "needs $tool"
  done
  [ -r "$ovs_schema" ] || skip "needs $ovs_schema"
  mkdir -p "$ovs_rundir"
  ip netns add "$space-ovs"
  ip -n "$space-ovs" link set lo up
  ovsdb-tool create "$ovs_rundir/conf.db" "$ovs_schema"
  in_ovs ovsdb-server --detach --no-chdir --pidfile "--remote=punix:$ovs_rundir/db.sock" \
    --remote=db:Open_vSwitch,Open_vSwitch,manager_options -vconsole:off "$ovs_rundir/conf.db"
}
start_ovs() {
  start_ovs_database
  in_ovs ovs-vsctl --no-wait init
  in_ovs ovs-vswitchd --detach --no-chdir --pidfile -vconsole:off "unix:$ovs_rundir/db.sock"
}
