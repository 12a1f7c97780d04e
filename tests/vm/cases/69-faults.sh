# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Faults that the kernel injects: allocations, copies of user memory, requests of the disk,
# timeouts, bad blocks, and what device mapper can do to a disk. The driver must get an error
# and never wrong data, nothing hangs, and afterwards all is as before. On a kernel without
# fault injection only the disks fail.
# timeout: 400
# kernels: everywhere
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

debug=/sys/kernel/debug
load=(--rw randrw --verify --queues 2 --depth 8 --size 4M)

# inject DIRECTORY ATTRIBUTE=VALUE...: set attributes of a kind of faults. Without verbose=0
# the kernel prints a call trace for each.
inject()
{
	local item dir=$1

	shift
	for item in verbose=0 "$@"; do
		echo "${item#*=}" >"$dir/${item%%=*}"
	done
}

# fails_well NAME [ARG...]: requests fail, as counted by the driver, and no data is wrong
fails_well()
{
	local name=$1 status=0 said

	shift
	timeout -k 10 $((60 * factor)) doorbell-bench emulate --socket "$sock" \
		--watchdog $((40 * factor)) "${load[@]}" --count 400 "$@" \
		>"$CASE_DIR/emulate.log" 2>&1 || status=$?
	said=$(tail -n 3 "$CASE_DIR/emulate.log")
	diag "$name: $(echo "$said" | grep -E ' checked|errors' | paste -sd ' ')"
	[ $status -eq 1 ] && [[ $said =~ \ 0\ wrong ]] && [[ $said =~ (^|$'\n')[1-9][0-9]*\ errors ]] &&
		return
	diag "status $status" "$(tail -n 20 "$CASE_DIR/emulate.log")"
	return 1
}

serves()
{
	check "$1: afterwards a driver reads what it wrote" emulate "${load[@]}" --count 200
}

# dm NAME TABLE: make a device; set $mapped to its node
dm()
{
	dmsetup --noudevsync create "$1" --table "$2" &&
		mapped=/dev/dm-$(dmsetup --noudevsync info -c --noheadings -o minor "$1")
}

# dm_change NAME TABLE: give it another one; requests in flight wait meanwhile
dm_change()
{
	dmsetup --noudevsync suspend "$1" && dmsetup reload "$1" --table "$2" &&
		dmsetup --noudevsync resume "$1"
}

# --- allocations and copies of user memory ---

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# on_tasks DRIVER: faults may hit the driver's threads and the workers
on_tasks()
{
	local task

	for task in "/proc/$1/task"/*; do
		echo 1 >"$task/make-it-fail"
	done
	for task in $(workers); do
		echo 1 >"/proc/$task/make-it-fail"
	done
}

# in_module KIND ATTRIBUTE=VALUE...: inject faults where a function of the module has called.
# Anywhere else they can kill the driver: a page fault of its own has no answer to them.
in_module()
{
	local dir=$debug/$1 text

	shift
	mapfile -t text < <(grep ' [tT] .*\[vhost_doorbell\]$' /proc/kallsyms | cut -d ' ' -f 1 |
		sort | sed -n '1p;$p')
	inject "$dir" stacktrace-depth=32 "require-start=0x${text[0]}" \
		"require-end=0x${text[1]}" task-filter=Y interval=1 "$@"
}

# injected: print how many faults there were since inject
injected()
{
	echo $((2 * most - $(cat $debug/failslab/times) - $(cat $debug/fail_page_alloc/times)))
}

workers()
{
	fdinfo | grep -o 'worker_pid=[1-9][0-9]*' | cut -d = -f 2 | sort -u
}

# allocations MODE [ARG...]: fail one of five allocations of the driver's threads and of the
# workers under load
allocations()
{
	local mode=$1 driver status=0 most=1000000 count

	shift
	doorbell-bench emulate --socket "$sock" --watchdog $((40 * factor)) "${load[@]}" \
		--seconds $((5 * factor)) "$@" >"$CASE_DIR/emulate.log" 2>&1 &
	driver=$!
	wait_for $((20 * factor)) under_way || status=1
	on_tasks $driver
	in_module failslab times=$most probability=20
	in_module fail_page_alloc times=$most probability=20
	sleep $((2 * factor))
	echo 0 >$debug/failslab/probability
	echo 0 >$debug/fail_page_alloc/probability
	count=$(injected)
	# Requests may have failed, so its status is 1. It must end by itself.
	wait_for $((60 * factor)) gone $driver || status=1
	kill -KILL $driver 2>/dev/null
	wait $driver || [ $? -eq 1 ] || status=1
	diag "$mode: $count faults, $(grep -E ' checked|errors$' "$CASE_DIR/emulate.log" | paste -sd ' ')"
	grep -q ' 0 wrong' "$CASE_DIR/emulate.log" && [ $status -eq 0 ] && [ "$count" -gt 0 ] && return
	diag "$(tail -n 10 "$CASE_DIR/emulate.log")"
	return 1
}

failing_allocations()
{
	local mode

	inject $debug/failslab ignore-gfp-wait=N cache-filter=N
	inject $debug/fail_page_alloc ignore-gfp-wait=N ignore-gfp-highmem=N min-order=0
	[ ! -d $debug/fail_usercopy ] || inject $debug/fail_usercopy
	tap test-faults "$1" all
	tap test-faults "$2" disk
	for mode in inline worker auto; do
		daemon_start --blk-file="$1" --mode=$mode
		check "$mode: allocations fail under load: no data is wrong" allocations $mode \
			--layout random --mixed-indirect --align 100 --bs 16k
		serves "$mode: allocations"
		check "$mode: the daemon ends well" daemon_stop
	done
}

module_load
nullb faults irqmode=2 completion_nsec=100000
bdev=$disk
nullb_ext4 under 128 mnt
fallocate -l 32M "$CASE_DIR/mnt/file"
if [ -d $debug/failslab ] && [ -w /proc/self/fail-nth ]; then
	failing_allocations "$bdev" "$CASE_DIR/mnt/file"
else
	skip "allocations" "this kernel injects no faults"
fi

# --- the disk ---

# failing_requests NAME FILE: of this disk, with a file system or without
failing_requests()
{
	daemon_start --blk-file="$2"
	echo 1 >"/sys/block/$3/make-it-fail"
	inject $debug/fail_make_request task-filter=N interval=1 times=-1 probability=10
	check "requests fail, $1: errors, and no data is wrong" fails_well "$1"
	echo 0 >$debug/fail_make_request/probability
	echo 0 >"/sys/block/$3/make-it-fail"
	serves "requests fail, $1"
	check "requests fail, $1: the daemon ends well" daemon_stop
}

if [ -d $debug/fail_make_request ]; then
	failing_requests "a disk" "$bdev" "${bdev##*/}"
else
	skip "requests fail" "this kernel has no fail_make_request"
fi

timeouts=/sys/kernel/config/nullb/faults/timeout_inject
if [ -d $timeouts ]; then
	daemon_start --blk-file="$bdev"
	echo 1000 >"/sys/block/${bdev##*/}/queue/io_timeout"
	inject $timeouts interval=1 probability=2 times=5
	check "timeouts: errors, and no data is wrong" fails_well timeouts
	echo 0 >$timeouts/probability
	serves timeouts
	check "timeouts: the daemon ends well" daemon_stop
else
	skip "timeouts" "this kernel's null_blk injects none"
fi

nullb bad irqmode=2 completion_nsec=100000
daemon_start --blk-file="$disk"
echo +1024-2047 >/sys/kernel/config/nullb/bad/badblocks
check "bad blocks: errors, and no data is wrong" fails_well "bad blocks"
echo -1024-2047 >/sys/kernel/config/nullb/bad/badblocks
serves "bad blocks"
check "bad blocks: the daemon ends well" daemon_stop

# spoiled NAME BAD-TABLE: a disk that device mapper spoils, and mends
spoiled()
{
	local name=$1 good="0 $sectors linear $bdev 0" bad=$2

	dm spoiled "$good"
	daemon_start --blk-file="$mapped"
	serves "$name, before"
	if dm_change spoiled "$bad"; then
		check "$name: errors, and no data is wrong" fails_well "$name"
		dm_change spoiled "$good"
		serves "$name"
	else
		dmsetup --noudevsync resume spoiled
		skip "$name" "this kernel has no such target"
	fi
	check "$name: the daemon ends well" daemon_stop
	wait_for $((20 * factor)) dmsetup --noudevsync remove spoiled
}

sectors=$(blockdev --getsz "$bdev")
modprobe -a -q dm-mod dm-flakey dm-delay dm-dust || :
spoiled "dm-error" "0 $sectors error"
spoiled "half of dm-error" "0 2048 linear $bdev 0
2048 $((sectors - 2048)) error"
spoiled "dm-flakey" "0 $sectors flakey $bdev 0 0 1"
spoiled "dm-flakey that fails writes" "0 $sectors flakey $bdev 0 0 1 1 error_writes"
spoiled "dm-flakey that fails reads" "0 $sectors flakey $bdev 0 0 1 1 error_reads"

# A delay is no error.
if dm slow "0 $sectors delay $bdev 0 20"; then
	daemon_start --blk-file="$mapped"
	check "dm-delay: no error" emulate "${load[@]}" --count 100
	check "dm-delay: the daemon ends well" daemon_stop
	wait_for $((20 * factor)) dmsetup --noudevsync remove slow
else
	skip "dm-delay" "this kernel has none"
fi

if dm dust "0 $sectors dust $bdev 0 512"; then
	for ((i = 1024; i < 1056; i++)); do
		dmsetup message dust 0 addbadblock $i
	done
	dmsetup message dust 0 enable
	daemon_start --blk-file="$mapped"
	# A write mends a bad block of this target.
	check "dm-dust: errors, and no data is wrong" fails_well "dm-dust" --rw randread \
		--size 1M
	dmsetup message dust 0 disable
	serves "dm-dust"
	check "dm-dust: the daemon ends well" daemon_stop
	wait_for $((20 * factor)) dmsetup --noudevsync remove dust
else
	skip "dm-dust" "this kernel has none"
fi
umount "$CASE_DIR/mnt"
case_end
