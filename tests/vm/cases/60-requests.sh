# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Requests of any length: of a driver that knows no SIZE_MAX and no SEG_MAX, and of
# one that breaks them; served in slices, whole or not at all. And who pays for what
# they need.
# timeout: 240
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# A driver that does not know how much a request may have
any=(--features "size_max=off,seg_max=off" --depth 1)

verify()
{
	emulate --rw randrw --verify "$@"
}

module_load
nullb nullb0 size=160 irqmode=1
whole=$disk
for mode in inline worker; do
	daemon_start --blk-file="$whole" --mode=$mode
	check "$mode: one descriptor of 64 MiB" verify "${any[@]}" --bs 64M \
		--count 2 --mem scattered
	check "$mode: the daemon ends well" daemon_stop
done
daemon_start --blk-file="$whole" --mode=auto
check "four requests of 20 MiB, on two queues" \
	verify "${any[@]}" --bs 20M --depth 2 --queues 2 --count 4
check "two of 20 MiB, small pages given back between, packed ring" \
	verify "${any[@]}" --bs 20M --count 2 --punch 1 --packed
check "data and status in one descriptor, at an odd address" \
	verify "${any[@]}" --bs 18M --count 2 --layout oneseg --align 100
check "20 MiB in many pieces of odd lengths" verify --bs 20M --count 2 \
	--features size_max=off --layout split --segs 120
check "the daemon ends well" daemon_stop

# A driver that knows the limits, and breaks them
daemon_start --blk-file="$whole" --mode=inline
check "a driver that breaks SIZE_MAX is served" \
	verify --any-length --bs 20M --count 2
check "and one that breaks it in pieces" verify --any-length --bs 20M \
	--count 2 --layout split --segs 100
check "the daemon ends well" daemon_stop

# --- files

nullb_ext4 nullb1 100 ext4
fallocate -l 70M "$CASE_DIR/ext4/file"
daemon_start --blk-file="$CASE_DIR/ext4/file" --mode=inline
check "a file: one descriptor of 32 MiB" verify "${any[@]}" --bs 32M --count 2
check "a file: 20 MiB at an odd address" \
	verify "${any[@]}" --bs 20M --count 2 --align 100
check "the daemon ends well" daemon_stop
umount "$CASE_DIR/ext4"

# --- zones

nullb zones size=96 zoned=1 zone_size=32 zone_nr_conv=0 irqmode=1
daemon_start --blk-file="$disk"
check "zones: 32 MiB are written and read in order" emulate "${any[@]}" \
	--rw write --bs 32M --count 2 --verify
check "the daemon ends well" daemon_stop

# --- errors

if modprobe dm_mod 2>/dev/null; then
	# From 24 MiB on it fails, but at its end.
	dmsetup --noudevsync create holes <<-END
		0 49152 linear $whole 0
		49152 8 error
		49160 204800 linear $whole 49160
	END
	daemon_start --mode=worker \
		--blk-file="/dev/dm-$(dmsetup info -c --noheadings -o minor holes)"
	check_fails "a slice that fails is an error of the request" \
		emulate "${any[@]}" --rw read --bs 32M --size 32M --count 2
	check "and no more than that" grep -q 'status 1, used length 0 of' \
		"$CASE_DIR/emulate.log"
	check "others go on" verify --count 100 --depth 16 --size 24M
	check "the daemon ends well" daemon_stop
	dmsetup --noudevsync remove holes
else
	skip "a slice that fails" "this kernel has no device mapper"
fi

# --- life

nullb slow size=80 irqmode=2 completion_nsec=150000000 hw_queue_depth=16
begun()
{
	[ "$(counter 0 requests || :)" -gt 0 ] 2>/dev/null
}

for how in stop kill; do
	daemon_start --blk-file="$disk" --mode=inline
	doorbell-bench emulate --socket "$sock" "${any[@]}" --rw read --bs 64M \
		--count 1000 >"$CASE_DIR/load.log" 2>&1 &
	load=$!
	wait_for $((20 * factor)) begun
	if [ $how = stop ]; then
		check "the daemon ends while a request is served in slices" \
			daemon_stop
	else
		daemon_kill
		check "it is killed meanwhile" true
	fi
	kill $load 2>/dev/null || :
	wait $load 2>/dev/null || :
	rm -f "$sock"
	wait_for $((60 * factor)) released "$disk"
done

# --- the cache that a driver begins with

# wce VALUE [FEATURE]: to a driver without that
wce()
{
	emulate --ask wce --features "${2:-discard}=off" &&
		test "$(cat "$CASE_DIR/emulate.log")" = "wce: $1"
}

daemon_start --blk-file="$whole" --features=flush=on,config_wce=on
check "a driver that can flush begins with write-back" wce 1
check "one that cannot, with write-through" wce 0 flush
check "one that knows no switch, with write-back" wce 1 config_wce
check "the daemon ends well" daemon_stop

# --- who pays

# slab: bytes of the daemon's cgroup, while $1 bytes each are in flight
slab()
{
	sock=$CASE_DIR/cgroup.sock
	daemon_start --blk-file="$disk" --mode=worker
	echo "$daemon" >"$group/cgroup.procs"
	doorbell-bench emulate --socket "$sock" --rw randread --bs "$1" \
		--queue-size 256 --depth 100 --mem scattered \
		>"$CASE_DIR/load.log" 2>&1 &
	load=$!
	wait_for $((30 * factor)) in_flight
	bytes=$(sed -n 's/^slab_unreclaimable //p' "$group/memory.stat")
	kill $load
	wait $load 2>/dev/null || :
	daemon_stop
	wait_for $((60 * factor)) released "$disk"
}

in_flight()
{
	local n

	n=$(counter 0 in_flight)
	[ "${n:-0}" -eq 100 ]
}

group=/sys/fs/cgroup/case-requests
{ echo +memory >/sys/fs/cgroup/cgroup.subtree_control; } 2>/dev/null || :
mkdir $group
if [ -e $group/memory.stat ]; then
	nullb slower size=80 irqmode=2 completion_nsec=4000000000 \
		hw_queue_depth=1024 submit_queues=1
	slab 64k
	without=$bytes
	slab 512k
	diag "slab_unreclaimable: $without bytes, with vectors $bytes"
	check "page vectors count for the owner's cgroup" \
		test "$bytes" -ge $((without + 100 * 1024))
else
	skip "page vectors" "this kernel has no memory.stat"
fi
rmdir $group
case_end
