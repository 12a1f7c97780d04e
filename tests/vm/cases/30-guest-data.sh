# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A Linux guest on many disks at once: modes, queues, ring features, kinds of
# back ends. Guest and host must read what the guest wrote.
# kernels: bookworm trixie
# timeout: 900
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

declare -A file
written=()

# disk_new NAME FILE MODE QUEUES PROPERTIES: make a disk. Its first half has a
# file system, its second half is for fio.
disk_new()
{
	local name=$1

	[ -b "$2" ] || truncate -s 64M "$2"
	mkfs.ext4 -q -F "$2" 32M
	disk_start "$name" "$2" --serial="$name" --mode="$3" --queues="$4"
	disk_attach "$name" "num-queues=$4${5:+,$5}"
	file[$name]=$2
	written+=("$name")
}

add_block_disks()
{
	nullb late irqmode=2 completion_nsec=50000
	disk_new worker "$disk" worker 1
	nullb now irqmode=0 submit_queues=2
	disk_new inline-4 "$disk" inline 4
	nullb mq irqmode=2 submit_queues=2
	disk_new auto-4-noevent "$disk" auto 4 event_idx=off
	nullb big blocksize=4096
	disk_new block-4096 "$disk" inline 1
}

add_packed_disks()
{
	nullb packed1 irqmode=2 completion_nsec=50000
	disk_new packed "$disk" auto 1 packed=on
	nullb packed2 irqmode=0 submit_queues=2
	disk_new packed-4 "$disk" inline 4 packed=on
	disk_new packed-4-noevent "$CASE_DIR/packed3" worker 4 \
		packed=on,event_idx=off
	disk_new packed-noindirect "$CASE_DIR/packed4" inline 1 \
		packed=on,indirect_desc=off
	nullb packed5 irqmode=2 submit_queues=2
	disk_new packed-4-plain "$disk" auto 4 \
		packed=on,event_idx=off,indirect_desc=off
}

add_file_disks()
{
	nullb_ext4 files 256 files
	truncate -s 64M "$CASE_DIR/files/loop"
	disk_new loop-4-noindirect \
		"$(losetup -f --show --direct-io=on "$CASE_DIR/files/loop")" \
		worker 4 indirect_desc=off
	disk_new file-plain "$CASE_DIR/files/plain" inline 1 \
		event_idx=off,indirect_desc=off
	disk_new tmpfs "$CASE_DIR/tmpfs" auto 1
	disk_new legacy "$CASE_DIR/files/legacy" auto 1 \
		disable-legacy=off,disable-modern=on
}

add_read_only_disk()
{
	truncate -s 16M "$CASE_DIR/ro"
	mkfs.ext4 -q -d "$VM_DIR" "$CASE_DIR/ro"
	chmod a-w "$CASE_DIR/ro"
	disk_start ro "$CASE_DIR/ro" --serial=ro --read-only
	disk_attach ro num-queues=1
}

# Write to all disks at the same time, with various sizes and some flushes
raw_verify()
{
	local name jobs=()

	for name in "${written[@]}"; do
		jobs+=("--name=$name" "--filename=/disk/$name")
	done
	guest_run -t 200 "fio --rw=randwrite --bsrange=4k-128k --offset=32M \
		--size=6M --direct=1 --ioengine=libaio --iodepth=16 --fsync=16 \
		--verify=crc32c --verify_fatal=1 --thread --eta=never \
		--output-format=terse --terse-version=3 ${jobs[*]}" \
		>"$CASE_DIR/fio" || { cat "$CASE_DIR/fio"; return 1; }
}

# raw_verified NAME: were 6 MiB read back without an error?
raw_verified()
{
	grep '^3;' "$CASE_DIR/fio" | awk -F ';' -v name="$1" '
		$3 == name && $5 == 0 && $6 >= 6144 { good = 1 }
		END { exit !good }'
}

# copy_tree: the guest copies a tree, mounts the disk again and stores checksums
# of the copy.
copy_tree()
{
	guest_run -t 60 "mount -t ext4 /disk/$1 /mnt && cp -a /m /bin/fio /mnt/ &&
		umount /mnt && mount -t ext4 -o ro /disk/$1 /mnt &&
		cd /mnt && md5sum fio m/* && cd / && umount /mnt" >"$CASE_DIR/$1.md5"
}

# same_tree NAME: does the host read the same files as the guest?
same_tree()
{
	local dir=$CASE_DIR/mnt status=0

	e2fsck -fn "${file[$1]}" >"$CASE_DIR/fsck" 2>&1 || {
		cat "$CASE_DIR/fsck"
		return 1
	}
	mkdir -p "$dir"
	mount -o ro "${file[$1]}" "$dir" || return
	(cd "$dir" && md5sum -c --quiet "$CASE_DIR/$1.md5") || status=1
	umount "$dir"
	return $status
}

blocks()
{
	stat -c %b "$1"
}

# Write, discard and read a part of the disk that nothing else uses
discards()
{
	local before

	guest_run "dd if=/bin/fio of=/disk/$1 bs=1M seek=56 count=2 \
		oflag=direct conv=fsync 2>/dev/null" || return
	before=$(blocks "${file[$1]}")
	guest_run "blkdiscard -o 58720256 -l 1048576 /disk/$1 &&
		dd if=/disk/$1 bs=1M skip=56 count=1 iflag=direct 2>/dev/null |
		tr -d '\\0' | wc -c | grep -qx 0 &&
		dd if=/disk/$1 bs=1M skip=57 count=1 iflag=direct 2>/dev/null |
		cmp - /m/.second" || return
	[ "$(blocks "${file[$1]}")" -le $((before - 2048)) ]
}

module_load
modprobe loop max_loop=0
add_block_disks
add_packed_disks
add_file_disks
add_read_only_disk
# As many CPUs as L1 has. With four, about one run in ten ended by the emulator's
# fault: a CPU spun outside of all code, or the guest's kernel printed nothing.
GUEST_SMP=2 guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"

disk_links
# shellcheck disable=SC2016 # the guest's
guest_run 'for d in /sys/block/vd*; do echo $(cat $d/serial); done' >"$CASE_DIR/serials"
check "the guest reads all serial numbers" \
	test "$(sort "$CASE_DIR/serials" | xargs)" = \
	"$(printf '%s\n' "${written[@]}" ro | sort | xargs)"

# shellcheck disable=SC2016 # the guest's
guest_run 'cd /sys/block
	for d in inline-4 worker block-4096; do
		v=$(readlink /disk/$d); v=${v##*/}
		echo $d $(ls -d $v/mq/* | wc -l) \
			$(cat $v/queue/logical_block_size)
	done' >"$CASE_DIR/limits"
check "a guest of 2 CPUs uses 2 of 4 queues" \
	grep -qx -e 'inline-4 2 512' "$CASE_DIR/limits"
check "a guest uses the only queue of a disk" \
	grep -qx -e 'worker 1 512' "$CASE_DIR/limits"
check "a disk with blocks of 4096 bytes has them in the guest" \
	grep -qx -e 'block-4096 1 4096' "$CASE_DIR/limits"

check "fio on all disks at once" raw_verify
guest_answers
for name in "${written[@]}"; do
	check "$name: fio verifies" raw_verified "$name"
done
for name in "${written[@]}"; do
	check "$name: the guest copies a tree" copy_tree "$name"
	guest_answers
done

guest_run 'dd if=/bin/fio of=/m/.second bs=1M skip=1 count=1 2>/dev/null'
for name in tmpfs file-plain; do
	check "$name: the guest discards" discards "$name"
	check "$name: the guest has negotiated discard" disk_agreed "$name" 13
	check "$name: the guest has negotiated write zeroes" disk_agreed "$name" 14
done

check "a read-only disk is mounted" \
	guest_run 'mount -t ext4 -o ro /disk/ro /mnt && umount /mnt'
# shellcheck disable=SC2016 # the guest's
check "the guest sees that the disk is read-only" \
	guest_run 'd=$(readlink /disk/ro); grep -qx 1 /sys/block/${d##*/}/ro'
check_fails "the guest cannot write to the read-only disk" \
	guest_run 'dd if=/dev/zero of=/disk/ro bs=4k count=1 conv=fsync'

for name in "${written[@]}"; do
	disk_counters "$name" >"$CASE_DIR/$name.counters"
	check "$name: no request failed" test "$(disk_sum "$name" errors)" = 0
done
check "inline: the vCPU thread submits" \
	test "$(disk_sum inline-4 inline_passes)" -gt 100
check "worker: the vCPU thread does not submit" \
	test "$(disk_sum worker inline_passes)" = 0
check "legacy: VERSION_1 is not negotiated" \
	test "$(($(disk_features legacy) >> 32 & 1))" = 0
check "event_idx=off: not negotiated" \
	test "$(($(disk_features auto-4-noevent) >> 29 & 1))" = 0
check "indirect_desc=off: not negotiated" \
	test "$(($(disk_features loop-4-noindirect) >> 28 & 1))" = 0

for name in "${written[@]}"; do
	[[ $name == packed* ]] || continue
	check "$name: the ring is packed" disk_agreed "$name" 34
done
check "inline-4: the ring is split" \
	test "$(($(disk_features inline-4) >> 34 & 1))" = 0

guest_stop
for name in "${written[@]}" ro; do
	check "$name: the daemon ends well" disk_stop "$name"
done
for name in "${written[@]}"; do
	check "$name: the host finds what the guest wrote" same_tree "$name"
done
losetup -d "${file[loop-4-noindirect]}"
umount "$CASE_DIR/files"
case_end
