# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# pair.sh: two L1 with a network in common, for cases of the matrix; after case.sh.
#
#   pair_start N	take the address 10.99.0.N, 1 or 2, and the name l1-N
#   pair_wait SECONDS	wait until the other one calls pair_tell
#   pair_tell		let the other one go on
#
# $peer is the other one's address.

pair_start()
{
	local card

	modprobe virtio_net
	card=$(basename /sys/bus/virtio/drivers/virtio_net/*/net/*)
	ip address add "10.99.0.$1/24" dev "$card"
	ip link set "$card" up
	hostname "l1-$1"
	peer=10.99.0.$((3 - $1))
}

pair_wait()
{
	timeout "$1" iperf3 -s -1 >/dev/null
}

pair_told()
{
	timeout 20 iperf3 -c "$peer" -n 1k >/dev/null 2>&1
}

pair_tell()
{
	wait_for 300 pair_told
}
