// SPDX-License-Identifier: GPL-2.0
/*
 * vq - a virtqueue: take chains, complete them, signal the driver
 *
 * Context: only the holder of the run token takes chains. Any context completes them,
 * also in hard irq, several at the same time. A chain that was taken keeps the guest
 * pages that it uses until it is completed.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stdarg.h>
#include <linux/vmalloc.h>

#include "trace.h"
#include "vq.h"
#include "vq_layout.h"

/*
 * Least limit of a chain's length: drivers may use indirect tables longer than the
 * ring, as they may with QEMU.
 */
#define VQ_MIN_SEGS	1024

/*
 * bell_vq_init() - initialise a queue that does not run yet
 * @vq: zeroed
 * @dev_id: number of the device, for messages and tracepoints
 * @index: number of the queue
 * @signal_cfg: the caller keeps it as long as @vq
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
	bell_vq_inflight_free(vq, gm);
	bell_gmem_unmap(gm, &vq->used_map);
	bell_gmem_unmap(gm, &vq->avail_map);
	bell_gmem_unmap(gm, &vq->desc_map);
	kvfree(vq->log);
	kvfree(vq->order);
	kvfree(vq->taken);
	kvfree(vq->segs);
	vq->log = NULL;
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
 * bell_vq_start() - map the rings and prepare to take chains
 * @vq: stopped
 * @gm: guest memory
 * @cfg: where the rings are; the caller has checked that @cfg->num is a power of 2
 *	for a split ring, and that @cfg->base lies within a packed ring
 *
 * Context: Process context, the owner's.
 * Return: 0, or what bell_gmem_map() or bell_vq_inflight_start() returns.
 */
int bell_vq_start(struct bell_vq *vq, struct bell_gmem *gm,
		  const struct bell_vq_config *cfg)
{
	struct bell_vq_log *log = NULL;
	int ret;

	if (bell_gmem_get_log(gm)) {
		log = bell_vq_log_alloc(cfg->num);
		if (!log)
			return -ENOMEM;
	}
	ret = vq_map(vq, gm, cfg);
	if (ret) {
		kvfree(log);
		vq_unmap(vq, gm);
		return ret;
	}
	vq->gmem = gm;
	vq->desc_uaddr = cfg->desc_uaddr;
	vq->used_uaddr = cfg->used_uaddr;
	bell_vq_log_set(vq, log);
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
	WRITE_ONCE(vq->detour, false);
	if (vq->packed)
		bell_vq_packed_start(vq, cfg->base);
	else
		bell_vq_split_start(vq, cfg->base);
	ret = bell_vq_inflight_start(vq, gm, cfg);
	if (ret) {
		vq_unmap(vq, gm);
		return ret;
	}
	bell_gmem_add_user(gm, &vq->user);
	return 0;
}

/**
 * bell_vq_stop() - unmap and unpin the rings
 * @vq: started, with no runner and nothing in flight
 *
 * Context: Process context.
 * Return: where the next start is to begin, as in VHOST_GET_VRING_BASE.
 */
u32 bell_vq_stop(struct bell_vq *vq)
{
	u32 base = vq->packed ? bell_vq_packed_base(vq) :
				bell_vq_split_base(vq);

	bell_vq_coalesce_stop(vq);
	/*
	 * The next device to serve the ring may not know that kicks are disabled:
	 * enable them.
	 */
	bell_vq_enable_kick(vq);
	bell_vq_inflight_stop(vq);
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
	if (vq->log)
		bell_vq_log_moved(vq);
	bell_gmem_add_user(gm, &vq->user);
}

/**
 * bell_vq_move() - a queue has another owner; if it was started bell_vq_set_gmem() follows
 * @vq: stopped, or started with no runner and nothing in flight
 * @cfg: where the rings are for the new owner; they stay on their pages
 */
void bell_vq_move(struct bell_vq *vq, const struct bell_vq_config *cfg)
{
	vq->desc_uaddr = cfg->desc_uaddr;
	vq->used_uaddr = cfg->used_uaddr;
}

/* Is there a chain to take? Returns as bell_vq_split_avail(). */
static __always_inline int vq_avail(struct bell_vq *vq)
{
	if (unlikely(vq->packed))
		return bell_vq_packed_avail(vq);
	/* Most often the index that was read last is still ahead. */
	return likely(vq->last_avail != vq->avail_idx) ? 1 :
							 bell_vq_split_avail(vq);
}

static int vq_fetch(struct bell_vq *vq, bool may_pin, struct bell_chain *chain)
{
	return vq->packed ? bell_vq_packed_fetch(vq, may_pin, chain) :
			    bell_vq_split_fetch(vq, may_pin, chain);
}

/* Move the position of the next take by @ndesc entries, backward if negative. */
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

/* Count the chain as taken. */
static __always_inline void vq_taken(struct bell_vq *vq,
				     const struct bell_chain *chain)
{
	WRITE_ONCE(vq->taken[chain->head], chain->ndesc);
	if (vq->order)
		vq_order_add(vq, chain->head);
	bell_stat_inc(vq->stats.requests);
	trace_bell_take(vq->dev_id, vq->index, chain->head, chain->nout,
			chain->nin);
}

/* Take the next of the chains that are to be taken again. Returns as bell_vq_take(). */
static int vq_take_again(struct bell_vq *vq, bool may_pin,
			 struct bell_chain *chain)
{
	int ret;

	chain->epoch = bell_gmem_user_enter(&vq->user);
	ret = bell_vq_split_fetch_head(vq, may_pin, chain,
				       bell_vq_inflight_head(vq));
	if (unlikely(vq->log) && !ret)
		ret = bell_vq_log_keep(vq, may_pin, chain);
	if (ret) {
		bell_gmem_user_cancel(&vq->user, chain->epoch);
		return ret;
	}
	bell_vq_inflight_took(vq);
	vq_taken(vq, chain);
	return 1;
}

/* Returns as bell_vq_take(), or 0 to take from the available ring. */
static noinline int vq_take_detour(struct bell_vq *vq, bool may_pin,
				   struct bell_chain *chain)
{
	if (READ_ONCE(vq->broken))
		return -EPROTO;
	if (bell_vq_inflight_left(vq))
		return vq_take_again(vq, may_pin, chain);
	WRITE_ONCE(vq->detour, false);
	return 0;
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
 * a page must be pinned first.
 */
int bell_vq_take(struct bell_vq *vq, bool may_pin, struct bell_chain *chain)
{
	int ret;

	if (unlikely(READ_ONCE(vq->detour))) {
		ret = vq_take_detour(vq, may_pin, chain);
		if (ret)
			return ret;
	}
	ret = vq_avail(vq);
	if (ret <= 0)
		return ret;

	chain->epoch = bell_gmem_user_enter(&vq->user);
	ret = vq_fetch(vq, may_pin, chain);
	if (unlikely(vq->log) && !ret)
		ret = bell_vq_log_keep(vq, may_pin, chain);
	if (ret) {
		bell_gmem_user_cancel(&vq->user, chain->epoch);
		return ret;
	}
	vq_move(vq, chain->ndesc);
	vq_taken(vq, chain);
	return 1;
}

/**
 * bell_vq_untake() - put back the chain taken last; the next take gets it again
 * @vq: the queue
 * @chain: the chain that bell_vq_take() returned
 *
 * Context: The queue's runner.
 */
void bell_vq_untake(struct bell_vq *vq, const struct bell_chain *chain)
{
	if (unlikely(vq->log))
		bell_vq_log_forget(vq, chain->head);
	WRITE_ONCE(vq->taken[chain->head], 0);
	if (vq->order)
		vq_order_take_back(vq);
	if (likely(!vq->detour) || !bell_vq_inflight_untake(vq))
		vq_move(vq, -chain->ndesc);
	bell_stat_add(vq->stats.requests, -1);
	trace_bell_untake(vq->dev_id, vq->index, chain->head);
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
 * bell_vq_pending() - is there a chain to take?
 * @vq: the queue
 *
 * Context: The queue's runner.
 * Return: true if bell_vq_take() would take a chain, or break the queue.
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
 * Return: true if the driver added something meanwhile, perhaps without a kick.
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

/*
 * The chain of @head is no longer in flight. The caller calls this before the driver
 * sees the completion and may make the head available again.
 */
static void vq_clear_taken(struct bell_vq *vq, u16 head)
{
	WRITE_ONCE(vq->taken[head], 0);
}

/* Put a chain into the used ring. */
static void vq_put(struct bell_vq *vq, u16 head, u32 len)
{
	u16 ndesc = vq->taken[head];

	lockdep_assert_held(&vq->lock);
	vq_clear_taken(vq, head);
	if (vq->packed)
		bell_vq_packed_put(vq, head, len, ndesc);
	else
		bell_vq_split_put(vq, head, len);
}

/*
 * Complete a chain in order: put it into the used ring with all newer ones that waited
 * for it; or leave it waiting for an older one. Returns true if any was put.
 *
 * The slot after the newest chain holds a stale head. If that head is in flight again,
 * its own slot lies before this one, so that `ended` is false and the loop stops.
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

/*
 * Make the entries that were put visible to the driver. Returns true if it wants a
 * signal.
 */
static bool vq_publish(struct bell_vq *vq)
{
	lockdep_assert_held(&vq->lock);
	return vq->packed ? bell_vq_packed_publish(vq) :
			    bell_vq_split_publish(vq);
}

/*
 * Put a chain into the used ring and publish it. Returns true if the driver wants a
 * signal.
 */
static bool vq_use(struct bell_vq *vq, const struct bell_done *done)
{
	lockdep_assert_held(&vq->lock);
	if (likely(!vq->order && !vq->packed)) {
		vq_clear_taken(vq, done->head);
		return bell_vq_split_use(vq, done->head, done->len);
	}
	if (!vq->order)
		vq_put(vq, done->head, done->len);
	else if (!vq_put_in_order(vq, done))
		return false;
	return vq_publish(vq);
}

/*
 * Put several chains into the used ring and publish them together. Returns as vq_use().
 */
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
 * @n chains were put and counted: signal the driver if @signal says so and coalescing
 * allows. Unlocks vq->lock.
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

static noinline void vq_count_failure(struct bell_vq *vq,
				      const struct bell_failure *failure)
{
	lockdep_assert_held(&vq->lock);
	bell_stat_inc(vq->stats.errors);
	vq->failures.count[failure->kind][failure->cause]++;
	vq->failures.last = *failure;
}

static noinline void vq_count_hist(struct bell_vq *vq,
				   const struct bell_done *done)
{
	lockdep_assert_held(&vq->lock);
	bell_hist_add(&vq->hist[done->kind], done->value);
}

static __always_inline void vq_count(struct bell_vq *vq,
				     const struct bell_done *done)
{
	struct bell_stats *st = &vq->stats;

	lockdep_assert_held(&vq->lock);
	bell_stat_add(st->bytes_read, done->bytes_read);
	bell_stat_add(st->bytes_written, done->bytes_written);
	/*
	 * The kind may be unset, if histograms were switched on only after @done was
	 * filled in.
	 */
	if (bell_hist_is_on() && done->kind < BELL_KINDS)
		vq_count_hist(vq, done);
	if (unlikely(done->failure))
		vq_count_failure(vq, done->failure);
}

/**
 * bell_vq_complete() - put a taken chain into the used ring; with VIRTIO_F_IN_ORDER
 *	when all older ones have completed, too
 * @vq: the queue
 * @done: the chain and its result
 *
 * The caller does not access the chain's memory any more: it is the driver's again.
 *
 * Context: Any.
 */
void bell_vq_complete(struct bell_vq *vq, const struct bell_done *done)
{
	unsigned long flags;
	bool signal;

	trace_bell_complete(vq->dev_id, vq->index, done->head, done->len);
	if (unlikely(vq->log))
		bell_vq_log_done(vq, done);
	spin_lock_irqsave(&vq->lock, flags);
	signal = vq_use(vq, done);
	bell_gmem_user_leave(&vq->user, done->epoch, 1);
	bell_stat_inc(vq->stats.completed);
	vq_count(vq, done);
	vq_tell(vq, 1, signal, flags);
}

/**
 * bell_vq_complete_n() - complete several chains, which the driver sees together
 * @vq: the queue
 * @done: the chains and their results, in the order in which the driver is to see them
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

	for (i = 0; unlikely(vq->log) && i < n; i++)
		bell_vq_log_done(vq, &done[i]);
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
 * bell_vq_read_hist() - copy a histogram, as it was at one moment
 * @vq: the queue, running or not
 * @kind: kind of request
 * @sum: out: sum of all values
 * @max: out: the largest value
 * @bucket: out: BELL_HIST_BUCKETS counts
 *
 * Context: Any.
 */
void bell_vq_read_hist(struct bell_vq *vq, enum bell_kind kind, u64 *sum,
		       u64 *max, u64 *bucket)
{
	const struct bell_hist *h = &vq->hist[kind];
	unsigned long flags;

	spin_lock_irqsave(&vq->lock, flags);
	*sum = h->sum;
	*max = h->max;
	memcpy(bucket, h->bucket, sizeof(h->bucket));
	spin_unlock_irqrestore(&vq->lock, flags);
}

/**
 * bell_vq_read_failures() - copy the counters of failures, as they were at one moment
 * @vq: the queue, running or not
 * @f: out: the copy
 *
 * Context: Any.
 */
void bell_vq_read_failures(struct bell_vq *vq, struct bell_failures *f)
{
	unsigned long flags;

	spin_lock_irqsave(&vq->lock, flags);
	*f = vq->failures;
	spin_unlock_irqrestore(&vq->lock, flags);
}

/**
 * bell_vq_break() - stop serving a queue, as the guest broke the rules of the ring
 * @vq: the queue
 * @fmt: what the guest did, for the log
 *
 * Requests that were taken before are completed; no more are taken. The error eventfd
 * tells the VMM.
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
	WRITE_ONCE(vq->detour, true);
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
