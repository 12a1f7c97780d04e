/* SPDX-License-Identifier: GPL-2.0 */
/* device_priv - shared by device.c and device_*.c only */
#ifndef BELL_DEVICE_PRIV_H
#define BELL_DEVICE_PRIV_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <uapi/linux/vhost_doorbell.h>

#include "exec.h"
#include "kickfd.h"
#include "vq.h"

struct bell_backend;
struct file;
struct bell_gmem;
struct mm_struct;
struct pid;

struct bell_queue {
	struct bell_vq		 vq;
	struct bell_exec	 exec;
	struct bell_kickfd	 kick;

	/* Under the device's lock */
	struct bell_vq_config	 cfg;
	/* The ring addresses in @cfg were set */
	bool			 has_addr;
	bool			 running;	/* also read without the lock */
};

/* What a queue is set to, with the addresses of another owner */
struct bell_moved {
	struct bell_vq_config	 cfg;
	bool			 has_addr;
};

struct bell_device {
	struct kref		 ref;
	u32			 id;

	/* Written under @lock, read by running queues without it */
	struct bell_exec_config	 exec_cfg;
	struct bell_vq_signal_config signal_cfg;

	/*
	 * True while a call waits until no request is in flight. Written under @lock,
	 * read without it
	 */
	bool			 stopping;

	/*
	 * Entry in the list stop_left, under stop_left_lock; empty unless the device
	 * was closed before its disk answered
	 */
	struct list_head	 left;
	/* For a device in that list: checks whether the disk has answered */
	struct delayed_work	 stop_work;
	unsigned long		 stop_delay;	/* jiffies until the next check */

	/* The owner's address space, of which this is a user, and its process; or NULL */
	struct mm_struct	*mm __guarded_by(&lock);
	struct pid		*owner __guarded_by(&lock);
	/* Kept open for its locks, or NULL. */
	struct file		*claim __guarded_by(&lock);
	struct bell_backend	*be __guarded_by(&lock);
	struct bell_gmem	*gmem __guarded_by(&lock);
	struct bell_queue	*queue __guarded_by(&lock);
	/*
	 * Array with one worker for each queue, of which the first @num_workers are
	 * used. @num_workers is set when the first queue starts.
	 */
	struct bell_worker	*worker __guarded_by(&lock);
	u32			 num_workers __guarded_by(&lock);
	u64			 features __guarded_by(&lock);
	bool			 has_features __guarded_by(&lock);
	struct mutex		 lock;
	/* The histogram that fdinfo prints: too large for the stack. */
	struct vhost_doorbell_hist show_hist __guarded_by(&show_lock);
	/*
	 * Taken inside @lock to change @be, @queue, @gmem and the workers of queues. A
	 * reader of these holds one of the two locks. Never held during a wait for the
	 * disk.
	 */
	struct mutex		 show_lock;
};

bool bell_device_is_running(struct bell_device *dev);
void bell_device_put(struct bell_device *dev);
void bell_device_free(struct kref *ref);
int bell_device_exchange_gmem(struct bell_device *dev, struct bell_gmem *gm,
			      const struct bell_moved *moved);

/* device_adopt.c */
int bell_device_check_owner(struct bell_device *dev);
bool bell_device_is_owner(struct bell_device *dev);
void bell_device_put_owner(struct mm_struct *mm, struct pid *owner, bool later);

/* device_stop.c */
int bell_device_pause_queues(struct bell_device *dev,
			     const struct bell_patience *p);
void bell_device_resume_queues(struct bell_device *dev);
int bell_device_stop_queue(struct bell_device *dev, struct bell_queue *q,
			   bool end_held);
bool bell_device_ring_is_left(const struct bell_vq *vq);

#endif
