#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole server and a disk that is full, a file that may not grow, a disk that fails to sync, a second
# server, and names that somebody planted.
. "$(dirname "$0")/lib.sh"
lite=$WEIR_BUILD/ovsdb-lite/ovsdb-lite
disk=$work/disk
mkdir "$disk"
unmount() { umount -l "$disk" 2>/dev/null || true; }
trap 'unmount; cleanup' EXIT
mount -t tmpfs -o size=1m none "$disk" || skip "cannot mount a tmpfs"

cat >"$work/schema" <<'SCHEMA'
{"name": "D", "version": "1.0.0", "tables": {"T": {"isRoot": true, "columns": {
  "n": {"type": "integer"}, "text": {"type": "string"}}}}}
SCHEMA
remote=unix:$work/db.sock
start() { # FILE [COMMAND...]: under a command, if any
  local file=$1
  shift
  "$@" "$lite" "$file" --schema="$work/schema" "--remote=punix:$work/db.sock" --pidfile --detach --no-chdir \
    --log-file="$work/ovsdb-lite.log" -vconsole:off
}
stop() {
  local pid
  pid=$(pid_of ovsdb-server) || return 0
  kill "$pid"
  while is_alive "$pid"; do sleep 0.02; done
}
transact() { ovsdb-client -t 10 transact "$remote" "[\"D\", $1]"; }
insert() { transact "{\"op\": \"insert\", \"table\": \"T\", \"row\": {\"n\": $1, \"text\": \"$(printf "%0${2:-10}d" 0)\"}}"; }
count() { ovsdb-client -t 10 -f csv dump "$remote" D T n | tail -n +3 | wc -l; }
holds() { # the rows that were acknowledged, no more and no less
  expect "$acknowledged" "$(count)" "rows ($1)"
}
# Inserts rows until one is refused.
fill() {
  local n answer
  for n in $(seq 1 200); do
    answer=$(insert "$n" 20000)
    if echo "$answer" | found '"error"'; then
      echo "$answer" | found '"I/O error"' || fail "a full disk is told as $answer"
      return
    fi
    acknowledged=$((acknowledged + 1))
  done
  fail "the disk does not fill up"
}

step "a full disk: errors, reads go on, and it works again without a restart"
acknowledged=0
start "$disk/db"
pid=$(pid_of ovsdb-server)
ovsdb-client monitor "$remote" D T n >"$work/monitor" 2>&1 &
follower=$!
fill
[ $acknowledged -gt 5 ] || fail "only $acknowledged rows fit"
holds "when the disk is full"
if ovs-appctl -t ovsdb-server ovsdb-server/compact 2>"$work/said"; then fail "compaction on a full disk succeeds"; fi
found 'No space left' <"$work/said" || fail "compaction: $(cat "$work/said")"
[ ! -e "$disk/db.new" ] || fail "compaction leaves db.new behind"
insert 999 20000 | found '"error"' || fail "a commit on a full disk succeeds"
holds "after compaction failed"
mount -o remount,size=8m "$disk"
insert 500 20000 | found '"uuid"' || fail "there is space again, and a commit fails"
acknowledged=$((acknowledged + 1))
ovs-appctl -t ovsdb-server ovsdb-server/compact || fail "there is space again, and compaction fails"
wait_until grep -q 500 "$work/monitor" || fail "a monitor does not live through a full disk"
expect "$pid" "$(pid_of ovsdb-server)" "process"
kill $follower
crash ovsdb-server
start "$disk/db"
holds "after a crash"
stop
"$lite" check "$disk/db" | found -x sound || fail "the file is not sound"

step "a file that may not grow"
acknowledged=0
start "$disk/limited" prlimit --fsize=65536
fill
holds "at the limit"
crash ovsdb-server
start "$disk/limited"
holds "after a crash at the limit"
insert 1 | found '"uuid"' || fail "a commit without the limit"
stop

step "a file system that becomes read-only"
start "$disk/readonly"
insert 1 >/dev/null
crash ovsdb-server
mount -o remount,ro "$disk"
if start "$disk/readonly" 2>"$work/said"; then fail "a database that cannot be written is opened"; fi
found 'Read-only file system' <"$work/said" || fail "a read-only file system: $(cat "$work/said")"
mount -o remount,rw "$disk"

if command -v strace >/dev/null; then
  step "a sync that fails: nobody is told of what may be lost"
  acknowledged=0
  start "$disk/sync"
  for n in 1 2 3; do insert $n >/dev/null && acknowledged=$((acknowledged + 1)); done
  strace -qq -f -p "$(pid_of ovsdb-server)" -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1 2>"$work/strace" &
  tracer=$!
  wait_until grep -q '^TracerPid:[^0]*[1-9]' "/proc/$(pid_of ovsdb-server)/status" || fail "strace does not attach"
  if insert 4 2>/dev/null; then fail "a transaction whose sync failed is answered"; fi
  found 'INJECTED' <"$work/strace" || fail "no fault was injected"
  insert 5 | found '"I/O error"' || fail "a commit after a failed sync is not refused"
  holds "after a failed sync"
  kill $tracer && wait $tracer 2>/dev/null || true
  crash ovsdb-server
  start "$disk/sync"
  holds "after a failed sync and a restart"
  insert 6 | found '"uuid"' || fail "no commit after a restart"
  stop
fi

step "one server a file; a lock that was left is none"
start "$disk/db"
mkdir "$work/other"
if timeout 5 "$lite" "$disk/db" --rundir="$work/other" 2>"$work/said"; then fail "two servers have one file"; fi
found 'another server has this database open' <"$work/said" || fail "the second server says $(cat "$work/said")"
"$lite" check "$disk/db" | found '^sound' || fail "check of a file that is in use"
if "$lite" check --repair "$disk/db" 2>/dev/null >&2; then fail "repair of a file that is in use"; fi
crash ovsdb-server
[ -f "$disk/db.lock" ] || fail "no lock file"
start "$disk/db" || fail "a lock that a crash left keeps the next server out"
stop

step "a repaired file has the owner and the mode of the damaged one"
cp "$disk/db" "$disk/owned"
printf X | dd of="$disk/owned" bs=1 seek=2000 conv=notrunc status=none
chown 65534:65534 "$disk/owned"
chmod 0604 "$disk/owned"
"$lite" check --repair "$disk/owned" | found '^repaired' || fail "a damaged file is not repaired"
expect '65534 65534 600' "$(stat -c '%u %g %a' "$disk/owned")" "owner and mode"

step "planted links are not followed, a directory may be one"
echo treasure >"$work/treasure"
for suffix in .new .torn.0 .lock ''; do
  cp "$disk/db" "$disk/planted"
  printf 'R 00000' >>"$disk/planted" # So that an end is cut and kept.
  rm -f "$disk"/planted.*
  ln -sf "$work/treasure" "$disk/planted$suffix"
  if start "$disk/planted" 2>/dev/null; then
    [ -n "${suffix#.lock}" ] || fail "planted$suffix: opened"
    ovs-appctl -t ovsdb-server ovsdb-server/compact
    stop
  else
    [ -z "${suffix#.lock}" ] || fail "planted$suffix keeps the server from starting"
  fi
  expect treasure "$(cat "$work/treasure")" "the target of planted$suffix"
  rm -f "$disk/planted$suffix"
done
ln -s "$disk" "$work/link"
start "$work/link/db" || fail "a linked directory"
stop
