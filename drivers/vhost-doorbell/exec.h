/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_EXEC_H
#define BELL_EXEC_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

struct bell_exec;
struct bell_maker;
struct bell_vq;
struct cgroup_subsys_state;
struct task_struct;

/*
 * The run token: its holder is the only runner of the queue. Only exec.c makes one, so
 * a function with a struct bell_run parameter runs in the runner only.
 */
struct bell_run {
	struct bell_exec	*exec;
	/* Units of budget that are left, see bell_run_spend() */
	unsigned int		 budget;
	/* The runner may sleep, for example to pin pages */
	bool			 may_sleep;
	/* The runner is a NAPI poll, which runs again if work is left */
	bool			 softirq;
};

/*
 * Take one unit of budget. Each chain and each look at the ring costs one, so a guest
 * that rings again and again with an empty ring cannot keep the runner busy either.
 * Returns false if no budget is left.
 */
static inline bool bell_run_spend(struct bell_run *run)
{
	if (!run->budget)
		return false;
	run->budget--;
	return true;
}

enum bell_pass {
	BELL_PASS_DONE,		/* the ring is empty; the driver was asked for a kick */
	BELL_PASS_MORE,		/* out of budget */
	/* Serving the next chain may sleep: the worker has to do it */
	BELL_PASS_PUNT,
	/*
	 * The queue is broken or dead: no pass can serve it until its next
	 * start or resume
	 */
	BELL_PASS_STOP,
};

struct bell_exec_ops {
	/*
	 * Serve the ring until one of the reasons in enum bell_pass; called by the
	 * runner.
	 */
	enum bell_pass	(*pass)(struct bell_exec *exec, struct bell_run *run);
	/*
	 * Submit the request of @node again: before, it would have blocked. Called by
	 * the worker.
	 */
	void		(*retry)(struct bell_exec *exec, struct llist_node *node);
	/*
	 * End requests that wait for something other than the disk, now that the queue
	 * is dead. Called by bell_exec_drain(), any number of times. May be NULL.
	 */
	void		(*release)(struct bell_exec *exec);
	/*
	 * Would a pass find something to do? Called by the runner in poll mode. NULL:
	 * it would if the driver has added something to the ring.
	 */
	bool		(*pending)(struct bell_exec *exec);
	/*
	 * Wait until contexts that serve the queue without the token have seen that it
	 * is dead. Called by bell_exec_pause(). May be NULL.
	 */
	void		(*settle)(struct bell_exec *exec);
};

/* How long to wait until a queue is quiet. A NULL pointer: without limit. */
struct bell_patience {
	/* Give up when the calling process is being killed */
	bool		killable;
	bool		bounded;
	unsigned long	until;		/* jiffies at which to give up, if @bounded */
};

/*
 * How the queues of one device are served. Written under the device's lock at any time,
 * read without it. Documentation/uapi.rst explains each member.
 */
struct bell_exec_config {
	u32	mode;		/* enum vhost_doorbell_mode */
	u32	inline_max;
	u32	budget;
	u32	poll_us;
	u32	poll_share;	/* of a CPU, in per cent */
};

/* State of auto mode; see exec_auto.c */
struct bell_exec_auto {
	/* Written by the ringing thread; one thread at a time: */

	u64	seen;		/* requests taken when the present window began */
	u64	since;		/* when the present window began, in ns */
	/* Requests came so rarely in the last window that inline submission is cheap */
	bool	sparse;
	/* Present choice for rings that bring many requests: the worker serves them */
	bool	to_worker;
	bool	trying;		/* the present span tries the other choice */
	u32	rings;		/* rings in the present span */
	u32	spans;		/* spans since the last trial */
	u32	spans_max;	/* spans between two trials */
	u64	span_seen;	/* work served when the present span began */
	/* When the present span began, in ns; 0: do not time it */
	u64	span_since;
	/* Work served per second by the ringer [0] and by the worker [1] */
	u64	rate[2];
	u32	tried;		/* inline passes since the last decision */
	/* How many of @tried left work to the worker */
	u32	failed;

	/* Also written by other contexts: */

	/* A request would have blocked since the last pass */
	bool	would_block;
	u32	blocked;		/* how many of the next rings go to the worker */
	/* Rings still to be served inline, as the worker had to share its CPU */
	u32	crowded;
	/* Bit lock: only one of several ringers decides */
	unsigned long busy;
};

/* State of poll mode; only the runner accesses it; see exec_poll.c */
struct bell_exec_poll {
	u64	limit;		/* longest time of one poll of the ring, in ns */
	/* When the last poll began, in ns, if it found nothing; otherwise 0 */
	u64	in_vain;
};

/*
 * Serves one queue or several of a device, in a kernel thread that exists while there
 * is work; exec_worker.c, exec_thread.c
 */
struct bell_worker {
	/* The thread; NULL if there is none. Readers are in an RCU read-side section. */
	struct task_struct		*task;

	/* Constant while it has users: */

	/* Block cgroup that its I/O is charged to */
	struct cgroup_subsys_state	*blkcg;
	/* Memory cgroup that its memory is charged to */
	struct mem_cgroup		*memcg;

	/* Of the worker's thread: */

	/* Executors that it has taken from @work and still has to serve */
	struct llist_node		*batch;
	/* When the present window of poll time began, in ns */
	u64				 poll_window;
	/* Time polled in that window, in ns */
	u64				 poll_spent;
	/* Times that it took @work; the maker reads it */
	unsigned int			 looks;
	/* The maker sets it: the thread has had no work for long and is to end */
	bool				 retire;

	/* Executors to serve; any context that wakes the worker adds to it. */
	struct llist_head		 work ____cacheline_aligned_in_smp;

	/* Never end the thread while it has users; set before the first one */
	bool				 keep_thread;

	/* Written under the device's lock, when queues start and stop */
	unsigned int			 users;		/* running queues that it serves */

	/*
	 * Under the maker's lock while the worker is in the maker's list; otherwise only the
	 * worker's start and stop access these:
	 */

	/* In the maker's list */
	struct list_head		 node;
	/* The last thread that was made, with a reference, until it has ended */
	struct task_struct		*last_task;
	/* @looks when it last changed, and when the maker saw that, in jiffies */
	unsigned int			 looks_seen;
	unsigned long			 idle_since;
	/* When the last thread was made, in jiffies, and how many were missed soon */
	unsigned long			 born;
	unsigned int			 missed;

	/* Constant while it has users: */

	/* Makes its threads */
	struct bell_maker		*maker;
	/* User whose RLIMIT_NPROC it counts for */
	kuid_t				 uid;
	/* Nice value of its threads */
	int				 nice;
	/* CPU affinity and name of its threads */
	cpumask_t			 cpus;
	char				 name[TASK_COMM_LEN];
};

/* Values of bytes_shift: a network's frames are copied, often with a checksum */
#define BELL_EXEC_FRAME_SHIFT	11
/* Disks in memory copy within the submission */
#define BELL_EXEC_DISK_SHIFT	16

/*
 * Executor of one queue or bell: chooses the context that serves it, and ensures that
 * only one does at a time
 */
struct bell_exec {
	/* Constant while the device lives. */
	const struct bell_exec_ops	*ops;
	const struct bell_exec_config	*cfg;
	struct bell_vq			*vq;		/* NULL for a bell */
	/* The ringing thread may serve it: that does not block. */
	bool				 may_inline;
	/* I/O is charged to the block cgroup of the thread that submits it. */
	bool				 charges_runner;
	/* The device or bell; queued task work holds a reference */
	struct kref			*owner;
	void				(*owner_release)(struct kref *owner);

	/* Constant while the queue runs; set by its back end: */

	/* In auto mode the ringing thread always serves. */
	bool				 auto_inline;
	/*
	 * log2 of the bytes that auto mode counts as one more request: about what the serving
	 * context copies in the time of a small request
	 */
	u8				 bytes_shift;

	/* Constant while the queue runs; set by bell_exec_worker_start() */
	struct bell_worker		*worker;
	struct cgroup_subsys_state	*blkcg;		/* block cgroup of the worker */
	/* Memory cgroup of the worker */
	struct mem_cgroup		*memcg;

	/* All members from here on are written by several contexts. */

	/* The run token: EXEC_IDLE, EXEC_RUNNING or EXEC_AGAIN, see exec.c */
	atomic_t			 token ____cacheline_aligned_in_smp;
	/* Paused: a pass returns at once. Written by the ioctl that pauses or resumes */
	bool				 dead;
	/* WORKER_*, see exec_worker.c */
	unsigned long			 worker_flags;
	/* Entry in the worker's list of executors to serve */
	struct llist_node		 worker_node;
	/* Only the worker accesses it: next in its list of punted executors */
	struct bell_exec		*worker_next;
	/* VCPU_*, see exec_vcpu.c */
	unsigned long			 vcpu_flags;
	/* Thread in which @vcpu_work is queued; compared only, never dereferenced */
	struct task_struct		*ringer;
	/* Task work that serves the queue in @ringer */
	struct callback_head		 vcpu_work;

	struct bell_exec_auto		 automatic;
	struct bell_exec_poll		 poll;

	/* Requests to submit again; any context adds, the worker takes all */
	struct llist_head		 retries;

	/* Wait queue of bell_exec_pause() and bell_exec_drain() */
	wait_queue_head_t		 idle;
};

void bell_exec_init(struct bell_exec *exec, const struct bell_exec_ops *ops,
		    const struct bell_exec_config *cfg, struct bell_vq *vq);
void bell_exec_resume(struct bell_exec *exec);
void bell_exec_shut(struct bell_exec *exec);
int bell_exec_pause(struct bell_exec *exec, const struct bell_patience *p);
int bell_exec_drain(struct bell_exec *exec, const struct bell_patience *p);
bool bell_exec_ring(struct bell_exec *exec);
enum bell_pass bell_exec_pass(struct bell_exec *exec, unsigned int budget,
			      bool may_sleep);
enum bell_pass bell_exec_pass_softirq(struct bell_exec *exec,
				      unsigned int *budget);
bool bell_exec_prefers_softirq(struct bell_exec *exec);
void bell_exec_ask_worker(struct bell_exec *exec);

int bell_exec_worker_start(struct bell_exec *exec, struct bell_worker *worker,
			   const char *name);
void bell_exec_worker_stop(struct bell_exec *exec);
void bell_exec_worker_interrupt(struct bell_exec *exec);
void bell_exec_worker_wake(struct bell_exec *exec);
void bell_exec_worker_retry(struct bell_exec *exec, struct llist_node *node);
pid_t bell_exec_worker_pid(struct bell_exec *exec);
void bell_exec_worker_charge(struct bell_exec *exec);
void bell_exec_worker_uncharge(void);

void bell_exec_worker_serve(struct bell_worker *worker,
			    struct llist_node *list);

int bell_exec_thread_start(struct bell_worker *worker, const char *name);
void bell_exec_thread_stop(struct bell_worker *worker);
void bell_exec_thread_want(struct bell_worker *worker);

bool bell_exec_worker_retries(const struct bell_exec *exec);
bool bell_exec_worker_wanted(const struct bell_exec *exec);

bool bell_exec_auto_inline(struct bell_exec *exec);
bool bell_exec_auto_softirq(struct bell_exec *exec);
void bell_exec_auto_tried(struct bell_exec *exec);
void bell_exec_auto_would_block(struct bell_exec *exec);
void bell_exec_auto_crowd(struct bell_exec *exec);

bool bell_exec_poll(struct bell_run *run);

int bell_exec_limit_charge(kuid_t *uid);
void bell_exec_limit_uncharge(kuid_t uid);

void bell_exec_vcpu_init(struct bell_exec *exec);
bool bell_exec_vcpu_queue(struct bell_exec *exec);

#endif
