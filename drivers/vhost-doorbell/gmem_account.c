// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_account - how many pages may be pinned, and how many are charged to the owner
 *
 * All pages of the table are accounted to the owner's RLIMIT_MEMLOCK when it is set.
 * Rings stay pinned when their pages have left the table, so they are accounted in
 * addition, if the limit has room for them. If it has not, as where the limit is the
 * guest's size, they are pinned in place of as many data pages: data pages and these
 * rings together are never more than the pages of the table.
 *
 * Context: Process context. The caller serialises all functions but bell_gmem_hold().
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "gmem.h"
#include "gmem_priv.h"

/* Jiffies between two checks whether stale pages were released */
#define ACCOUNT_WAIT	(HZ / 50 ?: 1)
#define ACCOUNT_TRIES	500

/**
 * bell_gmem_account() - account more pages to the owner
 * @mm: the owner's address space
 * @n: number of pages
 *
 * Uses mm->pinned_vm, as other drivers that pin for long do. mm->locked_vm needs a
 * lock that a thread may hold while it waits for user space, and a close must not wait
 * for that.
 *
 * Context: Process context, the owner's.
 * Return: 0, or -ENOMEM if that is more than RLIMIT_MEMLOCK allows.
 */
int bell_gmem_account(struct mm_struct *mm, unsigned long n)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (!n || atomic64_add_return(n, &mm->pinned_vm) <= limit ||
	    capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(n, &mm->pinned_vm);
	return -ENOMEM;
}

/* bell_gmem_unaccount() - undo bell_gmem_account(), in any context */
void bell_gmem_unaccount(struct mm_struct *mm, unsigned long n)
{
	atomic64_sub(n, &mm->pinned_vm);
}

/*
 * bell_gmem_account_table() - account for the pages that @gm has more than @old, or for
 *	all pages if @old is accounted to another address space
 *
 * The table comes first: if the limit has no room, pages that rings were accounted for
 * become the table's, and these rings are pinned in place of data pages.
 *
 * Return: 0 or -ENOMEM.
 */
int bell_gmem_account_table(struct bell_gmem *gm, struct bell_gmem *old)
{
	unsigned long more, rings;
	int ret;

	old = bell_gmem_same_mm(gm->mm, old);
	more = gm->accounted - (old ? old->accounted : 0);
	ret = bell_gmem_account(gm->mm, more);
	if (ret != -ENOMEM || !old || old->rings >= old->npages)
		return ret;
	rings = min(old->rings_accounted, more);
	if (bell_gmem_account(gm->mm, more - rings))
		return ret;
	/* From here on these pages are accounted for the table. */
	WRITE_ONCE(old->limit, old->limit - rings);
	old->rings_accounted -= rings;
	return 0;
}

/*
 * bell_gmem_take_rings() - take over the rings that queues have pinned and accounted for
 *	in @old, which @gm will replace; @old may be NULL
 *
 * In another address space they are accounted again, all or none.
 *
 * Return: 0, or -ENOMEM if @gm leaves no page for data.
 */
int bell_gmem_take_rings(struct bell_gmem *gm, struct bell_gmem *old)
{
	gm->limit = gm->npages;
	if (!old)
		return 0;
	if (bell_gmem_same_mm(gm->mm, old))
		gm->rings_accounted = old->rings_accounted;
	else if (!bell_gmem_account(gm->mm, old->rings))
		gm->rings_accounted = old->rings;
	gm->limit += gm->rings_accounted;
	if (old->rings >= gm->limit)
		return -ENOMEM;
	gm->rings = old->rings;
	atomic_long_set(&gm->held, gm->rings);
	return 0;
}

/*
 * Evict data pages, and wait until @n pages of a ring can be held in their place.
 * Returns 0, -ENOMEM or -EINTR.
 */
static int account_make_room(struct bell_gmem *gm, unsigned long n)
{
	unsigned int tries;
	int ret = 0;

	/* Leave at least one page for data, or no request could be served. */
	if (gm->rings + n >= gm->limit)
		return -ENOMEM;
	/*
	 * Lower the limit first, so that workers do not pin the pages that become free.
	 */
	WRITE_ONCE(gm->limit, gm->limit - n);
	/*
	 * Pairs with bell_gmem_hold(): it sees the new limit, or the loop sees its
	 * pages.
	 */
	smp_mb();
	for (tries = 0; atomic_long_read(&gm->held) > gm->limit; tries++) {
		WRITE_ONCE(gm->starved, true);
		bell_gmem_evict_all(gm);
		if (tries == ACCOUNT_TRIES)
			ret = -ENOMEM;
		else if (schedule_timeout_killable(ACCOUNT_WAIT),
			 fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			break;
	}
	if (!ret) {
		atomic_long_add(n, &gm->held);
		gm->rings += n;
	}
	WRITE_ONCE(gm->limit, gm->limit + n);
	return ret;
}

/*
 * bell_gmem_charge_ring() - account for @n pages of a ring, before they are pinned
 *
 * Return: 0, -ENOMEM, or -EINTR after a fatal signal.
 */
int bell_gmem_charge_ring(struct bell_gmem *gm, unsigned long n)
{
	unsigned long more = 0;

	if (gm->rings + n > gm->rings_accounted)
		more = gm->rings + n - gm->rings_accounted;
	if (!bell_gmem_account(gm->mm, more)) {
		gm->rings_accounted += more;
		WRITE_ONCE(gm->limit, gm->limit + more);
	}
	return account_make_room(gm, n);
}

/* bell_gmem_uncharge_ring() - undo bell_gmem_charge_ring() */
void bell_gmem_uncharge_ring(struct bell_gmem *gm, unsigned long n)
{
	unsigned long accounted = 0;

	gm->rings -= n;
	if (gm->rings_accounted > gm->rings)
		accounted = gm->rings_accounted - gm->rings;
	/*
	 * Lower the limit before the pages are given up, or data pages take their
	 * place.
	 */
	WRITE_ONCE(gm->limit, gm->limit - accounted);
	bell_gmem_unhold(gm, n);
	gm->rings_accounted -= accounted;
	bell_gmem_unaccount(gm->mm, accounted);
}
