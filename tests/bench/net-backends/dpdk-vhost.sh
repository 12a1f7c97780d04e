# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
# DPDK's net_vhost: testpmd, which polls, forwards between the socket and a tap of
# its own. It offers no checksum offload, as nothing behind it would fill in a
# missing checksum.

backend_why()
{
	command -v dpdk-testpmd >/dev/null || echo 'no dpdk-testpmd'
}

backend_start()
{
	local socket=$CASE_DIR/$1.sock off=csum=off,gso=off,guest_csum=off

	off+=,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off
	# With --stats-period testpmd does not read its input. Otherwise it would
	# take the end of /dev/null for the Enter that stops it.
	dpdk-testpmd --no-huge -m 256 --no-pci --no-telemetry --no-shconf \
		--file-prefix="$2" -l 0,1 --vdev "net_vhost0,iface=$socket" \
		--vdev "net_tap0,iface=$2" -- --forward-mode=io --auto-start \
		--total-num-mbufs=8192 --stats-period=60 \
		>"$CASE_DIR/$1.log" 2>&1 </dev/null &
	daemon=$!
	polls=1
	wait_for 60 test -S "$socket"
	wait_for 30 test -e "/sys/class/net/$2"
	ip link set "$2" master br0 up
	NET_BACKEND=socket nic_add "$1" "$socket" 1 "$off"
}
