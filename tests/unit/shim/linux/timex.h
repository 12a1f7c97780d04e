/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_TIMEX_H
#define SHIM_LINUX_TIMEX_H

#include <linux/types.h>

/* The cycle counter moves only when a test sets it. */
extern u64 shim_cycles;

static inline u64 get_cycles(void)
{
	return shim_cycles;
}

#endif
