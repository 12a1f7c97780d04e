/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats - counters of one queue, grouped by who may write them
 *
 * Each counter has one writer at a time, so none is atomic; readers take what
 * they find.
 */
#ifndef BELL_STATS_H
#define BELL_STATS_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct bell_stats {
	/* The kick hook, under the eventfd's wqh->lock. */
	u64	kicks;

	/* Whoever holds the run token. */
	u64	inline_passes ____cacheline_aligned_in_smp;
	u64	worker_passes;
	u64	punts;
	u64	requests;
	u64	polls;
	u64	poll_hits;
	u64	poll_ns;

	/* Whoever holds the queue's completion lock. */
	u64	completed ____cacheline_aligned_in_smp;
	u64	bytes_read;
	u64	bytes_written;
	u64	errors;
	u64	signals;
	u64	suppressed;
	u64	coalesced;
	u64	broken;
};

#define bell_stat_add(counter, n)	WRITE_ONCE(counter, (counter) + (n))
#define bell_stat_inc(counter)		bell_stat_add(counter, 1)

#endif
