/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memtable - the front end's memory, mapped into this process
 *
 * Each region has one mapping; its descriptor is not needed after mmap(). This process
 * never reads or writes the memory: the kernel module pins pages through the mapping.
 */
#ifndef TOOLS_VHOST_USER_MEMTABLE_H
#define TOOLS_VHOST_USER_MEMTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg.h"

#define VU_MEMTABLE_MAX		509	/* the number of memory slots of KVM */

struct vhost_memory;

/* Tells one open file from others, see keep.h; all 0: none */
struct vu_fd_id {
	uint64_t dev, ino;
};

struct vu_memtable_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user_addr;		/* address in the front end */
	uint64_t mmap_offset;
	struct vu_fd_id fd;		/* set by the caller of vu_memtable_add() */
	uint64_t addr;			/* address in this process */
	/* mapping, from the start of the first page */
	void	*map;
	size_t	 map_size;
};

struct vu_memtable {
	unsigned int		  n;
	struct vu_memtable_region region[VU_MEMTABLE_MAX];
};

/*
 * Checks and maps @size bytes of @fd; the caller keeps @fd. Returns -EINVAL if the
 * region does not start on a page, wraps around, or ends beyond the file; -EEXIST if it
 * overlaps another guest range; -EACCES or -EPERM if @fd is not open for writing;
 * -ENOSPC if the table is full; -EOPNOTSUPP if the file is not memfd, tmpfs or hugetlbfs.
 */
int vu_memtable_add(struct vu_memtable *t, const struct vu_region *r, int fd);

/* The index of the region with these addresses and size, else -ENOENT. */
int vu_memtable_find(const struct vu_memtable *t, const struct vu_region *r);

/*
 * Removes a region from the table. It stays mapped: the caller unmaps it with
 * vu_memtable_unmap().
 */
struct vu_memtable_region vu_memtable_take(struct vu_memtable *t,
					   unsigned int i);
void vu_memtable_unmap(struct vu_memtable_region *r);

/* Unmaps everything. */
void vu_memtable_clear(struct vu_memtable *t);

/*
 * The address in this process of @size bytes at the front end's @user_addr.
 * -EFAULT if they are not within one region.
 */
int vu_memtable_translate(const struct vu_memtable *t, uint64_t user_addr,
			  uint64_t size, uint64_t *addr);

/* The table for VHOST_SET_MEM_TABLE, which the caller frees; NULL: out of memory. */
struct vhost_memory *vu_memtable_to_vhost(const struct vu_memtable *t);

uint64_t vu_memtable_bytes(const struct vu_memtable *t);

#endif
