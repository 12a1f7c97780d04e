// SPDX-License-Identifier: GPL-2.0
/*
 * exec_worker - the queue's kernel thread
 *
 * It serves what the ringing thread may not: rings from interrupts and kernel
 * threads, requests that may sleep, and deep queues. Its time and its I/O count
 * for whoever started the queue: nice, affinity, cgroups.
 *
 * The one thing in it that can wait for user space is a page fault of the owner
 * (userfaultfd, a file system in user space): a fatal signal ends that.
 */
#include <linux/cgroup.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "exec.h"

#define WORKER_WORK	0	/* in worker_flags: there is something to do */

#define WORKER_BUDGET	256	/* chains between two looks at the scheduler */

/**
 * bell_exec_worker_wake() - have the worker look at the ring
 * @exec: with a worker
 *
 * Context: Any.
 */
void bell_exec_worker_wake(struct bell_exec *exec)
{
	if (!test_and_set_bit(WORKER_WORK, &exec->worker_flags))
		wake_up_process(exec->worker);
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

static void worker_retry(struct bell_exec *exec)
{
	struct llist_node *node, *next;

	node = llist_reverse_order(llist_del_all(&exec->retries));
	llist_for_each_safe(node, next, node)
		exec->ops->retry(exec, node);
}

static int worker_thread(void *data)
{
	struct bell_exec *exec = data;

	/* By itself: newer kernels give a thread its affinity as it begins. */
	set_cpus_allowed_ptr(current, &exec->cpus);
	bell_exec_worker_charge(exec);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (!test_and_clear_bit(WORKER_WORK, &exec->worker_flags)) {
			if (kthread_should_stop())
				break;
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		bell_exec_auto_crowd(exec);
		worker_retry(exec);
		/* Even we cannot go on yet: until stale pages are released. */
		if (bell_exec_pass(exec, WORKER_BUDGET, true) == BELL_PASS_PUNT)
			schedule_timeout_idle(1);
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
	bell_exec_worker_uncharge();
	return 0;
}

/**
 * bell_exec_worker_start() - make the worker, in the caller's likeness
 * @exec: paused
 * @name: of the thread
 *
 * Context: Process context, of a user process.
 * Return: 0 or what kthread_create() says.
 */
int bell_exec_worker_start(struct bell_exec *exec, const char *name)
{
	struct task_struct *worker;

	worker = kthread_create(worker_thread, exec, "%s", name);
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	exec->blkcg = bell_current_blkcg();
	set_user_nice(worker, task_nice(current));
	cpumask_copy(&exec->cpus, current->cpus_ptr);
	/* As vhost does; where it fails the worker stays in the root. */
	cgroup_attach_task_all(current, worker);
	exec->worker_flags = 0;
	exec->worker = worker;
	wake_up_process(worker);
	return 0;
}

/**
 * bell_exec_worker_stop() - end the worker
 * @exec: paused, nothing in flight, and a grace period ago
 *
 * Context: Process context.
 */
void bell_exec_worker_stop(struct bell_exec *exec)
{
	struct task_struct *worker = exec->worker;

	WRITE_ONCE(exec->worker, NULL);
	kthread_stop(worker);
	if (exec->blkcg)
		css_put(exec->blkcg);
	exec->blkcg = NULL;
}

/**
 * bell_exec_worker_interrupt() - end what the worker may wait for user space in
 * @exec: with a worker
 *
 * It hears signals only while it pins, so that they end no I/O of a request.
 *
 * Context: Process context.
 */
void bell_exec_worker_interrupt(struct bell_exec *exec)
{
	send_sig(SIGKILL, exec->worker, 1);
}

/* bell_exec_worker_wanted() - has the worker more to do than its pass? */
bool bell_exec_worker_wanted(const struct bell_exec *exec)
{
	return test_bit(WORKER_WORK, &exec->worker_flags);
}

/**
 * bell_exec_worker_pid() - process id of the worker, 0 if there is none
 * @exec: the executor
 *
 * Context: Process context. The caller keeps the worker from being stopped.
 */
pid_t bell_exec_worker_pid(struct bell_exec *exec)
{
	return exec->worker ? task_pid_vnr(exec->worker) : 0;
}

/**
 * bell_exec_worker_charge() - let this thread's I/O count as that of the worker
 * @exec: with a worker
 *
 * Context: A kernel thread, until bell_exec_worker_uncharge().
 */
void bell_exec_worker_charge(struct bell_exec *exec)
{
	if (exec->blkcg)
		kthread_associate_blkcg(exec->blkcg);
}

/* bell_exec_worker_uncharge() - undo bell_exec_worker_charge() */
void bell_exec_worker_uncharge(void)
{
	kthread_associate_blkcg(NULL);
}
