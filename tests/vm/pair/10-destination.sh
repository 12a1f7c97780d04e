# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest moves to another host, which has the same disk: the destination. See run-pair.
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/migrate.sh"

module_load
modprobe -a virtio_blk virtio_net
pair=$(basename /sys/bus/virtio/drivers/virtio_net/*/net/*)
ip address add 10.99.0.2/24 dev "$pair"
ip link set "$pair" up

disk_start disk /dev/vda --serial=data --incoming
disk_attach disk
guest_incoming "${disks[@]}"
vmm_qmp migrate-incoming '{"uri": "tcp:0:4444"}' >/dev/null
iperf3 -s >/dev/null &
ready=$!
check "the guest arrives" migrate_wait 500
kill $ready
check "fio goes on" verify_goes_on
check "it has verified all" verify_end
check "by this host's module" test "$(disk_sum disk requests)" -gt 100
guest_stop
check "the daemon ends well" disk_stop disk
case_end
