#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_bench_report.sh - does 'make bench' compute the right row from samples and
# a load's line (row.awk), and the right results and verdicts from rows (report)?
set -euo pipefail

bench=$(cd "$(dirname "$0")/../bench" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=../vm/case.sh
. "$bench/../vm/case.sh"

is()
{
	[ "$1" = "$2" ] || { echo "is '$1', should be '$2'"; return 1; }
}

# --- rows ---

# terse READS WRITES: a line in fio's terse format, with that many per second
terse()
{
	awk -v reads="$1" -v writes="$2" 'BEGIN {
		for (i = 1; i <= 130; i++)
			f[i] = 0
		f[1] = 3
		f[8] = reads
		f[40] = 100
		f[49] = writes
		f[81] = 400
		split("50.000000 99.000000 99.900000", p, " ")
		for (i = 1; i <= 3; i++) {
			f[17 + i] = p[i] "%=" i * 10
			f[58 + i] = p[i] "%=" i * 100
		}
		line = f[1]
		for (i = 2; i <= 130; i++)
			line = line ";" f[i]
		print line
	}'
}

# make_row BS FSYNC KIND FIELD: a field of the row computed from the samples in
# $dir
make_row()
{
	awk -v OFS='\t' -v id=id -v bs="$1" -v fsync="$2" -v kind="$3" \
		-v calls=2 -v vmm=null -f "$bench/cost.awk" -f "$bench/row.awk" "$dir/idle" \
		"$dir/busy" "$dir/load" | cut -f "$4"
}

printf '%s\n' 'us 2000000' 'requests 0' 'ctxsw 400' 'irqs 200' 'busy_us 20000' \
	'exits null' 'insn 2000000' >"$dir/idle"
printf '%s\n' 'us 1000000' 'requests 1000' 'ctxsw 1200' 'irqs 600' \
	'busy_us 510000' 'exits 1500' 'insn 21000000' >"$dir/busy"
terse 800 200 >"$dir/load"

row()
{
	is "$(make_row "$1" "$2" "$3" "$4")" "$5"
}

# Columns: id IOPS mean p50 p99 ctxsw calls exits CPU insn vmm p99.9 irqs
check 'bench: reads and writes are added up' row 4k '' null 2 1000
check 'bench: the mean latency is weighted' row 4k '' null 3 160
check 'bench: percentiles are those of reads' row 4k '' null 4,5,12 $'10\t20\t30'
check 'bench: what the idle machine does is taken off, in proportion' \
	row 4k '' null 6,9,10,13 $'1\t500\t20000\t0.500'
check 'bench: exits are not taken off' row 4k '' null 8 1.500
sed -i 's/^requests .*/requests 4000/' "$dir/busy"
check 'bench: a request is one of the disk' row 4k '' null 8 0.375
check 'bench: but of the load where it syncs' row 4k 1 null 8 1.500
check 'bench: and where the disk may split it' row 64k '' null 8 1.500
check 'bench: and where it is a file' row 4k '' file 8 1.500
check 'bench: and where it is a file on xfs' row 4k '' file-xfs 8 1.500
terse 0 500 >"$dir/load"
check 'bench: percentiles are those of writes without reads' \
	row 4k '' null 4,5,12 $'100\t200\t300'
sed -i 's/^insn .*/insn null/' "$dir/busy"
check 'bench: what is not counted is null' row 4k '' null 10 null
echo '{"iops": 1234.5, "lat_ns": {"mean": 2000, "p50": 1000, "p99": 9000, "p99.9": 10000}}' \
	>"$dir/load"
check 'bench: the emulated driver tells nanoseconds' \
	row 64k '' null 2,3,4,5,12 $'1234.500\t2\t1\t9\t10'

# --- results ---

# add BACKEND CLIENT LOAD BS DEPTH VCPUS ROUND IOPS CALLS INSN [DISK]: a row of
# raw.tsv
add()
{
	printf '%s\t' 6.12 "$1" "${11:-null}" "$2" "$3" "$4" "$5" "$6" "$7" \
		"$8" 10 9 20 0.1 "$9" 1.4 "${10}" "$((${10} * 10))" null 30
	echo 0.2
}

{
	add vhost-doorbell-auto guest randread 4k 1 1 1 2600 0 20
	add qemu-iouring guest randread 4k 1 1 1 900 3.5 100
	add vhost-doorbell-auto guest randread 4k 1 1 2 2400 null 40
	add qemu-iouring guest randread 4k 1 1 2 1100 null 100
	add vhost-doorbell-auto guest randread 4k 1 1 3 2500 null 30
	add qemu-iouring guest randread 4k 1 1 3 1000 null 100
	# In one of these loads our back end is slower than its peer. The load
	# randrw has two rounds, so its median is the mean of both.
	add vhost-doorbell-auto guest randread 4k 1 2 1 3000 0 20
	add vhost-scsi guest randread 4k 1 2 1 1000 0 20
	add vhost-doorbell-auto guest randrw 4k 1 2 1 800 0 20
	add vhost-doorbell-auto guest randrw 4k 1 2 2 1000 0 20
	add vhost-scsi guest randrw 4k 1 2 1 1000 0 20
	add vhost-doorbell-worker guest randrw 4k 1 2 1 1000 0 20
	add vhost-doorbell-auto guest read 1M 4 1 1 950 0 20
	add bare host read 1M 4 1 1 1000 0 20
	add vhost-doorbell-auto guest read 1M 4 1 1 190 0 20 mem
	add bare host read 1M 4 1 1 200 0 20 mem
	add vhost-doorbell-auto emulated randread 4k 32 1 1 1650 0 20
	add qsd-iouring emulated randread 4k 32 1 1 200 0 20
	add vhost-doorbell-auto half randread 4k 1 1 1 1000 0 20
	add vhost-doorbell-auto two randread 4k 1 1 1 1700 0 20
} >"$dir/raw.tsv"
"$bench/report" "$dir/raw.tsv" "$dir/results.json" "$dir" >"$dir/tables"

# result FIELD NAME=VALUE...: print FIELD of the result whose other fields have
# these values
result()
{
	awk -v field="$1" -v want="${*:2}" '
	BEGIN { n = split(want, pair, " ") }
	/{/ {
		gsub(/[{}" ]|,$/, "")
		count = split($0, part, ",")
		delete value
		names = ""
		for (i = 1; i <= count; i++) {
			colon = index(part[i], ":")
			name = substr(part[i], 1, colon - 1)
			value[name] = substr(part[i], colon + 1)
			names = names (i > 1 ? " " : "") name
		}
		for (i = 1; i <= n; i++) {
			split(pair[i], w, "=")
			if (value[w[1]] != w[2])
				next
		}
		print field == "" ? names : value[field]
	}' "$dir/results.json"
}

json='"[a-z_0-9]+": ("[^"]*"|null|-?[0-9]+(\.[0-9]+)?)'
is_json()
{
	[ "$(head -n 1 "$1")$(tail -n 1 "$1")" = '[]' ] &&
		sed '1d;$d' "$1" | sed '$!s/,$//' |
		awk -v line="^  {$json(, $json)*}\$" '
		$0 !~ line { print; bad = 1 } END { exit bad || !NR }'
}

has()
{
	is "$(result "$1" backend="$2" load="$3" vcpus="$4" client=guest)" "$5"
}

verdict()
{
	grep -qE "^$1.* $2\$" "$dir/tables" || {
		grep "^$1" "$dir/tables"
		return 1
	}
}

check 'bench: results are of JSON' is_json "$dir/results.json"
check 'bench: a result has all its fields' is "$(result '' backend=qemu-iouring)" \
	"$(printf '%s ' kernel backend disk client load bs depth vcpus iops \
	lat_us_mean lat_us_p50 lat_us_p99 ctxsw_per_req daemon_syscalls_per_req \
	exits_per_req cpu_us_per_req insn_per_req vmm_syscalls_per_req \
	lat_us_p999 irqs_per_req rounds spread insn_spread | sed 's/ $//')"
check 'bench: block sizes are in bytes' is \
	"$(result bs backend=bare disk=null)" 1048576
check 'bench: the median of three' has iops vhost-doorbell-auto randread 1 2500.000
check 'bench: how far they are apart' has spread vhost-doorbell-auto randread 1 0.080
check 'bench: what was counted once' has daemon_syscalls_per_req qemu-iouring randread 1 3.500
check 'bench: what was not counted' has vmm_syscalls_per_req qemu-iouring randread 1 null
check 'bench: the middle of two' has iops vhost-doorbell-auto randrw 2 900.000
check 'bench: a share that is met' verdict '1 vCPU, depth 1: IOPS' \
	'2\.500 >=  2\.5  met'
check 'bench: a share that is missed' \
	verdict '1 vCPU, depth 1: instructions' '0\.300 <= 0\.28  missed'
check 'bench: the worst row counts' verdict '2 vCPUs, all loads' '0\.900 >=    1  missed'
check 'bench: against the best mode, too' verdict "IOPS, of the best fixed mode's" \
	'0\.900 >= 0\.95  missed'
check 'bench: against the bare disk' verdict '1M sequential read' '0\.950 >= 0\.95  met'
check 'bench: two guests against twice one' verdict 'two guests' '0\.850 >=  0\.9  missed'
check 'bench: on another disk' verdict 'the same on mem' '0\.950 >= 0\.95  met'
check 'bench: context switches' verdict '1 vCPU, depth 1: context switches' \
	'0\.100 <=  0\.3  met'
check 'bench: host CPU time, against the best peer' \
	verdict '1 vCPU, depth 1: host CPU time' '0\.300 <=  0\.4  met'
check 'bench: the emulated driver' verdict 'emulated driver, depth 32: IOPS, of qsd' \
	'8\.250 >=    8  met'
check 'bench: what was not measured is not met' \
	verdict 'emulated driver, depth 1: IOPS' ' null >=    4  not measured'
matrix()
{
	is "$(sed -n "/^$1; guest with 2/,/^\$/p" "$dir/tables" |
		awk '{ $1 = $1; print }' | paste -s -d /)" "$2"
}
check 'bench: a table of all loads' matrix 'IOPS on null' "$(printf '%s/' \
	'IOPS on null; guest with 2 vCPUs' 'auto vhost-scsi worker' \
	'randread 4k, 1 3000 1000 null' 'randrw 4k, 1 900 1000 1000')"
check 'bench: a bar of a chart is as high as its share' is "$(awk -F '"' '
	/<rect x=.*fill="#/ && $8 != 10 { print $8 }' "$dir/bench-iops.svg" |
	paste -s)" $'88.0\t220.0'

# --- profiles ---

# profile LATE: the profile of 1000 requests, of which LATE ended while a snapshot was taken
profile()
{
	printf '%s\n' 'requests 1000' "late $1" >"$dir/sample"
	awk -v mode=auto -v depth=1 -v top=3 -f "$bench/profile.awk" \
		-f "$bench/profile-disk.awk" "$dir/sample" "$dir/symbols" "$dir/profile".{0,1}
}

profile_of()
{
	is "$(profile "$1" | sed -n "s/^$2 *//p")" "$3"
}

refuses()
{
	! profile "$1" >"$dir/refused" 2>&1 && grep -q 'too busy: 31 of 1000' "$dir/refused"
}

printf '%s\n' 'ffffffff80000000 t submit_bio' \
	'ffffffffc0000000 t bell_vq_take [vhost_doorbell]' >"$dir/symbols"
printf '%s\n' 'ffffffff80000010 1000' >"$dir/profile.0"
printf '%s\n' 'ffffffff80000010 5000' 'ffffffffc0000020 7000' >"$dir/profile.1"
check 'bench: a profile counts what ran between its snapshots' \
	profile_of 30 'block layer and null_blk' 4
check 'bench: a profile counts by function' profile_of 30 '    bell_vq_take .*]' 7
check 'bench: a profile of a busy machine is refused' refuses 31
case_end
