// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_pin - pin guest pages through the owner's address space
 *
 * Pages are never pinned through the address space of the thread that rings: otherwise
 * the guest could get memory of any process that can be made to write to the kick
 * eventfd. The device holds the owner's address space, so pages can be pinned after the
 * owner has died, too.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "gmem.h"
#include "gmem_priv.h"

/*
 * Find the pages to pin along with page @i: those of the same large folio, which are in
 * memory anyway. Returns the first one; there are @n, all within the leaf and the
 * region.
 */
static unsigned long gmem_pin_around(struct bell_gmem_region *r,
				     unsigned long i, struct page *page,
				     unsigned long *n)
{
	struct folio *folio = page_folio(page);
	unsigned long before = page_to_pfn(page) - page_to_pfn(&folio->page);
	unsigned long after = folio_nr_pages(folio) - before;
	unsigned long first = max(i & ~GMEM_LEAF_MASK, r->skew);
	unsigned long end = min((i | GMEM_LEAF_MASK) + 1, r->skew + r->npages);

	if (before < i - first)
		first = i - before;
	if (after < end - i)
		end = i + after;
	*n = end - first;
	return first;
}

/*
 * Put @n pins into the table; @i is the first page. Returns false, with nothing done,
 * if pages went away since @seq was read. Sets the entries of @pages to NULL that were
 * put into the table.
 */
static bool gmem_install(struct bell_gmem_region *r, unsigned long i,
			 struct page **pages, unsigned long n,
			 struct bell_gmem_leaf **fresh, unsigned long seq)
{
	struct bell_gmem_leaf *leaf;
	unsigned long k;

	spin_lock(&r->lock);
	if (mmu_interval_read_retry(&r->notifier, seq)) {
		spin_unlock(&r->lock);
		return false;
	}
	leaf = r->leaf[i >> GMEM_LEAF_SHIFT];
	if (!leaf) {
		leaf = *fresh;
		*fresh = NULL;
	}
	for (k = 0; k < n; k++) {
		struct page **slot = &leaf->page[(i + k) & GMEM_LEAF_MASK];

		if (*slot)
			continue;
		WRITE_ONCE(*slot, pages[k]);
		pages[k] = NULL;
		leaf->n++;
		r->pinned++;
		r->pins++;
	}
	/* Pairs with the dependent loads in gmem_page() and gmem_span(). */
	smp_store_release(&r->leaf[i >> GMEM_LEAF_SHIFT], leaf);
	spin_unlock(&r->lock);
	return true;
}

/*
 * Pin the folio around @page, which is page *@i; the caller has pinned it. On success
 * returns the number of pages pinned: gm->scratch has them, *@i is the index of the
 * first, and the caller's own pin is dropped. Returns 0 if only @page can be pinned;
 * then the caller keeps its pin.
 */
static int gmem_pin_folio(struct bell_gmem *gm, struct bell_gmem_region *r,
			  struct page *page, unsigned long *i)
{
	unsigned long base = r->uaddr - (r->skew << PAGE_SHIFT);
	unsigned long first, n;
	int got;

	first = gmem_pin_around(r, *i, page, &n);
	if (!bell_gmem_hold(gm, n - 1))
		return 0;
	/* FOLL_NOFAULT: do not allocate pages that the guest gave away (balloon). */
	got = pin_user_pages_fast(base + (first << PAGE_SHIFT), n,
				  FOLL_WRITE | FOLL_LONGTERM | FOLL_NOFAULT,
				  gm->scratch);
	if (got > 0 && got > *i - first) {
		unpin_user_page(page);
		bell_gmem_unhold(gm, n - got);
		*i = first;
		return got;
	}
	/* The neighbours in the folio are not mapped at the neighbouring addresses. */
	if (got > 0)
		unpin_user_pages(gm->scratch, got);
	bell_gmem_unhold(gm, n - 1);
	return 0;
}

/*
 * Pin page *@i of the region and its neighbours, in the owner's address space. Returns
 * the number of pages pinned: gm->scratch has them, and *@i is the index of the first;
 * or a negative errno. Pages are counted as held before they are pinned, so that
 * several threads together do not pin more than the owner accounts for.
 */
static int gmem_pin_pages(struct bell_gmem *gm, struct bell_gmem_region *r,
			  unsigned long *i)
{
	unsigned long base = r->uaddr - (r->skew << PAGE_SHIFT);
	struct page *page;
	int got;

	lockdep_assert_held(&gm->pin_lock);
	if (!bell_gmem_hold(gm, 1)) {
		WRITE_ONCE(gm->starved, true);
		bell_gmem_evict_one(gm);
		return -EBUSY;
	}
	got = pin_user_pages_fast(base + (*i << PAGE_SHIFT), 1,
				  FOLL_WRITE | FOLL_LONGTERM, &page);
	if (got <= 0) {
		bell_gmem_unhold(gm, 1);
		return got ?: -EFAULT;
	}
	if (PageCompound(page)) {
		got = gmem_pin_folio(gm, r, page, i);
		if (got)
			return got;
	}
	gm->scratch[0] = page;
	return 1;
}

/*
 * Pin page @i once. Returns 0; 1 if pages went away meanwhile, to try again; or a
 * negative errno.
 */
static int gmem_pin_once(struct bell_gmem *gm, struct bell_gmem_region *r,
			 unsigned long i, struct bell_gmem_leaf **fresh)
{
	unsigned long seq = mmu_interval_read_begin(&r->notifier);
	bool done;
	int n, k;

	lockdep_assert_held(&gm->pin_lock);
	n = gmem_pin_pages(gm, r, &i);
	if (n < 0)
		return n;
	done = gmem_install(r, i, gm->scratch, n, fresh, seq);
	for (k = 0; k < n; k++) {
		if (!gm->scratch[k])
			continue;
		unpin_user_page(gm->scratch[k]);
		bell_gmem_unhold(gm, 1);
	}
	return done ? 0 : 1;
}

static int gmem_pin_in_mm(struct bell_gmem *gm, struct bell_gmem_region *r,
			  unsigned long i)
{
	struct bell_gmem_leaf *fresh;
	int ret;

	fresh = kmem_cache_zalloc(bell_gmem_leaf_cache, GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return -ENOMEM;
	/* The pin may wait for user space; stopping the thread sends SIGKILL to end that. */
	allow_kernel_signal(SIGKILL);
	ret = mutex_lock_killable(&gm->pin_lock);
	if (!ret) {
		do {
			cond_resched();
			ret = gmem_pin_once(gm, r, i, &fresh);
			/*
			 * Pages may be invalidated each time, so a fatal signal must
			 * end the loop.
			 */
		} while (ret > 0 && !fatal_signal_pending(current));
		mutex_unlock(&gm->pin_lock);
	}
	if (fatal_signal_pending(current))
		ret = -EINTR;
	disallow_signal(SIGKILL);
	if (fresh)
		kmem_cache_free(bell_gmem_leaf_cache, fresh);
	return ret;
}

/**
 * bell_gmem_pin() - pin page @i of a region, and the other pages of its folio
 * @gm: the table
 * @r: a region of it
 * @i: the page, counted from the start of the first leaf
 *
 * Context: A kernel thread; sleeps. A fatal signal of the kernel ends it.
 * Return: 0; -EFAULT if there is no such page or it cannot be pinned; -EAGAIN if it
 * cannot be pinned now: a signal came, there is no memory, or more pages would be held
 * than the owner accounts for. In the last case stale pages are going to be released; if
 * there were none, a leaf was evicted.
 */
int bell_gmem_pin(struct bell_gmem *gm, struct bell_gmem_region *r,
		  unsigned long i)
{
	int ret;

	/* Fails only if the device was left: its queues are dead. */
	if (!mmget_not_zero(gm->mm))
		return -EAGAIN;
	kthread_use_mm(gm->mm);
	ret = gmem_pin_in_mm(gm, r, i);
	kthread_unuse_mm(gm->mm);
	mmput(gm->mm);
	switch (ret) {
	case 0:
		return 0;
	case -EAGAIN:
	case -EBUSY:
	case -EINTR:
	case -ENOMEM:
		/* These are temporary, and not the guest's fault: try again. */
		return -EAGAIN;
	default:
		/*
		 * Trying again gives the same answer: there is no such page, it
		 * is poisoned (EHWPOISON), or this kind of memory cannot stay
		 * pinned (EOPNOTSUPP: the owner put a DAX mapping there).
		 */
		return -EFAULT;
	}
}
