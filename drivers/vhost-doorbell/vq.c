// SPDX-License-Identifier: GPL-2.0
/*
 * vq - a virtqueue: take chains, complete them, tell the guest
 *
 * Context: taking is for the holder of the run token; completing works from any
 * context, hard irq included, and for several completions at once. A chain that
 * was taken keeps the guest pages it uses until it is completed.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stdarg.h>
#include <linux/vmalloc.h>

#include "trace.h"
#include "vq.h"
#include "vq_layout.h"

/* Drivers may build indirect tables longer than the ring; QEMU allows these. */
#define VQ_MIN_SEGS	1024

/*
 * bell_vq_init() - a queue that does not run yet, zeroed by the caller, who keeps
 * the configuration as long
 */
void bell_vq_init(struct bell_vq *vq, u32 dev_id, u16 index,
		  const struct bell_vq_signal_config *signal_cfg)
{
	vq->dev_id = dev_id;
	vq->index = index;
	vq->signal_cfg = signal_cfg;
	spin_lock_init(&vq->lock);
	bell_vq_coalesce_init(vq);
	bell_gmem_user_init(&vq->user);
}

static void vq_unmap(struct bell_vq *vq, struct bell_gmem *gm)
{
	bell_gmem_unmap(gm, &vq->used_map);
	bell_gmem_unmap(gm, &vq->avail_map);
	bell_gmem_unmap(gm, &vq->desc_map);
	kvfree(vq->order);
	kvfree(vq->taken);
	kvfree(vq->segs);
	vq->order = NULL;
	vq->taken = NULL;
	vq->segs = NULL;
}

static size_t vq_desc_size(const struct bell_vq_config *cfg)
{
	return cfg->packed ? bell_vq_packed_desc_size(cfg->num) :
			     bell_vq_split_desc_size(cfg->num);
}

static size_t vq_avail_size(const struct bell_vq_config *cfg)
{
	return cfg->packed ? bell_vq_packed_event_size() :
			     bell_vq_split_avail_size(cfg->num);
}

static size_t vq_used_size(const struct bell_vq_config *cfg)
{
	return cfg->packed ? bell_vq_packed_event_size() :
			     bell_vq_split_used_size(cfg->num);
}

static int vq_map(struct bell_vq *vq, struct bell_gmem *gm,
		  const struct bell_vq_config *cfg)
{
	int ret;

	vq->max_segs = cfg->max_segs ?: max_t(u32, cfg->num, VQ_MIN_SEGS);
	vq->segs = kvcalloc(vq->max_segs, sizeof(*vq->segs),
			    GFP_KERNEL_ACCOUNT);
	vq->taken = kvcalloc(cfg->num, sizeof(*vq->taken), GFP_KERNEL_ACCOUNT);
	if (cfg->in_order)
		vq->order = kvzalloc(struct_size(vq->order, entry, cfg->num),
				     GFP_KERNEL_ACCOUNT);
	if (!vq->segs || !vq->taken || (cfg->in_order && !vq->order))
		return -ENOMEM;
	ret = bell_gmem_map(gm, cfg->desc_uaddr, vq_desc_size(cfg),
			    &vq->desc_map);
	if (ret)
		return ret;
	ret = bell_gmem_map(gm, cfg->avail_uaddr, vq_avail_size(cfg),
			    &vq->avail_map);
	if (ret)
		return ret;
	return bell_gmem_map(gm, cfg->used_uaddr, vq_used_size(cfg),
			     &vq->used_map);
}

/**
 * bell_vq_start() - map the rings and get ready to take
 * @vq: stopped
 * @gm: guest memory
 * @cfg: where the rings are; @cfg->num is a power of 2 for a split ring, and
 *	@cfg->base within the ring for a packed one
 *
 * Context: Process context, the owner's.
 * Return: 0, or what bell_gmem_map() returns.
 */
int bell_vq_start(struct bell_vq *vq, struct bell_gmem *gm,
		  const struct bell_vq_config *cfg)
{
	int ret;

	ret = vq_map(vq, gm, cfg);
	if (ret) {
		vq_unmap(vq, gm);
		return ret;
	}
	vq->gmem = gm;
	vq->num = cfg->num;
	vq->mask = cfg->num - 1;
	vq->packed = cfg->packed;
	vq->event_idx = cfg->event_idx;
	vq->indirect = cfg->indirect;
	vq->notify_on_empty = cfg->notify_on_empty;
	vq->completes_all = cfg->completes_all;
	vq->desc = vq->desc_map.addr;
	vq->avail = vq->avail_map.addr;
	vq->used = vq->used_map.addr;
	WRITE_ONCE(vq->broken, false);
	WRITE_ONCE(vq->parked, false);
	if (vq->packed)
		bell_vq_packed_start(vq, cfg->base);
	else
		bell_vq_split_start(vq, cfg->base);
	bell_gmem_add_user(gm, &vq->user);
	return 0;
}

/**
 * bell_vq_stop() - let go of the rings
 * @vq: started, with no runner and nothing in flight
 *
 * Context: Process context.
 * Return: where to go on, as VHOST_GET_VRING_BASE has it.
 */
u32 bell_vq_stop(struct bell_vq *vq)
{
	u32 base = vq->packed ? bell_vq_packed_base(vq) :
				bell_vq_split_base(vq);

	bell_vq_coalesce_stop(vq);
	/* The next back end may not know that kicks are off: ask for them again. */
	bell_vq_enable_kick(vq);
	bell_gmem_del_user(vq->gmem, &vq->user);
	vq_unmap(vq, vq->gmem);
	return base;
}

/**
 * bell_vq_covered() - are these rings in guest memory?
 * @cfg: where they are
 * @gm: guest memory
 */
bool bell_vq_covered(const struct bell_vq_config *cfg, struct bell_gmem *gm)
{
	return bell_gmem_covers(gm, cfg->desc_uaddr, vq_desc_size(cfg)) &&
	       bell_gmem_covers(gm, cfg->avail_uaddr, vq_avail_size(cfg)) &&
	       bell_gmem_covers(gm, cfg->used_uaddr, vq_used_size(cfg));
}

/**
 * bell_vq_set_gmem() - move a paused queue to another table of guest memory
 * @vq: started, with no runner and nothing in flight
 * @gm: the new table
 */
void bell_vq_set_gmem(struct bell_vq *vq, struct bell_gmem *gm)
{
	bell_gmem_del_user(vq->gmem, &vq->user);
	vq->gmem = gm;
	bell_gmem_add_user(gm, &vq->user);
}

static int vq_avail(struct bell_vq *vq)
{
	return vq->packed ? bell_vq_packed_avail(vq) : bell_vq_split_avail(vq);
}

static int vq_fetch(struct bell_vq *vq, bool may_pin, struct bell_chain *chain)
{
	chain->seg = vq->segs;
	chain->nout = 0;
	chain->nin = 0;
	return vq->packed ? bell_vq_packed_fetch(vq, may_pin, chain) :
			    bell_vq_split_fetch(vq, may_pin, chain);
}

/* Go on, or back, by a chain. */
static void vq_move(struct bell_vq *vq, int ndesc)
{
	if (vq->packed)
		bell_vq_packed_move(vq, ndesc);
	else
		vq->last_avail += ndesc;
}

/* --- chains in the order of the available ring (VIRTIO_F_IN_ORDER) --- */

static u32 vq_order_after(const struct bell_vq *vq, u32 place)
{
	return place + 1 < vq->num ? place + 1 : 0;
}

static void vq_order_add(struct bell_vq *vq, u16 head)
{
	struct bell_order *o = vq->order;

	WRITE_ONCE(o->entry[o->next].head, head);
	o->next = vq_order_after(vq, o->next);
}

static void vq_order_take_back(struct bell_vq *vq)
{
	struct bell_order *o = vq->order;

	o->next = (o->next ?: vq->num) - 1;
}

/**
 * bell_vq_take() - take the next chain from the available ring
 * @vq: the queue
 * @may_pin: guest pages may be pinned now; sleeps
 * @chain: out: valid until the next call
 *
 * Context: The queue's runner.
 * Return: 1 if taken, and then bell_vq_complete() or bell_vq_untake() must
 * follow; 0 if the ring is empty; -EPROTO if the queue is broken, -EAGAIN if
 * it takes pinning, -ESRCH if the owner has died.
 */
int bell_vq_take(struct bell_vq *vq, bool may_pin, struct bell_chain *chain)
{
	int ret;

	if (READ_ONCE(vq->broken))
		return -EPROTO;
	ret = vq_avail(vq);
	if (ret <= 0)
		return ret;

	chain->epoch = bell_gmem_user_enter(&vq->user);
	ret = vq_fetch(vq, may_pin, chain);
	if (ret) {
		bell_gmem_user_cancel(&vq->user, chain->epoch);
		return ret;
	}
	vq_move(vq, chain->ndesc);
	WRITE_ONCE(vq->taken[chain->head], chain->ndesc);
	if (vq->order)
		vq_order_add(vq, chain->head);
	bell_stat_inc(vq->stats.requests);
	trace_bell_take(vq->dev_id, vq->index, chain->head, chain->nout,
			chain->nin);
	return 1;
}

/**
 * bell_vq_untake() - put back the chain taken last; the next take gets it again
 * @vq: the queue
 * @chain: what bell_vq_take() gave
 *
 * Context: The queue's runner.
 */
void bell_vq_untake(struct bell_vq *vq, const struct bell_chain *chain)
{
	WRITE_ONCE(vq->taken[chain->head], 0);
	if (vq->order)
		vq_order_take_back(vq);
	vq_move(vq, -chain->ndesc);
	bell_stat_add(vq->stats.requests, -1);
	bell_gmem_user_cancel(&vq->user, chain->epoch);
}

/**
 * bell_vq_untake_n() - put back the chains taken last
 * @vq: the queue
 * @done: head and epoch of each, in the order in which they were taken
 * @n: how many
 *
 * Context: The queue's runner.
 */
void bell_vq_untake_n(struct bell_vq *vq, const struct bell_done *done,
		      unsigned int n)
{
	struct bell_chain chain;

	while (n--) {
		chain.head = done[n].head;
		chain.epoch = done[n].epoch;
		chain.ndesc = vq->taken[chain.head];
		bell_vq_untake(vq, &chain);
	}
}

/**
 * bell_vq_pending() - is there something to take?
 * @vq: the queue
 *
 * Context: The queue's runner.
 * Return: true if bell_vq_take() would take something, or say what is wrong.
 */
bool bell_vq_pending(struct bell_vq *vq)
{
	return vq_avail(vq);
}

/**
 * bell_vq_kick_due() - has the driver added anything since it was asked for a kick?
 * @vq: the queue, for which bell_vq_enable_kick() was called
 *
 * Context: The queue's runner.
 */
bool bell_vq_kick_due(struct bell_vq *vq)
{
	return vq->packed ? bell_vq_packed_kick_due(vq) :
			    bell_vq_split_kick_due(vq);
}

/**
 * bell_vq_enable_kick() - ask the driver for a kick when it adds something
 * @vq: the queue
 *
 * Context: The queue's runner.
 * Return: true if it added something meanwhile, perhaps without a kick.
 */
bool bell_vq_enable_kick(struct bell_vq *vq)
{
	return vq->packed ? bell_vq_packed_enable_kick(vq) :
			    bell_vq_split_enable_kick(vq);
}

/**
 * bell_vq_disable_kick() - tell the driver that kicks are not needed now
 * @vq: the queue
 *
 * Context: The queue's runner.
 */
void bell_vq_disable_kick(struct bell_vq *vq)
{
	if (vq->packed)
		bell_vq_packed_disable_kick(vq);
	else
		bell_vq_split_disable_kick(vq);
}

/* Put a chain into the used ring. */
static void vq_put(struct bell_vq *vq, u16 head, u32 len)
{
	u16 ndesc = vq->taken[head];

	lockdep_assert_held(&vq->lock);
	/* Before the driver can know, and make the head available again. */
	WRITE_ONCE(vq->taken[head], 0);
	if (vq->packed)
		bell_vq_packed_put(vq, head, len, ndesc);
	else
		bell_vq_split_put(vq, head, len);
}

/*
 * The same, and those that waited for it; or none, if it has to wait itself.
 *
 * The slot after the newest chain holds a stale head. If that head is in flight
 * again, its own slot lies before this one, so that it is not ended.
 */
static bool vq_put_in_order(struct bell_vq *vq, const struct bell_done *done)
{
	struct bell_order *o = vq->order;
	bool put = false;
	u16 head;

	lockdep_assert_held(&vq->lock);
	o->entry[done->head].ended = true;
	o->entry[done->head].len = done->len;
	while (head = READ_ONCE(o->entry[o->oldest].head),
	       o->entry[head].ended) {
		o->entry[head].ended = false;
		vq_put(vq, head, o->entry[head].len);
		o->oldest = vq_order_after(vq, o->oldest);
		put = true;
	}
	return put;
}

/* Show the driver what was put into the used ring: does it wait for that? */
static bool vq_publish(struct bell_vq *vq)
{
	lockdep_assert_held(&vq->lock);
	if (vq->packed) {
		bell_vq_packed_publish(vq);
		return bell_vq_packed_wants_signal(vq);
	}
	bell_vq_split_publish(vq);
	return bell_vq_split_wants_signal(vq);
}

/* Put a chain into the used ring; does the driver wait for what came there? */
static bool vq_use(struct bell_vq *vq, const struct bell_done *done)
{
	lockdep_assert_held(&vq->lock);
	if (!vq->order)
		vq_put(vq, done->head, done->len);
	else if (!vq_put_in_order(vq, done))
		return false;
	return vq_publish(vq);
}

/* The same of several, which the driver sees at once. */
static bool vq_use_n(struct bell_vq *vq, const struct bell_done *done,
		     unsigned int n)
{
	bool put = !vq->order;
	unsigned int i;

	lockdep_assert_held(&vq->lock);
	for (i = 0; i < n; i++) {
		trace_bell_complete(vq->dev_id, vq->index, done[i].head,
				    done[i].len);
		if (!vq->order)
			vq_put(vq, done[i].head, done[i].len);
		else if (vq_put_in_order(vq, &done[i]))
			put = true;
	}
	return put && vq_publish(vq);
}

static bool vq_coalesces(struct bell_vq *vq)
{
	lockdep_assert_held(&vq->lock);
	return vq->unsignalled || READ_ONCE(vq->signal_cfg->coalesce_us);
}

/*
 * @n chains were used and counted; tell the driver if it wants to know.
 *
 * The ioctl that stops the queue calls synchronize_rcu(), which waits until vq->lock is
 * released here, and again for a signal that is still under way without the lock.
 */
static __always_inline void vq_tell(struct bell_vq *vq, unsigned int n,
				    bool signal, unsigned long flags)
	__releases(&vq->lock)
{
	struct bell_stats *st = &vq->stats;
	u16 idx = vq->used_idx;

	if (!signal)
		bell_stat_add(st->suppressed, n);
	if (unlikely(vq_coalesces(vq)))
		signal = bell_vq_coalesce_signal(vq, n, signal);
	if (!signal) {
		spin_unlock_irqrestore(&vq->lock, flags);
		return;
	}
	bell_stat_inc(st->signals);
	rcu_read_lock();
	spin_unlock_irqrestore(&vq->lock, flags);
	trace_bell_signal(vq->dev_id, vq->index, idx);
	bell_callfd_signal(&vq->call);
	rcu_read_unlock();
}

static void vq_count(struct bell_vq *vq, const struct bell_done *done)
{
	struct bell_stats *st = &vq->stats;

	lockdep_assert_held(&vq->lock);
	bell_stat_add(st->bytes_read, done->bytes_read);
	bell_stat_add(st->bytes_written, done->bytes_written);
	if (done->failed)
		bell_stat_inc(st->errors);
}

/**
 * bell_vq_complete() - put a taken chain into the used ring, or where order was
 *	agreed on, have it wait there for older ones
 * @vq: the queue
 * @done: how it ended
 *
 * After this the chain's memory is the driver's again.
 *
 * Context: Any.
 */
void bell_vq_complete(struct bell_vq *vq, const struct bell_done *done)
{
	unsigned long flags;
	bool signal;

	trace_bell_complete(vq->dev_id, vq->index, done->head, done->len);
	spin_lock_irqsave(&vq->lock, flags);
	signal = vq_use(vq, done);
	bell_gmem_user_leave(&vq->user, done->epoch, 1);
	bell_stat_inc(vq->stats.completed);
	vq_count(vq, done);
	vq_tell(vq, 1, signal, flags);
}

/**
 * bell_vq_complete_n() - the same for several chains, which the driver sees together
 * @vq: the queue
 * @done: how they ended, in the order in which the driver is to see them
 * @n: how many, not zero
 *
 * One lock, one publication and at most one signal for all of them.
 *
 * Context: Any.
 */
void bell_vq_complete_n(struct bell_vq *vq, const struct bell_done *done,
			unsigned int n)
{
	unsigned long flags;
	unsigned int i;
	u32 left[2] = {};
	bool signal;

	spin_lock_irqsave(&vq->lock, flags);
	signal = vq_use_n(vq, done, n);
	for (i = 0; i < n; i++) {
		left[done[i].epoch]++;
		vq_count(vq, &done[i]);
	}
	for (i = 0; i < 2; i++) {
		if (left[i])
			bell_gmem_user_leave(&vq->user, i, left[i]);
	}
	bell_stat_add(vq->stats.completed, n);
	vq_tell(vq, n, signal, flags);
}

/**
 * bell_vq_break() - the guest broke the rules: serve this queue no more
 * @vq: the queue
 * @fmt: what it did
 *
 * The driver sees no more completions from requests it makes after that; what
 * was taken before is completed. The VMM sees the error eventfd.
 *
 * Context: The queue's runner.
 * Return: -EPROTO, for the caller to pass on.
 */
int bell_vq_break(struct bell_vq *vq, const char *fmt, ...)
{
	struct va_format vaf;
	unsigned long flags;
	va_list args;

	if (READ_ONCE(vq->broken))
		return -EPROTO;
	WRITE_ONCE(vq->broken, true);
	spin_lock_irqsave(&vq->lock, flags);
	bell_stat_inc(vq->stats.broken);
	spin_unlock_irqrestore(&vq->lock, flags);

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_notice_ratelimited("vhost-doorbell: device %u queue %u broken: %pV\n",
			      vq->dev_id, vq->index, &vaf);
	va_end(args);
	bell_callfd_signal(&vq->err);
	return -EPROTO;
}
