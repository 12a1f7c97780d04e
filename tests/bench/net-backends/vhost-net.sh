# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# The kernel's vhost-net on a tap, with a kernel thread for each pair of queues

backend_why()
{
	modprobe vhost_net 2>/dev/null || echo 'no vhost-net in this kernel'
}

backend_start()
{
	daemon=vmm
	tap_add "$2" 1 br0
	NET_BACKEND=vhost-net nic_add "$1" "$2"
}
