/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_HRTIMER_H
#define SHIM_LINUX_HRTIMER_H

#include <linux/ktime.h>

#include <time.h>

enum hrtimer_mode {
	HRTIMER_MODE_REL,
};

enum hrtimer_restart {
	HRTIMER_NORESTART,
	HRTIMER_RESTART,
};

/* The timer expires when a test calls shim_hrtimer_end(). */
struct hrtimer {
	enum hrtimer_restart	(*function)(struct hrtimer *timer);
	ktime_t			expires;	/* relative to the start of the timer */
	bool			active;
};

static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	timer->function = fn;
	timer->active = false;
}

static inline void hrtimer_start(struct hrtimer *timer, ktime_t expires,
				 enum hrtimer_mode mode)
{
	timer->expires = expires;
	timer->active = true;
}

static inline int hrtimer_cancel(struct hrtimer *timer)
{
	bool active = timer->active;

	timer->active = false;
	return active;
}

/* For tests: the timer expires now. */
static inline void shim_hrtimer_end(struct hrtimer *timer)
{
	timer->active = false;
	timer->function(timer);
}

#endif
