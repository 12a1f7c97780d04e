/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_SIGNAL_H
#define SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/mm.h>

#define SIGKILL	9

#define RLIMIT_MEMLOCK	8
#define RLIMIT_FSIZE	1
#define RLIM_INFINITY	(~0UL)
#define rlimit(which)	((which) == RLIMIT_FSIZE ? RLIM_INFINITY :		\
			 current->mm->limit << PAGE_SHIFT)

#define fatal_signal_pending(task)	((task)->killed)

/* During the sleep the test's hook runs, then queued work. */
long schedule_timeout_killable(long timeout);

/* Nothing to do: a test sends its signal only where the module allows it. */
static inline void allow_kernel_signal(int sig)
{
	(void)sig;
}

static inline void disallow_signal(int sig)
{
	(void)sig;
}

#endif
