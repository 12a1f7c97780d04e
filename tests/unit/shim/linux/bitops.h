/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BITOPS_H
#define SHIM_LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_BYTE	8

/* Bit @nr of byte @nr / 8, whatever the byte order is. */
static inline bool test_bit_le(unsigned long nr, const void *of)
{
	return ((const unsigned char *)of)[nr / 8] >> nr % 8 & 1;
}

static inline void set_bit_le(unsigned long nr, void *of)
{
	__atomic_fetch_or((unsigned char *)of + nr / 8, 1 << nr % 8,
			  __ATOMIC_RELAXED);
}

static inline int fls64(u64 n)
{
	return n ? 64 - __builtin_clzll(n) : 0;
}

static inline bool test_and_set_bit_lock(unsigned int bit, unsigned long *of)
{
	return __atomic_fetch_or(of, 1UL << bit, __ATOMIC_ACQUIRE) >> bit & 1;
}

static inline bool test_and_set_bit(unsigned int bit, unsigned long *of)
{
	return __atomic_fetch_or(of, 1UL << bit, __ATOMIC_SEQ_CST) >> bit & 1;
}

static inline bool test_and_clear_bit(unsigned int bit, unsigned long *of)
{
	return __atomic_fetch_and(of, ~(1UL << bit), __ATOMIC_SEQ_CST) >> bit & 1;
}

static inline void set_bit(unsigned int bit, unsigned long *of)
{
	__atomic_fetch_or(of, 1UL << bit, __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned int bit, unsigned long *of)
{
	__atomic_fetch_and(of, ~(1UL << bit), __ATOMIC_RELAXED);
}

static inline void clear_bit_unlock(unsigned int bit, unsigned long *of)
{
	__atomic_fetch_and(of, ~(1UL << bit), __ATOMIC_RELEASE);
}

#endif
