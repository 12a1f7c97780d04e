/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lane - one queue under load: its ring, its requests, its part of the disk
 *
 * Context: one thread per lane. The main thread may look at the counters at
 * any time, and may touch the ring only while the lane is parked.
 */
#ifndef LANE_H
#define LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dev.h"
#include "hist.h"
#include "options.h"
#include "req.h"
#include "ring.h"
#include "shadow.h"

enum lane_op {
	LANE_READ,
	LANE_WRITE,
	LANE_FLUSH,
};

enum lane_phase {
	LANE_LOAD,	/* what the options ask for; measured */
	LANE_SWEEP,	/* every block that we wrote is read and checked */
	LANE_RESWEEP,	/* the same after a reconnect, then on with the load */
	LANE_DONE,
};

struct lane_slot {
	struct req	req;
	enum lane_op	op;
	uint64_t	block;
	uint32_t	gen;
	uint64_t	start;
	bool		measured;
};

struct lane_stats {
	uint64_t	requests;	/* completed under load */
	uint64_t	reads;
	uint64_t	writes;
	uint64_t	flushes;
	uint64_t	checked;	/* blocks compared */
	uint64_t	errors;
	uint64_t	verify_errors;
	uint64_t	punches;
	uint64_t	resets;
	uint64_t	kicks;
	uint64_t	waits;
	uint64_t	switches;
	uint64_t	load_ns;
};

/* Shared by all lanes; the gate is how the main thread stops them. */
struct lane_gate {
	struct dev	*dev;		/* under lock, while lanes run */
	pthread_mutex_t	lock;
	pthread_cond_t	cond;
	bool		close;		/* under lock, read without */
	bool		abort;		/* give up; read without lock */
	unsigned int	parked;
	unsigned int	running;
	int		event;		/* eventfd: a lane has ended */
};

struct lane {
	/* Constant while the thread runs. */
	const struct options	*o;
	struct lane_gate	*gate;
	struct shadow		*shadow;	/* NULL: no checking */
	struct req_rules	rules;
	unsigned int		index;
	uint64_t		first;		/* block */
	uint64_t		nblocks;
	uint64_t		target;		/* requests; UINT64_MAX: time */
	uint64_t		deadline;	/* ns; UINT64_MAX: count */
	uint64_t		base_sector;

	/* The lane's thread. */
	struct ring		ring;
	struct lane_slot	*slot;
	uint32_t		*idle;		/* stack of slot numbers */
	uint32_t		nidle;
	enum lane_phase		phase;
	uint64_t		rng;
	uint64_t		issued;
	uint64_t		next_block;
	uint64_t		sweep_block;
	uint64_t		writes_since_flush;
	uint64_t		op_count;
	uint64_t		next_reset;	/* by @issued */
	unsigned int		silent;		/* waits that nothing ended */
	uint64_t		start;
	uint8_t			*scratch;
	pthread_t		thread;

	/* Read by the main thread too. */
	struct lane_stats	stats;
	struct hist		hist;
	uint64_t		progress;	/* completions of any phase */
	uint32_t		in_flight;
	const char		*fatal;		/* why it gave up; static */
};

/* Guest memory of one lane. */
size_t lane_bytes(const struct options *o, const struct req_rules *rules);
/* All that is constant was set by the caller, up to base_sector. */
int lane_create(struct lane *l);
void lane_destroy(struct lane *l);
int lane_start(struct lane *l);

/* For the main thread. */
void lane_gate_close(struct lane_gate *g, struct lane *lanes, unsigned int n);
void lane_gate_open(struct lane_gate *g);
void lane_wake(const struct lane *l);

#endif
