# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The worker that looks for more instead of waiting for a kick; and how a running
# device is told to be served otherwise.
# kernels: trixie
# timeout: 120
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# value NAME: of what emulate --json printed
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

# How much time the workers have used, in clock ticks
worker_ticks()
{
	local q pid ticks=0 stat

	for q in 0 1; do
		pid=$(counter $q worker_pid)
		[ "${pid:-0}" != 0 ] || continue
		stat=$(cat "/proc/$pid/stat")
		# Behind the name: utime and stime are the 12th and 13th
		read -ra stat <<<"${stat##*) }"
		ticks=$((ticks + stat[11] + stat[12]))
	done
	echo "$ticks"
}

show()
{
	fdinfo | sed -n "s/^$1:\t//p"
}

# A driver in the background, until it is waited for
held()
{
	doorbell-bench emulate --socket "$sock" --seconds $((6 * factor)) \
		--depth 1 >"$CASE_DIR/held.log" 2>&1 &
	holder=$!
	wait_for $((10 * factor)) under_way
}

# completes: do requests?
completes()
{
	local before

	before=$(counter 0 completed)
	sleep 0.3
	test "$(counter 0 completed)" -gt "$before"
}

# refused ARG...: by doorbellctl set
refused()
{
	! "$@" 2>>"$CASE_DIR/refused.log"
}

module_load
nullb poll irqmode=1

daemon_start --blk-file="$disk" --mode=worker
check "a worker is kicked" load --count 3000
kicked=$(value kicks_per_request)
diag "$kicked kicks per request"
check "for most requests" is "$kicked > 0.5"
check "the daemon ends well" daemon_stop

daemon_start --blk-file="$disk" --mode=poll --poll-us=10000 --poll-share=100
check "one that polls" load --count 3000
kicked=$(value kicks_per_request)
diag "$kicked kicks per request"
check "is hardly ever" is "$kicked < 0.1"
check "data are what they should be" emulate --rw randrw --verify --queues 2 \
	--count 2000 --depth 4
check "of packed rings, too" emulate --rw randrw --verify --queues 2 \
	--count 2000 --depth 4 --packed
check "and with no event index" emulate --rw randrw --verify --queues 2 \
	--count 2000 --no-event-idx
check "with resets of a queue" emulate --rw randrw --verify --queues 2 \
	--count 2000 --reset-every 20
check "and with noise at the bell" emulate --rw randrw --verify --queues 2 \
	--count 2000 --noise 4
check "the daemon ends well" daemon_stop

# What it may take: a driver that comes back every 5 ms, for which it would look.
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
	# One look may begin at the end of a window, and its clock is looked at
	# only now and then.
	check "a share of $share % is not exceeded" test $used -le $((share + 5))
	check "share $share: it is used" test $used -gt 4
	eval "used_$share=$used"
	check "the daemon ends well" daemon_stop
done
# shellcheck disable=SC2154 # by eval
check "more of it with a greater share" test "$used_60" -gt "$used_10"

nullb idle irqmode=1
daemon_start --blk-file="$disk" --mode=poll
held
kill -STOP $holder
sleep 0.5
from=$(worker_ticks)
sleep 2
to=$(worker_ticks)
kill -CONT $holder
diag "$((to - from)) ticks in 2 s"
check "it sleeps when nothing comes" test $((to - from)) -le 3
check "the driver goes on" wait $holder

held
id=$(show vhost-doorbell)
check "set: the mode" doorbellctl set "$id" mode=worker
check "set: it is that" test "$(show mode)" = worker
before=$(counter 0 polls)
sleep 0.5
check "set: and it is served so" test "$(counter 0 polls)" = "$before"
check "set: while requests go on" completes
check "set: several at once, of all devices" doorbellctl set mode=inline budget=7 \
	inline-max=9 poll-us=11 poll-share=12
check "set: are those" test \
	"$(show mode) $(show budget) $(show inline-max) $(show poll-us) $(show poll-share)" = \
	"inline 7 9 11 12"
before=$(counter 0 inline_passes)
sleep 0.3
check "set: inline" test "$(counter 0 inline_passes)" -gt "$before"
for wrong in mode=guess budget=0 budget=65536 poll-us=10001 poll-share=101 \
	poll-share=-1 budget= budget=1x colour=red; do
	check "set: not $wrong" refused doorbellctl set "$wrong"
done
check "set: not of a device that is not there" refused \
	doorbellctl set 999999 mode=auto
check "set: not by anyone" refused setpriv --reuid 65534 --clear-groups \
	doorbellctl set "$id" mode=auto
check "set: nothing of that has changed it" test "$(show mode)" = inline
check "the driver goes on" wait $holder
check "the daemon ends well" daemon_stop
case_end
