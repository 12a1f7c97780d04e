# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Interrupt coalescing: fewer signals by count and by time, none late, data as they
# should be; by an emulated driver and by a guest.
# kernels: trixie
# timeout: 200
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# quantile NAME: of the latencies that emulate --json printed, in us
quantile()
{
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$CASE_DIR/emulate.log" |
		awk '{ print int($1 / 1000) }'
}

# A driver of depth 16 in the background, until deep_ends
deep()
{
	doorbell-bench emulate --socket "$sock" --seconds $((6 * factor)) \
		--rw randread --depth 16 "$@" >"$CASE_DIR/deep.log" 2>&1 &
	driver=$!
	wait_for $((10 * factor)) under_way
}

deep_ends()
{
	wait $driver
}

# signals: sets per_mille, those per 1000 requests for half a second
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
	doorbellctl set coalesce-us="$1" coalesce-count="$2"
}

module_load
# Each request ends by itself, 1 ms after it began.
nullb slow irqmode=2 completion_nsec=1000000
daemon_start --blk-file="$disk"
# With an event index this driver is told of bursts as it is.
for how in '' --packed --no-event-idx; do
	# shellcheck disable=SC2086 # one option or none
	deep $how
	signals
	many=$per_mille
	check "8 at a time${how:+, $how}" coalesce 10000 8
	signals
	check "makes few signals${how:+, $how}" test "$per_mille" -le 150
	check "some have waited${how:+, $how}" test \
		"$(counter 0 coalesced)" -gt 10
	check "off again${how:+, $how}" coalesce 0 8
	signals
	check "as many signals as before${how:+, $how}" test \
		$((per_mille * 2)) -gt "$many"
	check "the driver goes on${how:+, $how}" deep_ends
done
# On a slow kernel it looks so seldom that many have come meanwhile.
[ "$factor" -gt 1 ] ||
	check "without one it was told of nearly each" test "$many" -gt 500
deep
for wrong in coalesce-us=10001 coalesce-us=-1 coalesce-us= coalesce-count=0 \
	coalesce-count=65536; do
	check_fails "not $wrong" doorbellctl set "$wrong"
done
check "the driver goes on" deep_ends
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --coalesce-us=10000 --coalesce-count=1000
deep --depth 1
check "one at a time" under_way
check "does not wait for the timer" test "$(counter 0 coalesced)" -lt 20
check "the driver goes on" deep_ends
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --coalesce-us=200 --coalesce-count=4
for how in '' --packed --no-event-idx; do
	# shellcheck disable=SC2086 # one option or none
	check "data are what they should be${how:+, $how}" emulate --rw randrw \
		--verify --queues 2 --count 2000 --depth 8 $how
	# shellcheck disable=SC2086
	check "with resets of a queue${how:+, $how}" emulate --rw randrw \
		--verify --queues 2 --count 2000 --depth 8 --reset-every 50 $how
done
check "the daemon ends well" daemon_stop
for wrong in --coalesce-us=10001 --coalesce-us=1x --coalesce-count=0; do
	check_fails "the daemon takes no $wrong" vhost-doorbell-blk \
		--socket-path="$sock" --blk-file="$disk" "$wrong"
done

# A quarter of the disk takes 100 ms: what has ended meanwhile is told of in 1 ms.
fast=$disk
sectors=131072
modprobe dm-delay
printf '%s\n' "0 $((sectors * 3 / 4)) linear $fast 0" \
	"$((sectors * 3 / 4)) $((sectors / 4)) delay $fast $((sectors * 3 / 4)) 100" |
	dmsetup --noudevsync create quarter
quarter=/dev/dm-$(dmsetup info -c --noheadings -o minor quarter)
daemon_start --blk-file="$quarter" --coalesce-us=1000 --coalesce-count=1000
check "some are slow" emulate --rw randread --depth 8 --count 600 --json
diag "half of them within $(quantile p50) us, 99 % within $(quantile p99) us"
check "the fast ones do not wait for the slow" \
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
# guest_fio DEPTH: sets per_mille
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
check "fio verifies, at depth 16" guest_fio 16
check "with fewer interrupts" test "$per_mille" -le 600
check "some have waited" test "$(disk_sum guest coalesced)" -gt 200
check "and at depth 1" guest_fio 1
check "with one for each" test "$per_mille" -ge 500
guest_stop
check "its daemon ends well" disk_stop guest
case_end
