// SPDX-License-Identifier: GPL-2.0
/*
 * exec_auto - by the ringing thread or by the worker, as it goes
 *
 * The ringer's CPU is the guest's: what it submits costs the guest that time, and
 * the worker costs a wake-up and two context switches. So the worker gets a ring
 * when many requests are in flight, they come fast, and it has a CPU to itself;
 * and when the ringer could not do it lately, since something would block.
 *
 * What is known is a few numbers that go stale: each is forgotten after some
 * rings, so that what would be better by now is tried.
 */
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>

#include "exec.h"
#include "vq.h"

#define AUTO_TRIES		16	/* between two looks at what would block */
#define AUTO_FAILED		12	/* of these: flushes alone are half */
#define AUTO_BLOCKED		256	/* rings for the worker after it did */
#define AUTO_CROWDED		64	/* rings for the ringer */
#define AUTO_WINDOW		NSEC_PER_MSEC
/* To submit one is some 2 us of the guest's time: no more than a tenth of it. */
#define AUTO_SPARSE		(20 * NSEC_PER_USEC)

/* Do requests come so seldom that the ringer has time for them? */
static bool auto_sparse(struct bell_exec *exec)
{
	struct bell_exec_auto *a = &exec->automatic;
	u64 now = ktime_get_ns(), ns = now - a->since;
	u64 requests;

	if (ns >= AUTO_WINDOW) {
		requests = READ_ONCE(exec->vq->stats.requests);
		a->sparse = ns >= (requests - a->seen) * AUTO_SPARSE;
		a->seen = requests;
		a->since = now;
	}
	return a->sparse;
}

static bool auto_count_down(u32 *rings)
{
	u32 n = READ_ONCE(*rings);

	if (n)
		WRITE_ONCE(*rings, n - 1);
	return n;
}

/**
 * bell_exec_auto_inline() - is this ring better served by who rings?
 * @exec: in auto mode
 *
 * Context: Whoever rings, one at a time.
 */
bool bell_exec_auto_inline(struct bell_exec *exec)
{
	struct bell_exec_auto *a = &exec->automatic;

	if (auto_count_down(&a->blocked))
		return false;
	return bell_vq_in_flight(exec->vq) < READ_ONCE(exec->cfg->inline_max) ||
	       auto_count_down(&a->crowded) || auto_sparse(exec);
}

/**
 * bell_exec_auto_tried() - the ringer has served what it could
 * @exec: the executor
 *
 * Context: Who rang; with others the count may suffer, and no more.
 */
void bell_exec_auto_tried(struct bell_exec *exec)
{
	struct bell_exec_auto *a = &exec->automatic;
	u32 tried = READ_ONCE(a->tried) + 1, failed = READ_ONCE(a->failed);

	if (READ_ONCE(a->would_block)) {
		WRITE_ONCE(a->would_block, false);
		failed++;
	}
	if (tried == AUTO_TRIES) {
		/* Only then is a try dearer than a wake-up for each. */
		if (failed >= AUTO_FAILED)
			WRITE_ONCE(a->blocked, AUTO_BLOCKED);
		tried = 0;
		failed = 0;
	}
	WRITE_ONCE(a->tried, tried);
	WRITE_ONCE(a->failed, failed);
}

/**
 * bell_exec_auto_would_block() - the ringer had to leave something to the worker
 * @exec: the executor
 *
 * Context: Any.
 */
void bell_exec_auto_would_block(struct bell_exec *exec)
{
	WRITE_ONCE(exec->automatic.would_block, true);
}

/**
 * bell_exec_auto_crowd() - has the worker a CPU to itself?
 * @exec: the executor
 *
 * Context: The worker, as it begins.
 */
void bell_exec_auto_crowd(struct bell_exec *exec)
{
	if (!single_task_running())
		WRITE_ONCE(exec->automatic.crowded, AUTO_CROWDED);
}
