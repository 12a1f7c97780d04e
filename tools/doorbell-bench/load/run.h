/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run - one run of the load: device, memory, lanes, and what came out
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "dev.h"
#include "lane.h"
#include "mem.h"
#include "options.h"
#include "shadow.h"

struct run {
	const struct options	*o;
	struct dev_wish		wish;
	struct dev		dev;
	struct mem		mem;
	struct shadow		shadow;
	struct lane_gate	gate;
	struct lane		*lane;
	unsigned int		nlanes;
	unsigned int		started;
	uint64_t		nblocks;
	uint64_t		errors;		/* not of a lane */
	uint64_t		disconnects;
	uint64_t		late;		/* completions after that */
	bool			gone;		/* and it will not come back */
};

/*
 * Returns 0 when the run went to its end, whatever it found (see r->errors
 * and the lanes' counters); else -errno after having said why.
 */
int run_load(struct run *r, const struct options *o);
void run_destroy(struct run *r);

/* For other jobs on the same device: the wish that @o makes. */
struct dev_wish run_wish(const struct options *o);

#endif
