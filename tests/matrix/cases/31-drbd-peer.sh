# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A disk that DRBD mirrors: the machine with the copy, see 31-drbd.
# timeout: 850
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/pair.sh"
. "$VM_DIR/drbd.sh"

pair_start 2
nullb mirror irqmode=1
drbd_start "$disk"
check "the other machine ends" pair_wait 800
check "the copy is up to date" drbd_is 'ds:UpToDate/'
drbdadm down r0
case_end
