# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# QEMU itself on a tap; its main thread serves the card

backend_why()
{
	:
}

backend_start()
{
	daemon=vmm
	tap_add "$2" 1 br0
	NET_BACKEND=tap nic_add "$1" "$2"
}
