/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_RCUPDATE_H
#define SHIM_LINUX_RCUPDATE_H

#include <linux/types.h>

void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);

struct rcu_head {
	struct rcu_head *next;
	void		(*func)(struct rcu_head *head);
};

/* The grace period ends when a test says so: world_end_grace_period(). */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void rcu_barrier(void);

#define RCU_INITIALIZER(p)	(p)
#define unrcu_pointer(p)	(p)
#define rcu_dereference(p)	READ_ONCE(p)

#endif
