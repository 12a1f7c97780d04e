# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A Linux guest with each kind of card, and another guest on the bridge of the
# first card: pings of all sizes, iperf3, and streams whose contents are
# compared. NET_BACKEND names the back end of the cards, see net.sh.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/net.sh"

# 'make check-all' runs the long variant.
long=${EVERYWHERE:-0}
mib=8
seconds=1
[ "$long" -eq 0 ] || mib=64 seconds=4

names=()
net=0
declare -A number	# number of each card

# card NAME PAIRS [PROPERTIES]: add a card on a bridge of its own; in the guest
# it is eth$net
card()
{
	local name=$1

	bridge_add "br$net" "10.0.$net.1/24"
	tap_add "$name" "$2" "br$net"
	nic_add "$name" "$name" "$2" "${3:-}"
	names+=("$name")
	number[$name]=$net
	net=$((net + 1))
}

add_cards()
{
	local off=csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off
	local nothing=

	off+=,guest_ecn=off,guest_ufo=off,host_tso4=off,host_tso6=off
	off+=,host_ecn=off,host_ufo=off,mrg_rxbuf=off
	! nic_is doorbell || nothing=--no-guest-offload
	card split 1
	card packed 1 packed=on
	card legacy 1 disable-modern=on,disable-legacy=off
	card pairs 4
	# This driver adds buffers of 64 KiB.
	card big 1 mrg_rxbuf=off
	NIC_ARGS=$nothing card plain 1 $off
	NIC_ARGS=$(large_args) card large 1 host_mtu=9000
	! qemu-system-x86_64 -device virtio-net-pci,help | grep -q '^ *in_order=' ||
		card ordered 1 in_order=on
	ip link set large mtu 9000
	ip link set "br${number[large]}" mtu 9000
}

large_args()
{
	! nic_is doorbell || echo --mtu=9000
}

# try_card NAME: check what each card must do
try_card()
{
	local name=$1 n=${number[$1]} step=5
	local host=10.0.$n.1 guest=10.0.$n.11

	# 1472, the last length, is a multiple of each step plus the first length.
	[ "$n" -gt 1 ] && [ "$long" -eq 0 ] || step=1
	check "$name: it gets an address" guest_address "eth$n" "$guest/24"
	check "$name: pings of all sizes" host_pings "$guest" 2 1472 $step
	check "$name: pings in fragments" host_pings "$guest" 1473 65507 6403
	check "$name: pings from the guest" guest_pings "$host" 0 1472 368
	check "$name: a stream in both directions" stream_host "$host" $mib
}

# For some cards only, as it takes long.
iperf()
{
	local host=10.0.${number[$1]}.1

	check "$1: TCP to L1" iperf_host "$host" -t $seconds
	check "$1: TCP from L1" iperf_host "$host" -t $seconds -R
	check "$1: UDP to L1" iperf_host "$host" -t $seconds -u -b 0
	check "$1: UDP from L1" iperf_host "$host" -t $seconds -u -b 0 -R
}

# Turn offloads off one by one, in the guest, then in the host
offloads()
{
	local what guest=(tso sg) host=(tx)

	if [ "$long" -eq 1 ]; then
		guest=(tx tso gso gro sg)
		host=(tx tso gso)
	fi
	for what in "${guest[@]}"; do
		check "guest: $what off" guest_run "ethtool -K eth0 $what off"
		check "guest: $what off: a stream in both directions" \
			stream_host 10.0.0.1 $mib
		# Turning one off turns others off, too; turn them on again.
		guest_run "ethtool -K eth0 $what on tx on sg on tso on gso on"
	done
	for what in "${host[@]}"; do
		check "host: $what off" ethtool -K split "$what" off
		check "host: $what off: a stream in both directions" \
			stream_host 10.0.0.1 $mib
		ethtool -K split "$what" on tx on sg on tso on gso on >/dev/null
	done
}

multi_queue()
{
	local n=${number[pairs]}

	check "pairs: the guest has four pairs" guest_run \
		"ethtool -l eth$n | grep -m 1 -q 'Combined:.*4'"
	check "pairs: the guest uses four" guest_run "ethtool -L eth$n combined 4"
	check "pairs: four streams to L1" iperf_host "10.0.$n.1" -t $seconds -P 4
	check "pairs: four streams from L1" \
		iperf_host "10.0.$n.1" -t $seconds -P 4 -R
	check "pairs: the guest uses one" guest_run "ethtool -L eth$n combined 1"
	check "pairs: pings over one" host_pings "10.0.$n.11" 0 1472 147
	check "pairs: the guest uses two" guest_run "ethtool -L eth$n combined 2"
	check "pairs: a stream over two" stream_host "10.0.$n.1" $mib
}

large_mtu()
{
	local n=${number[large]}

	check "large: the guest's MTU is 9000" \
		guest_run "grep -qx 9000 /sys/class/net/eth$n/mtu"
	check "large: pings up to 8972 bytes" host_pings "10.0.$n.11" 1473 8972 63
}

vlan()
{
	ip link add link br0 name br0.5 type vlan id 5
	ip address add 10.5.0.1/24 dev br0.5
	ip link set br0.5 up
	check "VLAN: the guest makes one" guest_run \
		'ip link add link eth0 name eth0.5 type vlan id 5'
	check "VLAN: it gets an address" guest_address eth0.5 10.5.0.11/24
	check "VLAN: pings of all sizes" host_pings 10.5.0.11 0 1472 16
	check "VLAN: a stream in both directions" stream_host 10.5.0.1 $mib
	ip link del br0.5
	guest_run 'ip link del eth0.5'
}

ipv6()
{
	ip address add fd00::1/64 dev br0
	check "IPv6: the guest gets an address" \
		guest_run 'ip address add fd00::11/64 dev eth0'
	check "IPv6: ping" wait_for 10 ping -6 -c 1 -W 1 fd00::11
	check "IPv6: TCP to L1" iperf_host fd00::1 -t $seconds
	check "IPv6: TCP from L1" iperf_host fd00::1 -t $seconds -R
}

# Only on the card without offloads towards the guest, as the man page says.
xdp()
{
	local n=${number[plain]}

	check "XDP: the guest loads a program that passes all frames" guest_run \
		"xdp eth$n pass >/tmp/xdp 2>&1 & sleep 1; cat /tmp/xdp;
			grep -q attached /tmp/xdp"
	check "XDP: pings" host_pings "10.0.$n.11" 0 1472 16
	check "XDP: a stream in both directions" stream_host "10.0.$n.1" $mib
	guest_run 'killall xdp'
	check "XDP: pings after it is unloaded" host_pings "10.0.$n.11" 0 1472 147
}

# agreed NAME BIT WHAT: check that the driver uses this feature
agreed()
{
	check "$1: the driver uses $3" guest_agreed "eth${number[$1]}" "$2"
}

features()
{
	agreed split 15 'merged receive buffers'
	agreed split 32 'the modern layout'
	check_fails "legacy: the driver does not use VERSION_1" \
		guest_agreed "eth${number[legacy]}" 32
	agreed pairs 22 'pairs of queues'
	# vhost-net has no packed rings.
	! nic_is vhost-net || return 0
	agreed packed 34 'packed rings'
}

two_guests()
{
	nics=()
	tap_add other 2 br0
	nic_add other other 2 packed=on
	# With one CPU: the emulator may lose a CPU if the guests together have more CPUs
	# than L1.
	GUEST_SMP=1 GUEST=two nics_start "${nics[@]}"
	check "two guests: address" eval 'GUEST=two guest_address eth0 10.0.0.12/24'
	check "two guests: pings of all sizes" guest_pings 10.0.0.12 0 1472 16
	check "two guests: TCP to the other" iperf_guest two 10.0.0.12 -t $seconds
	guest_answers
	GUEST=two guest_answers
	check "two guests: TCP from the other" iperf_guest two 10.0.0.12 -t $seconds -R
	check "two guests: a stream in both directions" \
		stream_guest two 10.0.0.12 $mib
	GUEST=two guest_stop
}

! nic_is doorbell || module_load
net_up
add_cards
export GUEST=one
# See two_guests() for the number of CPUs.
GUEST_SMP=$((long > 0 ? 2 : 1)) GUEST_MEM=512 nics_start "${nics[@]}"
ok "the guest is up after $SECONDS s"
features
for name in "${names[@]}"; do
	try_card "$name"
	guest_answers
	diag "$SECONDS s"
done
for name in "${names[@]}"; do
	if [ "$long" -gt 0 ] || [ "$name" = split ]; then
		iperf "$name"
	fi
done
for step in multi_queue large_mtu vlan ipv6 offloads xdp two_guests; do
	$step
	guest_answers
	diag "$step: $SECONDS s"
done
guest_stop
if nic_is doorbell; then
	for name in "${names[@]}" other; do
		check "$name: the daemon ends well" disk_stop "$name"
	done
fi
case_end
