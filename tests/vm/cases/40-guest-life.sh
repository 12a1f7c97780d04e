# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A Linux guest whose disks see all events in the life of a machine: the daemon
# sleeps, is killed and comes back; memory is taken away; the guest reboots; the
# VMM is killed.
# kernels: trixie
# timeout: 900
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

mib=$((1 << 20))

# fio_start ARG...: start fio in the guest, in the background
fio_start()
{
	guest_run -t 300 "fio --thread --eta=never --output-format=terse \
		--terse-version=3 $*" >"$CASE_DIR/fio" 2>&1 &
	fio=$!
}

# fio_end [KIB]: wait for it; it must have no error and have read back that much
fio_end()
{
	wait "$fio" &&
	grep '^3;' "$CASE_DIR/fio" | awk -F ';' -v kib="${1:-0}" '
		$5 != 0 { exit bad = 1 }
		{ sum += $6 }
		END { exit bad || sum < kib }' && return
	cat "$CASE_DIR/fio"
	return 1
}

# moved NAME REQUESTS: were more requests than that served?
moved()
{
	[ "$(disk_sum "$1" requests)" -gt "$2" ]
}

# wait_moved NAME N: wait until N more requests are served, or for a minute
wait_moved()
{
	wait_for 60 moved "$1" $(($(disk_sum "$1" requests) + $2))
}

strace_attached()
{
	grep -q attached "$CASE_DIR/strace.log"
}

# Prints requests, voluntary switches of the threads, and time in hundredths of
# a second
count()
{
	local tasks

	mapfile -t tasks < <(disk_tasks quiet)
	disk_sum quiet requests
	disk_sleeps "${vmm_pid[guest]}" "${tasks[@]}"
	awk '{ printf "%d\n", $1 * 100 }' /proc/uptime
}

# No thread switch: at depth 1, on a disk that completes at once. A busy machine
# may preempt a thread, so only voluntary context switches count, minus those of
# an idle guest.
quiet_daemon()
{
	local calls idle before after requests sleeps

	strace -f -o "$CASE_DIR/strace" -p "${disk_pid[quiet]}" \
		2>"$CASE_DIR/strace.log" &
	wait_for 30 strace_attached
	mapfile -t before < <(count)
	sleep 3
	mapfile -t after < <(count)
	idle=$(((after[1] - before[1]) * 1000 / (after[2] - before[2])))
	calls=$(grep -c '(' "$CASE_DIR/strace" || :)
	fio_start --name=quiet --filename=/disk/quiet --rw=randread --bs=4k \
		--direct=1 --ioengine=psync --time_based --runtime=12
	wait_moved quiet 20
	mapfile -t before < <(count)
	sleep 3
	mapfile -t after < <(count)
	calls=$(($(grep -c '(' "$CASE_DIR/strace" || :) - calls))
	requests=$((after[0] - before[0]))
	sleeps=$((after[1] - before[1] - idle * (after[2] - before[2]) / 1000))
	check "fio at depth 1" fio_end
	diag "$requests requests, a thread slept $sleeps times;" \
		"idle: $((idle / 10)) times a second"
	check "the daemon makes no system call while I/O flows" \
		test "$calls" -eq 0 -a "$requests" -gt 0
	check "fewer than one context switch for two requests" \
		test $((sleeps * 2)) -lt "$requests"
}

# kill_daemon NAME FILE ARG...: kill it twice under a load that verifies data. The rate keeps
# a quick machine from finishing the load before the second kill: 4096 writes take 13 s.
kill_daemon()
{
	local i name=$1

	fio_start --name=life --filename=/disk/"$name" --rw=randwrite --bs=4k \
		--size=16M --direct=1 --ioengine=libaio --iodepth=8 \
		--rate_iops=300 --verify=crc32c --verify_fatal=1
	for i in 1 2; do
		check "requests are served, $i" wait_moved "$name" 100
		disk_kill "$name"
		sleep 0.5
		disk_start "$@"
		check "a new daemon continues, $i" wait_moved "$name" 50
	done
	check "fio verifies after the daemon was killed" fio_end 16384
}

# A pause: the VMM stops the rings with requests in flight, and starts them
# again. The rate, per job, makes the load outlast five pauses.
pause_guest()
{
	local i before

	fio_start --rw=randwrite --bs=4k --size=6M --direct=1 --rate_iops=300 \
		--ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 \
		--name=split --filename=/disk/life \
		--name=packed --filename=/disk/packed
	for i in 1 2 3 4 5; do
		check "packed: requests are served, $i" wait_moved packed 50
		vmm_qmp stop >/dev/null
		before=$(disk_sum packed requests)
		sleep 0.5
		check "packed: no request is served while the guest is paused, $i" \
			test "$(disk_sum packed requests)" = "$before"
		vmm_qmp cont >/dev/null
	done
	check "fio verifies after pauses" fio_end 12288
}

# Takes memory from the guest and gives it back while the fio of fio_start runs
balloon_loop()
{
	local size=256

	while kill -0 "$fio" 2>/dev/null; do
		size=$((size == 256 ? 100 : 256))
		vmm_qmp balloon "{\"value\": $((size * mib))}" >/dev/null
		sleep 2
	done
}

balloon()
{
	local before loops=1

	[ "${EVERYWHERE:-0}" -eq 0 ] || loops=3
	before=$(disk_memory life invalidations)
	guest_run 'mkdir -p /mnt && mount -t ext4 /disk/life-fs /mnt'
	fio_start --bs=16k --verify=crc32c --verify_fatal=1 --rw=randwrite \
		--loops=$loops --name=direct --filename=/disk/life --size=12M \
		--direct=1 --ioengine=libaio --iodepth=8 \
		--name=buffered --filename=/mnt/file --size=12M --fsync=64 \
		--invalidate=1
	balloon_loop
	check "fio verifies while memory comes and goes" fio_end
	check "the guest's memory was invalidated" \
		test "$(disk_memory life invalidations)" -gt "$before"
	vmm_qmp balloon "{\"value\": $((256 * mib))}" >/dev/null
	guest_run -t 30 'umount /mnt'
	diag "invalidations: $(disk_memory life invalidations) and" \
		"$(disk_memory life-fs invalidations)"
}

reboot_guest()
{
	guest_run -t 60 'mount -t ext4 /disk/life-fs /mnt && cp -a /m /mnt/ &&
		cd /mnt && md5sum m/* >sums && cd / && umount /mnt'
	vmm_qmp set-action '{"reboot": "reset"}' >/dev/null
	vmm_send command "0 5 $(printf 'reboot -f' | base64 -w 0)"
	vmm_expect command 120 @@READY >/dev/null ||
		vmm_fail 'the guest does not boot again'
	disk_links
	check "the guest finds its files after a reboot" guest_run -t 60 \
		'mount -t ext4 /disk/life-fs /mnt && cd /mnt && md5sum -c -s sums'
	fio_start --size=4M --bs=16k --rw=randwrite --verify=crc32c --direct=1 \
		--ioengine=libaio --iodepth=8 --name=split --filename=/disk/life \
		--name=packed --filename=/disk/packed
	check "fio verifies after a reboot" fio_end 8192
}

kill_vmm()
{
	local load='--size=16M --bs=4k --rw=randrw --direct=1 --ioengine=libaio'

	# fio does not carry options of one job over to the next.
	load+=' --iodepth=32 --time_based --runtime=120'
	fio_start --name=sync --directory=/mnt --size=8M --bs=4k --rw=randwrite \
		--fsync=4 "--name=raw --filename=/disk/life $load" \
		"--name=packed --filename=/disk/packed $load"
	check "requests are served until the VMM is killed" \
		wait_moved life 200
	check "packed: requests are served until the VMM is killed" wait_moved packed 50
	vmm_kill KILL
	wait "$fio" || :
	check "VMM killed: the daemon releases its memory" wait_for 20 released life
	check "VMM killed: the packed disk's daemon releases its memory" \
		wait_for 20 released packed
	check "the file system is sound after its journal is replayed" \
		replayed "$CASE_DIR/life-fs"
}

# Has the daemon closed the device of the connection that ended?
released()
{
	kill -0 "${disk_pid[$1]}" && [ -z "$(disk_tasks "$1" | sed 1d)" ]
}

replayed()
{
	local status=0

	e2fsck -p "$1" >"$CASE_DIR/fsck" 2>&1 || status=$?
	[ $status -le 1 ] && e2fsck -fn "$1" >>"$CASE_DIR/fsck" 2>&1 && return
	cat "$CASE_DIR/fsck"
	return 1
}

module_load
# Without memory, as a null_blk that keeps data may sleep.
nullb quiet irqmode=0 memory_backed=0
quiet=$disk
# No I/O scheduler, as for fast disks; otherwise its thread would submit.
echo none >"/sys/block/${disk#/dev/}/queue/scheduler"
nullb life irqmode=2 completion_nsec=100000
life=$disk
nullb packed irqmode=2 completion_nsec=100000
packed=$disk
truncate -s 64M "$CASE_DIR/life-fs"
mkfs.ext4 -q "$CASE_DIR/life-fs"
disk_start quiet "$quiet" --serial=quiet --mode=inline
disk_start life "$life" --serial=life
disk_start life-fs "$CASE_DIR/life-fs" --serial=life-fs
# This daemon is not killed: 88-inflight.sh does that.
disk_start packed "$packed" --serial=packed
disk_attach quiet
DISK_CHARDEV=$(disk_reconnect) disk_attach life
disk_attach life-fs
disk_attach packed packed=on

guest_start "${disks[@]}" \
	-device virtio-balloon-pci,id=balloon,free-page-reporting=on
ok "the guest is up after $SECONDS s"
disk_links
check "packed: the ring is packed" \
	test "$(($(disk_features packed) >> 34 & 1))" = 1
quiet_daemon
pause_guest
kill_daemon life "$life" --serial=life
balloon
reboot_guest
kill_vmm
for name in quiet life life-fs packed; do
	check "$name: the daemon ends well" disk_stop $name
done
check "the module can be unloaded" rmmod vhost_doorbell
case_end
