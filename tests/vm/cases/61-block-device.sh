# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A block device is not written where write(2) would not write it; it gets and
# gives no more than what it should; and what it does slowly blocks nobody else.
# timeout: 180
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# dm NAME TABLE: sets $disk
dm()
{
	dmsetup --noudevsync create "$1" --table "$2"
	disk=/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")
}

sectors()
{
	blockdev --getsz "$1"
}

module_load
modprobe dm-mod
insmod "$VM_DIR/../dm_test_odd.ko"

nullb plain discard=1 irqmode=2 completion_nsec=10000
plain=$disk
tap test-bdev refuse "$plain"
tap test-bdev cache "$plain"

# --- a zoned disk that is set read-only ---

nullb zones zoned=1 zone_size=4 zone_nr_conv=0
zones=$disk
daemon_start --blk-file="$zones"
blockdev --setro "$zones"
check "a read-only zoned disk: nothing is changed" emulate \
	--ask 'write 0 8 0xa5; append 0 8 0xa5; reset 0; reset-all; report 0 1'
check "a read-only zoned disk: all of it fails" test \
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
check "stable pages: no write changed on its way" \
	test "$(dmsetup status watch | awk '{ print $4 >= 10, $5 }')" = "1 0"
echo 0 >"/sys/block/${disk##*/}/queue/stable_writes"
tap test-bdev stable "$disk"
check "without: as the guest has it, so the test sees it" \
	test "$(dmsetup status watch | awk '{ print $5 > 0 }')" = 1
dmsetup --noudevsync remove watch
case_end
