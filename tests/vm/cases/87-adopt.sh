# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The owner of a device is killed while another process keeps the file: the queues run
# on, pages are pinned, and another process adopts the device.
# kernels: trixie
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

kills=20
[ "${EVERYWHERE:-0}" -eq 0 ] || kills=200

module_load
nullb adopt irqmode=0
modprobe dm-mod
dmsetup --noudevsync create adopt \
	--table "0 $(blockdev --getsz "$disk") linear $disk 0"
tap test-adopt adopt \
	"/dev/dm-$(dmsetup --noudevsync info -c --noheadings -o minor adopt)" \
	"$kills"
dmsetup --noudevsync remove adopt
case_end
