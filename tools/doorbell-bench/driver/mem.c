// SPDX-License-Identifier: GPL-2.0
/*
 * mem - the guest's memory: one shared file, cut into regions with holes
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"

#define HUGE_PAGE	0x200000ul

size_t mem_punch_size(enum mem_kind kind)
{
	return kind == MEM_HUGETLB ? HUGE_PAGE : 4096;
}

static int mem_open(enum mem_kind kind, const char *path)
{
	unsigned int flags = MFD_CLOEXEC;
	int fd;

	if (kind == MEM_FILE)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	else
		fd = memfd_create("guest-memory", kind == MEM_HUGETLB ?
				  flags | MFD_HUGETLB : flags);
	return fd < 0 ? -errno : fd;
}

/* Maps the file at an address aligned to a huge page: huge pages need that. */
static uint8_t *mem_map(int fd, size_t size)
{
	uint8_t *room, *at;

	room = mmap(NULL, size + HUGE_PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return NULL;
	at = (uint8_t *)(((uintptr_t)room + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	at = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		  fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

int mem_create(struct mem *m, enum mem_kind kind, const char *path,
	       unsigned int nregions, size_t region_size)
{
	size_t page = kind == MEM_THP ? HUGE_PAGE : mem_punch_size(kind);
	uint64_t gpa = MEM_FIRST_GPA;
	int ret;

	memset(m, 0, sizeof(*m));
	m->punch = mem_punch_size(kind);
	region_size = (region_size + page - 1) & ~(page - 1);
	m->size = region_size * nregions;
	m->nregions = nregions;
	m->fd = mem_open(kind, path);
	if (m->fd < 0)
		return m->fd;
	if (ftruncate(m->fd, (off_t)m->size))
		goto err_fd;
	m->base = mem_map(m->fd, m->size);
	if (!m->base)
		goto err_fd;
	if (kind == MEM_THP)
		/*
		 * Only advice: where shmem has no huge pages, the pages are
		 * small.
		 */
		(void)madvise(m->base, m->size, MADV_HUGEPAGE);
	/*
	 * The kernel takes host pages one after another as they are touched.
	 * Touching every second page first makes neighbours lie apart.
	 */
	for (size_t at = 0; kind == MEM_SCATTERED && at < m->size; at += 8192)
		m->base[at] = 1;
	/* A file may hold old data, but rings must start with zeroes. */
	memset(m->base, 0, m->size);
	for (unsigned int i = 0; i < nregions; i++) {
		m->region[i] = (struct mem_region){
			.gpa = gpa, .size = region_size,
			.offset = i * region_size,
			.ptr = m->base + i * region_size,
		};
		gpa += region_size + MEM_HOLE;
	}
	return 0;

err_fd:
	ret = -errno;
	close(m->fd);
	m->fd = -1;
	return ret;
}

void mem_destroy(struct mem *m)
{
	if (m->base)
		munmap(m->base, m->size);
	if (m->fd >= 0)
		close(m->fd);
	m->base = NULL;
	m->fd = -1;
}

static void *region_alloc(struct mem_region *r, size_t size, size_t align)
{
	uint64_t at = (r->used + align - 1) & ~((uint64_t)align - 1);

	if (at > r->size || size > r->size - at)
		return NULL;
	r->used = at + size;
	return r->ptr + at;
}

void *mem_alloc(struct mem *m, size_t size, size_t align, unsigned int region)
{
	for (unsigned int i = 0; i < m->nregions; i++) {
		unsigned int at = (region + i) % m->nregions;
		void *p = region_alloc(&m->region[at], size, align);

		if (p)
			return p;
	}
	return NULL;
}

uint64_t mem_gpa(const struct mem *m, const void *ptr)
{
	uint64_t offset = (uint64_t)((const uint8_t *)ptr - m->base);
	const struct mem_region *r = &m->region[offset / m->region[0].size];

	return r->gpa + (offset - r->offset);
}

int mem_punch(const struct mem *m, void *ptr, size_t size)
{
	uint64_t mask = (uint64_t)m->punch - 1;
	uint64_t from = (uint64_t)((uint8_t *)ptr - m->base);
	uint64_t to = (from + size) & ~mask;

	from = (from + mask) & ~mask;
	if (from >= to)
		return 0;
	if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)from, (off_t)(to - from)))
		return -errno;
	return 0;
}
