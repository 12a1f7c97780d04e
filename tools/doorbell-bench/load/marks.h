/* SPDX-License-Identifier: GPL-2.0 */
/*
 * marks - name the writes that are stable in the log of a dm-log-writes device
 *
 * The target logs each write when it is stable, in order. A mark that follows an
 * acknowledged flush names the writes that were acknowledged before that flush, so each of
 * them must precede the mark in the log. A mark's text is a list of SECTOR.GENERATION (see
 * shadow.h), separated by commas; each is the first sector of a block.
 *
 * Context: one instance per lane, used by its thread.
 */
#ifndef MARKS_H
#define MARKS_H

#include <stddef.h>
#include <stdint.h>

struct marks_write {
	uint64_t	sector;
	uint32_t	gen;
};

struct marks {
	const char		*name;	/* of the dm device; NULL: no marks */
	int			fd;	/* device mapper's control file */
	struct marks_write	*write;	/* acknowledged, not yet named by a mark */
	size_t			num;
	size_t			room;
	/* All acknowledged writes, and those of them that a mark names */
	uint64_t		acknowledged;
	uint64_t		marked;
};

/* @name may be NULL. These return 0 or -errno. */
int marks_create(struct marks *m, const char *name);
void marks_destroy(struct marks *m);
/* Records an acknowledged write. */
int marks_add(struct marks *m, uint64_t sector, uint32_t gen);
/* Puts marks for the first @stable acknowledged writes that have none yet. */
int marks_put(struct marks *m, uint64_t stable);

#endif
