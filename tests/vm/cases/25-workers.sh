# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Workers: a device has one for each queue, or one for each CPU if there are fewer
# CPUs; several queues share one.
# timeout: 120
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# workers OPTION...: run a daemon with 64 queues and verify data; set count to
# the number of its workers
workers()
{
	daemon_start --blk-file="$disk" --queues=64 --mode=worker "$@"
	emulate --rw randrw --verify --queues 64 --depth 4 \
		--seconds $((4 * factor)) &
	driver=$!
	wait_for $((20 * factor)) under_way
	count=$(fdinfo | grep -o 'worker_pid=[1-9][0-9]*' | sort -u | grep -c .)
	wait $driver && daemon_stop
}

module_load
nullb_ext4 files 64 mnt
truncate -s 16M "$CASE_DIR/mnt/holes"
tap test-workers "$CASE_DIR/mnt/holes"

nullb shared
check "64 queues: served" workers
check "64 queues: one worker for each CPU: $count of $(nproc)" \
	test "$count" -eq "$(nproc)"
check "64 queues on one CPU: served" workers --cpus=0
check "64 queues on one CPU: one worker: $count" test "$count" -eq 1
check "64 queues on one CPU, mode poll: served" workers --mode=poll --cpus=0
case_end
