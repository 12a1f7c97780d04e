# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# The kernel's SCSI target, served by a kernel thread of vhost

backend_why()
{
	modprobe -a target_core_mod target_core_iblock target_core_file vhost_scsi 2>/dev/null ||
		echo 'no vhost-scsi in this kernel'
}

backend_start()
{
	local target=/sys/kernel/config/target wwpn
	local store=$target/core/iblock_$ndisks/$name control=udev_path=$1${read_only:+,readonly=1}
	local group

	# Number the targets, as those of earlier back ends still exist.
	wwpn=naa.50014051$(printf %08x "$ndisks")
	group=$target/vhost/$wwpn/tpgt_1
	if [ ! -b "$1" ]; then
		store=$target/core/fileio_$ndisks/$name
		# With direct I/O, as the other back ends have it, not through
		# the page cache
		control=fd_dev_name=$1,fd_dev_size=$(stat -c %s "$1"),fd_async_io=1
	fi
	mkdir -p "$store"
	echo "$control" >"$store/control"
	echo 1 >"$store/enable"
	mkdir -p "$group/lun/lun_0"
	echo "naa.50014052$(printf %08x "$ndisks")" >"$group/nexus"
	ln -s "$store" "$group/lun/lun_0/disk"
	options+=(-device "vhost-scsi-pci,wwpn=$wwpn,addr=$2")
}

backend_stop()
{
	local target=/sys/kernel/config/target wwpn
	local store=$target/core/iblock_$ndisks/$name

	wwpn=naa.50014051$(printf %08x "$ndisks")
	if [ -d "$target/vhost/$wwpn" ]; then
		rm -f "$target/vhost/$wwpn/tpgt_1/lun/lun_0/disk"
		rmdir "$target/vhost/$wwpn/tpgt_1/lun/lun_0" "$target/vhost/$wwpn/tpgt_1" \
			"$target/vhost/$wwpn"
		# Not if there are others
		rmdir "$target/vhost" 2>/dev/null || :
	fi
	[ ! -d "$store" ] || rmdir "$store" "${store%/*}"
}
