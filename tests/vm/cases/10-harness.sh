# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The harness itself: a guest on the vhost-user-blk back end that comes with
# QEMU.
# timeout: 150
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"

truncate -s 64M "$CASE_DIR/disk"
mkfs.ext4 -q "$CASE_DIR/disk"
qemu-storage-daemon \
	--blockdev "driver=file,node-name=disk,filename=$CASE_DIR/disk" \
	--export "type=vhost-user-blk,id=disk,node-name=disk,addr.type=unix,addr.path=$CASE_DIR/sock,writable=on" &
wait_for 10 test -S "$CASE_DIR/sock"

guest_start -chardev "socket,id=disk,path=$CASE_DIR/sock" \
	-device vhost-user-blk-pci,chardev=disk
ok "the guest is up after $SECONDS s"

check "commands give output" test "$(guest_run 'printf "a\nb"')" = $'a\nb'
check_fails "commands give their status" guest_run false
status=0
guest_run -t 2 'sleep 30' || status=$?
check "commands have a time limit" test "$status" -eq 143
check "the disk is there" guest_run 'mount -t ext4 /dev/vda /mnt'
check "fio runs" guest_run -t 60 'fio --name=v --filename=/mnt/f --size=4M --rw=randwrite --bs=4k --verify=crc32c --direct=1 --output-format=terse --terse-version=3 >/tmp/o'
guest_run 'umount /mnt; cat /proc/uptime'
check "QMP answers" vmm_qmp query-status
check_fails "QMP errors are errors" vmm_qmp no-such-command
guest_stop
check "what the guest wrote is a sound file system" e2fsck -fn "$CASE_DIR/disk"
case_end
