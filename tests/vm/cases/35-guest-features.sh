# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The features that a Linux guest negotiates with us, bit by bit; its disks must
# work with them.
# kernels: trixie-backports
# timeout: 200
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# DISK FEATURE BIT, with the bits of the virtio spec
agreed='
split SEG_MAX 2
split GEOMETRY 4
split BLK_SIZE 6
split FLUSH 9
split TOPOLOGY 10
split CONFIG_WCE 11
split MQ 12
split DISCARD 13
split WRITE_ZEROES 14
split INDIRECT_DESC 28
split EVENT_IDX 29
split VERSION_1 32
split RING_RESET 40
packed RING_PACKED 34
read-only RO 5
legacy GEOMETRY 4
'

# disk_new NAME PROPERTIES ARG...: make a disk
disk_new()
{
	local name=$1 properties=$2

	shift 2
	[ -e "$CASE_DIR/$name" ] || truncate -s 64M "$CASE_DIR/$name"
	disk_start "$name" "$CASE_DIR/$name" --serial="$name" --queues=2 "$@"
	disk_attach "$name" "$properties"
	names+=("$name")
}

# Writes, reads back, zeroes and discards some blocks
works()
{
	guest_run -t 60 "fio --name=x --filename=/disk/$1 --rw=randwrite --bs=4k \
		--size=8M --number_ios=300 --direct=1 --ioengine=libaio \
		--iodepth=16 --fsync=50 --verify=crc32c --verify_fatal=1 \
		--eta=never --minimal >/dev/null"
}

# reads_zeroes NAME COMMAND: COMMAND must make zeroes of the 17th MiB of
# /disk/NAME, which was written before
reads_zeroes()
{
	guest_run "dd if=/bin/fio of=/disk/$1 bs=1M seek=16 count=1 \
		oflag=direct conv=fsync 2>/dev/null &&
		$2 &&
		dd if=/disk/$1 bs=1M skip=16 count=1 iflag=direct 2>/dev/null |
		tr -d '\\0' | wc -c | grep -qx 0" &&
		dd if="$CASE_DIR/$1" bs=1M skip=16 count=1 status=none |
		cmp -n 1048576 - /dev/zero
}

properties=$(qemu-system-x86_64 -device vhost-user-blk-pci,help)
names=()
guest_programs zeroout
module_load
disk_new split num-queues=2 --features=config_wce=on
disk_new packed num-queues=2,packed=on
disk_new legacy num-queues=2,disable-legacy=off,disable-modern=on
disk_new read-only num-queues=2 --read-only
# IN_ORDER needs QEMU 10 and the driver of Linux 7.3.
if [[ $properties == *in_order=* && $(uname -r) == 7.* ]]; then
	disk_new order num-queues=2,in_order=on --features=in_order=on
	disk_new order-packed num-queues=2,in_order=on,packed=on \
		--features=in_order=on
	agreed+=$'order IN_ORDER 35\norder-packed IN_ORDER 35\n'
fi
# With QEMU 11 and Linux 7.3 the split disk does not use SIZE_MAX.
[[ $(uname -r) == 7.* ]] || agreed+=$'split SIZE_MAX 1\n'
GUEST_SMP=2 guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links

for name in "${names[@]}"; do
	diag "$name: $(disk_features "$name") $(guest_run "v=\$(readlink /disk/$name) &&
		cat /sys/block/\${v##*/}/device/features")"
done
while read -r name feature bit; do
	[ -z "$name" ] ||
		check "$feature: agreed on with Linux ($name)" \
			disk_agreed "$name" "$bit"
done <<<"$agreed"
for name in "${names[@]}"; do
	[ "$name" = read-only ] || check "$name: works" works "$name"
done
check_fails "read-only: the guest cannot write" guest_run \
	'dd if=/bin/fio of=/disk/read-only bs=4k count=1 oflag=direct'
for name in split packed; do
	check "$name: write zeroes" reads_zeroes $name \
		"zeroout /disk/$name 16777216 1048576"
	before=$(stat -c %b "$CASE_DIR/$name")
	check "$name: write zeroes with unmap" \
		reads_zeroes $name "zeroout /disk/$name 16777216 1048576 unmap"
	check "$name: write zeroes with unmap frees blocks" \
		test "$(stat -c %b "$CASE_DIR/$name")" -le $((before - 2048))
	check "$name: discard" reads_zeroes $name \
		"blkdiscard -o 16777216 -l 1048576 /disk/$name"
done
for name in split legacy; do
	check "$name: the guest sees cylinders, heads and sectors" \
		guest_run "fdisk -l /dev/\$(readlink /disk/$name | cut -d / -f 3) |
			grep -q '130 cylinders, 16 heads, 63 sectors'"
done
for name in "${names[@]}"; do
	[ "$name" = read-only ] ||
		check "$name: no request failed" test "$(disk_sum "$name" errors)" = 0
done
guest_stop
for name in "${names[@]}"; do
	check "$name: the daemon ends well" disk_stop "$name"
done
case_end
