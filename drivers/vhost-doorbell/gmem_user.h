/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_GMEM_USER_H
#define BELL_GMEM_USER_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * One who keeps using pages after a look-up, for as long as a request lasts.
 * Each stay is counted in the epoch in which it began; a page that went away
 * is released when all stays of its epoch have ended, so that new requests,
 * however many, never hold that up.
 *
 * Who begins stays and who ends them may run on two processors at once, for each
 * request: neither writes where the other does.
 */
struct bell_gmem_user {
	/* Who begins them, one at a time. */
	u32			 entered[2];	/* by epoch; wraps */
	unsigned int		 epoch;
	struct list_head	 node;

	/* Who ends them, one at a time. */
	u32			 left[2] ____cacheline_aligned_in_smp;
	wait_queue_head_t	 idle;
};

void bell_gmem_user_init(struct bell_gmem_user *user);
unsigned int bell_gmem_user_enter(struct bell_gmem_user *user);
void bell_gmem_user_cancel(struct bell_gmem_user *user, unsigned int epoch);
void bell_gmem_user_leave(struct bell_gmem_user *user, unsigned int epoch,
			  u32 n);
void bell_gmem_user_turn(struct bell_gmem_user *user);
bool bell_gmem_user_turned(struct bell_gmem_user *user);
bool bell_gmem_user_drain(struct bell_gmem_user *user, long timeout);

/* Stays that began in an epoch and have not ended */
static inline u32 bell_gmem_user_stays(const struct bell_gmem_user *user,
				       unsigned int epoch)
{
	u32 left;

	/*
	 * In this order, so that it is never less than none. What was done in a
	 * stay that has ended is over: pairs with the release of the leave.
	 */
	left = smp_load_acquire(&user->left[epoch]);
	/* And with that of a cancelled one. */
	return smp_load_acquire(&user->entered[epoch]) - left;
}

static inline u32 bell_gmem_user_in_flight(const struct bell_gmem_user *user)
{
	return bell_gmem_user_stays(user, 0) + bell_gmem_user_stays(user, 1);
}

#endif
