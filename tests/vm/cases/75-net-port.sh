# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Ports of a card that other processes use, too; without daemon and guest.
# timeout: 150
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing
echo >$tracing/trace
for event in bell_net_frame bell_net_drop; do
	echo 1 >$tracing/events/vhost_doorbell/$event/enable
done
tap test-net
for event in bell_net_frame bell_net_drop; do
	echo 0 >$tracing/events/vhost_doorbell/$event/enable
	check "tracepoint $event" grep -q "$event: dev=" $tracing/trace
done
case_end
