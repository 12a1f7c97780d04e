// SPDX-License-Identifier: GPL-2.0
/*
 * exec_worker - the worker of a queue, or of several
 *
 * The worker serves what the ringing thread may not: rings from interrupts and kernel
 * threads, requests that may sleep, and deep queues. It does so in a kernel thread, see
 * exec_thread.c.
 *
 * Callers add an executor to the worker's list; the caller that finds the list empty
 * wakes the thread, or has one made. The thread takes the whole list and serves its
 * executors in turn: if many queues share few CPUs, many rings cost one wake-up, and
 * workers do not compete.
 *
 * Only one wait in the worker may depend on user space: a page fault in the owner's
 * memory (userfaultfd, a file system in user space). A fatal signal ends it.
 */
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "exec.h"

/* In worker_flags */
#define WORKER_WORK	0	/* the executor is in the worker's list */
#define WORKER_RETRY	1	/* the worker is submitting its @retries */

#define WORKER_BUDGET	256	/* chains of one pass, between two cond_resched() */

/**
 * bell_exec_worker_wake() - have the worker look at the ring
 * @exec: with a worker
 *
 * Context: Any.
 */
void bell_exec_worker_wake(struct bell_exec *exec)
{
	struct bell_worker *worker = READ_ONCE(exec->worker);
	struct task_struct *task;

	/*
	 * Callers that find the list not empty rely on the caller that found it empty:
	 * no preemption between its llist_add() and its wake-up. A section without
	 * preemption is also an RCU read-side section, so the thread's task_struct
	 * stays even if the thread ends.
	 */
	preempt_disable();
	if (!test_and_set_bit(WORKER_WORK, &exec->worker_flags) &&
	    llist_add(&exec->worker_node, &worker->work)) {
		/* llist_add() is a full barrier; pairs with those of thread_main(). */
		task = READ_ONCE(worker->task);
		if (likely(task))
			wake_up_process(task);
		else
			bell_exec_thread_want(worker);
	}
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
	/*
	 * The worker exists until the unlock: it is freed after the request has ended
	 * and a grace period has passed.
	 */
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
	llist_for_each_safe(node, next, node) {
		exec->ops->retry(exec, node);
		cond_resched();
	}
	clear_bit_unlock(WORKER_RETRY, &exec->worker_flags);
	/* Pairs with the barrier in bell_exec_shut(). */
	smp_mb__after_atomic();
	if (READ_ONCE(exec->dead))
		wake_up(&exec->idle);
}

/**
 * bell_exec_worker_retries() - does the worker still have requests to submit again?
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

/*
 * Executors in @punted could not go on. Wait for a jiffy, or until another executor is
 * added, and then put them into the list again.
 */
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

/**
 * bell_exec_worker_serve() - serve all executors in a list, oldest first
 * @worker: of the calling thread
 * @list: taken from @worker->work
 *
 * Context: The worker's thread.
 */
void bell_exec_worker_serve(struct bell_worker *worker,
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
	/*
	 * Even the worker could not serve these: memory is short, or stale pages have
	 * to be released first.
	 */
	if (punted)
		worker_serve_later(worker, punted);
}

/**
 * bell_exec_worker_start() - have a worker serve this executor, too
 * @exec: paused; its memory lives as long as the worker's
 * @worker: zeroed before its first use, except for @worker->keep_thread. The first user
 *	creates its thread, which gets nice value, affinity and cgroups of the caller
 * @name: name of the thread
 *
 * Context: Process context, of a user process. The caller serialises calls for one
 * worker.
 * Return: 0; -EAGAIN if the user has as many workers as RLIMIT_NPROC allows; or the
 * error of kthread_create(), or of a cgroup that refuses the thread.
 */
int bell_exec_worker_start(struct bell_exec *exec, struct bell_worker *worker,
			   const char *name)
{
	int ret;

	if (!worker->users) {
		ret = bell_exec_thread_start(worker, name);
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
 * @exec: paused, with nothing in flight, for at least a grace period
 *
 * The last user ends the thread. Until then the worker may still have the executor in its
 * list: it finds the executor dead and does nothing, or serves it after the next start.
 *
 * Context: As for bell_exec_worker_start().
 */
void bell_exec_worker_stop(struct bell_exec *exec)
{
	struct bell_worker *worker = exec->worker;
	struct bell_exec *next;

	WRITE_ONCE(exec->worker, NULL);
	exec->blkcg = NULL;
	exec->memcg = NULL;
	if (--worker->users)
		return;
	bell_exec_thread_stop(worker);
	/* All users were paused, so the list does not grow; drop what is left in it. */
	llist_for_each_entry_safe(exec, next, llist_del_all(&worker->work),
				  worker_node)
		clear_bit(WORKER_WORK, &exec->worker_flags);
}

/**
 * bell_exec_worker_interrupt() - end a wait of the worker for user space
 * @exec: with a worker
 *
 * The worker accepts signals only while it pins, so that a signal ends no I/O. If it
 * pins for another queue that request is tried again.
 *
 * Context: Process context.
 */
void bell_exec_worker_interrupt(struct bell_exec *exec)
{
	struct task_struct *task;

	rcu_read_lock();
	task = READ_ONCE(exec->worker->task);
	if (task)
		send_sig(SIGKILL, task, 1);
	rcu_read_unlock();
}

/* bell_exec_worker_wanted() - has the worker another executor to serve? */
bool bell_exec_worker_wanted(const struct bell_exec *exec)
{
	return exec->worker->batch || !llist_empty(&exec->worker->work);
}

/**
 * bell_exec_worker_pid() - process id of the worker's thread, 0 if there is none
 * @exec: the executor
 *
 * Context: Process context, under a lock that a stop of the worker takes.
 */
pid_t bell_exec_worker_pid(struct bell_exec *exec)
{
	struct task_struct *task;
	pid_t pid = 0;

	rcu_read_lock();
	task = exec->worker ? READ_ONCE(exec->worker->task) : NULL;
	if (task)
		pid = task_pid_vnr(task);
	rcu_read_unlock();
	return pid;
}

/**
 * bell_exec_worker_charge() - charge this thread's I/O and memory to the worker's cgroups
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
