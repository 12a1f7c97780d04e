# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Workers: one for each queue, or CPU if they are fewer; several queues share one.
# timeout: 120
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# workers OPTION... of a daemon with 64 queues that serve, verified: how many
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
check "64 queues" workers
check "have a worker for each CPU: $count of $(nproc)" test "$count" -eq "$(nproc)"
check "64 queues on one CPU" workers --cpus=0
check "have one worker: $count" test "$count" -eq 1
check "64 queues that are polled" workers --mode=poll --cpus=0
case_end
