# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Disks of another machine by NVMe over TCP: the machine that has the disks, see 30-nvme.
# timeout: 800
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/pair.sh"

t=/sys/kernel/config/nvmet
modprobe nvmet-tcp
pair_start 2
nullb remote1 irqmode=2 completion_nsec=50000
mkdir "$t/subsystems/doorbell"
echo 1 >"$t/subsystems/doorbell/attr_allow_any_host"
for n in 1 2; do
	nullb remote$n irqmode=2 completion_nsec=50000
	mkdir "$t/subsystems/doorbell/namespaces/$n"
	echo "$disk" >"$t/subsystems/doorbell/namespaces/$n/device_path"
	echo 1 >"$t/subsystems/doorbell/namespaces/$n/enable"
done
mkdir $t/ports/1
echo ipv4 >$t/ports/1/addr_adrfam
echo tcp >$t/ports/1/addr_trtype
echo 10.99.0.2 >$t/ports/1/addr_traddr
echo 4420 >$t/ports/1/addr_trsvcid
ln -s $t/subsystems/doorbell $t/ports/1/subsystems/doorbell
check "the other machine ends" pair_wait 700
rm $t/ports/1/subsystems/doorbell
for n in 1 2; do
	rmdir $t/subsystems/doorbell/namespaces/$n
done
rmdir $t/ports/1 $t/subsystems/doorbell
case_end
