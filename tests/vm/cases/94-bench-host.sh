# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# make bench-host: it refuses a disk that is in use or holds something, and does not write
# to it; it measures, reports, and leaves the machine as it was, also when interrupted.
# timeout: 1800
# kernels: everywhere
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
# For run-l1: this case runs guests.
. "$VM_DIR/guest.sh"

# The module is loaded from memory, as by vm/load.
cp "$VM_DIR/../vhost_doorbell.ko" "$CASE_DIR/"
out=$CASE_DIR/out
log=$CASE_DIR/host.log
settings=(OUT="$out" PROGRAMS=/tmp/bin MODULE="$CASE_DIR/vhost_doorbell.ko"
	GUEST_FIO=/tmp/bin/fio GUEST_KERNEL=/tmp/guest/vmlinux ROUNDS=1 WINDOW=1000
	LOADS=randread:4k:1
	GUEST_APPEND='mitigations=off nokaslr no_timer_check tsc=reliable random.trust_cpu=on cryptomgr.notests')

# host DISK VARIABLE=VALUE...: run it; its output goes to $log
host()
{
	env "${settings[@]}" DISK="$1" "${@:2}" bash "$VM_DIR/../bench/host" >"$log" 2>&1
}

# writes DISK: print the number of writes that the disk had
writes()
{
	awk '{ print $5 }' "/sys/class/block/${1#/dev/}/stat"
}

# --- refusals ---

# refuses DISK PATTERN VARIABLE=VALUE...: does it refuse the disk, with this message and
# without a write? A partition's writes count as the disk's.
refuses()
{
	local device=$1 pattern=$2 status=0 count sum

	shift 2
	count=$(writes "$whole")
	sum=$(sha256sum <"$whole")
	host "$device" "$@" || status=$?
	[ $status -eq 2 ] && grep -q "$pattern" "$log" &&
		[ "$(writes "$whole")" = "$count" ] && [ "$(sha256sum <"$whole")" = "$sum" ] &&
		[ ! -e "$out/report.txt" ] && return
	diag "status $status" "$(tail -n 5 "$log")"
	return 1
}

# owned DISK: hold it open exclusively, as ZFS does; $owner is the process
owned()
{
	python3 -c '
import os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)
open(sys.argv[2], "w").close()
time.sleep(600)' "$1" "$CASE_DIR/owned" &
	owner=$!
	wait_for 30 test -e "$CASE_DIR/owned"
}

refusals()
{
	local part

	whole=$disk
	check 'no disk is named' refuses '' 'DISK= must name'
	check 'a regular file is refused' refuses "$log" 'is not a block device'
	check 'writes need OVERWRITE=1' refuses "$disk" 'OVERWRITE=1 is needed' \
		LOADS=randwrite:4k:1
	blockdev --setro "$disk"
	check 'a read-only disk is refused for writes' refuses "$disk" 'is read-only' \
		OVERWRITE=1
	blockdev --setrw "$disk"

	owned "$disk"
	check 'a disk with an exclusive owner is refused' refuses "$disk" \
		'has an exclusive owner' OVERWRITE=1
	kill "$owner"
	wait "$owner" || :
	tail -f /dev/null 3<"$disk" &
	check 'a disk that a process has open is refused' refuses "$disk" \
		"process $! (tail) has it open" OVERWRITE=1
	kill $!
	dmsetup --noudevsync create bench-holder --table "0 2048 linear $disk 0"
	check 'a disk with a device on it is refused' refuses "$disk" \
		'is a part of dm-[0-9]* (device mapper: bench-holder)' OVERWRITE=1
	dmsetup --noudevsync remove bench-holder

	mkswap "$disk" >/dev/null
	check 'a signature is refused' refuses "$disk" 'a signature: swap'
	swapon "$disk"
	check 'swap is refused' refuses "$disk" 'is used as swap' OVERWRITE=1
	swapoff "$disk"

	mkfs.ext4 -qF "$disk"
	check 'a file system is refused' refuses "$disk" 'a signature: ext4'
	mkdir "$CASE_DIR/mnt"
	mount -o ro "$disk" "$CASE_DIR/mnt"
	check 'a mounted disk is refused' refuses "$disk" "is mounted on $CASE_DIR/mnt" \
		OVERWRITE=1
	umount "$CASE_DIR/mnt"
	unshare -m sh -c "mount -o ro $disk $CASE_DIR/mnt && exec sleep 600" &
	wait_for 30 grep -qs "$CASE_DIR/mnt" "/proc/$!/mountinfo"
	check 'a disk that is mounted in another namespace is refused' refuses "$disk" \
		"is mounted on $CASE_DIR/mnt" OVERWRITE=1
	kill $!
	wait $! || :
	# The namespace goes a moment later.
	wait_for 30 exclusive "$disk"

	wipefs -qa "$disk"
	sgdisk -n 1:2048:+32M "$disk" >/dev/null
	partx -a "$disk" 2>/dev/null || :
	part=$(find "/sys/class/block/${disk#/dev/}/" -maxdepth 2 -name partition)
	part=${part%/partition}
	part=/dev/${part##*/}
	mkfs.ext4 -qF "$part"
	check 'partitions are refused' refuses "$disk" "a partition: ${part#/dev/}"
	mount -o ro "$part" "$CASE_DIR/mnt"
	check 'a disk with a mounted partition is refused' refuses "$disk" \
		"${part#/dev/} is mounted" OVERWRITE=1
	check 'a mounted partition is refused' refuses "$part" "${part#/dev/} is mounted" \
		OVERWRITE=1
	umount "$CASE_DIR/mnt"
	check 'no module was loaded' untouched
}

# --- the machine is left as it was ---

modules()
{
	cut -d ' ' -f 1 /proc/modules | sort | paste -s
}

# untouched: does nothing of the script remain?
untouched()
{
	local rest

	rest=$(
		pgrep -a 'qemu|fio|vhost-doorbell|sample' || :
		find /tmp -maxdepth 1 -name 'bench-host.*'
		grep -l '^hist:' /sys/kernel/tracing/events/raw_syscalls/*/trigger || :
		find /sys/kernel/config/target -mindepth 2 -path '*5000*' 2>/dev/null || :
		diff <(echo "$modules") <(modules) || :
	)
	[ -z "$rest" ] && exclusive "$disk" && return
	diag "$rest"
	return 1
}

# --- measuring ---

# row CLIENT BACKEND: does the page have its row, with IOPS, in the table of that client?
row()
{
	awk -v client="$1" -v name="$2" '
	/ on .*; / { inside = $0 ~ "; " client }
	inside && $1 == name && $2 > 0 { found = 1 }
	END { exit !found }' "$out/report.txt" && return
	diag "$(cat "$out/report.txt")"
	return 1
}

json()
{
	python3 -c '
import json, sys
rows = json.load(open(sys.argv[1]))
assert {(r["client"], r["backend"]) for r in rows} == {
	("host", "bare"), ("guest", "qemu-iouring"), ("guest", "vhost-scsi"),
	("guest", "qsd-iouring"), ("guest", "vhost-doorbell-auto"),
	("emulated", "qsd-iouring"), ("emulated", "vhost-doorbell-auto")}
assert all(r["iops"] > 0 and r["ctxsw_per_req"] is not None for r in rows)
assert all(r["exits_per_req"] > 0 for r in rows if r["client"] == "guest")
ours = [r for r in rows if r["backend"] == "vhost-doorbell-auto"]
assert all(r["daemon_syscalls_per_req"] < 0.1 for r in ours)' "$out/results.json"
}

reads_only()
{
	local count name

	count=$(writes "$disk")
	check 'it measures a disk' host "$disk" \
		BACKENDS='bare qemu-iouring qsd-iouring vhost-scsi vhost-doorbell-auto'
	diag "$(cat "$log")"
	for name in bare qemu-iouring qsd-iouring vhost-scsi vhost-doorbell-auto; do
		check "the page has $name in a guest" row guest $name
	done
	for name in bare qsd-iouring vhost-doorbell-auto; do
		check "the page has $name under the emulated driver" row emulated $name
	done
	check 'the results are JSON' json
	check 'it does not write to the disk' [ "$(writes "$disk")" = "$count" ]
	check 'the page says that network cards are left out' \
		grep -q 'network cards left out' "$out/report.txt"
	check 'the page names the disk' grep -q "^disk  *$disk, " "$out/report.txt"
	check 'it leaves nothing behind' untouched
}

# Are most bytes of the disk's second half not zero?
filled()
{
	[ "$(dd if="$disk" bs=1M skip=40 count=1 status=none | tr -d '\0' | wc -c)" -gt 500000 ]
}

# Without qemu-storage-daemon, with OVERWRITE=1, on a disk with a signature
overwrites()
{
	mkswap "$disk" >/dev/null
	mv /usr/bin/qemu-storage-daemon /usr/bin/away
	check 'it overwrites a disk' host "$disk" OVERWRITE=1 LOADS=randwrite:4k:1 \
		BACKENDS='qsd-iouring vhost-doorbell-auto'
	mv /usr/bin/away /usr/bin/qemu-storage-daemon
	diag "$(cat "$log")"
	check 'the page has the writes of a guest' row guest vhost-doorbell-auto
	check 'the disk was filled' filled
	check 'the page says what is missing' grep -qF \
		'qsd-iouring left out: no qemu-storage-daemon' "$out/report.txt"
	check 'it leaves nothing behind after writes' untouched
}

# interrupted BACKEND SIGNAL STATUS: does it clean up when its guest runs a load?
interrupted()
{
	local status=0

	# Job control, as else the shell has it ignore SIGINT
	set -m
	host "$disk" BACKENDS="$1" CLIENTS=guest WINDOW=60000 &
	set +m
	wait_for 240 grep -qs . "$CASE_DIR"/../bench-host.*/idle
	kill "-$2" -- "-$!"
	wait $! || status=$?
	[ $status -eq "$3" ] && untouched && return
	diag "status $status" "$(cat "$log")" "$(cat "$out"/log/*)"
	return 1
}

[ -w /dev/kvm ] || skip_case 'no KVM in L1'
modprobe -a dm_mod ext4
nullb bench-host size=64
modules=$(modules)
refusals
dd if=/dev/zero of="$disk" bs=1M oflag=direct status=none 2>/dev/null || :
partx -d "$disk" 2>/dev/null || :
reads_only
overwrites
wipefs -qa "$disk"
dd if=/dev/zero of="$disk" bs=1M oflag=direct status=none 2>/dev/null || :
check 'Ctrl-C under a guest on this module leaves nothing' \
	interrupted vhost-doorbell-auto INT 130
check 'so does SIGTERM under a guest on a SCSI target' interrupted vhost-scsi TERM 143
case_end
