/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_WORKQUEUE_H
#define SHIM_LINUX_WORKQUEUE_H

#include <linux/list.h>

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t	 func;
	struct list_head node;		/* queued if not empty */
};

struct workqueue_struct;

#define WQ_UNBOUND	0U
#define system_unbound_wq ((struct workqueue_struct *)NULL)

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max);
void destroy_workqueue(struct workqueue_struct *wq);

bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool flush_work(struct work_struct *work);

#define INIT_WORK(w, f)							\
	do {								\
		(w)->func = (f);					\
		INIT_LIST_HEAD(&(w)->node);				\
	} while (0)

#endif
