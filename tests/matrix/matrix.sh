# shellcheck shell=bash disable=SC2154 # of disk.sh: disks
# SPDX-License-Identifier: GPL-2.0
# matrix.sh: rows of the matrix, for cases in L1; after case.sh, guest.sh, emulate.sh and
# disk.sh.
#
#   row MACHINE GUEST DISK RING COMMAND...
#			run COMMAND, and report its status as a row's result; its last
#			line of output says why it failed
#   row_skip MACHINE GUEST DISK RING WHY
#			report a row that cannot run
#   verified DISK RING PATH
#			report PATH, a block device or a file, under the emulated driver
#   guest_disk NAME PATH RING
#			start a daemon for a guest's disk, and add it to 'disks'
#   guest_verified NAME...
#			have the guest write these disks with fio and verify them, all
#			at the same time
#   guest_row MACHINE GUEST DISK RING NAME
#			report such a disk: fio's result, the format of its ring, no
#			failed request
#   guest_rings GUEST DISK
#			start a guest with 'disks', which are named split and packed after
#			their rings; report both, and end the guest and the daemons
#
# A machine or guest is '-' where there is none.

# L1 may share its CPUs with another one.
GUEST_BOOT=${GUEST_BOOT:-240}

# row_name MACHINE GUEST DISK RING: print the fields that run expects
row_name()
{
	local qemu=-

	[ "$1" = - ] || qemu=$(qemu-system-x86_64 --version |
		sed -n '1s/.*version \([0-9.]*\).*/\1/p')
	printf 'row: %s|%s|%s|%s|%s|%s' "$(uname -r)$(flavour)" "$qemu" "$1" "$2" "$3" "$4"
}

# A kernel that runs as another one than its name says
flavour()
{
	! grep -qw preempt=full /proc/cmdline || printf ' preempt=full'
}

row()
{
	local name status=0

	name=$(row_name "${@:1:4}")
	# In a subshell, as a daemon that does not start ends the case.
	("${@:5}") >"$CASE_DIR/row" 2>&1 || status=$?
	if [ $status -eq 0 ]; then
		ok "$name"
		return
	fi
	not_ok "$name|$(grep . "$CASE_DIR/row" | tail -n 1 | tr '|\r' '/ ')"
	diag "$(tail -n 30 "$CASE_DIR/row")"
}

row_skip()
{
	skip "$(row_name "${@:1:4}")" "$5"
}

# of_ring RING: print the emulated driver's option for it
of_ring()
{
	[ "$1" != packed ] || echo --packed
}

emulate_all()
{
	local ring=$1

	# shellcheck disable=SC2046 # no option or one
	set -- $(of_ring "$ring") --rw randrw --verify
	emulate "$@" --queues 2 --depth 16 --count 150 --flush-every 20 &&
		emulate "$@" --queues 2 --depth 6 --count 80 --bs 16k \
			--layout random --align 100 &&
		emulate "$@" --bs 1M --depth 2 --count 20
}

serve_and_verify()
{
	local status=0

	daemon_start --blk-file="$2" --features=flush=on
	emulate_all "$1" || status=$?
	daemon_stop || return
	return $status
}

verified()
{
	row - 'emulated driver' "$1" "$2" serve_and_verify "$2" "$3"
}

guest_disk()
{
	local properties=num-queues=1

	[ "$3" != packed ] || properties+=,packed=on
	disk_start "$1" "$2" --serial="$1"
	disk_attach "$1" "$properties"
}

guest_verified()
{
	local name jobs=()

	for name; do
		jobs+=("--name=$name" "--filename=/disk/$name")
	done
	guest_run -t 200 "fio --rw=randwrite --bsrange=4k-128k --size=4M \
		--direct=1 --ioengine=libaio --iodepth=16 --fsync=16 \
		--verify=crc32c --verify_fatal=1 --thread --eta=never \
		--output-format=terse --terse-version=3 ${jobs[*]}" \
		>"$CASE_DIR/fio" || diag "$(cat "$CASE_DIR/fio")"
}

# guest_disk_good RING NAME: 4 MiB read back without an error, the ring as asked for, and no
# failed request
guest_disk_good()
{
	local bit=0

	[ "$1" != packed ] || bit=1
	grep '^3;' "$CASE_DIR/fio" | awk -F ';' -v name="$2" '
		$3 == name && $5 == 0 && $6 >= 4096 { good = 1 }
		END { exit !good }' || {
		echo 'fio has not verified it'
		return 1
	}
	[ "$(($(disk_features "$2") >> 34 & 1))" = $bit ] || {
		echo "the ring is not $1"
		return 1
	}
	[ "$(disk_sum "$2" errors)" = 0 ] || {
		echo 'requests failed'
		return 1
	}
}

guest_row()
{
	row "${@:1:4}" guest_disk_good "$4" "$5"
}

guest_rings()
{
	local ring

	GUEST_SMP=2 guest_start "${disks[@]}"
	disk_links
	guest_verified split packed
	for ring in split packed; do
		guest_row q35 "$1" "$2" $ring $ring
	done
	guest_stop
	for ring in split packed; do
		check "$ring: the daemon ends well" disk_stop $ring
	done
}
