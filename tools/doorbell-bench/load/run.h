/* SPDX-License-Identifier: GPL-2.0 */
/* run - one run of the load: device, memory, lanes and results */
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
	uint64_t		errors;		/* errors that belong to no lane */
	uint64_t		disconnects;
	uint64_t		late;		/* completions seen after a disconnect */
	/* The back end has ended, and no other one has connected. */
	bool			gone;
};

/*
 * Returns 0 when the run went to its end, whatever it found: see r->errors and
 * the counters of the lanes. Else returns -errno and has printed why.
 */
int run_load(struct run *r, const struct options *o);
void run_destroy(struct run *r);

/*
 * The struct dev_wish for these options, for other subcommands on the same
 * device.
 */
struct dev_wish run_wish(const struct options *o);

#endif
