// SPDX-License-Identifier: GPL-2.0
/*
 * device_stop - stop queues, and end a device
 *
 * Stopping a queue: 1. the kick hook is disarmed; 2. no pass runs; 3. nothing is
 * in flight, while the worker still submits what would have blocked; 4. a grace
 * period: no completion and no pass looks at the queue any more; 5. worker, back
 * end and rings go.
 *
 * Steps 2 and 3 wait for the disk, which may never answer. An ioctl gives up
 * when its caller is killed: the queues resume, as if nothing had been asked. The
 * last close cannot fail. It waits for a while, then leaves the device to a work
 * item, which looks from time to time and does the rest when the disk has
 * answered. The work item needs nothing of the process that closed: the device
 * has references to its disk file, to the owner's mm_struct (where its pinned
 * pages stay accounted until they are unpinned) and to this module.
 *
 * No ioctl and no fdinfo can reach such a device, as its file is gone, and no ring,
 * as its kick hooks are detached. Its worker, its completions and task work that was
 * queued before still can, as in any stop.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "backend.h"
#include "callfd.h"
#include "device.h"
#include "device_priv.h"
#include "exec.h"
#include "gmem.h"
#include "kickfd.h"
#include "vq.h"

/*
 * How long a process that exits waits for the disk. No signal can end that wait, and
 * the disk may need this very process to answer (FUSE).
 */
#define STOP_EXIT_WAIT	(2 * HZ)
#define STOP_LOOK_MAX	HZ	/* jiffies between two looks of the work item */

static struct workqueue_struct *stop_wq;

/* Devices that were left to the work item. */
static LIST_HEAD(stop_left);
/* The process that left the last one as it exited: its pid and when it began. */
static pid_t stop_left_by;
static u64 stop_left_by_start;
static DEFINE_MUTEX(stop_left_lock);

/**
 * bell_device_init() - make what all devices share
 *
 * Return: 0 or -ENOMEM.
 */
int bell_device_init(void)
{
	stop_wq = alloc_workqueue("vhost-doorbell-stop",
				  WQ_UNBOUND | WQ_FREEZABLE, 0);
	return stop_wq ? 0 : -ENOMEM;
}

/** bell_device_exit() - undo bell_device_init(), when no device is left */
void bell_device_exit(void)
{
	/* Waits for the end of a work item whose device is freed already. */
	destroy_workqueue(stop_wq);
}

static void stop_shut_queues(struct bell_device *dev)
{
	u32 i;

	lockdep_assert_held(&dev->lock);
	for (i = 0; dev->be && i < dev->be->num_queues; i++) {
		if (dev->queue[i].running)
			bell_exec_shut(&dev->queue[i].exec);
	}
}

static int stop_wait(struct bell_exec *exec, const struct bell_patience *p)
{
	int ret;

	ret = bell_exec_pause(exec, p);
	return ret ?: bell_exec_drain(exec, p);
}

/**
 * bell_device_resume_queues() - let all running queues go on
 * @dev: after bell_device_pause_queues(), also if that failed
 *
 * Context: Process context.
 */
void bell_device_resume_queues(struct bell_device *dev)
{
	u32 i;

	lockdep_assert_held(&dev->lock);
	for (i = 0; dev->be && i < dev->be->num_queues; i++) {
		if (dev->queue[i].running)
			bell_exec_resume(&dev->queue[i].exec);
	}
}

/**
 * bell_device_pause_queues() - wait until nothing of all running queues is in flight
 * @dev: the device
 * @p: how long
 *
 * All queues are shut before the first is waited for: a request of one may wait
 * for the worker, which another one keeps.
 *
 * Context: Process context.
 * Return: 0, or -EINTR if it took too long: the queues stay shut.
 */
int bell_device_pause_queues(struct bell_device *dev,
			     const struct bell_patience *p)
{
	int ret = 0;
	u32 i;

	lockdep_assert_held(&dev->lock);
	stop_shut_queues(dev);
	WRITE_ONCE(dev->stopping, true);
	for (i = 0; !ret && dev->be && i < dev->be->num_queues; i++) {
		if (dev->queue[i].running)
			ret = stop_wait(&dev->queue[i].exec, p);
	}
	WRITE_ONCE(dev->stopping, false);
	return ret;
}

/* 5. */
static void stop_end_queue(struct bell_device *dev, struct bell_queue *q)
{
	lockdep_assert_held(&dev->lock);
	mutex_lock(&dev->show_lock);
	bell_exec_worker_stop(&q->exec);
	WRITE_ONCE(q->running, false);
	mutex_unlock(&dev->show_lock);
	dev->be->ops->stop_queue(dev->be, &q->exec);
	q->cfg.base = bell_vq_stop(&q->vq);
}

/**
 * bell_device_stop_queue() - stop one queue
 * @dev: the device
 * @q: a queue of it, running or not
 *
 * An interrupted stop leaves the queue running: it is armed and resumed as by a
 * start. What was written to the kick eventfd meanwhile is still in its count,
 * and the worker looks at the ring.
 *
 * Context: Process context.
 * Return: 0, or -EINTR if the caller is being killed.
 */
int bell_device_stop_queue(struct bell_device *dev, struct bell_queue *q)
{
	static const struct bell_patience killable = { .killable = true };
	int ret;

	lockdep_assert_held(&dev->lock);
	if (!q->running)
		return 0;
	bell_kickfd_arm(&q->kick, false);
	WRITE_ONCE(dev->stopping, true);
	ret = stop_wait(&q->exec, &killable);
	WRITE_ONCE(dev->stopping, false);
	if (ret) {
		bell_kickfd_arm(&q->kick, true);
		bell_exec_resume(&q->exec);
		return ret;
	}
	synchronize_rcu();
	stop_end_queue(dev, q);
	return 0;
}

/* --- the last close --- */

static bool stop_same_place(const struct bell_gmem_map *a,
			    const struct bell_gmem_map *b)
{
	return a->pages[0] == b->pages[0] &&
	       offset_in_page(a->addr) == offset_in_page(b->addr);
}

static bool stop_uses_ring(struct bell_device *dev, const struct bell_vq *vq)
{
	u32 i;

	for (i = 0; i < dev->be->num_queues; i++) {
		struct bell_queue *q = &dev->queue[i];

		if (q->running &&
		    (stop_same_place(&q->vq.desc_map, &vq->desc_map) ||
		     stop_same_place(&q->vq.used_map, &vq->used_map)))
			return true;
	}
	return false;
}

/**
 * bell_device_ring_is_left() - does a closed device still complete into this ring?
 * @vq: a queue with its rings mapped
 *
 * Another one that serves the ring meanwhile would submit its requests a second
 * time, and both would write the used ring.
 *
 * Context: Process context.
 */
bool bell_device_ring_is_left(const struct bell_vq *vq)
{
	struct bell_device *dev;

	guard(mutex)(&stop_left_lock);
	list_for_each_entry(dev, &stop_left, left) {
		if (stop_uses_ring(dev, vq))
			return true;
	}
	return false;
}

static u32 stop_in_flight(struct bell_device *dev)
{
	u32 i, n = 0;

	for (i = 0; dev->be && i < dev->be->num_queues; i++)
		n += bell_vq_in_flight(&dev->queue[i].vq);
	return n;
}

/* 4. and 5. of all queues, which are quiet; one grace period is enough for all. */
static void stop_end_device(struct bell_device *dev)
{
	u32 i, n = dev->be ? dev->be->num_queues : 0;

	lockdep_assert_held(&dev->lock);
	if (bell_device_is_running(dev))
		synchronize_rcu();
	mutex_lock(&stop_left_lock);
	/* Empty, unless the device was left: then a start may look at its queues. */
	list_del_init(&dev->left);
	mutex_unlock(&stop_left_lock);
	for (i = 0; i < n; i++) {
		struct bell_queue *q = &dev->queue[i];

		if (q->running)
			stop_end_queue(dev, q);
		bell_callfd_clear(&q->vq.call);
		bell_callfd_clear(&q->vq.err);
	}
	bell_gmem_destroy(dev->gmem);
	if (dev->be)
		dev->be->ops->destroy(dev->be);
	if (dev->mm)
		mmdrop(dev->mm);
}

/*
 * Does not wait, so that any number of devices whose disks are dead need no
 * thread. Work of one device never runs twice at once: it queues itself.
 */
static void stop_work(struct work_struct *work)
{
	struct bell_device *dev = container_of(to_delayed_work(work),
					       struct bell_device, stop_work);
	struct bell_patience look = { .bounded = true, .until = jiffies };

	mutex_lock(&dev->lock);
	if (bell_device_pause_queues(dev, &look)) {
		mutex_unlock(&dev->lock);
		dev->stop_delay = min(dev->stop_delay * 2, STOP_LOOK_MAX);
		queue_delayed_work(stop_wq, &dev->stop_work, dev->stop_delay);
		return;
	}
	stop_end_device(dev);
	mutex_unlock(&dev->lock);
	pr_info_ratelimited("vhost-doorbell: device %u: its disk has answered, all is released\n",
			    dev->id);
	bell_device_put(dev);
}

/* Make the device one that the work item ends; the caller queues it. */
static void stop_leave(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	pr_warn_ratelimited("vhost-doorbell: device %u: closed with %u requests in flight; what it has pinned is released when its disk answers\n",
			    dev->id, stop_in_flight(dev));
	mutex_lock(&stop_left_lock);
	list_add(&dev->left, &stop_left);
	if (current->flags & PF_EXITING) {
		stop_left_by = current->pid;
		stop_left_by_start = current->start_boottime;
	}
	mutex_unlock(&stop_left_lock);
	INIT_DELAYED_WORK(&dev->stop_work, stop_work);
	dev->stop_delay = 1;
}

/* An exit waits once, however many devices the process has. */
static bool stop_has_left_one(void)
{
	guard(mutex)(&stop_left_lock);
	return stop_left_by == current->pid &&
	       stop_left_by_start == current->start_boottime;
}

static struct bell_patience stop_close_patience(struct bell_device *dev)
{
	struct bell_patience p = { .bounded = true, .until = jiffies };

	/*
	 * Neither a kernel thread that closes files of others, nor a process that was
	 * sent the device's descriptor: the disk may be one that never answers.
	 */
	if (current->flags & PF_KTHREAD ||
	    (!(current->flags & PF_EXITING) && current->mm != dev->mm))
		return p;
	/* Signals are no longer heard. */
	if (current->flags & PF_EXITING) {
		if (!stop_has_left_one())
			p.until += STOP_EXIT_WAIT;
		return p;
	}
	return (struct bell_patience){ .killable = true };
}

/**
 * bell_device_release() - the last close
 * @dev: the device, gone afterwards
 *
 * Every request that was taken is completed into the ring before, unless the disk
 * does not answer and the caller is being killed or exits: then later.
 *
 * Context: Process context, sleeps.
 */
void bell_device_release(struct bell_device *dev)
{
	struct bell_patience p = stop_close_patience(dev);
	bool left;
	u32 i;

	mutex_lock(&dev->lock);
	/* End page faults that wait for user space, and requests of many slices. */
	stop_shut_queues(dev);
	if (dev->be && dev->be->ops->abort)
		dev->be->ops->abort(dev->be);
	/* 1. A device that is left must not keep the eventfds open, so put them. */
	for (i = 0; dev->be && i < dev->be->num_queues; i++)
		bell_kickfd_detach(&dev->queue[i].kick);
	left = bell_device_pause_queues(dev, &p);
	if (left)
		stop_leave(dev);
	else
		stop_end_device(dev);
	mutex_unlock(&dev->lock);
	/*
	 * The work item takes our reference over. It is queued only now: it may
	 * free the device, which must not happen within mutex_unlock().
	 */
	if (left)
		queue_delayed_work(stop_wq, &dev->stop_work, dev->stop_delay);
	else
		bell_device_put(dev);
}
