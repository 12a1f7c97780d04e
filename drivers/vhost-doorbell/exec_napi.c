// SPDX-License-Identifier: GPL-2.0
/*
 * exec_napi - serve a queue in softirq context, as a NAPI poll
 *
 * A port announces packets by bell_exec_napi_ring(), mostly in the sender's thread with
 * bottom halves off. The poll then runs when that thread enables bottom halves; no
 * other thread is woken. Work that may sleep goes to the worker.
 *
 * A poll may serve more packets than NAPI's usual weight of 64. Otherwise a burst of
 * one batch of 64 would count as an overload and be moved to ksoftirqd.
 */
#include <linux/minmax.h>
#include <linux/preempt.h>

#include "compat_net.h"
#include "exec.h"
#include "exec_napi.h"
#include "stats.h"

#define NAPI_BUDGET	256U	/* packets of one poll */

static int exec_napi_poll(struct napi_struct *napi, int weight)
{
	struct bell_napi *n = container_of(napi, struct bell_napi, napi);
	unsigned int left = NAPI_BUDGET;
	enum bell_pass how;
	int done;

	if (!weight)
		return 0;
	/*
	 * Each packet of a burst schedules another poll. This poll looks at the port
	 * after this point, so it also serves packets that were announced before.
	 */
	if (test_bit(NAPI_STATE_MISSED, &napi->state)) {
		clear_bit(NAPI_STATE_MISSED, &napi->state);
		/*
		 * If the port sets it after the clear, NAPI polls again; if before, this
		 * poll sees its packets.
		 */
		smp_mb__after_atomic();
	}
	bell_stat_inc(*n->polls);
	how = bell_exec_pass_softirq(n->exec, &left);
	if (how == BELL_PASS_MORE)
		return weight;
	done = min_t(int, NAPI_BUDGET - left, weight - 1);
	napi_complete_done(napi, done);
	return done;
}

/**
 * bell_exec_napi_start() - prepare to serve a queue in softirq context
 * @n: not started
 * @exec: the paused executor of the queue
 * @polls: counter of polls; nothing else writes it
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int bell_exec_napi_start(struct bell_napi *n, struct bell_exec *exec,
			 u64 *polls)
{
	n->dummy = bell_alloc_netdev_dummy();
	if (!n->dummy)
		return -ENOMEM;
	n->exec = exec;
	n->polls = polls;
	netif_napi_add(n->dummy, &n->napi, exec_napi_poll);
	napi_enable(&n->napi);
	return 0;
}

/**
 * bell_exec_napi_stop() - undo bell_exec_napi_start()
 * @n: started; its queue is paused, and its port does not ring
 *
 * Context: Process context.
 */
void bell_exec_napi_stop(struct bell_napi *n)
{
	napi_disable(&n->napi);
	netif_napi_del(&n->napi);
	bell_free_netdev_dummy(n->dummy);
	n->dummy = NULL;
}

/**
 * bell_exec_napi_ring() - have the queue served, as its port has frames
 * @n: started
 *
 * With bottom halves on, a softirq would have to run in ksoftirqd; the worker is no
 * slower, so it serves the queue. It also does so in the modes that prefer the worker.
 *
 * Context: Any.
 */
void bell_exec_napi_ring(struct bell_napi *n)
{
	struct bell_exec *exec = n->exec;

	if (likely(softirq_count()) && bell_exec_prefers_softirq(exec)) {
		napi_schedule(&n->napi);
		return;
	}
	bell_exec_ask_worker(exec);
}
