/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_TASK_WORK_H
#define SHIM_LINUX_TASK_WORK_H

#include <linux/types.h>

struct callback_head {
	struct callback_head *next;
	void		    (*func)(struct callback_head *head);
};

#endif
