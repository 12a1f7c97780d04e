// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_user - who uses guest pages, and until when
 *
 * A page that left the table is released when all stays that may know it have
 * ended. Each stay is counted in the epoch in which it began. Once the epoch has
 * turned, the count of the old one is that of those stays and no others.
 */
#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "gmem_user.h"

/* bell_gmem_user_init() - prepare a user that stays nowhere yet */
void bell_gmem_user_init(struct bell_gmem_user *user)
{
	memset(user, 0, sizeof(*user));
	init_waitqueue_head(&user->idle);
	INIT_LIST_HEAD(&user->node);
}

/**
 * bell_gmem_user_enter() - begin a stay: pages looked up from here on are kept
 * @user: the user of the pages
 *
 * Context: Any, one caller at a time.
 * Return: the epoch, for bell_gmem_user_leave().
 */
unsigned int bell_gmem_user_enter(struct bell_gmem_user *user)
{
	unsigned int epoch;

	for (;;) {
		/* Pairs with the release in bell_gmem_user_turn(). */
		epoch = smp_load_acquire(&user->epoch);
		WRITE_ONCE(user->entered[epoch], user->entered[epoch] + 1);
		/*
		 * Pairs with the barrier in bell_gmem_user_turn(): either it sees
		 * us in flight, or we see the new epoch and move over, and with
		 * it that the stale leaves have left the table.
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
 * bell_gmem_user_cancel() - end a stay in the context that began it
 * @user: the user of the pages
 * @epoch: what bell_gmem_user_enter() returned
 *
 * Context: As for bell_gmem_user_enter().
 */
void bell_gmem_user_cancel(struct bell_gmem_user *user, unsigned int epoch)
{
	/* Pairs with the acquire in bell_gmem_user_stays(). */
	smp_store_release(&user->entered[epoch], user->entered[epoch] - 1);
}

/**
 * bell_gmem_user_leave() - end stays
 * @user: the user of the pages
 * @epoch: what bell_gmem_user_enter() returned for each of them
 * @n: how many
 *
 * Context: Any, one caller at a time, in an RCU read-side section, which the hold of
 * a spinlock is, too: the caller that waits for the last stay also waits for a grace
 * period before @user goes.
 */
void bell_gmem_user_leave(struct bell_gmem_user *user, unsigned int epoch,
			  u32 n)
{
	/* Pairs with the acquire in bell_gmem_user_stays(). */
	smp_store_release(&user->left[epoch], user->left[epoch] + n);
	/* wq_has_sleeper() has a barrier: we see the waiter, or it sees `left`. */
	if (wq_has_sleeper(&user->idle))
		wake_up(&user->idle);
}

/**
 * bell_gmem_user_drain() - wait until all stays have ended
 * @user: the user of the pages, which begins no new stay
 * @timeout: in jiffies
 *
 * Context: Process context.
 * Return: false if there are some when time is up.
 */
bool bell_gmem_user_drain(struct bell_gmem_user *user, long timeout)
{
	return wait_event_timeout(user->idle, !bell_gmem_user_in_flight(user),
				  timeout);
}

/**
 * bell_gmem_user_turn() - new stays may not know what has left the table by now
 * @user: the user of the pages; bell_gmem_user_turned() is true for the turn before
 *
 * Context: Process context, one caller at a time.
 */
void bell_gmem_user_turn(struct bell_gmem_user *user)
{
	/* Pairs with the acquire in bell_gmem_user_enter(). */
	smp_store_release(&user->epoch, !user->epoch);
	/* Pairs with the barrier in bell_gmem_user_enter(). */
	smp_mb();
}

/**
 * bell_gmem_user_turned() - have all stays from before the turn ended?
 * @user: the user of the pages
 *
 * Context: As for bell_gmem_user_turn().
 */
bool bell_gmem_user_turned(struct bell_gmem_user *user)
{
	return !bell_gmem_user_stays(user, !user->epoch);
}
