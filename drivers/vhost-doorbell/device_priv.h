/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device_priv - shared by the device_*.c only
 */
#ifndef BELL_DEVICE_PRIV_H
#define BELL_DEVICE_PRIV_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "exec.h"
#include "kickfd.h"
#include "vq.h"

struct bell_backend;
struct bell_gmem;
struct mm_struct;

struct bell_queue {
	struct bell_vq		 vq;
	struct bell_exec	 exec;
	struct bell_kickfd	 kick;

	/* Under the device's lock; @running also read without it. */
	struct bell_vq_config	 cfg;
	bool			 has_addr;
	bool			 running;
};

struct bell_device {
	struct kref		 ref;
	u32			 id;

	/* Read by the queues without the lock. */
	struct bell_exec_config	 exec_cfg;
	struct bell_vq_signal_config signal_cfg;

	/* A call waits for requests in flight, with @lock held. */
	bool			 stopping;

	/* A device that was closed before its disk answered; device_stop.c */
	struct list_head	 left;
	struct delayed_work	 stop_work;
	unsigned long		 stop_delay;	/* in jiffies */

	struct mm_struct	*mm __guarded_by(&lock);
	struct bell_backend	*be __guarded_by(&lock);
	struct bell_gmem	*gmem __guarded_by(&lock);
	struct bell_queue	*queue __guarded_by(&lock);
	/* As many are used as the owner had CPUs at the first start. */
	struct bell_worker	*worker __guarded_by(&lock);
	u32			 num_workers __guarded_by(&lock);
	u64			 features __guarded_by(&lock);
	bool			 has_features __guarded_by(&lock);
	struct mutex		 lock;
	/*
	 * Taken within @lock to change @be, @queue, @gmem and the workers of queues.
	 * A reader of these needs one of the two. Never held while a disk is waited
	 * for.
	 */
	struct mutex		 show_lock;
};

int bell_device_check_owner(struct bell_device *dev);
bool bell_device_is_running(struct bell_device *dev);
void bell_device_put(struct bell_device *dev);
void bell_device_free(struct kref *ref);

/* device_stop.c */
int bell_device_pause_queues(struct bell_device *dev,
			     const struct bell_patience *p);
void bell_device_resume_queues(struct bell_device *dev);
int bell_device_stop_queue(struct bell_device *dev, struct bell_queue *q);
bool bell_device_ring_is_left(const struct bell_vq *vq);

#endif
