/* SPDX-License-Identifier: GPL-2.0 */
/* gmem_priv - shared by gmem.c and gmem_*.c only */
#ifndef BELL_GMEM_PRIV_H
#define BELL_GMEM_PRIV_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct bell_gmem_map;

#define GMEM_HINTS	4

#define GMEM_LEAF_SHIFT	9
#define GMEM_LEAF_PAGES	(1UL << GMEM_LEAF_SHIFT)
#define GMEM_LEAF_MASK	(GMEM_LEAF_PAGES - 1)

/* Pinned pages of one aligned 2 MiB of the owner's address space */
struct bell_gmem_leaf {
	/* Entry in the table's list of stale leaves */
	struct llist_node	 stale;
	/* Entries in @page; under the region's lock */
	unsigned int		 n;
	struct page		*page[GMEM_LEAF_PAGES];
};

struct bell_gmem_region {
	/* Constant. */
	struct bell_gmem		 *gm;
	u64				  gpa;
	u64				  size;		/* in bytes */
	/* Bytes up to the last whole page */
	u64				  whole;
	unsigned long			  uaddr;
	unsigned long			  npages;	/* with a partial last page */
	/* Pages between the start of the first leaf and @uaddr */
	unsigned long			  skew;
	unsigned long			  nleaves;

	struct mmu_interval_notifier	  notifier;

	/* Indexed by 2 MiB; entries are read without the lock and written under it */
	struct bell_gmem_leaf		**leaf;
	/* Pages of the region that are in the table */
	u64				  pinned __guarded_by(&lock);
	/* Pages put into the table so far */
	u64				  pins __guarded_by(&lock);
	/* Leaves taken out of the table so far */
	u64				  invalidations __guarded_by(&lock);
	spinlock_t			  lock;
};

struct bell_gmem {
	/* Constant. As long as queues take requests the device is a user of @mm. */
	struct mm_struct		*mm;
	unsigned int			 nregions;

	unsigned long			 npages;

	/*
	 * Pages that are pinned: in the table, stale, or of rings. At most @limit,
	 * which is @npages plus the pages of rings that were accounted in addition.
	 */
	atomic_long_t			 held;
	/* Most pages that may be held. Written under the caller's lock */
	unsigned long			 limit;

	/* Sums of the counters of the tables that this one has replaced */
	u64				 past_pins;
	u64				 past_invalidations;
	u64				 past_logged;

	/*
	 * Under the caller's lock, with the next two: pages of the table that are
	 * accounted to the owner's RLIMIT_MEMLOCK
	 */
	unsigned long			 accounted;
	unsigned long			 rings;		/* pages of all rings */
	/*
	 * Ring pages accounted on top of @accounted; fewer than @rings if RLIMIT_MEMLOCK
	 * had no room: then rings take the place of data pages
	 */
	unsigned long			 rings_accounted;

	/*
	 * The region found last, for each slot (guest address / 4 GiB) % GMEM_HINTS.
	 * Accessed without a lock, by READ_ONCE() and WRITE_ONCE(): any region of the
	 * table is a valid hint.
	 */
	struct bell_gmem_region		*hint[GMEM_HINTS];

	/* The dirty log, or NULL; the owner replaces it while all queues are paused */
	struct bell_gmem_log		*log;

	/* Leaves that left the table, which the reaper has not taken into @batch yet */
	struct llist_head		 stale;

	/*
	 * Leaves that left the table before the last turn of all users; NULL: none.
	 * The reaper frees them when all requests from before that turn have left.
	 * Written by the reaper, read by any context.
	 */
	struct llist_node		*batch;
	/* Jiffies until the reaper checks again; only the reaper accesses it */
	unsigned int			 reap_delay;
	/*
	 * True if, since stale pages were last released, a page was not pinned because
	 * @held had reached @limit. Written by pinners and the reaper, read by any
	 * context.
	 */
	bool				 starved;
	/* Work item of the reaper: gmem_reap() */
	struct delayed_work		 reap;

	struct list_head		 users __guarded_by(&users_lock);
	struct mutex			 users_lock;

	/* Pages that gmem_pin_pages() has pinned and that are not in the table yet */
	struct page			*scratch[GMEM_LEAF_PAGES] __guarded_by(&pin_lock);
	/* Position of the next leaf to evict */
	unsigned int			 evict_region __guarded_by(&pin_lock);
	unsigned long			 evict_leaf __guarded_by(&pin_lock);
	struct mutex			 pin_lock;

	/* Sorted by gpa; constant except for the members that say otherwise */
	struct bell_gmem_region		 region[];
};

struct kmem_cache;
extern struct kmem_cache *bell_gmem_leaf_cache;

/*
 * Count @n more pages as held. Returns false if that is more than the owner accounts
 * for.
 */
static inline bool bell_gmem_hold(struct bell_gmem *gm, unsigned long n)
{
	/* Full barrier; pairs with the one in account_make_room(). */
	if (atomic_long_add_return(n, &gm->held) <= READ_ONCE(gm->limit))
		return true;
	atomic_long_sub(n, &gm->held);
	return false;
}

static inline void bell_gmem_unhold(struct bell_gmem *gm, unsigned long n)
{
	atomic_long_sub(n, &gm->held);
}

/* @old if its pages are accounted to @mm, too; else NULL. @old may be NULL. */
static inline struct bell_gmem *bell_gmem_same_mm(const struct mm_struct *mm,
						  struct bell_gmem *old)
{
	return old && old->mm == mm ? old : NULL;
}

int bell_gmem_account(struct mm_struct *mm, unsigned long n);
void bell_gmem_unaccount(struct mm_struct *mm, unsigned long n);
int bell_gmem_account_table(struct bell_gmem *gm, struct bell_gmem *old);
int bell_gmem_take_rings(struct bell_gmem *gm, struct bell_gmem *old);
int bell_gmem_charge_ring(struct bell_gmem *gm, unsigned long n);
void bell_gmem_uncharge_ring(struct bell_gmem *gm, unsigned long n);

u64 bell_gmem_log_count(const struct bell_gmem_log *log);

void bell_gmem_evict_one(struct bell_gmem *gm);
void bell_gmem_evict_all(struct bell_gmem *gm);

int bell_gmem_pin(struct bell_gmem *gm, struct bell_gmem_region *r,
		  unsigned long i);

#endif
