/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order - record the module's marked accesses and barriers, and compare them with what
 * the other side relies on
 *
 * On x86 and with one thread a missing barrier changes no result, so a test compares the
 * record itself.
 */
#ifndef TESTS_UNIT_ORDER_H
#define TESTS_UNIT_ORDER_H

#include "ring.h"
#include "tap.h"

#define ORDER_MAX	4096

struct order_step {
	enum shim_order	what;
	u64		at;	/* guest address, else a pointer; none: 0 */
};

static struct order_step order_record[ORDER_MAX];
static size_t order_n;

static void order_see(enum shim_order what, const volatile void *ptr)
{
	long pfn = ptr ? world_pfn_of(ptr) : -1;

	if (order_n == ORDER_MAX)
		shim_die("too many accesses to record");
	order_record[order_n++] = (struct order_step){
		.what = what,
		.at = pfn < 0 ? (uintptr_t)ptr :
		      pfn * PAGE_SIZE + offset_in_page(ptr),
	};
}

static inline void order_start(void)
{
	order_n = 0;
	world.on_order = order_see;
}

/* Did these steps happen in this order, with any others in between? */
static inline bool order_had(const struct order_step *want, size_t n)
{
	size_t found = 0;

	world.on_order = NULL;
	for (size_t i = 0; i < order_n && found < n; i++)
		found += order_record[i].what == want[found].what &&
			 order_record[i].at == want[found].at;
	if (found < n)
		printf("# step %zu of %zu is missing\n", found + 1, n);
	return found == n;
}

#define ORDER(...)							\
	order_had((const struct order_step[]){ __VA_ARGS__ },		\
		  sizeof((const struct order_step[]){ __VA_ARGS__ }) /	\
		  sizeof(struct order_step))

/* Pointers of the test to memory that is not the guest's */
#define ORDER_AT(p)	((u64)(uintptr_t)(p))

#endif
