// SPDX-License-Identifier: GPL-2.0
#include "memtable.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/vhost_types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "peerfd.h"

static uint64_t memtable_page_mask(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE) - 1;
}

static bool memtable_wraps(uint64_t start, uint64_t size)
{
	/* The last byte may be the last of the address space. */
	return start + (size - 1) < start;
}

static bool memtable_overlap(uint64_t a, uint64_t a_size,
			     uint64_t b, uint64_t b_size)
{
	return a <= b + (b_size - 1) && b <= a + (a_size - 1);
}

static int memtable_check(const struct vu_memtable *t,
			  const struct vu_region *r)
{
	if (!r->size)
		return -EINVAL;
	/* A region may end within a page, as libblkio's do, but must start on one. */
	if ((r->gpa | r->user_addr | r->mmap_offset) & memtable_page_mask())
		return -EINVAL;
	if (memtable_wraps(r->gpa, r->size) ||
	    memtable_wraps(r->user_addr, r->size) ||
	    memtable_wraps(r->mmap_offset, r->size))
		return -EINVAL;
	if (t->n == VU_MEMTABLE_MAX)
		return -ENOSPC;
	for (unsigned int i = 0; i < t->n; i++) {
		const struct vu_memtable_region *o = &t->region[i];

		/* User addresses may overlap: a front end may map memory twice. */
		if (memtable_overlap(r->gpa, r->size, o->gpa, o->size))
			return -EEXIST;
	}
	return 0;
}

/* Returns the page size for mapping @fd, if the file contains all of @r. */
static int memtable_file(const struct vu_region *r, int fd, uint64_t *unit)
{
	struct statfs fs;
	struct stat st;

	/* The module pins pages of memory files only; fstat() of others may hang. */
	if (!vu_peerfd_is_memory(fd))
		return -EOPNOTSUPP;
	if (fstat(fd, &st) || fstatfs(fd, &fs))
		return -errno;
	if (st.st_size < 0 || r->size > (uint64_t)st.st_size ||
	    r->mmap_offset > (uint64_t)st.st_size - r->size)
		return -EINVAL;
	*unit = sysconf(_SC_PAGESIZE);
	if (fs.f_type == HUGETLBFS_MAGIC)
		*unit = fs.f_bsize;
	if (!*unit || *unit & (*unit - 1))
		return -EINVAL;
	return 0;
}

int vu_memtable_add(struct vu_memtable *t, const struct vu_region *r, int fd)
{
	struct vu_memtable_region *new;
	uint64_t unit, skip, len;
	void *map;
	int ret;

	ret = memtable_check(t, r);
	if (ret)
		return ret;
	ret = memtable_file(r, fd, &unit);
	if (ret)
		return ret;
	/* mmap() takes whole huge pages only: round start and end to them. */
	skip = r->mmap_offset & (unit - 1);
	if (__builtin_add_overflow(r->size, skip + unit - 1, &len))
		return -EINVAL;
	len &= ~(unit - 1);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_NORESERVE, fd, r->mmap_offset - skip);
	if (map == MAP_FAILED)
		return -errno;
	/* A core file of this process must not contain the guest's memory. */
	madvise(map, len, MADV_DONTDUMP);

	new = &t->region[t->n++];
	new->gpa = r->gpa;
	new->size = r->size;
	new->user_addr = r->user_addr;
	new->mmap_offset = r->mmap_offset;
	new->fd = (struct vu_fd_id){ 0 };
	new->addr = (uintptr_t)map + skip;
	new->map = map;
	new->map_size = len;
	return 0;
}

int vu_memtable_find(const struct vu_memtable *t, const struct vu_region *r)
{
	for (unsigned int i = 0; i < t->n; i++) {
		const struct vu_memtable_region *o = &t->region[i];

		if (o->gpa == r->gpa && o->size == r->size &&
		    o->user_addr == r->user_addr)
			return i;
	}
	return -ENOENT;
}

struct vu_memtable_region vu_memtable_take(struct vu_memtable *t,
					   unsigned int i)
{
	struct vu_memtable_region r = t->region[i];

	t->n--;
	memmove(&t->region[i], &t->region[i + 1],
		(t->n - i) * sizeof(t->region[0]));
	return r;
}

void vu_memtable_unmap(struct vu_memtable_region *r)
{
	munmap(r->map, r->map_size);
	r->map = NULL;
}

void vu_memtable_clear(struct vu_memtable *t)
{
	while (t->n)
		vu_memtable_unmap(&t->region[--t->n]);
}

int vu_memtable_translate(const struct vu_memtable *t, uint64_t user_addr,
			  uint64_t size, uint64_t *addr)
{
	for (unsigned int i = 0; i < t->n; i++) {
		const struct vu_memtable_region *r = &t->region[i];
		uint64_t at = user_addr - r->user_addr;

		/* Another region may begin before it and end after it. */
		if (user_addr < r->user_addr || at >= r->size ||
		    size > r->size - at)
			continue;
		*addr = r->addr + at;
		return 0;
	}
	return -EFAULT;
}

struct vhost_memory *vu_memtable_to_vhost(const struct vu_memtable *t)
{
	struct vhost_memory *m;

	m = calloc(1, sizeof(*m) + t->n * sizeof(m->regions[0]));
	if (!m)
		return NULL;
	m->nregions = t->n;
	for (unsigned int i = 0; i < t->n; i++) {
		m->regions[i].guest_phys_addr = t->region[i].gpa;
		m->regions[i].memory_size = t->region[i].size;
		m->regions[i].userspace_addr = t->region[i].addr;
	}
	return m;
}

uint64_t vu_memtable_bytes(const struct vu_memtable *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < t->n; i++)
		sum += t->region[i].size;
	return sum;
}
