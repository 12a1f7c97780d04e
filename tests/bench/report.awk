# SPDX-License-Identifier: GPL-2.0
# report.awk: see report. A row of the input has the columns of 'names'.

BEGIN {
	columns = split("kernel backend disk client load bs depth vcpus round " \
		"iops lat_us_mean lat_us_p50 lat_us_p99 ctxsw_per_req " \
		"daemon_syscalls_per_req exits_per_req cpu_us_per_req " \
		"insn_per_req vmm_syscalls_per_req", names, " ")
	ROUND = 9
	IOPS = 10
	CTXSW = 14
	INSN = 18
	text["kernel"] = text["backend"] = text["disk"] = 1
	text["client"] = text["load"] = 1
	peers = split("qemu-iouring qsd-iouring vhost-scsi", peer, " ")
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

# Sorts the known values of a column into 'sorted'; their number
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

function median(key, c,    n)
{
	n = sort(key, c)
	if (!n)
		return "null"
	if (n % 2)
		return sorted[(n + 1) / 2]
	return (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# How far apart the rounds are, as a part of their median
function spread(key, c,    n, m)
{
	m = median(key, c)
	n = sort(key, c)
	return n && m ? (sorted[n] - sorted[1]) / m : "null"
}

function number(v, format)
{
	return v == "null" ? v : sprintf(format, v)
}

function quoted(name, v)
{
	return name in text ? "\"" v "\"" : v
}

function write_json(    k, c, part)
{
	printf "[\n" >results
	for (k = 1; k <= nkeys; k++) {
		split(keys[k], part, FS)
		printf "  {" >results
		for (c = 1; c < ROUND; c++)
			printf "\"%s\": %s, ", names[c],
				quoted(names[c], part[c]) >results
		for (c = ROUND + 1; c <= columns; c++)
			printf "\"%s\": %s, ", names[c],
				number(median(keys[k], c), "%.3f") >results
		printf "\"rounds\": %d, \"spread\": %s, \"insn_spread\": %s}%s\n",
			rounds[keys[k]], number(spread(keys[k], IOPS), "%.3f"),
			number(spread(keys[k], INSN), "%.3f"),
			k < nkeys ? "," : "" >results
	}
	printf "]\n" >results
}

function ratio(a, b)
{
	return a == "null" || b == "null" || b == "" || !(b + 0) ? "null" : a / b
}

function collect(    k, part, b, d)
{
	for (k = 1; k <= nkeys; k++) {
		split(keys[k], part, FS)
		b = part[2]
		d = part[7]
		of[b, d] = keys[k]
		iops[b, d] = median(keys[k], IOPS)
		insn[b, d] = median(keys[k], INSN)
		if (!(b in backend_seen)) {
			backend_seen[b] = 1
			backend[++nbackends] = b
		}
		if (!(d in depth_seen)) {
			depth_seen[d] = 1
			depth[++ndepths] = d
		}
		vcpus = part[8]
	}
	for (d in depth_seen)
		for (b = 1; b <= peers; b++)
			if ((peer[b], d) in iops && iops[peer[b], d] > best[d])
				best[d] = iops[peer[b], d]
}

function write_row(b, d,    key)
{
	key = of[b, d]
	printf "%-22s %8s %6s %6s %7s %7s %6s %6s %6s %7s %8s %6s %6s\n", b,
		number(iops[b, d], "%.0f"),
		number(spread(key, IOPS), "%.2f"),
		number(ratio(iops[b, d], best[d]), "%.2f"),
		number(median(key, 11), "%.0f"),
		number(median(key, 13), "%.0f"),
		number(median(key, CTXSW), "%.1f"),
		number(median(key, 15), "%.1f"),
		number(median(key, 16), "%.1f"),
		number(median(key, 17), "%.0f"),
		number(insn[b, d], "%.0f"),
		number(spread(key, INSN), "%.2f"),
		number(ratio(insn[b, d], insn["qemu-iouring", d]), "%.2f")
}

function write_table(    i, j)
{
	for (i = 1; i <= ndepths; i++) {
		printf "\n4k random read, depth %d, guest with %d vCPU (medians)\n",
			depth[i], vcpus
		printf "%-22s %8s %6s %6s %7s %7s %6s %6s %6s %7s %8s %6s %6s\n",
			"", "IOPS", "spread", "x best", "us mean", "us p99",
			"ctxsw", "calls", "exits", "us CPU", "insn",
			"spread", "x QEMU"
		for (j = 1; j <= nbackends; j++)
			if ((backend[j], depth[i]) in of)
				write_row(backend[j], depth[i])
	}
	print "\nx best: IOPS, against the best of QEMU, qsd and vhost-scsi;" \
		" ctxsw, calls\n(system calls of the daemon), exits, us CPU," \
		" insn (guest and host): per request"
}

function met(yes)
{
	return yes == "null" ? "not measured" : yes ? "met" : "missed"
}

function bar(d, limit,    i, f)
{
	if (!(("vhost-doorbell-auto", d) in of)) {
		printf "bar, depth %d: vhost-doorbell-auto not measured\n", d
		return
	}
	i = ratio(insn["vhost-doorbell-auto", d], insn["qemu-iouring", d])
	f = ratio(iops["vhost-doorbell-auto", d], best[d])
	printf "bar, depth %d, auto: %s of QEMU's instructions (<= %.2f): %s;" \
		" %s times the best IOPS (>= 2): %s\n", d,
		number(i, "%.2f"), limit, met(i == "null" ? i : i <= limit),
		number(f, "%.2f"), met(f == "null" ? f : f >= 2)
}

END {
	write_json()
	collect()
	write_table()
	print ""
	bar(1, 0.40)
	bar(32, 0.55)
}
