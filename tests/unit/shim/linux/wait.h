/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_WAIT_H
#define SHIM_LINUX_WAIT_H

#include <linux/types.h>

typedef struct {
	int		waiters;
	unsigned int	wakes;
} wait_queue_head_t;

void shim_wait(wait_queue_head_t *wq);
bool shim_wait_timeout(wait_queue_head_t *wq);

static inline void init_waitqueue_head(wait_queue_head_t *wq)
{
	*wq = (wait_queue_head_t){};
}

static inline bool wq_has_sleeper(wait_queue_head_t *wq)
{
	smp_mb();
	return wq->waiters;
}

static inline void wake_up(wait_queue_head_t *wq)
{
	wq->wakes++;
}

/*
 * As in the kernel, a waiter checks its condition again only after a wake-up.
 */
#define wait_event(wq, condition)					\
	do {								\
		might_sleep();						\
		(wq).waiters++;						\
		while (!(condition))					\
			shim_wait(&(wq));				\
		(wq).waiters--;						\
	} while (0)

/* The timeout passes if nothing wakes the waiter. */
#define wait_event_timeout(wq, condition, timeout)			\
	({								\
		long left_ = (timeout);					\
									\
		might_sleep();						\
		(wq).waiters++;						\
		while (!(condition)) {					\
			if (shim_wait_timeout(&(wq)))			\
				continue;				\
			left_ = !!(condition);				\
			break;						\
		}							\
		(wq).waiters--;						\
		left_;							\
	})

#endif
