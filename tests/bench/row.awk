# SPDX-License-Identifier: GPL-2.0
# row.awk: one row of raw.tsv from three files: what sample printed of the idle
# machine, what it printed under load, and fio's terse line.
#
# What the idle machine spends in the same time is taken off, except VM exits.

BEGIN { file = 0; OFMT = "%.3f" }
FNR == 1 { file++ }

file == 1 { idle[$1] = $2 }
file == 2 { busy[$1] = $2 }
file == 3 { split($0, fio, ";") }

function per_request(name)
{
	if (busy[name] == "null" || !busy["requests"])
		return "null"
	return busy[name] / busy["requests"]
}

function above_idle(name)
{
	if (busy[name] == "null" || idle[name] == "null" || !busy["requests"])
		return "null"
	return (busy[name] - idle[name] * busy["us"] / idle["us"]) \
		/ busy["requests"]
}

# percentile P: fio has it in one of the fields 18 to 37, as "P%=microseconds"
function percentile(p,    i, pair)
{
	for (i = 18; i <= 37; i++) {
		split(fio[i], pair, "%=")
		if (pair[1] + 0 == p)
			return pair[2]
	}
	return "null"
}

END {
	print id, fio[8], fio[40], percentile(50), percentile(99), \
		above_idle("ctxsw"), calls, per_request("exits"), \
		above_idle("busy_us"), above_idle("insn"), vmm
}
