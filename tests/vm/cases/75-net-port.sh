# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The ports of a card, in the hands of others; without daemon and guest.
# timeout: 150
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
tap test-net
case_end
