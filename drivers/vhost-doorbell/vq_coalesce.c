// SPDX-License-Identifier: GPL-2.0
/*
 * vq_coalesce - interrupt coalescing: one signal for several completions
 *
 * The first completion that the driver wants a signal for starts a timer. The signal is
 * sent when the timer ends, or before that when enough chains have completed, or when
 * no more are in flight: so a driver that waits for its last request waits no longer
 * than without coalescing. The last rule is not used for a network card: it never has
 * chains in flight between passes, though more may come.
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

/* bell_vq_coalesce_init() - set up the timer; no signal waits */
void bell_vq_coalesce_init(struct bell_vq *vq)
{
	hrtimer_setup(&vq->signal_timer, vq_signal_timeout, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
}

/**
 * bell_vq_coalesce_stop() - stop the timer and send a signal that waits
 * @vq: the queue, with nothing in flight
 *
 * Context: Process context.
 */
void bell_vq_coalesce_stop(struct bell_vq *vq)
{
	hrtimer_cancel(&vq->signal_timer);
	vq_signal_waiting(vq);
}

/**
 * bell_vq_coalesce_signal() - should the driver be signalled now?
 * @vq: a queue that coalesces; chains of it were just completed and counted
 * @n: number of these chains
 * @signal: whether the driver wants a signal for them
 *
 * A signal that is sent early leaves the timer running: the next burst restarts it,
 * or it expires with nothing to do.
 *
 * Context: Any, under vq->lock.
 * Return: true if so; false if no signal is wanted or it waits.
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
	 * @requests is read without a lock. If a chain that is being taken is missed,
	 * the signal is sent at once; if it is counted and then put back, the signal
	 * waits for the timer.
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
