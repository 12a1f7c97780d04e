# SPDX-License-Identifier: GPL-2.0
# report.awk: see report; with medians.awk, chart.awk and matrix.awk.

BEGIN {
	columns_are("kernel backend disk client load bs depth vcpus round " \
		"iops lat_us_mean lat_us_p50 lat_us_p99 ctxsw_per_req " \
		"daemon_syscalls_per_req exits_per_req cpu_us_per_req " \
		"insn_per_req vmm_syscalls_per_req lat_us_p999 irqs_per_req")
	split("kernel backend disk client load", words, " ")
	for (c in words)
		text[words[c]] = 1
	split("qemu-iouring qemu-native qemu-mapping qsd-iouring vhost-scsi",
	      peer, " ")
	for (c in peer)
		is_peer[peer[c]] = 1
	split("inline worker poll", mode, " ")
}

function bytes(bs)
{
	return bs ~ /M$/ ? bs * 1048576 : bs ~ /k$/ ? bs * 1024 : bs + 0
}

function write_json(    k, c, part, v, key)
{
	printf "[\n" >results
	for (k = 1; k <= nkeys; k++) {
		key = keys[k]
		split(key, part, FS)
		printf "  {" >results
		for (c = 1; c < ROUND; c++) {
			v = names[c] == "bs" ? bytes(part[c]) : part[c]
			if (names[c] in text)
				v = "\"" v "\""
			printf "\"%s\": %s, ", names[c], v >results
		}
		for (c = ROUND + 1; c <= columns; c++)
			printf "\"%s\": %s, ", names[c],
				number(median(key, names[c]), "%.3f") >results
		printf "\"rounds\": %d, \"spread\": %s, \"insn_spread\": %s}%s\n",
			rounds[key], number(spread(key, "iops"), "%.3f"),
			number(spread(key, "insn_per_req"), "%.3f"),
			k < nkeys ? "," : "" >results
	}
	printf "]\n" >results
}

# --- tables of groups: results of one load ---

# The bare disk is measured by fio in the host, and shown in each group.
function group_of(part)
{
	return part[column["disk"]] FS part[column["load"]] FS \
		part[column["bs"]] FS part[column["depth"]] FS \
		part[column["vcpus"]]
}

function add_to(g, b, key,    i)
{
	if (!(g in ngroup))
		groups[++ngroups] = g
	if (!((g, b) in of))
		member[g, ++ngroup[g]] = b
	of[g, b] = key
	i = median(key, "iops")
	if (b in is_peer && (!(g in best) || i > best[g]))
		best[g] = i
}

function collect(    k, part, b)
{
	for (k = 1; k <= nkeys; k++) {
		split(keys[k], part, FS)
		b = part[column["backend"]]
		if (part[column["client"]] != "host")
			add_to(part[column["client"]] FS group_of(part), b,
			       keys[k])
	}
	for (k = 1; k <= nkeys; k++) {
		split(keys[k], part, FS)
		b = part[column["backend"]]
		if (part[column["client"]] == "host")
			for (g in ngroup)
				if (substr(g, index(g, FS) + 1) == group_of(part))
					of[g, b] = keys[k]
	}
}

function title(g,    part, who)
{
	split(g, part, FS)
	who = "emulated driver, 1 queue"
	if (part[1] == "two")
		who = "two guests with 1 vCPU each, together"
	if (part[1] == "half")
		who = "one of them, on half the CPUs"
	if (part[1] == "guest")
		who = sprintf("guest with %d vCPU%s", part[6],
			      part[6] > 1 ? "s" : "")
	return sprintf("%s of %s, depth %d, on %s; %s", part[3], part[4],
		       part[5], part[2], who)
}

function write_row(g, b)
{
	printf "%-22s %8s %6s %6s %7s %7s %7s %6s %6s %6s %6s %7s %8s %6s\n", b,
		number(at(g, b, "iops"), "%.0f"),
		number(spread(of[g, b], "iops"), "%.2f"),
		number(ratio(at(g, b, "iops"), best[g]), "%.2f"),
		number(at(g, b, "lat_us_mean"), "%.0f"),
		number(at(g, b, "lat_us_p99"), "%.0f"),
		number(at(g, b, "lat_us_p999"), "%.0f"),
		number(at(g, b, "ctxsw_per_req"), "%.1f"),
		number(at(g, b, "daemon_syscalls_per_req"), "%.1f"),
		number(at(g, b, "exits_per_req"), "%.1f"),
		number(at(g, b, "irqs_per_req"), "%.1f"),
		number(at(g, b, "cpu_us_per_req"), "%.0f"),
		number(at(g, b, "insn_per_req"), "%.0f"),
		number(ratio(at(g, b, "insn_per_req"),
			     at(g, "qemu-iouring", "insn_per_req")), "%.2f")
}

# Prints the tables of all matching groups
function write_tables(pattern,    i, j, g)
{
	for (i = 1; i <= ngroups; i++) {
		g = groups[i]
		if (g !~ pattern)
			continue
		printf "\n%s\n", title(g)
		printf "%-22s %8s %6s %6s %7s %7s %7s %6s %6s %6s %6s %7s %8s %6s\n",
			"", "IOPS", "spread", "x best", "us mean", "us p99",
			"p99.9", "ctxsw", "calls", "exits", "irqs", "us CPU",
			"insn", "x QEMU"
		if ((g, "bare") in of)
			write_row(g, "bare")
		for (j = 1; j <= ngroup[g]; j++)
			write_row(g, member[g, j])
	}
	print "\nMedians of the rounds. x best: IOPS, against the best of QEMU," \
		" qsd and vhost-scsi;\nctxsw, calls (system calls of the" \
		" daemon), exits, irqs, us CPU, insn (guest and host):" \
		"\nper request; x QEMU: against qemu-iouring"
}

# --- comparison with the goals of the project ---

function guest_group(load, bs, depth, vcpus, disk)
{
	return "guest" FS (disk ? disk : "null") FS load FS bs FS depth FS vcpus
}

function least_of_peers(g, name,    p, least)
{
	least = "null"
	for (p in is_peer)
		least = lesser(least, at(g, p, name))
	return least
}

function best_mode(g,    m, v, most)
{
	most = "null"
	for (m in mode) {
		v = at(g, "vhost-doorbell-" mode[m], "iops")
		if (v != "null" && (most == "null" || v > most))
			most = v
	}
	return most
}

# The module's lowest ratio of IOPS to the best peer's, over all groups
function worst(pattern,    i, w)
{
	w = "null"
	for (i = 1; i <= ngroups; i++) {
		if (groups[i] !~ pattern || !(groups[i] in best))
			continue
		w = lesser(w, ratio(at(groups[i], ours, "iops"),
				    best[groups[i]]))
	}
	return w
}

# Two guests compared with twice one guest on half the CPUs; the worst load
function worst_two(    i, g, half, w)
{
	w = "null"
	for (i = 1; i <= ngroups; i++) {
		g = groups[i]
		if (g !~ "^two" FS)
			continue
		half = at("half" substr(g, 4), ours, "iops")
		w = lesser(w, ratio(at(g, ours, "iops"),
				    half == "null" ? half : 2 * half))
	}
	return w
}

function worst_auto(    i, w)
{
	w = "null"
	for (i = 1; i <= ngroups; i++)
		w = lesser(w, ratio(at(groups[i], ours, "iops"),
				    best_mode(groups[i])))
	return w
}

function write_bars(    one, deep, e1, e32, mib, copied)
{
	ours = "vhost-doorbell-auto"
	one = guest_group("randread", "4k", 1, 1)
	deep = guest_group("randread", "4k", 32, 1)
	mib = guest_group("read", "1M", 4, 1)
	copied = guest_group("read", "1M", 4, 1, "mem")
	e1 = "emulated" FS "null" FS "randread" FS "4k" FS 1 FS 1
	e32 = "emulated" FS "null" FS "randread" FS "4k" FS 32 FS 1

	print "\nvhost-doorbell-auto, 4k random read on null unless said:"
	verdict("1 vCPU, depth 1: instructions, of QEMU's io_uring",
		ratio(at(one, ours, "insn_per_req"),
		      at(one, "qemu-iouring", "insn_per_req")), "<=", 0.28)
	verdict("1 vCPU, depth 1: IOPS, of the best peer's",
		ratio(at(one, ours, "iops"), best[one]), ">=", 2.5)
	verdict("1 vCPU, depth 1: host CPU time, of the best peer's",
		ratio(at(one, ours, "cpu_us_per_req"),
		      least_of_peers(one, "cpu_us_per_req")), "<=", 0.40)
	verdict("1 vCPU, depth 1: VM exits per request",
		at(one, ours, "exits_per_req"), "<=", 1.5)
	verdict("1 vCPU, depth 1: context switches per request",
		at(one, ours, "ctxsw_per_req"), "<=", 0.3)
	verdict("1 vCPU, depth 32: instructions, of QEMU's io_uring",
		ratio(at(deep, ours, "insn_per_req"),
		      at(deep, "qemu-iouring", "insn_per_req")), "<=", 0.42)
	verdict("1 vCPU, depth 32: IOPS, of the best peer's",
		ratio(at(deep, ours, "iops"), best[deep]), ">=", 2.2)
	verdict("2 vCPUs, all loads: IOPS, of the best peer's, worst row",
		worst("^guest" FS "null" FS ".*" FS "2$"), ">=", 1)
	verdict("1 vCPU, all loads: the same, worst row",
		worst("^guest" FS "null" FS ".*" FS "1$"), ">=", 1)
	verdict("1 vCPU, all loads on other disks: the same, worst row",
		worst("^guest" FS "(timer|mem|file|file-.*)" FS ".*" FS "1$"), ">=", 1)
	verdict("1M sequential read, depth 4: of the bare disk's bandwidth",
		ratio(at(mib, ours, "iops"), at(mib, "bare", "iops")), ">=",
		0.95)
	verdict("the same on mem, which moves the data",
		ratio(at(copied, ours, "iops"), at(copied, "bare", "iops")),
		">=", 0.95)
	verdict("emulated driver, depth 1: IOPS, of qsd's",
		ratio(at(e1, ours, "iops"), at(e1, "qsd-iouring", "iops")),
		">=", 4)
	verdict("emulated driver, depth 32: IOPS, of qsd's",
		ratio(at(e32, ours, "iops"), at(e32, "qsd-iouring", "iops")),
		">=", 8)
	verdict("emulated driver, depth 32: IOPS, of the bare disk's",
		ratio(at(e32, ours, "iops"), at(e32, "bare", "iops")), ">=",
		0.8)
	verdict("IOPS, of the best fixed mode's, worst row", worst_auto(), ">=",
		0.95)
	verdict("two guests: IOPS, of twice one on half the CPUs, worst row",
		worst_two(), ">=", 0.9)
}

# --- charts ---

function chart_label(g, line,    part)
{
	split(g, part, FS)
	return line == 1 ? part[3] : part[4] ", depth " part[5]
}

function write_charts(dir,    p)
{
	nshown = split("qemu-iouring qemu-native qemu-mapping qsd-iouring " \
		"vhost-scsi vhost-doorbell-worker vhost-doorbell-poll " \
		"vhost-doorbell-inline vhost-doorbell-auto", shown, " ")
	split("#9aa5b1 #b8c0c9 #ccd2d9 #7d8fa3 #5f7186 #f3c98b #efb25c #e8962e #d9480f",
	      colour, " ")
	chart_base = "qemu-iouring"
	chart_base_name = "QEMU"
	p = "^guest" FS "null" FS "(rand)?read" FS ".*" FS "1$"
	chart(dir "/bench-iops.svg", "IOPS of reads, guest of 1 vCPU; bars: by QEMU's",
	      "iops", p)
	chart(dir "/bench-latency.svg",
	      "Mean latency of reads in us, guest of 1 vCPU; bars: by QEMU's",
	      "lat_us_mean", p)
	chart(dir "/bench-cpu.svg",
	      "Host CPU time per read in us, guest of 1 vCPU; bars: by QEMU's",
	      "cpu_us_per_req", p)
}

END {
	write_json()
	collect()
	shown_tables = "."
	if (charts != "")
		shown_tables = "^(guest|emulated)" FS "null" FS "randread" FS \
			       "4k" FS "(1|32)" FS
	write_tables(shown_tables)
	if (goals)
		write_bars()
	if (charts != "") {
		write_matrices()
		write_charts(charts)
	}
}
