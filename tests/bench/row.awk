# SPDX-License-Identifier: GPL-2.0
# row.awk: one row of raw.tsv from three files: what sample printed of the idle
# machine, what it printed under load, and the load's line: fio's terse one or
# the emulated driver's object.
#
# What the idle machine spends in the same time is taken off, except VM exits.
# -v id=, bs=, fsync=, kind=: of the row; calls=, vmm=: system calls.

BEGIN { file = 0; OFMT = "%.3f" }
FNR == 1 { file++ }

file == 1 { idle[$1] = $2 }
file == 2 { busy[$1] = $2 }
file == 3 && /^{/ { emulated($0); next }
file == 3 { terse($0) }

# member TEXT NAME: a number of a JSON object that has no other of the name
function member(text, name,    at)
{
	at = index(text, "\"" name "\": ")
	return at ? substr(text, at + length(name) + 4) + 0 : "null"
}

function emulated(text)
{
	iops = member(text, "iops")
	mean = member(text, "mean") / 1000
	p50 = member(text, "p50") / 1000
	p99 = member(text, "p99") / 1000
	p999 = member(text, "p99.9") / 1000
}

# percentile FROM P: fio has it in one of 20 fields, as "P%=microseconds"
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

# The disk's own count is of the same time, if it has one request for each.
function requests()
{
	if (bs == "4k" && fsync == "" && kind != "file")
		return busy["requests"]
	return iops * busy["us"] / 1e6
}

function per_request(name)
{
	return busy[name] == "null" || !n ? "null" : busy[name] / n
}

function above_idle(name)
{
	if (busy[name] == "null" || idle[name] == "null" || !n)
		return "null"
	return (busy[name] - idle[name] * busy["us"] / idle["us"]) / n
}

END {
	n = requests()
	print id, iops, mean, p50, p99, above_idle("ctxsw"), calls, \
		per_request("exits"), above_idle("busy_us"), \
		above_idle("insn"), vmm, p999, above_idle("irqs")
}
