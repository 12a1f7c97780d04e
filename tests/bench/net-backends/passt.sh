# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# passt over vhost-user: a process that translates frames into sockets; it has no
# port in the bridge and does not reach the other guest

backend_why()
{
	passt --help 2>&1 | grep -q -- --vhost-user ||
		echo 'no passt with vhost-user'
}

# passt's gateway address leads to the host's loopback interface. passt forwards one
# port from there to the guest.
backend_start()
{
	bridged=
	server=10.9.0.1
	guest=10.9.0.11
	to=127.0.0.1
	NIC_ARGS="--ipv4-only --interface br0 --address $guest --netmask 24 --gateway $server --udp-ports 7004" \
		NET_BACKEND=passt nic_add "$1" -
	daemon=$!
}
