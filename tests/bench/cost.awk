# SPDX-License-Identifier: GPL-2.0
# cost.awk: what row.awk and net-row.awk share. The first two files are what sample
# printed of the idle machine and under load; n is the number of requests, frames or
# whatever the costs are of.
#
# What the idle machine spends in the same time is taken off, except VM exits.

BEGIN { file = 0; OFMT = "%.3f" }
FNR == 1 { file++ }

file == 1 { idle[$1] = $2 }
file == 2 { busy[$1] = $2 }

# member TEXT NAME: a number of a JSON object that has no other of the name
function member(text, name,    at)
{
	at = index(text, "\"" name "\": ")
	return at ? substr(text, at + length(name) + 4) + 0 : "null"
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
