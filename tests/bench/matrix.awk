# SPDX-License-Identifier: GPL-2.0
# matrix.awk: a table for each figure, with all loads of a client on a disk; a part
# of report.awk.

# The properties of a group except its load: client, disk, vCPUs
function matrix_place(g,    part)
{
	split(g, part, FS)
	return part[1] FS part[2] FS part[6]
}

function matrix_title(g, what,    text)
{
	text = title(g)
	sub(/^.*depth [0-9]+, /, "", text)
	return what " " text
}

# Finds the back ends of a place, the bare disk first; returns their number
function matrix_columns(place,    i, j, n, seen)
{
	n = 0
	for (i = 1; i <= ngroups; i++) {
		if (matrix_place(groups[i]) != place)
			continue
		if ((groups[i], "bare") in of && !("bare" in seen)) {
			seen["bare"] = 1
			matrix_column[++n] = "bare"
		}
		for (j = 1; j <= ngroup[groups[i]]; j++)
			if (!(member[groups[i], j] in seen)) {
				seen[member[groups[i], j]] = 1
				matrix_column[++n] = member[groups[i], j]
			}
	}
	return n
}

function matrix_known(place, name, n,    i, c)
{
	for (i = 1; i <= ngroups; i++)
		for (c = 1; c <= n; c++)
			if (matrix_place(groups[i]) == place &&
			    matrix_column[c] != "bare" &&
			    at(groups[i], matrix_column[c], name) != "null")
				return 1
	return 0
}

function write_matrix(first, name, what,    place, n, c, i, g, part, head)
{
	place = matrix_place(first)
	n = matrix_columns(place)
	if (!matrix_known(place, name, n))
		return
	printf "\n%s\n%-22s", matrix_title(first, what), ""
	for (c = 1; c <= n; c++) {
		head = matrix_column[c]
		sub(/^vhost-doorbell-/, "", head)
		printf " %12s", head
	}
	print ""
	for (i = 1; i <= ngroups; i++) {
		g = groups[i]
		if (matrix_place(g) != place)
			continue
		split(g, part, FS)
		printf "%-22s", sprintf("%-15s %s, %d", part[3], part[4],
					part[5])
		for (c = 1; c <= n; c++)
			printf " %12s", number(at(g, matrix_column[c], name),
					       "%.0f")
		print ""
	}
}

function write_matrices(    i, place, seen)
{
	for (i = 1; i <= ngroups; i++) {
		place = matrix_place(groups[i])
		if (place in seen)
			continue
		seen[place] = 1
		write_matrix(groups[i], "iops", "IOPS")
		write_matrix(groups[i], "lat_us_p99", "99th percentile in us")
		write_matrix(groups[i], "cpu_us_per_req",
			     "Host CPU time per request in us")
		write_matrix(groups[i], "insn_per_req",
			     "Instructions per request")
	}
	print "\nMedians of the rounds; loads with block size and depth."
}
