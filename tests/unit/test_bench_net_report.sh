#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_bench_net_report.sh - does 'make bench-net' compute the right rows from
# samples (net-row.awk), and the right results and verdicts from rows (net-report)?
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

# make_row FILE...
make_row()
{
	awk -v OFS='\t' -v id=id -v calls=0 -v ctxsw=0.5 -f "$bench/cost.awk" \
		-f "$bench/net-row.awk" "$@"
}

printf '%s\n' 'us 2000000' 'ctxsw 400' 'irqs 200' 'busy_us 20000' 'exits null' \
	'insn 2000000' >"$dir/idle"
printf '%s\n' 'us 1000000' 'ctxsw 1200' 'irqs 600' 'busy_us 510000' 'exits 1500' \
	'insn 21000000' >"$dir/busy"
echo 'rate 1000.0 p50 20.5 p99 99.0' >"$dir/load"

# Columns: id rate p50 p99 insn ctxsw exits irqs calls CPU lost
check 'bench-net: a row of a guest' is \
	"$(make_row "$dir/idle" "$dir/busy" "$dir/load")" \
	$'id\t1000.0\t20.5\t99.0\t20000\t0.5\t1.500\t0.500\t0\t500\tnull'
echo 'rate 1000.0' >"$dir/load"
check 'bench-net: without latencies' is \
	"$(make_row "$dir/idle" "$dir/busy" "$dir/load" | cut -f 3,4)" \
	$'null\tnull'
json='{"packets": 1000, "rate": 5000.0, "sent": 1100, "lost": 11, "interrupts": 100, '
json+='"insn": 4000000, "ctxsw": 2000, "cpu_us": 9000, '
echo "$json"'"latency_ns": {"p50": 2000, "p99": 9000}, "errors": 0}' >"$dir/load"
check 'bench-net: a row of the emulated driver' is "$(make_row "$dir/load")" \
	$'id\t5000\t2\t9\t4000\t2\tnull\t0.100\tnull\t9\t0.010'
echo "$json"'"kernel_insn": 3000000, "errors": 0}' >"$dir/load"
check 'bench-net: without its own work, where that is known' is \
	"$(make_row "$dir/load" | cut -f 3-5)" $'null\tnull\t3000'

# add BACKEND CLIENT LOAD ROUND RATE INSN CTXSW LOST
add()
{
	printf '%s\t' 6.12 "$1" "$2" "$3" 1 "$4" "$5" null null "$6" "$7" 1 2 0 3
	echo "$8"
}

{
	add vhost-net emulate tx64 1 100 1000 1 null
	add vhost-net emulate tx64 2 110 1010 1 null
	add vhost-net emulate tx64 3 90 990 1 null
	add vhost-doorbell-auto emulate tx64 1 200 850 0 null
	add vhost-doorbell-dev emulate tx64 1 200 760 0 null
	add vhost-doorbell-auto emulate rx64_flood 1 200 850 0 0
	add vhost-doorbell-dev emulate rx64_flood 1 200 850 0 0.1
	add vhost-net guest udp_rr 1 100 1000 2 null
	add qemu-tap guest udp_rr 1 120 1000 2 null
	add qemu-tap guest tx64 1 120 1000 2 null
	add vhost-doorbell-auto guest udp_rr 1 150 1000 0.01 null
	add vhost-doorbell-auto guest udp_rr 2 170 1000 null null
	add vhost-doorbell-auto guest tx64 1 90 1000 0.01 null
	add vhost-doorbell-dev guest udp_rr 1 149 1000 0.06 null
} >"$dir/raw.tsv"
"$bench/net-report" "$dir/raw.tsv" "$dir/net.json" "$dir" >"$dir/tables"

verdict()
{
	grep -qE "^$1 .* $2\$" "$dir/tables" || {
		grep "^$1" "$dir/tables"
		return 1
	}
}

check 'bench-net: a result has the fields that were asked for, and medians' is \
	"$(sed -n 2p "$dir/net.json")" "  {$(printf '%s, ' '"kernel": "6.12"' \
	'"backend": "vhost-net"' '"client": "emulate"' '"load": "tx64"' \
	'"vcpus": 1' '"rate": 100.000' '"lat_us_p50": null' '"lat_us_p99": null' \
	'"insn": 1000.000' '"ctxsw": 1.000' '"exits": 1.000' '"irqs": 2.000' \
	'"daemon_syscalls": 0.000' '"cpu_us": 3.000')\"spread\": 0.200},"
check 'bench-net: a share that is met' verdict 'tx64: instructions, tap' \
	'0\.850 <= 0\.85  met'
check 'bench-net: a share that is missed' verdict \
	'tx64: instructions, own device' '0\.760 <= 0\.75  missed'
check 'bench-net: a rate' verdict 'udp_rr: transactions/s, tap' \
	'1\.600 >=  1\.5  met'
check 'bench-net: context switches of one round' verdict \
	'udp_rr, guest: context switches, tap' '0\.010 <= 0\.05  met'
check 'bench-net: and too many of them' verdict \
	'udp_rr, guest: context switches, own device' '0\.060 <= 0\.05  missed'
check 'bench-net: what was lost' verdict 'flood by one sender: .*own device' \
	'0\.100 <=    0  missed'
check 'bench-net: the worst load counts' verdict "QEMU's tap, tap" \
	'0\.750 >=    1  missed'
check 'bench-net: what was not measured' verdict 'passt, tap' \
	'null >=    1  not measured'
check 'bench-net: a chart' grep -q '>tx64<' "$dir/bench-net-insn.svg"
case_end
