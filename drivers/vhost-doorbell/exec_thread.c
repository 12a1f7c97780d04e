// SPDX-License-Identifier: GPL-2.0
/*
 * exec_thread - makes a worker's kernel thread when there is work, ends it when there is
 * none
 *
 * The start of a worker's first queue makes the thread. A thread that had no work for a
 * while (worker_idle_ms) ends, so an idle device has no thread. The next context that adds an
 * executor to the worker's list finds no thread and wakes the maker, which makes another
 * one.
 *
 * A maker is a kernel thread that makes threads for all workers that were started in the
 * same cgroups. It is in these cgroups, and exists as long as one of its workers has a
 * user. So a new thread is charged as the first one was, also if the owner has died or
 * moved: a thread can join the cgroups of a living thread only, as the kernel removes
 * cgroups without threads.
 *
 * Life of a thread, after its worker's start:
 *
 * 1. It joins the cgroups, sets worker->task and serves.
 *
 * 2. The maker asks it to end, or the worker's last user stops.
 *
 * 3. It finds the list empty, clears worker->task, and wakes the maker.
 *
 * 4. The maker, or the stop, waits until it has exited.
 *
 * 5. If there is work the maker makes the next thread. If it cannot, as memory is short,
 * it tries again until it can or the worker stops. The requests wait.
 */
#include <linux/atomic.h>
#include <linux/cgroup.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "exec.h"

/* Longest time between two looks at a thread, in jiffies */
#define THREAD_LOOK	(5 * HZ)
/* Time after which the maker tries again to make a thread */
#define THREAD_AGAIN	(HZ / 50 ?: 1)
/* Idle times shorter than this are for tests, and taken as they are */
#define THREAD_EXACT	HZ
/* A thread is kept at most 1 << this times worker_idle_ms */
#define THREAD_KEEP	7

static unsigned int worker_idle_ms __read_mostly = 5000;
module_param(worker_idle_ms, uint, 0644);
MODULE_PARM_DESC(worker_idle_ms, "A worker's thread ends after that many ms without work; 0: never (5000)");

struct bell_maker {
	/* Constant */
	struct task_struct *task;

	/*
	 * Some context wants the maker to look at its workers. The maker clears it before
	 * it looks.
	 */
	atomic_t	    wanted;

	/* Under makers_lock: workers that use it, and the entry in @makers */
	unsigned int	    users;
	struct list_head    node;

	/*
	 * Protects what a worker keeps for its maker, while the worker is in the list. The
	 * maker holds it while it makes a thread, one at a time, and while it waits until an
	 * idle thread has exited. It waits for no device and no disk meanwhile.
	 */
	struct mutex	    lock;
	struct list_head    workers __guarded_by(&lock);
};

static LIST_HEAD(makers);
/* Protects @makers; nothing is taken inside it */
static DEFINE_MUTEX(makers_lock);

/*
 * Lies on the stack of thread_create(), which shares it with the new thread until
 * @joined is completed
 */
struct thread_birth {
	void		   *data;
	/* The thread whose cgroups to join; it does not exit meanwhile */
	struct task_struct *from;
	struct completion   joined;
	int		    ret;
};

/* --- threads --- */

/* Have a thread end, and wait until it has; also if it ends by itself. */
static void thread_end(struct task_struct *task)
{
	kthread_stop(task);
	put_task_struct(task);
}

/*
 * Make a thread that runs @fn(&birth) in the cgroups of @from. Returns it with a
 * reference, or an ERR_PTR.
 */
static struct task_struct *thread_create(int (*fn)(void *birth), void *data,
					 struct task_struct *from,
					 const char *name, int nice)
{
	struct thread_birth birth = { .data = data, .from = from };
	struct task_struct *task;

	init_completion(&birth.joined);
	task = kthread_create(fn, &birth, "%s", name);
	if (IS_ERR(task))
		return task;
	/* It may exit before thread_end(). */
	get_task_struct(task);
	set_user_nice(task, nice);
	wake_up_process(task);
	wait_for_completion(&birth.joined);
	if (!birth.ret)
		return task;
	thread_end(task);
	return ERR_PTR(birth.ret);
}

/*
 * Join the cgroups. The thread does this itself: if the owner moved it, kernel 6.1 would
 * require CAP_SYS_NICE of the owner where cpusets are in use.
 */
static int thread_join(struct thread_birth *birth)
{
	birth->ret = cgroup_attach_task_all(birth->from, current);
	return birth->ret;
}

/*
 * Limit this thread, which has the CPUs of its cpuset since it joined, to those of the
 * worker. The cpuset may have changed since the worker's start, and the kernel does not look
 * at it when an affinity is set. If it changes right here, the thread keeps a CPU that the
 * cpuset no longer has, until the next change or its end.
 */
static void thread_limit_cpus(const struct bell_worker *worker, struct cpumask *cpus)
{
	/* Without a common CPU it keeps those of the cpuset. */
	if (cpumask_and(cpus, &worker->cpus, &current->cpus_mask))
		set_cpus_allowed_ptr(current, cpus);
}

/* Let thread_create() return. @birth is on its stack: do not access it after this. */
static void thread_born(struct thread_birth *birth)
{
	complete(&birth->joined);
}

static void thread_loop(struct bell_worker *worker)
{
	struct llist_node *list;

	for (;;) {
		/* No I/O may follow the snapshot of a hibernation. */
		try_to_freeze();
		/*
		 * TASK_FREEZABLE: the freezer need not wake it. Once thawed it looks at
		 * the list.
		 */
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		list = llist_del_all(&worker->work);
		if (!list) {
			if (kthread_should_stop() || READ_ONCE(worker->retire))
				break;
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		bell_exec_worker_serve(worker, list);
		WRITE_ONCE(worker->looks, worker->looks + 1);
		if (READ_ONCE(worker->retire))
			WRITE_ONCE(worker->retire, false);
	}
	__set_current_state(TASK_RUNNING);
}

static int thread_main(void *data)
{
	struct thread_birth *birth = data;
	struct bell_worker *worker = birth->data;
	cpumask_var_t cpus;

	if (!alloc_cpumask_var(&cpus, GFP_KERNEL)) {
		birth->ret = -ENOMEM;
		thread_born(birth);
		return 0;
	}
	/*
	 * Here and not by the creator: newer kernels set a kthread's affinity when it
	 * starts. Joining a cpuset leaves the CPUs of that.
	 */
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	if (thread_join(birth)) {
		free_cpumask_var(cpus);
		thread_born(birth);
		return 0;
	}
	thread_limit_cpus(worker, cpus);
	free_cpumask_var(cpus);
	/*
	 * Full barrier before the first look at the list. Pairs with llist_add() in
	 * bell_exec_worker_wake(): that context sees this thread, or its executor is seen
	 * here.
	 */
	smp_store_mb(worker->task, current);
	thread_born(birth);
	if (worker->blkcg)
		kthread_associate_blkcg(worker->blkcg);
	bell_charge_memcg(worker->memcg);
	set_freezable();
	thread_loop(worker);
	bell_exec_worker_uncharge();
	/*
	 * The same barrier: a context that saw this thread has its executor seen by the
	 * maker.
	 */
	smp_store_mb(worker->task, NULL);
	bell_exec_thread_want(worker);
	return 0;
}

/*
 * thread_make() and thread_bury(): called under the maker's lock, or while the worker is not
 * in the maker's list.
 */
static int thread_make(struct bell_worker *worker)
{
	struct task_struct *task;

	WRITE_ONCE(worker->retire, false);
	worker->looks_seen = worker->looks;
	worker->idle_since = jiffies;
	task = thread_create(thread_main, worker, worker->maker->task,
			     worker->name, worker->nice);
	if (IS_ERR(task))
		return PTR_ERR(task);
	worker->last_task = task;
	return 0;
}

static void thread_bury(struct bell_worker *worker)
{
	if (worker->last_task)
		thread_end(worker->last_task);
	worker->last_task = NULL;
}

/* --- the maker --- */

/*
 * Called when a worker has work but no thread: its last thread is missed. Making a thread
 * takes locks that the whole host shares. So keep a thread that is missed soon for longer,
 * twice as long each time, until one is not missed for a long time.
 */
static void maker_missed(struct bell_worker *worker, unsigned long idle)
{
	unsigned long soon = idle << (THREAD_KEEP + 1);

	if (idle < THREAD_EXACT || time_after(jiffies, worker->born + soon))
		worker->missed = 0;
	else if (worker->missed < THREAD_KEEP)
		worker->missed++;
	worker->born = jiffies;
}

/* Ask a thread that had no work for @idle jiffies, or longer, to end; 0: never. */
static void maker_check(struct bell_worker *worker, unsigned long idle)
{
	unsigned int looks = READ_ONCE(worker->looks);

	if (looks != worker->looks_seen) {
		worker->looks_seen = looks;
		worker->idle_since = jiffies;
	} else if (idle &&
		   time_after_eq(jiffies, worker->idle_since +
					  (idle << worker->missed))) {
		WRITE_ONCE(worker->retire, true);
		wake_up_process(worker->last_task);
	}
}

/*
 * Makes at most one thread. Returns the jiffies after which to look again, unless it is
 * woken earlier.
 */
static long maker_look(struct bell_maker *maker)
{
	unsigned long idle = msecs_to_jiffies(READ_ONCE(worker_idle_ms));
	long look = idle && idle < THREAD_LOOK ? idle : THREAD_LOOK;
	long again = MAX_SCHEDULE_TIMEOUT;
	struct bell_worker *worker;
	int ret;

	/* It is shifted by THREAD_KEEP + 1 at most. */
	idle = min(idle, (unsigned long)MAX_JIFFY_OFFSET >> (THREAD_KEEP + 1));
	guard(mutex)(&maker->lock);
	list_for_each_entry(worker, &maker->workers, node) {
		if (worker->keep_thread)
			continue;
		if (READ_ONCE(worker->task)) {
			maker_check(worker, idle);
			again = look;
			continue;
		}
		thread_bury(worker);
		if (llist_empty(&worker->work))
			continue;
		ret = thread_make(worker);
		if (ret) {
			pr_warn_ratelimited("vhost-doorbell: %s: no thread can be made (error %d), so its requests wait\n",
					    worker->name, ret);
			return THREAD_AGAIN;
		}
		maker_missed(worker, idle);
		/* Others may want the lock before the next one is made. */
		return 0;
	}
	return again;
}

/*
 * The maker is not freezable: it does no I/O, and the threads that it makes while the
 * system hibernates freeze before they do.
 */
static int maker_main(void *data)
{
	struct thread_birth *birth = data;
	struct bell_maker *maker = birth->data;
	long again = MAX_SCHEDULE_TIMEOUT;
	int ret = thread_join(birth);

	thread_born(birth);
	while (!ret) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (again && !atomic_read(&maker->wanted))
			schedule_timeout(again);
		__set_current_state(TASK_RUNNING);
		/* A full barrier; pairs with the release in bell_exec_thread_want(). */
		atomic_xchg(&maker->wanted, 0);
		again = maker_look(maker);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static struct bell_maker *maker_create(void)
{
	struct bell_maker *maker = kzalloc(sizeof(*maker), GFP_KERNEL_ACCOUNT);
	struct task_struct *task;

	if (!maker)
		return ERR_PTR(-ENOMEM);
	mutex_init(&maker->lock);
	INIT_LIST_HEAD(&maker->workers);
	task = thread_create(maker_main, maker, current, "vhd-maker", 0);
	if (IS_ERR(task)) {
		kfree(maker);
		return ERR_CAST(task);
	}
	maker->task = task;
	return maker;
}

static void maker_destroy(struct bell_maker *maker)
{
	thread_end(maker->task);
	kfree(maker);
}

/* The maker in the cgroups of this thread, or NULL */
static struct bell_maker *maker_find(void)
{
	struct bell_maker *maker;

	lockdep_assert_held(&makers_lock);
	list_for_each_entry(maker, &makers, node) {
		if (bell_same_cgroups(current, maker->task)) {
			maker->users++;
			return maker;
		}
	}
	return NULL;
}

static struct bell_maker *maker_get(void)
{
	struct bell_maker *maker, *fresh;

	scoped_guard(mutex, &makers_lock)
		maker = maker_find();
	if (maker)
		return maker;
	/* Create it outside of the lock: it may wait for memory. */
	fresh = maker_create();
	if (IS_ERR(fresh))
		return fresh;
	scoped_guard(mutex, &makers_lock) {
		maker = maker_find();
		if (!maker) {
			fresh->users = 1;
			list_add(&fresh->node, &makers);
		}
	}
	if (!maker)
		return fresh;
	maker_destroy(fresh);
	return maker;
}

static void maker_put(struct bell_maker *maker)
{
	scoped_guard(mutex, &makers_lock) {
		if (--maker->users)
			return;
		list_del(&maker->node);
	}
	maker_destroy(maker);
}

/**
 * bell_exec_thread_want() - have the maker look if the worker needs a thread
 * @worker: with a user
 *
 * Context: Any, also with interrupts off and under an eventfd's lock.
 */
void bell_exec_thread_want(struct bell_worker *worker)
{
	/* The maker sees what the caller did before. Pairs with maker_main(). */
	atomic_set_release(&worker->maker->wanted, 1);
	/* Includes a full barrier: the maker sees @wanted, or it is woken. */
	wake_up_process(worker->maker->task);
}

/* --- start and stop --- */

static void thread_release(struct bell_worker *worker)
{
	if (worker->blkcg)
		css_put(worker->blkcg);
	worker->blkcg = NULL;
	mem_cgroup_put(worker->memcg);
	worker->memcg = NULL;
	maker_put(worker->maker);
	worker->maker = NULL;
	bell_exec_limit_uncharge(worker->uid);
}

/**
 * bell_exec_thread_start() - make the worker's first thread
 * @worker: without users
 * @name: of its threads
 *
 * Its threads have the nice value, affinity and cgroups of the caller.
 *
 * Context: Process context, of a user process.
 * Return: 0; -EAGAIN if the user has as many workers as RLIMIT_NPROC allows; or the
 * error of kthread_create(), or of a cgroup that refuses the thread.
 */
int bell_exec_thread_start(struct bell_worker *worker, const char *name)
{
	struct bell_maker *maker;
	int ret;

	ret = bell_exec_limit_charge(&worker->uid);
	if (ret)
		return ret;
	maker = maker_get();
	if (IS_ERR(maker)) {
		bell_exec_limit_uncharge(worker->uid);
		return PTR_ERR(maker);
	}
	worker->maker = maker;
	worker->blkcg = bell_current_blkcg();
	worker->memcg = bell_current_memcg();
	worker->nice = task_nice(current);
	cpumask_copy(&worker->cpus, current->cpus_ptr);
	strscpy(worker->name, name, sizeof(worker->name));
	ret = thread_make(worker);
	if (ret) {
		thread_release(worker);
		return ret;
	}
	worker->born = jiffies;
	scoped_guard(mutex, &maker->lock)
		list_add(&worker->node, &maker->workers);
	bell_exec_thread_want(worker);
	return 0;
}

/**
 * bell_exec_thread_stop() - end the worker's thread, if it has one
 * @worker: its users are paused, for at least a grace period
 *
 * Context: As for bell_exec_thread_start(), or a work item.
 */
void bell_exec_thread_stop(struct bell_worker *worker)
{
	/* 1. No thread is made any more. */
	scoped_guard(mutex, &worker->maker->lock)
		list_del(&worker->node);
	/* 2. The thread ends. */
	thread_bury(worker);
	/* 3. So may the maker. */
	thread_release(worker);
}
