# SPDX-License-Identifier: GPL-2.0
# row.awk: make one row of raw.tsv from three files: the output of sample on the idle
# machine, the same under load, and the result of the load: fio's terse line or the
# emulated driver's JSON object.
#
# Use it with cost.awk before it. -v id=, bs=, fsync=, kind=: of the row; calls=, vmm=:
# system calls.

file == 3 && /^{/ { emulated($0); next }
file == 3 { terse($0) }

function emulated(text)
{
	iops = member(text, "iops")
	mean = member(text, "mean") / 1000
	p50 = member(text, "p50") / 1000
	p99 = member(text, "p99") / 1000
	p999 = member(text, "p99.9") / 1000
}

# percentile FROM P: fio prints percentiles in 20 fields, as "P%=microseconds"
function percentile(from, p,    i, pair)
{
	for (i = from; i < from + 20; i++) {
		split(fio[i], pair, "%=")
		if (pair[1] + 0 == p)
			return pair[2]
	}
	return "null"
}

# Reads are in fields 6 to 46, writes in the 41 after them.
function terse(text,    from)
{
	split(text, fio, ";")
	iops = fio[8] + fio[49]
	mean = iops ? (fio[8] * fio[40] + fio[49] * fio[81]) / iops : "null"
	from = fio[8] + 0 ? 18 : 59
	p50 = percentile(from, 50)
	p99 = percentile(from, 99)
	p999 = percentile(from, 99.9)
}

# If one request of the disk corresponds to one of the load, use the disk's own
# counter, which covers exactly the same time.
function requests()
{
	if (bs == "4k" && fsync == "" && kind !~ /^file/)
		return busy["requests"]
	return iops * busy["us"] / 1e6
}

END {
	n = requests()
	print id, iops, mean, p50, p99, above_idle("ctxsw"), calls, \
		per_request("exits"), above_idle("busy_us"), \
		above_idle("insn"), vmm, p999, above_idle("irqs")
}
