# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Guests on macvtaps, with a link to another host. NET_BACKEND names the back
# end of the cards, see net.sh.
# kernels: trixie-backports
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/net.sh"

host=10.0.0.2

# The peer is at the other end of the link, as macvtaps do not reach L1 itself.
export NET_HOST=other

! nic_is doorbell || module_load
net_up
host_add other '' $host/24
macvtap_add mv0 other
macvtap_add mv1 other
nic_add one mv0
GUEST=one nics_start "${nics[@]}"
nics=()
nic_add two mv1 2 packed=on
export GUEST=two
GUEST_SMP=2 nics_start "${nics[@]}"
ok "the guests are up after $SECONDS s"

GUEST=one guest_address eth0 10.0.0.11/24
guest_address eth0 10.0.0.12/24
for i in 11 12; do
	check "pings of all sizes from the other host, $i" host_pings 10.0.0.$i 0 1472
	check "pings in fragments, $i" host_pings 10.0.0.$i 1473 65507 6403
done
check "pings from the guest" guest_pings $host 0 1472 64
check "pings from guest to guest" guest_pings 10.0.0.11 0 1472 64
check "TCP to the other host" iperf_host $host -t 1
check "TCP from the other host" iperf_host $host -t 1 -R
check "UDP to the other host" iperf_host $host -t 1 -u -b 0
check "UDP from the other host" iperf_host $host -t 1 -u -b 0 -R
check "a stream between the guests" stream_guest one 10.0.0.11 16

# The link of a macvtap goes down and up; then the macvtap is deleted.
ip link set mv1 down
check_fails "macvtap down: nothing passes" host_pings 10.0.0.12
ip link set mv1 up
check "macvtap up: the guest answers again" wait_for 20 host_pings 10.0.0.12
check "a macvtap goes at once" timeout 20 ip link del mv1
check "its guest lives" guest_run true
check "the other guest answers" host_pings 10.0.0.11
guest_stop
GUEST=one guest_stop
if nic_is doorbell; then
	check "one: the daemon ends well" disk_stop one
	check "two: the daemon ends well" disk_stop two
fi
case_end
