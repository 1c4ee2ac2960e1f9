#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's part works on Debian's kernel too, which is older than most: the tests named below (or in
# WEIR_GUEST_TESTS) run as they are in a guest that has this build, these tests and the tools they need.
# WEIR_GUEST_KERNEL=FILE.deb takes another kernel. Processors are emulated: all of it is some 10 times slower.
. "$(dirname "$0")/lib.sh"

tests=${WEIR_GUEST_TESTS:-kernel_parse kernel_actions kernel_equals_tables kernel_switch}
tools=(bash ip tc ss ping ethtool iperf3 sysctl mount umount mktemp grep awk sed seq sleep md5sum cut
  tail head cat kill rm mkdir tr timeout basename dirname ls id sort wc date ps touch uname env ln
  readlink realpath tee true false test cp mv diff nproc stdbuf od dd nsenter pgrep
  ovs-vsctl ovs-appctl ovs-ofctl)

for tool in qemu-system-x86_64 cpio "${tools[@]}"; do
  type -P "$tool" >/dev/null || skip "needs $tool"
done
source=$(cd "$(dirname "$0")/../.." && pwd)
image=$WEIR_BUILD/../guest
[ -z "${WEIR_GUEST_KERNEL:-}" ] || image=$work/image
"$source/scripts/guest" image "$image" >/dev/null 2>&1 || skip "cannot fetch Debian's cloud kernel"

root=$work/root
mkdir -p "$root"/{bin,sbin,proc,sys,dev,tmp,run,lib64,etc,var,modules,usr} "$root$WEIR_BUILD"
ln -s ../bin "$root/usr/bin"

# A program and the libraries it is linked to.
take() { # FILE DIRECTORY-IN-GUEST
  local library
  mkdir -p "$root$2"
  cp -L "$1" "$root$2/"
  for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$root${library%/*}"
    [ -e "$root$library" ] || cp -L "$library" "$root$library"
  done
}
for tool in "${tools[@]}"; do take "$(type -P "$tool")" /bin; done
for program in vswitchd/vswitchd ovsdb-lite/ovsdb-lite cli/weir tests/kernel_parse \
  tests/kernel_actions tests/kernel_equals_tables tests/probe tests/stranger; do
  take "$WEIR_BUILD/$program" "$WEIR_BUILD/${program%/*}"
done
for directory in tests/system tests/fuzz/lib/corpus_flow_fuzz; do
  mkdir -p "$root$source/$directory"
  cp -r "$source/$directory/." "$root$source/$directory/"
done
mkdir -p "$root/usr/share" && cp -r /usr/share/openvswitch "$root/usr/share/" 2>/dev/null || true
cp "$image"/modules/*.ko "$root/modules/"
cp /bin/busybox "$root/bin/busybox"
echo root:x:0:0:root:/:/bin/bash >"$root/etc/passwd"

cat >"$root/init" <<INIT
#!/bin/bash
export PATH=/bin:/sbin HOME=/ WEIR_BUILD=$WEIR_BUILD
mount -t proc none /proc
mount -t sysfs none /sys
mount -t bpf none /sys/fs/bpf
mount -t devtmpfs none /dev
ln -s /proc/self/fd /dev/fd
mount -t tmpfs none /run
ln -s /run /var/run
for module in /modules/*.ko; do busybox insmod \$module; done
mkdir -p /dev/net && [ -e /dev/net/tun ] || busybox mknod /dev/net/tun c 10 200
cd $source
export WEIR_LINK_EVENTS=${WEIR_LINK_EVENTS:-40} WEIR_FRAMES=${WEIR_FRAMES:-1000}
for test in $tests; do
  echo "guest: \$test begins"
  bash tests/system/\$test.sh </dev/null
  echo "guest: \$test ends with \$?"
done
busybox poweroff -f
INIT
chmod 755 "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initrd"

# Without cmpxchg16b, which QEMU 7.2 emulates wrong for kernels from 6.12 on.
timeout 570 qemu-system-x86_64 -accel tcg -cpu qemu64,-cx16 -smp 2 -m 1024 -nodefaults -display none -no-reboot \
  -kernel "$image/vmlinuz" -initrd "$work/initrd" -append "quiet panic=1 console=ttyS0" \
  -serial "file:$work/console.log" || fail "the guest did not end"
tr -d '\r' <"$work/console.log" | sed 's/^/    /'
for test in $tests; do
  found "guest: $test ends with 0" "$work/console.log" || fail "$test fails on Debian's kernel"
done
