#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_ctl_json.sh - does the JSON of each subcommand of doorbellctl match its schema in
# Documentation/ctl-json.rst, and is each exit status as documented? Uses a made-up
# /proc.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=../vm/case.sh
. "$top/tests/vm/case.sh"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top/tools" \
	O="$dir/tools" "$dir/tools/bin/doorbellctl" >"$dir/make.log" 2>&1 || {
	tail -n 20 "$dir/make.log"
	exit 1
}
ctl=$dir/tools/bin/doorbellctl

# process PID COMMAND: make a process whose descriptor 5 is a device
process()
{
	mkdir -p "$dir/proc/$1/fd" "$dir/proc/$1/fdinfo" "$dir/proc/$1/net"
	echo "$2" >"$dir/proc/$1/comm"
	ln -s /dev/vhost-doorbell "$dir/proc/$1/fd/5"
}

# disk REQUESTS ERRORS BROKEN CAPACITY: print the fdinfo of a disk with histograms and
# failures
disk()
{
	cat <<-END
		vhost-doorbell:	7
		backend:	blk
		disk:	/srv/made-up.img
		capacity:	$4
		read-only:	0
		mode:	auto
		inline-max:	8
		budget:	64
		features:	0x130000244
		queues:	1
		memory:	bytes=4096 regions=1 pinned=1 pins=1 invalidations=0 logged=0
		queue0:	state=running size=128 in_flight=2 kicks=10 inline_passes=$1 worker_passes=2 punts=1 requests=$1 bytes_read=409600 bytes_written=512 errors=$2 broken=$3 signals=50 suppressed=47 completed=$1 worker_pid=321 held=$2
		hist0-read:	count=$1 sum=$(($1 * 5000)) max=5119 44:$1
		flight0:	oldest_ns=7000000 held=$2
		errors0:	errors=4 read-io=3 write-nospc=1 last_kind=read last_cause=io last_sector=77 last_errno=5 last_status=1 last_time=1700000000000000000
	END
}

match()
{
	python3 "$top/tests/unit/ctl_json.py" "$top/Documentation/ctl-json.rst" "$@"
}

# json NAME [ARG...] [-- PATH...]: check the output of a subcommand against its
# schema; it must have these paths
json()
{
	local name=$1 args=()

	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	"$ctl" "$name" -j --proc "$dir/proc" "${args[@]}" >"$dir/out" 2>"$dir/err" ||
		[ "$name" = resize ] || [ "$name" = set ] || [ "$name" = doctor ] || return 1
	case $name in
	set) name=resize ;;
	metrics) name=show ;;
	esac
	match "$name" "$dir/out" "$@"
}

# status WANTED ARG...: check the exit status
status()
{
	local want=$1 got=0

	shift
	"$ctl" --proc "$dir/proc" "$@" >"$dir/out" 2>"$dir/err" || got=$?
	[ $got -eq "$want" ] || diag "$*: status $got, not $want" "$(cat "$dir/err")"
	[ $got -eq "$want" ]
}

process 4242 vhost-doorbell-
disk 100 4 0 2048 >"$dir/proc/4242/fdinfo/5"
echo "0::/system.slice/system-vhost.slice/vhost-doorbell-blk@web.service" \
	>"$dir/proc/4242/cgroup"
ln -s 'socket:[9001]' "$dir/proc/4242/fd/6"
printf '%s\n' 'Num RefCount Protocol Flags Type St Inode Path' \
	'0000000000000000: 00000002 00000000 00010000 0001 01 9000 /run/other' \
	'0000000000000000: 00000002 00000000 00010000 0001 01 9001 /run/made up.sock' \
	>"$dir/proc/4242/net/unix"
process 4243 vhost-doorbell-
cat >"$dir/proc/4243/fdinfo/5" <<'END'
vhost-doorbell:	8
backend:	net
port:	tap
pairs:	1
mtu:	1500
mode:	auto
queues:	2
pair0:	rx_packets=4 rx_bytes=600 rx_polls=3 tx_packets=5
queue0:	state=running size=256 requests=4 completed=4
queue1:	state=running size=256 requests=5 completed=5
hist0-frame:	count=4 sum=600 max=150 24:4
END
process 4244 holder
printf 'vhost-doorbell-bell:\t3\nmode:\thook\ncount:\t5\nrings:\t5\nwires:\t1\n' \
	>"$dir/proc/4244/fdinfo/5"
ln -sf 'anon_inode:[vhost-doorbell-bell]' "$dir/proc/4244/fd/5"

check "list" json list -- 'devices[].unit'
check "show" json show -- 'devices[].queues[].last_failure.sector' \
	'devices[].queues[].failed[].cause' 'devices[].pairs[].rx_polls' 'devices[].mtu'
check "metrics" json metrics -- 'devices[].queues[].failed[].cause'
check "latency" json latency -- 'devices[].histograms[].buckets[].below'
check "bell" json bell -- 'bells[].holders[].fd'
check "doctor" json doctor -- 'checks[].advice'
check "resize fails of a process that is no daemon, and says so in JSON" \
	json resize web -- 'devices[].error'
check "set, too" json set web mode=auto -- 'devices[].error'
(sleep 0.4; disk 200 4 0 2048 >"$dir/fdinfo"; mv "$dir/fdinfo" "$dir/proc/4242/fdinfo/5") &
check "top" json top -n 1 -i 1 -- 'queues[].p99_us'
wait
check "with the rate and the latency of what came between" python3 -c '
import json, sys
q = [q for q in json.load(open(sys.argv[1]))["queues"] if q["id"] == 7][0]
sys.exit(not (90 < q["requests"] <= 100 and q["served"] == "inline" and q["mean_us"] == 5
	and 4.6 < q["p99_us"] <= 5.12 and q["oldest_ms"] == 7 and q["held"] == 4))' "$dir/out"
check "watch" json watch -n 1 -i 0.1 -- seconds rx_packets

(sleep 0.5; disk 300 9 1 4096 >"$dir/fdinfo"; mv "$dir/fdinfo" "$dir/proc/4242/fdinfo/5"
sleep 0.5; mv "$dir/proc/4243" "$dir/gone"; sleep 0.5; mv "$dir/gone" "$dir/proc/4243"
disk 300 9 1 4096 | sed -e 's/held=9/held=0/' -e 's/running/stopped/' \
	-e '1a state:\tstopping' >"$dir/fdinfo"; mv "$dir/fdinfo" "$dir/proc/4242/fdinfo/5") &
check "events" json events -n 21 -i 0.1 -- detail
wait
for event in error resize queue-broken gone come released queue-stop stopping; do
	check "event $event" grep -q "\"event\": *\"$event\"" "$dir/out"
done
check "events as text" status 0 events -n 1 -i 0.1

for name in 7 /srv/made-up.img "/run/made up.sock" web vhost-doorbell-blk@web \
	vhost-doorbell-blk@web.service; do
	check "show $name" status 0 show "$name"
	check "it is that one" grep -qx "device 7" "$dir/out"
done
# As the list of sockets is in another network namespace than that of the daemon
mkdir -p "$dir/proc/self/net"
mv "$dir/proc/4242/net/unix" "$dir/proc/self/net/unix"
echo 'Num RefCount Protocol Flags Type St Inode Path' >"$dir/proc/4242/net/unix"
check "show a socket of our network namespace" status 0 show "/run/made up.sock"
# A user's socket may have a line break in its path.
sed 's/9001/9002/; s/9000/9001/' "$dir/proc/self/net/unix" >"$dir/proc/4242/net/unix"
check "a socket of its own goes first" status 0 show /run/other
printf '%s\n' '0000000000000000: 00000002 00000000 00010000 0001 01 9003 /tmp/x' \
	'0000000000000000: 00000002 00000000 00010000 0001 01 9001 /run/forged' \
	>>"$dir/proc/4242/net/unix"
for name in /run/forged /run/other "/run/made up.sock"; do
	check "no name from two lines of one socket: $name" status 3 show "$name"
done
mv "$dir/proc/self/net/unix" "$dir/proc/4242/net/unix"
check "show by number" status 0 show 7
diag_lines=$(wc -l <"$dir/out")
check "everything on one screen: $diag_lines lines" test "$diag_lines" -le 42
check "show tells the last failure" grep -q "last failure: read, io, sector 77" "$dir/out"
disk 300 9 1 4096 | sed 's/:\t7$/:\t9/' >"$dir/other"
process 4245 vhost-doorbell-
mv "$dir/other" "$dir/proc/4245/fdinfo/5"
check "a name of two devices: 3" status 3 show /srv/made-up.img
check "it says which" grep -q ": 7 9$" "$dir/err"
check "no such device: 3" status 3 show no-such-device
check "set without a device: 2" status 2 set mode=auto
check "it says what to do" grep -q -- --all "$dir/err"
check "set, both a device and --all: 2" status 2 set 7 --all mode=auto
check "no such setting: 2" status 2 set 7 colour=red
check "no such subcommand: 2" status 2 frobnicate
check "no such option: 2" status 2 list --frobnicate
check "another subcommand's option: 2" status 2 list --sort id
check "an argument too many: 2" status 2 list 7
check "no such column: 2" status 2 top --sort colour
check "metrics --socket has no JSON: 2" status 2 metrics -j --socket "$dir/sock"
check "it says what to do" grep -q "leave out --json" "$dir/err"
check "a procfs that is not there: 1" status 1 list --proc "$dir/none"
check "help" status 0 help
check "-V" status 0 -V
check "help top" status 0 help top
check "it has the options of top" grep -q -- --sort "$dir/out"
check_fails "and no others" grep -q -- --vectors "$dir/out"
check "standard output that is full: 1" eval "! '$ctl' list --proc '$dir/proc' >/dev/full 2>/dev/null"
check "metrics" status 0 metrics
check "they end as OpenMetrics does" test "$(tail -n 1 "$dir/out")" = "# EOF"
check "types are those of the node exporter's format, too" eval "
	! grep '^# TYPE' '$dir/out' | grep -vE ' (counter|gauge|histogram)\$'"
check "a device is a gauge" grep -q '^vhost_doorbell_device_info{device="7",.*} 1$' "$dir/out"
check "so is a state" grep -q \
	'^vhost_doorbell_queue_state{device="7",queue="0",state="running"} [01]$' "$dir/out"
check "a histogram's count is its last bucket" grep -q \
	'latency_seconds_bucket{device="7",queue="0",kind="read",le="+Inf"} 300' "$dir/out"
case_end
