/* SPDX-License-Identifier: GPL-2.0 */
/* gmem_find - look pages up in the table of gmem_table.h, for the gmem tests */
#ifndef TESTS_UNIT_GMEM_FIND_H
#define TESTS_UNIT_GMEM_FIND_H

#include <linux/rcupdate.h>

#include "gmem_table.h"

#define LEAF		512UL		/* pages */
#define PINNED_NOW	false
#define MAY_PIN		true

static inline int span(u64 gpa, u64 len, bool may_pin, struct bell_gmem_span *s)
{
	*s = (struct bell_gmem_span){};
	return bell_gmem_span(gm, gpa, len, may_pin, s);
}

/* The RAM page that a look-up finds, or a negative errno. */
static inline long find(u64 gpa, bool may_pin)
{
	struct bell_gmem_span s;
	int ret = span(gpa, 1, may_pin, &s);

	return ret ? ret : (long)page_to_pfn(s.page);
}

static inline long find_page(unsigned long n, bool may_pin)
{
	return find(GPA + n * PAGE_SIZE, may_pin);
}

static inline u64 pinned(void)
{
	struct bell_gmem_stats st;

	bell_gmem_get_stats(gm, &st);
	CHECK_EQ(st.pinned, world.pins);
	return st.pinned;
}

static inline void leave(struct bell_gmem_user *u, unsigned int epoch)
{
	rcu_read_lock();
	bell_gmem_user_leave(u, epoch, 1);
	rcu_read_unlock();
}

static inline void pin_all(unsigned long count)
{
	for (unsigned long n = 0; n < count; n++)
		CHECK(find_page(n, MAY_PIN) >= 0);
}

#endif
