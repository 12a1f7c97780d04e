/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_meter - what the whole machine has spent so far
 */
#ifndef NET_METER_H
#define NET_METER_H

#include <stdint.h>

/* Below zero: not known here. */
struct net_meter {
	uint64_t	ns;
	double		insn;
	double		kernel_insn;
	double		ctxsw;
	double		irqs;
	double		cpu_us;		/* that processors were not idle */
};

/* @count_file: where an emulator writes how many instructions ran, or NULL. */
void net_meter_read(struct net_meter *m, const char *count_file);

#endif
