# shellcheck shell=bash disable=SC2034,SC2154 # the caller's
# SPDX-License-Identifier: GPL-2.0
# host-disk.sh: the user's disk: what is known of it, and whether it may be used. For
# host.
#
#   disk_find PATH	set disk (its device), stat (its name in /sys/class/block),
#			disk_sys (its directory in /sys) and bytes
#   disk_used		print each use of the disk or of one of its partitions
#   disk_content	print each signature of a file system, partition table, RAID, ...
#   disk_read_only	can this device not be written?
#   disk_counts		does the kernel count the requests of this disk?
#   disk_about		print the disk's properties in one line
#
# Nothing here writes to the disk or opens it for writing.

disk_find()
{
	disk=$(readlink -e "$1") || :
	[ -b "$disk" ] || {
		echo "$1 is not a block device"
		return 1
	}
	disk_sys=$(readlink -e "/sys/dev/block/$(disk_number "$disk")") || {
		echo "$disk is not in /sys"
		return 1
	}
	stat=${disk_sys##*/}
	bytes=$(($(cat "$disk_sys/size") * 512))
	[ $bytes -gt 0 ] || {
		echo "$disk has no size"
		return 1
	}
}

# disk_number DEVICE: print the device's number, as 259:0
disk_number()
{
	local number

	number=$(stat -L -c '%t %T' "$1") || return
	printf '%d:%d\n' "0x${number% *}" "0x${number#* }"
}

# Print the directories of the disk and its partitions
disk_parts()
{
	local file

	echo "$disk_sys"
	for file in "$disk_sys"/*/partition; do
		[ ! -e "$file" ] || echo "${file%/partition}"
	done
}

# disk_mounts NUMBER...: print where these devices are mounted, in any namespace
disk_mounts()
{
	local number path device

	# btrfs and others have a device number of their own there. So look at the
	# device that was named, too.
	cat /proc/[0-9]*/mountinfo 2>/dev/null | sort -u |
		while read -r _ _ number _ path device; do
			device=${device##* - }
			device=${device#* }
			device=${device%% *}
			if [ -b "$device" ]; then
				number+=" $(disk_number "$device")"
			fi
			printf '%s\t%s\n' "$number" "$path"
		done |
		awk -F '\t' -v numbers="$*" '
		BEGIN {
			n = split(numbers, list, " ")
			for (i = 1; i <= n; i++)
				ours[list[i]] = 1
		}
		{
			n = split($1, number, " ")
			for (i = 1; i <= n; i++)
				if (number[i] in ours && !seen[number[i], $2]++)
					print number[i], $2
		}'
}

# disk_openers NUMBER...: print processes that have one of these devices open
disk_openers()
{
	local fd pid

	{ find /proc/[0-9]*/fd -lname '/dev/*' 2>/dev/null || :; } |
		while read -r fd; do
			if [ -b "$fd" ] &&
			   [[ " $* " == *" $(disk_number "$fd") "* ]]; then
				pid=${fd#/proc/}
				echo "${pid%%/*}"
			fi
		done 2>/dev/null | sort -un | while read -r pid; do
			echo "process $pid ($(cat "/proc/$pid/comm" 2>/dev/null || :))"
		done
}

disk_used()
{
	local dir name holder file type rest numbers=()

	while read -r dir; do
		numbers+=("$(cat "$dir/dev")")
	done < <(disk_parts)

	while read -r dir; do
		name=${dir##*/}
		for holder in "$dir"/holders/*; do
			[ ! -e "$holder" ] ||
				echo "$name is a part of ${holder##*/} ($(disk_label "$holder"))"
		done
	done < <(disk_parts)
	while read -r file rest; do
		echo "$(disk_name "$file") is mounted on $rest"
	done < <(disk_mounts "${numbers[@]}")
	while read -r file type rest; do
		if [ -b "$file" ] &&
		   [[ " ${numbers[*]} " == *" $(disk_number "$file") "* ]]; then
			echo "$file is used as swap"
		fi
	done </proc/swaps
	while read -r rest; do
		echo "$rest has it open"
	done < <(disk_openers "${numbers[@]}")
	while read -r dir; do
		disk_owned "${dir##*/}"
	done < <(disk_parts)
}

# disk_owned NAME: print if the device has an exclusive owner, or if this is not known
disk_owned()
{
	local status=0 file=/dev/$1

	file=${file//!//}
	exclusive "$file" 2>/dev/null || status=$?
	case $status in
	0) ;;
	1) echo "$1 has an exclusive owner" ;;
	*) echo "$1 cannot be opened, so its owners are not known" ;;
	esac
}

# disk_label DIRECTORY: what kind of device holds the disk
disk_label()
{
	if [ -e "$1/dm/name" ]; then
		echo "device mapper: $(cat "$1/dm/name")"
	elif [ -e "$1/md/level" ]; then
		echo "md: $(cat "$1/md/level")"
	else
		echo 'a device on it'
	fi
}

# disk_name NUMBER: the name of the device with this number
disk_name()
{
	basename "$(readlink -e "/sys/dev/block/$1")"
}

disk_content()
{
	local found dir

	# wipefs -n only reads.
	found=$(wipefs -n -p "$disk") || {
		echo 'wipefs cannot read it'
		return
	}
	awk -F , 'NF > 1 && !/^#/ { print "a signature: " $NF ", at byte " $1 }' <<<"$found"
	while read -r dir; do
		[ "$dir" = "$disk_sys" ] || echo "a partition: ${dir##*/}"
	done < <(disk_parts)
}

disk_read_only()
{
	[ "$(cat "$disk_sys/ro")" = 1 ]
}

# A disk with several paths of NVMe is not counted by old kernels.
disk_counts()
{
	local before

	before=$(awk '{ print $1 }' "$disk_sys/stat")
	dd if="$disk" of=/dev/null bs=4k count=8 iflag=direct status=none || return
	[ "$(awk '{ print $1 }' "$disk_sys/stat")" -gt "$before" ]
}

# attribute FILE [ELSE]: print a file of /sys without spaces around it, or ELSE (?) for
# none
attribute()
{
	local text

	read -r text 2>/dev/null <"$1" || text=${2:-?}
	echo "$text"
}

disk_about()
{
	local whole=$disk_sys driver

	[ ! -e "$disk_sys/partition" ] || whole=${disk_sys%/*}
	driver=$(basename "$(readlink -f "$whole/device/driver" || :)")
	[ -e "$whole/device/driver" ] || driver=${stat%%[0-9]*}
	printf '%s, %s, %d MiB, driver %s, %s, %s, scheduler %s, %s hardware queues\n' \
		"$disk" "$(attribute "$whole/device/model" 'no model')" $((bytes >> 20)) \
		"$driver" \
		"$(case $(attribute "$whole/queue/rotational") in
		1) echo rotates ;;
		0) echo 'does not rotate' ;;
		*) echo '?' ;;
		esac)" \
		"$(attribute "$whole/queue/write_cache")" \
		"$(grep -o '\[.*\]' "$whole/queue/scheduler" 2>/dev/null || echo '?')" \
		"$(find "$whole/mq" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)"
}
