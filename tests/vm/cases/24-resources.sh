# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The cost of serving requests, and to whom it is accounted: no system calls,
# hardly any context switches, and the owner's CPUs, nice value, cgroup and
# memory limit. Also the tracepoints.
# kernels: trixie
# timeout: 360
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

module_load
nullb nullb0 irqmode=1
immediate=$disk
nullb nullb1 irqmode=2 completion_nsec=$((2000000 * factor))
slow=$disk

# load ARG...: start a driver in the background; wait until requests flow
load()
{
	doorbell-bench emulate --socket "$sock" --seconds 1000 "$@" \
		>"$CASE_DIR/load.log" 2>&1 &
	load=$!
	wait_for $((20 * factor)) flows
}

load_stop()
{
	kill "$load"
	wait "$load" 2>/dev/null || :
	daemon_stop
}

flows()
{
	local requests

	requests=$(counter 0 requests)
	[ "${requests:-0}" -gt 50 ]
}

# --- the worker inherits from its owner

daemon_start --blk-file="$immediate" --mode=worker --cpus=1
renice -n 7 -p "$daemon" >/dev/null
load --depth 4 --queues 2
worker=$(counter 1 worker_pid)
check "the worker is on the daemon's CPUs" \
	grep -qx $'Cpus_allowed_list:\t1' "/proc/$worker/status"
check "the worker has the daemon's nice value" \
	test "$(awk '{ print $19 }' "/proc/$worker/stat")" -eq 7
check "the worker is in the daemon's cgroup" \
	grep -qxF "$(grep ^0:: "/proc/$daemon/cgroup")" "/proc/$worker/cgroup"
check "the daemon ends well" load_stop

# --- the daemon sleeps while requests are served

switches()
{
	awk '/ctxt_switches/ { n += $2 } END { print n }' \
		"/proc/$daemon"/task/*/status
}

daemon_start --blk-file="$immediate" --mode=auto
load --depth 4
# Two seconds after a ring has started, the daemon checks once that the ring is
# served.
sleep $((3 * factor))
requests=$(counter 0 requests)
before=$(switches)
sleep 1
check "during I/O the daemon has no context switch" test "$(switches)" -eq "$before"
timeout -s INT "$((factor + 1))" strace -f -p "$daemon" \
	-o "$CASE_DIR/strace" 2>/dev/null || :
diag "$(cat "$CASE_DIR/strace")"
check_fails "during I/O the daemon makes no system call" \
	grep -qE '\) += ' "$CASE_DIR/strace"
check "during this the disk has served requests" \
	test "$(counter 0 requests)" -gt "$requests"
load_stop

# --- which context serves requests

# passes NAME: set $inline and $worker to queue 0's numbers of passes, and log
# them
passes()
{
	inline=$(counter 0 inline_passes)
	worker=$(counter 0 worker_passes)
	diag "$1: $inline passes inline, $worker by the worker"
}

daemon_start --blk-file="$immediate" --mode=inline
load --rw randread --size 64k --spin
sleep 1
passes "inline, depth 1"
check "inline, depth 1: the worker does not run" \
	test $((worker * 20)) -lt "$inline"
load_stop

daemon_start --blk-file="$immediate" --mode=inline
emulate --rw randread --size 64k --spin --count 3000 --json
each=$(sed -n 's/.*"switches_per_request": \([0-9.]*\).*/\1/p' \
	"$CASE_DIR/emulate.log")
diag "$each context switches per request"
check "inline, depth 1: fewer than 0.1 context switches per request" \
	awk -v n="$each" 'BEGIN { exit n >= 0.1 }'
daemon_stop

daemon_start --blk-file="$slow" --mode=auto
load --size 64k
passes "auto, depth 1"
check "auto, depth 1: requests are served inline" test $((worker * 10)) -lt "$inline"
load_stop

# --- limits of the owner's cgroup

# limit FILE: enable the io controller; return false if this kernel has no FILE
limit()
{
	{ echo +io >/sys/fs/cgroup/cgroup.subtree_control; } 2>/dev/null
	mkdir -p /sys/fs/cgroup/case-one /sys/fs/cgroup/case-two
	[ -e "$1" ]
}

# rate SECONDS [DAEMON...]: print the requests per second of each daemon ($daemon),
# measured for about that time. A sleep takes longer than it says here, so the clock is
# read with each counter.
rate()
{
	local seconds=$1 daemon=$daemon one
	local -A requests since

	shift
	[ $# -gt 0 ] || set -- "$daemon"
	for daemon; do
		since[$daemon]=${EPOCHREALTIME/./}
		requests[$daemon]=$(counter 0 requests)
	done
	sleep "$seconds"
	for daemon; do
		one=$(($(counter 0 requests) - requests[$daemon]))
		echo $((one * 1000000 / (${EPOCHREALTIME/./} - since[$daemon])))
	done
}

number=$(cat "/sys/class/block/${immediate##*/}/dev")
mkfs.ext4 -q -F "$immediate"
mkdir "$CASE_DIR/limited"
mount "$immediate" "$CASE_DIR/limited"
# Write the file: blocks that are only allocated read as zeroes without any I/O.
dd if=/dev/urandom of="$CASE_DIR/limited/file" bs=1M count=16 conv=fsync status=none
# The ringing process is in another cgroup than the daemon.
for kind in 'disk worker' 'disk inline' 'file worker' 'file inline'; do
	mode=${kind#* }
	if ! limit /sys/fs/cgroup/case-one/io.max; then
		skip "$kind: io.max" "this kernel has no io.max"
		continue
	fi
	echo "$number riops=200" >/sys/fs/cgroup/case-one/io.max
	file=$CASE_DIR/limited/file
	if [ "${kind% *}" = disk ]; then
		umount "$CASE_DIR/limited"
		file=$immediate
	fi
	daemon_start --blk-file="$file" --mode="$mode"
	echo "$daemon" >/sys/fs/cgroup/case-one/cgroup.procs
	load --rw randread --depth 16
	is=$(rate 5)
	diag "$kind: $is requests per second, of 200"
	# The kernel lets some requests pass at once at the start, so the range
	# is wide
	check "$kind: io.max of the daemon's cgroup holds" \
		test "$is" -ge 100 -a "$is" -le 260
	echo "$number riops=max" >/sys/fs/cgroup/case-one/io.max
	is=$(rate 2)
	check "$kind: $is IOPS without io.max" test "$is" -gt 400
	load_stop
	[ "${kind% *}" = file ] || mount "$immediate" "$CASE_DIR/limited"
done
umount "$CASE_DIR/limited"

nullb nullb2 irqmode=1 size=192
paged=$disk
number=$(cat "/sys/class/block/${paged##*/}/dev")

# on_disk: print the bytes written to $paged
on_disk()
{
	awk '{ print $7 * 512 }' "/sys/class/block/${paged##*/}/stat"
}

# by_group: print the bytes written to $paged that are charged to the daemon's cgroup
by_group()
{
	local bytes

	bytes=$(sed -n "s/^$number .*wbytes=\([0-9]*\).*/\1/p" \
		/sys/fs/cgroup/case-one/io.stat)
	echo "${bytes:-0}"
}

# has_written BYTES: has the daemon's cgroup written more than that?
has_written()
{
	test "$(by_group)" -gt "$1"
}

# buffered MODE: data at odd addresses goes through the page cache, by kworkers
buffered()
{
	local group=/sys/fs/cgroup/case-one most=4000000 begin time disk ours cache

	echo "$number wbps=$most" >$group/io.max
	echo 48M >$group/memory.max
	daemon_start --blk-file="$CASE_DIR/limited/buffered" --mode="$1"
	echo "$daemon" >$group/cgroup.procs
	load --rw randwrite --bs 64k --depth 16 --align 101 --flush-every 50
	# The kernel charges writeback of a file to the cgroup that dirtied it first,
	# perhaps not this one, until it has seen another at it for some seconds of I/O.
	wait_for $((60 * factor)) has_written $(($(by_group) + 2000000)) ||
		diag "buffered, $1: the group has written nothing"
	disk=$(on_disk) ours=$(by_group) begin=${EPOCHREALTIME/./}
	sleep 6
	disk=$(($(on_disk) - disk)) ours=$(($(by_group) - ours))
	time=$((${EPOCHREALTIME/./} - begin))
	cache=$(sed -n 's/^file //p' $group/memory.stat)
	diag "buffered, $1: $disk bytes written in $time us, $ours by the group" \
		"page cache: $cache bytes, peak $(cat $group/memory.peak)"
	check "buffered, $1: the group's io.max holds" \
		test $((ours * 10 / (time / 100000))) -le $((most * 5 / 4))
	check "buffered, $1: write-back is accounted to the group" \
		test "$ours" -ge $((disk / 3)) -a "$ours" -gt 1000000
	check "buffered, $1: the page cache is accounted to the group" \
		test "$cache" -gt 1000000
	echo "$number wbps=max" >$group/io.max
	load_stop
	echo max >$group/memory.max
}

if limit /sys/fs/cgroup/case-one/io.max &&
   echo +memory >/sys/fs/cgroup/cgroup.subtree_control; then
	# Keep the file system from writing in the background.
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$paged"
	mount "$paged" "$CASE_DIR/limited"
	dd if=/dev/zero of="$CASE_DIR/limited/buffered" bs=1M count=96 \
		conv=fsync status=none
	for mode in inline worker; do
		# Pages in the page cache would stay charged to this cgroup.
		umount "$CASE_DIR/limited"
		mount "$paged" "$CASE_DIR/limited"
		buffered $mode
	done
	umount "$CASE_DIR/limited"
else
	skip "buffered: io.max and memory.max" "this kernel has not both"
fi
number=$(cat "/sys/class/block/${immediate##*/}/dev")

# weigh NAME WEIGHT: start a load on the disk in a cgroup of that weight
weigh()
{
	echo "$2" >"/sys/fs/cgroup/case-$1/io.weight"
	sock=$CASE_DIR/$1.sock
	daemon_start --blk-file="$immediate" --read-only --mode=auto
	echo "$daemon" >"/sys/fs/cgroup/case-$1/cgroup.procs"
	load --rw randread --depth 16
}

# With iocost at 1000 requests a second, io.weight must decide the share of each
# cgroup
weights()
{
	local root=/sys/fs/cgroup light heavy rates loads

	echo "$number enable=1 ctrl=user min=100 max=100" >$root/io.cost.qos
	echo "$number ctrl=user model=linear rbps=1000000000 rseqiops=1000" \
		"rrandiops=1000 wbps=1000000000 wseqiops=1000 wrandiops=1000" \
		>$root/io.cost.model
	weigh one 100
	light=$daemon loads=$load
	weigh two 400
	heavy=$daemon loads+=" $load"
	sleep 2
	mapfile -t rates < <(rate 5 "$heavy" "$light")
	diag "${rates[0]} requests per second of weight 400, ${rates[1]} of 100"
	check "io.weight of the daemons' cgroups holds" \
		test "${rates[0]}" -ge $((2 * rates[1])) -a "${rates[1]}" -ge 20
	# shellcheck disable=SC2086 # two of them
	kill $loads
	for daemon in $light $heavy; do
		check "the daemon ends well" daemon_stop
	done
	echo "$number enable=0" >$root/io.cost.qos
	sock=$CASE_DIR/sock
}

if limit /sys/fs/cgroup/io.cost.qos; then
	weights
else
	skip "io.weight" "this kernel has no io.cost"
fi

# --- RLIMIT_MEMLOCK

# as_nobody KILOBYTES: start a daemon that has no privilege except the device's
# group
as_nobody()
{
	# shellcheck disable=SC2016 # the inner shell's
	bash -c 'ulimit -l "$1" && shift && exec "$@"' - "$1" \
		setpriv --reuid=65534 --regid=0 --clear-groups \
		vhost-doorbell-blk --socket-path="$sock" \
		--blk-file="$CASE_DIR/file" >"$CASE_DIR/nobody.log" 2>&1 &
	daemon=$!
	wait_for $((10 * factor)) test -S "$sock"
}

truncate -s 16M "$CASE_DIR/file"
chmod 666 "$CASE_DIR/file"
chmod 777 "$CASE_DIR"
as_nobody 64
check_fails "memory above RLIMIT_MEMLOCK is refused" \
	emulate --count 10 --connect-timeout 5
diag "$(cat "$CASE_DIR/nobody.log")"
check "the message names the limit" \
	grep -qiE 'memlock|LimitMEMLOCK|ulimit' "$CASE_DIR/nobody.log"
daemon_stop
as_nobody 65536
check "memory within RLIMIT_MEMLOCK needs no privilege" \
	emulate --rw randrw --verify --count 100
daemon_stop

# --- tracepoints

events=/sys/kernel/tracing/events/vhost_doorbell
echo 1 >$events/enable
daemon_start --blk-file="$immediate"
emulate --count 20 --depth 2
daemon_stop
echo 0 >$events/enable
for event in kick take submit end_io complete signal; do
	check "tracepoint bell_$event" \
		grep -q "bell_$event: dev=" /sys/kernel/tracing/trace
done
# Case 75 checks the tracepoints of cards
# No request is put back, retried or punted here: 67-trace counts those.
check "and three others for disks" test \
	"$(find $events/bell_* -maxdepth 0 ! -name 'bell_net_*' | wc -l)" -eq 9
echo >/sys/kernel/tracing/trace
case_end
