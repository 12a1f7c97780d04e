/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

#define atomic_read(v)	__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic_set(v, i) \
	__atomic_store_n(&(v)->counter, i, __ATOMIC_RELAXED)
#define atomic_inc(v) \
	((void)__atomic_fetch_add(&(v)->counter, 1, __ATOMIC_RELAXED))
#define atomic_dec(v) \
	((void)__atomic_fetch_sub(&(v)->counter, 1, __ATOMIC_RELAXED))
#define atomic_add(i, v) \
	((void)__atomic_fetch_add(&(v)->counter, i, __ATOMIC_RELAXED))
#define atomic_sub(i, v) \
	((void)__atomic_fetch_sub(&(v)->counter, i, __ATOMIC_RELAXED))
#define atomic_dec_and_test(v) \
	(!__atomic_sub_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))

#define atomic_long_read(v)	atomic_read(v)
#define atomic_long_inc(v)	atomic_inc(v)
#define atomic_long_dec(v) \
	((void)__atomic_fetch_sub(&(v)->counter, 1, __ATOMIC_RELAXED))
#define atomic_long_add(i, v) \
	((void)__atomic_fetch_add(&(v)->counter, (long)(i), __ATOMIC_RELAXED))
#define atomic_long_sub(i, v) \
	((void)__atomic_fetch_sub(&(v)->counter, (long)(i), __ATOMIC_RELAXED))
#define atomic_long_add_return(i, v) \
	__atomic_add_fetch(&(v)->counter, (long)(i), __ATOMIC_SEQ_CST)
#define atomic_long_set(v, i)	atomic_set(v, i)

typedef atomic_long_t atomic64_t;

#define atomic64_read(v)		atomic_long_read(v)
#define atomic64_set(v, i)		atomic_long_set(v, i)
#define atomic64_inc(v)			atomic_long_inc(v)
#define atomic64_sub(i, v)		atomic_long_sub(i, v)
#define atomic64_add_return(i, v)	atomic_long_add_return(i, v)

#endif
