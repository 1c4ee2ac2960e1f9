#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What "cmake --install" puts under a prefix: programs, pages, units, completion, and links under Open vSwitch's names
# that work from wherever the prefix is.  Root is not needed.
set -euo pipefail
build=$(realpath "${WEIR_BUILD:-$(dirname "$0")/../../build/release}")
for program in cmake ovs-vsctl ovsdb-client; do
  command -v $program >/dev/null || { echo "SKIP: needs $program" && exit 77; }
done

work=$(mktemp -d)
cleanup() {
  local status=$?
  trap - EXIT
  [ ! -s "$work/run/ovsdb-server.pid" ] || kill "$(cat "$work/run/ovsdb-server.pid")"
  rm -rf "$work"
  exit $status
}
trap cleanup EXIT
fail() { echo "FAIL: $*" >&2 && exit 1; }
step() { echo "-- $*"; }

step "files"
cmake --install "$build" --prefix "$work/first" >"$work/said" 2>&1 || fail "$(tail -n 3 "$work/said")"
mv "$work/first" "$work/prefix" # Links must not know where they were made.
prefix=$work/prefix
for file in bin/weir sbin/ovsdb-lite share/man/man8/weir.8 share/man/man8/ovsdb-lite.8 share/weir/vswitch.ovsschema \
  share/bash-completion/completions/weir share/bash-completion/completions/ovsdb-lite lib/systemd/system/weir-ovsdb.service; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done
[ -z "$(find "$prefix" -xtype l)" ] || fail "links that lead nowhere: $(find "$prefix" -xtype l)"
[ -z "$(find "$prefix" ! -type l -perm /022)" ] || fail "others may write: $(find "$prefix" ! -type l -perm /022)"
grep -q "ExecStart=.*$work/first/sbin/ovsdb-lite" "$prefix/lib/systemd/system/weir-ovsdb.service" || fail "the unit starts another program"

step "completion"
completes() { # EXPECTED WORD...
  local expected=$1
  shift
  bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _weir_daemon "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[@]}"' - "$prefix/share/bash-completion/completions/ovsdb-lite" "$prefix/sbin/ovsdb-lite" "$@" >"$work/completed"
  [ "$(cat "$work/completed")" = "$expected" ] || fail "$* becomes: $(cat "$work/completed")"
}
completes "--read-only-group=" --rea
completes "--repair" check --rep
completes "export" ex
completes "TLSv1.3" --ssl-protocols = TLSv1.3
completes "" conf.d

step "under Open vSwitch's names"
names=$prefix/libexec/weir
mkdir "$work/run"
export OVS_RUNDIR=$work/run
"$names/ovsdb-server" "$work/conf.db" --remote="punix:$work/run/db.sock" --pidfile --detach --no-chdir --log-file="$work/log" \
  -vconsole:off
[ "$(ovsdb-client list-dbs "unix:$work/run/db.sock" | grep -v '^_')" = Open_vSwitch ] || fail "ovsdb-server does not serve"
"$names/ovs-vsctl" -t 10 --no-wait add-br br0 -- set-fail-mode br0 secure
[ "$(ovs-vsctl -t 10 get-fail-mode br0)" = secure ] || fail "ovs-vsctl writes something else"
"$names/ovs-appctl" -t ovsdb-server ovsdb-server/list-dbs >"$work/said" && grep -qx Open_vSwitch "$work/said" || fail "ovs-appctl does not ask: $(cat "$work/said")"
for name in ovs-vsctl ovs-appctl ovsdb-server; do
  "$names/$name" --version | head -n 1 | grep -Eq "^$name .* [0-9]+\.[0-9]+" || fail "$name --version: $("$names/$name" --version)"
done
[ ! -e "$prefix/sbin/vswitchd" ] || "$names/ovs-vswitchd" --version | grep -q "^ovs-vswitchd " || fail "ovs-vswitchd --version"

step "weir finds its database server in the prefix"
PATH=/usr/bin:/bin "$prefix/bin/weir" db check "$work/conf.db" | grep -q ^sound || fail "weir db check"
echo "PASS: install"
