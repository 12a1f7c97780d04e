# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Every ioctl and every field with wrong values, and a device from open to
# close.
# timeout: 150
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
nullb nullb0 blocksize=4096
tap test-ioctl "$disk"
tap test-ioctl_net
tap test-ioctl_log
tap test-log
tap test-device
tap test-crowd
case_end
