# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest moves to another host, which has the same disk: the source. See run-pair.
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/migrate.sh"

# The destination listens here when its QEMU waits for the guest.
destination_is_ready()
{
	timeout 5 bash -c '>/dev/tcp/10.99.0.2/5201' 2>/dev/null
}

# Others on this host may have the disk.
released()
{
	vhost-doorbell-blk --socket-path="$CASE_DIR/next.sock" --blk-file=/dev/vda \
		>"$CASE_DIR/next.log" 2>&1 &
	disk_pid[next]=$!
	wait_for 20 disk_listens next && disk_stop next
}

module_load
modprobe -a virtio_blk virtio_net
pair=$(basename /sys/bus/virtio/drivers/virtio_net/*/net/*)
ip address add 10.99.0.1/24 dev "$pair"
ip link set "$pair" up

disk_start disk /dev/vda --serial=data
disk_attach disk
guest_start "${disks[@]}"
verify_start
check "fio verifies" verify_goes_on
check "the destination waits" wait_for 400 destination_is_ready
migrate_downtime 2000
vmm_qmp migrate '{"uri": "tcp:10.99.0.2:4444"}' >/dev/null
check "the guest moves to the other host" migrate_wait 200
diag "downtime $(migrate_field downtime) ms, total $(migrate_field total-time) ms"
check "the source's daemon has given up the disk" released
vmm_kill
check "it ends well" disk_stop disk
case_end
