/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shadow - the expected content of each block of the disk
 *
 * A block's content is computed from seed, sector and generation. The block
 * also stores its generation, so that a later run can check blocks without a
 * record of them. Generation 0 means that this program has not written the
 * block, which may hold anything.
 *
 * Context: each block belongs to the thread of one queue, so there are no
 * locks.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <stdint.h>

struct shadow {
	uint64_t	seed;
	uint64_t	first;		/* first sector */
	uint64_t	nblocks;
	uint32_t	bs;			/* bytes of a block */
	/* By block: the generation that the block must have */
	uint32_t	*gen;
	/* True for each block with a request in flight */
	uint8_t		*busy;
};

int shadow_create(struct shadow *s, uint64_t seed, uint64_t first,
		  uint64_t nblocks, uint32_t bs);
void shadow_destroy(struct shadow *s);

/*
 * Returns 0 or -errno. -ENOENT: there is no such file; -EINVAL: the file has
 * another seed, area or block size.
 */
int shadow_load(struct shadow *s, const char *path);
int shadow_save(const struct shadow *s, const char *path);

uint64_t shadow_sector(const struct shadow *s, uint64_t block);
void shadow_fill(const struct shadow *s, uint64_t block, uint32_t gen,
		 void *to);
/* The first wrong sector, and the sector that its content names. */
struct shadow_wrong {
	uint64_t	sector;
	uint64_t	found_sector;
	uint32_t	found_gen;
};

/* Returns 0, or -EILSEQ and fills @wrong. */
int shadow_check(const struct shadow *s, uint64_t block, uint32_t gen,
		 const void *from, struct shadow_wrong *wrong);
/* The generation stored in a block; 0 if this program did not write it. */
uint32_t shadow_probe(const struct shadow *s, const void *from);

#endif
