# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A full file system and a full thin pool below a disk: an error, or the requests wait
# for room, whichever the owner chose.
# timeout: 240
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
modprobe dm_thin_pool

# --- a full file system ---

nullb_ext4 enospc 48 fs
dir=$CASE_DIR/fs
image=$dir/image

# Write until no block is left.
cat >"$CASE_DIR/fill" <<END
dd if=/dev/zero of=$dir/filler bs=1M oflag=append conv=notrunc status=none 2>/dev/null
dd if=/dev/zero of=$dir/filler bs=4k oflag=append conv=notrunc status=none 2>/dev/null
sync -f $dir
END
cat >"$CASE_DIR/free" <<END
rm $dir/filler
END

truncate -s 256M "$image"
tap test-enospc "$image" "sh $CASE_DIR/fill" "sh $CASE_DIR/free"
rm "$image" "$dir/filler"

# is_held QUEUE
is_held()
{
	local held

	held=$(counter "$1" held)
	[ "${held:-0}" -gt 0 ]
}

# waits NAME OPTION...: a driver's writes must wait, and then all of its data must be
# right
waits()
{
	local name=$1 load

	shift
	truncate -s 16M "$image"
	sh "$CASE_DIR/fill"
	dmesg -C
	daemon_start --blk-file="$image" --on-enospc=wait --features="$features" \
		--mode="$mode"
	emulate --rw randrw --verify --depth 16 --count 600 --bs 16k \
		--flush-every 50 --watchdog 60 "$@" &
	load=$!
	check "$name: requests are held" wait_for $((20 * factor)) is_held 0
	check "$name: doorbellctl tells of them" held_in_stats
	check "$name: the log says so" wait_for $((5 * factor)) \
		said "disk full: [0-9]* requests wait"
	sh "$CASE_DIR/free"
	check "$name: with room all complete, with the right data" wait "$load"
	check "$name: the log says so" \
		said "no request waits for a full disk any more, .* found room"
	check "$name: the daemon ends well" daemon_stop
	rm "$image"
}

said()
{
	dmesg | grep -q "vhost-doorbell: device [0-9]*: $1"
}

held_in_stats()
{
	doorbellctl --json show 2>/dev/null | grep '"held": [1-9]' >/dev/null
}

features=flush=on
mode=inline
waits "$mode, split"
[ "${EVERYWHERE:-0}" -eq 0 ] || waits "$mode, packed" --packed
mode=worker
waits "$mode, packed" --packed
[ "${EVERYWHERE:-0}" -eq 0 ] || waits "$mode, split"
features=flush=on,in_order=on
waits "$mode, in order" --in-order
# The buffers are misaligned, so I/O goes through the page cache.
features=flush=on
waits "$mode, buffered" --align 101 --layout random

# --- a full thin pool ---

umount "$dir"
nullb metadata size=8
metadata=$disk
nullb data size=64
data=$disk
mib=2048
pool="thin-pool $metadata $data 128 0 2 skip_block_zeroing error_if_no_space"
dm()
{
	dmsetup --noudevsync "$@"
}
node()
{
	echo "/dev/dm-$(dm info -c --noheadings -o minor "$1")"
}
dd if=/dev/zero of="$metadata" bs=1M count=1 oflag=direct status=none
dm create pool --table "0 $((8 * mib)) $pool"
dm message pool 0 create_thin 0
dm create thin --table "0 $((256 * mib)) thin $(node pool) 0"
thin=$(node thin)
# The pool maps a flush by its first sector, and fails the flush if the pool is full
# and that sector has no block. So write the first block.
dd if=/dev/zero of="$thin" bs=64k count=1 oflag=direct status=none
# Another volume uses up the pool's free blocks, and frees them again.
dm message pool 0 create_thin 1
dm create other --table "0 $((64 * mib)) thin $(node pool) 1"
other=$(node other)
cat >"$CASE_DIR/fill" <<END
dd if=/dev/zero of=$other bs=64k oflag=direct status=none 2>/dev/null
true
END
cat >"$CASE_DIR/free" <<END
blkdiscard $other
END
# The pool is full long before the volume's size is reached.
tap test-enospc "$thin" "sh $CASE_DIR/fill" "sh $CASE_DIR/free"
# In this volume only the second 64 KiB have blocks, so flushes fail while the pool is
# full.
sh "$CASE_DIR/free"
dm message pool 0 create_thin 2
dm create bare --table "0 $((256 * mib)) thin $(node pool) 2"
dd if=/dev/zero of="$(node bare)" bs=64k count=1 seek=1 oflag=direct status=none
tap test-enospc "$(node bare)" "sh $CASE_DIR/fill" "sh $CASE_DIR/free" 128
dm remove bare
dm remove other
dm remove thin
dm remove pool

case_end
