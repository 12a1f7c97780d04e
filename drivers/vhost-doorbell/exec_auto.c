// SPDX-License-Identifier: GPL-2.0
/*
 * exec_auto - by the ringing thread or by the worker, as it goes
 *
 * The ringer's CPU is the guest's: what it submits costs the guest that time, and
 * the worker costs a wake-up and two context switches. So the worker gets a ring
 * when many requests are in flight, they come fast, and it has a CPU to itself;
 * and when the ringer could not do it lately, since something would block.
 *
 * A disk that completes at once has nothing in flight when the bell rings, however
 * much the driver submits. If that is much, both are tried, and the worker gets it
 * if more is done that way: it serves while the guest submits and reaps. So it is with
 * a network, where bytes count, too: a frame of 64 KiB is copied.
 *
 * The choice rests on a few measured numbers, which go stale. Each is dropped after some
 * rings, so that the other way is tried again.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>

#include "exec.h"
#include "vq.h"

#define AUTO_TRIES		16	/* between two looks at what would block */
#define AUTO_FAILED		12	/* of these: flushes alone are half */
#define AUTO_BLOCKED		256	/* rings for the worker after it did */
#define AUTO_CROWDED		64	/* rings for the ringer */
/* Bytes that are copied in the time that a small request takes: a power of 2 */
#define AUTO_BYTES_SHIFT	11
#define AUTO_WINDOW		NSEC_PER_MSEC
/* To submit one is some 2 us of the guest's time: no more than a tenth of it. */
#define AUTO_SPARSE		(20 * NSEC_PER_USEC)
#define AUTO_RINGS		64	/* of a span that is timed */
/* Such spans between two trials: twice as many each time nothing changes. */
#define AUTO_SPANS_MIN		2U
#define AUTO_SPANS_MAX		64U
/* The part by which the worker must be faster: it costs more. */
#define AUTO_FASTER		16

/* Work done so far: requests; for a network card the bytes add to it. */
static u64 auto_served(const struct bell_exec *exec)
{
	const struct bell_stats *st = &exec->vq->stats;
	u64 served = READ_ONCE(st->requests);

	if (exec->weighs_bytes)
		served += (READ_ONCE(st->bytes_read) +
			   READ_ONCE(st->bytes_written)) >> AUTO_BYTES_SHIFT;
	return served;
}

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

/* One of the two has had @n requests served in a span of @ns. */
static void auto_timed(struct bell_exec_auto *a, u64 n, u64 ns)
{
	u64 *rate = &a->rate[a->to_worker ^ a->trying];
	u64 now = div64_u64(n * NSEC_PER_SEC, ns);

	*rate = *rate ? (*rate + now) / 2 : now;
	if (!a->trying) {
		a->trying = ++a->spans >= a->spans_max;
		return;
	}
	a->trying = false;
	a->spans = 0;
	if ((a->rate[1] > a->rate[0] + a->rate[0] / AUTO_FASTER) ==
	    a->to_worker) {
		a->spans_max = clamp(2 * a->spans_max, AUTO_SPANS_MIN,
				     AUTO_SPANS_MAX);
	} else {
		a->to_worker = !a->to_worker;
		a->spans_max = AUTO_SPANS_MIN;
	}
}

/* Does the worker get more done when each ring brings many requests? */
static bool auto_worker_faster(struct bell_exec *exec)
{
	struct bell_exec_auto *a = &exec->automatic;
	u64 served, n, now;

	if (++a->rings < AUTO_RINGS)
		return a->to_worker ^ a->trying;
	served = auto_served(exec);
	n = served - a->span_seen;
	a->span_seen = served;
	a->rings = 0;
	if (n < AUTO_RINGS * READ_ONCE(exec->cfg->inline_max)) {
		a->spans_max = AUTO_SPANS_MIN;
		a->span_since = 0;
		a->to_worker = false;
		a->trying = false;
		return false;
	}
	now = ktime_get_ns();
	if (a->span_since && now > a->span_since)
		auto_timed(a, n, now - a->span_since);
	a->span_since = now;
	return a->to_worker ^ a->trying;
}

/**
 * bell_exec_auto_inline() - should the ringing thread serve this ring itself?
 * @exec: in auto mode
 *
 * Context: The thread that rings, one at a time.
 */
bool bell_exec_auto_inline(struct bell_exec *exec)
{
	struct bell_exec_auto *a = &exec->automatic;

	if (auto_count_down(&a->blocked))
		return false;
	if (bell_vq_in_flight(exec->vq) < READ_ONCE(exec->cfg->inline_max))
		return !auto_worker_faster(exec) || auto_count_down(&a->crowded);
	return auto_count_down(&a->crowded) || auto_sparse(exec);
}

/**
 * bell_exec_auto_softirq() - the same for a softirq that the ringing thread runs
 * @exec: in auto mode
 *
 * Context: The ringing thread. Where several ring at a time only one looks.
 * Return: true for the softirq, false for the worker.
 */
bool bell_exec_auto_softirq(struct bell_exec *exec)
{
	struct bell_exec_auto *a = &exec->automatic;
	bool inl;

	if (test_and_set_bit_lock(0, &a->busy))
		return true;
	inl = !auto_worker_faster(exec) || auto_count_down(&a->crowded);
	clear_bit_unlock(0, &a->busy);
	return inl;
}

/**
 * bell_exec_auto_tried() - the ringer has served what it could
 * @exec: the executor
 *
 * Context: The thread that rang. Two at once may lose a count; nothing else breaks.
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
