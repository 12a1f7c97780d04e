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
void bell_gmem_user_turn(struct bell_gmem_user *user);
bool bell_gmem_user_turned(struct bell_gmem_user *user);
bool bell_gmem_user_drain(struct bell_gmem_user *user, long timeout);

/* Each request calls these; a call would cost as much as their work. */

/**
 * bell_gmem_user_cancel() - undo bell_gmem_user_enter(), in the same context
 * @user: the user of the pages
 * @epoch: what bell_gmem_user_enter() returned
 *
 * Context: As for bell_gmem_user_enter().
 */
static inline void bell_gmem_user_cancel(struct bell_gmem_user *user,
					 unsigned int epoch)
{
	/* Pairs with the acquire in bell_gmem_user_stays(). */
	smp_store_release(&user->entered[epoch], user->entered[epoch] - 1);
}

/**
 * bell_gmem_user_enter() - count a new request: pages that it looks up are kept
 * @user: the user of the pages
 *
 * Context: Any, one caller at a time.
 * Return: the epoch, for bell_gmem_user_leave().
 */
static inline unsigned int
bell_gmem_user_enter(struct bell_gmem_user *user)
{
	unsigned int epoch;

	for (;;) {
		/* Pairs with the release in bell_gmem_user_turn(). */
		epoch = smp_load_acquire(&user->epoch);
		WRITE_ONCE(user->entered[epoch], user->entered[epoch] + 1);
		/*
		 * Pairs with the barrier in bell_gmem_user_turn(): either the turn
		 * counts this request, or this context sees the new epoch and enters it.
		 * Then it also sees that the stale leaves have left the table.
		 */
		smp_mb();
		/*
		 * The same epoch after the count: no turn went by, or two did. With the
		 * acquire, look-ups after it see the table as of the later turn.
		 */
		if (likely(smp_load_acquire(&user->epoch) == epoch))
			return epoch;
		bell_gmem_user_cancel(user, epoch);
	}
}

/**
 * bell_gmem_user_leave() - count requests that have ended
 * @user: the user of the pages
 * @epoch: what bell_gmem_user_enter() returned for each of them
 * @n: number of requests
 *
 * Context: Any, one caller at a time, in an RCU read-side section or with a spinlock
 * held. The caller that waits for the last request also waits for a grace period before it
 * frees @user.
 */
static inline void bell_gmem_user_leave(struct bell_gmem_user *user,
					unsigned int epoch, u32 n)
{
	/* Pairs with the acquire in bell_gmem_user_stays(). */
	smp_store_release(&user->left[epoch], user->left[epoch] + n);
	/*
	 * wq_has_sleeper() has a barrier: this sees the waiter, or the waiter sees
	 * `left`.
	 */
	if (wq_has_sleeper(&user->idle))
		wake_up(&user->idle);
}

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
