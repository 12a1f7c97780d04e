# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A card over a tap, without daemon and guest.
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
tap test-net
case_end
