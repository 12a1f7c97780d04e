# SPDX-License-Identifier: GPL-2.0
# cost.awk: common parts of row.awk and net-row.awk. The first two files are the
# output of sample on the idle machine and under load. n is the number of requests
# or frames to divide by.
#
# The consumption of the idle machine in the same time is subtracted, except VM
# exits.

BEGIN { file = 0; OFMT = "%.3f" }
FNR == 1 { file++ }

file == 1 { idle[$1] = $2 }
file == 2 { busy[$1] = $2 }

# member TEXT NAME: the number of that name in a JSON object with unique names
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
