// SPDX-License-Identifier: GPL-2.0
/*
 * vq_coalesce - interrupt coalescing: one signal for several completions
 *
 * The first completion that the driver wants to be told of starts a timer. It is
 * told when that ends, or before when enough have completed, or when nothing is
 * in flight that could: a driver that waits for its last request waits no longer
 * than without. Of a network card nothing ever is in flight, and more may come all
 * the same: there the timer and the number decide.
 */
#include <linux/hrtimer.h>

#include "trace.h"
#include "vq.h"

static void vq_signal_waiting(struct bell_vq *vq)
{
	unsigned long flags;
	bool signal;
	u16 idx;

	spin_lock_irqsave(&vq->lock, flags);
	signal = vq->unsignalled;
	vq->unsignalled = 0;
	idx = vq->used_idx;
	if (signal)
		bell_stat_inc(vq->stats.signals);
	spin_unlock_irqrestore(&vq->lock, flags);
	if (signal) {
		trace_bell_signal(vq->dev_id, vq->index, idx);
		bell_callfd_signal(&vq->call);
	}
}

static enum hrtimer_restart vq_signal_timeout(struct hrtimer *timer)
{
	vq_signal_waiting(container_of(timer, struct bell_vq, signal_timer));
	return HRTIMER_NORESTART;
}

/* bell_vq_coalesce_init() - no signal waits */
void bell_vq_coalesce_init(struct bell_vq *vq)
{
	hrtimer_setup(&vq->signal_timer, vq_signal_timeout, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
}

/**
 * bell_vq_coalesce_stop() - no signal waits any more
 * @vq: with nothing in flight
 *
 * Context: Process context.
 */
void bell_vq_coalesce_stop(struct bell_vq *vq)
{
	hrtimer_cancel(&vq->signal_timer);
	vq_signal_waiting(vq);
}

/**
 * bell_vq_coalesce_signal() - is it time to tell the driver?
 * @vq: a queue whose signals wait, or may; chains of it were completed and counted
 * @n: how many
 * @signal: whether the driver waits for them
 *
 * A timer whose signal was sent before is left alone: the next burst starts it
 * anew, and else it finds nothing.
 *
 * Context: Any, under the lock of the queue.
 */
bool bell_vq_coalesce_signal(struct bell_vq *vq, u32 n, bool signal)
{
	const struct bell_vq_signal_config *cfg = vq->signal_cfg;
	u32 us = READ_ONCE(cfg->coalesce_us);
	bool first = !vq->unsignalled;

	lockdep_assert_held(&vq->lock);
	if (first && !signal)
		return false;
	/*
	 * A chain that is being taken may be missed, and the driver told at
	 * once; or be put back, and the driver told when time is up.
	 */
	vq->unsignalled += n;
	if (!us || vq->unsignalled >= READ_ONCE(cfg->coalesce_count) ||
	    (!vq->completes_all &&
	     vq->stats.completed == READ_ONCE(vq->stats.requests))) {
		vq->unsignalled = 0;
		return true;
	}
	if (signal)
		bell_stat_add(vq->stats.coalesced, n);
	if (first)
		hrtimer_start(&vq->signal_timer,
			      ns_to_ktime(us * (u64)NSEC_PER_USEC),
			      HRTIMER_MODE_REL);
	return false;
}
