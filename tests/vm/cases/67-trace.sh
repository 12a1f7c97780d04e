# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The bpftrace scripts: each must load, and count under load what the module
# counts.
# kernels: trixie
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# The module here has no BTF, so the scripts use the formats of its tracepoints.
trace_start()
{
	"$1.bt" >"$CASE_DIR/$1" 2>&1 &
	tracer=$!
	wait_for $((60 * factor)) tracing "$1"
}

# All probes are attached together, so when BEGIN has printed, all are.
tracing()
{
	grep -q 'Hit Ctrl-C' "$CASE_DIR/$1" || ! kill -0 "$tracer" 2>/dev/null
}

trace_stop()
{
	local status=0

	kill -INT "$tracer" 2>/dev/null || :
	wait "$tracer" || status=$?
	[ $status -eq 0 ] || {
		diag "status $status" "$(tail -n 20 "$CASE_DIR/$1")"
		return 1
	}
	# Older versions of bpftrace report errors and still exit with 0.
	! grep -iE 'error|warning|lost [0-9]' "$CASE_DIR/$1"
}

# samples SCRIPT MAP: print the sum of all histograms of a map
samples()
{
	awk -v map="@$2[" '
	/^@/ { on = index($0, map) == 1; next }
	on && /\|/ { sub(/\|.*/, ""); n += $NF }
	END { print n + 0 }' "$CASE_DIR/$1"
}

# counts SCRIPT MAP: print the sum over all keys of a map
counts()
{
	awk -v map="@$2[" 'index($0, map) == 1 { n += $NF }
	END { print n + 0 }' "$CASE_DIR/$1"
}

# is NAME GOT WANTED, which is not nothing. The kernel skips the program of a probe that
# interrupts another program on its CPU, so a few may be missing.
is()
{
	check "$1: $3" eval \
		"[ $2 -le $3 ] && [ $(($2 * 100)) -ge $(($3 * 95)) ] && [ $3 -ge 200 ]"
	[ "$2" -eq "$3" ] || diag "got $2"
}

# The driver's own count: its requests, and the reads that verify its data
total()
{
	sed -n 's/^\([0-9]*\) requests .*/\1/p; s/^\([0-9]*\) blocks checked.*/\1/p' \
		"$CASE_DIR/emulate.log" | awk '{ n += $1 } END { print n + 0 }'
}

# trace_load SCRIPT MODE ARG...: run the script under the load of a driver
trace_load()
{
	local script=$1 mode=$2

	shift 2
	daemon_start --blk-file="$disk" --mode="$mode"
	check "$script loads" trace_start "$script"
	check "$script: $mode: a driver is served" emulate --queues 2 --depth 4 \
		--count 200 --rw randrw --verify "$@"
	check "$script ends well" trace_stop "$script"
	check "the daemon ends well" daemon_stop
}

module_load
nullb nullb0 irqmode=2 completion_nsec=500000

trace_load doorbell-latency inline
# A request that is put back after its header was read passes this leg twice.
check "each request is in 2_take_to_submit" test \
	$(($(samples doorbell-latency us_2_take_to_submit) * 100)) -ge \
	$(($(total) * 95))
for leg in 3_submit_to_end_io 4_end_io_to_used take_to_used; do
	is "each request is in $leg" "$(samples doorbell-latency us_$leg)" "$(total)"
done
for leg in 1_kick_to_take 5_used_to_signal; do
	check "$leg has samples" test "$(samples doorbell-latency us_$leg)" -gt 0
done

trace_load doorbell-punts inline --punch 1
punts=0
for kind in ring header type; do
	punts=$((punts + $(counts doorbell-punts punt_$kind)))
done
check "memory that is not pinned is punted: $punts" test $punts -gt 0
check "the rings are served inline" \
	test "$(counts doorbell-punts ring_inline)" -gt 0

trace_load doorbell-rings worker
check "the driver's threads ring" grep -q '^@task\[.*doorbell' \
	"$CASE_DIR/doorbell-rings"
is "each request is served by a thread" "$(counts doorbell-rings served)" "$(total)"
check "the driver is told" test "$(counts doorbell-rings signals)" -gt 0
diag "$(sed -n '/^@us_[13].*, 0\]/,/^$/p' "$CASE_DIR/doorbell-latency")"
case_end
