/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_GMEM_H
#define BELL_GMEM_H

#include <linux/types.h>

#include "gmem_user.h"

struct bell_gmem;
struct bell_gmem_log;
struct mm_struct;
struct page;
struct vhost_memory_region;

/* A piece of guest memory that is contiguous for the host too. */
struct bell_gmem_span {
	struct page	*page;
	u32		 offset;	/* in bytes from @page, below PAGE_SIZE */
	u32		 len;		/* in bytes, not zero */
};

/* A part of a ring, pinned and mapped; see bell_gmem_map() */
struct bell_gmem_map {
	void		 *addr;
	void		 *vmap;
	struct page	**pages;
	unsigned long	  npages;
	unsigned long	  charged;	/* pages that it was charged for */
};

struct bell_gmem_stats {
	u64	bytes;
	u64	pinned;
	u64	pins;
	u64	invalidations;
	u64	logged;
	u32	regions;
};

/* Bytes of a dirty log: that of 8 TiB of guest physical addresses. */
#define BELL_GMEM_LOG_MAX	(256UL << 20)

int bell_gmem_init(void);
void bell_gmem_exit(void);

struct bell_gmem *bell_gmem_create(struct mm_struct *mm,
				   const struct vhost_memory_region *regions,
				   unsigned int n, struct bell_gmem *old);
void bell_gmem_revert(struct bell_gmem *gm, struct bell_gmem *old);
void bell_gmem_take_stats(struct bell_gmem *gm, struct bell_gmem *old);
void bell_gmem_replaced(struct bell_gmem *gm, struct bell_gmem *old);
void bell_gmem_destroy(struct bell_gmem *gm);
void bell_gmem_get_stats(struct bell_gmem *gm, struct bell_gmem_stats *st);

int bell_gmem_map(struct bell_gmem *gm, u64 uaddr, size_t len,
		  struct bell_gmem_map *map);
int bell_gmem_map_any(struct bell_gmem *gm, u64 uaddr, size_t len,
		      struct bell_gmem_map *map);
void bell_gmem_unmap(struct bell_gmem *gm, struct bell_gmem_map *map);
bool bell_gmem_covers(struct bell_gmem *gm, u64 uaddr, size_t len);

int bell_gmem_find_gpa(struct bell_gmem *gm, u64 uaddr, u64 *gpa);
int bell_gmem_move_uaddr(struct bell_gmem *gm, const struct bell_gmem *to,
			 u64 *uaddr);

int bell_gmem_log_check(const struct bell_gmem *gm, u64 uaddr, u64 size);
struct bell_gmem_log *bell_gmem_log_create(struct bell_gmem *gm, u64 uaddr,
					   u64 size);
void bell_gmem_log_destroy(struct bell_gmem *gm, struct bell_gmem_log *log);
bool bell_gmem_log_covers(const struct bell_gmem_log *log,
			  const struct bell_gmem *gm);
void bell_gmem_log_set(struct bell_gmem_log *log, u64 gpa, u64 len);
struct bell_gmem_log *bell_gmem_get_log(const struct bell_gmem *gm);
struct bell_gmem_log *bell_gmem_set_log(struct bell_gmem *gm,
					struct bell_gmem_log *log);

void bell_gmem_add_user(struct bell_gmem *gm, struct bell_gmem_user *user);
void bell_gmem_del_user(struct bell_gmem *gm, struct bell_gmem_user *user);
bool bell_gmem_stay_blocks(const struct bell_gmem *gm,
			   const struct bell_gmem_user *user,
			   unsigned int epoch);

struct page *bell_gmem_page(struct bell_gmem *gm, u64 gpa);
int bell_gmem_span(struct bell_gmem *gm, u64 gpa, u64 len, bool may_pin,
		   struct bell_gmem_span *span);
int bell_gmem_read(struct bell_gmem *gm, u64 gpa, void *to, u32 len,
		   bool may_pin);
int bell_gmem_write(struct bell_gmem *gm, u64 gpa, const void *from, u32 len,
		    bool may_pin);

#endif
