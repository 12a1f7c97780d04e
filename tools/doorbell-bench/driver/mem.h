/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mem - the guest's memory: one shared file, cut into regions with holes
 *
 * The regions are adjacent in the file and in this process, but not in guest
 * physical addresses. So a back end that confuses the two address spaces, or
 * runs over the end of a region, accesses the wrong bytes and is caught.
 */
#ifndef MEM_H
#define MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_MAX_REGIONS	64
#define MEM_FIRST_GPA	0x100000ull
/* Bytes of guest physical addresses between two regions, in no region. */
#define MEM_HOLE	0x200000ull

enum mem_kind {
	MEM_4K,
	MEM_SCATTERED,		/* adjacent pages are apart in host memory */
	MEM_THP,
	MEM_HUGETLB,
	MEM_FILE,
};

struct mem_region {
	uint64_t	gpa;
	uint64_t	size;
	uint64_t	offset;		/* in the file */
	uint8_t		*ptr;
	uint64_t	used;		/* bytes already allocated */
};

struct mem {
	int			fd;
	size_t			punch;	/* unit of mem_punch() */
	uint8_t			*base;
	size_t			size;
	unsigned int		nregions;
	struct mem_region	region[MEM_MAX_REGIONS];
};

/* @path is used for MEM_FILE only. Returns 0 or -errno. */
int mem_create(struct mem *m, enum mem_kind kind, const char *path,
	       unsigned int nregions, size_t region_size);
void mem_destroy(struct mem *m);

/* The smallest piece of this kind of memory that mem_punch() can release. */
size_t mem_punch_size(enum mem_kind kind);

/*
 * Allocates zeroed memory, in @region if there is room, else in any region;
 * NULL if none has room.
 */
void *mem_alloc(struct mem *m, size_t size, size_t align, unsigned int region);

uint64_t mem_gpa(const struct mem *m, const void *ptr);

/* Releases all whole pages of the range to the kernel. */
int mem_punch(const struct mem *m, void *ptr, size_t size);

#endif
