# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A card under load while its link, its tap, its daemon and its guest go away and come
# back. NET_BACKEND names the back end of the card, see net.sh.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/net.sh"

mib=$((1 << 20))
host=10.0.0.1
guest=10.0.0.11

# Starts iperf3 in both directions from the guest; it runs until load_stop.
load_start()
{
	# The last server may wait for a client that has ended.
	[ -z "${server:-}" ] || {
		kill "$server" 2>/dev/null || :
		wait "$server" || :
	}
	iperf3 -s >"$CASE_DIR/iperf.server" 2>&1 &
	server=$!
	wait_for 20 listens 5201
	guest_run "iperf3 -c $host -t 300 --bidir >/tmp/load 2>&1 &"
	check "$1: frames flow" wait_for 20 flows
}

load_stop()
{
	guest_run 'killall -q iperf3; true'
}

# Do more than a hundred frames pass in half a second, in each direction?
flows()
{
	local before=() after=()

	mapfile -t before < <(frames)
	sleep 0.5
	mapfile -t after < <(frames)
	[ $((after[0] - before[0])) -gt 100 ] &&
		[ $((after[1] - before[1])) -gt 100 ]
}

frames()
{
	cat /sys/class/net/tap0/statistics/{rx,tx}_packets
}

# Frames sent by the guest
sent()
{
	cat /sys/class/net/tap0/statistics/rx_packets
}

answers()
{
	test-pings $guest 64 >/dev/null 2>&1
}

back()
{
	check "$1: the guest answers again" wait_for 20 answers
}

# After many losses TCP waits long before it sends again.
flows_again()
{
	check "$1: frames flow again" wait_for 40 flows
}

carrier()
{
	guest_run 'cat /sys/class/net/eth0/carrier' | grep -qx "$1"
}

set_link()
{
	vmm_qmp set_link '{"name": "card-nic", "up": false}' >/dev/null
	check "set_link: the guest sees no carrier" wait_for 10 carrier 0
	check_fails "set_link: no frame passes" answers
	vmm_qmp set_link '{"name": "card-nic", "up": true}' >/dev/null
	check "set_link: the guest sees a carrier" wait_for 10 carrier 1
	back set_link
}

tap_down()
{
	load_start 'tap down'
	ip link set tap0 down
	sleep 1
	check "tap down: the guest sees a carrier all the same" carrier 1
	check_fails "tap down: no frame passes" answers
	ip link set tap0 up
	back 'tap down'
	flows_again 'tap down'
}

tap_renamed()
{
	ip link set tap0 down
	ip link set tap0 name tap9
	ip link set tap9 up
	back 'tap renamed'
	ip link set tap9 down
	ip link set tap9 name tap0
	ip link set tap0 up
	flows_again 'tap renamed'
	load_stop
}

tap_moved()
{
	ip netns add away
	load_start 'tap moved'
	ip link set tap0 netns away
	on_host away ip address add 10.0.0.9/24 dev tap0
	on_host away ip link set tap0 up
	check "tap moved: the guest answers in the other namespace" \
		wait_for 20 on_host away test-pings $guest 64
	check_fails "tap moved: the guest does not answer in the old one" answers
	on_host away ip link set tap0 netns 1
	port_join tap0
	back 'tap moved back'
	load_stop
}

stopped()
{
	local i before

	load_start stop
	for i in 1 2 3; do
		vmm_qmp stop >/dev/null
		sleep 0.2
		before=$(sent)
		sleep 0.3
		check "stop: the guest sends nothing, $i" \
			test "$(sent)" = "$before"
		vmm_qmp cont >/dev/null
		flows_again "cont, $i"
	done
}

# Takes memory from the guest and gives it back while frames flow
balloon()
{
	local size

	for size in 100 256 100 256; do
		vmm_qmp balloon "{\"value\": $((size * mib))}" >/dev/null
		sleep 1.5
	done
	flows_again balloon
	load_stop
	check "balloon: a stream in both directions" stream_host $host 8
}

# The host sends pings all the time.
rebound()
{
	local i load

	ping -q -i 0.002 -W 1 $guest >/dev/null 2>&1 &
	load=$!
	for i in 1 2; do
		# shellcheck disable=SC2016 # the guest's
		check "unbind: the driver is unbound and bound again, $i" guest_run '
			cd /sys/bus/virtio/drivers/virtio_net && d=$(
				cd -P /sys/class/net/eth0/device && basename $PWD) &&
			echo $d >unbind && [ ! -e /sys/class/net/eth0 ] &&
			echo $d >bind && [ -e /sys/class/net/eth0 ]'
		guest_address eth0 $guest/24
		back "unbind, $i"
	done
	kill $load
	wait $load || :
}

rebooted()
{
	load_start reboot
	vmm_qmp set-action '{"reboot": "reset"}' >/dev/null
	vmm_send command "0 5 $(printf 'reboot -f' | base64 -w 0)"
	vmm_expect command 120 @@READY >/dev/null ||
		vmm_fail 'the guest does not boot again'
	guest_address eth0 $guest/24
	back reboot
}

# The guest's address must be announced to its neighbours.
announced()
{
	local mac=$1 what=$2 filter=$3 dump

	tcpdump -Z root -l -n -c 1 -i br0 "ether src $mac and $filter" \
		>"$CASE_DIR/dump" 2>"$CASE_DIR/dump.log" &
	dump=$!
	wait_for 20 grep -q listening "$CASE_DIR/dump.log"
	vmm_qmp announce-self '{"initial": 50, "max": 550, "rounds": 3,
		"step": 100}' >/dev/null
	check "announce-self: $what" wait_for 10 ended $dump
	diag "$(cat "$CASE_DIR/dump")"
	kill $dump 2>/dev/null || :
	wait $dump || :
}

announce()
{
	# The guest's driver sends the announcement if it can, otherwise the
	# back end does.
	announced "$(nic_mac card)" 'the guest sends an ARP' arp
	announced "$(nic_mac quiet)" 'a guest without that feature: a RARP' \
		'ether proto 0x8035'
}

daemon_killed()
{
	local i

	load_start 'daemon killed'
	for i in 1 2; do
		disk_kill card
		sleep 0.5
		card_start card --tap=tap0 --queues=2
		back "daemon killed, $i"
		flows_again "daemon killed, $i"
	done
	load_stop
}

deleted()
{
	timeout 20 ip link del "$1"
}

tap_deleted()
{
	load_start 'tap deleted'
	check "tap deleted: the interface is gone at once" deleted tap0
	check "tap deleted: the guest lives" guest_run true
	nic_is doorbell || return 0
	check "tap deleted: the daemon lives" kill -0 "${disk_pid[card]}"
	disk_kill card
	tap_add tap0 2 br0
	card_start card --tap=tap0 --queues=2
	back 'tap deleted, another made'
	load_stop
}

vmm_killed()
{
	nic_is doorbell || tap_add tap0 2 br0
	if ! nic_is doorbell; then
		guest_stop
		guest_start "${card[@]}" "${quiet[@]}"
		guest_address eth0 $guest/24
	fi
	load_start 'VMM killed'
	vmm_kill KILL
	! nic_is doorbell ||
		check "VMM killed: the daemon lives" kill -0 "${disk_pid[card]}"
	guest_start "${card[@]}" "${quiet[@]}"
	guest_address eth0 $guest/24
	back 'VMM killed, another started'
	guest_stop
}

# The kernel prints this when a device that goes away still has a reference.
nothing_waits()
{
	! dmesg | grep 'unregister_netdevice: waiting'
}

! nic_is doorbell || module_load
net_up
bridge_add br0 $host/24
tap_add tap0 2 br0
tap_add tap1 1 br0
NIC_CHARDEV=$(disk_reconnect) nic_add card tap0 2
card=("${nics[@]}")
nics=()
nic_add quiet tap1 1 guest_announce=off
quiet=("${nics[@]}")

GUEST_SMP=2 guest_start "${card[@]}" "${quiet[@]}" \
	-device virtio-balloon-pci,id=balloon,free-page-reporting=on
ok "the guest is up after $SECONDS s"
guest_address eth0 $guest/24
guest_run 'ip link set eth1 up'
check "the guest answers" answers
for step in set_link tap_down tap_renamed tap_moved stopped balloon rebound \
	rebooted announce; do
	$step
	guest_answers
	diag "$step: $SECONDS s"
done
! nic_is doorbell || daemon_killed
tap_deleted
guest_answers
diag "$SECONDS s"
vmm_killed
if nic_is doorbell; then
	check "the daemon ends well" disk_stop card
	check "the other daemon ends well" disk_stop quiet
fi
check "tap0 is gone at once" deleted tap0
check "no process keeps a device" nothing_waits
case_end
