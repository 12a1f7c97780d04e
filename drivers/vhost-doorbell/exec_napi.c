// SPDX-License-Identifier: GPL-2.0
/*
 * exec_napi - serve the queue in softirq context, which a packet's sender runs
 *
 * A port says that it has packets by bell_exec_napi_ring(), mostly in the thread
 * that sent them, with bottom halves off. The pass then runs as a NAPI poll when
 * that thread enables them: no thread is woken. What has to sleep there goes to
 * the worker.
 *
 * NAPI's weight of 64 is meant for devices. A pass may serve more, so that a burst
 * of a batch of 64 does not count as an overload, which ksoftirqd would end.
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
	 * Each packet of a burst asks for another poll. We look at the port after
	 * this, so that those asked for until now are answered by this one.
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
 * bell_exec_napi_start() - get ready to serve a queue in softirq context
 * @n: not started
 * @exec: the queue's; paused
 * @polls: a counter, written in these polls only
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
 * bell_exec_napi_ring() - there is something for the queue: have it served
 * @n: started
 *
 * Where bottom halves are on, a softirq would need ksoftirqd: then the worker does
 * it, as where the mode prefers it.
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
