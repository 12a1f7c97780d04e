/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KTIME_H
#define SHIM_LINUX_KTIME_H

#include <linux/types.h>

#define NSEC_PER_USEC	1000L
#define NSEC_PER_MSEC	1000000L
#define NSEC_PER_SEC	1000000000L

typedef s64 ktime_t;

static inline ktime_t ns_to_ktime(u64 ns)
{
	return ns;
}

/* The clock moves only when a test sets it. */
extern u64 shim_now;

static inline u64 ktime_get_ns(void)
{
	return shim_now;
}

/* The wall clock shows the same time: it began in 1970. */
static inline u64 ktime_get_real_ns(void)
{
	return shim_now;
}

#endif
