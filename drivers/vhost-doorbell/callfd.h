/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_CALLFD_H
#define BELL_CALLFD_H

#include <linux/rcupdate.h>
#include <linux/types.h>

struct bell_callfd_target;

/*
 * Holder of an eventfd that the module signals: a queue's call or error eventfd.
 * Written by configuration calls, which the caller serialises; read under RCU.
 */
struct bell_callfd {
	struct bell_callfd_target __rcu	*target;
};

int bell_callfd_set(struct bell_callfd *c, int fd);
void bell_callfd_clear(struct bell_callfd *c);
void bell_callfd_signal(struct bell_callfd *c);
bool bell_callfd_is_signalling(void);

#endif
