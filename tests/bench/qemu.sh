# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# qemu.sh AIO: QEMU's own virtio-blk with one I/O thread; sourced by files in
# backends/
aio=$1

backend_why()
{
	:
}

backend_start()
{
	daemon=vmm
	options+=(-object "iothread,id=$name-thread"
		-blockdev "driver=$(qemu_driver "$1"),node-name=$name,filename=$1,aio=$aio,cache.direct=on,read-only=${read_only:-off}"
		-device "virtio-blk-pci,drive=$name,iothread=$name-thread,addr=$2")
}
