/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_GMEM_H
#define BELL_GMEM_H

#include <linux/types.h>

#include "gmem_user.h"

struct bell_gmem;
struct mm_struct;
struct page;
struct vhost_memory_region;

/* A piece of guest memory that is contiguous for the host too. */
struct bell_gmem_span {
	struct page	*page;
	u32		 offset;	/* in bytes from @page, below PAGE_SIZE */
	u32		 len;		/* in bytes, not zero */
};

/* What of the caller's address space holds a ring: pinned and mapped. */
struct bell_gmem_map {
	void		 *addr;
	void		 *vmap;
	struct page	**pages;
	unsigned long	  npages;
	unsigned long	  charged;	/* pages that are counted for it */
};

struct bell_gmem_stats {
	u64	bytes;
	u64	pinned;
	u64	pins;
	u64	invalidations;
	u32	regions;
};

int bell_gmem_init(void);
void bell_gmem_exit(void);

struct bell_gmem *bell_gmem_create(struct mm_struct *mm,
				   const struct vhost_memory_region *regions,
				   unsigned int n, struct bell_gmem *old);
void bell_gmem_revert(struct bell_gmem *gm, struct bell_gmem *old);
void bell_gmem_replaced(struct bell_gmem *gm, struct bell_gmem *old);
void bell_gmem_destroy(struct bell_gmem *gm);
void bell_gmem_get_stats(struct bell_gmem *gm, struct bell_gmem_stats *st);

int bell_gmem_map(struct bell_gmem *gm, u64 uaddr, size_t len,
		  struct bell_gmem_map *map);
void bell_gmem_unmap(struct bell_gmem *gm, struct bell_gmem_map *map);
bool bell_gmem_covers(struct bell_gmem *gm, u64 uaddr, size_t len);

void bell_gmem_add_user(struct bell_gmem *gm, struct bell_gmem_user *user);
void bell_gmem_del_user(struct bell_gmem *gm, struct bell_gmem_user *user);

int bell_gmem_span(struct bell_gmem *gm, u64 gpa, u64 len, bool may_pin,
		   struct bell_gmem_span *span);
int bell_gmem_read(struct bell_gmem *gm, u64 gpa, void *to, u32 len,
		   bool may_pin);
int bell_gmem_write(struct bell_gmem *gm, u64 gpa, const void *from, u32 len,
		    bool may_pin);

#endif
