# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Errors of a disk, a disk that waits, and a disk that is removed: the guest
# must get I/O errors and must not hang, and the other disks must go on.
# kernels: trixie
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

sectors=131072

dm()
{
	dmsetup --noudevsync "$@"
}

# table TARGET: replace the table of a disk in use; requests in flight wait
# meanwhile
table()
{
	dm suspend faulty && dm reload faulty --table "$1" && dm resume faulty
}

# A command that takes too long makes guest_run return 124.
reads()
{
	guest_run -t 20 "dd if=/disk/$1 of=/dev/null bs=4k count=4 skip=${2:-0} \
		iflag=direct 2>/dev/null"
}

# ended_in_error: did reads or writes fail, without running into the time limit?
ended_in_error()
{
	local status=0

	"$@" || status=$?
	[ $status -ne 0 ] && [ $status -ne 124 ] && [ $status -ne 143 ]
}

writes()
{
	guest_run -t 20 "dd if=/dev/zero of=/disk/$1 bs=4k count=4 \
		oflag=direct 2>/dev/null"
}

module_load
nullb under irqmode=1
under=$disk
linear="0 $sectors linear $under 0"
half="0 $((sectors / 2)) linear $under 0
$((sectors / 2)) $((sectors / 2)) error"
dm create faulty --table "$linear"
faulty=/dev/dm-$(dm info -c --noheadings -o minor faulty)
nullb gone irqmode=2 completion_nsec=200000 submit_queues=2
disk_start faulty "$faulty" --serial=faulty --mode=inline
disk_start gone "$disk" --serial=gone --queues=2
truncate -s 64M "$CASE_DIR/file"
disk_start file "$CASE_DIR/file" --serial=file
disk_attach faulty num-queues=1
disk_attach gone num-queues=2
disk_attach file num-queues=1
GUEST_SMP=2 guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links

check "the guest reads a good disk" reads faulty
check "the guest writes a good disk" writes faulty
check "half of the disk gets bad" table "$half"
check "half bad: the guest reads the good half" reads faulty
check "half bad: a read of the bad half is an I/O error" ended_in_error reads faulty 12000
check "half bad: the errors are counted" test "$(disk_sum faulty errors)" -gt 0
check "half bad: the guest writes the good half" writes faulty
check "all of the disk gets bad" table "0 $sectors error"
check "all bad: a write is an I/O error" ended_in_error writes faulty
check "all bad: a flush is an I/O error" ended_in_error guest_run -t 20 \
	'dd if=/dev/zero of=/disk/faulty bs=4k count=1 conv=fsync 2>/dev/null'
check "the disk is repaired" table "$linear"
check "repaired: the guest reads all of it again" reads faulty 12000

# A slow disk is not an error.
dm suspend faulty
guest_run 'dd if=/disk/faulty of=/dev/null bs=4k count=4 iflag=direct \
	2>/dev/null && touch /tmp/done &'
sleep 3
check_fails "requests wait for a suspended disk" guest_run 'test -e /tmp/done'
check "requests of other disks go on meanwhile" reads file
dm resume faulty
check "requests end when the disk is resumed" wait_for 20 guest_run 'test -e /tmp/done'

# A file shrinks while the guest uses it
truncate -s 4096 "$CASE_DIR/file"
check "a read beyond the end of a truncated file: I/O error" \
	ended_in_error reads file 100
truncate -s 64M "$CASE_DIR/file"
check "a read after the file is extended again: no error" reads file 100

# The disk is removed with requests in flight
# shellcheck disable=SC2016 # the guest's
guest_run 'fio --name=gone --filename=/disk/gone --rw=randrw --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=16 --time_based --runtime=600 --thread \
	--eta=never >/tmp/fio 2>&1 </dev/null & echo $! >/tmp/pid'
sleep 2
# shellcheck disable=SC2016 # the guest's
check "the load runs" guest_run 'kill -0 $(cat /tmp/pid)'
echo 0 >/sys/kernel/config/nullb/gone/power
# shellcheck disable=SC2016 # the guest's
check "a disk is removed: fio ends" guest_run -t 60 \
	'while kill -0 $(cat /tmp/pid) 2>/dev/null; do usleep 100000; done'
check "a disk is removed: fio reports an I/O error" guest_run 'grep -q "err= *5" /tmp/fio'
check "a disk is removed: later requests are I/O errors" ended_in_error reads gone
check "a disk is removed: nothing is in flight" test "$(disk_sum gone in_flight)" = 0
check "a disk is removed: the guest goes on" reads faulty

guest_stop
for name in faulty gone file; do
	check "$name: the daemon ends well" disk_stop $name
done
dm remove faulty
case_end
