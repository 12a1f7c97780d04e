# shellcheck shell=bash disable=SC2154 # of pair.sh: peer
# SPDX-License-Identifier: GPL-2.0
# Disks of another machine by NVMe over TCP: the machine that has the guest. The other one
# runs 30-nvme-target.
# timeout: 700
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/matrix.sh"
. "$VM_DIR/pair.sh"

connected()
{
	echo "transport=tcp,traddr=$peer,trsvcid=4420,nqn=doorbell" \
		>/dev/nvme-fabrics
} 2>/dev/null

module_load
modprobe nvme-tcp
pair_start 1
guest="Linux $(uname -r | cut -d . -f 1-2)"
name='nvme-tcp, another host'
check "the target answers" wait_for 300 connected
wait_for 60 test -b /dev/nvme0n2
n=1
for ring in split packed; do
	verified "$name" $ring /dev/nvme0n$n
	guest_disk $ring /dev/nvme0n$n $ring
	n=$((n + 1))
done
guest_rings "$guest" "$name"
echo 1 >/sys/class/nvme/nvme0/delete_controller
pair_tell
case_end
