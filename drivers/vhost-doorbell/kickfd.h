/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_KICKFD_H
#define BELL_KICKFD_H

#include <linux/poll.h>
#include <linux/wait.h>

struct eventfd_ctx;
struct file;

/*
 * An eventfd whose signals the module handles. @ring is called for each signal while
 * @armed is true, under wqh->lock with interrupts off; @count is the sum of what was
 * written. It may not sleep nor signal an eventfd.
 */
struct bell_kickfd {
	/* Constant from attach to detach. */
	struct eventfd_ctx	*ctx;
	wait_queue_head_t	*wqh;
	void			(*ring)(struct bell_kickfd *k, u64 count);

	/* Under wqh->lock. */
	wait_queue_entry_t	 wait;
	bool			 armed;
	bool			 hungup;

	/*
	 * Keeps the eventfd open, from attach to detach. NULL if a hang-up is to be
	 * seen instead, in @hungup.
	 */
	struct file		*file;

	poll_table		 table;
};

int bell_kickfd_attach(struct bell_kickfd *k, int fd, bool hold,
		       void (*ring)(struct bell_kickfd *k, u64 count));
void bell_kickfd_arm(struct bell_kickfd *k, bool armed);
u64 bell_kickfd_take(struct bell_kickfd *k);
void bell_kickfd_ring_pending(struct bell_kickfd *k);
void bell_kickfd_detach(struct bell_kickfd *k);

static inline bool bell_kickfd_attached(const struct bell_kickfd *k)
{
	return k->ctx;
}

#endif
