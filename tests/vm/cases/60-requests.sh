# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Requests of any length: from a driver that does not know SIZE_MAX and SEG_MAX, and
# from one that exceeds them. Long requests are served in slices; if a slice fails,
# the request fails as a whole. The case also checks the accounting of the memory that
# they need.
# timeout: 240
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# A driver that does not know the limits of a request
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
check "two requests of 20 MiB, small pages given back in between, packed ring" \
	verify "${any[@]}" --bs 20M --count 2 --punch 1 --packed
check "data and status in one descriptor, at an odd address" \
	verify "${any[@]}" --bs 18M --count 2 --layout oneseg --align 100
check "20 MiB in many pieces of odd lengths" verify --bs 20M --count 2 \
	--features size_max=off --layout split --segs 120
check "the daemon ends well" daemon_stop

# A driver that knows the limits and breaks them
daemon_start --blk-file="$whole" --mode=inline
check "a driver that exceeds SIZE_MAX is served" \
	verify --any-length --bs 20M --count 2
check "a driver that exceeds SIZE_MAX, in pieces, is served" \
	verify --any-length --bs 20M \
	--count 2 --layout split --segs 100
check "the daemon ends well" daemon_stop

# --- regular files

nullb_ext4 nullb1 100 ext4
fallocate -l 70M "$CASE_DIR/ext4/file"
daemon_start --blk-file="$CASE_DIR/ext4/file" --mode=inline
check "a file: one descriptor of 32 MiB" verify "${any[@]}" --bs 32M --count 2
check "a file: 20 MiB at an odd address" \
	verify "${any[@]}" --bs 20M --count 2 --align 100
check "the daemon ends well" daemon_stop
umount "$CASE_DIR/ext4"

# --- a zoned disk

nullb zones size=96 zoned=1 zone_size=32 zone_nr_conv=0 irqmode=1
daemon_start --blk-file="$disk"
check "zones: 32 MiB are written and read in order" emulate "${any[@]}" \
	--rw write --bs 32M --count 2 --verify
check "the daemon ends well" daemon_stop

# --- a disk with bad sectors

if modprobe dm_mod 2>/dev/null; then
	# From 24 MiB on, eight sectors of the disk fail.
	dmsetup --noudevsync create holes <<-END
		0 49152 linear $whole 0
		49152 8 error
		49160 204800 linear $whole 49160
	END
	daemon_start --mode=worker \
		--blk-file="/dev/dm-$(dmsetup info -c --noheadings -o minor holes)"
	check_fails "a slice that fails is an error of the request" \
		emulate "${any[@]}" --rw read --bs 32M --size 32M --count 2
	check "the failed request has status 1 and used length 0" \
		grep -q 'status 1, used length 0 of' \
		"$CASE_DIR/emulate.log"
	check "other requests go on" verify --count 100 --depth 16 --size 24M
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
		check "the daemon is killed while a request is served in slices" true
	fi
	kill $load 2>/dev/null || :
	wait $load 2>/dev/null || :
	rm -f "$sock"
	wait_for $((60 * factor)) released "$disk"
done

# --- initial value of the cache setting

# wce VALUE [FEATURE]: check the initial cache setting for a driver without
# FEATURE
wce()
{
	emulate --ask wce --features "${2:-discard}=off" &&
		test "$(cat "$CASE_DIR/emulate.log")" = "wce: $1"
}

daemon_start --blk-file="$whole" --features=flush=on,config_wce=on
check "a driver with FLUSH begins with write-back" wce 1
check "a driver without FLUSH begins with write-through" wce 0 flush
check "a driver without CONFIG_WCE begins with write-back" wce 1 config_wce
check "the daemon ends well" daemon_stop

# --- memory charged to the daemon's cgroup

# slab BYTES: print the slab memory of the daemon's cgroup while requests of
# that size are in flight
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
	check "page vectors are accounted to the owner's cgroup" \
		test "$bytes" -ge $((without + 100 * 1024))
else
	skip "page vectors" "this kernel has no memory.stat"
fi
rmdir $group
case_end
