/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_CALLFD_H
#define BELL_CALLFD_H

#include <linux/rcupdate.h>
#include <linux/types.h>

struct bell_callfd_target;

/* An eventfd that we signal: a queue's call or error eventfd. */
struct bell_callfd {
	struct bell_callfd_target __rcu	*target;
};

int bell_callfd_set(struct bell_callfd *c, int fd);
void bell_callfd_clear(struct bell_callfd *c);
void bell_callfd_signal(struct bell_callfd *c);
bool bell_callfd_is_signalling(void);

#endif
