// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_account - how many pages may be pinned, and for how many the owner pays
 *
 * The table is accounted to the owner's RLIMIT_MEMLOCK when it is set. Rings stay
 * pinned when their pages have left the table, so they are accounted in addition,
 * if the limit has room for them. If not, as where the limit is the guest's size,
 * they take the place of as many data pages: together these are never more than
 * the table has.
 *
 * Context: Process context. The caller serialises all but bell_gmem_hold().
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "gmem.h"
#include "gmem_priv.h"

#define ACCOUNT_WAIT	(HZ / 50 ?: 1)	/* jiffies, until stale pages go */
#define ACCOUNT_TRIES	500

/**
 * bell_gmem_account() - account more pages to the owner
 * @mm: its address space
 * @n: pages
 *
 * In pinned_vm, as other drivers that pin for long: locked_vm has a lock, which a
 * thread that waits for user space may hold, and a close must not wait for that.
 *
 * Context: Process context, the owner's.
 * Return: 0, -ENOMEM more than RLIMIT_MEMLOCK allows.
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

/* bell_gmem_unaccount() - undo it; any context */
void bell_gmem_unaccount(struct mm_struct *mm, unsigned long n)
{
	atomic64_sub(n, &mm->pinned_vm);
}

/*
 * bell_gmem_account_table() - account for what @gm needs more than @old
 *
 * If that fails, the rings may have taken what is left of the limit: the table
 * comes first, and they can do with its pages.
 */
int bell_gmem_account_table(struct bell_gmem *gm, struct bell_gmem *old)
{
	unsigned long more = gm->accounted - (old ? old->accounted : 0), rings;
	int ret;

	ret = bell_gmem_account(gm->mm, more);
	if (ret != -ENOMEM || !old || old->rings >= old->npages)
		return ret;
	rings = min(old->rings_accounted, more);
	if (bell_gmem_account(gm->mm, more - rings))
		return ret;
	/* From now on these are the table's. */
	WRITE_ONCE(old->limit, old->limit - rings);
	old->rings_accounted -= rings;
	return 0;
}

/*
 * bell_gmem_take_rings() - @old's queues will have their rings in @gm: count what
 *	they pin and account for; @old may be NULL
 */
int bell_gmem_take_rings(struct bell_gmem *gm, const struct bell_gmem *old)
{
	gm->limit = gm->npages;
	if (!old)
		return 0;
	gm->limit += old->rings_accounted;
	if (old->rings >= gm->limit)
		return -ENOMEM;
	gm->rings = old->rings;
	gm->rings_accounted = old->rings_accounted;
	atomic_long_set(&gm->held, gm->rings);
	return 0;
}

/* Wait until data pages have made room for @n pages of a ring. */
static int account_make_room(struct bell_gmem *gm, unsigned long n)
{
	unsigned int tries;
	int ret = 0;

	/* Always one page for data, or no request gets anywhere. */
	if (gm->rings + n >= gm->limit)
		return -ENOMEM;
	/* Workers that pin must not take the pages that become free. */
	WRITE_ONCE(gm->limit, gm->limit - n);
	/* Pairs with bell_gmem_hold(): it sees the limit, or we what it holds. */
	smp_mb();
	for (tries = 0; atomic_long_read(&gm->held) > gm->limit; tries++) {
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
 * bell_gmem_charge_ring() - count @n pages of a ring, before they are pinned
 *
 * Return: 0, -ENOMEM, -EINTR a fatal signal.
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

/* bell_gmem_uncharge_ring() - undo it */
void bell_gmem_uncharge_ring(struct bell_gmem *gm, unsigned long n)
{
	unsigned long accounted = 0;

	gm->rings -= n;
	if (gm->rings_accounted > gm->rings)
		accounted = gm->rings_accounted - gm->rings;
	/* In this order, or data pages take the room meanwhile. */
	WRITE_ONCE(gm->limit, gm->limit - accounted);
	bell_gmem_unhold(gm, n);
	gm->rings_accounted -= accounted;
	bell_gmem_unaccount(gm->mm, accounted);
}
