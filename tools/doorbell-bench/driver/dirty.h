/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dirty - the dirty log of a migration: the back end sets a bit for each page of guest
 * memory that it wrote
 */
#ifndef DIRTY_H
#define DIRTY_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

struct dirty {
	int		fd;
	uint64_t	size;	/* bytes; 0: there is none */
	uint64_t	*bits;
};

/* Makes a log for all of @mem. Returns 0 or -errno. */
int dirty_create(struct dirty *d, const struct mem *mem);
void dirty_destroy(struct dirty *d);
/* Are all pages of these bytes logged? */
bool dirty_has(const struct dirty *d, uint64_t gpa, uint64_t len);
/* Returns how many pages are logged. */
uint64_t dirty_count(const struct dirty *d);

#endif
