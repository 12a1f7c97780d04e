/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_TIMEX_H
#define SHIM_LINUX_TIMEX_H

#include <linux/types.h>

/* The cycle counter moves only when a test sets it. */
extern u64 shim_cycles;

extern unsigned int tsc_khz;

static inline u64 get_cycles(void)
{
	return shim_cycles;
}

/* Of compat.h */
static inline u32 bell_cycles_khz(void)
{
	return tsc_khz;
}

#endif
