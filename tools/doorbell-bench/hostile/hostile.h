/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hostile - break the rules of ring and request, one at a time
 *
 * Each case sends one violation on queue 0 of a device that is fine otherwise,
 * and checks the documented outcome. After that queue 1 must still serve, and
 * queue 0 must serve again after a restart.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stddef.h>

#include "options.h"

struct victim;

enum hostile_expect {
	EXPECT_BROKEN,		/* error eventfd signalled, no more completions */
	EXPECT_IOERR,		/* status 1 (IOERR), the queue goes on */
	EXPECT_UNSUPP,		/* status 2 (UNSUPP), the queue goes on */
	EXPECT_OK,
	EXPECT_OK_OR_IOERR,
	EXPECT_OK_OR_BROKEN,
};

/* Conditions of a case; if one is not met the case is skipped. */
#define HOSTILE_INDIRECT	(1u << 0)
/* INDIRECT_DESC must not be negotiated */
#define HOSTILE_NO_INDIRECT	(1u << 1)
#define HOSTILE_WRITABLE	(1u << 2)
#define HOSTILE_READ_ONLY	(1u << 3)
#define HOSTILE_BIG_BLOCKS	(1u << 4)	/* blk_size above 512 */
#define HOSTILE_SPLIT		(1u << 5)	/* only with this ring format */
#define HOSTILE_PACKED		(1u << 6)

struct hostile_case {
	const char		*name;
	enum hostile_expect	expect;
	unsigned int		need;
	/* Lays the violation into the ring; the caller publishes it. */
	void			(*craft)(struct victim *v);
	/*
	 * Checks more after the expected outcome; returns NULL, or what is
	 * wrong.
	 */
	const char		*(*check)(const struct victim *v);
};

struct hostile_set {
	const struct hostile_case	*cases;
	size_t				n;
};

struct hostile_set hostile_ring_cases(void);
struct hostile_set hostile_req_cases(void);
int hostile_random(const struct options *o);

/* Prints TAP. Returns 0 if every case had the documented outcome. */
int hostile_run(const struct options *o);

#endif
