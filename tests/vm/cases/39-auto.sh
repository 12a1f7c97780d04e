# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Mode auto: the ringing thread serves rare requests, and the worker serves
# requests that would block. (The unit test checks that a free CPU for the
# worker counts.)
# kernels: trixie
# timeout: 120
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# sleeps PID: print the voluntary context switches of a thread
sleeps()
{
	awk '/^voluntary_ctxt_switches:/ { print $2 }' "/proc/$1/status"
}

# counts MODE DISK COMMAND...: count for a second, with the daemon in that mode and
# the driver COMMAND; set inline and worker (passes), completed, and wakes (wake-ups
# of the worker, which may submit a request again while the ringing thread is at the
# ring)
counts()
{
	local mode=$1 file=$2 name driver pid
	local -A from

	shift 2
	daemon_start --blk-file="$file" --mode="$mode"
	"$@" >"$CASE_DIR/driver.log" 2>&1 &
	driver=$!
	wait_for $((20 * factor)) under_way
	pid=$(counter 0 worker_pid)
	for name in inline_passes worker_passes completed; do
		from[$name]=$(counter 0 $name)
	done
	from[wakes]=$(sleeps "$pid")
	sleep 1
	wakes=$(($(sleeps "$pid") - from[wakes]))
	inline=$(($(counter 0 inline_passes) - from[inline_passes]))
	worker=$(($(counter 0 worker_passes) - from[worker_passes]))
	completed=$(($(counter 0 completed) - from[completed]))
	wait $driver
	daemon_stop
	diag "$mode: $inline passes inline, $worker by the worker, which woke" \
		"$wakes times, for $completed requests"
}

driver=(doorbell-bench emulate --socket "$sock" --seconds $((5 * factor)))
module_load

nullb slow irqmode=2 completion_nsec=20000000
check "auto, a slow disk, 16 in flight: a load" counts auto "$disk" "${driver[@]}" \
	--rw randread --depth 16
check "auto, a slow disk, 16 in flight: the ringing thread serves most" \
	test "$inline" -gt $((worker * 4))

# A write to a hole would block, as the file system must allocate blocks.
nullb_ext4 holes 512 mnt
for mode in inline auto; do
	truncate -s 256M "$CASE_DIR/mnt/$mode"
	check "$mode, a sparse file: a load" counts $mode \
		"$CASE_DIR/mnt/$mode" "${driver[@]}" --rw randwrite --depth 1
	check "$mode, a sparse file: the worker serves most in the end" \
		test $((wakes * 2)) -gt "$completed"
	[ $mode = inline ] ||
		check "auto, a sparse file: few inline attempts" \
			test $((inline * 4)) -lt "$completed"
done
umount "$CASE_DIR/mnt"
case_end
