/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_EXEC_H
#define BELL_EXEC_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

struct bell_exec;
struct bell_vq;
struct cgroup_subsys_state;
struct task_struct;

/*
 * The run token: its holder is the only runner of the queue. Only exec.c makes one, so
 * a function with a struct bell_run parameter runs in the runner only.
 */
struct bell_run {
	struct bell_exec	*exec;
	unsigned int		 budget;	/* chains and looks that are left */
	bool			 may_sleep;	/* and pin, and block in a disk */
	bool			 softirq;	/* the softirq serves the rest itself */
};

/*
 * Each chain and each look at the ring costs one, so a guest that rings again and
 * again with an empty ring cannot keep the runner busy either.
 */
static inline bool bell_run_spend(struct bell_run *run)
{
	if (!run->budget)
		return false;
	run->budget--;
	return true;
}

enum bell_pass {
	BELL_PASS_DONE,		/* the ring is empty, the driver will kick */
	BELL_PASS_MORE,		/* out of budget */
	BELL_PASS_PUNT,		/* the next chain may sleep */
	BELL_PASS_STOP,		/* broken or parked: until the next start */
};

struct bell_exec_ops {
	/* Serve the ring until a reason to stop; by the runner. */
	enum bell_pass	(*pass)(struct bell_exec *exec, struct bell_run *run);
	/* Submit the request of @node again, which would have blocked; by the worker. */
	void		(*retry)(struct bell_exec *exec, struct llist_node *node);
	/*
	 * Would a pass find something? By the runner, in poll mode. NULL: it would
	 * if the driver has added something to the ring.
	 */
	bool		(*pending)(struct bell_exec *exec);
	/*
	 * Wait until contexts that serve the queue without the token have seen that it
	 * is dead; by the ioctl that pauses the queue. May be NULL.
	 */
	void		(*settle)(struct bell_exec *exec);
};

/* How long to wait until a queue is quiet. A NULL pointer means: until it is. */
struct bell_patience {
	bool		killable;	/* until the caller is being killed */
	bool		bounded;
	unsigned long	until;		/* in jiffies, if bounded */
};

/* How the queues of one device are served; may change at any time. */
struct bell_exec_config {
	u32	mode;		/* enum vhost_doorbell_mode */
	u32	inline_max;
	u32	budget;
	u32	poll_us;
	u32	poll_share;	/* per cent */
};

/* exec_auto.c */
struct bell_exec_auto {
	/* Written by the thread that rings, one at a time. */
	u64	seen;		/* requests */
	u64	since;		/* when, in ns */
	bool	sparse;
	bool	to_worker;	/* many requests a ring */
	bool	trying;		/* the other */
	u32	rings;		/* of the span that is timed */
	u32	spans;		/* since the last trial */
	u32	spans_max;	/* before the next */
	u64	span_seen;	/* served, when it began */
	u64	span_since;	/* when, in ns; 0: it is not timed */
	u64	rate[2];	/* served per second, by ringer and by worker */
	u32	tried;		/* inline passes */
	u32	failed;		/* of these */
	/* Written by other contexts, too. */
	bool	would_block;		/* a request did, since the last pass */
	u32	blocked;		/* rings still to be left to the worker */
	u32	crowded;		/* rings still to be served inline */
	unsigned long busy;		/* one of several that ring looks */
};

/* The runner's; exec_poll.c */
struct bell_exec_poll {
	u64	limit;		/* in ns, of one look */
	u64	in_vain;	/* when one began that found nothing, or 0 */
};

/* A kernel thread that serves one queue or several of a device; exec_worker.c */
struct bell_worker {
	/* Constant while it runs. */
	struct task_struct		*task;
	struct cgroup_subsys_state	*blkcg;
	struct mem_cgroup		*memcg;
	kuid_t				 uid;		/* whose limit it counts to */

	/* Its own: executors that it is about to serve, time spent looking. */
	struct llist_node		*batch;
	u64				 poll_window;	/* when it began */
	u64				 poll_spent;	/* of it, in ns */

	/* Executors to serve; any context that wakes the worker adds to it. */
	struct llist_head		 work ____cacheline_aligned_in_smp;

	/* Under the device's lock, when queues start and stop */
	unsigned int			 users;
	cpumask_t			 cpus;		/* at first */
};

/* Serves one queue or bell: which context runs it, and that only one does. */
struct bell_exec {
	/* Constant while the device lives. */
	const struct bell_exec_ops	*ops;
	const struct bell_exec_config	*cfg;
	struct bell_vq			*vq;		/* NULL for a bell */
	bool				 may_inline;
	/* What a thread submits is charged to its own block cgroup. */
	bool				 charges_runner;
	struct kref			*owner;
	void				(*owner_release)(struct kref *owner);

	/* Constant while the queue runs; set by its back end. */
	/* In auto mode by the ringing thread, whatever the rings bring. */
	bool				 auto_inline;
	/* Bytes are work, too: of a network's frames, which are copied. */
	bool				 weighs_bytes;

	/* The same; exec_worker.c */
	struct bell_worker		*worker;
	struct cgroup_subsys_state	*blkcg;		/* the worker's */
	struct mem_cgroup		*memcg;		/* the same */

	/*
	 * Written by ringers and by the runner: the run token, EXEC_IDLE, _RUNNING or
	 * _AGAIN (see exec.c); the flags of exec_worker.c and exec_vcpu.c.
	 */
	atomic_t			 token ____cacheline_aligned_in_smp;
	/* No pass does anything. */
	bool				 dead;
	unsigned long			 worker_flags;
	struct llist_node		 worker_node;
	struct bell_exec		*worker_next;	/* the worker's */
	unsigned long			 vcpu_flags;
	struct task_struct		*ringer;
	struct callback_head		 vcpu_work;

	struct bell_exec_auto		 automatic;
	struct bell_exec_poll		 poll;

	/* Requests to submit again; completions add, the worker takes. */
	struct llist_head		 retries;

	/* Seldom */
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
