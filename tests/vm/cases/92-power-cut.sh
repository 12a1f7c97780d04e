# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A loss of power: what was acknowledged as stable is on the disk. The disk is one of
# dm-log-writes, which logs each write when it is stable. After the load the log is replayed
# up to a mark, as if power had gone then, and each write that was acknowledged as stable
# before that mark must be there: in the emulated driver's blocks at every mark, in files
# after some of the marks and a repair by the file system's journal.
# timeout: 2400
# kernels: everywhere
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

count=300
points=3
[ "${EVERYWHERE:-0}" -eq 0 ] || points=10

dm()
{
	dmsetup --noudevsync "$@"
}

# log_start NAME: make a disk with a log; set $logged to its node
log_start()
{
	nullb "$1-data" size=64 irqmode=2 completion_nsec=50000
	data=$disk
	nullb "$1-log" size=192
	log=$disk
	dm create "$1" --table "0 $(blockdev --getsz "$data") log-writes $data $log"
	logged=/dev/dm-$(dm info -c --noheadings -o minor "$1")
}

# log_end NAME: no more writes; set $log
log_end()
{
	wait_for 20 dm remove "$1" || return
	log=/dev/$1-log
	[ -b "$log" ] || log=/dev/nullb$(cat "/sys/kernel/config/nullb/$1-log/index")
}

image_new()
{
	rm -f "$CASE_DIR/image"
	truncate -s 64M "$CASE_DIR/image"
}

# written FILE: make a file of 1 MiB whose blocks have all been written
written()
{
	dd if=/dev/zero of="$1" bs=1M count=1 oflag=direct conv=fsync status=none
}

# load ARG...: writes and flushes of the emulated driver; each mark in the log names the
# writes that are stable
load()
{
	emulate --rw randwrite --verify --size 1M --depth 8 --count $count --marks cut "$@"
}

# none_lost: at each mark of the log
none_lost()
{
	local status=0 said

	image_new
	said=$(test-replay_log walk "$log" "$CASE_DIR/image") || status=$?
	diag "$said"
	[ $status -eq 0 ] && [[ ! $said =~ ^0\ marks|name\ 0\ writes ]]
}

# blocks NAME DAEMON-ARG... -- ARG...: the emulated driver's load on the disk itself
blocks()
{
	local name=$1 daemon_args=()

	shift
	while [ "$1" != -- ]; do
		daemon_args+=("$1")
		shift
	done
	shift
	log_start cut
	daemon_start --blk-file="$logged" "${daemon_args[@]}"
	check "$name: the load" load "$@"
	check "$name: the daemon ends well" daemon_stop
	log_end cut
}

# some_points: print numbers of marks: some, and the last one
some_points()
{
	local total i

	total=$(test-replay_log list "$log" | grep -c '^[0-9]\|^record-')
	for ((i = 1; i <= points; i++)); do
		echo $((total * i / points))
	done
}

# recovered MARK: replay up to it, and have the journal repair the file system; leave it
# mounted
recovered()
{
	image_new
	test-replay_log replay "$log" "$CASE_DIR/image" "$1" >"$CASE_DIR/replay" &&
		mount -t ext4 -o loop "$CASE_DIR/image" "$CASE_DIR/mnt"
}

# sound: end that, and check the file system
sound()
{
	umount "$CASE_DIR/mnt" || return
	e2fsck -fn "$CASE_DIR/image" >"$CASE_DIR/fsck" 2>&1 && return
	diag "$(cat "$CASE_DIR/fsck")"
	return 1
}

# file_kept MARK: is what marks up to that one name in the file after a loss of power?
file_kept()
{
	local status=0 said

	recovered "$1" || return
	said=$(test-replay_log check "$log" "$CASE_DIR/mnt/file" "$1") || status=1
	diag "mark $1: $said"
	sound && [ $status -eq 0 ]
}

# file NAME COMMAND DAEMON-ARG... -- ARG...: the load on a file that the command makes
file()
{
	local name=$1 make=$2 daemon_args=() mark

	shift 2
	while [ "$1" != -- ]; do
		daemon_args+=("$1")
		shift
	done
	shift
	log_start cut
	mkfs.ext4 -q "$logged"
	mount -t ext4 "$logged" "$CASE_DIR/mnt"
	$make "$CASE_DIR/mnt/file"
	daemon_start --blk-file="$CASE_DIR/mnt/file" "${daemon_args[@]}"
	check "$name: the load" load "$@"
	check "$name: the daemon ends well" daemon_stop
	umount "$CASE_DIR/mnt"
	log_end cut
	for mark in $(some_points); do
		check "$name: nothing is lost at mark $mark" file_kept "$mark"
	done
}

# records_kept MARK MOUNT-COMMAND...: a guest's records
records_kept()
{
	local mark=$1 number status=0

	number=$(test-replay_log list "$log" | sed -n "${mark}s/^record-//p")
	recovered "$mark" || return
	"${@:2}" test-records check "$CASE_DIR/records" "$number" || status=$?
	diag "mark $mark: record $number: status $status"
	sound && [ $status -eq 0 ]
}

# in_image COMMAND...: with the guest's file system, which is in a file
in_image()
{
	local status=0

	mount -t ext4 -o loop "$CASE_DIR/mnt/file" "$CASE_DIR/records" || return
	"$@" || status=$?
	umount "$CASE_DIR/records"
	return $status
}

# on_disk COMMAND...: the guest's file system is on the disk itself
on_disk()
{
	mount --bind "$CASE_DIR/mnt" "$CASE_DIR/records" || return
	"$@" || { umount "$CASE_DIR/records"; return 1; }
	umount "$CASE_DIR/records"
}

# guest_writes SERIAL COUNT: a mark after each record that the guest has acknowledged
guest_writes()
{
	local i last=0

	while read -r i; do
		dm message "$1" 0 mark "record-$i"
		last=$i
	done < <(guest_run -t 120 "mount -t ext4 /disk/$1 /mnt && records write /mnt $2")
	diag "$1: $last records"
	[ "$last" = "$2" ] && guest_run 'umount /mnt'
}

module_load
modprobe dm-log-writes || skip_case "this kernel has no dm-log-writes"
modprobe loop 2>/dev/null || :
mkdir "$CASE_DIR/mnt" "$CASE_DIR/records"

# --- the emulated driver ---

for mode in inline worker auto poll; do
	for ring in '' --packed; do
		name="$mode, ${ring:---split}"
		blocks "$name" --mode=$mode -- --flush-every 5 $ring
		check "$name: nothing is lost" none_lost
		blocks "$name, no flushes" --mode=$mode -- --features flush=off $ring
		check "$name, no flushes: nothing is lost" none_lost
		blocks "$name, write cache off" --mode=$mode --features=config_wce=on -- \
			--writethrough $ring
		check "$name, write cache off: nothing is lost" none_lost
	done
	file "$mode, a file" 'fallocate -l 1M' --mode=$mode -- --flush-every 5
	file "$mode, a sparse file, no flushes" 'truncate -s 1M' --mode=$mode -- \
		--features flush=off
	# The module may submit these writes as stable ones, and leave flushes out.
	file "$mode, overwrites" written --mode=$mode -- --flush-every 1
	file "$mode, overwrites, write-through" written --mode=$mode \
		--cache=writethrough --
done

# This check can fail: the block layer drops all flushes of such a disk, and FUA, but the
# driver gets its acknowledgements.
liar()
{
	log_start cut
	echo 'write through' >"/sys/block/${logged##*/}/queue/write_cache"
	daemon_start --blk-file="$logged" --features=flush=on,config_wce=on
	load "$@" && daemon_stop && log_end cut
}
check "a disk that lies: the load" liar --flush-every 5
check_fails "a disk that lies: the replay finds lost writes" none_lost
check "a disk that lies, no flushes: the load" liar --features flush=off
check_fails "a disk that lies, no flushes: the replay finds lost writes" none_lost
check "a disk that lies, write cache off: the load" liar --writethrough
check_fails "a disk that lies, write cache off: the replay finds lost writes" none_lost

# --- a guest's file systems ---

log_start raw
mkfs.ext4 -q "$logged"
disk_start raw "$logged" --serial=raw
disk_attach raw num-queues=1
log_start image
mkfs.ext4 -q "$logged"
mkdir "$CASE_DIR/host"
mount -t ext4 "$logged" "$CASE_DIR/host"
truncate -s 32M "$CASE_DIR/host/file"
mkfs.ext4 -q "$CASE_DIR/host/file"
disk_start image "$CASE_DIR/host/file" --serial=image
disk_attach image num-queues=1
guest_programs records
guest_start "${disks[@]}"
disk_links
records=20
check "a guest writes records to a disk" guest_writes raw $records
check "a guest writes records to a file" guest_writes image $records
guest_stop
check "the disk's daemon ends well" disk_stop raw
check "the file's daemon ends well" disk_stop image
umount "$CASE_DIR/host"
log_end raw
for mark in $(some_points); do
	check "a guest's disk: no record is lost at mark $mark" records_kept "$mark" on_disk
done
log_end image
for mark in $(some_points); do
	check "a guest's file: no record is lost at mark $mark" records_kept "$mark" in_image
done
case_end
