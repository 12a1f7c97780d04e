# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The daemon from its operator's view: image locks that it and QEMU respect, on
# files and block devices; a disk that goes away and comes back; images that are
# not raw; a QEMU with many CPUs and default options; a stop that waits.
# timeout: 150
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# dmsetup without udev
dm()
{
	dmsetup --noudevsync "$@"
}

said()
{
	grep -qF -- "$2" "$CASE_DIR/$1.log"
}

# refused NAME FILE ARG...: the daemon must refuse it; its output is NAME.log
refused()
{
	local name=$1 file=$2 status=0

	shift 2
	timeout 20 vhost-doorbell-blk --socket-path="$CASE_DIR/$name.sock" \
		--blk-file="$file" "$@" >"$CASE_DIR/$name.log" 2>&1 || status=$?
	[ $status -eq 1 ] || diag "status $status" "$(cat "$CASE_DIR/$name.log")"
	[ $status -eq 1 ]
}

# --- locks: QEMU and the daemon, both ways ---

# qsd NAME FILE on|off: export the file by qemu-storage-daemon, writable or not
qsd()
{
	local driver=file

	[ ! -b "$2" ] || driver=host_device
	qemu-storage-daemon \
		--blockdev "driver=$driver,node-name=disk,filename=$2,read-only=$([ "$3" = on ] && echo off || echo on)" \
		--export "type=vhost-user-blk,id=disk,node-name=disk,addr.type=unix,addr.path=$CASE_DIR/$1.qsd,writable=$3" \
		>"$CASE_DIR/$1.log" 2>&1 &
	qsd=$!
	wait_for 20 test -S "$CASE_DIR/$1.qsd"
}

qsd_stop()
{
	kill "$qsd"
	wait "$qsd" || :
}

# io FILE ARG... COMMAND: run qemu-io, which locks as QEMU does
io()
{
	local file=$1

	shift
	qemu-io -f raw "$@" "$file" >"$CASE_DIR/qemu-io.log" 2>&1
}

# locks KIND FILE: check the locks in both directions
locks()
{
	qsd writer "$2" on
	check "$1: a disk that QEMU writes is not served" refused lock "$2"
	check "$1: the reason is named" said lock 'locked by another program'
	check "$1: nor is it to a reader" refused lock "$2" --read-only
	disk_start unlocked "$2" --read-only --locking=off
	check "$1: it is with --locking=off" disk_stop unlocked
	qsd_stop

	disk_start own "$2" --locking=on
	check_fails "$1: QEMU does not write to what is served" io "$2" -c 'write 0 4k'
	check "$1: and says why" grep -q 'lock' "$CASE_DIR/qemu-io.log"
	check "$1: it may look with force-share" io "$2" -U -r -c 'read 0 4k'
	check "$1: the daemon ends well" disk_stop own

	qsd reader "$2" off
	disk_start reads "$2" --read-only
	disk_start more "$2" --read-only
	ok "$1: QEMU reads, and two daemons read"
	check_fails "$1: QEMU does not write meanwhile" io "$2" -c 'write 0 4k'
	qsd_stop
	check_fails "$1: nor when only daemons read" io "$2" -c 'write 0 4k'
	check "$1: but it may read" io "$2" -r -c 'read 0 4k'
	check "$1: a daemon does not write meanwhile" refused lock "$2"
	check "$1: readers end well" eval 'disk_stop reads && disk_stop more'
	check "$1: then QEMU writes" io "$2" -c 'write 0 4k'
}

# The locks of QEMU's own virtio-blk and of the daemon must be on the same bytes.
same_bytes()
{
	local inode own

	inode=$(stat -c %i "$CASE_DIR/image")
	qemu-system-x86_64 -nodefaults -display none -machine q35,accel=tcg -S \
		-drive "file=$CASE_DIR/image,format=raw,if=virtio$1" \
		>"$CASE_DIR/qemu.log" 2>&1 &
	wait_for 30 grep -q ":$inode 201 " /proc/locks
	grep ":$inode " /proc/locks | awk '{ print $4, $7, $8 }' | sort \
		>"$CASE_DIR/bytes.qemu"
	kill $!
	wait $! || :
	disk_start own "$CASE_DIR/image" ${2:+"$2"}
	grep ":$inode " /proc/locks | awk '$7 < 300 { print $4, $7, $8 }' | sort \
		>"$CASE_DIR/bytes.own"
	disk_stop own
	diag "$(cat "$CASE_DIR/bytes.qemu")"
	# Adjacent bytes that were locked one by one show as one range.
	own=$(cat "$CASE_DIR/bytes.own")
	[ -n "$own" ] && [ "$own" = "$(cat "$CASE_DIR/bytes.qemu")" ]
}

module_load
truncate -s 16M "$CASE_DIR/image"
locks "a file" "$CASE_DIR/image"
check "a writer's locks are those of QEMU's virtio-blk" same_bytes ''
check "a reader's, too" same_bytes ,readonly=on --read-only
nullb lock
locks "a block device" "$disk"

# --- a disk that goes away ---

reads()
{
	doorbell-bench emulate --socket "$CASE_DIR/gone.sock" --count 10 \
		>"$CASE_DIR/emulate.log" 2>&1
}

nullb gone
gone=$disk
disk_start gone "$gone"
check "a disk is read" reads
echo 0 >/sys/kernel/config/nullb/gone/power
check_fails "it goes away under an idle daemon: it is not read" reads
check "the reason is named" said gone "$gone: the disk has gone"
echo 1 >/sys/kernel/config/nullb/gone/power
check "once it is back, it is" reads
check "the log says so" said gone 'was opened again'
check "it is claimed again" refused claim "$gone"
echo 0 >/sys/kernel/config/nullb/gone/power
check_fails "it goes once more" reads
truncate -s 1M "$gone"
check_fails "a file in the place of its node is not served" reads
rm -f "$gone"
check "the daemon ends well" disk_stop gone

# --- images that are not raw ---

qemu-img create -q -f qcow2 "$CASE_DIR/other" 16M
truncate -s %512 "$CASE_DIR/other"
disk_start qcow2 "$CASE_DIR/other"
check "a qcow2 image: a warning, and how to convert" said qcow2 \
	'qemu-img convert -O raw'
disk_stop qcow2
disk_start raw "$CASE_DIR/other" --format=raw
check_fails "none with --format=raw" said raw qemu-img
disk_stop raw
printf '\0' >>"$CASE_DIR/image"
check "a size that is no whole sector is refused" refused tail "$CASE_DIR/image"
command=$(grep -o 'truncate -s %512 .*' "$CASE_DIR/tail.log")
disk_start tail "$CASE_DIR/image" --read-only
check "to a reader it is a warning" said tail 'which are no whole sector'
disk_stop tail
check "the command that pads it is told" eval "$command"
disk_start tail "$CASE_DIR/image"
check "and helps" disk_stop tail
truncate -s 10240 "$CASE_DIR/small"
disk_start small "$CASE_DIR/small"
check "a small size is told in a unit that fits" said small ': 10.0 KiB'
disk_stop small

# --- a QEMU with many CPUs ---

# has NAME COUNTER: is it not zero?
has()
{
	[ "$(disk_sum "$1" "$2")" != 0 ]
}

nullb plain irqmode=2 completion_nsec=20000
disk_start plain "$disk"
check_fails "QEMU need not be told the number of queues" said plain num-queues=
disk_attach plain bootindex=0
GUEST_SMP=4 GUEST_MEM=64 vmm_start -machine graphics=on "${disks[@]}"
check "a QEMU with 4 CPUs, on $(nproc) of the host: its firmware reads" \
	wait_for 60 has plain completed
check "its queues are counted" eval 'doorbellctl show | grep "64 offered, " >/dev/null'
vmm_kill
check "the daemon ends well" disk_stop plain

# --- a stop that waits ---

nullb under
dm create slow --table "0 131072 linear $disk 0"
slow=/dev/dm-$(dm info -c --noheadings -o minor slow)
disk_start slow "$slow" --mode=worker
disks=()
disk_attach slow bootindex=0
dm suspend --nolockfs slow
GUEST_MEM=64 vmm_start -machine graphics=on "${disks[@]}"
check "the firmware's request waits for the disk" \
	wait_for 60 has slow in_flight
vmm_send qmp '{"execute": "stop"}'
check "the daemon says what a stop waits for" wait_for 30 \
	grep -q "waiting for 1 request that $slow has not completed, for [0-9]* s (queue 0: 1)" \
	"$CASE_DIR/slow.log"
diag "$(doorbellctl list)"
check "doorbellctl says what it waits for" eval 'doorbellctl list | grep "stopping, waiting for 1 request" >/dev/null'
check "in JSON, too" eval 'doorbellctl list --json | grep "\"state\": \"stopping\"" >/dev/null'
# The device must not look like one without a back end, nor lack counters.
doorbellctl show >"$CASE_DIR/show"
doorbellctl show --json >"$CASE_DIR/show.json"
check "it shows the disk" grep -q "$slow" "$CASE_DIR/show"
for field in '"backend": "blk"' "\"disk\": \"$slow\"" '"in_flight": 1,'; do
	check "in JSON, too: $field" grep -qF "$field" "$CASE_DIR/show.json"
done
kill "${disk_pid[slow]}"
check "it hears the signal to end" wait_for 30 said slow 'ends by a signal'
dm resume slow
status=0
wait "${disk_pid[slow]}" || status=$?
check "and ends well" test $status -eq 0
check_fails "its socket is removed" test -e "$CASE_DIR/slow.sock"
vmm_kill
wait_for 30 dm remove slow
case_end
