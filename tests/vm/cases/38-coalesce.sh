# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Interrupt coalescing: fewer signals by count and by time, none too late, and
# correct data; with an emulated driver and with a guest.
# kernels: trixie
# timeout: 200
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# quantile NAME: print a latency in us from the output of emulate --json
quantile()
{
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$CASE_DIR/emulate.log" |
		awk '{ print int($1 / 1000) }'
}

# Starts a driver with depth 16 in the background; deep_ends waits for it
deep()
{
	doorbell-bench emulate --socket "$sock" --seconds $((4 * factor)) \
		--rw randread --depth 16 "$@" >"$CASE_DIR/deep.log" 2>&1 &
	driver=$!
	wait_for $((10 * factor)) under_way
}

deep_ends()
{
	wait $driver
}

# signals: set per_mille to the signals per 1000 requests, measured for half a
# second
signals()
{
	local signals completed

	signals=$(counter 0 signals) completed=$(counter 0 completed)
	sleep 0.5
	signals=$(($(counter 0 signals) - signals))
	completed=$(($(counter 0 completed) - completed))
	diag "$signals signals for $completed requests"
	[ $completed -gt 0 ] && per_mille=$((signals * 1000 / completed))
}

coalesce()
{
	doorbellctl set --all coalesce-us="$1" coalesce-count="$2"
}

module_load
# Requests complete one by one, each 1 ms after its start.
nullb slow irqmode=2 completion_nsec=1000000
daemon_start --blk-file="$disk"
# With an event index this driver gets one signal per burst anyway.
for how in '' --packed --no-event-idx; do
	# shellcheck disable=SC2086 # one option or none
	deep $how
	signals
	many=$per_mille
	check "coalesce-count=8 is set${how:+, $how}" coalesce 10000 8
	signals
	check "coalescing: few signals${how:+, $how}" test "$per_mille" -le 150
	check "coalescing: some completions waited${how:+, $how}" test \
		"$(counter 0 coalesced)" -gt 10
	check "coalescing is switched off${how:+, $how}" coalesce 0 8
	signals
	check "coalescing off: as many signals as before${how:+, $how}" test \
		$((per_mille * 2)) -gt "$many"
	check "the driver goes on${how:+, $how}" deep_ends
done
# On a slow kernel several requests complete before the driver looks.
[ "$factor" -gt 1 ] ||
	check "without event index: a signal for most completions" test "$many" -gt 500
deep
for wrong in coalesce-us=10001 coalesce-us=-1 coalesce-us= coalesce-count=0 \
	coalesce-count=65536; do
	check_fails "doorbellctl set refuses $wrong" doorbellctl set --all "$wrong"
done
check "the driver goes on after refused settings" deep_ends
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --coalesce-us=10000 --coalesce-count=1000
deep --depth 1
check "depth 1: a load" under_way
check "depth 1: completions do not wait for the timer" \
	test "$(counter 0 coalesced)" -lt 20
check "depth 1: the driver goes on" deep_ends
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --coalesce-us=200 --coalesce-count=4
for how in '' --packed --no-event-idx; do
	# shellcheck disable=SC2086 # one option or none
	check "coalescing: data verify${how:+, $how}" emulate --rw randrw \
		--verify --queues 2 --count 2000 --depth 8 $how
	# shellcheck disable=SC2086
	check "coalescing: data verify while queues are reset${how:+, $how}" \
		emulate --rw randrw \
		--verify --queues 2 --count 2000 --depth 8 --reset-every 50 $how
done
check "the daemon ends well" daemon_stop
for wrong in --coalesce-us=10001 --coalesce-us=1x --coalesce-count=0; do
	check_fails "the daemon refuses $wrong" vhost-doorbell-blk \
		--socket-path="$sock" --blk-file="$disk" "$wrong"
done

# A quarter of the disk takes 100 ms: other completions must be signalled within 1
# ms all the same.
fast=$disk
sectors=131072
modprobe dm-delay
printf '%s\n' "0 $((sectors * 3 / 4)) linear $fast 0" \
	"$((sectors * 3 / 4)) $((sectors / 4)) delay $fast $((sectors * 3 / 4)) 100" |
	dmsetup --noudevsync create quarter
quarter=/dev/dm-$(dmsetup info -c --noheadings -o minor quarter)
daemon_start --blk-file="$quarter" --coalesce-us=1000 --coalesce-count=1000
check "a load in which some requests are slow" \
	emulate --rw randread --depth 8 --count 600 --json
diag "half of them within $(quantile p50) us, 99 % within $(quantile p99) us"
check "fast requests do not wait for slow ones" \
	test $(($(quantile p50) * 2)) -lt "$(quantile p99)"
check "the daemon ends well" daemon_stop
dmsetup --noudevsync remove quarter

if [ "$factor" -gt 1 ]; then
	skip "a guest" "too slow on this kernel"
	case_end
	exit
fi
nullb guest irqmode=2 completion_nsec=1000000
disk_start guest "$disk" --serial=guest --coalesce-us=5000 --coalesce-count=8
disk_attach guest num-queues=1
guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links
# guest_fio DEPTH: run fio in the guest; set per_mille
guest_fio()
{
	local signals completed

	signals=$(disk_sum guest signals) completed=$(disk_sum guest completed)
	guest_run -t 60 "fio --name=c --filename=/disk/guest --rw=randwrite \
		--bs=4k --direct=1 --ioengine=libaio --iodepth=$1 --size=4m \
		--verify=crc32c --thread --eta=never >/tmp/fio 2>&1" || return
	signals=$(($(disk_sum guest signals) - signals))
	completed=$(($(disk_sum guest completed) - completed))
	per_mille=$((signals * 1000 / completed))
	diag "depth $1: $signals signals for $completed requests"
}
check "guest: fio verifies at depth 16" guest_fio 16
check "guest: fewer interrupts at depth 16" test "$per_mille" -le 600
check "guest: some completions waited" test "$(disk_sum guest coalesced)" -gt 200
check "guest: fio verifies at depth 1" guest_fio 1
check "guest: an interrupt for each request at depth 1" test "$per_mille" -ge 500
guest_stop
check "guest: the daemon ends well" disk_stop guest
case_end
