/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_SIGNAL_H
#define SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/mm.h>

#define SIGKILL	9

#define RLIMIT_MEMLOCK	8
#define rlimit(which)	((void)(which), current->mm->limit << PAGE_SHIFT)

#define fatal_signal_pending(task)	((task)->killed)

/* Others run meanwhile: the test's hook, and work that is queued. */
long schedule_timeout_killable(long timeout);

/* Tests that kill do so while it is allowed. */
static inline void allow_kernel_signal(int sig)
{
	(void)sig;
}

static inline void disallow_signal(int sig)
{
	(void)sig;
}

#endif
