/* SPDX-License-Identifier: GPL-2.0 */
/*
 * world - the kernel around the module, in user space and under the tests'
 * control
 *
 * Memory is WORLD_PAGES pages of "RAM", mapped twice: once for the guest, which
 * may touch all of it at any time, and once for the module, where
 * AddressSanitizer forbids pages that are not pinned. There is one address
 * space, from WORLD_UADDR on. A page table, which tests change, maps it to RAM.
 *
 * One thread runs everything. What other threads and CPUs would do is done by
 * hooks, at the places where it matters: barriers, sleeps, the end of pinning.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include <linux/mm.h>

#define WORLD_PAGES	8192UL
#define WORLD_FRAGS	512UL		/* the last pages of RAM, for fragments; not the guest's */
#define WORLD_UPAGES	8192UL
#define WORLD_UADDR	0x700000000000UL

struct bell_gmem_leaf;

struct world {
	struct mm_struct mm;
	/* Of another process, which has the same page table */
	struct mm_struct heir;

	/* Hooks. A hook that shall run once clears itself. */
	void		(*on_barrier)(void);
	void		(*on_wait)(void);
	void		(*on_pin)(void);
	void		(*on_read)(const volatile void *p, size_t size);
	void		(*on_write)(const volatile void *p, size_t size);
	void		(*on_signal)(void);
	void		(*on_order)(enum shim_order what, const volatile void *p);

	unsigned int	fail_alloc;	/* N: the Nth allocation from now fails */
	/* Allocations that may not sleep fail. */
	bool		fail_atomic;
	unsigned int	pin_max;	/* pages that one call may pin; 0: no limit */
	unsigned int	pin_calls;
	int		pin_error;	/* if not 0, the result of pinning */

	long		allocated;	/* allocations that are not freed */
	long		pins;		/* pins of all pages together */
	long		frags;		/* RAM pages held by fragments */
	long		ctx_refs;	/* references to all eventfds together */
	unsigned int	atomic;		/* not 0: sleeping is forbidden */
	unsigned int	rcu;
	unsigned int	spin_locks;	/* how often spinlocks were taken */

	unsigned int	notices;
	char		notice[128];	/* text of the last message */
};

extern struct world world;

/*
 * Unmaps everything and clears all counters; aborts if a test left something
 * over.
 */
void world_reset(void);
/* Describes something that a test did not release; NULL if there is nothing. */
const char *world_leak(void);

/*
 * Page table: map @count user pages, from page @n on, to the RAM pages from
 * @pfn on.
 */
void world_map(unsigned long n, unsigned long count, unsigned long pfn);
void world_unmap(unsigned long n, unsigned long count);
/*
 * Makes the pages from @pfn on one folio of this order; @pfn is a multiple of
 * its size.
 */
void world_set_folio(unsigned long pfn, unsigned int order);

/*
 * Tells the module's notifier, then changes the page table, as the kernel does.
 */
void world_move(unsigned long n, unsigned long count, unsigned long pfn);
void world_punch(unsigned long n, unsigned long count);
void world_invalidate(unsigned long start, unsigned long end);
/* The owner dies. The device is another user of its address space, which stays. */
void world_exit_mm(void);

/* The page as the guest maps it. */
void *world_ram(unsigned long pfn);
/* The RAM page behind an address of the module's mapping, or -1. */
long world_pfn_of(const volatile void *p);
int world_page_pins(unsigned long pfn);
struct page *world_page(unsigned long pfn);

bool world_run_work(void);
/* Runs the RCU callbacks, in softirq as the kernel does. */
void world_end_grace_period(void);

/* A new eventfd; the caller need not close it. */
int world_eventfd(void);
unsigned long world_signals(int fd);

#endif
