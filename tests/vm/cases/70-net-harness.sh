# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The harness itself: a guest, L1 and another host on one bridge, over vhost-net.
# kernels: trixie
# timeout: 150
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
NET_BACKEND="vhost-net"
. "$VM_DIR/net.sh"

net_up
bridge_add br0 10.0.0.1/24
host_add other br0 10.0.0.2/24
tap_add tap0 2 br0
nic_add card tap0 2
nics_start "${nics[@]}"
ok "the guest is up after $SECONDS s"

check "the guest gets an address" guest_address eth0 10.0.0.11/24
check "the guest has two pairs of queues" \
	guest_run "ethtool -l eth0 | grep -m 1 -q 'Combined:.*2'"
check "pings from L1" host_pings 10.0.0.11 0 1472 64
check_fails "pings from L1 to an unused address fail" host_pings 10.0.0.13
check "pings from the guest to the other host" guest_pings 10.0.0.2 0 1472 64
check_fails "pings from the guest to an unused address fail" guest_pings 10.0.0.13
check "pings from the other host" \
	eval "NET_HOST=other host_pings 10.0.0.11 1473 65507 6403"
check "TCP to L1" iperf_host 10.0.0.1 -t 1
check "UDP from L1" iperf_host 10.0.0.1 -t 1 -u -b 0 -R
check_fails "TCP to an unused address fails" \
	guest_run 'iperf3 --connect-timeout 500 -c 10.0.0.13'
check "a stream in both directions" stream_host 10.0.0.1 16
guest_stop
case_end
