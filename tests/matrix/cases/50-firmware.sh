# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Firmware that boots from our disk: SeaBIOS and OVMF start GRUB, which reads a file and
# prints its checksum; GRUB on SeaBIOS, and U-Boot, then start Linux from the disk.
# timeout: 780
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/matrix.sh"

kernel=/boot/vmlinuz-$(uname -r)
modules=(part_msdos ext2 fat linux serial terminal echo hashsum gcry_md5 normal halt)
sum=$(md5sum "$kernel" | cut -d ' ' -f 1)

# grub_config COMMAND...: print a configuration that runs these commands at the end
grub_config()
{
	echo 'serial --unit=0 --speed=115200'
	echo 'terminal_output serial'
	printf '%s\n' "$@"
}

# bios_disk: make the disk of GRUB on SeaBIOS, and of U-Boot; set $disk to it
bios_disk()
{
	local dir=$CASE_DIR/mnt grub=/usr/lib/grub/i386-pc

	nullb bios size=160 irqmode=2 completion_nsec=20000
	echo 'start=2048, type=83, bootable' | sfdisk -q "$disk"
	partprobe_or_wait
	mkfs.ext4 -q -O ^metadata_csum,^64bit,^orphan_file "${disk}p1"
	mkdir -p "$dir"
	mount "${disk}p1" "$dir"
	cp "$kernel" "$dir/vmlinuz"
	cp /tmp/guest/guest.cpio "$dir/"
	mkdir "$dir/extlinux"
	cat >"$dir/extlinux/extlinux.conf" <<-END
		default linux
		label linux
			kernel /vmlinuz
			initrd /guest.cpio
			append $guest_cmdline
	END
	umount "$dir"
	grub_config 'set root=(hd0,msdos1)' 'md5sum /vmlinuz' \
		"linux /vmlinuz $guest_cmdline" 'initrd /guest.cpio' boot >"$CASE_DIR/bios.cfg"
	grub-mkimage -O i386-pc -p /grub -c "$CASE_DIR/bios.cfg" -o "$CASE_DIR/core.img" \
		biosdisk "${modules[@]}"
	dd if=$grub/boot.img of="$disk" bs=440 count=1 conv=fsync status=none
	dd if="$CASE_DIR/core.img" of="$disk" bs=512 seek=1 conv=fsync status=none
}

partprobe_or_wait()
{
	blockdev --rereadpt "$disk" || :
	wait_for 20 test -b "${disk}p1"
}

# uefi_disk: make the disk of GRUB on OVMF; set $disk to it
uefi_disk()
{
	local dir=$CASE_DIR/mnt

	nullb uefi irqmode=2 completion_nsec=20000
	mkfs.vfat --mbr=no -F 16 "$disk" >/dev/null
	mkdir -p "$dir"
	mount -t vfat "$disk" "$dir"
	mkdir -p "$dir/EFI/BOOT"
	cp "$kernel" "$dir/vmlinuz"
	grub_config 'set root=(hd0)' 'md5sum /vmlinuz' 'echo end of GRUB' halt \
		>"$CASE_DIR/uefi.cfg"
	grub-mkimage -O x86_64-efi -p /EFI/BOOT -c "$CASE_DIR/uefi.cfg" \
		-o "$dir/EFI/BOOT/BOOTX64.EFI" "${modules[@]}"
	umount "$dir"
}

printed()
{
	grep -aqF "$1" "$CASE_DIR/guest/console"
}

# What the firmware has said last, for a row that fails
said()
{
	tr -d '\0' <"$CASE_DIR/guest/console" | tr '\r' '\n' | sed 's/\x1b[^A-Za-z]*.//g' |
		grep . | tail -n "$1"
}

# linux_runs: does Linux come up, and read the same data?
linux_runs()
{
	if ! vmm_expect command 240 @@READY >/dev/null; then
		said 3 | paste -sd ' '
		return 1
	fi
	guest_run -t 60 'mount -t ext4 -o ro /dev/vda1 /mnt && md5sum /mnt/vmlinuz' |
		grep "$sum"
}

read_by_grub()
{
	wait_for "$1" printed "$sum" || {
		said 3 | paste -sd ' '
		return 1
	}
}

# end NAME DISK: end the machine; no request may have failed
end()
{
	check "$1: no request failed" test "$(disk_sum "$2" errors)" = 0
	vmm_qmp quit >/dev/null || :
	wait_for 20 vmm_gone || vmm_kill
}

modprobe vfat
module_load
bios_disk
disk_start bios "$disk"
disks=()
disk_attach bios bootindex=0,num-queues=1
for machine in q35 pc; do
	GUEST_MACHINE=$machine GUEST_MACHINE_OPTS=smm=off,graphics=on, vmm_start "${disks[@]}"
	row $machine 'SeaBIOS, GRUB' null_blk split read_by_grub 120
	row $machine 'SeaBIOS, GRUB, Linux' null_blk split linux_runs
	end "$machine, SeaBIOS" bios
done
GUEST_MACHINE_OPTS=smm=off,graphics=on, vmm_start "${disks[@]}" \
	-bios /usr/lib/u-boot/qemu-x86/u-boot.rom
row q35 'U-Boot, Linux' null_blk split linux_runs
end U-Boot bios
check "the daemon ends well" disk_stop bios

# Not under KVM, see case 42
uefi_disk
disk_start uefi "$disk"
disks=()
disk_attach uefi num-queues=1,disable-legacy=on
firmware=/usr/share/OVMF
cp $firmware/OVMF_VARS_4M.fd "$CASE_DIR/vars"
GUEST_MEM=128 vmm_start -machine accel=tcg -cpu max "${disks[@]}" \
	-drive "if=pflash,format=raw,readonly=on,file=$firmware/OVMF_CODE_4M.fd" \
	-drive "if=pflash,format=raw,file=$CASE_DIR/vars"
row q35 'OVMF, GRUB' null_blk split read_by_grub 300
end OVMF uefi
check "the daemon ends well" disk_stop uefi
case_end
