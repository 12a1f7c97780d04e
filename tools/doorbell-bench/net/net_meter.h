/* SPDX-License-Identifier: GPL-2.0 */
/* net_meter - time, instructions and CPU time that the whole machine used so far */
#ifndef NET_METER_H
#define NET_METER_H

#include <stdint.h>

/* A number below zero means: not known on this machine. */
struct net_meter {
	uint64_t	ns;
	double		insn;
	double		kernel_insn;
	double		ctxsw;
	double		irqs;
	double		cpu_us;		/* time that the CPUs were not idle */
};

/*
 * @count_file: the file to which the emulator writes its count of instructions,
 * or NULL.
 */
void net_meter_read(struct net_meter *m, const char *count_file);

#endif
