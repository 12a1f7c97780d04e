# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Image files on stacked, network and read-only file systems. Where write(2) would
# fail or wait, requests must fail or wait, too.
# timeout: 240
# kernels: bookworm trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# on NAME FILE: check data at any address and of any length
on()
{
	local mode

	for mode in inline worker; do
		daemon_start --blk-file="$2" --mode=$mode --features=flush=on
		check "$1, $mode" emulate --rw randrw --verify --depth 8 \
			--count 100 --flush-every 20
		check "$1, $mode: at any address" emulate --rw randrw --verify \
			--depth 6 --count 60 --bs 16k --layout random --align 101
		check "$1, $mode: 512 bytes at 512" emulate --rw randrw \
			--verify --count 60 --bs 512 --align 512
		check "$1, $mode: the daemon ends well" daemon_stop
	done
}

# asks NAME COMMANDS [OPTION...] <<EXPECTED: compare the answers
asks()
{
	local name=$1 commands=$2

	shift 2
	emulate --ask "$commands" "$@" || :
	if diff - "$CASE_DIR/emulate.log" >"$CASE_DIR/diff"; then
		ok "$name"
	else
		diag "$(cat "$CASE_DIR/diff")"
		not_ok "$name"
	fi
}

config()
{
	doorbell-bench emulate --socket "$sock" --config |
		sed -n "s/^$1: *//p"
}

# ext4 NAME [ATTRIBUTE=VALUE...]: make a file system and mount it on
# $CASE_DIR/NAME
ext4()
{
	local name=$1

	shift
	nullb "$name" "$@"
	mkfs.ext4 -q -b 4096 "$disk"
	mkdir "$CASE_DIR/$name"
	mount "$disk" "$CASE_DIR/$name"
}

# --- a container's file system: overlayfs over ext4 ---

overlay()
{
	local dir=$CASE_DIR/$1

	ext4 "$1" blocksize="$2"
	mkdir "$dir/lower" "$dir/upper" "$dir/work" "$dir/merged"
	truncate -s 16M "$dir/lower/image"
	mount -t overlay overlay -o \
		"lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" \
		"$dir/merged"
	on "overlayfs over ext4, blocks of $2" "$dir/merged/image"
	truncate -s 1M "$dir/merged/ranges"
	diag "a file on overlayfs" && tap test-ranges "$dir/merged/ranges"
	umount "$dir/merged" "$dir"
}

# --- NFS ---

nfs_up()
{
	modprobe -q nfsd && modprobe -q nfsv4 || return
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	exportfs -o rw,fsid=0,no_root_squash,insecure,no_subtree_check \
		"127.0.0.1:$CASE_DIR/export"
	rpc.mountd -F -N 3 >"$CASE_DIR/mountd.log" 2>&1 &
	mountd=$!
	rpc.nfsd -N 3 -G 10 -L 10 2
	# Keep the server from waiting for clients of an earlier boot.
	echo Y >/proc/fs/nfsd/v4_end_grace 2>/dev/null || :
	mkdir "$CASE_DIR/nfs"
	timeout 60 mount -t nfs4 -o vers=4.2 127.0.0.1:/ "$CASE_DIR/nfs" &&
		timeout 120 dd if=/dev/null of="$CASE_DIR/nfs/image" conv=notrunc
}

nfs()
{
	ext4 export
	truncate -s 16M "$CASE_DIR/export/image"
	if ! nfs_up >"$CASE_DIR/nfs.log" 2>&1; then
		diag "$(cat "$CASE_DIR/nfs.log")"
		skip "NFS" "no server or client of NFS 4.2 here"
		return
	fi
	on "NFS" "$CASE_DIR/nfs/image"
	daemon_start --blk-file="$CASE_DIR/nfs/image" --mode=worker
	check "NFS: a physical block of no more than 4096 bytes" \
		test "$(config physical_block_exp)" -le 3
	# Direct I/O must leave nothing in the client's page cache.
	sync
	echo 1 >/proc/sys/vm/drop_caches
	emulate --rw randread --count 20 --bs 4k
	check "NFS: 4k is direct" test "$(test-files cached "$CASE_DIR/nfs/image")" -eq 0
	daemon_stop
	umount "$CASE_DIR/nfs"
	rpc.nfsd 0
	kill "$mountd"
	exportfs -ua
	umount "$CASE_DIR/export"
}

# --- FUSE: a file system with one file, and the program that serves it ---

fuse()
{
	local file=$CASE_DIR/fuse server

	# QEMU 7.2's server reads the next request into the buffer of a write in
	# progress.
	if qemu-storage-daemon --version | grep -q 'version 7\.'; then
		skip "FUSE" "QEMU 7.2's server mixes up writes"
		return
	fi
	truncate -s 16M "$CASE_DIR/behind"
	: >"$file"
	modprobe -q fuse || :
	qemu-storage-daemon --blockdev \
		"driver=file,filename=$CASE_DIR/behind,node-name=behind" \
		--export "type=fuse,id=e,node-name=behind,mountpoint=$file,writable=on" \
		>"$CASE_DIR/fuse.log" 2>&1 &
	server=$!
	if ! wait_for 20 test -s "$file"; then
		diag "$(cat "$CASE_DIR/fuse.log")"
		skip "FUSE" "qemu-storage-daemon exports nothing here"
		return
	fi
	on "FUSE" "$file"
	kill "$server"
	wait "$server" || :
}

# --- read-only file systems ---

squashfs()
{
	local image=$CASE_DIR/image

	if ! modprobe -q squashfs || ! modprobe -q loop; then
		skip "squashfs" "this kernel has none"
		return
	fi
	mkdir "$CASE_DIR/tree" "$CASE_DIR/squash"
	head -c 1M /dev/zero | tr '\0' '\7' >"$CASE_DIR/tree/image"
	mksquashfs "$CASE_DIR/tree" "$image" -quiet -no-progress >/dev/null
	mount -o loop,ro "$image" "$CASE_DIR/squash"
	for mode in inline worker; do
		daemon_start --blk-file="$CASE_DIR/squash/image" --read-only \
			--mode=$mode --features=flush=on
		asks "squashfs, $mode: it can be read" \
			'read 0 8;read 2040 8;flush;write 0 8 1;read 0 8' \
			--align 101 <<-'END'
			read: ok 0x07
			read: ok 0x07
			flush: ok
			write: ioerr
			read: ok 0x07
			END
		daemon_stop
	done
	umount "$CASE_DIR/squash"
}

# --- writes that write(2) would refuse ---

size()
{
	stat -c %s "$1"
}

truncated()
{
	truncate -s 4M "$CASE_DIR/fs/truncated"
	diag "truncated, direct I/O" &&
		tap test-truncate "$CASE_DIR/fs/truncated" direct
	diag "truncated, buffered" && tap test-truncate "$CASE_DIR/fs/truncated"
}

odd_size()
{
	local file=$CASE_DIR/fs/odd

	truncate -s $((1048576 + 100)) "$file"
	# The guest could not write the last, partial sector.
	check_fails "a file of a size that is no multiple of 512 is refused for writing" \
		vhost-doorbell-blk --socket-path="$sock" --blk-file="$file"
	daemon_start --blk-file="$file" --mode=inline --read-only
	asks "a size not in sectors: the whole ones are read" \
		'read 2047 1;read 2048 1' <<-'END'
		read: ok 0x00
		read: ioerr
		END
	daemon_stop
}

swap()
{
	local file=$CASE_DIR/fs/swap mode

	dd if=/dev/zero of="$file" bs=1M count=4 status=none
	chmod 600 "$file"
	mkswap -q "$file"
	for mode in inline worker; do
		daemon_start --blk-file="$file" --mode=$mode
		if ! swapon "$file"; then
			skip "a swap file, $mode" "no swap here"
			daemon_stop
			continue
		fi
		asks "a swap file, $mode: not written" \
			'write 4096 8 9;zero 4096 8' <<-'END'
			write: ioerr
			zero: ioerr
			END
		asks "a swap file, $mode: nor buffered" 'write 4096 8 9' \
			--align 101 <<-'END'
			write: ioerr
			END
		swapoff "$file"
		asks "a swap file, $mode: once it is none" 'write 4096 8 9' \
			<<-'END'
			write: ok
			END
		daemon_stop
	done
}

immutable()
{
	local file=$CASE_DIR/fs/immutable

	truncate -s 1M "$file"
	daemon_start --blk-file="$file" --mode=inline
	chattr +i "$file"
	asks "an immutable file is not written" 'write 0 8 9;zero 0 8;read 0 8' \
		<<-'END'
		write: ioerr
		zero: ioerr
		read: ok 0x00
		END
	chattr -i "$file"
	daemon_stop
}

sealed()
{
	local holder

	test-files seal 1048576 >"$CASE_DIR/seal" &
	holder=$!
	wait_for 20 test -s "$CASE_DIR/seal"
	daemon_start --blk-file="$(head -n 1 "$CASE_DIR/seal")" --mode=inline
	emulate --ask 'write 0 8 7'
	kill -USR1 "$holder"
	wait_for 20 grep -q sealed "$CASE_DIR/seal"
	asks "a sealed memfd is not written" 'write 0 8 9;zero 0 8;read 0 8' \
		<<-'END'
		write: ioerr
		zero: ioerr
		read: ok 0x07
		END
	kill "$holder"
	wait "$holder"
	daemon_stop
}

# The owner's RLIMIT_FSIZE limits writes as it limits write(2).
file_limit()
{
	local mode

	truncate -s 4M "$CASE_DIR/fs/limit"
	for mode in inline worker; do
		# In KiB
		ulimit -S -f 1024
		daemon_start --blk-file="$CASE_DIR/fs/limit" --mode=$mode
		ulimit -S -f unlimited
		asks "RLIMIT_FSIZE, $mode" \
			'write 0 8 9;write 2040 8 9;write 2048 8 9;write 2040 16 9;read 4096 8' \
			<<-'END'
			write: ok
			write: ok
			write: ioerr
			write: ioerr
			read: ok 0x00
			END
		daemon_stop
	done
}

# --- inotify ---

watched()
{
	local file=$CASE_DIR/fs/watched log=$CASE_DIR/watch pid mode

	truncate -s 4M "$file"
	for mode in 'inline 0' 'worker 0' 'inline 101'; do
		daemon_start --blk-file="$file" --mode="${mode% *}"
		test-files watch "$file" >"$log" &
		pid=$!
		wait_for 20 grep -q ready "$log"
		emulate --ask 'write 0 8 7;read 0 8' --align "${mode#* }"
		kill "$pid"
		wait "$pid"
		diag "${mode% *}, at ${mode#* }: $(tail -n 1 "$log")"
		check "inotify, ${mode% *}, at ${mode#* }: reports a write" \
			grep -q 'modify [1-9]' "$log"
		check "inotify, ${mode% *}, at ${mode#* }: reports a read" \
			grep -q 'access [1-9]' "$log"
		daemon_stop
	done
}

# fanotify may deny a read: the request waits for its answer, but not in a
# ringing thread.
refused()
{
	local file=$CASE_DIR/fs/watched log=$CASE_DIR/refuse pid

	test-files refuse "$file" >"$log" 2>&1 &
	pid=$!
	wait_for 20 grep -qE 'ready|fanotify' "$log"
	if ! grep -q ready "$log"; then
		skip "fanotify" "$(cat "$log")"
		return
	fi
	daemon_start --blk-file="$file" --mode=inline
	asks "fanotify: a read that is denied fails" 'read 0 8;write 0 8 7' \
		<<-'END'
		read: ioerr
		write: ok
		END
	kill "$pid"
	wait "$pid"
	check "fanotify: the listener was asked" grep -q '^[1-9]' "$log"
	daemon_stop
}

# --- a frozen file system ---

# Is a thread of the driver blocked in the kernel?
blocked()
{
	grep -hE '^State:[[:blank:]]*D' "/proc/$load"/task/*/status
}

all_wait()
{
	local now

	now=$(counter 0 completed)
	sleep 0.3
	[ "$now" = "$(counter 0 completed)" ] &&
		[ "$(counter 0 requests)" != "$now" ]
}

# frozen MODE OPTION...: freeze the file system while writes are in flight
frozen()
{
	local file=$CASE_DIR/fs/frozen i stuck=0 status=0

	truncate -s 16M "$file"
	daemon_start --blk-file="$file" --mode="$1"
	doorbell-bench emulate --socket "$sock" --rw randwrite --verify \
		--depth 4 --seconds 3 --watchdog $((60 * factor)) "${@:2}" \
		>"$CASE_DIR/load.log" 2>&1 &
	load=$!
	wait_for $((20 * factor)) under_way
	fsfreeze -f "$CASE_DIR/fs"
	check "frozen, $*: writes wait" wait_for $((20 * factor)) all_wait
	for ((i = 0; i < 10; i++)); do
		! blocked || stuck=$((stuck + 1))
		sleep 0.1
	done
	check "frozen, $*: the ringing thread does not wait" test $stuck -eq 0
	fsfreeze -u "$CASE_DIR/fs"
	wait "$load" || status=$?
	[ $status -eq 0 ] || diag "$(tail -n 20 "$CASE_DIR/load.log")"
	check "frozen, $*: after thawing all is written" test $status -eq 0
	daemon_stop
}

module_load
if modprobe -q overlay || grep -qw overlay /proc/filesystems; then
	overlay over512 512
	overlay over4096 4096
else
	skip "overlayfs" "this kernel has none"
fi
nfs
fuse
ext4 fs
truncated
odd_size
swap
immutable
sealed
file_limit
watched
refused
frozen inline
frozen inline --align 101
frozen worker
umount "$CASE_DIR/fs"
squashfs
case_end
