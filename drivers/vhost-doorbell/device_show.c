// SPDX-License-Identifier: GPL-2.0
/*
 * device_show - statistics, for ioctls and for /proc/PID/fdinfo/FD
 */
#include <linux/nospec.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "device.h"
#include "device_priv.h"
#include "exec.h"
#include "gmem.h"
#include "vq.h"

static u32 device_queue_state(const struct bell_queue *q)
{
	u32 state = 0;

	if (READ_ONCE(q->running))
		state |= VHOST_DOORBELL_QUEUE_RUNNING;
	if (READ_ONCE(q->vq.broken))
		state |= VHOST_DOORBELL_QUEUE_BROKEN;
	if (READ_ONCE(q->kick.hungup))
		state |= VHOST_DOORBELL_QUEUE_HUNGUP;
	if (READ_ONCE(q->vq.parked))
		state |= VHOST_DOORBELL_QUEUE_PARKED;
	return state;
}

static void device_read_stats(struct bell_queue *q,
			      struct vhost_doorbell_stats *st)
{
	const struct bell_stats *s = &q->vq.stats;

	*st = (struct vhost_doorbell_stats){
		.index = q->vq.index,
		.state = device_queue_state(q),
		.size = READ_ONCE(q->cfg.num),
		.in_flight = bell_vq_in_flight(&q->vq),
		.kicks = READ_ONCE(s->kicks),
		.inline_passes = READ_ONCE(s->inline_passes),
		.worker_passes = READ_ONCE(s->worker_passes),
		.punts = READ_ONCE(s->punts),
		.requests = READ_ONCE(s->requests),
		.bytes_read = READ_ONCE(s->bytes_read),
		.bytes_written = READ_ONCE(s->bytes_written),
		.errors = READ_ONCE(s->errors),
		.broken = READ_ONCE(s->broken),
		.signals = READ_ONCE(s->signals),
		.suppressed = READ_ONCE(s->suppressed),
		.completed = READ_ONCE(s->completed),
		.polls = READ_ONCE(s->polls),
		.poll_hits = READ_ONCE(s->poll_hits),
		.poll_ns = READ_ONCE(s->poll_ns),
		.coalesced = READ_ONCE(s->coalesced),
		.worker_pid = bell_exec_worker_pid(&q->exec),
	};
}

/* bell_device_get_stats() - counters of one queue, for anyone with the file */
int bell_device_get_stats(struct bell_device *dev,
			  struct vhost_doorbell_stats *st)
{
	if (memchr_inv(st->reserved, 0, sizeof(st->reserved)))
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	if (!dev->be)
		return -ENXIO;
	if (st->index >= dev->be->num_queues)
		return -ENOBUFS;
	device_read_stats(&dev->queue[array_index_nospec(st->index,
							 dev->be->num_queues)],
			  st);
	return 0;
}

/* bell_device_get_mem_stats() - about guest memory, for anyone with the file */
int bell_device_get_mem_stats(struct bell_device *dev,
			      struct vhost_doorbell_mem_stats *st)
{
	struct bell_gmem_stats g;

	lockdep_assert_held(&dev->lock);
	bell_gmem_get_stats(dev->gmem, &g);
	*st = (struct vhost_doorbell_mem_stats){
		.bytes = g.bytes,
		.pinned = g.pinned,
		.pins = g.pins,
		.invalidations = g.invalidations,
		.regions = g.regions,
	};
	return 0;
}

static void device_show_queue(struct bell_queue *q, struct seq_file *m)
{
	struct vhost_doorbell_stats st;

	device_read_stats(q, &st);
	seq_printf(m, "queue%u:\tstate=%s%s%s%s size=%u in_flight=%u",
		   st.index,
		   st.state & VHOST_DOORBELL_QUEUE_RUNNING ? "running" :
							     "stopped",
		   st.state & VHOST_DOORBELL_QUEUE_BROKEN ? ",broken" : "",
		   st.state & VHOST_DOORBELL_QUEUE_HUNGUP ? ",hungup" : "",
		   st.state & VHOST_DOORBELL_QUEUE_PARKED ? ",parked" : "",
		   st.size, st.in_flight);
	seq_printf(m, " kicks=%llu inline_passes=%llu worker_passes=%llu",
		   st.kicks, st.inline_passes, st.worker_passes);
	seq_printf(m, " punts=%llu requests=%llu bytes_read=%llu",
		   st.punts, st.requests, st.bytes_read);
	seq_printf(m, " bytes_written=%llu errors=%llu broken=%llu",
		   st.bytes_written, st.errors, st.broken);
	seq_printf(m, " signals=%llu suppressed=%llu completed=%llu",
		   st.signals, st.suppressed, st.completed);
	seq_printf(m, " worker_pid=%llu polls=%llu poll_hits=%llu poll_ns=%llu",
		   st.worker_pid, st.polls, st.poll_hits, st.poll_ns);
	seq_printf(m, " coalesced=%llu\n", st.coalesced);
}

/* bell_device_show() - what /proc/PID/fdinfo/FD says of it */
void bell_device_show(struct bell_device *dev, struct seq_file *m)
{
	static const char * const modes[] = {
		[VHOST_DOORBELL_MODE_AUTO] = "auto",
		[VHOST_DOORBELL_MODE_WORKER] = "worker",
		[VHOST_DOORBELL_MODE_INLINE] = "inline",
		[VHOST_DOORBELL_MODE_POLL] = "poll",
	};
	struct bell_gmem_stats g;
	u32 i, n;

	/*
	 * Not the device's lock: a stop holds it for as long as the disk takes. What
	 * is read without it is a number each, that of some moment.
	 */
	if (mutex_lock_killable(&dev->show_lock))
		return;
	n = dev->be ? dev->be->num_queues : 0;
	seq_printf(m, "vhost-doorbell:\t%u\n", dev->id);
	if (READ_ONCE(dev->stopping))
		seq_puts(m, "state:\tstopping\n");
	seq_printf(m, "backend:\t%s\n", dev->be ? dev->be->ops->name : "none");
	if (dev->be)
		dev->be->ops->show(dev->be, m);
	seq_printf(m, "mode:\t%s\ninline-max:\t%u\nbudget:\t%u\n",
		   modes[READ_ONCE(dev->exec_cfg.mode)],
		   READ_ONCE(dev->exec_cfg.inline_max),
		   READ_ONCE(dev->exec_cfg.budget));
	seq_printf(m, "poll-us:\t%u\npoll-share:\t%u\n",
		   READ_ONCE(dev->exec_cfg.poll_us),
		   READ_ONCE(dev->exec_cfg.poll_share));
	seq_printf(m, "coalesce-us:\t%u\ncoalesce-count:\t%u\n",
		   READ_ONCE(dev->signal_cfg.coalesce_us),
		   READ_ONCE(dev->signal_cfg.coalesce_count));
	seq_printf(m, "features:\t%#llx\nqueues:\t%u\n",
		   READ_ONCE(dev->features), n);
	bell_gmem_get_stats(dev->gmem, &g);
	seq_printf(m, "memory:\tbytes=%llu regions=%u pinned=%llu pins=%llu invalidations=%llu\n",
		   g.bytes, g.regions, g.pinned, g.pins, g.invalidations);
	for (i = 0; i < n; i++)
		device_show_queue(&dev->queue[i], m);
	mutex_unlock(&dev->show_lock);
}
