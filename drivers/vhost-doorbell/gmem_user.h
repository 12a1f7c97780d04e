/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_GMEM_USER_H
#define BELL_GMEM_USER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * One who keeps using pages after a look-up, for as long as a request lasts.
 * Each stay is counted in the epoch in which it began; a page that went away
 * is released when all stays of its epoch have ended, so that new requests,
 * however many, never hold that up.
 */
struct bell_gmem_user {
	atomic_t		 in_flight[2];
	unsigned int		 epoch;
	wait_queue_head_t	 idle;
	struct list_head	 node;
};

void bell_gmem_user_init(struct bell_gmem_user *user);
unsigned int bell_gmem_user_enter(struct bell_gmem_user *user);
void bell_gmem_user_leave(struct bell_gmem_user *user, unsigned int epoch);
void bell_gmem_user_turn(struct bell_gmem_user *user);
bool bell_gmem_user_turned(struct bell_gmem_user *user);
void bell_gmem_user_drain(struct bell_gmem_user *user);

static inline int bell_gmem_user_in_flight(const struct bell_gmem_user *user)
{
	return atomic_read(&user->in_flight[0]) +
	       atomic_read(&user->in_flight[1]);
}

#endif
