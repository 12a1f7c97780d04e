# SPDX-License-Identifier: GPL-2.0
# profile.awk: a table of instructions per request, from the output of sample, the
# kernel's symbols sorted by address, and the plugin's profiles before and after the
# load. Addresses have 16 digits, so that they compare correctly as text.
#
# It refuses a sample if more than 3 % of the requests ended while a snapshot was taken,
# as on a busy machine: the snapshots may or may not include their instructions.
#
# Use it with profile-disk.awk or profile-net.awk, which define class_of (the class of a
# function) and headings (the lines above the functions). -v top=: number of functions
# to list.

FNR == 1 { file++ }
file == 1 { sample[$1] = $2; next }
file == 2 && $2 ~ /^[tTwW]$/ {
	if (!($1 in symbol))
		order[++nsymbols] = $1
	symbol[$1] = $4 != "" ? $3 " " $4 : $3
	next
}
file == 3 { before[$1] = $2; next }
file == 4 && $2 - before[$1] > 0 { places[$1] = $2 - before[$1] }

function name_of(place,    lo, hi, mid)
{
	if (place < "8000000000000000")
		return "the client"
	lo = 1
	hi = nsymbols
	while (lo < hi) {
		mid = int((lo + hi + 1) / 2)
		if (order[mid] "" <= place "")
			lo = mid
		else
			hi = mid - 1
	}
	return symbol[order[lo]]
}

function line(what, n)
{
	printf "%-46s %8.0f\n", what, n / sample["requests"]
}

# Print the most expensive functions of the matching classes
function functions(pattern,    i, best, name)
{
	for (i = 1; i <= top; i++) {
		best = ""
		for (name in of)
			if (class_of(name) ~ pattern &&
			    (best == "" || of[name] > of[best]))
				best = name
		if (best == "" || of[best] < sample["requests"] / 2)
			break
		line("    " best, of[best])
		delete of[best]
	}
}

END {
	if (sample["late"] > sample["requests"] * 0.03) {
		printf "profile: the machine was too busy: %d of %d requests ended while a snapshot was taken; run it again when the machine is idle\n",
			sample["late"], sample["requests"] >"/dev/stderr"
		exit 1
	}
	for (p in places) {
		name = name_of(p)
		of[name] += places[p]
		class[class_of(name)] += places[p]
		total += places[p]
	}
	headings()
}
