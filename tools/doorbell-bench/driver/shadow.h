/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shadow - what each block of the disk must hold
 *
 * A block's content follows from (seed, sector, generation); the generation is
 * in the content too, so that a later run can check blocks it knows nothing of.
 * Generation 0 means: not written by us, holds anything.
 *
 * Context: the blocks are divided among the queues' threads; one thread per
 * block, no locks.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <stdint.h>

struct shadow {
	uint64_t	seed;
	uint64_t	first;		/* first sector */
	uint64_t	nblocks;
	uint32_t	bs;
	uint32_t	*gen;
	uint8_t		*busy;		/* a request is in flight */
};

int shadow_create(struct shadow *s, uint64_t seed, uint64_t first,
		  uint64_t nblocks, uint32_t bs);
void shadow_destroy(struct shadow *s);

/* -ENOENT: no such file; -EINVAL: of another seed, area or block size. */
int shadow_load(struct shadow *s, const char *path);
int shadow_save(const struct shadow *s, const char *path);

uint64_t shadow_sector(const struct shadow *s, uint64_t block);
void shadow_fill(const struct shadow *s, uint64_t block, uint32_t gen,
		 void *to);
/* The first wrong sector, and what it says it is. */
struct shadow_wrong {
	uint64_t	sector;
	uint64_t	found_sector;
	uint32_t	found_gen;
};

/* Returns 0, or -EILSEQ and fills @wrong. */
int shadow_check(const struct shadow *s, uint64_t block, uint32_t gen,
		 const void *from, struct shadow_wrong *wrong);
/* The generation that a block says it has; 0 if it is none of ours. */
uint32_t shadow_probe(const struct shadow *s, const void *from);

#endif
