# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Machines of QEMU with a Linux guest, and guests of other releases.
# guests: bookworm trixie-backports
# timeout: 780
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/matrix.sh"

# Instead of guest.sh's, which ends the case: a machine that fails is a row.
vmm_fail()
{
	diag "$1" "$(vmm_said)"
	return 1
}

# on MACHINE GUEST [QEMU-OPTION...]: boot a guest with two disks, and check both
on()
{
	local ring machine=$1 guest=$2

	shift 2
	disks=()
	for ring in split packed; do
		nullb $ring irqmode=2 completion_nsec=50000
		guest_disk $ring "$disk" $ring
	done
	rm -f "$CASE_DIR/fio"
	if guest_boot "${disks[@]}" "$@"; then
		disk_links || :
		guest_verified split packed
		for ring in split packed; do
			guest_row "$machine" "$guest" null_blk $ring $ring
		done
	else
		diag "$(vmm_said)"
		for ring in split packed; do
			not_ok "$(row_name "$machine" "$guest" null_blk $ring)|does not boot"
		done
	fi
	vmm_qmp quit >/dev/null || :
	wait_for 20 vmm_gone || vmm_kill
	for ring in split packed; do
		check "$machine, $guest: the daemon of the $ring ring ends well" \
			disk_stop $ring
	done
}

# with_mmio: make an initramfs of guests that has the driver of virtio-mmio
with_mmio()
{
	local dir=$CASE_DIR/mmio base=/tmp/guest/guest.cpio

	mkdir -p "$dir/m"
	cpio -i --quiet --to-stdout m/order <$base >"$dir/m/order"
	echo virtio_mmio.ko >>"$dir/m/order"
	xz -dc "/lib/modules/$(uname -r)/kernel/drivers/virtio/virtio_mmio.ko.xz" \
		>"$dir/m/virtio_mmio.ko"
	cp $base "$CASE_DIR/mmio.cpio"
	(cd "$dir" && find . | cpio -o -H newc --quiet) >>"$CASE_DIR/mmio.cpio"
}

module_load
own="Linux $(uname -r | cut -d . -f 1-2)"
on q35 "$own"
for release in bookworm trixie-backports; do
	files=$VM_DIR/../guest-$release
	guest_kernel=$files/vmlinux guest_base=$files/guest.cpio \
		on q35 "Linux $(cut -d . -f 1-2 "$files/version" | cut -d - -f 1)"
done
GUEST_MACHINE=pc on pc "$own"
# It has one serial port.
serial=(-device 'isa-serial,chardev=command,iobase=0x2f8,irq=3')
GUEST_MACHINE=microvm GUEST_MACHINE_OPTS=pcie=on, \
	on 'microvm, PCI' "$own" "${serial[@]}"
with_mmio
DISK_DEVICE=vhost-user-blk-device GUEST_MACHINE=microvm GUEST_MACHINE_OPTS='' \
	guest_initrd=$CASE_DIR/mmio.cpio \
	on 'microvm, MMIO' "$own" "${serial[@]}" -global virtio-mmio.force-legacy=false
case_end
