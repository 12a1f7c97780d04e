# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Reads return the data that was written, on all kinds of block devices: mapped,
# striped, encrypted, thin, over a socket, on another machine; and on more file
# systems.
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

key=$(printf '0123456789abcdef%.0s' 1 2 3 4)

# on NAME PATH: check a disk in modes inline and worker
on()
{
	local mode

	for mode in inline worker; do
		daemon_start --blk-file="$2" --mode=$mode --features=flush=on
		check "$1, $mode" emulate --rw randrw --verify --queues 2 \
			--depth 16 --count 150 --flush-every 20
		check "$1, $mode: of any shape, not aligned" emulate --rw randrw \
			--verify --queues 2 --depth 6 --count 80 --bs 16k \
			--layout random --align 100
		check "$1, $mode: requests of 1 MiB" emulate --rw randrw \
			--verify --bs 1M --depth 2 --count 20
		check "$1, $mode: the daemon ends well" daemon_stop
	done
}

# serve PATH: read it in mode inline; set $passes to the passes of the ringing thread
serve()
{
	local driver

	daemon_start --blk-file="$1" --mode=inline
	doorbell-bench emulate --socket "$sock" --seconds $((2 * factor)) \
		--rw randread --depth 4 >"$CASE_DIR/driver.log" 2>&1 &
	driver=$!
	wait_for $((20 * factor)) under_way
	passes=$(counter 0 inline_passes)
	wait $driver
	daemon_stop
}

# with MODULE[,MODULE] COMMAND...: run it if this kernel has these modules
with()
{
	local module

	for module in ${1//,/ }; do
		if ! modprobe -q "$module"; then
			skip "${*:2}" "this kernel has no $module"
			return
		fi
	done
	"${@:2}"
}

# dmsetup without udev
dm()
{
	dmsetup --noudevsync "$@"
}

# node NAME: set $disk to a device-mapper device
node()
{
	disk=/dev/dm-$(dm info -c --noheadings -o minor "$1")
}

# dm_disk NAME TABLE: make a device; set $disk to it
dm_disk()
{
	dm create "$1" --table "$2" && node "$1"
}

sectors()
{
	blockdev --getsz "$1"
}

dm_crypt()
{
	nullb crypt irqmode=1
	dm_disk crypt "0 $(sectors "$disk") crypt aes-xts-plain64 $key 0 $disk 0"
	on "dm-crypt" "$disk"
	dm remove crypt
}

dm_thin()
{
	local data meta

	nullb meta
	meta=$disk
	nullb data irqmode=1 discard=1
	data=$disk
	dm_disk pool "0 $(sectors "$data") thin-pool $meta $data 128 0"
	dm message pool 0 'create_thin 0'
	dm_disk thin "0 131072 thin $disk 0"
	on "dm-thin" "$disk"
	diag "a thin disk" && tap test-ranges "$disk"
	dm remove thin
	dm remove pool
}

lvm_()
{
	lvm "$@" --config 'activation { udev_sync=0 udev_rules=0 }
		devices { types=[ "nullb", 16 ] }' >/dev/null
}

lvm_stripes()
{
	local a b

	nullb pv1 irqmode=1
	a=$disk
	nullb pv2 irqmode=1
	b=$disk
	lvm_ pvcreate "$a" "$b" && lvm_ vgcreate vg "$a" "$b" &&
		lvm_ lvcreate -y -i 2 -I 64k -L 64M -n lv vg
	node vg-lv
	on "LVM, two stripes" "$disk"
	lvm_ vgremove -y vg
}

# md LEVEL DISKS: check a RAID
md()
{
	local i legs=()

	for ((i = 0; i < $2; i++)); do
		nullb "leg$i" irqmode=1
		legs+=("$disk")
	done
	mdadm --create /dev/md0 --level="$1" --raid-devices="$2" --run \
		--assume-clean --metadata=1.2 --bitmap=none "${legs[@]}" 2>&1
	on "md raid$1" /dev/md0
	mdadm --stop /dev/md0
	for i in "${legs[@]}"; do
		mdadm --zero-superblock "$i"
	done
}

nbd()
{
	truncate -s 64M "$CASE_DIR/nbd"
	qemu-nbd --connect=/dev/nbd0 --format=raw --cache=writeback \
		"$CASE_DIR/nbd" >"$CASE_DIR/qemu-nbd" 2>&1 &
	wait_for 30 has_size /dev/nbd0
	on "nbd" /dev/nbd0
	mkfs.ext4 -q /dev/nbd0
	mkdir "$CASE_DIR/nbd-files"
	mount /dev/nbd0 "$CASE_DIR/nbd-files"
	dd if=/dev/zero of="$CASE_DIR/nbd-files/image" bs=1M count=16 status=none
	# The driver sleeps while it sends.
	check "a file on nbd: a load" serve "$CASE_DIR/nbd-files/image"
	check "a file on nbd: no pass of the ringing thread" test "$passes" = 0
	umount "$CASE_DIR/nbd-files"
	qemu-nbd --disconnect /dev/nbd0
	wait $! || :
}

has_size()
{
	[ "$(sectors "$1" 2>/dev/null || echo 0)" -gt 0 ]
}

# Target and initiator are on one machine, with TCP between them
nvme_tcp()
{
	local t=/sys/kernel/config/nvmet port

	nullb remote irqmode=2 completion_nsec=50000
	mkdir "$t/subsystems/doorbell"
	echo 1 >"$t/subsystems/doorbell/attr_allow_any_host"
	mkdir "$t/subsystems/doorbell/namespaces/1"
	echo "$disk" >"$t/subsystems/doorbell/namespaces/1/device_path"
	echo 1 >"$t/subsystems/doorbell/namespaces/1/enable"
	port=$t/ports/1
	mkdir "$port"
	echo ipv4 >"$port/addr_adrfam"
	echo tcp >"$port/addr_trtype"
	echo 127.0.0.1 >"$port/addr_traddr"
	echo 4420 >"$port/addr_trsvcid"
	ln -s "$t/subsystems/doorbell" "$port/subsystems/doorbell"
	echo "transport=tcp,traddr=127.0.0.1,trsvcid=4420,nqn=doorbell" \
		>/dev/nvme-fabrics
	wait_for 30 test -b /dev/nvme0n1
	on "nvme-tcp" /dev/nvme0n1
	echo 1 >/sys/class/nvme/nvme0/delete_controller
	rm "$port/subsystems/doorbell"
	rmdir "$port" "$t/subsystems/doorbell/namespaces/1" \
		"$t/subsystems/doorbell"
}

# file_system NAME MKFS...: check a sparse file and one with all blocks
# allocated
file_system()
{
	local name=$1 dir=$CASE_DIR/$1

	shift
	nullb "$name" size=512 irqmode=1
	"$@" "$disk" >/dev/null
	mkdir "$dir"
	mount "$disk" "$dir"
	truncate -s 64M "$dir/sparse"
	on "$name, a sparse file" "$dir/sparse"
	fallocate -l 64M "$dir/full"
	on "$name, a file with its blocks" "$dir/full"
	check "$name, a file with its blocks: a load" serve "$dir/full"
	check "$name, a file with its blocks: the ringing thread serves it" \
		test "$passes" -gt 0
	truncate -s 1M "$dir/ranges"
	diag "a file on $name" && tap test-ranges "$dir/ranges"
	umount "$dir"
}

module_load
nullb many irqmode=2 submit_queues=2 completion_nsec=50000 hw_queue_depth=256
on "a disk of several queues" "$disk"
with dm-crypt dm_crypt
with dm-thin-pool dm_thin
with dm-mod lvm_stripes
with raid1 md 1 2
with raid456 md 5 3
with nbd nbd
with nvmet-tcp,nvme-tcp nvme_tcp
with xfs file_system xfs mkfs.xfs -q
with btrfs file_system btrfs mkfs.btrfs -q
case_end
