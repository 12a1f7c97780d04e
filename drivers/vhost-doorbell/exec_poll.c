// SPDX-License-Identifier: GPL-2.0
/*
 * exec_poll - poll mode: poll an empty ring for a while before asking for a kick
 *
 * The worker polls when it has served everything. A driver that adds a request in time
 * needs no VM exit and no wake-up.
 *
 * The length of a poll adapts, as in KVM's halt polling. If a poll found nothing, the
 * length doubles when the driver's next request arrives within the longest allowed time,
 * and halves when it arrives later. A poll ends when another task wants the CPU or another
 * queue of the worker has work. When the worker has used its share of a window's time it
 * does not poll again in that window.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <uapi/linux/vhost_doorbell.h>

#include "exec.h"
#include "vq.h"

#define POLL_WINDOW	(100 * NSEC_PER_MSEC)
#define POLL_LOOKS	16	/* reads of the ring between two reads of the clock */
#define POLL_FIRST	8	/* the first poll lasts this part (1/8) of poll_us */

static u64 poll_max(const struct bell_exec *exec)
{
	return READ_ONCE(exec->cfg->poll_us) * (u64)NSEC_PER_USEC;
}

/*
 * The driver added something after a poll that found nothing. If a poll of the longest
 * allowed time would have seen it, make the next poll longer, otherwise shorter.
 */
static void poll_learn(struct bell_exec *exec, u64 now)
{
	struct bell_exec_poll *p = &exec->poll;
	u64 max = poll_max(exec);

	if (!p->in_vain)
		return;
	if (now - p->in_vain <= max)
		p->limit = clamp(2 * p->limit, max / POLL_FIRST, max);
	else
		p->limit /= 2;
	p->in_vain = 0;
}

/* The time that this poll may take, in ns */
static u64 poll_limit(struct bell_exec *exec, u64 now)
{
	u64 share = POLL_WINDOW / 100 * READ_ONCE(exec->cfg->poll_share);
	struct bell_worker *w = exec->worker;

	if (now - w->poll_window >= POLL_WINDOW) {
		w->poll_window = now;
		w->poll_spent = 0;
	}
	if (w->poll_spent >= share)
		return 0;
	return min3(exec->poll.limit, poll_max(exec), share - w->poll_spent);
}

static bool poll_pending(struct bell_exec *exec)
{
	return exec->ops->pending ? exec->ops->pending(exec) :
				    bell_vq_pending(exec->vq);
}

static bool poll_look(struct bell_exec *exec, u64 from, u64 limit)
{
	unsigned int looks = 0;

	while (!poll_pending(exec)) {
		if (need_resched() || READ_ONCE(exec->dead) ||
		    bell_exec_worker_wanted(exec))
			return false;
		if (!(++looks % POLL_LOOKS) && ktime_get_ns() - from >= limit)
			return false;
		cpu_relax();
	}
	return true;
}

/**
 * bell_exec_poll() - wait a while for the driver to add something to the ring
 * @run: of a runner that found the ring empty, and has not asked for a kick
 *
 * Context: The queue's runner.
 * Return: true if the driver did. False if not; and at once in other modes than poll, or
 * if the runner may not sleep.
 */
bool bell_exec_poll(struct bell_run *run)
{
	struct bell_exec *exec = run->exec;
	struct bell_stats *st = &exec->vq->stats;
	struct bell_exec_poll *p = &exec->poll;
	u64 from, limit, took;
	bool found;

	if (!run->may_sleep ||
	    READ_ONCE(exec->cfg->mode) != VHOST_DOORBELL_MODE_POLL)
		return false;
	from = ktime_get_ns();
	poll_learn(exec, from);
	limit = poll_limit(exec, from);
	found = limit && poll_look(exec, from, limit);
	took = ktime_get_ns() - from;
	if (limit) {
		exec->worker->poll_spent += took;
		bell_stat_inc(st->polls);
		bell_stat_add(st->poll_ns, took);
	}
	if (found) {
		bell_stat_inc(st->poll_hits);
		return true;
	}
	p->in_vain = from;
	return false;
}
