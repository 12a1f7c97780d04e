# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The bell: each rule of its calls, and exact counting under load.
# kernels: trixie
# timeout: 170
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
tap test-bell
case_end
