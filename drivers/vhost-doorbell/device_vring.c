// SPDX-License-Identifier: GPL-2.0
/*
 * device_vring - configure and start the queues of a device
 *
 * States of a queue:
 *
 *	configured -> running (worker, rings mapped, kick armed) -> configured
 *
 * device_stop.c has the stop.
 *
 * Task work that was queued before the stop cannot be cancelled. It holds a reference
 * to the device's memory, finds the queue dead and puts the reference. It needs nothing
 * but that memory, so the release does not wait for it.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vhost.h>

#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "backend_net.h"
#include "callfd.h"
#include "device.h"
#include "device_priv.h"
#include "exec.h"
#include "gmem.h"
#include "kickfd.h"
#include "trace.h"
#include "vq.h"

/*
 * The queue with number @index, or an ERR_PTR: -EPERM if the caller is not the owner,
 * -ENXIO without a back end, -ENOBUFS if there is no such queue.
 */
static struct bell_queue *device_queue(struct bell_device *dev, u32 index)
{
	int ret = bell_device_check_owner(dev);

	if (ret)
		return ERR_PTR(ret);
	if (!dev->be)
		return ERR_PTR(-ENXIO);
	if (index >= dev->be->num_queues)
		return ERR_PTR(-ENOBUFS);
	return &dev->queue[array_index_nospec(index, dev->be->num_queues)];
}

static struct bell_queue *device_stopped_queue(struct bell_device *dev,
					       u32 index)
{
	struct bell_queue *q = device_queue(dev, index);

	return !IS_ERR(q) && q->running ? ERR_PTR(-EBUSY) : q;
}

/* The driver kicked. Under the eventfd's lock, interrupts off. */
static void device_ring(struct bell_kickfd *kick, u64 count)
{
	struct bell_queue *q = container_of(kick, struct bell_queue, kick);
	bool is_inline;

	bell_stat_inc(q->vq.stats.kicks);
	is_inline = bell_exec_ring(&q->exec);
	trace_bell_kick(q->vq.dev_id, q->vq.index, count, is_inline);
}

static bool device_is_packed(const struct bell_device *dev)
{
	return dev->features & BIT_ULL(VIRTIO_F_RING_PACKED);
}

static bool device_num_fits(const struct bell_device *dev, u32 num)
{
	return num && num <= VHOST_DOORBELL_MAX_QUEUE_SIZE &&
	       (device_is_packed(dev) || is_power_of_2(num));
}

/*
 * Is @base a valid start? For a packed ring it holds two positions, each with a wrap
 * counter in the bit above.
 */
static bool device_base_fits(const struct bell_device *dev, u32 base, u32 num)
{
	if (!device_is_packed(dev))
		return base <= U16_MAX;
	return (base & S16_MAX) < num && (base >> 16 & S16_MAX) < num;
}

/* bell_device_set_vring_num() - set the number of entries of a queue */
int bell_device_set_vring_num(struct bell_device *dev,
			      const struct vhost_vring_state *s)
{
	struct bell_queue *q;

	lockdep_assert_held(&dev->lock);
	q = device_stopped_queue(dev, s->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	if (!device_num_fits(dev, s->num))
		return -EINVAL;
	q->cfg.num = s->num;
	return 0;
}

/* bell_device_set_vring_base() - set where in the ring the queue begins */
int bell_device_set_vring_base(struct bell_device *dev,
			       const struct vhost_vring_state *s)
{
	struct bell_queue *q;

	lockdep_assert_held(&dev->lock);
	q = device_stopped_queue(dev, s->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	if (!device_is_packed(dev) && s->num > U16_MAX)
		return -EINVAL;
	q->cfg.base = s->num;
	return 0;
}

/* bell_device_get_vring_base() - read where in the ring the queue stopped */
int bell_device_get_vring_base(struct bell_device *dev,
			       struct vhost_vring_state *s)
{
	struct bell_queue *q;

	lockdep_assert_held(&dev->lock);
	q = device_stopped_queue(dev, s->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	s->num = q->cfg.base;
	return 0;
}

/* bell_device_set_vring_addr() - set where in the owner's memory the rings are */
int bell_device_set_vring_addr(struct bell_device *dev,
			       const struct vhost_vring_addr *a)
{
	struct bell_queue *q;

	lockdep_assert_held(&dev->lock);
	q = device_stopped_queue(dev, a->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	if (a->flags)
		return -EOPNOTSUPP;
	if (a->desc_user_addr & (VRING_DESC_ALIGN_SIZE - 1) ||
	    a->avail_user_addr & (VRING_AVAIL_ALIGN_SIZE - 1) ||
	    a->used_user_addr & (VRING_USED_ALIGN_SIZE - 1))
		return -EINVAL;
	q->cfg.desc_uaddr = a->desc_user_addr;
	q->cfg.avail_uaddr = a->avail_user_addr;
	q->cfg.used_uaddr = a->used_user_addr;
	q->has_addr = true;
	return 0;
}

/* bell_device_set_inflight() - set where the queue's part of the in-flight region is */
int bell_device_set_inflight(struct bell_device *dev,
			     const struct vhost_doorbell_inflight *cfg)
{
	struct bell_queue *q;

	if (cfg->pad || memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)) ||
	    cfg->user_addr % sizeof(u64) || !cfg->user_addr != !cfg->size)
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	q = device_stopped_queue(dev, cfg->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	/* Frames need not be sent or received again. */
	if (cfg->size && bell_backend_is_net(dev->be))
		return -EOPNOTSUPP;
	q->cfg.inflight_uaddr = cfg->user_addr;
	q->cfg.inflight_size = cfg->size;
	return 0;
}

/* bell_device_set_vring_kick() - set the eventfd that the driver's kick signals */
int bell_device_set_vring_kick(struct bell_device *dev,
			       const struct vhost_vring_file *f)
{
	struct bell_queue *q;

	lockdep_assert_held(&dev->lock);
	q = device_stopped_queue(dev, f->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	bell_kickfd_detach(&q->kick);
	if (f->fd == VHOST_FILE_UNBIND)
		return 0;
	return bell_kickfd_attach(&q->kick, f->fd, true, device_ring);
}

/* bell_device_set_vring_call() - set the eventfd that interrupts the driver */
int bell_device_set_vring_call(struct bell_device *dev,
			       const struct vhost_vring_file *f)
{
	struct bell_queue *q;
	int ret;

	lockdep_assert_held(&dev->lock);
	q = device_queue(dev, f->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	ret = bell_callfd_set(&q->vq.call, f->fd);
	/*
	 * Requests may have completed without a signal, or with one of the old eventfd.
	 */
	if (!ret && q->running)
		bell_callfd_signal(&q->vq.call);
	return ret;
}

/* bell_device_set_vring_err() - set the eventfd that says that the queue broke */
int bell_device_set_vring_err(struct bell_device *dev,
			      const struct vhost_vring_file *f)
{
	struct bell_queue *q;
	int ret;

	lockdep_assert_held(&dev->lock);
	q = device_queue(dev, f->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	ret = bell_callfd_set(&q->vq.err, f->fd);
	/* A stopped queue may still be marked broken; its next start clears that. */
	if (!ret && q->running && READ_ONCE(q->vq.broken))
		bell_callfd_signal(&q->vq.err);
	return ret;
}

/*
 * Start a queue's worker, or join one that runs. There are no more workers than CPUs
 * that the owner may use: more would compete for these CPUs. Queues with the same
 * number modulo @num_workers share one.
 */
static int device_start_worker(struct bell_device *dev, struct bell_queue *q)
{
	char name[TASK_COMM_LEN];
	u32 i;

	lockdep_assert_held(&dev->lock);
	if (!bell_device_is_running(dev)) {
		/*
		 * Zero if the affinity mask changed meanwhile and no longer has an
		 * online CPU
		 */
		i = cpumask_weight_and(current->cpus_ptr, cpu_online_mask);
		dev->num_workers = max(i, 1U);
	}
	i = q->vq.index % dev->num_workers;
	snprintf(name, sizeof(name), "vhd-%u-%u", dev->id, i);
	return bell_exec_worker_start(&q->exec, &dev->worker[i], name);
}

static int device_start_queue(struct bell_device *dev, struct bell_queue *q)
{
	int ret;

	if (q->running)
		return -EBUSY;
	if (!dev->gmem || !dev->has_features || !q->cfg.num || !q->has_addr ||
	    !bell_kickfd_attached(&q->kick))
		return -ENXIO;
	/* The size may have been set before the features were known. */
	if (!device_num_fits(dev, q->cfg.num) ||
	    !device_base_fits(dev, q->cfg.base, q->cfg.num))
		return -EINVAL;
	q->cfg.packed = device_is_packed(dev);
	q->cfg.event_idx = dev->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	q->cfg.indirect = dev->features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	q->cfg.in_order = dev->features & BIT_ULL(VIRTIO_F_IN_ORDER);
	q->cfg.notify_on_empty = dev->features &
				 BIT_ULL(VIRTIO_F_NOTIFY_ON_EMPTY);

	q->cfg.max_segs = dev->be->max_segs;
	q->cfg.completes_all = dev->be->completes_all;

	ret = bell_vq_start(&q->vq, dev->gmem, &q->cfg);
	if (ret)
		return ret;
	ret = -EBUSY;
	if (bell_device_ring_is_left(&q->vq))
		goto err_vq;
	ret = dev->be->ops->start_queue(dev->be, &q->exec, dev->features);
	if (ret)
		goto err_vq;
	mutex_lock(&dev->show_lock);
	ret = device_start_worker(dev, q);
	mutex_unlock(&dev->show_lock);
	if (ret)
		goto err_backend;
	bell_kickfd_arm(&q->kick, true);
	/*
	 * Serve requests that the driver has made available before, with or without a
	 * kick.
	 */
	bell_exec_resume(&q->exec);
	/* A driver may have missed the interrupts of the former owner: have it look. */
	bell_callfd_signal(&q->vq.call);
	/*
	 * Pairs with the acquire in device_read_errors(): the run is set up completely.
	 */
	smp_store_release(&q->running, true);
	return 0;

err_backend:
	dev->be->ops->stop_queue(dev->be, &q->exec);
err_vq:
	bell_vq_stop(&q->vq);
	return ret;
}

/* bell_device_set_run() - start or stop a queue */
int bell_device_set_run(struct bell_device *dev,
			const struct vhost_doorbell_run *run)
{
	struct bell_queue *q;

	if (run->run > 1 || run->reserved ||
	    run->flags & ~VHOST_DOORBELL_RUN_F_END_HELD ||
	    (run->run && run->flags))
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	q = device_queue(dev, run->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	if (run->run)
		return device_start_queue(dev, q);
	return bell_device_stop_queue(dev, q,
				      run->flags & VHOST_DOORBELL_RUN_F_END_HELD);
}
