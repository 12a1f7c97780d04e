// SPDX-License-Identifier: GPL-2.0
/*
 * exec - where a queue is served, and by one runner at a time
 *
 * Whoever raises @pending from zero is the runner; whoever finds it raised has
 * only added to it, and the runner looks at the ring once more for him before
 * it leaves. So a ring of the bell is never lost and never waits for a lock.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <uapi/linux/vhost_doorbell.h>

#include "exec.h"
#include "vq.h"

/**
 * bell_exec_init() - an executor that is paused
 * @exec: zeroed, with @exec->owner, @exec->owner_release and
 *	@exec->may_inline set
 * @ops: what to run
 * @cfg: how; the caller keeps it as long as @exec
 * @vq: the queue that is served; NULL for a bell, which is not in auto mode
 */
void bell_exec_init(struct bell_exec *exec, const struct bell_exec_ops *ops,
		    const struct bell_exec_config *cfg, struct bell_vq *vq)
{
	exec->ops = ops;
	exec->cfg = cfg;
	exec->vq = vq;
	exec->dead = true;
	atomic_set(&exec->pending, 0);
	init_waitqueue_head(&exec->idle);
	init_llist_head(&exec->retries);
	bell_exec_vcpu_init(exec);
}

/**
 * bell_exec_resume() - serve the queue, and look at it at once
 * @exec: paused, with a worker
 *
 * Context: Process context.
 */
void bell_exec_resume(struct bell_exec *exec)
{
	WRITE_ONCE(exec->dead, false);
	/* The worker's wake-up is a full barrier: it sees us alive. */
	bell_exec_worker_wake(exec);
}

/**
 * bell_exec_pause() - let the runner finish and none begin
 * @exec: with a worker
 *
 * Requests in flight go on, and the worker submits again what would block.
 *
 * Context: Process context, sleeps for one pass at most.
 */
void bell_exec_pause(struct bell_exec *exec)
{
	WRITE_ONCE(exec->dead, true);
	/* Pairs with the one in bell_exec_pass(): it sees us, or we see it. */
	smp_mb();
	bell_exec_worker_interrupt(exec);
	wait_event(exec->idle, !atomic_read(&exec->pending));
}

/*
 * The runner leaves, or looks again for those who rang since it saw @seen. With
 * something left to do it always leaves: the worker looks for them all.
 */
static bool exec_leave(struct bell_exec *exec, int seen, enum bell_pass how)
{
	bool again = false;

	/* Whoever stops the worker waits for us in a grace period. */
	rcu_read_lock();
	if (how == BELL_PASS_DONE)
		again = atomic_sub_return(seen, &exec->pending);
	else
		atomic_xchg(&exec->pending, 0);
	if (how == BELL_PASS_MORE || how == BELL_PASS_PUNT)
		bell_exec_worker_wake(exec);
	if (!again && READ_ONCE(exec->dead))
		wake_up(&exec->idle);
	rcu_read_unlock();
	return again;
}

/**
 * bell_exec_pass() - serve the ring now, unless somebody does
 * @exec: the executor
 * @budget: chains that may be taken
 * @may_sleep: whether the caller may
 *
 * What is left goes to the worker. If there is a runner it looks again for us.
 *
 * Context: Process context.
 * Return: how the last look at the ring ended.
 */
enum bell_pass bell_exec_pass(struct bell_exec *exec, unsigned int budget,
			      bool may_sleep)
{
	struct bell_run run = {
		.exec = exec, .budget = budget, .may_sleep = may_sleep,
	};
	enum bell_pass how = BELL_PASS_DONE;
	int seen;

	if (atomic_fetch_inc(&exec->pending))
		return how;
	do {
		/* All that changes @pending here is a full barrier. */
		seen = atomic_read(&exec->pending);
		if (READ_ONCE(exec->dead))
			how = BELL_PASS_STOP;
		else if (!bell_run_spend(&run))
			how = BELL_PASS_MORE;
		else
			how = exec->ops->pass(exec, &run);
	} while (exec_leave(exec, seen, how));
	return how;
}

/* Would a pass in the ringing thread be the better choice? */
static bool exec_prefers_inline(struct bell_exec *exec)
{
	if (!exec->may_inline)
		return false;
	switch (READ_ONCE(exec->cfg->mode)) {
	case VHOST_DOORBELL_MODE_INLINE:
		return true;
	case VHOST_DOORBELL_MODE_AUTO:
		/*
		 * With many in flight the ringer has better things to do than
		 * to submit: its CPU is the guest's. With few, a wake-up of the
		 * worker costs more than the submission.
		 */
		return bell_vq_in_flight(exec->vq) <
		       READ_ONCE(exec->cfg->inline_max);
	default:
		return false;
	}
}

/**
 * bell_exec_ring() - the bell rang: have the queue served
 * @exec: the executor
 *
 * Context: Any, also with interrupts off and under an eventfd's lock.
 * Return: true if the ringing thread will do it.
 */
bool bell_exec_ring(struct bell_exec *exec)
{
	/* A runner that has not left will look again, which is cheapest. */
	if (atomic_inc_not_zero(&exec->pending))
		return false;
	if (exec_prefers_inline(exec) && bell_exec_vcpu_queue(exec))
		return true;
	bell_exec_worker_wake(exec);
	return false;
}
