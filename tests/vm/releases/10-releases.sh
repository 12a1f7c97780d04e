# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest moves from the QEMU of an older release, whose tree is shared as 'older', to this
# release's: see run-releases.
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/migrate.sh"

older=$CASE_DIR/older
# A machine type that both know: that of the older QEMU
GUEST_MACHINE=$OLDER_MACHINE

mkdir -p "$older" "$CASE_DIR/bin"
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144 older "$older"
for dir in dev proc sys tmp; do
	mount --bind /$dir "$older/$dir"
done
cat >"$CASE_DIR/bin/older-qemu" <<-END
	#!/bin/sh
	exec chroot $older qemu-system-x86_64 "\$@"
END
chmod +x "$CASE_DIR/bin/older-qemu"
old=$("$CASE_DIR/bin/older-qemu" --version | head -n 1)
new=$(qemu-system-x86_64 --version | head -n 1)
diag "from: $old" "to: $new"
check "two versions of QEMU" test "$old" != "$new"

# QEMU 11.1.3 refuses the state that 10.0.13 sends of queues with fewer than 1024 entries, also
# of its own virtio-blk. And its vhost-user-blk never offers SIZE_MAX, which QEMU 10 passes on.
size=
features=()
if [[ $new == *'version 11.'* ]]; then
	size=,queue-size=1024
	features=(--features=size_max=off)
fi

module_load
nullb data size=16 irqmode=2 completion_nsec=100000
# moves PACKED QUEUES
moves()
{
	local what="packed=$1, $2 queues"

	disks=()
	disk_start from "$disk" "${features[@]}"
	disk_attach from "packed=$1,num-queues=$2$size"
	GUEST=src GUEST_QEMU=$CASE_DIR/bin/older-qemu guest_start "${disks[@]}"
	disks=()
	disk_start to "$disk" --incoming "${features[@]}"
	disk_attach to "packed=$1,num-queues=$2$size"
	GUEST=dst guest_incoming "${disks[@]}"
	GUEST=src
	verify_start
	check "$what: fio runs" verify_goes_on
	migrate_downtime 2000
	migrate_start dst
	check "$what: the guest moves" migrate_wait
	vmm_kill
	GUEST=dst
	check "$what: fio goes on" verify_goes_on
	check "$what: fio has verified all" verify_end
	guest_stop
	disk_stop from
	disk_stop to
}

moves off 1
moves on 4
case_end
