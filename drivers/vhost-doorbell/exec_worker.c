// SPDX-License-Identifier: GPL-2.0
/*
 * exec_worker - the kernel thread of a queue, or of several
 *
 * The worker serves what the ringing thread may not: rings from interrupts and kernel
 * threads, requests that may sleep, and deep queues. It has the nice value, affinity and
 * cgroups of the thread that started its first queue; its CPU time and I/O are charged
 * there.
 *
 * Callers add an executor to the worker's list; the caller that finds the list empty
 * wakes the worker. The worker takes the whole list and serves its executors in turn: if
 * many queues share few CPUs, many rings cost one wake-up, and workers do not compete.
 *
 * The one thing in it that can wait for user space is a page fault of the owner
 * (userfaultfd, a file system in user space): a fatal signal ends that.
 */
#include <linux/cgroup.h>
#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "exec.h"

/* In worker_flags */
#define WORKER_WORK	0	/* it is in the worker's list */
#define WORKER_RETRY	1	/* the worker submits what would have blocked */

#define WORKER_BUDGET	256	/* chains between two looks at the scheduler */

/**
 * bell_exec_worker_wake() - have the worker look at the ring
 * @exec: with a worker
 *
 * Context: Any.
 */
void bell_exec_worker_wake(struct bell_exec *exec)
{
	struct bell_worker *worker = READ_ONCE(exec->worker);

	/*
	 * Callers that find the list not empty rely on the caller that found it empty:
	 * no preemption between its llist_add() and its wake-up.
	 */
	preempt_disable();
	if (!test_and_set_bit(WORKER_WORK, &exec->worker_flags) &&
	    llist_add(&exec->worker_node, &worker->work))
		wake_up_process(worker->task);
	preempt_enable();
}

/**
 * bell_exec_worker_retry() - have the worker submit a request again
 * @exec: with a worker
 * @node: in the request
 *
 * Context: Any.
 */
void bell_exec_worker_retry(struct bell_exec *exec, struct llist_node *node)
{
	/* For the worker: it goes when the request has ended, and a period. */
	rcu_read_lock();
	llist_add(node, &exec->retries);
	bell_exec_auto_would_block(exec);
	bell_exec_worker_wake(exec);
	rcu_read_unlock();
}

/*
 * A request may complete before the function that submits it returns, and that function
 * may still look at the request. So a caller that waits for the last request also waits
 * for the end of the submission.
 */
static void worker_retry(struct bell_exec *exec)
{
	struct llist_node *node, *next;

	if (llist_empty(&exec->retries))
		return;
	set_bit(WORKER_RETRY, &exec->worker_flags);
	node = llist_reverse_order(llist_del_all(&exec->retries));
	llist_for_each_safe(node, next, node)
		exec->ops->retry(exec, node);
	clear_bit_unlock(WORKER_RETRY, &exec->worker_flags);
	/* Pairs with the one in bell_exec_shut(). */
	smp_mb__after_atomic();
	if (READ_ONCE(exec->dead))
		wake_up(&exec->idle);
}

/**
 * bell_exec_worker_retries() - does the worker submit something again, or is to?
 * @exec: dead
 *
 * Context: Any.
 */
bool bell_exec_worker_retries(const struct bell_exec *exec)
{
	return !llist_empty(&exec->retries) ||
	       test_bit_acquire(WORKER_RETRY, &exec->worker_flags);
}

static enum bell_pass worker_serve(struct bell_exec *exec)
{
	clear_bit_unlock(WORKER_WORK, &exec->worker_flags);
	/*
	 * A wake-up after the clear adds the executor to the list again; a wake-up
	 * before it is seen by the pass below.
	 */
	smp_mb__after_atomic();
	bell_exec_auto_crowd(exec);
	worker_retry(exec);
	return bell_exec_pass(exec, WORKER_BUDGET, true);
}

/* They could not go on: let them, after a while, or when anybody comes. */
static void worker_serve_later(struct bell_worker *worker,
			       struct bell_exec *punted)
{
	set_current_state(TASK_IDLE);
	if (llist_empty(&worker->work))
		schedule_timeout(1);
	__set_current_state(TASK_RUNNING);
	for (; punted; punted = punted->worker_next)
		bell_exec_ask_worker(punted);
}

/* Serve all that are in the list, the first that came first. */
static void worker_serve_all(struct bell_worker *worker,
			     struct llist_node *list)
{
	struct bell_exec *punted = NULL;

	worker->batch = llist_reverse_order(list);
	while (worker->batch) {
		struct bell_exec *exec = llist_entry(worker->batch,
						     struct bell_exec,
						     worker_node);

		/* Read `next` first: once served, it may be in the list again. */
		worker->batch = exec->worker_node.next;
		if (worker_serve(exec) == BELL_PASS_PUNT) {
			exec->worker_next = punted;
			punted = exec;
		}
		cond_resched();
	}
	/* Even we cannot: until stale pages are released. */
	if (punted)
		worker_serve_later(worker, punted);
}

static int worker_thread(void *data)
{
	struct bell_worker *worker = data;
	struct llist_node *list;

	/* By itself: newer kernels give a thread its affinity as it begins. */
	set_cpus_allowed_ptr(current, &worker->cpus);
	if (worker->blkcg)
		kthread_associate_blkcg(worker->blkcg);
	bell_charge_memcg(worker->memcg);
	set_freezable();
	for (;;) {
		/* No I/O may follow the snapshot of a hibernation. */
		try_to_freeze();
		/* The freezer need not wake it; once thawed it looks at the list. */
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		list = llist_del_all(&worker->work);
		if (!list) {
			if (kthread_should_stop())
				break;
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		worker_serve_all(worker, list);
	}
	__set_current_state(TASK_RUNNING);
	bell_exec_worker_uncharge();
	return 0;
}

/* All users are paused, so the list does not grow; what is still in it is dropped. */
static void worker_end(struct bell_worker *worker)
{
	struct bell_exec *exec, *next;

	kthread_stop(worker->task);
	worker->task = NULL;
	llist_for_each_entry_safe(exec, next, llist_del_all(&worker->work),
				  worker_node)
		clear_bit(WORKER_WORK, &exec->worker_flags);
	if (worker->blkcg)
		css_put(worker->blkcg);
	worker->blkcg = NULL;
	mem_cgroup_put(worker->memcg);
	worker->memcg = NULL;
	bell_exec_limit_uncharge(worker->uid);
}

/* Make the thread, in the caller's likeness. */
static int worker_create(struct bell_worker *worker, const char *name)
{
	struct task_struct *task;
	int ret;

	ret = bell_exec_limit_charge(&worker->uid);
	if (ret)
		return ret;
	task = kthread_create(worker_thread, worker, "%s", name);
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
		goto err_limit;
	}
	/* A worker that the cgroup refuses must not run outside of it. */
	ret = cgroup_attach_task_all(current, task);
	if (ret)
		goto err_task;
	worker->blkcg = bell_current_blkcg();
	worker->memcg = bell_current_memcg();
	set_user_nice(task, task_nice(current));
	cpumask_copy(&worker->cpus, current->cpus_ptr);
	worker->task = task;
	wake_up_process(task);
	return 0;

err_task:
	/* It has never run. */
	kthread_stop(task);
err_limit:
	bell_exec_limit_uncharge(worker->uid);
	return ret;
}

/**
 * bell_exec_worker_start() - have a worker serve this executor, too
 * @exec: paused; its memory lives as long as the worker's
 * @worker: zeroed at first; its thread is made for the first user, in the
 *	caller's likeness
 * @name: of the thread
 *
 * Context: Process context, of a user process; of one worker, one at a time.
 * Return: 0; -EAGAIN if the user has as many workers as RLIMIT_NPROC allows; what
 * kthread_create() says, or the cgroup that refuses the thread.
 */
int bell_exec_worker_start(struct bell_exec *exec, struct bell_worker *worker,
			   const char *name)
{
	int ret;

	if (!worker->users) {
		ret = worker_create(worker, name);
		if (ret)
			return ret;
	}
	worker->users++;
	exec->blkcg = worker->blkcg;
	exec->memcg = worker->memcg;
	WRITE_ONCE(exec->worker, worker);
	return 0;
}

/**
 * bell_exec_worker_stop() - undo bell_exec_worker_start()
 * @exec: paused, nothing in flight, and a grace period ago
 *
 * The last one ends the thread. Before that it may still have the executor in its
 * list, where it is dead and nothing is done for it, or is there again for its
 * next start.
 *
 * Context: As for bell_exec_worker_start().
 */
void bell_exec_worker_stop(struct bell_exec *exec)
{
	struct bell_worker *worker = exec->worker;

	WRITE_ONCE(exec->worker, NULL);
	exec->blkcg = NULL;
	exec->memcg = NULL;
	if (!--worker->users)
		worker_end(worker);
}

/**
 * bell_exec_worker_interrupt() - end what the worker may wait for user space in
 * @exec: with a worker
 *
 * It hears signals only while it pins, so that they end no I/O of a request. What
 * it pins for another queue is tried again.
 *
 * Context: Process context.
 */
void bell_exec_worker_interrupt(struct bell_exec *exec)
{
	send_sig(SIGKILL, exec->worker->task, 1);
}

/* bell_exec_worker_wanted() - has the worker more to do than its pass? */
bool bell_exec_worker_wanted(const struct bell_exec *exec)
{
	return exec->worker->batch || !llist_empty(&exec->worker->work);
}

/**
 * bell_exec_worker_pid() - process id of the worker, 0 if there is none
 * @exec: the executor
 *
 * Context: Process context. The caller keeps the worker from being stopped.
 */
pid_t bell_exec_worker_pid(struct bell_exec *exec)
{
	return exec->worker ? task_pid_vnr(exec->worker->task) : 0;
}

/**
 * bell_exec_worker_charge() - let this thread's I/O and the memory that it takes
 *	count as those of the worker
 * @exec: with a worker
 *
 * Context: A kernel thread, until bell_exec_worker_uncharge().
 */
void bell_exec_worker_charge(struct bell_exec *exec)
{
	if (exec->blkcg)
		kthread_associate_blkcg(exec->blkcg);
	bell_charge_memcg(exec->memcg);
}

/* bell_exec_worker_uncharge() - undo bell_exec_worker_charge() */
void bell_exec_worker_uncharge(void)
{
	kthread_associate_blkcg(NULL);
	bell_charge_memcg(NULL);
}
