/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats - counters of one queue, grouped by the context that writes them
 *
 * Unless its comment says otherwise, a counter is not atomic and has one writer at a
 * time. Readers take no lock. Documentation/uapi.rst explains each counter.
 */
#ifndef BELL_STATS_H
#define BELL_STATS_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct bell_stats {
	/* Written by the kick hook, under the eventfd's wqh->lock */
	u64	kicks;

	/* Written by the holder of the run token */
	u64	inline_passes ____cacheline_aligned_in_smp;
	u64	worker_passes;
	u64	punts;
	u64	requests;
	u64	polls;
	u64	poll_hits;
	u64	poll_ns;

	/* Written under vq->lock */
	u64	completed ____cacheline_aligned_in_smp;
	u64	bytes_read;
	u64	bytes_written;
	u64	errors;
	u64	signals;
	u64	suppressed;
	u64	coalesced;
	u64	broken;

	/*
	 * Disks only: requests that wait for room on a full disk. Written in any
	 * context, several at a time.
	 */
	atomic_t	held;		/* requests that wait now */
	atomic_long_t	holds;		/* requests that began to wait */
};

/*
 * Kinds of requests; the same values as enum vhost_doorbell_kind. BELL_KIND_NONE is
 * counted in no histogram.
 */
enum bell_kind {
	BELL_KIND_READ,
	BELL_KIND_WRITE,
	BELL_KIND_FLUSH,
	BELL_KIND_DISCARD,
	BELL_KIND_ZEROES,
	BELL_KIND_OTHER,
	BELL_KIND_FRAME,
	BELL_KINDS,
	BELL_KIND_NONE = BELL_KINDS,
};

/* Why a request failed; the same values as enum vhost_doorbell_cause */
enum bell_cause {
	BELL_CAUSE_IO,
	BELL_CAUSE_NOSPC,
	BELL_CAUSE_UNSUPP,
	BELL_CAUSE_INVALID,
	BELL_CAUSE_NOMEM,
	BELL_CAUSE_ZONE,
	BELL_CAUSES,
};

#define BELL_NO_SECTOR	(~0ULL)

/* A failed request */
struct bell_failure {
	u64	sector;		/* of 512 bytes, or BELL_NO_SECTOR */
	u64	time;		/* nanoseconds since 1970 */
	/* Negative errno of the disk; 0: the device refused it */
	int	error;
	u8	kind;
	u8	cause;
	u8	status;		/* virtio status that the driver gets */
};

/* Failures of one queue, under vq->lock */
struct bell_failures {
	u64			count[BELL_KINDS][BELL_CAUSES];
	struct bell_failure	last;
};

/*
 * Counters of one pair of queues of a network card, in addition to those of each queue
 */
struct bell_net_stats {
	/* Written by hooks of the port, several at a time: increments may get lost. */
	u64	rx_hooks;
	/* Written by the NAPI poll */
	u64	rx_polls;

	/* Written by the context that delivers to the receiving queue */
	u64	rx_packets ____cacheline_aligned_in_smp;
	u64	rx_bytes;
	u64	rx_batches;
	u64	rx_punts;
	u64	rx_dry;
	u64	rx_drop_long;
	u64	rx_drop_offload;
	u64	rx_drop_dead;

	/* Written by the runner of the sending queue */
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
