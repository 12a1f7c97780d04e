/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BITOPS_H
#define SHIM_LINUX_BITOPS_H

#include <linux/types.h>

static inline bool test_and_set_bit_lock(unsigned int bit, unsigned long *of)
{
	return __atomic_fetch_or(of, 1UL << bit, __ATOMIC_ACQUIRE) >> bit & 1;
}

static inline void clear_bit_unlock(unsigned int bit, unsigned long *of)
{
	__atomic_fetch_and(of, ~(1UL << bit), __ATOMIC_RELEASE);
}

#endif
