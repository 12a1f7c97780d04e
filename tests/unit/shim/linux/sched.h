/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#include <linux/mm.h>

#ifndef HZ
#define HZ	250
#endif
#define TASK_COMM_LEN	16

/* Jiffies that the worker slept in total, for tests to check. */
extern unsigned long shim_slept;

static inline void schedule_timeout_idle(long timeout)
{
	might_sleep();
	shim_slept += timeout;
}

#endif
