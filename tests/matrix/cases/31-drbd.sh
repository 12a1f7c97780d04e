# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A disk that DRBD mirrors to another machine: the machine that has the guest. The other
# one runs 31-drbd-peer. At the end DRBD compares both copies.
# timeout: 780
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/matrix.sh"
. "$VM_DIR/pair.sh"
. "$VM_DIR/drbd.sh"

# compared: DRBD has compared all of both copies
compared()
{
	drbd_is 'cs:Connected .*ds:UpToDate/UpToDate'
}

same()
{
	drbdadm verify r0 && sleep 1 && wait_for 200 compared && cat /proc/drbd &&
		grep -q 'oos:0$' /proc/drbd
}

module_load
pair_start 1
guest="Linux $(uname -r | cut -d . -f 1-2)"
name="DRBD $(cat /sys/module/drbd/version 2>/dev/null || echo 8.4), two hosts"
nullb mirror irqmode=1
drbd_start "$disk"
check "the two are connected" wait_for 300 drbd_is 'cs:Connected'
drbdadm primary --force r0
check "the peer has all data" wait_for 300 drbd_is 'ds:UpToDate/UpToDate'
diag "$(cat /proc/drbd)"
for ring in split packed; do
	verified "$name" $ring /dev/drbd0
done
guest_disk split /dev/drbd0 split
GUEST_SMP=2 guest_start "${disks[@]}"
disk_links
guest_verified split
guest_row q35 "$guest" "$name" split split
guest_stop
check "the daemon ends well" disk_stop split
check "both copies are the same" same
diag "$(cat /proc/drbd)"
pair_tell
drbdadm down r0
case_end
