# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# QEMU's own virtio-blk: a thread of QEMU, io_uring

backend_why()
{
	:
}

backend_start()
{
	daemon=vmm
	options+=(-object "iothread,id=$name-thread"
		-blockdev "driver=host_device,node-name=$name,filename=$1,aio=io_uring,cache.direct=on"
		-device "virtio-blk-pci,drive=$name,iothread=$name-thread,addr=$2")
}
