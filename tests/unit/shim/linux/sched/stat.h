/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SCHED_STAT_H
#define SHIM_LINUX_SCHED_STAT_H

#include <linux/types.h>

/* A test says whether another task wants the CPU. */
extern bool shim_crowded;

static inline bool single_task_running(void)
{
	return !shim_crowded;
}

#endif
