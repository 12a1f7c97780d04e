/* SPDX-License-Identifier: GPL-2.0 */
/*
 * world - the kernel around the module, in user space and under our control
 *
 * Memory is WORLD_PAGES pages of "RAM", mapped twice: once for the guest, who
 * may touch all of it at any time, and once for the module, where
 * AddressSanitizer forbids pages that are not pinned. One address space, from WORLD_UADDR on, is
 * backed by them through a page table that tests change.
 *
 * One thread runs everything. What others do meanwhile is done by hooks, at the
 * places where it matters: barriers, sleeps, the end of pinning.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include <linux/mm.h>

#define WORLD_PAGES	8192UL
#define WORLD_FRAGS	512UL		/* the last of these: no guest's */
#define WORLD_UPAGES	8192UL
#define WORLD_UADDR	0x700000000000UL

struct bell_gmem_leaf;

struct world {
	struct mm_struct mm;

	/* Each clears itself, if it is to run once. */
	void		(*on_barrier)(void);
	void		(*on_wait)(void);
	void		(*on_pin)(void);
	void		(*on_read)(const volatile void *p, size_t size);
	void		(*on_write)(const volatile void *p, size_t size);

	unsigned int	fail_alloc;	/* the Nth from now fails */
	unsigned int	pin_max;	/* at a time; 0: no limit */
	unsigned int	pin_calls;
	int		pin_error;	/* what pinning says, if not 0 */

	long		allocated;	/* pieces of memory now */
	long		pins;		/* of all pages */
	long		frags;		/* pieces of RAM that are held */
	long		ctx_refs;	/* of all eventfds */
	unsigned int	atomic;		/* if not 0, nobody may sleep */
	unsigned int	rcu;
	unsigned int	spin_locks;	/* taken so far */

	unsigned int	notices;
	char		notice[128];	/* the last one */
};

extern struct world world;

/* Nothing mapped, nothing counted; ends the run if something was left over. */
void world_reset(void);
/* What is left over, in words, or NULL. */
const char *world_leak(void);

/* Page table: page @n of the address space. */
void world_map(unsigned long n, unsigned long count, unsigned long pfn);
void world_unmap(unsigned long n, unsigned long count);
/* The pages of a folio of 1 << order, which begins at a multiple of that. */
void world_set_folio(unsigned long pfn, unsigned int order);

/* As the kernel does it: tell the module, then change the page table. */
void world_move(unsigned long n, unsigned long count, unsigned long pfn);
void world_punch(unsigned long n, unsigned long count);
void world_invalidate(unsigned long start, unsigned long end);
/* The process dies. */
void world_exit_mm(void);

/* As the guest sees it. */
void *world_ram(unsigned long pfn);
/* The page of an address that the module uses, or -1. */
long world_pfn_of(const volatile void *p);
int world_page_pins(unsigned long pfn);
struct page *world_page(unsigned long pfn);

bool world_run_work(void);
/* Runs what waits for one; in softirq, as the kernel does. */
void world_end_grace_period(void);

/* An eventfd that the caller need not close. */
int world_eventfd(void);
unsigned long world_signals(int fd);

#endif
