/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gmem_priv - what gmem.c, gmem_account.c, gmem_map.c and gmem_pin.c share; nobody else's
 */
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

#define GMEM_HINTS	4

#define GMEM_LEAF_SHIFT	9
#define GMEM_LEAF_PAGES	(1UL << GMEM_LEAF_SHIFT)
#define GMEM_LEAF_MASK	(GMEM_LEAF_PAGES - 1)

/* Pins of one 2 MiB of the owner's address space. */
struct bell_gmem_leaf {
	struct llist_node	 stale;
	unsigned int		 n;		/* under the region's lock */
	struct page		*page[GMEM_LEAF_PAGES];
};

struct bell_gmem_region {
	/* Constant. */
	struct bell_gmem		 *gm;
	u64				  gpa;
	u64				  size;		/* in bytes */
	u64				  whole;	/* of these, in whole pages */
	unsigned long			  uaddr;
	unsigned long			  npages;	/* the last one may be in part */
	/* Pages between the start of the first leaf and @uaddr. */
	unsigned long			  skew;
	unsigned long			  nleaves;

	struct mmu_interval_notifier	  notifier;

	/* Entries are read without the lock and written under it. */
	struct bell_gmem_leaf		**leaf;
	u64				  pinned __guarded_by(&lock);
	u64				  pins __guarded_by(&lock);
	u64				  invalidations __guarded_by(&lock);
	spinlock_t			  lock;
};

struct bell_gmem {
	/* Constant. */
	struct mm_struct		*mm;
	unsigned int			 nregions;

	unsigned long			 npages;

	/*
	 * Pages that are pinned: in the table, stale, or of rings. There may be
	 * @limit: @npages, and the rings that were accounted by themselves.
	 */
	atomic_long_t			 held;
	unsigned long			 limit;		/* under the caller's lock */

	/* What the tables counted that this one replaced. */
	u64				 past_pins;
	u64				 past_invalidations;

	/* Pages accounted to the owner's RLIMIT_MEMLOCK; under the caller's lock. */
	unsigned long			 accounted;
	unsigned long			 rings;		/* pages of them all */
	unsigned long			 rings_accounted;	/* the most there were */

	/* The regions found last, of memory below 4 GiB, from there on, ... */
	struct bell_gmem_region		*hint[GMEM_HINTS];

	struct llist_head		 stale;

	/* The reaper's: what left the table before all users turned. */
	struct llist_node		*batch;
	unsigned int			 reap_delay;	/* in jiffies */
	struct delayed_work		 reap;

	struct list_head		 users __guarded_by(&users_lock);
	struct mutex			 users_lock;

	/* Pages of the leaf that is being pinned. */
	struct page			*scratch[GMEM_LEAF_PAGES] __guarded_by(&pin_lock);
	/* Where to look for the next leaf to evict. */
	unsigned int			 evict_region __guarded_by(&pin_lock);
	unsigned long			 evict_leaf __guarded_by(&pin_lock);
	struct mutex			 pin_lock;

	/* Constant but for what each region says of itself; sorted by gpa. */
	struct bell_gmem_region		 region[];
};

struct kmem_cache;
extern struct kmem_cache *bell_gmem_leaf_cache;

/* Count @n more pages as held, if the owner accounts for that many. */
static inline bool bell_gmem_hold(struct bell_gmem *gm, unsigned long n)
{
	/* A full barrier: pairs with the one in account_make_room(). */
	if (atomic_long_add_return(n, &gm->held) <= READ_ONCE(gm->limit))
		return true;
	atomic_long_sub(n, &gm->held);
	return false;
}

static inline void bell_gmem_unhold(struct bell_gmem *gm, unsigned long n)
{
	atomic_long_sub(n, &gm->held);
}

int bell_gmem_account(struct mm_struct *mm, unsigned long n);
void bell_gmem_unaccount(struct mm_struct *mm, unsigned long n);
int bell_gmem_account_table(struct bell_gmem *gm, struct bell_gmem *old);
int bell_gmem_take_rings(struct bell_gmem *gm, const struct bell_gmem *old);
int bell_gmem_charge_ring(struct bell_gmem *gm, unsigned long n);
void bell_gmem_uncharge_ring(struct bell_gmem *gm, unsigned long n);

void bell_gmem_evict_one(struct bell_gmem *gm);
void bell_gmem_evict_all(struct bell_gmem *gm);

int bell_gmem_pin(struct bell_gmem *gm, struct bell_gmem_region *r,
		  unsigned long i);

#endif
