// SPDX-License-Identifier: GPL-2.0
/*
 * gmem - look up the pinned page behind a guest physical address
 *
 * The owner has the guest's memory mapped. Its pages are pinned one by one, when a
 * request first uses them: a guest page that was never touched costs nothing, and pages
 * in a balloon stay free. A pinned page is found in any context, also in hard irq,
 * without an mm: by two loads and no lock.
 *
 *	region -> leaf (2 MiB of the owner's address space) -> page
 *
 * When pages behind the mapping go away (hole punched, unmapped, migrated), the mmu
 * interval notifier removes whole leaves from the table, which needs no memory and so
 * cannot fail. Requests that have already looked a page up keep using it; the reaper
 * releases the leaf when their epoch has ended. The next use pins again and gets the
 * page that the guest now sees.
 *
 * Context: look-ups run in any context, between bell_gmem_user_enter() and _leave().
 * Those that may pin sleep; they run in the owner or in a kernel thread.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vhost_types.h>
#include <linux/vmalloc.h>

#include "gmem.h"
#include "gmem_priv.h"

/* Longest time between two checks of the reaper, in jiffies */
#define GMEM_REAP_MAX	(HZ / 8U)

struct kmem_cache *bell_gmem_leaf_cache;
static struct workqueue_struct *gmem_wq;

/**
 * bell_gmem_init() - create the slab cache and the workqueue that all devices share
 *
 * Return: 0 or -ENOMEM.
 */
int bell_gmem_init(void)
{
	bell_gmem_leaf_cache = KMEM_CACHE(bell_gmem_leaf, SLAB_ACCOUNT);
	if (!bell_gmem_leaf_cache)
		return -ENOMEM;
	/* A queue of its own, as its work may wait for page locks. */
	gmem_wq = alloc_workqueue("vhost-doorbell-gmem", WQ_UNBOUND, 0);
	if (!gmem_wq) {
		kmem_cache_destroy(bell_gmem_leaf_cache);
		return -ENOMEM;
	}
	return 0;
}

/** bell_gmem_exit() - undo bell_gmem_init(), when no table is left */
void bell_gmem_exit(void)
{
	destroy_workqueue(gmem_wq);
	kmem_cache_destroy(bell_gmem_leaf_cache);
}

static void gmem_free_leaf(struct bell_gmem *gm, struct bell_gmem_leaf *leaf)
{
	unsigned int i;

	for (i = 0; i < GMEM_LEAF_PAGES; i++) {
		if (!leaf->page[i])
			continue;
		unpin_user_pages_dirty_lock(&leaf->page[i], 1, true);
		atomic_long_dec(&gm->held);
	}
	kmem_cache_free(bell_gmem_leaf_cache, leaf);
}

static void gmem_free_leaves(struct bell_gmem *gm, struct llist_node *list)
{
	struct bell_gmem_leaf *leaf, *next;

	llist_for_each_entry_safe(leaf, next, list, stale) {
		gmem_free_leaf(gm, leaf);
		cond_resched();
	}
}

/*
 * Begin a new epoch of all users: its requests cannot find pages that have left the
 * table by now.
 */
static void gmem_turn_users(struct bell_gmem *gm)
{
	struct bell_gmem_user *user;

	guard(mutex)(&gm->users_lock);
	list_for_each_entry(user, &gm->users, node)
		bell_gmem_user_turn(user);
}

static bool gmem_users_turned(struct bell_gmem *gm)
{
	struct bell_gmem_user *user;

	guard(mutex)(&gm->users_lock);
	list_for_each_entry(user, &gm->users, node) {
		if (!bell_gmem_user_turned(user))
			return false;
	}
	return true;
}

/*
 * Release pages that have left the table and are no longer used by any request. The work
 * does not wait for requests, which may take as long as a disk or user space takes; it
 * runs again later.
 */
static void gmem_reap(struct work_struct *work)
{
	struct bell_gmem *gm =
		container_of(to_delayed_work(work), struct bell_gmem, reap);

	if (!gm->batch) {
		WRITE_ONCE(gm->batch, llist_del_all(&gm->stale));
		if (!gm->batch)
			return;
		gmem_turn_users(gm);
		gm->reap_delay = 1;
	}
	if (!gmem_users_turned(gm)) {
		queue_delayed_work(gmem_wq, &gm->reap, gm->reap_delay);
		gm->reap_delay = min(gm->reap_delay * 2, GMEM_REAP_MAX);
		return;
	}
	gmem_free_leaves(gm, gm->batch);
	WRITE_ONCE(gm->batch, NULL);
	WRITE_ONCE(gm->starved, false);
	/* More leaves were taken out of the table meanwhile. */
	if (!llist_empty(&gm->stale))
		queue_delayed_work(gmem_wq, &gm->reap, 0);
}

/* bell_gmem_add_user() - register a user that will look pages up in @gm */
void bell_gmem_add_user(struct bell_gmem *gm, struct bell_gmem_user *user)
{
	guard(mutex)(&gm->users_lock);
	list_add_tail(&user->node, &gm->users);
}

/* bell_gmem_del_user() - unregister a user, which no longer uses any page */
void bell_gmem_del_user(struct bell_gmem *gm, struct bell_gmem_user *user)
{
	guard(mutex)(&gm->users_lock);
	list_del_init(&user->node);
}

/**
 * bell_gmem_stay_blocks() - can no page be pinned until this request ends?
 * @gm: the table
 * @user: the user of the pages
 * @epoch: what bell_gmem_user_enter() returned at the start of the request
 *
 * True if a pin failed because the limit of held pages was reached, some held pages are
 * stale and wait for the requests from before the last turn of the epoch, and this
 * request is one of these.
 *
 * Context: Any. The answer may change at any time.
 */
bool bell_gmem_stay_blocks(const struct bell_gmem *gm,
			   const struct bell_gmem_user *user,
			   unsigned int epoch)
{
	return READ_ONCE(gm->starved) && READ_ONCE(gm->batch) &&
	       atomic_long_read(&gm->held) >= READ_ONCE(gm->limit) &&
	       READ_ONCE(user->epoch) != epoch;
}

/* --- the table of regions and leaves --- */

static void gmem_drop_leaf(struct bell_gmem_region *r, unsigned long i)
{
	struct bell_gmem_leaf *leaf = r->leaf[i];

	lockdep_assert_held(&r->lock);
	if (!leaf)
		return;
	WRITE_ONCE(r->leaf[i], NULL);
	r->pinned -= leaf->n;
	r->invalidations++;
	llist_add(&leaf->stale, &r->gm->stale);
}

/*
 * Take leaves [first, end) out of the table. The lock is dropped after each leaf: a
 * region may have a million of them, and look-ups take no lock.
 */
static void gmem_drop_leaves(struct bell_gmem_region *r, unsigned long first,
			     unsigned long end, bool may_sleep)
{
	unsigned long i;

	for (i = first; i < end; i++) {
		if (may_sleep && !(i & GMEM_LEAF_MASK))
			cond_resched();
		if (!READ_ONCE(r->leaf[i]))
			continue;
		spin_lock(&r->lock);
		gmem_drop_leaf(r, i);
		spin_unlock(&r->lock);
	}
}

/* Will the reaper release pages? */
static bool gmem_reaps(struct bell_gmem *gm)
{
	return !llist_empty(&gm->stale) || READ_ONCE(gm->batch);
}

/*
 * bell_gmem_evict_one() - make room for a pin when as many pages are held as may be
 *
 * Takes the next leaf out of the table, all leaves in turn; none if stale pages are
 * going to be released anyway.
 */
void bell_gmem_evict_one(struct bell_gmem *gm)
{
	struct bell_gmem_region *r;
	unsigned int turns = 0;
	unsigned long k;

	lockdep_assert_held(&gm->pin_lock);
	while (!gmem_reaps(gm) && turns <= gm->nregions) {
		r = &gm->region[gm->evict_region];
		k = gm->evict_leaf++;
		if (k < r->nleaves) {
			gmem_drop_leaves(r, k, k + 1, true);
			continue;
		}
		gm->evict_leaf = 0;
		gm->evict_region = (gm->evict_region + 1) % gm->nregions;
		turns++;
	}
	if (gmem_reaps(gm))
		queue_delayed_work(gmem_wq, &gm->reap, 0);
}

/* bell_gmem_evict_all() - take all leaves out of the table, for the reaper to release */
void bell_gmem_evict_all(struct bell_gmem *gm)
{
	unsigned int i;

	for (i = 0; i < gm->nregions; i++)
		gmem_drop_leaves(&gm->region[i], 0, gm->region[i].nleaves, true);
	if (gmem_reaps(gm))
		queue_delayed_work(gmem_wq, &gm->reap, 0);
}

/*
 * The mmu notifier: pages behind a part of a region go away, or may. Runs in the
 * context that changes the mapping (munmap, reclaim, ...), which sometimes may not
 * block.
 *
 * From the new sequence number on, until the kernel has finished all notifiers, no page
 * is put into the table: pins that began before fail, and later ones wait.
 */
static bool gmem_invalidate(struct mmu_interval_notifier *notifier,
			    const struct mmu_notifier_range *range,
			    unsigned long seq)
{
	struct bell_gmem_region *r =
		container_of(notifier, struct bell_gmem_region, notifier);
	unsigned long base = r->uaddr - (r->skew << PAGE_SHIFT);
	unsigned long first = max(range->start, r->uaddr);
	unsigned long last = min(range->end - 1,
				 r->uaddr + (r->npages << PAGE_SHIFT) - 1);

	spin_lock(&r->lock);
	mmu_interval_set_seq(notifier, seq);
	spin_unlock(&r->lock);
	gmem_drop_leaves(r, (first - base) >> (PAGE_SHIFT + GMEM_LEAF_SHIFT),
			 ((last - base) >> (PAGE_SHIFT + GMEM_LEAF_SHIFT)) + 1,
			 mmu_notifier_range_blockable(range));

	if (!llist_empty(&r->gm->stale))
		queue_delayed_work(gmem_wq, &r->gm->reap, 0);
	return true;
}

static const struct mmu_interval_notifier_ops gmem_notifier_ops = {
	.invalidate = gmem_invalidate,
};

static int gmem_check_region(const struct vhost_memory_region *r)
{
	u64 bits = r->guest_phys_addr | r->userspace_addr;
	u64 end;

	if (!r->memory_size || bits & ~PAGE_MASK || r->flags_padding)
		return -EINVAL;
	if (check_add_overflow(r->guest_phys_addr, r->memory_size, &end) ||
	    check_add_overflow(r->userspace_addr, r->memory_size, &end) ||
	    end > TASK_SIZE)
		return -EINVAL;
	return 0;
}

static int gmem_cmp_region(const void *a, const void *b)
{
	const struct bell_gmem_region *x = a, *y = b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* Fill in the regions, sorted by guest address; they must not overlap there. */
static int gmem_set_regions(struct bell_gmem *gm,
			    const struct vhost_memory_region *regions,
			    unsigned int n)
{
	unsigned int i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = gmem_check_region(&regions[i]);
		if (ret)
			return ret;
		gm->region[i].gpa = regions[i].guest_phys_addr;
		gm->region[i].size = regions[i].memory_size;
		gm->region[i].whole = regions[i].memory_size & PAGE_MASK;
		gm->region[i].uaddr = regions[i].userspace_addr;
		gm->region[i].npages = DIV_ROUND_UP(regions[i].memory_size,
						    PAGE_SIZE);
		gm->npages += gm->region[i].npages;
	}
	sort(gm->region, n, sizeof(gm->region[0]), gmem_cmp_region, NULL);
	for (i = 1; i < n; i++) {
		if (gm->region[i].gpa - gm->region[i - 1].gpa <
		    gm->region[i - 1].size)
			return -EINVAL;
	}
	return 0;
}

static int gmem_start_region(struct bell_gmem *gm, struct bell_gmem_region *r)
{
	int ret;

	r->gm = gm;
	r->skew = (r->uaddr >> PAGE_SHIFT) & GMEM_LEAF_MASK;
	r->nleaves = (r->npages + r->skew + GMEM_LEAF_MASK) >> GMEM_LEAF_SHIFT;
	spin_lock_init(&r->lock);
	r->leaf = kvcalloc(r->nleaves, sizeof(struct bell_gmem_leaf *),
			   GFP_KERNEL_ACCOUNT);
	if (!r->leaf)
		return -ENOMEM;
	ret = mmu_interval_notifier_insert(&r->notifier, gm->mm, r->uaddr,
					   r->npages << PAGE_SHIFT,
					   &gmem_notifier_ops);
	if (ret) {
		kvfree(r->leaf);
		r->leaf = NULL;
	}
	return ret;
}

static void gmem_stop_regions(struct bell_gmem *gm)
{
	unsigned long i, k;

	/* 1. No more invalidations, hence no more work for the reaper. */
	for (i = 0; i < gm->nregions && gm->region[i].leaf; i++)
		mmu_interval_notifier_remove(&gm->region[i].notifier);
	/*
	 * 2. Free the leaves that the notifiers dropped: no request uses them any more.
	 */
	cancel_delayed_work_sync(&gm->reap);
	gmem_free_leaves(gm, gm->batch);
	gmem_free_leaves(gm, llist_del_all(&gm->stale));
	/* 3. Free the leaves that are still in the table. */
	for (i = 0; i < gm->nregions && gm->region[i].leaf; i++) {
		struct bell_gmem_region *r = &gm->region[i];

		for (k = 0; k < r->nleaves; k++) {
			if (r->leaf[k])
				gmem_free_leaf(gm, r->leaf[k]);
			cond_resched();
		}
		kvfree(r->leaf);
	}
}

/* Probe whether a page of each region can be pinned: some file systems refuse that. */
static int gmem_probe(struct bell_gmem *gm)
{
	struct page *page;
	unsigned int i;
	int n;

	for (i = 0; i < gm->nregions; i++) {
		n = pin_user_pages_fast(gm->region[i].uaddr, 1,
					FOLL_WRITE | FOLL_LONGTERM, &page);
		if (n != 1)
			return n ?: -EFAULT;
		unpin_user_page(page);
	}
	return 0;
}

static void gmem_free(struct bell_gmem *gm)
{
	mmdrop(gm->mm);
	kvfree(gm);
}

/**
 * bell_gmem_create() - make a table of guest memory
 * @mm: the caller's own address space, where the regions are mapped. The table can pin
 *	as long as @mm has users (mmget())
 * @regions: guest physical address and user address of each, which begin a
 *	page, and size in bytes; must not overlap
 * @n: number of regions, not zero
 * @old: the table that this one replaces, or NULL. In the same address space, pages
 *	accounted for it now count for this one; in another one, this one is accounted
 *	in full
 *
 * Context: Process context, the owner's.
 * Return: the table, or an ERR_PTR: -EINVAL for a bad region; -ENOMEM if there is no
 * memory or the table is larger than RLIMIT_MEMLOCK allows; -EFAULT or another errno
 * if the memory cannot be pinned.
 */
struct bell_gmem *bell_gmem_create(struct mm_struct *mm,
				   const struct vhost_memory_region *regions,
				   unsigned int n, struct bell_gmem *old)
{
	const struct bell_gmem *same = bell_gmem_same_mm(mm, old);
	struct bell_gmem *gm;
	unsigned int i;
	int ret;

	if (!n)
		return ERR_PTR(-EINVAL);
	gm = kvzalloc(struct_size(gm, region, n), GFP_KERNEL_ACCOUNT);
	if (!gm)
		return ERR_PTR(-ENOMEM);
	mmgrab(mm);
	gm->mm = mm;
	gm->nregions = n;
	for (i = 0; i < GMEM_HINTS; i++)
		gm->hint[i] = gm->region;
	init_llist_head(&gm->stale);
	INIT_DELAYED_WORK(&gm->reap, gmem_reap);
	INIT_LIST_HEAD(&gm->users);
	mutex_init(&gm->users_lock);
	mutex_init(&gm->pin_lock);

	ret = gmem_set_regions(gm, regions, n);
	if (ret)
		goto err_free;
	/* Until @old is destroyed, no fewer pages than it has accounted for. */
	gm->accounted = max(gm->npages, same ? same->accounted : 0);
	ret = bell_gmem_account_table(gm, old);
	if (ret)
		goto err_free;
	ret = bell_gmem_take_rings(gm, old);
	if (ret)
		goto err_regions;
	for (i = 0; i < n; i++) {
		ret = gmem_start_region(gm, &gm->region[i]);
		if (ret)
			goto err_regions;
	}
	ret = gmem_probe(gm);
	if (ret)
		goto err_regions;
	return gm;

err_regions:
	bell_gmem_revert(gm, old);
	return ERR_PTR(ret);
err_free:
	gmem_free(gm);
	return ERR_PTR(ret);
}

/**
 * bell_gmem_revert() - undo bell_gmem_create(): @old stays in use
 * @gm: a table that never had a user
 * @old: the table that @gm was made to replace, or NULL
 *
 * Context: Process context.
 */
void bell_gmem_revert(struct bell_gmem *gm, struct bell_gmem *old)
{
	unsigned long extra;

	if (bell_gmem_same_mm(gm->mm, old)) {
		extra = gm->accounted - old->accounted;
		gm->accounted = 0;
		gm->rings_accounted = 0;
		bell_gmem_unaccount(gm->mm, extra);
	}
	bell_gmem_destroy(gm);
}

/**
 * bell_gmem_take_stats() - continue the counters of @old in @gm
 * @gm: the table that bell_gmem_create() made to replace @old
 * @old: the table in use; may be NULL
 *
 * Context: Process context, before a reader of the counters can see @gm.
 */
void bell_gmem_take_stats(struct bell_gmem *gm, struct bell_gmem *old)
{
	struct bell_gmem_stats st;

	bell_gmem_get_stats(old, &st);
	gm->past_pins = st.pins;
	gm->past_invalidations = st.invalidations;
	/* Without that of the log, which moves to @gm. */
	gm->past_logged = old ? old->past_logged : 0;
}

/**
 * bell_gmem_replaced() - destroy @old, as @gm is now used in its place
 * @gm: the table that bell_gmem_create() made to replace @old
 * @old: has no user any more; may be NULL
 *
 * Context: Process context.
 */
void bell_gmem_replaced(struct bell_gmem *gm, struct bell_gmem *old)
{
	unsigned long extra;

	if (!old)
		return;
	if (bell_gmem_same_mm(gm->mm, old)) {
		old->accounted = 0;
		old->rings_accounted = 0;
	}
	gm->log = old->log;
	old->log = NULL;
	bell_gmem_destroy(old);
	/* Pages that were accounted for @old and that @gm does not need */
	extra = gm->accounted - gm->npages;
	bell_gmem_unaccount(gm->mm, extra);
	gm->accounted -= extra;
}

/**
 * bell_gmem_destroy() - unpin all pages and free the table
 * @gm: a table that has no user, or NULL
 *
 * Context: Process context.
 */
void bell_gmem_destroy(struct bell_gmem *gm)
{
	if (!gm)
		return;
	bell_gmem_log_destroy(gm, gm->log);
	gmem_stop_regions(gm);
	bell_gmem_unaccount(gm->mm, gm->accounted + gm->rings_accounted);
	gmem_free(gm);
}

/* bell_gmem_get_stats() - sums of the regions' counters; @gm may be NULL */
void bell_gmem_get_stats(struct bell_gmem *gm, struct bell_gmem_stats *st)
{
	unsigned int i;

	*st = (struct bell_gmem_stats){};
	if (!gm)
		return;
	st->regions = gm->nregions;
	st->pins = gm->past_pins;
	st->invalidations = gm->past_invalidations;
	st->logged = gm->past_logged + bell_gmem_log_count(gm->log);
	for (i = 0; i < gm->nregions; i++) {
		struct bell_gmem_region *r = &gm->region[i];

		st->bytes += r->size;
		spin_lock(&r->lock);
		st->pinned += r->pinned;
		st->pins += r->pins;
		st->invalidations += r->invalidations;
		spin_unlock(&r->lock);
	}
}

static unsigned int gmem_hint(u64 gpa)
{
	return (gpa >> 32) % GMEM_HINTS;
}

static struct bell_gmem_region *gmem_find(struct bell_gmem *gm, u64 gpa)
{
	unsigned int lo = 0, hi = gm->nregions;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		struct bell_gmem_region *r = &gm->region[mid];

		if (gpa < r->gpa) {
			hi = mid;
		} else if (gpa - r->gpa >= r->size) {
			lo = mid + 1;
		} else {
			WRITE_ONCE(gm->hint[gmem_hint(gpa)], r);
			return r;
		}
	}
	return NULL;
}

/* The leaf of page @i of a region, or NULL. */
static struct bell_gmem_leaf *gmem_leaf(const struct bell_gmem_region *r,
					unsigned long i)
{
	unsigned long k = array_index_nospec(i >> GMEM_LEAF_SHIFT, r->nleaves);

	return READ_ONCE(r->leaf[k]);
}

/* bell_gmem_span() without its short path */
static noinline int gmem_span(struct bell_gmem *gm, u64 gpa, u64 len,
			      bool may_pin, struct bell_gmem_span *span)
{
	struct bell_gmem_region *r = gmem_find(gm, gpa);
	struct bell_gmem_leaf *leaf;
	struct page *page, **slot;
	unsigned long i, k;
	u64 off, run;
	int ret;

	if (!r)
		return -EFAULT;
	off = gpa - r->gpa;
	len = min(len, r->size - off);
	i = (off >> PAGE_SHIFT) + r->skew;

	for (;;) {
		leaf = gmem_leaf(r, i);
		slot = leaf ? &leaf->page[i & GMEM_LEAF_MASK] : NULL;
		page = slot ? READ_ONCE(*slot) : NULL;
		if (page)
			break;
		if (!may_pin)
			return -EAGAIN;
		ret = bell_gmem_pin(gm, r, i);
		if (ret)
			return ret;
	}

	/* Extend the span over contiguous pages of the same leaf. */
	run = PAGE_SIZE - offset_in_page(gpa);
	for (k = 1; run < len && (i & GMEM_LEAF_MASK) + k < GMEM_LEAF_PAGES &&
	     READ_ONCE(slot[k]) == page + k; k++)
		run += PAGE_SIZE;

	span->page = page;
	span->offset = offset_in_page(gpa);
	span->len = min3(run, len, (u64)GMEM_LEAF_PAGES << PAGE_SHIFT);
	return 0;
}

/* bell_gmem_page(), for this file */
static __always_inline struct page *gmem_page(struct bell_gmem *gm, u64 gpa)
{
	struct bell_gmem_region *r = READ_ONCE(gm->hint[gmem_hint(gpa)]);
	struct bell_gmem_leaf *leaf;
	unsigned long i;

	if (unlikely(gpa - r->gpa >= r->whole))
		return NULL;
	i = ((gpa - r->gpa) >> PAGE_SHIFT) + r->skew;
	leaf = gmem_leaf(r, i);
	return likely(leaf) ? READ_ONCE(leaf->page[i & GMEM_LEAF_MASK]) : NULL;
}

/**
 * bell_gmem_page() - find the page of a guest address quickly
 * @gm: the table
 * @gpa: guest physical address
 *
 * The short path of bell_gmem_span(), for callers on the hot path whose data lies in one
 * page: the page is in a register and not in a structure.
 *
 * Context: As for bell_gmem_span() without @may_pin.
 * Return: the page, which is guest memory from its start to its end; NULL if it is not
 * pinned yet, or not in the region found last: call bell_gmem_span().
 */
struct page *bell_gmem_page(struct bell_gmem *gm, u64 gpa)
{
	return gmem_page(gm, gpa);
}

/**
 * bell_gmem_span() - find the pages behind a piece of guest memory
 * @gm: the table
 * @gpa: guest physical address
 * @len: bytes wanted, not zero
 * @may_pin: pin what is not yet pinned; sleeps
 * @span: out: the piece that begins at @gpa; it may end before @len
 *
 * Context: Between bell_gmem_user_enter() and bell_gmem_user_leave() of a user of @gm.
 * With @may_pin process context of the owner or a kernel thread, else any.
 * Return: 0, -EFAULT if no region holds @gpa, -EAGAIN if it is not pinned and
 * @may_pin is false, or what bell_gmem_pin() returns.
 */
int bell_gmem_span(struct bell_gmem *gm, u64 gpa, u64 len, bool may_pin,
		   struct bell_gmem_span *span)
{
	u32 offset = offset_in_page(gpa);
	struct page *page;

	/* The short path: all of @len lies in one pinned page. */
	page = likely(len <= PAGE_SIZE - offset) ? gmem_page(gm, gpa) : NULL;
	if (unlikely(!page))
		return gmem_span(gm, gpa, len, may_pin, span);
	span->page = page;
	span->offset = offset;
	span->len = len;
	return 0;
}

/**
 * bell_gmem_read() - copy from guest memory, once
 * @gm: the table
 * @gpa: guest physical address
 * @to: the buffer
 * @len: bytes to copy
 * @may_pin: as for bell_gmem_span()
 *
 * Context: As for bell_gmem_span().
 * Return: 0 or what bell_gmem_span() returns.
 */
int bell_gmem_read(struct bell_gmem *gm, u64 gpa, void *to, u32 len,
		   bool may_pin)
{
	struct bell_gmem_span span;
	int ret;

	while (len) {
		ret = bell_gmem_span(gm, gpa, len, may_pin, &span);
		if (ret)
			return ret;
		memcpy(to, page_address(span.page) + span.offset, span.len);
		to += span.len;
		gpa += span.len;
		len -= span.len;
	}
	return 0;
}

/**
 * bell_gmem_write() - copy to guest memory
 * @gm: the table
 * @gpa: guest physical address
 * @from: the buffer
 * @len: bytes to copy
 * @may_pin: as for bell_gmem_span()
 *
 * Context: As for bell_gmem_span().
 * Return: 0 or what bell_gmem_span() returns; part may have been written then.
 */
int bell_gmem_write(struct bell_gmem *gm, u64 gpa, const void *from, u32 len,
		    bool may_pin)
{
	struct bell_gmem_span span;
	int ret;

	while (len) {
		ret = bell_gmem_span(gm, gpa, len, may_pin, &span);
		if (ret)
			return ret;
		memcpy(page_address(span.page) + span.offset, from, span.len);
		from += span.len;
		gpa += span.len;
		len -= span.len;
	}
	return 0;
}
