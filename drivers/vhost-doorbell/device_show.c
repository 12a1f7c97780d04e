// SPDX-License-Identifier: GPL-2.0
/*
 * device_show - counters, histograms and errors, for ioctls and /proc/PID/fdinfo/FD
 *
 * Context: under the show_lock, so that they can be read while another call waits for
 * the disk.
 */
#include <linux/nospec.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "backend_net.h"
#include "device.h"
#include "device_priv.h"
#include "exec.h"
#include "gmem.h"
#include "hist.h"
#include "vq.h"

static_assert(BELL_HIST_BUCKETS == VHOST_DOORBELL_HIST_BUCKETS);
static_assert((int)BELL_KIND_READ == VHOST_DOORBELL_KIND_READ);
static_assert((int)BELL_KIND_WRITE == VHOST_DOORBELL_KIND_WRITE);
static_assert((int)BELL_KIND_FLUSH == VHOST_DOORBELL_KIND_FLUSH);
static_assert((int)BELL_KIND_DISCARD == VHOST_DOORBELL_KIND_DISCARD);
static_assert((int)BELL_KIND_ZEROES == VHOST_DOORBELL_KIND_ZEROES);
static_assert((int)BELL_KIND_OTHER == VHOST_DOORBELL_KIND_OTHER);
static_assert((int)BELL_KIND_FRAME == VHOST_DOORBELL_KIND_FRAME);
static_assert((int)BELL_KINDS == VHOST_DOORBELL_KINDS);
static_assert((int)BELL_KINDS <= VHOST_DOORBELL_ERRORS_KINDS);
static_assert((int)BELL_CAUSE_IO == VHOST_DOORBELL_CAUSE_IO);
static_assert((int)BELL_CAUSE_NOSPC == VHOST_DOORBELL_CAUSE_NOSPC);
static_assert((int)BELL_CAUSE_UNSUPP == VHOST_DOORBELL_CAUSE_UNSUPP);
static_assert((int)BELL_CAUSE_INVALID == VHOST_DOORBELL_CAUSE_INVALID);
static_assert((int)BELL_CAUSE_NOMEM == VHOST_DOORBELL_CAUSE_NOMEM);
static_assert((int)BELL_CAUSE_ZONE == VHOST_DOORBELL_CAUSE_ZONE);
static_assert((int)BELL_CAUSES == VHOST_DOORBELL_CAUSES);
static_assert((int)BELL_CAUSES <= VHOST_DOORBELL_ERRORS_CAUSES);
static_assert(BELL_NO_SECTOR == VHOST_DOORBELL_NO_SECTOR);

static u32 device_queue_state(const struct bell_queue *q)
{
	u32 state = 0;

	if (READ_ONCE(q->running))
		state |= VHOST_DOORBELL_QUEUE_RUNNING;
	if (READ_ONCE(q->vq.broken))
		state |= VHOST_DOORBELL_QUEUE_BROKEN;
	if (READ_ONCE(q->kick.hungup))
		state |= VHOST_DOORBELL_QUEUE_HUNGUP;
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
		.held = atomic_read(&s->held),
		.holds = atomic_long_read(&s->holds),
		.worker_pid = bell_exec_worker_pid(&q->exec),
	};
}

static struct bell_queue *device_shown_queue(struct bell_device *dev, u32 index)
{
	lockdep_assert_held(&dev->show_lock);
	if (!dev->be)
		return ERR_PTR(-ENXIO);
	if (index >= dev->be->num_queues)
		return ERR_PTR(-ENOBUFS);
	return &dev->queue[array_index_nospec(index, dev->be->num_queues)];
}

/* bell_device_get_stats() - counters of one queue; any holder of the file may call */
int bell_device_get_stats(struct bell_device *dev,
			  struct vhost_doorbell_stats *st)
{
	struct bell_queue *q;

	if (memchr_inv(st->reserved, 0, sizeof(st->reserved)))
		return -EINVAL;

	q = device_shown_queue(dev, st->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	device_read_stats(q, st);
	return 0;
}

static void device_read_hist(struct bell_queue *q, enum bell_kind kind,
			     struct vhost_doorbell_hist *h)
{
	static_assert(sizeof(((struct bell_hist *)0)->bucket) ==
		      sizeof(h->buckets));
	u32 i;

	bell_vq_read_hist(&q->vq, kind, &h->sum, &h->max, h->buckets);
	h->count = 0;
	for (i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++)
		h->count += h->buckets[i];
}

/* bell_device_get_hist() - histogram of one queue and one kind of request */
int bell_device_get_hist(struct bell_device *dev, struct vhost_doorbell_hist *h)
{
	struct bell_queue *q;

	if (memchr_inv(h->reserved, 0, sizeof(h->reserved)))
		return -EINVAL;

	q = device_shown_queue(dev, h->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	if (h->kind >= BELL_KINDS || !(dev->be->kinds & BIT(h->kind)))
		return -EINVAL;
	device_read_hist(q, array_index_nospec(h->kind, BELL_KINDS), h);
	return 0;
}

static void device_read_errors(struct bell_device *dev, struct bell_queue *q,
			       struct vhost_doorbell_errors *e)
{
	struct bell_failures f;
	u32 i;

	bell_vq_read_failures(&q->vq, &f);
	*e = (struct vhost_doorbell_errors){
		.index = q->vq.index,
		.held = atomic_read(&q->vq.stats.held),
		.last_sector = f.last.time ? f.last.sector : BELL_NO_SECTOR,
		.last_time = f.last.time,
		.last_kind = f.last.kind,
		.last_cause = f.last.cause,
		.last_errno = -f.last.error,
		.last_status = f.last.status,
	};
	for (i = 0; i < BELL_KINDS; i++)
		memcpy(e->failed[i], f.count[i], sizeof(f.count[i]));
	/* The show_lock keeps a running queue from being freed. */
	if (smp_load_acquire(&q->running) && bell_vq_in_flight(&q->vq))
		e->oldest_ns = dev->be->ops->oldest(dev->be, &q->exec);
}

/* bell_device_get_errors() - failed requests and the oldest request of one queue */
int bell_device_get_errors(struct bell_device *dev,
			   struct vhost_doorbell_errors *e)
{
	struct bell_queue *q;

	if (e->pad || e->pad2 ||
	    memchr_inv(e->reserved, 0, sizeof(e->reserved)))
		return -EINVAL;

	q = device_shown_queue(dev, e->index);
	if (IS_ERR(q))
		return PTR_ERR(q);
	if (!dev->be->ops->oldest)
		return -ENXIO;
	device_read_errors(dev, q, e);
	return 0;
}

/* bell_device_get_net_stats() - counters of one pair; any holder of the file may call */
int bell_device_get_net_stats(struct bell_device *dev,
			      struct vhost_doorbell_net_stats *st)
{
	if (st->pad || memchr_inv(st->reserved, 0, sizeof(st->reserved)))
		return -EINVAL;

	lockdep_assert_held(&dev->show_lock);
	if (!dev->be || !bell_backend_is_net(dev->be))
		return -ENXIO;
	return bell_backend_net_get_stats(dev->be, st);
}

/* bell_device_get_mem_stats() - counters of guest memory, for any holder of the file */
int bell_device_get_mem_stats(struct bell_device *dev,
			      struct vhost_doorbell_mem_stats *st)
{
	struct bell_gmem_stats g;

	lockdep_assert_held(&dev->show_lock);
	bell_gmem_get_stats(dev->gmem, &g);
	*st = (struct vhost_doorbell_mem_stats){
		.bytes = g.bytes,
		.pinned = g.pinned,
		.pins = g.pins,
		.invalidations = g.invalidations,
		.logged = g.logged,
		.regions = g.regions,
	};
	return 0;
}

static void device_show_queue(struct bell_queue *q, struct seq_file *m)
{
	struct vhost_doorbell_stats st;

	device_read_stats(q, &st);
	seq_printf(m, "queue%u:\tstate=%s%s%s size=%u in_flight=%u",
		   st.index,
		   st.state & VHOST_DOORBELL_QUEUE_RUNNING ? "running" :
							     "stopped",
		   st.state & VHOST_DOORBELL_QUEUE_BROKEN ? ",broken" : "",
		   st.state & VHOST_DOORBELL_QUEUE_HUNGUP ? ",hungup" : "",
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
	seq_printf(m, " coalesced=%llu held=%llu holds=%llu\n",
		   st.coalesced, st.held, st.holds);
}

static const char * const device_kinds[] = {
	[BELL_KIND_READ] = "read",
	[BELL_KIND_WRITE] = "write",
	[BELL_KIND_FLUSH] = "flush",
	[BELL_KIND_DISCARD] = "discard",
	[BELL_KIND_ZEROES] = "zeroes",
	[BELL_KIND_OTHER] = "other",
	[BELL_KIND_FRAME] = "frame",
};

static_assert(ARRAY_SIZE(device_kinds) == BELL_KINDS);

static const char * const device_causes[] = {
	[BELL_CAUSE_IO] = "io",
	[BELL_CAUSE_NOSPC] = "nospc",
	[BELL_CAUSE_UNSUPP] = "unsupp",
	[BELL_CAUSE_INVALID] = "invalid",
	[BELL_CAUSE_NOMEM] = "nomem",
	[BELL_CAUSE_ZONE] = "zone",
};

static_assert(ARRAY_SIZE(device_causes) == BELL_CAUSES);

/*
 * Print the histogram of one kind of request. Leave out empty buckets, and histograms
 * without any value.
 */
static void device_show_hist(struct bell_device *dev, struct bell_queue *q,
			     u32 kind, struct seq_file *m)
{
	struct vhost_doorbell_hist *h = &dev->show_hist;
	u32 i;

	lockdep_assert_held(&dev->show_lock);
	device_read_hist(q, kind, h);
	if (!h->count)
		return;
	seq_printf(m, "hist%u-%s:\tcount=%llu sum=%llu max=%llu", q->vq.index,
		   device_kinds[kind], h->count, h->sum, h->max);
	for (i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++) {
		if (h->buckets[i])
			seq_printf(m, " %u:%llu", i, h->buckets[i]);
	}
	seq_putc(m, '\n');
}

static noinline_for_stack void device_show_errors(struct bell_device *dev,
						  struct bell_queue *q,
						  struct seq_file *m)
{
	struct vhost_doorbell_errors e;
	u32 i, j;

	device_read_errors(dev, q, &e);
	if (e.oldest_ns)
		seq_printf(m, "flight%u:\toldest_ns=%llu held=%u\n", e.index,
			   e.oldest_ns, e.held);
	if (!e.last_time)
		return;
	seq_printf(m, "errors%u:\terrors=%llu", e.index,
		   READ_ONCE(q->vq.stats.errors));
	for (i = 0; i < BELL_KINDS; i++) {
		for (j = 0; j < BELL_CAUSES; j++) {
			if (e.failed[i][j])
				seq_printf(m, " %s-%s=%llu",
					   device_kinds[i], device_causes[j],
					   e.failed[i][j]);
		}
	}
	seq_printf(m, " last_kind=%s last_cause=%s", device_kinds[e.last_kind],
		   device_causes[e.last_cause]);
	if (e.last_sector != BELL_NO_SECTOR)
		seq_printf(m, " last_sector=%llu", e.last_sector);
	seq_printf(m, " last_errno=%u last_status=%u last_time=%llu\n",
		   e.last_errno, e.last_status, e.last_time);
}

static void device_show_details(struct bell_device *dev, struct bell_queue *q,
				struct seq_file *m)
{
	u32 kind;

	for (kind = 0; kind < BELL_KINDS; kind++) {
		if (dev->be->kinds & BIT(kind))
			device_show_hist(dev, q, kind, m);
	}
	if (dev->be->ops->oldest)
		device_show_errors(dev, q, m);
}

/* bell_device_show() - print /proc/PID/fdinfo/FD */
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
	 * Take the show_lock and not the device's lock, which a stop holds for as long
	 * as the disk takes. Numbers that are written only under the device's lock may
	 * change while they are printed.
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
	seq_printf(m, "memory:\tbytes=%llu regions=%u pinned=%llu pins=%llu invalidations=%llu logged=%llu\n",
		   g.bytes, g.regions, g.pinned, g.pins, g.invalidations,
		   g.logged);
	/* If the buffer is too small all is printed again, into a larger one. */
	for (i = 0; i < n && !seq_has_overflowed(m); i++)
		device_show_queue(&dev->queue[i], m);
	for (i = 0; i < n && !seq_has_overflowed(m); i++)
		device_show_details(dev, &dev->queue[i], m);
	mutex_unlock(&dev->show_lock);
}
