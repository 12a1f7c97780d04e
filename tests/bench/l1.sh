# shellcheck shell=bash disable=SC2034,SC2154 # the caller's; CASE_DIR
# SPDX-License-Identifier: GPL-2.0
# l1.sh: common parts of in-l1 and net-in-l1; sourced after tests/vm/case.sh and guest.sh.
#
#   fail MESSAGE	print MESSAGE and exit
#   check_words WHAT WORDS KNOWN...
#			fail if one of the words is not known
#   prepare_guests	prepare L1 for guests
#   trace_start [EVENT...]
#			start counting system calls, or these events, by thread
#   trace_read		write the counts to $CASE_DIR/hist-EVENT
#   trace_stop		stop counting
#   calls_of PID	the system calls of all threads of a process
#   ratio A B
#   keep_group NAME, has_group NAME
#			a group is one load in one round. When $rows has all rows that
#			can be measured here, they go to $raw. Groups of an earlier boot
#			are kept.
#   leave		the exit trap: saves logs, and asks for another boot if an
#			emulator's fault may be the reason of the end
#
# $count is the file to which the emulator's plugin writes its count of instructions.

retries=$(cat /tmp/host/retries)
raw=/tmp/host/raw.tsv
groups=/tmp/host/groups		# groups that $raw has
rows=$CASE_DIR/rows		# rows of the present group
count=/tmp/host/insn

fail()
{
	echo "bench: $*" >&2
	exit 1
}

# Check the words now: a misspelt one would show only after hours.
check_words()
{
	local what=$1 words=$2 word

	shift 2
	for word in $words; do
		[[ " $* " == *" $word "* ]] || fail "no $what is '$word'"
	done
}

prepare_guests()
{
	mkdir -p "$CASE_DIR" /tmp/guest
	cp /tmp/host/guest/* /tmp/guest/
	modprobe kvm_amd 2>/dev/null || modprobe kvm_intel 2>/dev/null || :
	[ -w /dev/kvm ] || fail 'no KVM in L1'
	/tmp/host/bin/test-kvm_keep &
	# The figures of an emulated processor that breaks its rules would be
	# worthless.
	insmod /tmp/host/test_interrupts.ko
}

# trace_start, trace_read, trace_stop: each event has a trace instance of its
# own
trace_start()
{
	local event

	traced=("${@:-raw_syscalls/sys_enter}")
	for event in "${traced[@]}"; do
		echo 'hist:keys=common_pid:size=4096' \
			>"/sys/kernel/tracing/events/$event/trigger"
	done
}

trace_read()
{
	local event

	for event in "${traced[@]}"; do
		cat "/sys/kernel/tracing/events/$event/hist" \
			>"$CASE_DIR/hist-${event##*/}"
	done
}

trace_stop()
{
	local event

	for event in "${traced[@]}"; do
		echo '!hist:keys=common_pid:size=4096' \
			>"/sys/kernel/tracing/events/$event/trigger"
	done
}

calls_of()
{
	local task

	[ -n "$1" ] || { echo 0; return; }
	for task in /proc/"$1"/task/*; do
		echo "task ${task##*/}"
	done | awk '
		$1 == "task" { mine[$2] = 1 }
		$2 == "common_pid:" && $3 in mine { n += $NF }
		END { print n + 0 }' - "$CASE_DIR/hist-sys_enter"
}

ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", b ? a / b : 0 }'
}

keep_group()
{
	[ ! -e "$rows" ] || cat "$rows" >>$raw
	echo "$1" >>$groups
	rm -f "$rows"
}

has_group()
{
	grep -qsxF "$1" $groups
}

leave()
{
	local status=$? logs=/tmp/host/logs/$retries

	mkdir -p "$logs"
	dmesg >"$logs/dmesg"
	find "$CASE_DIR" -xdev -type f -exec cp {} "$logs/" \; || :
	if [ $status -ne 0 ] && [ "${EMULATED:-}" = 1 ] && [ -s $groups ] &&
	   ! grep -qE "$OURS" "$logs/dmesg"; then
		status=75
	fi
	exit $status
}
