/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mem - the guest's memory: one shared file, cut into regions with holes
 *
 * The regions lie side by side in the file and in this process, but apart in
 * guest physical addresses: a back end that mixes the two address spaces up,
 * or runs over the end of a region, reads or writes the wrong bytes and is
 * caught.
 */
#ifndef MEM_H
#define MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_MAX_REGIONS	64
#define MEM_FIRST_GPA	0x100000ull
/* Guest physical addresses between two regions that belong to none. */
#define MEM_HOLE	0x200000ull

enum mem_kind {
	MEM_4K,
	MEM_SCATTERED,		/* neighbours are none for the host */
	MEM_THP,
	MEM_HUGETLB,
	MEM_FILE,
};

struct mem_region {
	uint64_t	gpa;
	uint64_t	size;
	uint64_t	offset;		/* in the file */
	uint8_t		*ptr;
	uint64_t	used;		/* bytes handed out */
};

struct mem {
	int			fd;
	size_t			punch;	/* granule of punching */
	uint8_t			*base;
	size_t			size;
	unsigned int		nregions;
	struct mem_region	region[MEM_MAX_REGIONS];
};

/* @path is for MEM_FILE only. Returns 0 or -errno. */
int mem_create(struct mem *m, enum mem_kind kind, const char *path,
	       unsigned int nregions, size_t region_size);
void mem_destroy(struct mem *m);

/* The smallest piece of @kind of memory that mem_punch() can give back. */
size_t mem_punch_size(enum mem_kind kind);

/* Zeroed memory, in @region if it has room, else in any; NULL if none has. */
void *mem_alloc(struct mem *m, size_t size, size_t align, unsigned int region);

uint64_t mem_gpa(const struct mem *m, const void *ptr);

/* Gives the whole pages within the range back to the kernel. */
int mem_punch(const struct mem *m, void *ptr, size_t size);

#endif
