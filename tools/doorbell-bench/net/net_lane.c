// SPDX-License-Identifier: GPL-2.0
/*
 * net_lane - one pair of queues under load
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_lane.h"

/* Time after which a frame that did not arrive counts as lost */
#define PATIENCE_NS	2000000000ull
/* Time to wait, at the end of the load, for frames that were sent */
#define TAIL_NS		300000000ull
/*
 * The lane gives up after so many rounds in a row in which all frames were
 * lost.
 */
#define GIVE_UPS	3

bool net_lane_sends(const struct net_options *o)
{
	return o->load != NET_LOAD_RX;
}

bool net_lane_receives(const struct net_options *o)
{
	return o->load != NET_LOAD_TX;
}

bool net_lane_host_receives(const struct net_options *o)
{
	return (o->load == NET_LOAD_TX || o->load == NET_LOAD_ECHO) &&
	       net_options_host_reads(o);
}

/* Does the other end send frames? */
static bool host_sends(const struct net_options *o)
{
	return (o->load == NET_LOAD_RX || o->load == NET_LOAD_ECHO) &&
	       o->host != NET_HOST_NONE;
}

/*
 * The size of a slot to send; in an echo it must hold the frames of the other
 * end.
 */
static uint32_t tx_size(const struct net_lane *l)
{
	uint32_t size = (uint32_t)l->o->size;

	if (l->o->load == NET_LOAD_ECHO && size < 1518)
		size = 1518;
	return size + l->hlen;
}

static uint32_t tx_slots(const struct net_lane *l)
{
	return l->o->load == NET_LOAD_ECHO ? l->tx.ring->num :
					     (uint32_t)l->o->depth;
}

size_t net_lane_bytes(const struct net_lane *l)
{
	size_t bytes = 0;

	if (net_lane_sends(l->o))
		bytes += tx_slots(l) * net_slot_bytes(&l->tx.rules, tx_size(l));
	if (net_lane_receives(l->o))
		bytes += l->rx.nslots * net_slot_bytes(&l->rx.rules,
						       l->rx.size);
	return bytes;
}

int net_lane_create(struct net_lane *l)
{
	int ret = 0;

	l->scratch = calloc(1, NET_HDR_MRG + NET_MAX_FRAME + NET_FRAME_SLACK);
	if (!l->scratch)
		return -ENOMEM;
	l->tx.rng = l->o->common.seed * 2 + l->index * 1000;
	l->rx.rng = l->tx.rng + 1;
	if (net_lane_sends(l->o))
		ret = net_end_create(&l->tx, tx_slots(l), tx_size(l), l->index);
	if (!ret && net_lane_receives(l->o))
		ret = net_end_create(&l->rx, l->rx.nslots, l->rx.size,
				     l->index + 1);
	return ret;
}

void net_lane_destroy(struct net_lane *l)
{
	net_end_destroy(&l->tx);
	net_end_destroy(&l->rx);
	net_host_destroy(&l->host);
	free(l->scratch);
	l->scratch = NULL;
}

void net_lane_fail(struct net_lane *l, const char *why)
{
	if (!l->fatal)
		l->fatal = why;
	l->stats.errors++;
	__atomic_store_n(&l->gate->abort, true, __ATOMIC_RELEASE);
}

static bool aborted(const struct net_lane *l)
{
	return __atomic_load_n(&l->gate->abort, __ATOMIC_ACQUIRE);
}

static bool stopped(const struct net_lane *l)
{
	return __atomic_load_n(&l->gate->stop, __ATOMIC_ACQUIRE) || aborted(l);
}

static uint64_t seen(const struct net_lane *l)
{
	return net_check_seen(&l->check[l->index]);
}

static uint64_t sent(const struct net_lane *l)
{
	return __atomic_load_n(&l->stats.sent, __ATOMIC_RELAXED);
}

/* Progress of a phase: frames sent, or received if only others send. */
static uint64_t moved(const struct net_lane *l)
{
	if (l->o->host == NET_HOST_NONE && (l->o->load == NET_LOAD_RX ||
					    l->o->load == NET_LOAD_ECHO))
		return l->stats.received + l->stats.answers;
	return sent(l);
}

/* Does the lane learn which of the sent frames arrived? */
static bool arrivals(const struct net_lane *l)
{
	return l->o->load == NET_LOAD_PASS || net_options_host_reads(l->o);
}

static void take_call(struct net_lane *l, struct ring *r)
{
	uint64_t count;

	/* EAGAIN: there was no interrupt. */
	if (read(r->call, &count, sizeof(count)) == sizeof(count))
		l->stats.interrupts += count;
}

/* Sleeps until the device interrupts or the other end has a frame. */
static void wait_call(struct net_lane *l)
{
	struct pollfd p[3] = {
		{ .fd = net_lane_receives(l->o) ? l->rx.ring->call : -1,
		  .events = POLLIN },
		{ .fd = l->tx_busy ? l->tx.ring->call : -1, .events = POLLIN },
		{ .fd = l->lockstep && net_lane_host_receives(l->o) ?
			l->host.fd : -1, .events = POLLIN },
	};
	bool ready = p[0].fd >= 0 && ring_arm(l->rx.ring);

	ready |= p[1].fd >= 0 && ring_arm(l->tx.ring);
	if (!ready) {
		l->stats.waits++;
		poll(p, 3, 100);
		take_call(l, l->rx.ring);
		take_call(l, l->tx.ring);
	}
	ring_disarm(l->rx.ring);
	ring_disarm(l->tx.ring);
}

bool net_lane_wait(struct net_lane *l, bool did)
{
	bool sleeps = l->o->wait == NET_WAIT_CALL;
	uint64_t now;

	if (aborted(l))
		return false;
	if (did) {
		l->idle = 0;
		l->give_ups = 0;
		return true;
	}
	if (sleeps)
		wait_call(l);
	else if (l->o->wait == NET_WAIT_YIELD)
		sched_yield();
	/* Reading the clock costs more than polling the ring. */
	if (l->idle++ % 64 && !sleeps)
		return true;
	now = bench_now_ns();
	if (l->idle == 1)
		l->idle_since = now;
	return now - l->idle_since < PATIENCE_NS;
}

/* Counts missing frames as lost, so that nothing waits for them again. */
static void give_up(struct net_lane *l)
{
	uint64_t missing = sent(l) - seen(l);

	l->idle = 0;
	l->given_up = missing > l->given_up ? missing : l->given_up;
	if (++l->give_ups >= GIVE_UPS)
		net_lane_fail(l, "nothing arrives");
}

/*
 * Adds one batch to the sending queue, and waits until there is room for the
 * next.
 */
static void round_tx(struct net_lane *l, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		while (net_lane_send(l, l->seq)) {
			net_lane_publish(l);
			if (!net_lane_wait(l, net_lane_reap_tx(l))) {
				net_lane_fail(l, "nothing is sent");
				return;
			}
		}
		l->seq++;
	}
	net_lane_publish(l);
	while (l->tx_busy + l->o->batch > l->o->depth)
		if (!net_lane_wait(l, net_lane_reap_tx(l))) {
			net_lane_fail(l, "nothing is sent");
			return;
		}
}

/* Receives the frames that reached the other end; returns how many. */
static unsigned int host_take(struct net_lane *l, int timeout_ms)
{
	unsigned int n = 0;
	struct net_got got;
	int ret;

	while (!(ret = net_host_receive(&l->host, &got, l->o->common.verify,
					timeout_ms))) {
		n++;
		timeout_ms = 0;
		if (got.wrong)
			l->stats.wrong++;
		else
			net_check_add(&l->check[l->index], got.tag.seq,
				      got.len);
	}
	if (ret != -EAGAIN)
		net_lane_fail(l, "the other end can't receive");
	return n;
}

/*
 * The other end sends a batch. While it has no room, the driver does its work.
 */
static void host_round(struct net_lane *l, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		int ret = net_host_send(&l->host, l->seq);

		while (ret == -EAGAIN && l->lockstep &&
		       net_lane_wait(l, net_lane_reap_rx(l)))
			ret = net_host_send(&l->host, l->seq);
		if (ret == -EAGAIN) {
			usleep(1000);
			return;
		}
		if (ret) {
			net_lane_fail(l, "the other end can't send");
			return;
		}
		l->stats.bytes += net_frame_size(&l->host.out, l->seq++);
		__atomic_store_n(&l->stats.sent, l->seq, __ATOMIC_RELAXED);
	}
}

/*
 * Does all work that is there now, of the driver and of the other end. Returns
 * how much.
 */
static unsigned int turn(struct net_lane *l)
{
	unsigned int did = 0;

	if (net_lane_receives(l->o))
		did += net_lane_reap_rx(l);
	if (net_lane_sends(l->o)) {
		net_lane_publish(l);
		did += net_lane_reap_tx(l);
	}
	if (l->lockstep && net_lane_host_receives(l->o))
		did += host_take(l, 0);
	return did;
}

/* Waits until all sent frames have arrived. */
static void settle(struct net_lane *l)
{
	while (seen(l) + l->given_up < sent(l))
		if (!net_lane_wait(l, turn(l))) {
			give_up(l);
			break;
		}
}

static void round_lockstep(struct net_lane *l, uint64_t n)
{
	uint64_t start = 0;

	if (l->o->load == NET_LOAD_ECHO)
		start = bench_now_ns();
	if (host_sends(l->o))
		host_round(l, n);
	else
		round_tx(l, n);
	if (arrivals(l))
		settle(l);
	if (start)
		hist_add(&l->hist, bench_now_ns() - start);
}

/* One round of a lane whose other end has a thread of its own. */
static void round_free(struct net_lane *l, uint64_t n)
{
	if (l->o->load == NET_LOAD_TX || l->o->load == NET_LOAD_PASS)
		round_tx(l, n);
	if (!net_lane_receives(l->o) || net_lane_wait(l, turn(l)))
		return;
	/*
	 * One pair and a sender: no frame for that long means that frames were
	 * lost.
	 */
	if (host_sends(l->o) && sent(l) >= l->goal && l->o->pairs == 1)
		give_up(l);
	l->idle = 0;
}

static bool phase_over(const struct net_lane *l, uint64_t goal)
{
	if (stopped(l))
		return true;
	if (moved(l) < goal)
		return false;
	/*
	 * In lockstep all frames have arrived here. Frames that the lane itself
	 * sends may be late.
	 */
	return l->lockstep || !host_sends(l->o) ||
	       seen(l) + l->given_up >= sent(l);
}

static uint64_t quiet_since(uint64_t *since, bool did)
{
	if (did || !*since)
		*since = bench_now_ns();
	return bench_now_ns() - *since;
}

/* The load is over: receives frames that are still under way. */
static void drain(struct net_lane *l)
{
	uint64_t since = 0;
	bool did = false;

	while (!aborted(l) && quiet_since(&since, did) < TAIL_NS) {
		/*
		 * With several pairs, frames of other streams may arrive here,
		 * too.
		 */
		if (l->o->pairs == 1 && !l->tx_busy &&
		    (!arrivals(l) || seen(l) >= sent(l)))
			break;
		did = turn(l);
		if (!did)
			usleep(1000);
	}
	if (l->o->host == NET_HOST_SINK)
		host_take(l, 0);
	if (!aborted(l) && l->tx_busy && l->o->load != NET_LOAD_ECHO)
		net_lane_fail(l, "frames that were sent are not used");
}

static void phase(struct net_lane *l, uint64_t frames)
{
	uint64_t goal = frames == UINT64_MAX ? frames : moved(l) + frames;

	__atomic_store_n(&l->goal, goal, __ATOMIC_RELEASE);
	while (!phase_over(l, goal)) {
		uint64_t n = l->o->batch, left = goal - moved(l);

		if (n > left)
			n = left;
		if (l->lockstep)
			round_lockstep(l, n);
		else
			round_free(l, n);
	}
}

/*
 * Waits for all lanes; the last one reads the meter. A waiting lane keeps
 * serving its pair, as frames of other streams may arrive there.
 */
static void meet(struct net_lane *l, struct net_meeting *m)
{
	unsigned int n = __atomic_add_fetch(&m->arrived, 1, __ATOMIC_ACQ_REL);

	if (n == l->o->pairs) {
		net_meter_read(&m->meter, l->o->count_file);
		__atomic_store_n(&m->over, true, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(&m->over, __ATOMIC_ACQUIRE))
		if (!turn(l))
			usleep(100);
}

static void snapshot(struct net_lane *l, struct net_stats *s, uint64_t *frames)
{
	take_call(l, l->rx.ring);
	take_call(l, l->tx.ring);
	*s = l->stats;
	s->kicks = 0;
	if (net_lane_sends(l->o))
		s->kicks += l->tx.ring->kicks;
	if (net_lane_receives(l->o))
		s->kicks += l->rx.ring->kicks;
	*frames = seen(l);
}

static void leave(struct net_gate *g)
{
	const uint64_t one = 1;

	__atomic_sub_fetch(&g->running, 1, __ATOMIC_RELEASE);
	/* EAGAIN: the counter is full, so the main thread was told already. */
	if (write(g->event, &one, sizeof(one)) < 0)
		return;
}

static void *lane_main(void *arg)
{
	struct net_lane *l = arg;

	ring_disarm(l->tx.ring);
	ring_disarm(l->rx.ring);
	if (net_lane_receives(l->o))
		net_lane_refill(l);
	if (l->warm)
		phase(l, l->warm);
	snapshot(l, &l->at_begin, &l->seen_at_begin);
	meet(l, &l->gate->begin);
	phase(l, l->target);
	meet(l, &l->gate->end);
	snapshot(l, &l->at_end, &l->seen_at_end);
	__atomic_store_n(&l->host_stop, true, __ATOMIC_RELEASE);
	drain(l);
	leave(l->gate);
	return NULL;
}

/*
 * The thread of the other end: sends, receives, or sends requests and waits for
 * answers.
 */
static void *host_main(void *arg)
{
	struct net_lane *l = arg;

	while (!__atomic_load_n(&l->host_stop, __ATOMIC_ACQUIRE) &&
	       !aborted(l)) {
		uint64_t goal = __atomic_load_n(&l->goal, __ATOMIC_ACQUIRE);
		uint64_t n = l->o->batch, start;

		if (!host_sends(l->o)) {
			host_take(l, 100);
			continue;
		}
		if (l->seq >= goal || stopped(l)) {
			usleep(1000);
			continue;
		}
		start = bench_now_ns();
		host_round(l, n < goal - l->seq ? n : goal - l->seq);
		if (l->o->load != NET_LOAD_ECHO)
			continue;
		while (seen(l) + l->given_up < sent(l))
			if (!host_take(l, 1000))
				l->given_up = sent(l) - seen(l);
		hist_add(&l->hist, bench_now_ns() - start);
	}
	/* Receive frames that are still under way. */
	while (!host_sends(l->o) && host_take(l, 100))
		;
	return NULL;
}

int net_lane_start(struct net_lane *l)
{
	int ret = 0;

	if (!l->lockstep && net_options_host_reads(l->o)) {
		ret = -pthread_create(&l->host_thread, NULL, host_main, l);
		l->host_runs = !ret;
	}
	__atomic_add_fetch(&l->gate->running, 1, __ATOMIC_RELEASE);
	return ret ? ret : -pthread_create(&l->thread, NULL, lane_main, l);
}

void net_lane_join(struct net_lane *l)
{
	pthread_join(l->thread, NULL);
	if (l->host_runs)
		pthread_join(l->host_thread, NULL);
}
