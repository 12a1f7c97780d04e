/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_COMPILER_H
#define SHIM_LINUX_COMPILER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __guarded_by(...)
#define ____cacheline_aligned_in_smp __attribute__((aligned(64)))

#define shim_join_(a, b)	a##b
#define shim_join(a, b)		shim_join_(a, b)
#define shim_unique(name)	shim_join(shim_##name##_, __COUNTER__)

/* The module reads memory that a guest may share; a test may hook this. */
void shim_read(const volatile void *p, size_t size);
/* The module has written memory that a guest may read; a test may hook this. */
void shim_write(const volatile void *p, size_t size);
/* What orders accesses of memory; a test may hook all of them. */
enum shim_order {
	SHIM_READ, SHIM_WRITE, SHIM_ACQUIRE, SHIM_RELEASE, SHIM_MB, SHIM_RMB, SHIM_WMB,
	SHIM_NOSPEC,
};
void shim_order(enum shim_order what, const volatile void *p);
/* A full barrier. A test may hook it and do there what another CPU would do. */
void shim_barrier(void);
void shim_die(const char *fmt, ...) __printf(1, 2)
	__attribute__((noreturn));

/* To compare machine code: marked accesses as they are in a kernel */
#ifdef SHIM_NO_HOOKS
#define shim_read(p, size)	((void)(p))
#define shim_write(p, size)	((void)(p))
#endif

#define READ_ONCE(x)							\
	({								\
		const volatile __typeof__(x) *shim_p = &(x);		\
									\
		shim_read(shim_p, sizeof(*shim_p));			\
		*shim_p;						\
	})
#define WRITE_ONCE(x, v)						\
	({								\
		volatile __typeof__(x) *shim_p = &(x);			\
									\
		*shim_p = (v);						\
		shim_write(shim_p, sizeof(*shim_p));			\
	})

#define smp_load_acquire(p)						\
	({								\
		shim_read(p, sizeof(*(p)));				\
		shim_order(SHIM_ACQUIRE, p);				\
		__atomic_load_n(p, __ATOMIC_ACQUIRE);			\
	})
#define smp_store_release(p, v)						\
	({								\
		shim_order(SHIM_RELEASE, p);				\
		__atomic_store_n(p, v, __ATOMIC_RELEASE);		\
		shim_write(p, sizeof(*(p)));				\
	})
#define smp_mb()		shim_barrier()
#define smp_wmb()							\
	({								\
		shim_order(SHIM_WMB, NULL);				\
		__atomic_thread_fence(__ATOMIC_RELEASE);		\
	})
#define smp_rmb()							\
	({								\
		shim_order(SHIM_RMB, NULL);				\
		__atomic_thread_fence(__ATOMIC_ACQUIRE);		\
	})
#define smp_mb__after_atomic()	shim_barrier()
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

#define le16_to_cpu(x)		le16toh(x)
#define le32_to_cpu(x)		le32toh(x)
#define le64_to_cpu(x)		le64toh(x)
#define cpu_to_be16(x)		htobe16(x)
#define cpu_to_le16(x)		htole16(x)
#define cpu_to_le32(x)		htole32(x)
#define cpu_to_le64(x)		htole64(x)

#define container_of(p, type, member)					\
	((type *)((char *)(p) - offsetof(type, member)))

#define barrier()	__asm__ __volatile__("" : : : "memory")
#define fallthrough	__attribute__((fallthrough))
#define noinline	__attribute__((noinline))

#define offsetofend(type, member)					\
	(offsetof(type, member) + sizeof(((type *)0)->member))

#define shim_cmp(a, op, b, x, y)					\
	({								\
		__auto_type x = (a);					\
		__auto_type y = (b);					\
									\
		x op y ? x : y;						\
	})
#define max(a, b)	shim_cmp(a, >, b, shim_unique(x), shim_unique(y))
#define min(a, b)	shim_cmp(a, <, b, shim_unique(x), shim_unique(y))
#define clamp(v, lo, hi) ((v) < (lo) ? (lo) : (v) > (hi) ? (hi) : (v))
#define min3(a, b, c)	min(a, min(b, c))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define round_down(x, n)	((x) & ~((__typeof__(x))(n) - 1))
#define U32_MAX			0xffffffffU
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)
#define struct_size(p, member, n)					\
	(sizeof(*(p)) + sizeof((p)->member[0]) * (size_t)(n))
#define array_index_nospec(i, n)					\
	({								\
		shim_order(SHIM_NOSPEC, NULL);				\
		(i) < (n) ? (i) : 0;					\
	})
#define cond_resched()		might_sleep()

void might_sleep(void);

#define __releases(x)

#endif
