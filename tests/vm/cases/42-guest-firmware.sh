# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# UEFI firmware on our disks. The virtio-blk driver of OVMF polls, sends one
# request at a time and wants no interrupts. Its shell runs a startup.nsh from a
# FAT file system, which copies files on each disk and between disks.
#
# Not under KVM: OVMF's interrupt handlers write CR8, and L1's emulated SVM
# crashes on that when KVM waits for an interrupt window (QEMU 10: assertion
# bql_locked). So QEMU itself rings, by a write to the eventfd.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

names=(worker inline legacy)
size=$((1024 * 1024 + 12345))
# Longer than a request that keeps SEG_MAX and SIZE_MAX, which this driver does not
# know: it loads an image with one request.
image=$((20 * 1024 * 1024))
firmware=/usr/share/OVMF
declare -A file

# mounted NAME COMMAND...: run it with the disk mounted on $CASE_DIR/mnt
mounted()
{
	local status=0

	mount -t vfat "${file[$1]}" "$CASE_DIR/mnt" || return
	"${@:2}" || status=$?
	umount "$CASE_DIR/mnt"
	return $status
}

# The firmware numbers file systems in PCI order. Copied files are read back from
# the disk.
script()
{
	local i

	for i in "${!names[@]}"; do
		echo "cp fs$i:\\DATA.BIN fs$i:\\COPY.BIN"
		echo "cp fs$i:\\COPY.BIN fs$(((i + 1) % ${#names[@]})):\\NEXT.BIN"
		# IMAGE.EFI is not a program, which the firmware sees only after
		# it has read the file.
		echo "load fs$i:\\IMAGE.EFI"
	done
	echo 'reset -s'
}

fill()
{
	dd if=/dev/zero of="$CASE_DIR/mnt/IMAGE.EFI" bs=1M status=none \
		count=$((image >> 20)) &&
		cp "$CASE_DIR/data.$1" "$CASE_DIR/mnt/DATA.BIN" &&
		script | sed 's/$/\r/' >"$CASE_DIR/mnt/startup.nsh"
}

# disk_new NAME FILE MODE PROPERTIES: make a disk with a file system
disk_new()
{
	file[$1]=$2
	head -c $size /dev/urandom >"$CASE_DIR/data.$1"
	mkfs.vfat --mbr=no -F 16 "$2" >/dev/null
	mounted "$1" fill "$1"
	disk_start "$1" "$2" --mode="$3"
	disk_attach "$1" "num-queues=1,$4"
}

firmware_state()
{
	diag "$(tail -c 600 "$CASE_DIR/guest/console" | cat -v)" \
		"$(tail -n 5 "$CASE_DIR/guest/qemu.log")" "$(disk_fdinfo "$1")"
}

# has NAME FILE FROM: is the file equal to the data made for the disk FROM?
has()
{
	mounted "$1" cmp "$CASE_DIR/data.$3" "$CASE_DIR/mnt/$2"
}

# negotiated NAME BIT: was it, until the firmware resets the device?
negotiated()
{
	local features

	sleep 1
	features=$(disk_features "$1")
	[ "$((${features:-0} >> $2 & 1))" = 1 ]
}

modprobe vfat
modprobe loop
mkdir "$CASE_DIR/mnt"
module_load
nullb worker irqmode=2 completion_nsec=20000
disk_new worker "$disk" worker addr=4,disable-legacy=on
nullb inline irqmode=0
disk_new inline "$disk" inline addr=5,disable-legacy=on
truncate -s 64M "$CASE_DIR/legacy"
disk_new legacy "$CASE_DIR/legacy" auto \
	addr=6,disable-legacy=off,disable-modern=on
cp $firmware/OVMF_VARS_4M.fd "$CASE_DIR/vars"

GUEST_MEM=128 vmm_start -machine accel=tcg -cpu max "${disks[@]}" -no-shutdown \
	-drive "if=pflash,format=raw,readonly=on,file=$firmware/OVMF_CODE_4M.fd" \
	-drive "if=pflash,format=raw,file=$CASE_DIR/vars"
check "the firmware drives a modern device" \
	wait_for $((240 * factor)) negotiated worker 32
diag "after $SECONDS s"
check "the firmware drives a legacy device" \
	wait_for $((60 * factor)) negotiated legacy 9
check "the legacy device has no modern features" \
	test "$(($(disk_features legacy) >> 32))" = 0
if vmm_expect qmp $((300 * factor)) '"event": "SHUTDOWN"' >/dev/null; then
	ok "the firmware's shell has run a script from our disk"
else
	not_ok "the firmware's shell has run a script from our disk"
	firmware_state worker
fi
diag "after $SECONDS s"
# Read the counters now: they vanish with QEMU.
for name in "${names[@]}"; do
	disk_counters "$name" >"$CASE_DIR/$name.counters"
	diag "$name: $(xargs <"$CASE_DIR/$name.counters")"
	check "$name: no request failed" test "$(disk_sum "$name" errors)" = 0
	check "$name: the module has read an image and two files, and written two" \
		test "$(disk_sum "$name" bytes_read)" -ge $((image + 2 * size)) -a \
		"$(disk_sum "$name" bytes_written)" -ge $((2 * size))
done
check "inline: the ringing thread serves all requests first" \
	test "$(disk_sum inline inline_passes)" -ge "$(disk_sum inline requests)"
check "worker: the ringing thread serves none" test "$(disk_sum worker inline_passes)" = 0
vmm_qmp quit >/dev/null || :
wait_for 20 vmm_gone || vmm_kill

from=legacy
for name in "${names[@]}"; do
	check "$name: the daemon ends well" disk_stop "$name"
	check "$name: the file system is sound" fsck.vfat -n "${file[$name]}"
	check "$name: the host reads the copied file" has "$name" COPY.BIN "$name"
	check "$name: the host reads the file copied from another disk" \
		has "$name" NEXT.BIN "$from"
	from=$name
done
case_end
