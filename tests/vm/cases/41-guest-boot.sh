# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# SeaBIOS boots from our disk. Its own driver polls. All modes, kinds of guest
# memory, and a reset. One daemon serves most of the machines, one connection
# after the other. Legacy devices are tested with a Linux guest only: the
# SeaBIOS of trixie does not boot from them, whatever the back end.
# kernels: trixie-backports
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# A boot sector that reads sector 2 by int 13h, writes it as sector 3, and
# prints it on COM1.
boot_sector()
{
	# xor ax,ax; ds = es = ss = ax; sp = 7c00
	printf '\x31\xc0\x8e\xd8\x8e\xc0\x8e\xd0\xbc\x00\x7c'
	# ax = read 1 sector; bx = 7e00; cx = sector 2; dh = 0; int 13; jc stop
	printf '\xb8\x01\x02\xbb\x00\x7e\xb9\x02\x00\xb6\x00\xcd\x13\x72\x23'
	# ax = write 1 sector; cx = sector 3; int 13; jc stop; si = 7e00
	printf '\xb8\x01\x03\xb9\x03\x00\xcd\x13\x72\x19\xbe\x00\x7e'
	# next: lodsb; test al,al; jz stop; ah = al; dx = 3fd
	printf '\xac\x84\xc0\x74\x11\x88\xc4\xba\xfd\x03'
	# wait: in al,dx; test al,20; jz wait; dl = f8; al = ah; out dx,al
	printf '\xec\xa8\x20\x74\xfb\xb2\xf8\x88\xe0\xee'
	# jmp next; stop: hlt; jmp stop
	printf '\xeb\xea\xf4\xeb\xfd'
}

# make_disk MARKER: make a boot disk whose second sector has this text
make_disk()
{
	{
		boot_sector
		head -c 446 /dev/zero
		printf '\x55\xaa%s' "$1"
		head -c 1024 /dev/zero
	} | dd of="$disk" bs=512 count=3 iflag=fullblock oflag=direct \
		status=none
}

printed()
{
	[ "$(grep -ao "$1" "$CASE_DIR/guest/console" | wc -l)" -ge "$2" ]
}

copied()
{
	[ "$(dd if="$disk" bs=512 skip=2 count=1 iflag=direct status=none |
		tr -d '\0')" = "$1" ]
}

# Without graphics, as SeaBIOS writes to COM1 only then.
bios_start()
{
	GUEST_MEM=64 vmm_start -machine graphics=on "${disks[@]}" "$@"
}

# boots NAME [QEMU-OPTION...]: boot, and check that both sectors were copied
boots()
{
	local name=$1 marker=marker-$RANDOM$RANDOM

	shift
	make_disk "$marker"
	bios_start "$@"
	check "$name: boots" wait_for 60 printed "$marker" 1
	printed "$marker" 1 || diag "$(tail -c 200 "$CASE_DIR/guest/console" |
		cat -v)" "$(tail -n 5 "$CASE_DIR/guest/qemu.log")" \
		"$(tail -n 5 "$CASE_DIR/boot.log")" "$(disk_fdinfo boot)"
	check "$name: has written" copied "$marker"
	check "$name: no request failed" test "$(disk_sum boot errors)" = 0
	vmm_qmp quit >/dev/null || :
	wait_for 20 vmm_gone || vmm_kill
}

resets()
{
	local marker=marker-$RANDOM

	make_disk $marker
	bios_start
	wait_for 60 printed $marker 1
	vmm_qmp set-action '{"reboot": "reset"}' >/dev/null
	vmm_qmp system_reset >/dev/null
	check "boots again after a reset" wait_for 60 printed $marker 2
	vmm_kill
}

module_load
nullb boot irqmode=2 completion_nsec=20000
disk_start boot "$disk"
disk_attach boot bootindex=0
boots "modern device"
disks=()
DISK_DEVICE=vhost-user-blk-pci-transitional disk_attach boot bootindex=0
boots "transitional device"
disks=()
disk_attach boot bootindex=0,queue-size=16,event_idx=off
GUEST_MEM_KIND=file GUEST_MEM_OPTS=mem-path=$CASE_DIR/ram \
	boots "memory in a file"
disks=()
disk_attach boot bootindex=0,packed=on
boots "packed rings offered, which this driver does not take"
if echo 40 >/proc/sys/vm/nr_hugepages &&
   [ "$(cat /proc/sys/vm/nr_hugepages)" -ge 32 ]; then
	GUEST_MEM_OPTS=hugetlb=on,hugetlbsize=2M boots "huge pages"
	echo 0 >/proc/sys/vm/nr_hugepages
else
	skip "huge pages" "the kernel has none"
fi
resets
disk_stop boot
for mode in worker inline; do
	disk_start boot "$disk" --mode=$mode
	boots "mode $mode"
	disk_stop boot
done
case_end
