/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_GMEM_USER_H
#define BELL_GMEM_USER_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * A user of guest pages, such as a queue. A stay is the time from the enter to the leave
 * of one request, in which pages that it looked up must not be released. Each stay is
 * counted in the epoch in which it began. An invalidated page is released when all stays
 * of its epoch have ended, so new requests, however many, never delay the release.
 *
 * Requests may enter on one CPU (the runner) and leave on another (completions) at the
 * same time; the two write to different cache lines.
 */
struct bell_gmem_user {
	/*
	 * Written by the context in which requests enter, one at a time.
	 *
	 * Number of requests that entered in each epoch (index); wraps
	 */
	u32			 entered[2];
	unsigned int		 epoch;		/* the present epoch, 0 or 1 */
	struct list_head	 node;		/* entry in the table's list of users */

	/*
	 * Written by the context in which requests leave, one at a time.
	 *
	 * Number of requests that left, by the epoch in which they entered; wraps
	 */
	u32			 left[2] ____cacheline_aligned_in_smp;
	wait_queue_head_t	 idle;		/* bell_gmem_user_drain() waits here */
};

void bell_gmem_user_init(struct bell_gmem_user *user);
unsigned int bell_gmem_user_enter(struct bell_gmem_user *user);
void bell_gmem_user_cancel(struct bell_gmem_user *user, unsigned int epoch);
void bell_gmem_user_leave(struct bell_gmem_user *user, unsigned int epoch,
			  u32 n);
void bell_gmem_user_turn(struct bell_gmem_user *user);
bool bell_gmem_user_turned(struct bell_gmem_user *user);
bool bell_gmem_user_drain(struct bell_gmem_user *user, long timeout);

/* Number of requests that entered in @epoch and have not left */
static inline u32 bell_gmem_user_stays(const struct bell_gmem_user *user,
				       unsigned int epoch)
{
	u32 left;

	/*
	 * Read `left` first, else the difference could be negative. Pairs with the
	 * release in bell_gmem_user_leave(): the accesses of requests that left are complete.
	 */
	left = smp_load_acquire(&user->left[epoch]);
	/* Pairs with the release in bell_gmem_user_cancel(). */
	return smp_load_acquire(&user->entered[epoch]) - left;
}

static inline u32 bell_gmem_user_in_flight(const struct bell_gmem_user *user)
{
	return bell_gmem_user_stays(user, 0) + bell_gmem_user_stays(user, 1);
}

#endif
