# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# QEMU's own virtio-blk, with its queues mapped to two I/O threads (QEMU 9 and
# newer)

backend_why()
{
	qemu-system-x86_64 -device virtio-blk-pci,help 2>/dev/null |
		grep -q iothread-vq-mapping || echo 'not in this QEMU'
}

backend_start()
{
	daemon=vmm
	options+=(-object "iothread,id=$name-a" -object "iothread,id=$name-b"
		-blockdev "driver=$(qemu_driver "$1"),node-name=$name,filename=$1,aio=io_uring,cache.direct=on,read-only=${read_only:-off}"
		-device "{\"driver\": \"virtio-blk-pci\", \"drive\": \"$name\", \"addr\": \"$2\", \"num-queues\": $(queues), \"iothread-vq-mapping\": [{\"iothread\": \"$name-a\"}, {\"iothread\": \"$name-b\"}]}")
}
