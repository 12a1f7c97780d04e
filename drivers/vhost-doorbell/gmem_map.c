// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_map - pin and map rings, for as long as their queue runs
 *
 * A ring stays pinned until it is unmapped, even if the owner unmaps or replaces the
 * memory: a guest that gives its ring pages away hurts only itself.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "gmem.h"
#include "gmem_priv.h"

static bool map_is_contiguous(struct page **pages, unsigned long n)
{
	unsigned long i;

	for (i = 1; i < n; i++) {
		if (pages[i] != pages[0] + i)
			return false;
	}
	return true;
}

/* bell_gmem_map_any() - bell_gmem_map() of memory that need not be the guest's */
int bell_gmem_map_any(struct bell_gmem *gm, u64 uaddr, size_t len,
		      struct bell_gmem_map *map)
{
	unsigned long start = uaddr & PAGE_MASK, n;
	int got, ret;

	n = DIV_ROUND_UP(offset_in_page(uaddr) + len, PAGE_SIZE);
	*map = (struct bell_gmem_map){};
	ret = bell_gmem_charge_ring(gm, n);
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
 * bell_gmem_map() - pin and map a part of a ring
 * @gm: the table
 * @uaddr: address of the part in the owner's memory, within one region
 * @len: length in bytes
 * @map: out: the mapping
 *
 * Context: Process context, the owner's. The caller serialises mapping, unmapping and
 * the exchange of tables. May wait for requests that use the table's pages.
 * Return: 0; -EFAULT if no region holds the part or it cannot be pinned; -ENOMEM if there
 * is no memory or the owner would account for too few pages; -EINTR.
 */
int bell_gmem_map(struct bell_gmem *gm, u64 uaddr, size_t len,
		  struct bell_gmem_map *map)
{
	if (!bell_gmem_covers(gm, uaddr, len))
		return -EFAULT;
	return bell_gmem_map_any(gm, uaddr, len, map);
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
		bell_gmem_uncharge_ring(gm, map->charged);
	*map = (struct bell_gmem_map){};
}
