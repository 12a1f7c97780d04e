# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A card whose daemon is killed again and again: the guest's iperf3 goes on, and a driver
# gets each frame as it was sent.
# timeout: 900
# kernels: trixie
# shellcheck disable=SC2016 # eval expands them
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/net.sh"
. "$VM_DIR/keep.sh"
. "$VM_DIR/net_emulate.sh"

kills=3
[ "${EVERYWHERE:-0}" -eq 0 ] || kills=50
rounds=
# --- a guest's card ---

net_up
module_load
bridge_add br0 10.0.0.1/24
tap_add tap0 1 br0
NIC_ARGS=--keep nic_add lan tap0
nics_start "${nics[@]}"
check "the guest gets an address" guest_address eth0 10.0.0.11/24
iperf_rounds_start 10.0.0.1 8
wait_for 60 keep_moved lan 200
keep_alone=0
said=$(vmm_lines)
for ((i = 1; i <= kills; i++)); do
	check "kill $i: another one goes on" keep_kill lan
done
diag "$kills kills, $keep_longest ms without a daemon at most"
diag "$keep_alone frames while no daemon lived"
check "iperf3 goes on" iperf_rounds_go_on
check "no iperf3 failed" eval 'rounds=$(iperf_rounds_end)'
diag "rounds, intervals of 2 s without data: $rounds"
check "data came all the while" test "${rounds#* }" = 0
check "pings of many sizes" host_pings 10.0.0.11 2 1472 70
check "QEMU says nothing" vmm_quiet "$said"
guest_stop
check "the parent ends at SIGTERM" disk_stop lan

# --- each frame is compared ---

vhost-doorbell-net --tap=kn,create --socket-path="$CASE_DIR/card.sock" --keep \
	>"$CASE_DIR/card.log" 2>&1 &
disk_pid[card]=$!
wait_for 20 test -S "$CASE_DIR/card.sock"
for load in tx rx; do
	net --load $load --verify --count 100000000 --seconds 12 \
		--socket "$CASE_DIR/card.sock" --host-if kn &
	driver=$!
	wait_for 60 keep_moved card 100
	keep_alone=0
	check "card, $load: another one goes on" keep_kill card
	check "card, $load: again" keep_kill card
	diag "$keep_alone frames while no daemon lived"
	check "card, $load: each frame is as it was sent" wait $driver
	wait_for 20 eval '! disk_fdinfo card | grep -q .'
done
check "its parent ends at SIGTERM" disk_stop card
check_fails "and the tap is gone" test -e /sys/class/net/kn
diag "$(cat "$CASE_DIR/card.log")"
case_end
