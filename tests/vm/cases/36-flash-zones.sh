# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Features that few disks have, with the emulated driver: secure erase, zones that
# must be written in order, and the wear of flash memory.
# timeout: 180
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

offers()
{
	local features

	features=$(doorbell-bench emulate --socket "$sock" --config |
		sed -n 's/^features: *//p')
	[ $((features >> $1 & 1)) = 1 ]
}

config()
{
	doorbell-bench emulate --socket "$sock" --config |
		sed -n "s/^$1: *//p"
}

# asks NAME COMMANDS [OPTION...] <<EXPECTED: compare the answers
asks()
{
	local name=$1 commands=$2

	shift 2
	emulate --ask "$commands" "$@"
	if diff - "$CASE_DIR/emulate.log" >"$CASE_DIR/diff"; then
		ok "$name"
	else
		diag "$(cat "$CASE_DIR/diff")"
		not_ok "$name"
	fi
}

refused()
{
	! doorbell-bench emulate --socket "$sock" --features zoned=off \
		--ask id >"$CASE_DIR/refused.log" 2>&1
}

module_load

# --- secure erase ---

if modprobe dm_mod 2>/dev/null; then
	insmod "$VM_DIR/../dm_test_erase.ko"
	nullb erase discard=1
	dmsetup --noudevsync create erase --table "0 131072 test-erase $disk"
	erasing=/dev/dm-$(dmsetup info -c --noheadings -o minor erase)
	daemon_start --blk-file="$erasing"
	check "secure erase: offered" offers 16
	check "secure erase: the config space has a limit for a range" \
		test "$(config max_secure_erase_sectors)" -gt 0
	check "secure erase: the config space has an alignment" \
		test "$(config secure_erase_sector_alignment)" -gt 0
	check "secure erase: discard is not offered" eval '! offers 13'
	asks "secure erase: reads as zero, its neighbours do not" \
		'write 0 64 0xa5; erase 8 16; read 0 8; read 8 16; read 24 40' <<-END
		write: ok
		erase: ok
		read: ok 0xa5
		read: ok 0x00
		read: ok 0xa5
	END
	check "secure erase: the disk got a secure erase" \
		test "$(dmsetup status erase)" = "0 131072 test-erase 16"
	asks "secure erase: not beyond the end, and not of nothing" \
		'erase 131068 8; erase 131072 8; erase 0xffffffffffffffff 8; erase 0 0; read 0 8' <<-END
		erase: ioerr
		erase: ioerr
		erase: ioerr
		erase: ioerr
		read: ok 0xa5
	END
	check "the daemon ends well" daemon_stop
	daemon_start --blk-file="$erasing" --features=secure_erase=off
	check "secure erase: not offered when it is off" eval '! offers 16'
	asks "secure erase: not done when it is off" 'erase 0 8' <<-END
		erase: unsupp
	END
	check "the daemon ends well" daemon_stop
	daemon_start --blk-file="$disk" --read-only
	check "secure erase: not offered for a disk that does not support it" \
		eval '! offers 16'
	check "the daemon ends well" daemon_stop
	dmsetup --noudevsync remove erase
	rmmod dm_test_erase
else
	skip "secure erase" "this kernel has no device mapper"
fi

# --- zones ---

# 16 zones of 4 MiB, the first two conventional
nullb zones zoned=1 zone_size=4 zone_nr_conv=2 zone_max_open=3 \
	zone_max_active=4 irqmode=1
zoned=$disk
for mode in inline worker; do
	diag "$mode"
	daemon_start --blk-file="$disk" --mode=$mode
	check "zones: offered" offers 17
	check "zones: discard and write zeroes are not offered" \
		eval '! offers 13 && ! offers 14'
	check "zones: the config space describes a host-managed disk" test \
		"$(config zone_sectors) $(config zone_model) $(config max_open_zones) $(config max_active_zones)" = \
		"8192 1 3 4"
	asks "zones: report" 'reset-all; report 16384 1000; report 8192 2; report 131071 5' <<-END
		reset-all: ok
		report: ok 14
		$(for i in {2..15}; do
			echo "  zone $((i * 8192)) type 2 state 1 wp $((i * 8192)) cap 8192"
		done)
		report: ok 2
		  zone 8192 type 1 state 0 wp 16384 cap 8192
		  zone 16384 type 2 state 1 wp 16384 cap 8192
		report: ok 1
		  zone 122880 type 2 state 1 wp 122880 cap 8192
	END
	asks "zones: report: no room, or beyond the end" \
		'report 0 0; report 131072 1; report 0xffffffffffffffff 1' <<-END
		report: invalid
		report: invalid
		report: invalid
	END
	asks "zones: append tells where" \
		'write 16384 8 1; append 16384 8 2; append 16384 16 3; read 16384 8; read 16392 8; read 16400 16; report 16384 1' <<-END
		write: ok
		append: ok at 16392
		append: ok at 16400
		read: ok 0x01
		read: ok 0x02
		read: ok 0x03
		report: ok 1
		  zone 16384 type 2 state 2 wp 16416 cap 8192
	END
	asks "zones: append, of any shape" \
		'append 16384 200 4; append 16384 8 5; read 16416 200; read 16616 8' \
		--layout split --align 100 <<-END
		append: ok at 16416
		append: ok at 16616
		read: ok 0x04
		read: ok 0x05
	END
	asks "zones: append, packed ring" 'append 16384 8 6; read 16624 8' \
		--packed --layout split <<-END
		append: ok at 16624
		read: ok 0x06
	END
	asks "zones: append: not within a zone, not too much, not beyond" \
		'append 16392 8 7; append 16384 4096 7; append 131072 8 7; append 16384 0 7; append 8192 8 7; report 16384 1' <<-END
		append: invalid
		append: invalid
		append: invalid
		append: ioerr
		append: invalid
		report: ok 1
		  zone 16384 type 2 state 2 wp 16632 cap 8192
	END
	asks "zones: no write goes beyond one" \
		'finish 24576; write 24568 16 8; reset 24576' <<-END
		finish: ok
		write: invalid
		reset: ok
	END
	asks "zones: written only where they go on" \
		'write 16640 8 8; write 16384 8 8; write 16632 8 8; write 8192 8 9; write 8 8 9; read 16384 8' <<-END
		write: unaligned
		write: unaligned
		write: ok
		write: ok
		write: ok
		read: ok 0x01
	END
	# The next zone is empty, so the disk alone would accept both halves.
	asks "zones: no read goes beyond one, nor does a write of two halves" \
		'reset-all; finish 24576; reset 24576; read 24568 16; append 16384 8 1; write 16392 2040 1; write 18432 2048 1; write 20480 2048 1; write 22528 2040 1; write 24568 16 2; report 24576 1; write 24568 8 3; read 24568 8' <<-END
		reset-all: ok
		finish: ok
		reset: ok
		read: invalid
		append: ok at 16384
		write: ok
		write: ok
		write: ok
		write: ok
		write: invalid
		report: ok 1
		  zone 24576 type 2 state 1 wp 24576 cap 8192
		write: ok
		read: ok 0x03
	END
	asks "zones: those written in any order are read and written across" \
		'write 8184 16 4; read 8184 16; read 16376 16; write 16376 16 5' <<-END
		write: ok
		read: ok 0x04
		read: invalid
		write: invalid
	END
	asks "zones: no append to a full one, nor one that does not fit" \
		'append 16384 8 1; finish 24576; append 24576 8 1; write 32768 2048 1; write 34816 2048 1; write 36864 2048 1; write 38912 2040 1; append 32768 16 1; append 32768 8 1; append 32768 8 1; reset-all' <<-END
		append: invalid
		finish: ok
		append: invalid
		write: ok
		write: ok
		write: ok
		write: ok
		append: invalid
		append: ok at 40952
		append: invalid
		reset-all: ok
	END
	asks "zones: open, close, finish, reset" \
		'open 24576; report 24576 1; close 24576; write 24576 8 1; close 24576; report 24576 1; finish 24576; report 24576 1; write 24584 8 1; reset 24576; report 24576 1' <<-END
		open: ok
		report: ok 1
		  zone 24576 type 2 state 3 wp 24576 cap 8192
		close: ok
		write: ok
		close: ok
		report: ok 1
		  zone 24576 type 2 state 4 wp 24584 cap 8192
		finish: ok
		report: ok 1
		  zone 24576 type 2 state 14 wp 32768 cap 8192
		write: unaligned
		reset: ok
		report: ok 1
		  zone 24576 type 2 state 1 wp 24576 cap 8192
	END
	asks "zones: only whole ones, and only on the disk" \
		'open 24577; open 8192; reset 8192; reset 8; finish 131072; close 0xffffffffffff0000' <<-END
		open: invalid
		open: invalid
		reset: invalid
		reset: invalid
		finish: invalid
		close: invalid
	END
	asks "zones: not too many at a time" \
		'reset-all; open 16384; open 24576; open 32768; open 40960; write 16384 8 1; write 24576 8 1; close 16384; close 24576; open 40960; open 49152; reset-all' <<-END
		reset-all: ok
		open: ok
		open: ok
		open: ok
		open: open-resource
		write: ok
		write: ok
		close: ok
		close: ok
		open: ok
		open: active-resource
		reset-all: ok
	END
	check "zones: conventional zones are read and written" emulate \
		--rw randrw --verify --queues 2 --count 300 --depth 8 --size 8M
	check "zones: a driver without ZONED is refused" refused
	check "zones: the log says that it was refused" \
		grep -q 'SET_FEATURES.*not supported' "$CASE_DIR/daemon.log"
	check "the daemon ends well" daemon_stop
done
nullb blocks zoned=1 zone_size=4 zone_nr_conv=1 blocksize=4096 irqmode=1
daemon_start --blk-file="$disk"
asks "zones: a write that is not in whole blocks" \
	'write 8192 8 1; write 8200 1 2; append 8192 1 2; write 8201 7 2; write 0 1 2; read 8192 1; write 8200 8 2; read 8200 8' <<-END
	write: ok
	write: unaligned
	append: invalid
	write: unaligned
	write: ioerr
	read: ioerr
	write: ok
	read: ok 0x02
END
check "the daemon ends well" daemon_stop
disk=$zoned
daemon_start --blk-file="$disk" --features=zoned=off
check "zones: not offered when it is off" eval '! offers 17'
asks "zones: reading and writing in order is served when it is off" \
	'report 0 1; append 16384 8 1; reset 16384; write 16384 8 1; write 16400 8 1; read 16384 8' <<-END
	report: unsupp
	append: unsupp
	reset: unsupp
	write: ok
	write: ioerr
	read: ok 0x01
END
check "the daemon ends well" daemon_stop
daemon_start --blk-file="$disk" --read-only
asks "zones: only reports of a disk to be read" \
	'report 16384 1; reset 16384; append 16384 8 1; write 16392 8 1; write 16400 8 1; read 16384 8' <<-END
	report: ok 1
	  zone 16384 type 2 state 2 wp 16392 cap 8192
	reset: ioerr
	append: ioerr
	write: ioerr
	write: ioerr
	read: ok 0x01
END
check "the daemon ends well" daemon_stop

# --- lifetime ---

modprobe ufshcd-pci 2>/dev/null && modprobe sd_mod
# Older kernels do not know the PCI id of QEMU's UFS controller.
for pci in /sys/bus/pci/devices/*; do
	if [ -d /sys/bus/pci/drivers/ufshcd ] &&
		[ "$(cat "$pci/vendor" "$pci/device")" = $'0x1b36\n0x0013' ] &&
		[ ! -e "$pci/driver" ]; then
		echo 1b36 0013 >/sys/bus/pci/drivers/ufshcd/new_id
	fi
done
health=
flash=
flash_find()
{
	health=$(echo /sys/devices/pci*/*/health_descriptor)
	flash=/dev/$(ls "${health%/*}"/host*/target*/*:0/block 2>/dev/null)
	[ -b "$flash" ]
}

wait_for $((10 * factor)) flash_find || :
if [ -b "$flash" ]; then
	daemon_start --blk-file="$flash" --read-only
	check "lifetime: not offered for a disk without it" \
		eval '! offers 15'
	check "the daemon ends well" daemon_stop
	# The emulated disk never wears, so mount other values over its files.
	n=0
	for name in eol_info life_time_estimation_a life_time_estimation_b; do
		n=$((n + 1))
		printf '0x0%x\n' $((n + 1)) >"$CASE_DIR/$name"
		mount --bind "$CASE_DIR/$name" "$health/$name"
	done
	daemon_start --blk-file="$flash" --read-only
	check "lifetime: offered" offers 15
	asks "lifetime: what the disk says" lifetime <<-END
		lifetime: ok pre_eol_info 2 typ_a 3 typ_b 4
	END
	printf '0x0b\n' >"$health/life_time_estimation_b"
	asks "lifetime: of the time when the VMM connects" 'lifetime; read 0 8' <<-END
		lifetime: ok pre_eol_info 2 typ_a 3 typ_b 11
		read: ok 0x00
	END
	check "the daemon ends well" daemon_stop
	daemon_start --blk-file="$flash" --read-only --features=lifetime=off
	check "lifetime: not offered when it is off" eval '! offers 15'
	asks "lifetime: not told when it is off" lifetime <<-END
		lifetime: unsupp
	END
	check "the daemon ends well" daemon_stop
	umount "$health"/{eol_info,life_time_estimation_a,life_time_estimation_b}
	daemon_start --blk-file="$disk" --read-only
	asks "lifetime: a disk that tells nothing" lifetime <<-END
		lifetime: unsupp
	END
	check "the daemon ends well" daemon_stop
else
	skip "lifetime" "no UFS disk in this machine or kernel"
fi
case_end
