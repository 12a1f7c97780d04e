// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_user - counts of the requests that use guest memory, by epoch
 *
 * A request enters when it begins to use pages, and leaves when it has ended. A page that
 * left the table is released when all requests that may use it have left. Each request is
 * counted in the epoch in which it entered. After a turn of the epoch, the count of the
 * old epoch is the number of those requests.
 */
#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "gmem_user.h"

/* bell_gmem_user_init() - initialise a user that has no request */
void bell_gmem_user_init(struct bell_gmem_user *user)
{
	memset(user, 0, sizeof(*user));
	init_waitqueue_head(&user->idle);
	INIT_LIST_HEAD(&user->node);
}

/**
 * bell_gmem_user_drain() - wait until all requests have left
 * @user: the user of the pages; no new request may enter
 * @timeout: in jiffies
 *
 * Context: Process context.
 * Return: false if some have not left after @timeout.
 */
bool bell_gmem_user_drain(struct bell_gmem_user *user, long timeout)
{
	return wait_event_timeout(user->idle, !bell_gmem_user_in_flight(user),
				  timeout);
}

/**
 * bell_gmem_user_turn() - begin a new epoch, whose requests cannot find pages that
 *	have left the table by now
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
 * bell_gmem_user_turned() - have all requests from before the turn left?
 * @user: the user of the pages
 *
 * Context: As for bell_gmem_user_turn().
 */
bool bell_gmem_user_turned(struct bell_gmem_user *user)
{
	return !bell_gmem_user_stays(user, !user->epoch);
}
