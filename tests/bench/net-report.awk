# SPDX-License-Identifier: GPL-2.0
# net-report.awk: see net-report; with medians.awk, net-bars.awk and chart.awk.

BEGIN {
	columns_are("kernel backend client load vcpus round rate lat_us_p50 " \
		"lat_us_p99 insn ctxsw exits irqs daemon_syscalls cpu_us lost")
	split("kernel backend client load", words, " ")
	for (c in words)
		text[words[c]] = 1
}

# 'lost' is used only by the goals, so it is left out.
function write_json(    k, c, part, v)
{
	printf "[\n" >results
	for (k = 1; k <= nkeys; k++) {
		split(keys[k], part, FS)
		printf "  {" >results
		for (c = 1; c < ROUND; c++) {
			v = part[c]
			if (names[c] in text)
				v = "\"" v "\""
			printf "\"%s\": %s, ", names[c], v >results
		}
		for (c = ROUND + 1; names[c] != "lost"; c++)
			printf "\"%s\": %s, ", names[c],
				number(median(keys[k], names[c]), "%.3f") >results
		printf "\"spread\": %s}%s\n",
			number(spread(keys[k], "rate"), "%.3f"),
			k < nkeys ? "," : "" >results
	}
	printf "]\n" >results
}

# A group is one client, load and number of CPUs.
function group(client, load, cpus)
{
	return client FS load FS (cpus ? cpus : 1)
}

function collect(    k, part, g, b)
{
	for (k = 1; k <= nkeys; k++) {
		split(keys[k], part, FS)
		b = part[column["backend"]]
		g = group(part[column["client"]], part[column["load"]],
			  part[column["vcpus"]])
		if (!(g in ngroup))
			groups[++ngroups] = g
		if (!((g, b) in of))
			member[g, ++ngroup[g]] = b
		of[g, b] = keys[k]
	}
}

# The unit of a load's rate
function unit(load)
{
	return load ~ /_rr$/ ? "transaction" : load ~ /stream/ ? "MiB" : "packet"
}

function title(g,    part, who)
{
	split(g, part, FS)
	if (part[1] == "emulate")
		return part[2] ": emulated driver, per " \
			(part[2] ~ /stream/ ? "frame of 64 KiB" : unit(part[2]))
	who = sprintf("guest with %d vCPU%s", part[3], part[3] > 1 ? "s" : "")
	if (part[1] == "guest-poll")
		who = who ", which never halts"
	return part[2] ": " who ", per " unit(part[2])
}

function write_row(g, b)
{
	printf "%-22s %9s %6s %7s %7s %7s %8s %7s %6s %6s %6s %7s\n", b,
		number(at(g, b, "rate"), "%.0f"),
		number(spread(of[g, b], "rate"), "%.2f"),
		number(ratio(at(g, b, "rate"), at(g, "vhost-net", "rate")),
		       "%.2f"),
		number(at(g, b, "lat_us_p50"), "%.0f"),
		number(at(g, b, "lat_us_p99"), "%.0f"),
		number(at(g, b, "insn"), "%.0f"),
		number(ratio(at(g, b, "insn"), at(g, "vhost-net", "insn")),
		       "%.2f"),
		number(at(g, b, "ctxsw"), "%.2f"),
		number(at(g, b, "exits"), "%.2f"),
		number(at(g, b, "irqs"), "%.2f"),
		number(at(g, b, "cpu_us"), "%.1f")
}

function write_tables(    i, j, g)
{
	for (i = 1; i <= ngroups; i++) {
		g = groups[i]
		printf "\n%s\n", title(g)
		printf "%-22s %9s %6s %7s %7s %7s %8s %7s %6s %6s %6s %7s\n",
			"", "rate/s", "spread", "x vhost", "us p50", "us p99",
			"insn", "x vhost", "ctxsw", "exits", "irqs", "us CPU"
		for (j = 1; j <= ngroup[g]; j++)
			write_row(g, member[g, j])
	}
	print "\nMedians of the rounds; x vhost: of vhost-net. ctxsw: of a guest" \
		" those that are neither\nthe load's own processes nor the vCPUs" \
		" nor the idle task; of the emulated driver, all of\nthem." \
		" irqs: of the emulated driver the signals of the card. Calls of" \
		" the daemon are in\nthe JSON file."
}

function chart_label(g, line,    part)
{
	split(g, part, FS)
	return line == 1 ? part[2] : "per " unit(part[2])
}

function write_charts(dir)
{
	nshown = split("vhost-net qemu-tap passt dpdk-vhost " \
		"vhost-doorbell-worker vhost-doorbell-poll " \
		"vhost-doorbell-inline vhost-doorbell-auto vhost-doorbell-dev",
		shown, " ")
	split("#9aa5b1 #b8c0c9 #ccd2d9 #7d8fa3 #f3c98b #efb25c #e8962e #d9480f #a61e4d",
	      colour, " ")
	chart_base = "vhost-net"
	chart_base_name = "vhost"
	chart(dir "/bench-net-insn.svg",
	      "Instructions, emulated driver; bars: by vhost-net's", "insn",
	      "^emulate" FS "(tx|rx|udp|vm2vm)[^_]*(_single|_rr)?" FS)
	chart(dir "/bench-net-rate.svg",
	      "Packets, transactions or MiB per second, guest of 1 vCPU; bars: by vhost-net's",
	      "rate", "^guest" FS ".*" FS "1$")
	chart(dir "/bench-net-cpu.svg",
	      "Host CPU time in us, guest of 1 vCPU; bars: by vhost-net's",
	      "cpu_us", "^guest" FS ".*" FS "1$")
}

END {
	write_json()
	collect()
	write_tables()
	write_bars()
	if (charts != "")
		write_charts(charts)
}
