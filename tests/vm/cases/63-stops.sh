# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# No wait lasts for ever: a fatal signal ends a stop or a close that waits for a
# disk, rmmod fails at once, and everything is released when the disk answers.
# timeout: 180
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
nullb stops irqmode=0
modprobe dm-mod
modprobe fuse
dmsetup --noudevsync create stops \
	--table "0 $(blockdev --getsz "$disk") linear $disk 0"
touch "$CASE_DIR/fuse"
tap test-stops stops \
	"/dev/dm-$(dmsetup --noudevsync info -c --noheadings -o minor stops)" \
	"$CASE_DIR/fuse"
dmsetup --noudevsync resume stops
dmsetup --noudevsync remove stops
case_end
