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

/* Of a pair of queues of a network card, beyond those of its queues. */
struct bell_net_stats {
	/* The hooks of the port, which may run at the same time: some get lost. */
	u64	rx_hooks;
	/* The poll in softirq context. */
	u64	rx_polls;

	/* Whoever delivers to the receiving queue. */
	u64	rx_packets ____cacheline_aligned_in_smp;
	u64	rx_bytes;
	u64	rx_batches;
	u64	rx_punts;
	u64	rx_dry;
	u64	rx_drop_long;
	u64	rx_drop_offload;
	u64	rx_drop_dead;

	/* Whoever runs the sending queue. */
	u64	tx_packets ____cacheline_aligned_in_smp;
	u64	tx_bytes;
	u64	tx_batches;
	u64	tx_large;
	u64	tx_drop_bad;
	u64	tx_drop_port;
	u64	tx_drop_down;
};

#define bell_stat_add(counter, n)	WRITE_ONCE(counter, (counter) + (n))
#define bell_stat_inc(counter)		bell_stat_add(counter, 1)

#endif
