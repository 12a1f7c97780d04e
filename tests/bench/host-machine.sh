# shellcheck shell=bash disable=SC2154 # the caller's
# SPDX-License-Identifier: GPL-2.0
# host-machine.sh: the head of the page: what machine this is. For host.
#
#   machine_about	print it

# said LABEL TEXT...: one entry of the page's head
said()
{
	printf '%-10s %s\n' "$1" "${*:2}" | fold -s -w 110 |
		sed '2,$s/^/           /; s/ *$//'
}

machine_cpu()
{
	awk -F ': *' '
		/^model name/ { model = $2; n++ }
		/^flags/ && / hypervisor( |$)/ { virtual = 1 }
		END {
			printf "%s, %d CPUs%s", model, n,
				virtual ? "; A VIRTUAL MACHINE, no hardware" : ""
		}' /proc/cpuinfo
}

machine_governor()
{
	cat /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor 2>/dev/null | sort -u |
		paste -s -d ' ' | grep . || echo 'none known'
}

# Mitigations that are on, and weaknesses that have none
machine_mitigations()
{
	local file name text

	for file in /sys/devices/system/cpu/vulnerabilities/*; do
		[ -r "$file" ] || continue
		name=${file##*/}
		read -r text <"$file"
		case $text in
		'Not affected') ;;
		Mitigation:*)
			text=${text#Mitigation: }
			echo "$name (${text%%[;,]*})"
			;;
		*) echo "$name: ${text%%[;,]*}" ;;
		esac
	done | paste -s -d ',' | sed 's/,/, /g' | grep . || echo 'none needed'
}

# The first word of a program's version that has a digit
machine_version()
{
	"$1" --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1 || echo none
}

machine_module()
{
	if [[ " $before " == *" $module "* ]]; then
		echo "loaded before, srcversion $(attribute "/sys/module/$module/srcversion")"
	elif loaded "$module"; then
		echo "loaded by this script, srcversion $(attribute "/sys/module/$module/srcversion")"
	else
		echo 'not loaded'
	fi
}

# machine_counted: print which figures this machine can count
machine_counted()
{
	awk '
	$1 == "insn" || $1 == "exits" {
		printf "%s%s %s", sep, $1, $2 == "null" ? "not counted" : \
			$1 == "insn" ? "by the processors" : "by KVM"
		sep = "; "
	}' < <(sample - 0 10 "$count")
	if trace_ready; then
		echo '; system calls by tracepoint'
	else
		echo '; system calls not counted'
	fi
}

machine_about()
{
	local mem

	mem=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
	said 'vhost-doorbell on a disk of this machine,' "$(date -u '+%Y-%m-%d %H:%M UTC')"
	said machine "$(machine_cpu); $mem MiB; governor: $(machine_governor)"
	said kernel "$(uname -r); mitigations: $(machine_mitigations)"
	said disk "$(disk_about); loads use the first $((range >> 20)) MiB," \
		"$([ -z "$read_only" ] && echo 'which this script had filled' ||
			echo 'as they were found: blocks that were never written may be faster to read')"
	said network 'not measured'
	said programs "QEMU $(machine_version qemu-system-x86_64)," \
		"qemu-storage-daemon $(machine_version qemu-storage-daemon)," \
		"fio $(machine_version fio); module $(machine_module)"
	said guest "kernel ${guest_kernel##*/}, $GUEST_MEM MiB"
	said rounds "$rounds of $window ms; load of the machine before: $load_before" \
		"$(awk -v load="$load_before" -v cpus="$(nproc)" 'BEGIN {
			if (load > cpus / 4)
				print "- BUSY, so times and ratios mean little" }')"
	said counted "$(machine_counted)"
}
