# SPDX-License-Identifier: GPL-2.0
# net-bars.awk: the goals of the project for network cards; a part of net-report.awk.
#
# Mode auto on a tap and the card's own network device are compared with vhost-net on
# the same bridge. Instructions are measured with the emulated driver, rates with a
# guest of one vCPU.

function insn_of(load, b)
{
	return ratio(at(group("emulate", load), b, "insn"),
		     at(group("emulate", load), "vhost-net", "insn"))
}

function rate_of(load, b)
{
	return ratio(at(group("guest", load), b, "rate"),
		     at(group("guest", load), "vhost-net", "rate"))
}

function bar_pair(what, load, how, tap, dev)
{
	verdict(what ", tap",
		how == "insn" ? insn_of(load, tap_is) : rate_of(load, tap_is),
		how == "insn" ? "<=" : ">=", tap)
	verdict(what ", own device",
		how == "insn" ? insn_of(load, dev_is) : rate_of(load, dev_is),
		how == "insn" ? "<=" : ">=", dev)
}

# The lowest rate over some loads, relative to this peer's; null if none was
# measured
function least_rate(loads, b, p,    i, n, l, least)
{
	least = "null"
	n = split(loads, l, " ")
	for (i = 1; i <= n; i++)
		least = lesser(least, ratio(at(group("guest", l[i]), b, "rate"),
					    at(group("guest", l[i]), p, "rate")))
	return least
}

# The kernel's own work costs a few hundredths of a context switch, so the limit
# is not zero
function bar_switches(client, what,    b, i, load)
{
	split("tcp_rr udp_rr", load, " ")
	for (b in ours)
		for (i = 1; i <= 2; i++)
			verdict(load[i] ", " what ": context switches, " ours[b],
				at(group(client, load[i]), b, "ctxsw"), "<=",
				0.05)
}

function bar_lost(b,    lost)
{
	lost = at(group("emulate", "rx64_flood"), b, "lost")
	verdict("flood by one sender: part that is lost, " ours[b], lost, "<=", 0)
}

function write_bars(    all, b)
{
	tap_is = "vhost-doorbell-auto"
	dev_is = "vhost-doorbell-dev"
	ours[tap_is] = "tap"
	ours[dev_is] = "own device"
	all = "tcp_rr udp_rr tx64 rx64 stream_tx stream_rx stream_tx4 stream_rx4"

	print "\nAgainst vhost-net on the same bridge:"
	bar_switches("guest", "guest")
	bar_switches("guest-poll", "never halts")
	bar_pair("udp_rr: instructions", "udp_rr", "insn", 0.65, 0.55)
	bar_pair("udp_rr: transactions/s", "udp_rr", "rate", 1.5, 1.5)
	bar_pair("tcp_rr: transactions/s", "tcp_rr", "rate", 1.5, 1.5)
	bar_pair("tx64: instructions", "tx64", "insn", 0.85, 0.75)
	bar_pair("tx64: packets/s", "tx64", "rate", 1.2, 1.2)
	bar_pair("rx64: instructions", "rx64", "insn", 0.70, 0.55)
	bar_pair("rx64: packets/s", "rx64", "rate", 1.3, 1.3)
	bar_pair("tx64_single: instructions", "tx64_single", "insn", 0.60, 0.60)
	bar_pair("rx64_single: instructions", "rx64_single", "insn", 0.60, 0.60)
	bar_pair("vm2vm64: instructions", "vm2vm64", "insn", 0.65, 0.50)
	bar_pair("vm2vm64_single: instructions", "vm2vm64_single", "insn", 0.35,
		 0.25)
	bar_pair("stream_tx: MiB/s", "stream_tx", "rate", 1, 1)
	bar_pair("stream_rx: MiB/s", "stream_rx", "rate", 1, 1)
	bar_pair("stream_tx4: MiB/s", "stream_tx4", "rate", 1, 1)
	bar_pair("stream_rx4: MiB/s", "stream_rx4", "rate", 1, 1)
	bar_pair("vm2vm_stream: MiB/s", "vm2vm_stream", "rate", 1.2, 1.5)
	bar_lost(tap_is)
	bar_lost(dev_is)
	print "\nAgainst others, rates of guests, the worst load:"
	for (b in ours) {
		verdict("QEMU's tap, " ours[b],
			least_rate(all " vm2vm_stream", b, "qemu-tap"), ">=", 1)
		verdict("passt, " ours[b], least_rate(all, b, "passt"), ">=", 1)
	}
}
