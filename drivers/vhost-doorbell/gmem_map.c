// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_map - the rings: pinned and mapped for as long as a queue runs
 *
 * A ring keeps its pins until it is unmapped, whatever the owner does to the
 * memory: a guest that gives its rings away hurts itself only.
 *
 * So a ring's pages are accounted to the owner in addition to the table, if its
 * RLIMIT_MEMLOCK has room for them. If not, as where the limit is the guest's
 * size, they take the place of as many data pages: together these are never more
 * than the table has.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "gmem.h"
#include "gmem_priv.h"

#define MAP_WAIT	(HZ / 50 ?: 1)	/* jiffies, until stale pages go */
#define MAP_TRIES	500

/* Wait until data pages have made room for @n pages of a ring. */
static int map_make_room(struct bell_gmem *gm, unsigned long n)
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
		if (tries == MAP_TRIES)
			ret = -ENOMEM;
		else if (schedule_timeout_killable(MAP_WAIT),
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

/* Count @n pages of a ring, before they are pinned. */
static int map_charge(struct bell_gmem *gm, unsigned long n)
{
	unsigned long more = gm->rings + n;
	int ret = 0;

	if (more > gm->rings_accounted) {
		more -= gm->rings_accounted;
		ret = bell_gmem_account(gm->mm, more, true);
		if (ret && ret != -ENOMEM)
			return ret;
	}
	if (!ret && gm->rings + n > gm->rings_accounted) {
		gm->rings_accounted += more;
		WRITE_ONCE(gm->limit, gm->limit + more);
	}
	return map_make_room(gm, n);
}

/* What was accounted stays so, for the next ring, until the table goes. */
static void map_uncharge(struct bell_gmem *gm, unsigned long n)
{
	bell_gmem_unhold(gm, n);
	gm->rings -= n;
}

static bool map_is_contiguous(struct page **pages, unsigned long n)
{
	unsigned long i;

	for (i = 1; i < n; i++) {
		if (pages[i] != pages[0] + i)
			return false;
	}
	return true;
}

/**
 * bell_gmem_map() - pin and map a part of a ring
 * @gm: the table
 * @uaddr: its address in the owner's memory, within one region
 * @len: bytes
 * @map: out
 *
 * Context: Process context, the owner's; the caller serialises this, unmapping and
 * the exchange of tables. It may wait for requests that use the table's pages.
 * Return: 0, -EFAULT if no region holds it or it cannot be pinned, -ENOMEM no
 * memory, or more pages than the owner accounts for, -EINTR.
 */
int bell_gmem_map(struct bell_gmem *gm, u64 uaddr, size_t len,
		  struct bell_gmem_map *map)
{
	unsigned long start = uaddr & PAGE_MASK, n;
	int got, ret;

	if (!bell_gmem_covers(gm, uaddr, len))
		return -EFAULT;
	n = DIV_ROUND_UP(offset_in_page(uaddr) + len, PAGE_SIZE);
	*map = (struct bell_gmem_map){};
	ret = map_charge(gm, n);
	if (ret)
		return ret;
	map->charged = n;
	ret = -ENOMEM;
	map->pages = kvcalloc(n, sizeof(struct page *), GFP_KERNEL_ACCOUNT);
	if (!map->pages)
		goto err_unmap;
	while (map->npages < n) {
		got = pin_user_pages_fast(start + (map->npages << PAGE_SHIFT),
					  n - map->npages,
					  FOLL_WRITE | FOLL_LONGTERM,
					  map->pages + map->npages);
		if (got <= 0) {
			ret = got ?: -EFAULT;
			goto err_unmap;
		}
		map->npages += got;
	}
	if (map_is_contiguous(map->pages, n)) {
		map->addr = page_address(map->pages[0]) + offset_in_page(uaddr);
		return 0;
	}
	ret = -ENOMEM;
	map->vmap = vmap(map->pages, n, VM_MAP, PAGE_KERNEL);
	if (!map->vmap)
		goto err_unmap;
	map->addr = map->vmap + offset_in_page(uaddr);
	return 0;

err_unmap:
	bell_gmem_unmap(gm, map);
	return ret;
}

/**
 * bell_gmem_unmap() - undo bell_gmem_map()
 * @gm: the table, or the one that replaced it
 * @map: mapped, or zeroed
 *
 * Context: Process context, as for bell_gmem_map().
 */
void bell_gmem_unmap(struct bell_gmem *gm, struct bell_gmem_map *map)
{
	vunmap(map->vmap);
	if (map->npages)
		unpin_user_pages_dirty_lock(map->pages, map->npages, true);
	kvfree(map->pages);
	if (map->charged)
		map_uncharge(gm, map->charged);
	*map = (struct bell_gmem_map){};
}
