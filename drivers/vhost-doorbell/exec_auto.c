// SPDX-License-Identifier: GPL-2.0
/*
 * exec_auto - auto mode: choose between the ringing thread and the worker
 *
 * Work in the ringing thread takes time of the guest's CPU. The worker costs a wake-up
 * and two context switches. So the worker gets a ring when many requests are in flight,
 * they arrive quickly, and it has a CPU to itself; or when recent inline passes had to
 * leave work to it, as something would block.
 *
 * A disk that completes at once never has requests in flight when the bell rings,
 * however much the driver submits. If each ring brings many requests, both choices are
 * tried, and the worker gets the rings if more is served that way: it serves while the
 * guest submits and reaps. The bytes count as well, as a frame of 64 KiB, or a request of
 * 1 MiB to a disk in memory, is copied.
 *
 * The choice rests on a few measurements, which become stale. Each is dropped after
 * some rings, so that the other choice is tried again.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>

#include "exec.h"
#include "vq.h"

#define AUTO_TRIES		16	/* inline passes between two decisions */
/*
 * If so many of these had to leave work to the worker, it gets the next rings. A driver
 * that flushes after each write fails half of them.
 */
#define AUTO_FAILED		12
#define AUTO_BLOCKED		256	/* rings that the worker serves then */
/* Rings served inline after the worker had to share its CPU */
#define AUTO_CROWDED		64
#define AUTO_WINDOW		NSEC_PER_MSEC
/*
 * Time between requests, in ns, from which inline submission is cheap: it takes about 2
 * us of the guest's CPU, so no more than a tenth of its time.
 */
#define AUTO_SPARSE		(20 * NSEC_PER_USEC)
#define AUTO_RINGS		64	/* rings in a span that is timed */
/* Spans between two trials; doubled each time that a trial confirms the choice */
#define AUTO_SPANS_MIN		2U
#define AUTO_SPANS_MAX		64U
/* The worker must be faster by this part (1/16), as it costs more CPU time. */
#define AUTO_FASTER		16

/* Work done so far: requests, and what their bytes add to it */
static u64 auto_served(const struct bell_exec *exec)
{
	const struct bell_stats *st = &exec->vq->stats;
	u64 bytes = READ_ONCE(st->bytes_read) + READ_ONCE(st->bytes_written);

	return READ_ONCE(st->requests) + (bytes >> exec->bytes_shift);
}

/* Are requests so rare that inline submission is cheap? */
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

/*
 * A span has ended in which @n units of work were served in @ns. Update the rate of the
 * choice that served it; after a trial, choose the faster one.
 */
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

/*
 * Does each ring bring many requests, and does the worker serve more of them per second
 * than the ringing thread? Called for each ring; times spans of AUTO_RINGS rings.
 */
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
 * Context: The ringing thread; one thread at a time.
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
 * bell_exec_auto_softirq() - should a softirq of the ringing thread serve this ring?
 * @exec: in auto mode
 *
 * Context: The ringing thread. If several threads ring at the same time only one decides;
 * the others use the softirq.
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
 * bell_exec_auto_tried() - count an inline pass, and decide after several
 * @exec: the executor
 *
 * Context: The thread that rang. Two threads at the same time may lose a count, which is
 * harmless.
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
		/*
		 * With fewer failures it is cheaper to try inline first than to wake
		 * the worker at each ring.
		 */
		if (failed >= AUTO_FAILED)
			WRITE_ONCE(a->blocked, AUTO_BLOCKED);
		tried = 0;
		failed = 0;
	}
	WRITE_ONCE(a->tried, tried);
	WRITE_ONCE(a->failed, failed);
}

/**
 * bell_exec_auto_would_block() - note that work was left to the worker, as it would
 *	block
 * @exec: the executor
 *
 * Context: Any.
 */
void bell_exec_auto_would_block(struct bell_exec *exec)
{
	WRITE_ONCE(exec->automatic.would_block, true);
}

/**
 * bell_exec_auto_crowd() - note whether the worker shares its CPU with other tasks
 * @exec: the executor
 *
 * Context: The worker, when it begins to serve.
 */
void bell_exec_auto_crowd(struct bell_exec *exec)
{
	if (!single_task_running())
		WRITE_ONCE(exec->automatic.crowded, AUTO_CROWDED);
}
