// SPDX-License-Identifier: GPL-2.0
/*
 * exec - choose the context that serves a queue; let only one context at a time do so
 *
 * The context that moves the token from idle to running is the runner. A context that
 * finds the token taken sets it to EXEC_AGAIN, and the runner looks at the ring once
 * more before it leaves. So no ring of the bell is lost or waits for a lock, and a ring
 * costs the same however long the runner takes.
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <uapi/linux/vhost_doorbell.h>

#include "callfd.h"
#include "exec.h"
#include "vq.h"

enum {
	EXEC_IDLE,		/* the next context to enter is the runner */
	EXEC_RUNNING,
	EXEC_AGAIN,		/* running, and rung since the last look */
};

/* Jiffies between two signals to the worker, see bell_exec_pause() */
#define EXEC_TELL	(HZ / 50 ?: 1)

/**
 * bell_exec_init() - initialise an executor, paused
 * @exec: zeroed, except for @exec->owner, owner_release, may_inline and charges_runner
 * @ops: the functions that serve the queue
 * @cfg: mode and limits; the caller keeps it as long as @exec
 * @vq: the queue that is served; NULL for a bell, which is not in auto mode
 */
void bell_exec_init(struct bell_exec *exec, const struct bell_exec_ops *ops,
		    const struct bell_exec_config *cfg, struct bell_vq *vq)
{
	exec->ops = ops;
	exec->cfg = cfg;
	exec->vq = vq;
	exec->dead = true;
	atomic_set(&exec->token, EXEC_IDLE);
	init_waitqueue_head(&exec->idle);
	init_llist_head(&exec->retries);
	bell_exec_vcpu_init(exec);
}

/**
 * bell_exec_resume() - allow passes again, and have the worker look at the ring
 * @exec: paused, with a worker
 *
 * Context: Process context.
 */
void bell_exec_resume(struct bell_exec *exec)
{
	/*
	 * Publish the executor's set-up before `dead` is cleared: a runner that sees it
	 * alive may not have been woken, and has no other ordering.
	 */
	smp_store_release(&exec->dead, false);
	/* The wake-up is a full barrier: the worker sees `dead` cleared. */
	bell_exec_worker_wake(exec);
}

/**
 * bell_exec_shut() - make the runner finish, and let no other pass begin
 * @exec: with a worker
 *
 * Does not wait. The caller shuts all queues of a device before it waits for the first,
 * as one runner may wait for something that another queue's runner holds.
 *
 * Context: Process context.
 */
void bell_exec_shut(struct bell_exec *exec)
{
	WRITE_ONCE(exec->dead, true);
	/*
	 * Pairs with the barrier of taking the token in exec_enter(): a pass sees
	 * `dead`, or bell_exec_pause() sees the token taken.
	 */
	smp_mb();
	bell_exec_worker_interrupt(exec);
}

static bool exec_gives_up(const struct bell_patience *p)
{
	if (!p)
		return false;
	return (p->killable && fatal_signal_pending(current)) ||
	       (p->bounded && !time_before(jiffies, p->until));
}

/**
 * bell_exec_pause() - wait until the runner has finished and none begins
 * @exec: with a worker
 * @p: how long
 *
 * Meanwhile requests in flight may complete, and the worker submits requests that would
 * have blocked. The runner may be the worker and wait for a request slot of the disk, so
 * this can take as long as the disk takes. It sleeps in slices of EXEC_TELL. After each
 * slice it interrupts the worker again, which takes signals only while it waits for user
 * space, and checks for a fatal signal of the caller.
 *
 * Context: Process context.
 * Return: 0, or -EINTR if @p ended the wait: the executor is dead, and the caller
 * resumes it or calls this again.
 */
int bell_exec_pause(struct bell_exec *exec, const struct bell_patience *p)
{
	bell_exec_shut(exec);
	while (atomic_read(&exec->token) != EXEC_IDLE) {
		if (exec_gives_up(p))
			return -EINTR;
		if (!wait_event_timeout(exec->idle,
					atomic_read(&exec->token) == EXEC_IDLE,
					EXEC_TELL))
			bell_exec_worker_interrupt(exec);
	}
	/*
	 * Full barrier, as wait_event() implies one: the runner's writes are visible to
	 * the caller.
	 */
	smp_mb();
	if (exec->ops->settle)
		exec->ops->settle(exec);
	return 0;
}

/**
 * bell_exec_drain() - wait until nothing of the queue is in flight
 * @exec: of a queue, paused
 * @p: how long
 *
 * The worker still submits requests that would have blocked. If it waits for user space
 * on behalf of another queue it is interrupted, repeatedly.
 *
 * Context: Process context.
 * Return: 0, or -EINTR if @p ended the wait; as for bell_exec_pause().
 */
int bell_exec_drain(struct bell_exec *exec, const struct bell_patience *p)
{
	while (bell_vq_in_flight(exec->vq)) {
		/* In each round: a request may be held after the last release. */
		if (exec->ops->release)
			exec->ops->release(exec);
		if (!bell_vq_in_flight(exec->vq))
			break;
		if (exec_gives_up(p))
			return -EINTR;
		if (!bell_gmem_user_drain(&exec->vq->user, EXEC_TELL) &&
		    bell_exec_worker_retries(exec))
			bell_exec_worker_interrupt(exec);
	}
	while (bell_exec_worker_retries(exec)) {
		if (exec_gives_up(p))
			return -EINTR;
		wait_event_timeout(exec->idle, !bell_exec_worker_retries(exec),
				   EXEC_TELL);
	}
	return 0;
}

/*
 * Take the token if it is idle. Else set it to EXEC_AGAIN, so that the runner looks at
 * the ring again. Taking it is a full barrier.
 */
static bool exec_enter(struct bell_exec *exec)
{
	int seen;

	/* Order the ringer's earlier writes before the runner's next look at the ring. */
	smp_mb__before_atomic();
	do {
		seen = atomic_cmpxchg(&exec->token, EXEC_IDLE, EXEC_RUNNING);
		if (seen == EXEC_IDLE)
			return true;
		if (seen == EXEC_RUNNING)
			seen = atomic_cmpxchg(&exec->token, EXEC_RUNNING,
					      EXEC_AGAIN);
	} while (seen == EXEC_IDLE);
	return false;
}

/*
 * Give the token back. Returns false if the pass ended with an empty ring but the bell
 * was rung since: then the runner keeps the token and looks again. A pass that ended with
 * work left always gives the token back; the worker, or the softirq that runs again,
 * does the rest and also sees the rings since.
 */
static bool exec_leave(struct bell_run *run, enum bell_pass how)
{
	/* A worker's own pass does not wake the worker: it keeps its own list of punts. */
	bool wake = (how == BELL_PASS_MORE && !run->softirq) ||
		    (how == BELL_PASS_PUNT && !run->may_sleep);
	struct bell_exec *exec = run->exec;
	int seen;

	/*
	 * The ioctl that stops the worker calls synchronize_rcu(): the worker exists
	 * until the unlock.
	 */
	rcu_read_lock();
	if (how == BELL_PASS_DONE)
		seen = atomic_cmpxchg(&exec->token, EXEC_RUNNING, EXEC_IDLE);
	else
		seen = atomic_xchg(&exec->token, EXEC_IDLE);
	if (how == BELL_PASS_DONE && seen == EXEC_AGAIN) {
		rcu_read_unlock();
		/*
		 * Full barrier: the next look sees what the driver added before it
		 * rang.
		 */
		atomic_xchg(&exec->token, EXEC_RUNNING);
		return false;
	}
	/*
	 * This pass found the executor dead. If it was resumed since, the rings after
	 * the resume only set EXEC_AGAIN: let the worker look at the ring.
	 */
	if (how == BELL_PASS_STOP && seen == EXEC_AGAIN)
		wake = !READ_ONCE(exec->dead);
	if (wake)
		bell_exec_worker_wake(exec);
	if (READ_ONCE(exec->dead))
		wake_up(&exec->idle);
	rcu_read_unlock();
	return true;
}

static enum bell_pass exec_run(struct bell_run *run)
{
	struct bell_exec *exec = run->exec;
	enum bell_pass how = BELL_PASS_DONE;

	if (!exec_enter(exec))
		return how;
	do {
		/* Pairs with the release in bell_exec_resume(). */
		if (smp_load_acquire(&exec->dead))
			how = BELL_PASS_STOP;
		else if (!bell_run_spend(run))
			how = BELL_PASS_MORE;
		else
			how = exec->ops->pass(exec, run);
	} while (!exec_leave(run, how));
	return how;
}

/**
 * bell_exec_pass() - serve the ring now, unless there is a runner
 * @exec: the executor
 * @budget: chains that may be taken
 * @may_sleep: whether the caller may sleep
 *
 * Work that is left goes to the worker; if the caller is the worker, it tries again by
 * itself. If there is a runner already, that one looks at the ring again.
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

	return exec_run(&run);
}

/**
 * bell_exec_pass_softirq() - serve the ring now, in softirq context, unless there is a
 *	runner
 * @exec: the executor
 * @budget: chains that may be taken; out: what is left of it
 *
 * If the budget ran out the caller must call again. Work that may sleep goes to the
 * worker.
 *
 * Context: Bottom halves off.
 * Return: how the last look at the ring ended.
 */
enum bell_pass bell_exec_pass_softirq(struct bell_exec *exec,
				      unsigned int *budget)
{
	struct bell_run run = {
		.exec = exec, .budget = *budget, .softirq = true,
	};
	enum bell_pass how = exec_run(&run);

	*budget = run.budget;
	return how;
}

/**
 * bell_exec_prefers_softirq() - should the port's frames be served in softirq context?
 * @exec: the executor
 *
 * Context: Any.
 */
bool bell_exec_prefers_softirq(struct bell_exec *exec)
{
	switch (READ_ONCE(exec->cfg->mode)) {
	case VHOST_DOORBELL_MODE_INLINE:
		return true;
	case VHOST_DOORBELL_MODE_AUTO:
		return bell_exec_auto_softirq(exec);
	default:
		return false;
	}
}

/**
 * bell_exec_ask_worker() - have the worker look at the ring, unless it is paused
 * @exec: the executor
 *
 * Context: Any.
 */
void bell_exec_ask_worker(struct bell_exec *exec)
{
	/* As in exec_leave(): the worker exists until the unlock. */
	rcu_read_lock();
	/* A dead executor may have no worker. Pairs with bell_exec_resume(). */
	if (!smp_load_acquire(&exec->dead))
		bell_exec_worker_wake(exec);
	rcu_read_unlock();
}

/* Would a pass in the ringing thread be the better choice? */
static bool exec_prefers_inline(struct bell_exec *exec)
{
	if (!exec->may_inline)
		return false;
	/*
	 * A completion of this module rings the bell, perhaps inside a pass of this
	 * thread. If two queues are wired crosswise (the call eventfd of each is the
	 * kick eventfd of the other), inline passes would keep this thread in task work
	 * for ever. So the worker serves.
	 */
	if (bell_callfd_is_signalling())
		return false;
	if (exec->charges_runner && !bell_current_in_blkcg(exec->blkcg))
		return false;
	switch (READ_ONCE(exec->cfg->mode)) {
	case VHOST_DOORBELL_MODE_INLINE:
		return true;
	case VHOST_DOORBELL_MODE_AUTO:
		return exec->auto_inline || bell_exec_auto_inline(exec);
	default:
		return false;
	}
}

/**
 * bell_exec_ring() - have the queue served, as the driver rang
 * @exec: the executor
 *
 * Context: Any, also with interrupts off and under an eventfd's lock.
 * Return: true if the ringing thread will do it.
 */
bool bell_exec_ring(struct bell_exec *exec)
{
	/*
	 * Order the driver's writes to the ring before the change of the token: a
	 * runner that sees the change sees them.
	 */
	smp_mb__before_atomic();
	/* A running pass will look at the ring again, which is the cheapest way. */
	if (atomic_cmpxchg(&exec->token, EXEC_RUNNING, EXEC_AGAIN) != EXEC_IDLE)
		return false;
	if (exec_prefers_inline(exec) && bell_exec_vcpu_queue(exec))
		return true;
	bell_exec_worker_wake(exec);
	return false;
}
