# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Reads return the data that was written: every kind of disk in every mode, and
# everything that a driver may do with rings, requests and memory.
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

count=150

# verify ARG...: check that reads return what writes wrote
verify()
{
	emulate --rw randrw --verify --queues 2 --count $count "$@"
}

# disk_in_mode NAME PATH MODE [ARG...]: check a disk in a mode
disk_in_mode()
{
	local name="$1, $3" path=$2 mode=$3

	shift 3
	daemon_start --blk-file="$path" --mode="$mode" --features=flush=on
	check "$name" verify --depth 16 "$@"
	check "$name: packed rings" verify --packed --depth 16 "$@"
	[ "$mode" != inline ] ||
		check "$name: of any shape, not aligned" verify --depth 6 \
			--layout random --mixed-indirect --align 100 --bs 16k
	check "$name: the daemon ends well" daemon_stop
}

each_mode()
{
	disk_in_mode "$1" "$2" inline
	disk_in_mode "$1" "$2" worker --layout random
	disk_in_mode "$1" "$2" poll
}

module_load
mkdir "$CASE_DIR/ext4" "$CASE_DIR/tmpfs"

nullb nullb0 irqmode=1
immediate=$disk
each_mode "a disk that completes at once" "$disk"
disk_in_mode "a disk that completes at once" "$disk" auto
nullb nullb1 irqmode=2 completion_nsec=50000
each_mode "a disk of 50 us" "$disk"
# More requests are in flight than the disk has tags, so it refuses NOWAIT
# requests
nullb nullb2 irqmode=2 completion_nsec=2000000 hw_queue_depth=4 submit_queues=1
each_mode "a slow disk with four tags" "$disk"

# dm-delay has no NOWAIT.
nullb nullb3 irqmode=1
delay="0 $(blockdev --getsz "$disk") delay $disk 0 1"
if dmsetup --noudevsync create slow --table "$delay"; then
	each_mode "a disk without NOWAIT" \
		"/dev/dm-$(dmsetup info -c --noheadings -o minor slow)"
	dmsetup --noudevsync remove slow
else
	skip "a disk without NOWAIT" "no dm-delay"
fi

modprobe loop 2>/dev/null || :	# or built in
truncate -s 32M "$CASE_DIR/tmpfs/loop"
# Not null_blk: with 4096-byte blocks, null_blk of kernel 7.3 returns zeroes if
# a block was written from one page and is read into two.
loop=$(losetup --show -b 4096 -f "$CASE_DIR/tmpfs/loop")
each_mode "a loop device of 4096-byte blocks" "$loop"
losetup -d "$loop"

mkfs.ext4 -q "$disk"
mount -t ext4 "$disk" "$CASE_DIR/ext4"
fallocate -l 32M "$CASE_DIR/ext4/file"
each_mode "a file on ext4" "$CASE_DIR/ext4/file"
umount "$CASE_DIR/ext4"

mount -t tmpfs tmpfs "$CASE_DIR/tmpfs"
truncate -s 32M "$CASE_DIR/tmpfs/file"
each_mode "a file on tmpfs" "$CASE_DIR/tmpfs/file"
umount "$CASE_DIR/tmpfs"

daemon_start --blk-file="$immediate" --features=flush=on
check "requests of 1 MiB" verify --bs 1M --depth 2 --count 50
check "a ring of 32768 entries" \
	verify --queue-size 32768 --depth 64 --count 1000
check "a legacy driver" verify --legacy --depth 8
check "no event index" verify --no-event-idx --depth 8
check "no indirect descriptors" verify --no-indirect --depth 8
check "a legacy driver without event index and indirect descriptors" \
	verify --legacy --no-event-idx --no-indirect
check "as few descriptors as possible" verify --layout oneseg --depth 8
check "other threads ring too" verify --noise 2 --depth 16
check "flushes" verify --flush-every 3 --depth 8
check "memory in five regions, one by one" \
	verify --regions 5 --mem-slots --depth 8
check "a log of what the device writes" verify --log --depth 8
check "a log, packed rings, requests of any shape" verify --log --packed --depth 8 \
	--layout random --mixed-indirect --align 100 --bs 16k
check "pages that the guest gives back" verify --punch 4 --depth 4
check "transparent huge pages" verify --mem thp --depth 8 --bs 64k
check "a file for memory" verify --mem "file:$CASE_DIR/memory" --depth 8

packed()
{
	check "packed rings: $1" verify --packed --depth 8 "${@:2}"
}

packed "no event place" --no-event-idx
packed "no indirect descriptors" --no-indirect
packed "neither" --no-event-idx --no-indirect
packed "300 entries, of any shape" --queue-size 300 --layout random \
	--mixed-indirect --bs 16k --align 100
packed "300 entries, of any shape, neither" --queue-size 300 --bs 16k \
	--layout random --no-event-idx --no-indirect
packed "7 entries" --queue-size 7 --no-indirect
packed "7 entries, other threads ring too" --queue-size 7 --noise 2
packed "32768 entries" --queue-size 32768 --depth 64 --count 40000
packed "flushes" --flush-every 3
packed "pages that the guest gives back" --punch 4 --depth 4
check_fails "packed rings: not for a legacy driver" \
	doorbell-bench emulate --socket "$sock" --packed --legacy

echo 64 >/proc/sys/vm/nr_hugepages
check "huge pages" verify --mem hugetlb --depth 8 --bs 64k
check "huge pages that the guest gives back" \
	verify --mem hugetlb --punch 8 --depth 2 --queues 1 --count 100
echo 0 >/proc/sys/vm/nr_hugepages
check "the daemon logged no error" test "$(grep -c 'vhost-doorbell-blk: .*rror' \
	"$CASE_DIR/daemon.log")" -eq 0
check "the daemon ends well" daemon_stop
case_end
