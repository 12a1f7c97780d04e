# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Histograms contain each served request, errors tell where the disk failed, and both
# can be read while a stop waits for the disk.
# timeout: 120
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

half=65536

# hist_sum QUEUE: print the sum of all buckets and the sum of the counts
hist_sum()
{
	fdinfo | awk -v queue="hist$1-" '
	index($0, queue) == 1 {
		for (i = 2; i <= NF; i++) {
			if ($i ~ /^[0-9]+:/)
				n += substr($i, index($i, ":") + 1)
			if ($i ~ /^count=/)
				counts += substr($i, 7)
		}
	}
	END { print n + 0, counts + 0 }'
}

# all_counted QUEUE: do the histograms have all completed requests? The driver
# is stopped
all_counted()
{
	local n

	n=$(counter "$1" completed)
	if [ "${n:-0}" -eq 0 ] || [ "$(hist_sum "$1")" != "$n $n" ]; then
		diag "completed $n, buckets and counts $(hist_sum "$1")"
		return 1
	fi
}

quiet()
{
	[ "$(counter 0 in_flight)$(counter 1 in_flight)" = 00 ]
}

module_load
histograms=/sys/module/vhost_doorbell/parameters/histograms
check "histograms are off" grep -qx N $histograms
echo Y >$histograms
nullb under irqmode=1 discard=1
modprobe dm-mod
linear="0 $((2 * half)) linear $disk 0"
bad="0 $half linear $disk 0
$half $half error"
dmsetup --noudevsync create counts --table "$linear"
dm=/dev/dm-$(dmsetup --noudevsync info -c --noheadings -o minor counts)
tap test-counts counts "$dm" "$linear" "$bad" $half
dmsetup --noudevsync remove counts

# A disk that completes requests on several CPUs at once
nullb many irqmode=2 submit_queues=2 completion_nsec=50000
for mode in inline worker; do
	daemon_start --blk-file="$disk" --mode=$mode --features=flush=on
	doorbell-bench emulate --socket "$sock" --rw randrw --queues 2 --depth 16 \
		--flush-every 20 --seconds 60 >"$CASE_DIR/emulate.log" 2>&1 &
	driver=$!
	check "$mode: requests are made" wait_for $((20 * factor)) under_way
	# The stopped driver makes no more requests; those in flight complete.
	kill -STOP $driver
	check "$mode: they are served" wait_for $((10 * factor)) quiet
	for queue in 0 1; do
		check "$mode, queue $queue: the buckets hold all that completed" \
			all_counted $queue
	done
	kill -KILL $driver
	wait $driver 2>/dev/null || :
	daemon_stop
done
case_end
