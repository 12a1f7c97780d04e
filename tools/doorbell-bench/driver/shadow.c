// SPDX-License-Identifier: GPL-2.0
/*
 * shadow - the expected content of each block of the disk
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "shadow.h"

#define SHADOW_MAGIC	0x646f6f7262656c6cull	/* "doorbell" in ASCII */
#define SECTOR		512
#define WORDS		(SECTOR / 8)

struct shadow_file {
	uint64_t	magic;
	uint64_t	seed;
	uint64_t	first;
	uint64_t	nblocks;
	uint64_t	bs;
};

int shadow_create(struct shadow *s, uint64_t seed, uint64_t first,
		  uint64_t nblocks, uint32_t bs)
{
	*s = (struct shadow){
		.seed = seed, .first = first, .nblocks = nblocks, .bs = bs,
		.gen = calloc(nblocks, sizeof(*s->gen)),
		.busy = calloc(nblocks, sizeof(*s->busy)),
	};
	if (s->gen && s->busy)
		return 0;
	shadow_destroy(s);
	return -ENOMEM;
}

void shadow_destroy(struct shadow *s)
{
	free(s->gen);
	free(s->busy);
	s->gen = NULL;
	s->busy = NULL;
}

static struct shadow_file shadow_header(const struct shadow *s)
{
	return (struct shadow_file){ SHADOW_MAGIC, s->seed, s->first,
				     s->nblocks, s->bs };
}

int shadow_load(struct shadow *s, const char *path)
{
	struct shadow_file want = shadow_header(s), have;
	FILE *f = fopen(path, "re");
	int ret = 0;

	if (!f)
		return -errno;
	if (fread(&have, sizeof(have), 1, f) != 1 ||
	    memcmp(&have, &want, sizeof(want)) ||
	    fread(s->gen, sizeof(*s->gen), s->nblocks, f) != s->nblocks)
		ret = -EINVAL;
	fclose(f);
	return ret;
}

int shadow_save(const struct shadow *s, const char *path)
{
	struct shadow_file header = shadow_header(s);
	FILE *f = fopen(path, "we");
	int ret = 0;

	if (!f)
		return -errno;
	if (fwrite(&header, sizeof(header), 1, f) != 1 ||
	    fwrite(s->gen, sizeof(*s->gen), s->nblocks, f) != s->nblocks)
		ret = -EIO;
	if (fclose(f) && !ret)
		ret = -errno;
	return ret;
}

uint64_t shadow_sector(const struct shadow *s, uint64_t block)
{
	return s->first + block * (s->bs / SECTOR);
}

static void sector_fill(uint64_t seed, uint64_t sector, uint32_t gen,
			uint64_t *w)
{
	uint64_t x = (seed ^ (sector << 20) ^ gen) * 0x9e3779b97f4a7c15u;

	w[0] = SHADOW_MAGIC ^ seed;
	w[1] = sector;
	w[2] = gen;
	for (unsigned int i = 3; i < WORDS; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		w[i] = x;
	}
}

void shadow_fill(const struct shadow *s, uint64_t block, uint32_t gen,
		 void *to)
{
	uint64_t sector = shadow_sector(s, block);
	uint64_t *w = to;

	for (uint32_t at = 0; at < s->bs; at += SECTOR, w += WORDS)
		sector_fill(s->seed, sector++, gen, w);
}

int shadow_check(const struct shadow *s, uint64_t block, uint32_t gen,
		 const void *from, struct shadow_wrong *wrong)
{
	uint64_t sector = shadow_sector(s, block);
	const uint64_t *w = from;
	uint64_t want[WORDS];

	for (uint32_t at = 0; at < s->bs; at += SECTOR, w += WORDS, sector++) {
		sector_fill(s->seed, sector, gen, want);
		if (!memcmp(w, want, SECTOR))
			continue;
		*wrong = (struct shadow_wrong){
			.sector = sector, .found_sector = w[1],
			.found_gen = (uint32_t)w[2],
		};
		return -EILSEQ;
	}
	return 0;
}

uint32_t shadow_probe(const struct shadow *s, const void *from)
{
	const uint64_t *w = from;

	return w[0] == (SHADOW_MAGIC ^ s->seed) ? (uint32_t)w[2] : 0;
}
