/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_check - do the frames of one stream arrive in order, once, and unchanged?
 *
 * Context: any thread; the counters may be read while other threads add frames.
 */
#ifndef NET_CHECK_H
#define NET_CHECK_H

#include <pthread.h>
#include <stdint.h>

/* Frames that may be late and are still distinguished from duplicates. */
#define NET_CHECK_WINDOW	65536u

struct net_check {
	pthread_mutex_t	lock;
	uint64_t	next;		/* number of the next frame in order */
	uint64_t	seen;		/* frames without duplicates */
	uint64_t	bytes;
	uint64_t	duplicates;
	uint64_t	reordered;
	uint64_t	window[NET_CHECK_WINDOW / 64];	/* bit map of seen frames, by number */
};

void net_check_init(struct net_check *c);
/* Records that frame @seq of @len bytes arrived. */
void net_check_add(struct net_check *c, uint64_t seq, uint32_t len);
uint64_t net_check_seen(const struct net_check *c);

#endif
