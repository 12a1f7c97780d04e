# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# doorbell.sh MODE: this project's back end in a mode; sourced by files in
# backends/
mode=$1

backend_why()
{
	bench_module_why
	command -v vhost-doorbell-blk >/dev/null ||
		echo 'vhost-doorbell-blk is not built'
}

backend_start()
{
	socket=$CASE_DIR/$name.sock

	bench_module_load
	vhost-doorbell-blk --socket-path="$socket" --blk-file="$1" \
		--mode="$mode" --queues="$(queues)" \
		${read_only:+--read-only} \
		>"$CASE_DIR/$name.log" 2>&1 &
	daemon=$!
	wait_for 30 test -S "$socket"
	options+=(-chardev "socket,id=$name,path=$socket"
		-device "vhost-user-blk-pci,chardev=$name,addr=$2")
}
