# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Each feature that drivers are offered can be turned off by its name, and a
# driver without it is served. Also the rules of features that no guest here
# uses.
# kernels: trixie
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# Feature bits of the virtio spec
declare -A bit=(
	[size_max]=1 [seg_max]=2 [geometry]=4 [blk_size]=6 [flush]=9
	[topology]=10 [config_wce]=11 [discard]=13 [write_zeroes]=14
	[notify_on_empty]=24 [any_layout]=27 [indirect_desc]=28
	[event_idx]=29 [version_1]=32 [ring_packed]=34 [in_order]=35
	[notification_data]=38 [ring_reset]=40
)
asked_for=config_wce=on,in_order=on,notification_data=on,flush=on

offered()
{
	printf '%d\n' "$(doorbell-bench emulate --socket "$sock" --config |
		sed -n 's/^features: *//p')"
}

# Are all features offered except these?
lacks_only()
{
	local name lacking=0

	for name; do
		lacking=$((lacking | 1 << bit[$name]))
	done
	test $((all ^ $(offered))) -eq $lacking
}

verify()
{
	emulate --rw randrw --verify --queues 2 --count 150 --depth 8 "$@"
}

in_order()
{
	verify --in-order --depth 32 --count 600 --flush-every 5 "$@"
}

module_load
nullb offers irqmode=1 discard=1

daemon_start --blk-file="$disk" --features=$asked_for
all=$(offered)
known=$((1 << 30))
for name in "${!bit[@]}"; do
	check "$name: offered" test $((all >> bit[$name] & 1)) = 1
	known=$((known | 1 << bit[$name]))
done
check "a driver with all features is served" verify --in-order --reset-every 50 --json
agreed=$(sed -n 's/.*"features": "\(0x[0-9a-f]*\)".*/\1/p' "$CASE_DIR/emulate.log")
for name in version_1 any_layout indirect_desc event_idx in_order \
	notification_data ring_reset size_max seg_max geometry blk_size \
	topology flush; do
	check "$name: agreed on" test $((agreed >> bit[$name] & 1)) = 1
done
check "the protocol features are offered" test $((all >> 30 & 1)) = 1
check "VHOST_F_LOG_ALL is offered, to the front end alone" test $((all >> 26 & 1)) = 1
# The daemon here has two queues, so it also offers MQ.
check "no feature is offered that this test does not list" \
	test $((all & ~known)) = $((1 << 12 | 1 << 26))
check "ACCESS_PLATFORM is not offered" test $((all >> 33 & 1)) = 0
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk"
check "config_wce, in_order, notification_data and flush are off by default" \
	test $((all ^ $(offered))) -eq $((1 << 9 | 1 << 11 | 1 << 35 | 1 << 38))
check "the daemon ends well" daemon_stop

check_fails "config_wce without flush is refused" vhost-doorbell-blk \
	--socket-path="$sock" --blk-file="$disk" --features="$asked_for,flush=off"
for name in "${!bit[@]}"; do
	off=("$name")
	# The daemon refuses to offer config_wce without flush.
	[ "$name" != flush ] || off+=(config_wce)
	daemon_start --blk-file="$disk" \
		--features="$asked_for$(printf ',%s=off' "${off[@]}")"
	check "$name: not offered when it is off" lacks_only "${off[@]}"
	check "$name: served without it" verify
	check "$name: the daemon ends well" daemon_stop
done

# A flush waits for a work item and requests behind it do not, so they complete
# out of order.
truncate -s 32M "$CASE_DIR/file"
for mode in inline worker auto; do
	daemon_start --blk-file="$CASE_DIR/file" --features=in_order=on \
		--mode=$mode
	check "in order: split ring, $mode" in_order
	check "in order: packed ring, $mode" in_order --packed
	check "in order: a packed ring of 7 entries, $mode" in_order --packed \
		--queue-size 7
	check "the daemon ends well" daemon_stop
done
nullb order irqmode=2 completion_nsec=100000 submit_queues=2
daemon_start --blk-file="$disk" --features=in_order=on,flush=on
check "in order: a disk, random descriptors, not aligned" in_order --layout random \
	--align 100 --bs 16k
check "in order: while queues are reset" in_order --reset-every 50
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk"
check "notify on empty: a legacy driver gets the interrupt" verify --legacy \
	--notify-on-empty
check "notify on empty: with an event index at depth 1" verify --legacy \
	--notify-on-empty --depth 1 --count 300
check "notify on empty: without an event index" verify --legacy --notify-on-empty \
	--no-event-idx
check "one queue is reset while the other goes on" verify --reset-every 20 \
	--count 2000 --json
resets=$(sed -n 's/.*"resets": \([0-9]*\).*/\1/p' "$CASE_DIR/emulate.log")
check "the queue was reset many times: ${resets:-never}" test "${resets:-0}" -ge 50
check "packed queues are reset" verify --reset-every 20 --packed
check "queues of 7 entries are reset" verify --reset-every 20 --packed \
	--queue-size 7
check "queues without an event index are reset" verify \
	--reset-every 10 --no-event-idx
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --queues=64
check "64 queues" emulate --rw randrw --verify --queues 64 --count 3200 \
	--depth 4
check "64 packed queues" emulate --rw randrw --verify \
	--queues 64 --count 3200 --depth 4 --packed
check "the daemon ends well" daemon_stop
case_end
