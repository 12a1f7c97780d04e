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
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "gmem.h"
#include "gmem_priv.h"

#define ACCOUNT_WAIT	(HZ / 50 ?: 1)	/* jiffies, until stale pages go */
#define ACCOUNT_TRIES	500

/**
 * bell_gmem_account() - account more or fewer pages to the owner
 * @mm: its address space
 * @n: pages
 * @inc: more
 *
 * A worker that pins may hold the lock of the address space while it waits for
 * user space, perhaps for that of the caller.
 *
 * Context: Process context, the owner's if @inc.
 * Return: 0, -ENOMEM more than RLIMIT_MEMLOCK allows, -EINTR a fatal signal.
 */
int bell_gmem_account(struct mm_struct *mm, unsigned long n, bool inc)
{
	int ret;

	if (!n)
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = __account_locked_vm(mm, n, inc, current, capable(CAP_IPC_LOCK));
	mmap_write_unlock(mm);
	return ret;
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

	ret = bell_gmem_account(gm->mm, more, true);
	if (ret != -ENOMEM || !old || old->rings >= old->npages)
		return ret;
	rings = min(old->rings_accounted, more);
	if (bell_gmem_account(gm->mm, more - rings, true))
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
	/* So that nobody else takes what becomes free. */
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
	int ret;

	if (gm->rings + n > gm->rings_accounted)
		more = gm->rings + n - gm->rings_accounted;
	ret = bell_gmem_account(gm->mm, more, true);
	if (ret && ret != -ENOMEM)
		return ret;
	if (!ret) {
		gm->rings_accounted += more;
		WRITE_ONCE(gm->limit, gm->limit + more);
	}
	return account_make_room(gm, n);
}

/*
 * bell_gmem_uncharge_ring() - undo it; what was accounted stays so, for the next
 *	ring, until the table goes
 */
void bell_gmem_uncharge_ring(struct bell_gmem *gm, unsigned long n)
{
	bell_gmem_unhold(gm, n);
	gm->rings -= n;
}
