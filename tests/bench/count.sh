# shellcheck shell=bash disable=SC2154 # CASE_DIR
# SPDX-License-Identifier: GPL-2.0
# count.sh: common parts of in-l1, net-in-l1 and host.
#
#   fail MESSAGE	print MESSAGE and exit
#   check_words WHAT WORDS KNOWN...
#			fail if one of the words is not known
#   trace_ready [EVENT...]
#			can this kernel count these events, and does nobody else?
#   trace_start [EVENT...]
#			start counting system calls, or these events, by thread
#   trace_read		write the counts to $CASE_DIR/hist-EVENT
#   trace_stop		stop counting, if it was started
#   calls_of PID	the system calls of all threads of a process
#   ratio A B
traced=()

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

# The hist trigger of the user's own would count together with ours.
trace_ready()
{
	local event file

	for event in "${@:-raw_syscalls/sys_enter}"; do
		file=/sys/kernel/tracing/events/$event/trigger
		[ -w "$file" ] && [ -e "${file%/*}/hist" ] &&
			! grep -q '^hist:' "$file" || return
	done
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
	traced=()
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
