# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Discard and write zeroes, on disks with and without support for them.
# timeout: 90
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
nullb trim discard=1
diag "a disk with discard"
tap test-ranges "$disk"
nullb plain discard=0
diag "a disk without"
tap test-ranges "$disk" no-discard
truncate -s 1M "$CASE_DIR/tmpfs"
diag "a file on tmpfs"
tap test-ranges "$CASE_DIR/tmpfs"
nullb_ext4 fs 128 mnt
truncate -s 1M "$CASE_DIR/mnt/file"
diag "a file on ext4"
tap test-ranges "$CASE_DIR/mnt/file"
umount "$CASE_DIR/mnt"
case_end
