# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The module does not write to a block device where write(2) would not; a disk
# gets and gives no more data than it should; and a slow disk blocks only its
# own requests.
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# dm NAME TABLE: make a device; set $disk to it
dm()
{
	dmsetup --noudevsync create "$1" --table "$2"
	disk=/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")
}

sectors()
{
	blockdev --getsz "$1"
}

has_size()
{
	[ "$(sectors "$1")" -gt 0 ]
}

offers_read_only()
{
	local features

	features=$(doorbell-bench emulate --socket "$sock" --config |
		sed -n 's/^features: *//p')
	[ $((features >> 5 & 1)) = 1 ]
}

module_load
modprobe dm-mod
insmod "$VM_DIR/../dm_test_odd.ko"

nullb plain discard=1 irqmode=2 completion_nsec=10000
plain=$disk
tap test-bdev refuse "$plain"
tap test-bdev cache "$plain"
dm reader "0 $(sectors "$plain") linear $plain 0"
tap test-bdev reader "$disk" reader
dmsetup --noudevsync remove reader

# --- a disk that is read-only before the daemon starts ---

blockdev --setro "$plain"
daemon_start --blk-file="$plain" --features=config_wce=on
check "a read-only disk: the daemon says so" \
	grep -q 'set read-only' "$CASE_DIR/daemon.log"
check "a read-only disk: the driver sees it" offers_read_only
check "a read-only disk: the daemon ends well" daemon_stop
blockdev --setrw "$plain"

# --- a zoned disk that is set read-only ---

nullb zones zoned=1 zone_size=4 zone_nr_conv=0
zones=$disk
daemon_start --blk-file="$zones"
blockdev --setro "$zones"
check "a read-only zoned disk: requests that would change it" emulate \
	--ask 'write 0 8 0xa5; append 0 8 0xa5; reset 0; reset-all; report 0 1'
check "a read-only zoned disk: all of these fail" test \
	"$(grep -cxE '(write|append|reset|reset-all): ioerr' \
		"$CASE_DIR/emulate.log")" = 4
blockdev --setrw "$zones"
check "the daemon ends well" daemon_stop

# --- a disk that transfers nothing ---

dm lazy "0 $(sectors "$plain") test-odd $plain lazy"
tap test-bdev lazy "$disk"
dmsetup --noudevsync remove lazy

# --- a disk that needs stable pages ---

dm watch "0 $(sectors "$plain") test-odd $plain watch"
echo 1 >"/sys/block/${disk##*/}/queue/stable_writes"
tap test-bdev stable "$disk"
diag "writes and changed: $(dmsetup status watch)"
check "stable pages: no page changes during its write" \
	test "$(dmsetup status watch | awk '{ print $4, $5 }')" = "10 0"
echo 0 >"/sys/block/${disk##*/}/queue/stable_writes"
tap test-bdev stable "$disk"
check "no stable pages: the test sees pages change" \
	test "$(dmsetup status watch | awk '{ print $5 }')" -gt 0
dmsetup --noudevsync remove watch

# --- drivers that may sleep in submission ---

# served WHO NAME DISK: is the disk served by the ringing thread, or by the
# worker only?
served()
{
	local driver inline

	daemon_start --blk-file="$3" --mode=inline
	emulate --rw randrw --verify --seconds 60 &
	driver=$!
	check "$2: it is served" wait_for $((30 * factor)) under_way
	inline=$(counter 0 inline_passes)
	case $1 in
	ringer) check "$2: by the ringing thread" test "$inline" -gt 0 ;;
	worker) check "$2: by the worker only" test "$inline" = 0 ;;
	esac
	kill $driver
	wait $driver || :
	check "$2: the daemon ends well" daemon_stop
}

linear()
{
	dm "$1" "0 $(sectors "$2") linear $2 0"
}

served ringer "a disk" "$plain"
linear over_plain "$plain"
linear over_over "$disk"
served ringer "dm-linear over dm-linear over it" "$disk"
dmsetup --noudevsync remove over_over
dmsetup --noudevsync remove over_plain
if modprobe -q nbd; then
	truncate -s 64M "$CASE_DIR/nbd"
	# The client is another process, so that it does not stop with the
	# server.
	qemu-nbd --socket="$CASE_DIR/nbd.sock" --persistent --format=raw \
		--cache=writeback "$CASE_DIR/nbd" >"$CASE_DIR/qemu-nbd" 2>&1 &
	server=$!
	wait_for 30 test -S "$CASE_DIR/nbd.sock"
	nbd-client -unix "$CASE_DIR/nbd.sock" /dev/nbd0 >>"$CASE_DIR/qemu-nbd" 2>&1
	wait_for 30 has_size /dev/nbd0
	echo none >/sys/block/nbd0/queue/scheduler
	tap test-bdev ring /dev/nbd0 $server
	served worker nbd /dev/nbd0
	linear over_nbd /dev/nbd0
	tap test-bdev ring "$disk" $server
	served worker "dm-linear over nbd" "$disk"
	dmsetup --noudevsync remove over_nbd
	nbd-client -d /dev/nbd0 >>"$CASE_DIR/qemu-nbd" 2>&1
	kill $server
	wait $server || :
else
	skip "nbd" "this kernel has no nbd"
fi

# --- many flushes ---

nullb cached cache_size=16 irqmode=2 completion_nsec=10000
linear slow "$disk"
mkfs.ext4 -q "$disk"
mkdir "$CASE_DIR/mnt"
mount "$disk" "$CASE_DIR/mnt"
truncate -s 1M "$CASE_DIR/mnt/file"
tap test-bdev flush "$CASE_DIR/mnt/file" slow
umount "$CASE_DIR/mnt"
dmsetup --noudevsync remove slow

# --- a request that takes long ---

if modprobe -q dm-delay; then
	nullb large size=2048 discard=1
	large=$disk
	dm delay "0 $(sectors "$large") delay $large 0 0 $large 0 250"
	tap test-bdev abort "$disk" "${large##*/}"
	dmsetup --noudevsync remove delay
else
	skip "a request that takes long" "this kernel has no dm-delay"
fi

# --- kernel threads that are frozen, as before the image of a hibernation ---

# frozen NAME FILE: requests that wait for a kernel thread of the disk must
# complete after the thaw
frozen()
{
	local driver during

	daemon_start --blk-file="$2"
	emulate --rw randread --align 100 --depth 64 --seconds 60 &
	driver=$!
	wait_for $((30 * factor)) under_way
	: >$trace/trace
	echo 1 >$trace/events/power/suspend_resume/enable
	echo 1 >$trace/events/vhost_doorbell/bell_complete/enable
	echo freezer >/sys/power/pm_test
	check "$1: threads are frozen" eval 'echo freeze >/sys/power/state'
	echo none >/sys/power/pm_test
	echo 0 >$trace/events/enable
	during=$(awk '/freeze_processes.* end/ { frozen = 1 }
		/thaw_processes.* begin/ { frozen = 0; thawed = 1 }
		frozen && /bell_complete/ { n++ }
		END { print thawed ? n + 0 : "no thaw" }' $trace/trace)
	check "$1: nothing is read while they are frozen: $during" test "$during" = 0
	check "$1: requests go on after that" under_way
	kill $driver
	wait $driver || :
	check "$1: the daemon ends well" daemon_stop
}

trace=/sys/kernel/tracing
[ -d $trace/events ] || mount -t tracefs tracefs $trace
if modprobe -q dm-delay && [ -w /sys/power/pm_test ] &&
   grep -qw freeze /sys/power/state; then
	nullb store
	store=$disk
	linear slow "$store"
	mkfs.ext4 -q "$disk"
	mount "$disk" "$CASE_DIR/mnt"
	dd if=/dev/zero of="$CASE_DIR/mnt/file" bs=1M count=32 conv=fsync \
		status=none
	# From here on each read takes a second.
	dmsetup --noudevsync suspend --nolockfs slow
	dmsetup reload slow --table \
		"0 $(sectors "$store") delay $store 0 1000 $store 0 0"
	dmsetup --noudevsync resume slow
	echo 0 >"/sys/block/${disk##*/}/queue/read_ahead_kb"
	echo 1 >/proc/sys/vm/drop_caches
	frozen "a file" "$CASE_DIR/mnt/file"
	# A device that was closed with requests in flight holds the file until they
	# complete.
wait_for $((60 * factor)) umount "$CASE_DIR/mnt"
	dmsetup --noudevsync remove slow
else
	skip "frozen threads" "this kernel cannot try that"
fi
case_end
