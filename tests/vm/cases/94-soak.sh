# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Two guests with fio that verifies, for HOURS (a minute if not set), while the modes of
# both disks change. One disk is a block device, one a file.
# timeout: 15000
# kernels: everywhere
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/keep.sh"

seconds=$((${HOURS:-0} * 3600))
[ $seconds -gt 0 ] || seconds=60
declare -A seen

# soak_start NAME FILE: a guest of that name with a disk of that name
soak_start()
{
	disk_start "$1" "$2" --serial="$1"
	disks=()
	disk_attach "$1"
	GUEST=$1 guest_start "${disks[@]}"
	GUEST=$1 disk_links
	GUEST=$1 keep_fio "$1" 16
	seen[$1]=0
}

# goes_on NAME: has its disk served more requests than at the last call?
goes_on()
{
	local now

	now=$(disk_sum "$1" requests)
	[ "${now:-0}" -gt "${seen[$1]}" ] || return
	seen[$1]=$now
}

# verified NAME: has its fio verified blocks, and found no error? Sets $blocks
verified()
{
	blocks=0
	blocks=$(GUEST=$1 keep_fio_end) && [ "$blocks" -gt 0 ]
}

module_load
nullb bdev size=64 irqmode=2 completion_nsec=100000
soak_start bdev "$disk"
nullb_ext4 under 128 mnt
fallocate -l 64M "$CASE_DIR/mnt/file"
soak_start file "$CASE_DIR/mnt/file"

end=$((SECONDS + seconds))
stalls=0
changes=0
while [ $SECONDS -lt $end ]; do
	for mode in inline worker poll auto; do
		doorbellctl set --all mode=$mode
		changes=$((changes + 1))
		sleep 5
		for name in bdev file; do
			wait_for 60 goes_on $name || stalls=$((stalls + 1))
		done
	done
	[ $stalls -eq 0 ] || break
done
check "$seconds s, $changes changes of mode: both guests go on" test $stalls -eq 0
for name in bdev file; do
	check "$name: fio has no error" verified $name
	diag "$name: ${seen[$name]} requests, $blocks blocks were verified"
	check "$name: no request failed" test "$(disk_sum $name errors)" = 0
	GUEST=$name guest_stop
	check "$name: the daemon ends well" disk_stop $name
done
umount "$CASE_DIR/mnt"
case_end
