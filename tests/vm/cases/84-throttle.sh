# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The recipe of throttling.rst: io.max of the slice of the daemons limits what a guest
# gets, in every mode, whichever cgroup the VMM is in.
# (24-resources has bandwidth, writeback and io.weight, under the emulated driver.)
# timeout: 300
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# A slice with two units, as systemd makes them. QEMU stays in the cgroup of this
# case.
top=/sys/fs/cgroup
slice=$top/case-throttle.slice
unit=$slice/disks.service
other=$slice/other.service
# Limit in requests per second. Without a limit a guest reaches some hundreds here,
# even under the emulator.
limit=40

make_slice()
{
	{ echo +io >$top/cgroup.subtree_control; } 2>/dev/null &&
		mkdir -p $slice && echo +io >$slice/cgroup.subtree_control &&
		mkdir -p $unit $other && [ -e $slice/io.max ]
}

# serve NAME FILE: start a daemon in the cgroup of the unit
serve()
{
	disk_start "$1" "$2" --serial="$1"
	echo "${disk_pid[$1]}" >$unit/cgroup.procs
	disk_attach "$1" num-queues=1
}

# number_of DISK: print its device number as io.max has it
number_of()
{
	cat "/sys/class/block/${1##*/}/dev"
}

# limit_to RATE|max: limit the reads of both disks in io.max of the slice
limit_to()
{
	echo "${number[disk]} riops=$1" >$slice/io.max
	echo "${number[file]} riops=$1" >$slice/io.max
}

# charged CGROUP DISK: print the number of reads that are charged to this cgroup
charged()
{
	local n

	n=$(sed -n "s/^${number[$2]} .*rios=\([0-9]*\).*/\1/p" "$1/io.stat")
	echo "${n:-0}"
}

# rates SECONDS: measure the requests per second of both disks; store them in 'rate'
declare -A number rate
rates()
{
	local name
	local -A since requests

	for name in disk file; do
		requests[$name]=$(disk_sum $name requests)
		since[$name]=${EPOCHREALTIME/./}
	done
	sleep "$1"
	for name in disk file; do
		requests[$name]=$(($(disk_sum $name requests) - ${requests[$name]}))
		rate[$name]=$((${requests[$name]} * 1000000 /
			(${EPOCHREALTIME/./} - ${since[$name]})))
	done
}

passes()
{
	echo "$(disk_sum "$1" inline_passes) inline, $(disk_sum "$1" worker_passes)" \
		"of the worker"
}

flow()
{
	[ "$(disk_sum disk requests)" -gt 20 ] && [ "$(disk_sum file requests)" -gt 20 ]
}

module_load
make_slice || skip_case "this kernel has no io.max"
nullb_ext4 files 32 fs
number[file]=$(number_of "$disk")
# Write the file: reads of blocks that are only allocated would not reach the disk.
dd if=/dev/urandom of="$CASE_DIR/fs/image" bs=1M count=8 conv=fsync status=none
# A logical volume: systemd looks up the disk below it, and sets the limit there.
nullb plain size=32
number[disk]=$(number_of "$disk")
dmsetup --noudevsync create volume --table "0 65536 linear $disk 0"
serve disk "/dev/dm-$(dmsetup info -c --noheadings -o minor volume)"
serve file "$CASE_DIR/fs/image"
guest_start "${disks[@]}"
disk_links
limit_to $limit
# shellcheck disable=SC2016 # the guest's
guest_run 'for name in disk file; do
		setsid fio --name=$name --filename=/disk/$name --size=8M --bs=4k \
			--rw=randread --direct=1 --ioengine=libaio --iodepth=4 \
			--time_based --runtime=1000 </dev/null >/tmp/$name.log 2>&1 &
	done' || vmm_fail 'no load'
check "both disks are read" wait_for 30 flow

declare -A sent ours vmm
for name in disk file; do
	sent[$name]=$(disk_sum $name requests)
	ours[$name]=$(charged $unit $name)
	vmm[$name]=$(charged $top/case $name)
done
for mode in inline worker poll auto; do
	doorbellctl set --all "mode=$mode" >/dev/null
	rates 2
	diag "$mode: of $limit per second: a volume ${rate[disk]}, an image ${rate[file]}" \
		"passes: volume: $(passes disk); image: $(passes file)"
	for name in disk file; do
		# Allow for requests in flight, and for those that blk-throttle lets
		# pass at once.
		check "$mode, $name: the limit of the slice holds" \
			test "${rate[$name]}" -le $((limit * 3 / 2)) -a "${rate[$name]}" -gt 0
	done
done
for name in disk file; do
	count=$(($(disk_sum $name requests) - ${sent[$name]}))
	charged=$(($(charged $unit $name) - ${ours[$name]}))
	diag "$name: $count requests, $charged charged to the unit"
	# The two counters were not read at the same moment, so allow a difference.
	check "$name: each request is charged to the unit of the daemon" \
		test $((charged * 20)) -ge $((count * 19)) -a \
		$((charged * 20)) -le $((count * 21))
	check "$name: none to the cgroup of the VMM" \
		test "$(charged $top/case $name)" = "${vmm[$name]}"
done

# Only the daemon's cgroup at the time when the VMM connected counts.
for name in disk file; do
	echo "${disk_pid[$name]}" >$other/cgroup.procs
done
sleep 1
for name in disk file; do
	check "$name: the I/O of a daemon that moves stays where it was" \
		test "$(charged $other $name)" = 0
done
limit_to max
rates 2
diag "without a limit: a volume ${rate[disk]}, an image ${rate[file]}"
for name in disk file; do
	check "$name: the limit can be lifted while the guest runs" \
		test "${rate[$name]}" -gt $((limit * 2))
done
check "no request failed" test "$(all_disks errors)" = 0
vmm_kill
for name in disk file; do
	check "$name: the daemon ends well" disk_stop $name
done
dmsetup --noudevsync remove volume
case_end
