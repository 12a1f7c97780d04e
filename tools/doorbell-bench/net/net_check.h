/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_check - what arrived of one stream of frames: in order, once, as sent
 *
 * Context: any thread; the numbers may be read while others add.
 */
#ifndef NET_CHECK_H
#define NET_CHECK_H

#include <pthread.h>
#include <stdint.h>

/* Frames that may be late and are still told from those that came twice. */
#define NET_CHECK_WINDOW	65536u

struct net_check {
	pthread_mutex_t	lock;
	uint64_t	next;		/* the number that is due */
	uint64_t	seen;		/* frames, each counted once */
	uint64_t	bytes;
	uint64_t	duplicates;
	uint64_t	reordered;
	uint64_t	window[NET_CHECK_WINDOW / 64];	/* seen, by number */
};

void net_check_init(struct net_check *c);
/* Frame @seq of @len bytes came. */
void net_check_add(struct net_check *c, uint64_t seq, uint32_t len);
uint64_t net_check_seen(const struct net_check *c);

#endif
