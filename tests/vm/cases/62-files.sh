# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Image files on stacked, network and read-only file systems. Where write(2) would
# fail or wait, requests must fail or wait, too. Where it would not wait, overwrites and
# flushes cost no context switch.
# timeout: 600
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

# --- overwrites of allocated blocks, in the ringing thread ---

# image TYPE NAME [ATTRIBUTE=VALUE...]: make a file system and mount it; in it an image of
# 16 MiB, all of it written
image()
{
	local type=$1 name=$2

	nullb "$name" size=400 "${@:3}"
	echo none >"/sys/block/${disk#/dev/}/queue/scheduler"
	"mkfs.$type" -q "$disk"
	mkdir "$CASE_DIR/$name"
	mount "$disk" "$CASE_DIR/$name"
	dd if=/dev/zero of="$CASE_DIR/$name/image" bs=1M count=16 oflag=direct \
		conv=fsync status=none
}

# The worker and the threads of the kernel that may serve a file: how often each has slept
sleepers()
{
	cat /proc/[0-9]*/status 2>/dev/null | awk '
		/^Name:/ { counts = $2 ~ /^(kworker|jbd2|xfs|vhost-doorbell)/ }
		/^Pid:/ { pid = $2 }
		/^voluntary_ctxt_switches:/ && counts { print pid, $2 }'
}

# cost REQUESTS OPTION...: run a load; set 'slept' to how often these threads and the driver
# sleep meanwhile
cost()
{
	local own

	sleepers >"$CASE_DIR/before"
	own=$(python3 -c 'import resource, subprocess, sys
status = subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "w")).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_nvcsw)
sys.exit(status)' "$CASE_DIR/load.log" doorbell-bench emulate --socket "$sock" \
		--queues 1 --depth 1 --watchdog $((60 * factor)) --count "$@") ||
		return
	sleepers >"$CASE_DIR/after"
	slept=$(awk -v own="$own" '
		FILENAME ~ /before$/ { was[$1] = $2; next }
		{ n += $2 - was[$1] }
		END { print n + own }' "$CASE_DIR/before" "$CASE_DIR/after")
}

# no_switch NAME OPTION...: compare a long load with a short one
no_switch()
{
	local few

	# The first load warms up: it pins the memory of the rings, for example.
	if ! cost 100 "${@:2}" || ! cost 100 "${@:2}" || ! few=$slept ||
	   ! cost 1100 "${@:2}"; then
		diag "$(tail -n 20 "$CASE_DIR/load.log")"
		not_ok "$1: the load fails"
		return
	fi
	diag "$1: $((slept - few)) context switches for 1000 requests"
	check "$1: a context switch for 10 requests at most" \
		test $((slept - few)) -le 100
}

# overwrites TYPE NAME [ATTRIBUTE=VALUE...]
overwrites()
{
	local file=$CASE_DIR/$2/image what="overwrites, $1 ${*:3}"

	if ! modprobe -q "$1" && ! grep -qw "$1" /proc/filesystems; then
		skip "$what" "this kernel has no $1"
		return
	fi
	image "$@"
	daemon_start --blk-file="$file" --mode=inline
	no_switch "$what" --rw randwrite
	no_switch "$what, a flush after each" --rw randwrite --flush-every 1
	check "$what: data" emulate --rw randrw --verify --depth 8 --count 300 \
		--flush-every 3
	daemon_stop
	daemon_start --blk-file="$file" --mode=inline --cache=writethrough
	no_switch "$what, write-through" --rw randwrite
	daemon_stop
	umount "$CASE_DIR/$2"
}

# --- direct writes that others wait for ---

# A write of a part of a block whose rest is not written waits, in the worker, until no
# direct I/O of the file is in flight. So the worker must not be what ends that I/O. A freeze
# of the file system waits for it, too, while the worker waits for the thaw.
# waits TYPE
waits()
{
	local file=$CASE_DIR/waits-$1/image i status=0

	image "$1" "waits-$1" irqmode=2 completion_nsec=500000
	fallocate -l 24M "$file"
	daemon_start --blk-file="$file" --mode=inline
	check "waits, $1: writes of a part of a block" emulate --rw randwrite \
		--verify --bs 512 --size 24M --depth 16 --queues 2 --count 1500
	doorbell-bench emulate --socket "$sock" --rw randwrite --verify \
		--depth 16 --seconds 3 --watchdog $((60 * factor)) \
		>"$CASE_DIR/load.log" 2>&1 &
	load=$!
	wait_for $((20 * factor)) under_way
	for ((i = 0; i < 10; i++)); do
		fsfreeze -f "$CASE_DIR/waits-$1"
		fsfreeze -u "$CASE_DIR/waits-$1"
	done
	wait "$load" || status=$?
	[ $status -eq 0 ] || diag "$(tail -n 20 "$CASE_DIR/load.log")"
	check "waits, $1: a file system that is frozen again and again" \
		test $status -eq 0
	daemon_stop
	umount "$CASE_DIR/waits-$1"
}

# bios: print how many bios 16 reads of 1 MiB make
bios()
{
	local trace=/sys/kernel/tracing

	mountpoint -q $trace || mount -t tracefs tracefs $trace
	echo 'rwbs ~ "R*" && nr_sector > 64' >$trace/events/block/block_bio_queue/filter
	echo >$trace/trace
	echo 1 >$trace/events/block/block_bio_queue/enable
	emulate --rw read --bs 1M --depth 1 --count 16 --queues 1 >&2
	echo 0 >$trace/events/block/block_bio_queue/enable
	grep -c block_bio_queue: $trace/trace || :
	echo 0 >$trace/events/block/block_bio_queue/filter
}

# A large read of a file is one bio for each extent, and so no more than that of a block
# device, which the block layer may split.
large()
{
	local of_file of_disk mode

	image ext4 large
	for mode in inline worker; do
		daemon_start --blk-file="$CASE_DIR/large/image" --mode=$mode
		of_file=$(bios)
		daemon_stop
		diag "1 MiB from a file, $mode: $of_file bios for 16 reads"
		check "1 MiB from a file, $mode: a bio for each read" \
			test "$of_file" -ge 16 -a "$of_file" -le 18
	done
	umount "$CASE_DIR/large"
	daemon_start --blk-file="$disk" --mode=inline
	of_disk=$(bios)
	daemon_stop
	diag "1 MiB from a block device: $of_disk bios for 16 reads"
	check "1 MiB: no more bios from a file than from a block device" \
		test "$of_file" -le $((of_disk + 2))
}

mtime()
{
	stat -c %.9Y "$CASE_DIR/fs/times"
}

changed()
{
	[ "$(mtime)" != "$1" ]
}

# The module sets the times itself, later; see disk_times.c.
times()
{
	local file=$CASE_DIR/fs/times was

	dd if=/dev/zero of="$file" bs=64k count=1 oflag=direct conv=fsync status=none
	daemon_start --blk-file="$file" --mode=inline
	was=$(mtime)
	sleep 0.1
	emulate --ask 'read 0 8'
	sleep 1
	check "times: a read leaves them" test "$(mtime)" = "$was"
	emulate --ask 'write 0 8 7'
	check "times: a write sets them soon" wait_for $((5 * factor)) changed "$was"
	was=$(mtime)
	sleep 0.1
	emulate --ask 'write 8 8 7'
	daemon_stop
	check "times: the last write, too" changed "$was"
}

# flushes: how many the disk has served
flushes()
{
	awk '{ print $16 }' "/sys/block/${disk#/dev/}/stat"
}

# flushed NAME TIMES LEAST MOST COMMANDS [OPTION...]: in one connection, repeat the commands;
# how many flushes does the disk get?
flushed()
{
	local was now commands

	commands=$(for ((i = 0; i < $2; i++)); do printf '%s;' "${5%;}"; done)
	was=$(flushes)
	emulate --ask "${commands%;}" "${@:6}"
	now=$(flushes)
	diag "flushes, $1: $((now - was))"
	check "flushes: $1" test $((now - was)) -ge "$3" -a $((now - was)) -le "$4"
}

# each FIRST COMMANDS: print the commands ten times, for the blocks from FIRST on, with S in
# place of the block's first sector
each()
{
	local i

	for ((i = $1; i < $1 + 10; i++)); do
		printf '%s;' "${2//S/$((i * 8))}"
	done
}

# A flush is left out only where nothing could be lost. The file system's own flushes come
# on top, as do those of a write that it makes stable itself: the sum must not be too low.
# Each connection has a device of its own, whose first flush is done.
# flush_counts TYPE
flush_counts()
{
	local dir=$CASE_DIR/flushed-$1 mode was

	image "$1" "flushed-$1" cache_size=8
	for mode in worker inline; do
		daemon_start --blk-file="$dir/image" --mode=$mode
		flushed "$1, $mode: the first, of what was written before" 1 1 4 flush
		flushed "$1, $mode: nothing was written since the first" 40 1 4 flush
		# Only the ringing thread submits stable writes, and none on 6.1.
		if [ $mode = worker ] || [[ $(uname -r) = 6.1.* ]]; then
			flushed "$1, $mode: after an overwrite" 10 10 16 'write 0 8 1;flush'
		else
			flushed "$1, $mode: after an overwrite" 20 1 6 'write 0 8 1;flush'
		fi
		flushed "$1, $mode: after an overwrite of 512 bytes" 10 10 16 \
			'write 8 1 1;flush'
		flushed "$1, $mode: after a discard" 5 5 30 \
			'write 1024 64 1;discard 1024 64;flush'
		flushed "$1, $mode: after a write into a hole" 1 11 50 \
			"$(each 512 'discard S 8')flush;$(each 512 'write S 8 1;flush')"
		flushed "$1, $mode: after a write to a block that has none" 1 11 50 \
			"$(each 768 'zero S 8')flush;$(each 768 'write S 8 1;flush')"
		was=$(flushes)
		check "flushes: $1, $mode: large writes" emulate --rw write --depth 1 \
			--features size_max=off,seg_max=off --bs 16M --size 16M \
			--count 8 --flush-every 1
		diag "flushes, $1, $mode, large writes: $(($(flushes) - was))"
		check "flushes: $1, $mode: after a large write" \
			test $(($(flushes) - was)) -ge 4
		flushed "$1, $mode: after a write from any address, which is buffered" 10 10 26 \
			'write 0 8 1;flush' --align 101
		daemon_stop
	done
	umount "$dir"
}

# fsyncs [COMM]: how often has xfs done an fsync, in such a thread, since the trace was cleared?
fsyncs()
{
	grep -c "${1:-}.*xfs_file_fsync:" /sys/kernel/tracing/trace || :
}

# xfs writes a part of a block buffered if the file has ever shared blocks, and syncs it at
# once if it is to be stable. That must not happen in the ringing thread.
reflinked()
{
	local dir=$CASE_DIR/reflinked trace=/sys/kernel/tracing cache own all
	local load=(--rw randwrite --verify --bs 512 --depth 1 --count 200 --flush-every 1)
	local event=$trace/events/xfs/xfs_file_fsync/enable

	image xfs reflinked cache_size=8
	cp --reflink=always "$dir/image" "$dir/copy"
	mountpoint -q $trace || mount -t tracefs tracefs $trace
	for cache in writeback writethrough; do
		[ $cache = writeback ] || load=("${load[@]::9}")
		daemon_start --blk-file="$dir/image" --mode=inline --cache=$cache
		# The first load pins memory.
		emulate "${load[@]}"
		echo >$trace/trace
		echo 1 >$event
		check "reflinked, $cache: writes of 512 bytes" emulate "${load[@]}"
		echo 0 >$event
		own=$(fsyncs doorbell-bench)
		all=$(fsyncs)
		diag "reflinked, $cache: $own of $all calls of fsync are the ringing thread's"
		check "reflinked, $cache: the ringing thread does not sync" test "$own" -eq 0
		check "reflinked, $cache: other threads do" test "$all" -ge 100
		daemon_stop
	done
	umount "$dir"
}

module_load
case $(uname -r) in
6.1.*)
	skip "overwrites without a switch" \
		"this kernel completes direct writes in a workqueue"
	;;
*)
	overwrites ext4 plain
	overwrites ext4 cached cache_size=8
	overwrites xfs xfs
	;;
esac
waits ext4
flush_counts ext4
if modprobe -q xfs; then
	waits xfs
	flush_counts xfs
	reflinked
else
	skip "xfs" "this kernel has none"
fi
large
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
times
frozen inline
frozen inline --align 101
frozen worker
umount "$CASE_DIR/fs"
squashfs
case_end
