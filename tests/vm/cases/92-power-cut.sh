# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A loss of power: what was acknowledged as stable is on the disk. The disk is one of
# dm-log-writes, which logs each write when it is stable. After the load the log is replayed
# up to a mark, as if power had gone then, and each write that was acknowledged as stable
# before that mark must be there: in the emulated driver's blocks at every mark, in files
# after some of the marks and a repair by the file system's journal. Files lie on a SCSI disk
# over that disk, since the module submits stable writes only over a queue of requests.
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

# log_start NAME [FS-TYPE]: make a disk with a log, perhaps with a file system that the log
# does not have; set $logged to its node. $base is the image that the replay begins with.
log_start()
{
	local size=64

	# The least for xfs
	[ "${2:-}" != xfs ] || size=320
	nullb "$1-data" size=$size irqmode=2 completion_nsec=50000
	data=$disk
	base=
	if [ "${2:-}" ]; then
		"mkfs.$2" -q "$data"
		base=$CASE_DIR/base
		cp --sparse=always "$data" "$base"
	fi
	nullb "$1-log" size=192
	log=$disk
	dm create "$1" --table "0 $(blockdev --getsz "$data") log-writes $data $log"
	logged=/dev/dm-$(dm info -c --noheadings -o minor "$1")
}

target=/sys/kernel/config/target

# scsi_disk: print the name of the disk that the target has made
scsi_disk()
{
	grep -ls '^LIO-ORG' /sys/block/sd*/device/vendor | sed 's,/sys/block/\([^/]*\)/.*,\1,'
}

scsi_found()
{
	[ "$(scsi_disk)" ] && [ -b "/dev/$(scsi_disk)" ]
}

# scsi_start NODE: put a SCSI disk over it, with its cache; set $scsi to the disk's node
scsi_start()
{
	local tpg=$target/loopback/naa.5001405000000092/tpgt_1

	modprobe -a sd_mod target_core_mod target_core_iblock tcm_loop || return
	mkdir -p $target/core/iblock_92/cut
	echo "udev_path=$1" >$target/core/iblock_92/cut/control
	echo 1 >$target/core/iblock_92/cut/enable
	mkdir -p $tpg/lun/lun_0
	echo naa.5001405000000093 >$tpg/nexus
	ln -s $target/core/iblock_92/cut $tpg/lun/lun_0/cut
	wait_for 30 scsi_found || return
	scsi=/dev/$(scsi_disk)
	[ "$(cat "/sys/block/$(scsi_disk)/queue/fua")" = 1 ]
}

scsi_end()
{
	local tpg=$target/loopback/naa.5001405000000092/tpgt_1

	rm $tpg/lun/lun_0/cut
	rmdir $tpg/lun/lun_0 $tpg ${tpg%/*}
	rmdir $target/core/iblock_92/cut $target/core/iblock_92
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
	if [ "$base" ]; then
		cp --sparse=always "$base" "$CASE_DIR/image"
	else
		truncate -s 64M "$CASE_DIR/image"
	fi
}

# written FILE: make a file of 1 MiB whose blocks have all been written
written()
{
	dd if=/dev/zero of="$1" bs=1M count=1 oflag=direct conv=fsync status=none
}

# patchy FILE: make a file of 1 MiB of which some blocks are written, some are allocated only,
# and some are holes
patchy()
{
	local i

	written "$1"
	for ((i = 0; i < 992; i += 48)); do
		fallocate --punch-hole -o ${i}K -l 16K "$1"
		fallocate --zero-range -o $((i + 24))K -l 8K "$1"
	done
	sync "$1"
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

fs=ext4

# recovered MARK: replay up to it, and have the journal repair the file system; leave it
# mounted
recovered()
{
	image_new
	test-replay_log replay "$log" "$CASE_DIR/image" "$1" >"$CASE_DIR/replay" &&
		mount -t "$fs" -o loop "$CASE_DIR/image" "$CASE_DIR/mnt"
}

# sound: end that, and check the file system
sound()
{
	local fsck=(e2fsck -fn)

	[ "$fs" = ext4 ] || fsck=(xfs_repair -n)
	umount "$CASE_DIR/mnt" || return
	"${fsck[@]}" "$CASE_DIR/image" >"$CASE_DIR/fsck" 2>&1 && return
	diag "$(cat "$CASE_DIR/fsck")"
	return 1
}

# file_kept MARK: is what marks up to that one name in the file after a loss of power?
file_kept()
{
	local status=0 said

	recovered "$1" || return
	said=$(test-replay_log "${block[@]}" check "$log" "$CASE_DIR/mnt/file" "$1") || status=1
	diag "mark $1: $said"
	sound && [ $status -eq 0 ]
}

# Options of replay_log: the size of the driver's blocks
block=()

# flushes: how many the disk of the file has served
flushes()
{
	awk '{ print $16 }' "/sys/block/${scsi#/dev/}/stat"
}

# file_load COMMAND DAEMON-ARG... -- ARG...: the load on a file that the command makes
file_load()
{
	local make=$1 daemon_args=() was

	shift
	while [ "$1" != -- ]; do
		daemon_args+=("$1")
		shift
	done
	shift
	log_start cut $fs
	scsi_start "$logged" || return
	[ ! "$liar" ] || echo 'write through' >"/sys/block/${scsi#/dev/}/queue/write_cache"
	mount -t $fs "$scsi" "$CASE_DIR/mnt"
	$make "$CASE_DIR/mnt/file"
	daemon_start --blk-file="$CASE_DIR/mnt/file" "${daemon_args[@]}"
	was=$(flushes)
	check "$name: the load" load "$@"
	diag "$name: $(($(flushes) - was)) flushes of the disk"
	check "$name: the daemon ends well" daemon_stop
	umount "$CASE_DIR/mnt"
	scsi_end && log_end cut
}

liar=

# file NAME COMMAND DAEMON-ARG... -- ARG...: that, and a loss of power at some marks
file()
{
	local name=$1 mark

	shift
	if ! file_load "$@"; then
		not_ok "$name: the disk"
		return
	fi
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

base=
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

# Blocks that have not been written, or are not allocated: the file system makes such a write
# stable in another way than an overwrite, and the flushes after both kinds are mixed.
all=$points
points=2
for n in 1 2 3 4; do
	file "flush every $n, a file" 'fallocate -l 1M' --mode=inline -- --flush-every $n
	file "flush every $n, a sparse file" 'truncate -s 1M' --mode=inline -- --flush-every $n
done
for n in 1 3; do
	file "flush every $n, two queues" patchy --mode=inline -- --flush-every $n --queues 2
	block=(-b 512)
	file "flush every $n, blocks of 512 bytes" patchy --mode=inline -- \
		--flush-every $n --bs 512
	block=()
done
if modprobe -q xfs; then
	fs=xfs
	file "xfs, overwrites" written --mode=inline -- --flush-every 1
	file "xfs, write-through" patchy --mode=inline --cache=writethrough --
	file "xfs, two queues" patchy --mode=inline -- --flush-every 2 --queues 2
	block=(-b 512)
	file "xfs, blocks of 512 bytes" patchy --mode=inline -- --flush-every 1 --bs 512
	block=()
	fs=ext4
else
	skip "xfs" "this kernel has none"
fi

# This check can fail, too.
name="a file on a disk that lies"
points=$all
liar=yes
check "$name: the disk" file_load written --mode=inline -- --flush-every 1
check_fails "$name: the replay finds lost writes" file_kept "$(some_points | tail -n 1)"
liar=

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
