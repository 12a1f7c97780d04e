// SPDX-License-Identifier: GPL-2.0
/*
 * device_stop - stop queues, and release a device
 *
 * A queue stops in five steps:
 *
 * 1. The kick hook is disarmed.
 *
 * 2. The run token is idle, and no pass begins.
 *
 * 3. Nothing is in flight. Meanwhile the worker still submits requests that would have
 * blocked.
 *
 * 4. After a grace period no completion and no pass accesses the queue.
 *
 * 5. Worker, back end and rings are released.
 *
 * Steps 2 and 3 wait for the disk, which may never answer. An ioctl gives up when its
 * caller is being killed: the queues resume as if the ioctl had not been called. The
 * last close cannot fail. It waits for a while, then leaves the device to a work item,
 * which checks from time to time and does the remaining steps when the disk has
 * answered. The work item needs nothing of the process that closed the file: the device
 * has references to its disk file, to the owner's mm_struct (to which pinned pages stay
 * accounted until they are unpinned) and to this module. The rest of the owner's memory
 * is given up at once.
 *
 * No ioctl and no fdinfo can reach a device that was left, as its file is gone; no kick
 * can reach it, as its kick hooks are detached. Its worker, its completions and task
 * work that was queued before still can, as in any stop.
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
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
 * How long an exiting process waits for the disk. No signal can end that wait, and the
 * disk may need this very process to answer (a file system in user space).
 */
#define STOP_EXIT_WAIT	(2 * HZ)
/* Longest time between two checks of the work item, in jiffies */
#define STOP_LOOK_MAX	HZ
/* How long a stop waits for chains of the in-flight region to be taken again */
#define STOP_TAKE_WAIT	(10 * HZ)

static struct workqueue_struct *stop_wq;

/* Devices that were left to the work item; under stop_left_lock */
static LIST_HEAD(stop_left);
/*
 * The last process that left a device while it exited: its pid and its start time;
 * under stop_left_lock
 */
static pid_t stop_left_by;
static u64 stop_left_by_start;
static DEFINE_MUTEX(stop_left_lock);

/**
 * bell_device_init() - create the workqueue that all devices share
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
	/* Waits for work items that have freed their device and not yet returned. */
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
 * bell_device_resume_queues() - resume all running queues
 * @dev: the device, after bell_device_pause_queues(), even if that failed
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
 * bell_device_pause_queues() - shut all running queues and wait until no request of
 *	theirs is in flight
 * @dev: the device
 * @p: how long to wait
 *
 * All queues are shut before the wait for the first one: one of its requests may need the
 * worker, which may be busy with another queue.
 *
 * Context: Process context.
 * Return: 0, or -EINTR if the wait ended early; the queues stay shut.
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

/* Step 5: release the queue's worker, back end data and rings */
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

/*
 * Have the runner take the chains of the in-flight region that it has not taken again yet.
 * It cannot if guest pages cannot be pinned, so the wait has an end.
 */
static int stop_take_again(struct bell_queue *q, unsigned long until)
{
	while (bell_vq_inflight_waits(&q->vq) && time_before(jiffies, until)) {
		bell_exec_ask_worker(&q->exec);
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/*
 * Steps 2 and 3, with nothing left in the in-flight region. A pass puts a chain back that
 * would have blocked, so there may be one more after the pause.
 */
static int stop_wait_end(struct bell_queue *q, const struct bell_patience *p)
{
	unsigned long until = jiffies + STOP_TAKE_WAIT;
	int ret;

	for (;;) {
		ret = stop_take_again(q, until);
		if (ret)
			return ret;
		ret = stop_wait(&q->exec, p);
		if (ret || !bell_vq_inflight_waits(&q->vq))
			return ret;
		if (!time_before(jiffies, until))
			break;
		bell_exec_resume(&q->exec);
	}
	pr_notice_ratelimited("vhost-doorbell: device %u queue %u: stopped with requests in the in-flight region: their pages cannot be pinned\n",
			      q->vq.dev_id, q->vq.index);
	return 0;
}

/**
 * bell_device_stop_queue() - stop one queue
 * @dev: the device
 * @q: a queue of it, running or not
 * @end_held: end requests that wait for a full disk, in place of keeping them
 *
 * An interrupted stop leaves the queue running: its hook is armed and it is resumed. No
 * kick is lost: the worker looks at the ring after the resume.
 *
 * Context: Process context.
 * Return: 0, or -EINTR if the caller is being killed.
 */
int bell_device_stop_queue(struct bell_device *dev, struct bell_queue *q,
			   bool end_held)
{
	static const struct bell_patience killable = { .killable = true };
	int ret;

	lockdep_assert_held(&dev->lock);
	if (!q->running)
		return 0;
	bell_kickfd_arm(&q->kick, false);
	WRITE_ONCE(dev->stopping, true);
	bell_vq_inflight_end(&q->vq, end_held);
	/* A guest that may be moving does not come back to the region, either. */
	if (end_held || q->vq.log)
		ret = stop_wait_end(q, &killable);
	else
		ret = stop_wait(&q->exec, &killable);
	WRITE_ONCE(dev->stopping, false);
	if (ret) {
		bell_vq_inflight_end(&q->vq, false);
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
 * If so, @vq must not start: it would submit the requests of the ring a second time, and
 * both devices would write the used ring.
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

/*
 * Steps 4 and 5 for all queues, with nothing in flight. One grace period is enough for
 * all of them.
 */
static void stop_end_device(struct bell_device *dev)
{
	u32 i, n = dev->be ? dev->be->num_queues : 0;

	lockdep_assert_held(&dev->lock);
	if (bell_device_is_running(dev))
		synchronize_rcu();
	mutex_lock(&stop_left_lock);
	/*
	 * The node is in the list only if the device was left; then a start of another
	 * device may be reading its queues.
	 */
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
	/* Only now, as nothing is written any more. */
	if (dev->claim)
		fput(dev->claim);
}

/*
 * Work item of a device that was left: check whether its disk has answered. It does not
 * wait, so that any number of devices with dead disks occupy no thread. The work of one
 * device never runs twice at the same time, as only the work queues itself.
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
	pr_info_ratelimited("vhost-doorbell: device %u: the disk has answered; everything is released\n",
			    dev->id);
	bell_device_put(dev);
}

/* Leave the device to its work item; the caller queues the work item. */
static void stop_leave(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	pr_warn_ratelimited("vhost-doorbell: device %u: closed with %u requests in flight; pinned memory is released when the disk answers\n",
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

/*
 * Has this process left a device while exiting? Then it does not wait for another one.
 */
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
	 * Do not wait in a kernel thread that closes other processes' files, nor in a
	 * process that only keeps the device's descriptor: it may be the one that
	 * supervises the whole machine, and the disk may never answer.
	 */
	if (current->flags & PF_KTHREAD || !bell_device_is_owner(dev))
		return p;
	/* An exiting process gets no signals, so its wait is bounded. */
	if (current->flags & PF_EXITING) {
		if (!stop_has_left_one())
			p.until += STOP_EXIT_WAIT;
		return p;
	}
	return (struct bell_patience){ .killable = true };
}

/**
 * bell_device_release() - release a device at the last close of its file
 * @dev: the device; the caller does not access it any more
 *
 * Returns when every request that was taken has been completed into the ring. If the disk
 * does not answer and the caller is being killed or exits, or is not the owner, a work
 * item waits for that.
 *
 * Context: Process context, sleeps.
 */
void bell_device_release(struct bell_device *dev)
{
	struct bell_patience p = stop_close_patience(dev);
	bool left, owner = bell_device_is_owner(dev);
	struct mm_struct *mm;
	struct pid *pid;
	u32 i;

	mutex_lock(&dev->lock);
	/*
	 * End page faults that wait for user space, and requests of many slices, early.
	 */
	stop_shut_queues(dev);
	if (dev->be && dev->be->ops->abort)
		dev->be->ops->abort(dev->be);
	/*
	 * Step 1. Detach the eventfds and do not only disarm them: a device that is
	 * left must not keep them open.
	 */
	for (i = 0; dev->be && i < dev->be->num_queues; i++)
		bell_kickfd_detach(&dev->queue[i].kick);
	left = bell_device_pause_queues(dev, &p);
	if (left)
		stop_leave(dev);
	else
		stop_end_device(dev);
	mm = dev->mm;
	pid = dev->owner;
	dev->mm = NULL;
	dev->owner = NULL;
	mutex_unlock(&dev->lock);
	bell_device_put_owner(mm, pid, !owner);
	/*
	 * The work item takes over this reference. Queue it only after the unlock: it
	 * may free the device, which must not happen inside mutex_unlock().
	 */
	if (left)
		queue_delayed_work(stop_wq, &dev->stop_work, dev->stop_delay);
	else
		bell_device_put(dev);
}
