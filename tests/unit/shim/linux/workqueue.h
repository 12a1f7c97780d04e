/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_WORKQUEUE_H
#define SHIM_LINUX_WORKQUEUE_H

#include <linux/list.h>

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t	 func;
	struct list_head node;		/* not empty: the work is queued */
};

struct workqueue_struct;

#define WQ_UNBOUND	0U
#define WQ_MEM_RECLAIM	0U
#define WQ_FREEZABLE	0U
#define system_unbound_wq ((struct workqueue_struct *)NULL)

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max);
void destroy_workqueue(struct workqueue_struct *wq);

struct delayed_work {
	struct work_struct	 work;
	unsigned long		 delay;		/* of what is queued, in jiffies */
};

#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define INIT_DELAYED_WORK(d, f)	INIT_WORK(&(d)->work, f)
#define HZ			250

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay);
bool cancel_delayed_work_sync(struct delayed_work *work);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool flush_work(struct work_struct *work);

/* Queues the work, whatever the delay: work runs when a test runs it. */
static inline bool mod_delayed_work(struct workqueue_struct *wq,
				    struct delayed_work *work,
				    unsigned long delay)
{
	bool queued = queue_delayed_work(wq, work, delay);

	work->delay = delay;
	return !queued;
}

#define INIT_WORK(w, f)							\
	do {								\
		(w)->func = (f);					\
		INIT_LIST_HEAD(&(w)->node);				\
	} while (0)

#endif
