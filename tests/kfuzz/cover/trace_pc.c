// SPDX-License-Identifier: GPL-2.0
/*
 * trace_pc - the function that gcc's -fsanitize-coverage=trace-pc calls in each basic block
 *
 * mkmodule adds this file to the instrumented module, as its last object. A kernel with
 * KCOV exports a function of this name, too; the linker prefers this one. It calls no other
 * function, as it may run while access to user space is open, where objtool allows none.
 *
 * Hits of two CPUs at once may count as one; that does not matter here.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "test_cover.h"

void __sanitizer_cov_trace_pc(void);

/* Context: Any. */
void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned long at = ((unsigned long)__sanitizer_cov_trace_pc - _RET_IP_) >>
			   TEST_COVER_SHIFT;
	struct test_cover_area *area = test_cover_area;
	u8 hits;
	u32 n;

	if (at >= TEST_COVER_SIZE)
		return;
	hits = READ_ONCE(area->hits[at]);
	if (hits) {
		if (hits != U8_MAX)
			WRITE_ONCE(area->hits[at], hits + 1);
		return;
	}
	WRITE_ONCE(area->hits[at], 1);
	WRITE_ONCE(area->ever[at], 1);
	n = arch_atomic_fetch_add(1, (atomic_t *)&area->nr);
	if (n < TEST_COVER_LIST)
		WRITE_ONCE(area->index[n], at);
}
