/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lane - one queue under load: its ring, its requests, its part of the disk
 *
 * Context: one thread per lane. The main thread may read the counters at any
 * time, and may touch the ring only while the lane is parked.
 */
#ifndef LANE_H
#define LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dev.h"
#include "hist.h"
#include "marks.h"
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
	LANE_LOAD,	/* the measured load */
	LANE_SWEEP,	/* read and check every block written */
	LANE_RESWEEP,	/* the same after a reconnect, then the load again */
	LANE_DONE,
};

struct lane_slot {
	struct req	req;
	enum lane_op	op;
	uint64_t	block;
	uint32_t	gen;
	uint64_t	stable;		/* a flush: writes acknowledged before it */
	uint64_t	start;
	bool		measured;
};

struct lane_stats {
	uint64_t	requests;	/* completed in phase LANE_LOAD */
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

/* Shared by all lanes. The main thread closes the gate to park the lanes. */
struct lane_gate {
	struct dev	*dev;		/* under @lock while lanes run */
	pthread_mutex_t	lock;
	pthread_cond_t	cond;
	bool		close;		/* written under @lock, read without */
	bool		abort;		/* lanes shall give up; read without @lock */
	unsigned int	parked;
	unsigned int	running;
	int		event;		/* eventfd: a lane has ended */
};

struct lane {
	/* Constant while the thread runs. */
	const struct options	*o;
	struct lane_gate	*gate;
	struct shadow		*shadow;	/* NULL: data are not checked */
	struct req_rules	rules;
	unsigned int		index;
	uint64_t		first;		/* first block of the lane */
	uint64_t		nblocks;
	uint64_t		target;		/* requests to send; UINT64_MAX: no limit */
	uint64_t		deadline;	/* ns; UINT64_MAX: no limit */
	uint64_t		base_sector;

	/* Used by the lane's thread only: */
	struct ring		ring;
	struct lane_slot	*slot;
	uint32_t		*idle;		/* stack of idle slot numbers */
	uint32_t		nidle;
	enum lane_phase		phase;
	uint64_t		rng;
	uint64_t		issued;
	uint64_t		next_block;
	uint64_t		sweep_block;
	uint64_t		writes_since_flush;
	uint64_t		op_count;
	uint64_t		next_reset;	/* value of @issued at the next reset */
	unsigned int		silent;		/* waits in a row that timed out */
	uint64_t		start;
	uint8_t			*scratch;
	struct marks		marks;
	pthread_t		thread;

	/* Read by the main thread, too: */
	struct lane_stats	stats;
	struct hist		hist;
	uint64_t		progress;	/* completions in all phases */
	uint32_t		in_flight;
	const char		*fatal;		/* why the lane gave up; a constant string */
};

/* Bytes of guest memory that one lane needs. */
size_t lane_bytes(const struct options *o, const struct req_rules *rules);
/* The caller has set all constant members up to base_sector. */
int lane_create(struct lane *l);
void lane_destroy(struct lane *l);
int lane_start(struct lane *l);

/* Called by the main thread. */
void lane_gate_close(struct lane_gate *g, struct lane *lanes, unsigned int n);
void lane_gate_open(struct lane_gate *g);
void lane_wake(const struct lane *l);

#endif
