# SPDX-License-Identifier: GPL-2.0
# net-row.awk: make one row of net-raw.tsv. For a guest, with cost.awk before it, from
# three files: the output of sample on the idle machine, the same under load, and the
# line of the load, "rate N [p50 N p99 N]". For the emulated driver, from its JSON
# object.
#
# -v id=: first columns of the row; ctxsw=, calls=: context switches, and system calls
# of the daemon, from another run.

file == 3 && $1 == "rate" { rate = $2; p50 = $4; p99 = $6 }
/^{/ { emulated($0) }

function cost(text, name)
{
	return member(text, name) == "null" ? "null" : member(text, name) / n
}

# The interrupt of a guest corresponds to a signal of the card. If the emulator counts
# the kernel's instructions separately, the driver's own are left out.
function emulated(text,    insn)
{
	insn = "kernel_insn"
	if (member(text, insn) == "null")
		insn = "insn"
	n = member(text, "packets")
	row(member(text, "rate"), ns(text, "p50"), ns(text, "p99"),
	    cost(text, insn), cost(text, "ctxsw"), "null",
	    cost(text, "interrupts"), "null", cost(text, "cpu_us"),
	    member(text, "lost") / member(text, "sent"))
}

function ns(text, name)
{
	return member(text, name) == "null" ? "null" : member(text, name) / 1e3
}

function row(rate, p50, p99, insn, switches, exits, irqs, daemon, cpu, lost)
{
	print id, rate, p50, p99, insn, switches, exits, irqs, daemon, cpu, lost
	done = 1
}

END {
	if (done)
		exit
	n = rate * busy["us"] / 1e6
	row(rate, p50 == "" ? "null" : p50, p99 == "" ? "null" : p99,
	    above_idle("insn"), ctxsw, per_request("exits"),
	    above_idle("irqs"), calls, above_idle("busy_us"), "null")
}
