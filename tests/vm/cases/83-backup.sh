# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The recipe of backup.rst: an LVM snapshot of a disk that a guest writes to, while its
# file system is frozen. The snapshot is clean and has all data that the guest had
# written. Without a freeze the snapshot is like a disk after a power cut: the journal
# must be replayed, and data that was not synced is missing.
# The guest has no agent: 'fsfreeze' of its busybox makes the call that the agent makes.
# timeout: 300
# kernels: trixie
# shellcheck disable=SC2016 # the guest expands them
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# There is no udev here, so LVM makes the device nodes itself. LVM does not know the
# driver null_blk, so 'types' names it.
lvm_config='devices { types = [ "nullb", 16 ] external_device_info_source = "none" }
	activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
	backup { backup = 0 archive = 0 }'

lv()
{
	local command=$1

	shift
	LVM_SUPPRESS_FD_WARNINGS=1 lvm "$command" --config "$lvm_config" --quiet \
		"$@" >"$CASE_DIR/lvm.log" 2>&1 </dev/null || {
		diag "lvm $command $*" "$(cat "$CASE_DIR/lvm.log")"
		return 1
	}
}

# digest DIR: print one checksum of all names and contents below DIR. As text, so that
# the guest can run it, too.
digest='cd "$1" && find . -type f | sort | xargs sha1sum | sha1sum'

guest_digest()
{
	guest_run -t 60 "set -- /mnt; $digest"
}

digest()
{
	sh -c "$digest" - "$1"
}

# mount_snapshot NAME OPTIONS: mount the volume on $CASE_DIR/NAME; set $said to the
# kernel's messages about it
mount_snapshot()
{
	local status=0

	mkdir -p "$CASE_DIR/$1"
	dmesg >"$CASE_DIR/dmesg.before"
	mount -t ext4 -o "$2" "/dev/guests/$1" "$CASE_DIR/$1" 2>"$CASE_DIR/mount.log" ||
		status=$?
	said=$(dmesg | tail -n "+$(($(wc -l <"$CASE_DIR/dmesg.before") + 1))")
	diag "$1: mount -o $2: status $status" "$said"
	return $status
}

needs_recovery()
{
	dumpe2fs -h "/dev/guests/$1" 2>/dev/null | grep -q '^Filesystem features:.*needs_recovery'
}

# sound NAME: does e2fsck find no error on this volume?
sound()
{
	e2fsck -fn "/dev/guests/$1" >"$CASE_DIR/fsck" 2>&1 || {
		diag "$(cat "$CASE_DIR/fsck")"
		return 1
	}
}

requests()
{
	disk_sum vm1 requests
}

# Start a load in the guest that rewrites a file and verifies it, again and again.
load_start()
{
	guest_run 'cat >/tmp/load <<-END
			until [ -e /tmp/stop ]; do
				fio --name=load --filename=/mnt/load --size=2M --bs=4k \
					--rw=randwrite --fsync=32 --thread --verify=crc32c \
					--verify_fatal=1 >/tmp/load.log 2>&1 || exit
				echo >>/tmp/rounds
			done
			echo >/tmp/well
		END
		setsid sh /tmp/load </dev/null >/dev/null 2>&1 &'
}

load_stop()
{
	guest_run -t 60 'echo >/tmp/stop
		n=0
		until [ -e /tmp/well ] || [ $((n += 1)) -gt 50 ]; do sleep 1; done
		[ -e /tmp/well ] || { cat /tmp/load.log; false; }'
}

module_load
modprobe dm_snapshot
nullb vg0 size=192
check "a volume group" lv vgcreate guests "$disk"
check "a volume" lv lvcreate --name vm1 --size 64m --wipesignatures n guests
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/guests/vm1
disk_start vm1 /dev/guests/vm1 --serial=vm1
disk_attach vm1 num-queues=1
guest_start "${disks[@]}"
# Turn off periodic writeback: data that was not synced stays in memory.
guest_run 'echo 0 >/proc/sys/vm/dirty_writeback_centisecs
	mount -t ext4 /dev/vda /mnt && mkdir /mnt/etc && cp -r /m /init /mnt/etc && sync' ||
	vmm_fail 'no file system on the disk'
load_start

# --- with the file system frozen ---

check "the guest writes, and does not sync" guest_run \
	'head -c 300000 /dev/urandom >/mnt/unsynced'
check "its file system is frozen" guest_run 'fsfreeze --freeze /mnt'
frozen=$(guest_digest)
quiet=$(requests)
check "a snapshot, under the running daemon" \
	lv lvcreate --snapshot --permission r --name frozen --size 32m guests/vm1
check "no request was sent meanwhile" test "$(requests)" = "$quiet"
check "and thawed" guest_run 'fsfreeze --unfreeze /mnt'
check_fails "the snapshot needs no recovery" needs_recovery frozen
check "it can be mounted, though it can only be read" mount_snapshot frozen ro
check_fails "no journal is replayed" grep -q recover <<<"$said"
copy=$(digest "$CASE_DIR/frozen")
diag "the guest, frozen: $frozen" "the snapshot:      $copy"
check "all files are as the guest had them" test -n "$frozen" -a "$copy" = "$frozen"
check "what was not synced, too" test "$(stat -c %s "$CASE_DIR/frozen/unsynced")" = 300000
umount "$CASE_DIR/frozen"
check "fsck finds nothing" sound frozen

# --- without a freeze ---

check "the guest writes two files, and syncs the first" guest_run '
	dd if=/dev/urandom of=/mnt/synced bs=10000 count=30 conv=fsync 2>/dev/null &&
	cp /mnt/synced /mnt/late'
synced=$(guest_run 'sha1sum </mnt/synced')
check "a snapshot of the running file system" \
	lv lvcreate --snapshot --name running --size 32m guests/vm1
check "this one needs recovery" needs_recovery running
blockdev --setro /dev/guests/running
check_fails "it cannot be mounted as long as it can only be read" \
	mount_snapshot running ro
blockdev --setrw /dev/guests/running
check "it can, if it may be written" mount_snapshot running ro
check "the journal is replayed" grep -q 'recovery complete' <<<"$said"
check "what was synced is there" test "$(sha1sum <"$CASE_DIR/running/synced")" = "$synced"
check_fails "what was not is not" test "$(sha1sum <"$CASE_DIR/running/late")" = "$synced"
umount "$CASE_DIR/running"
check "fsck finds nothing then" sound running

# --- the guest has not noticed ---

check "the load has verified all that it wrote" load_stop
diag "rounds of the load: $(guest_run 'wc -l </tmp/rounds')"
check "the snapshots are removed under the running daemon" \
	lv lvremove --yes guests/frozen guests/running
check "the guest goes on writing" guest_run 'cp /mnt/synced /mnt/after && sync'
check "no request failed" test "$(disk_sum vm1 errors)" = 0
guest_run 'umount /mnt'
guest_stop
check "the daemon ends well" disk_stop vm1
check "the volume's own file system is sound" sound vm1
check "the volume is removed" lv vgremove --yes guests
case_end
