# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest with a card moves, while TCP streams go both ways: they go on by the tap of the
# next daemon, and none of the guest's memory that the card wrote is lost.
# kernels: trixie
# timeout: 300
# shellcheck disable=SC2016 # eval expands it
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/net.sh"
. "$VM_DIR/migrate.sh"

rounds=

net_up
module_load
bridge_add br0 10.0.0.1/24
tap_add tap0 1 br0
tap_add tap1 1 br0
nic_add lan tap0
GUEST=src nics_start "${nics[@]}"
export GUEST=src
check "the guest gets an address" guest_address eth0 10.0.0.11/24
check "a stream in both directions" stream_host 10.0.0.1 4
iperf_rounds_start 10.0.0.1
check "iperf3 runs" iperf_rounds_go_on

card_start next --tap=tap1 --queues=1
GUEST=dst guest_incoming "${nics[@]/lan.sock/next.sock}"
migrate_downtime 2000
migrate_start dst
check "the guest moves" migrate_wait
diag "downtime $(migrate_field downtime) ms, total $(migrate_field total-time) ms"
check "the daemon of the source ends" disk_stop lan
GUEST=dst
check "iperf3 goes on" iperf_rounds_go_on
check "pings of many sizes" host_pings 10.0.0.11 2 1472 70
check "a stream in both directions, there" stream_host 10.0.0.1 4
check "no iperf3 failed" eval 'rounds=$(iperf_rounds_end)'
diag "rounds, intervals without data: $rounds"
check "by the next card" test "$(disk_sum next rx_packets)" -gt 100
guest_stop
GUEST=src vmm_kill
check "the daemon ends well" disk_stop next
case_end
