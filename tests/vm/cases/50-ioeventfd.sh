# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The guarantees of KVM_IOEVENTFD, also with its eventfds wired to bells.
# kernels: trixie
# timeout: 180
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

[ -w /dev/kvm ] || skip_case 'no KVM in L1'
module_load
tap doorbell-bench ioeventfd
case_end
