/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MMU_NOTIFIER_H
#define SHIM_LINUX_MMU_NOTIFIER_H

#include <linux/list.h>
#include <linux/mm.h>

struct mmu_interval_notifier;

struct mmu_notifier_range {
	unsigned long	start;
	unsigned long	end;
};

struct mmu_interval_notifier_ops {
	bool (*invalidate)(struct mmu_interval_notifier *notifier,
			   const struct mmu_notifier_range *range,
			   unsigned long seq);
};

struct mmu_interval_notifier {
	const struct mmu_interval_notifier_ops *ops;
	unsigned long	 start, last;
	unsigned long	 seq;
	struct mm_struct *mm;
	struct list_head node;
};

int mmu_interval_notifier_insert(struct mmu_interval_notifier *n,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long length,
				 const struct mmu_interval_notifier_ops *ops);
void mmu_interval_notifier_remove(struct mmu_interval_notifier *n);

/* No invalidation that the tests make may sleep. */
static inline bool
mmu_notifier_range_blockable(const struct mmu_notifier_range *range)
{
	(void)range;
	return false;
}

static inline void mmu_interval_set_seq(struct mmu_interval_notifier *n,
					unsigned long seq)
{
	n->seq = seq;
}

static inline unsigned long
mmu_interval_read_begin(struct mmu_interval_notifier *n)
{
	might_sleep();
	return n->seq;
}

static inline bool mmu_interval_read_retry(struct mmu_interval_notifier *n,
					   unsigned long seq)
{
	return n->seq != seq;
}

#endif
