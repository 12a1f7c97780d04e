# SPDX-License-Identifier: GPL-2.0
# lines.awk: of several outputs of 'lines', print for each file how many lines have run,
# and write the others to the file @gaps
{
	known[$1]
	if ($2)
		covered[$1]
}
END {
	for (l in known) {
		split(l, part, ":")
		all[part[1]]++
		total++
		if (l in covered) {
			run[part[1]]++
			total_run++
		} else {
			print l | ("sort -t : -k 1,1 -k 2,2n >" gaps)
		}
	}
	for (f in all)
		printf "# %-24s %4d of %4d lines  %5.1f %%\n", f, run[f], all[f],
		       100 * run[f] / all[f] | "sort"
	close("sort")
	if (total)
		printf "# %-24s %4d of %4d lines  %5.1f %%, %d result(s); gaps: %s\n", "all",
		       total_run, total, 100 * total_run / total, ARGC - 1, gaps
}
