# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# qemu-storage-daemon over vhost-user: a process of its own, with io_uring

backend_why()
{
	command -v qemu-storage-daemon >/dev/null ||
		echo 'no qemu-storage-daemon'
}

backend_start()
{
	local writable=on

	[ -z "$read_only" ] || writable=off
	socket=$CASE_DIR/$name.sock
	qemu-storage-daemon --object iothread,id=thread \
		--blockdev "driver=$(qemu_driver "$1"),node-name=disk,filename=$1,aio=io_uring,cache.direct=on,read-only=${read_only:-off}" \
		--export "type=vhost-user-blk,id=export,node-name=disk,addr.type=unix,addr.path=$socket,writable=$writable,iothread=thread,num-queues=$(queues)" \
		>"$CASE_DIR/$name.log" 2>&1 &
	daemon=$!
	wait_for 30 test -S "$socket"
	options+=(-chardev "socket,id=$name,path=$socket"
		-device "vhost-user-blk-pci,chardev=$name,addr=$2")
}
