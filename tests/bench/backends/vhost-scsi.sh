# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# The kernel's SCSI target, a kernel thread of vhost

backend_why()
{
	modprobe -a target_core_mod target_core_iblock target_core_file vhost_scsi 2>/dev/null ||
		echo 'no vhost-scsi in this kernel'
}

backend_start()
{
	local target=/sys/kernel/config/target wwpn=naa.50014050000000$2
	local store=$target/core/iblock_$((16#$2))/$name control=udev_path=$1
	local group=$target/vhost/$wwpn/tpgt_1

	if [ ! -b "$1" ]; then
		store=$target/core/fileio_$((16#$2))/$name
		control=fd_dev_name=$1,fd_dev_size=$(stat -c %s "$1")
	fi
	mkdir -p "$store"
	echo "$control" >"$store/control"
	echo 1 >"$store/enable"
	mkdir -p "$group/lun/lun_0"
	echo naa.5001405000000002 >"$group/nexus"
	ln -s "$store" "$group/lun/lun_0/disk"
	options+=(-device "vhost-scsi-pci,wwpn=$wwpn,addr=$2")
}
