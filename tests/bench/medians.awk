# SPDX-License-Identifier: GPL-2.0
# medians.awk: common part of report.awk and net-report.awk: medians of the rounds.
#
# The columns of an input row are listed in 'names'. Those before 'round' identify the
# group and the back end. A group is what is compared with one another; of[GROUP,
# BACKEND] names the rows of a back end in it.

function columns_are(list,    c)
{
	columns = split(list, names, " ")
	for (c = 1; c <= columns; c++)
		column[names[c]] = c
	ROUND = column["round"]
}

{
	key = $1
	for (c = 2; c < ROUND; c++)
		key = key FS $c
	if (!(key in rounds))
		keys[++nkeys] = key
	r = ++rounds[key]
	for (c = ROUND + 1; c <= columns; c++)
		value[key, c, r] = $c
}

# Sorts the known values of a column into 'sorted'; returns their number
function sort(key, c,    n, i, j, v)
{
	n = 0
	for (i = 1; i <= rounds[key]; i++) {
		v = value[key, c, i]
		if (v == "null" || v == "")
			continue
		for (j = n; j > 0 && sorted[j] > v + 0; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = v + 0
		n++
	}
	return n
}

function median(key, name,    n)
{
	n = sort(key, column[name])
	if (!n)
		return "null"
	if (n % 2)
		return sorted[(n + 1) / 2]
	return (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# The range of the rounds relative to their median
function spread(key, name,    n, m)
{
	m = median(key, name)
	n = sort(key, column[name])
	return n && m ? (sorted[n] - sorted[1]) / m : "null"
}

function number(v, format)
{
	return v == "null" ? v : sprintf(format, v)
}

function ratio(a, b)
{
	return a == "null" || b == "null" || b == "" || !(b + 0) ? "null" : a / b
}

# at GROUP BACKEND COLUMN: the median, or null
function at(g, b, name)
{
	return (g, b) in of ? median(of[g, b], name) : "null"
}

# The lesser of two values; one may be null
function lesser(a, b)
{
	return a == "null" || (b != "null" && b < a) ? b : a
}

function verdict(what, v, sense, limit,    met)
{
	met = sense == "<=" ? v <= limit : v >= limit
	met = met ? "met" : "missed"
	if (v == "null")
		met = "not measured"
	printf "%-62s %7s %s %4s  %s\n", what, number(v, "%.3f"), sense, limit,
		met
}
