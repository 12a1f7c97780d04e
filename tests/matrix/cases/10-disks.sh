# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Disks of one host, with both formats of the ring, under the emulated driver and under a
# Linux guest that has all of them.
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/matrix.sh"

key=$(printf '0123456789abcdef%.0s' 1 2 3 4)
kinds=(null_blk loop dm-linear dm-crypt md-raid1 nbd)
declare -A needs=([loop]=loop [dm-linear]=dm-mod [dm-crypt]=dm-crypt [md-raid1]=raid1
	[nbd]=nbd)

# dm NAME TARGET...: make a device over $disk; set $disk to it
dm()
{
	local size

	size=$(blockdev --getsz "$disk")
	dmsetup --noudevsync create "$1" --table "0 $size ${*:2}" || return
	disk=/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")
}

has_size()
{
	[ "$(blockdev --getsz "$1" 2>/dev/null || echo 0)" -gt 0 ]
}

# make_disk KIND N: make the Nth disk of this kind; set $disk to it
make_disk()
{
	local leg

	case $1 in
	null_blk) nullb "null$2" irqmode=2 completion_nsec=50000 ;;
	loop)
		nullb_ext4 "file$2" 128 "files$2"
		truncate -s 64M "$CASE_DIR/files$2/loop"
		disk=$(losetup -f --show --direct-io=on "$CASE_DIR/files$2/loop")
		;;
	dm-linear)
		nullb "linear$2" irqmode=1
		dm "linear$2" linear "$disk" 0
		;;
	dm-crypt)
		nullb "crypt$2" irqmode=1
		dm "crypt$2" crypt aes-xts-plain64 "$key" 0 "$disk" 0
		;;
	md-raid1)
		nullb "leg$2a" irqmode=1
		leg=$disk
		nullb "leg$2b" irqmode=1
		mdadm --create "/dev/md$2" --level=1 --raid-devices=2 --run --assume-clean \
			--metadata=1.2 --bitmap=none "$leg" "$disk" 2>&1
		disk=/dev/md$2
		;;
	nbd)
		# qemu-nbd keeps its lock files there.
		mkdir -p /run/lock
		truncate -s 64M "$CASE_DIR/nbd$2"
		qemu-nbd --connect="/dev/nbd$2" --format=raw --cache=writeback \
			"$CASE_DIR/nbd$2" >"$CASE_DIR/qemu-nbd$2" 2>&1 &
		disk=/dev/nbd$2
		wait_for 120 has_size "$disk"
		;;
	esac
}

remove_disks()
{
	local i

	for i in 0 1; do
		[ ! -e "/sys/block/md$i" ] || mdadm --quiet --stop "/dev/md$i"
		! has_size "/dev/nbd$i" || qemu-nbd --disconnect "/dev/nbd$i" >/dev/null
		losetup -D
		umount "$CASE_DIR/files$i"
	done
	dmsetup --noudevsync remove_all
}

module_load
modprobe loop max_loop=0
guest="Linux $(uname -r | cut -d . -f 1-2)"
names=()
i=0
for ring in split packed; do
	for kind in "${kinds[@]}"; do
		module=${needs[$kind]:-null_blk}
		if ! modprobe -q "$module"; then
			row_skip - 'emulated driver' "$kind" $ring "this kernel has no $module"
			continue
		fi
		if ! make_disk "$kind" $i >"$CASE_DIR/make" 2>&1; then
			diag "$(tail -n 5 "$CASE_DIR/make" "$CASE_DIR"/qemu-nbd* 2>/dev/null)"
			not_ok "$(row_name - - "$kind" $ring)|the disk cannot be made"
			continue
		fi
		verified "$kind" $ring "$disk"
		guest_disk "$kind-$ring" "$disk" $ring
		names+=("$kind-$ring")
	done
	i=$((i + 1))
done

if [ -e /tmp/guest/vmlinux ]; then
	GUEST_SMP=2 guest_start "${disks[@]}"
	disk_links
	guest_verified "${names[@]}"
	for name in "${names[@]}"; do
		guest_row q35 "$guest" "${name%-*}" "${name##*-}" "$name"
	done
	guest_stop
else
	row_skip q35 "$guest" all all 'a guest would take hours on this kernel'
fi
for name in "${names[@]}"; do
	check "$name: the daemon ends well" disk_stop "$name"
done
remove_disks
case_end
