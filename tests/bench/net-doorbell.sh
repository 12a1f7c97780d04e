# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# net-doorbell.sh MODE [PORT]: this project's back end in a mode, on a tap or (PORT dev)
# on a network device of the card; sourced by files in net-backends/
mode=$1
port=${2:-tap}

backend_why()
{
	bench_module_why
	command -v vhost-doorbell-net >/dev/null ||
		echo 'vhost-doorbell-net is not built'
}

backend_start()
{
	[ -d /sys/module/vhost_doorbell ] ||
		insmod /tmp/host/vhost_doorbell.ko
	local NET_BACKEND=doorbell NIC_PORT=$port NIC_ARGS=--mode=$mode

	tap_add "$2" 1 br0
	nic_add "$1" "$2"
	daemon=${disk_pid[$1]}
}
