# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Mode poll, in which the worker looks for more requests instead of waiting for a
# kick; and changing the mode of a running device.
# kernels: trixie
# timeout: 120
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# value NAME: print a number from the output of emulate --json
value()
{
	sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$CASE_DIR/emulate.log"
}

is()
{
	awk "BEGIN { exit !($1) }"
}

load()
{
	emulate --rw randread --depth 1 --json "$@"
}

# The CPU time of all workers, in clock ticks
worker_ticks()
{
	local q pid ticks=0 stat

	for q in 0 1; do
		pid=$(counter $q worker_pid)
		[ "${pid:-0}" != 0 ] || continue
		stat=$(cat "/proc/$pid/stat")
		# Behind the name in parentheses utime and stime are fields 12
		# and 13
		read -ra stat <<<"${stat##*) }"
		ticks=$((ticks + stat[11] + stat[12]))
	done
	echo "$ticks"
}

show()
{
	fdinfo | sed -n "s/^$1:\t//p"
}

# held SECONDS: start a driver in the background that keeps the device so long
held()
{
	doorbell-bench emulate --socket "$sock" --seconds $(($1 * factor)) \
		--depth 1 >"$CASE_DIR/held.log" 2>&1 &
	holder=$!
	wait_for $((10 * factor)) under_way
}

# completes: do requests complete?
completes()
{
	local before

	before=$(counter 0 completed)
	sleep 0.3
	test "$(counter 0 completed)" -gt "$before"
}

# refused ARG...: does doorbellctl set refuse this?
refused()
{
	! "$@" 2>>"$CASE_DIR/refused.log"
}

module_load
nullb poll irqmode=1

daemon_start --blk-file="$disk" --mode=worker
check "mode worker: a load" load --count 3000
kicked=$(value kicks_per_request)
diag "$kicked kicks per request"
check "mode worker: most requests need a kick" is "$kicked > 0.5"
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --mode=poll --poll-us=10000 --poll-share=100
check "mode poll: a load" load --count 3000
kicked=$(value kicks_per_request)
diag "$kicked kicks per request"
check "mode poll: few requests need a kick" is "$kicked < 0.1"
check "mode poll: data verify" emulate --rw randrw --verify --queues 2 \
	--count 2000 --depth 4
check "mode poll: data verify with packed rings" emulate --rw randrw --verify --queues 2 \
	--count 2000 --depth 4 --packed
check "mode poll: data verify without event index" \
	emulate --rw randrw --verify --queues 2 \
	--count 2000 --no-event-idx
check "mode poll: data verify while queues are reset" \
	emulate --rw randrw --verify --queues 2 \
	--count 2000 --reset-every 20
check "mode poll: data verify while other threads ring" \
	emulate --rw randrw --verify --queues 2 \
	--count 2000 --noise 4
check "the daemon ends well" daemon_stop

# Limit of CPU time: the driver adds a request every 5 ms. Without --poll-share,
# --poll-us would let the worker poll all the time.
nullb slow irqmode=2 completion_nsec=5000000
for share in 10 60; do
	daemon_start --blk-file="$disk" --mode=poll --poll-us=10000 \
		--poll-share=$share
	doorbell-bench emulate --socket "$sock" --seconds $((4 * factor)) \
		--depth 1 >"$CASE_DIR/slow.log" 2>&1 &
	driver=$!
	sleep 1
	from=$(counter 0 poll_ns) begin=$(date +%s%N)
	sleep 2
	to=$(counter 0 poll_ns) end=$(date +%s%N)
	wait $driver
	used=$(((to - from) * 100 / (end - begin)))
	diag "share $share: $used % of the time"
	# A look may start at the end of a window, and the worker reads the
	# clock only now and then.
	check "a share of $share % is not exceeded" test $used -le $((share + 5))
	check "a share of $share % is used" test $used -gt 4
	eval "used_$share=$used"
	check "the daemon ends well" daemon_stop
done
# shellcheck disable=SC2154 # by eval
check "a larger share is used more" test "$used_60" -gt "$used_10"

nullb idle irqmode=1
daemon_start --blk-file="$disk" --mode=poll
held 6
kill -STOP $holder
sleep 0.5
from=$(worker_ticks)
sleep 2
to=$(worker_ticks)
kill -CONT $holder
diag "$((to - from)) ticks in 2 s"
check "the worker sleeps when no request comes" test $((to - from)) -le 3
check "the driver goes on after a pause" wait $holder

# On a busy machine each command takes a second.
held 16
id=$(show vhost-doorbell)
check "set: mode=worker" doorbellctl set "$id" mode=worker
check "set: mode is worker" test "$(show mode)" = worker
before=$(counter 0 polls)
sleep 0.5
check "set: the worker no longer polls" test "$(counter 0 polls)" = "$before"
check "set: requests go on meanwhile" completes
check "set: several settings, for all devices" \
	doorbellctl set --all mode=inline budget=7 \
	inline-max=9 poll-us=11 poll-share=12
check "set: the settings have changed" test \
	"$(show mode) $(show budget) $(show inline-max) $(show poll-us) $(show poll-share)" = \
	"inline 7 9 11 12"
before=$(counter 0 inline_passes)
sleep 0.3
check "set: requests are served inline" test "$(counter 0 inline_passes)" -gt "$before"
for wrong in mode=guess budget=0 budget=65536 poll-us=10001 poll-share=101 \
	poll-share=-1 budget= budget=1x colour=red; do
	check "set: $wrong is refused" refused doorbellctl set "$id" "$wrong"
done
check "set: an unknown device is refused" refused \
	doorbellctl set 999999 mode=auto
check "set: another user is refused" refused setpriv --reuid 65534 --clear-groups \
	doorbellctl set "$id" mode=auto
check "set: refused calls have changed nothing" test "$(show mode)" = inline
check "the driver goes on after all settings" wait $holder
check "the daemon ends well" daemon_stop
case_end
