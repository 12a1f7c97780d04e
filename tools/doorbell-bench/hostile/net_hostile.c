// SPDX-License-Identifier: GPL-2.0
/*
 * net_hostile - break the rules of ring, header and frame, one at a time
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_hostile.h"
#include "net_meter.h"
#include "net_victim.h"
#include "vhd.h"

#define OUTCOME_TIMEOUT	10000	/* ms to wait for the outcome */
#define QUIET		200	/* ms in which nothing may happen */

struct hostile {
	const struct net_options *o;
	struct net_victim	victim;
	bool			open;
	bool			dead;		/* no card could be opened */
	char			why[160];
};

static int fail(struct hostile *h, const char *what, const char *how)
{
	snprintf(h->why, sizeof(h->why), "%s%s%s", what, how ? ": " : "",
		 how ? how : "");
	return -EIO;
}

/* Returns NULL, or why the case cannot run on this card. */
static const char *cannot(const struct hostile *h, const struct net_case *c)
{
	const struct net_victim *n = &h->victim;

	if (c->need & NET_SPLIT && h->o->common.packed)
		return "a split ring's";
	if (c->need & NET_PACKED && !h->o->common.packed)
		return "a packed ring's";
	if (c->need & NET_INDIRECT &&
	    !net_dev_has(&n->dev, VIRTIO_RING_F_INDIRECT_DESC))
		return "INDIRECT_DESC is not offered";
	return NULL;
}

static void wait_once(struct net_victim *n)
{
	struct pollfd p[3] = {
		{ .fd = n->v.ring[0].call, .events = POLLIN },
		{ .fd = n->v.ring[0].err, .events = POLLIN },
		{ .fd = n->dev.fe.sock, .events = POLLIN },
	};
	uint64_t count;

	/* Interrupts may be off in this ring, so look every 20 ms. */
	poll(p, 3, 20);
	if (read(p[0].fd, &count, sizeof(count)) < 0)
		return;
}

/*
 * Returns the outcome of the case as NET_*; 0: the back end closed the
 * connection.
 */
static unsigned int outcome(struct hostile *h, const struct net_case *c,
			    unsigned int used)
{
	struct net_victim *n = &h->victim;
	/* A case that may have no outcome at all gets less time. */
	uint64_t timeout = c->expect & NET_IDLE || h->o->vhost_net ?
			   QUIET : OUTCOME_TIMEOUT;
	uint64_t end = bench_now_ns() + timeout * 1000000u;

	while (bench_now_ns() < end) {
		if (victim_broken(&n->v))
			return NET_BROKEN;
		if (net_victim_gone(n))
			return 0;
		/* Stop at the first used receive buffer. */
		if (victim_used(&n->v) == used || (n->rx && victim_used(&n->v)))
			break;
		wait_once(n);
	}
	if (!victim_used(&n->v))
		return NET_IDLE;
	return !n->rx && net_victim_arrived(n, QUIET) ? NET_SENT : NET_DROPPED;
}

static int goes_on(struct hostile *h)
{
	struct net_victim *n = &h->victim;
	unsigned int at = n->v.avail_idx;

	net_victim_direct(n);
	if (ring_is_packed(&n->v.ring[0])) {
		n->v.avail_idx = (uint16_t)(n->v.packed.published + 1);
	} else {
		n->v.ring[0].split.avail->ring[at % VICTIM_NUM] = 0;
		n->v.avail_idx = (uint16_t)(at + 1);
	}
	victim_publish(&n->v);
	if (!net_victim_arrived(n, OUTCOME_TIMEOUT))
		return fail(h, "the next good frame did not arrive", NULL);
	return 0;
}

static int stays_broken(struct hostile *h, const struct net_case *c)
{
	struct net_victim *n = &h->victim;
	uint16_t used;

	/* Chains that were taken before the queue broke may still be used. */
	if (c->expect & NET_USED) {
		net_victim_incoming(n, 1, NET_VICTIM_FRAME);
		usleep(QUIET * 1000);
	}
	used = victim_used(&n->v);
	n->v.avail_idx++;
	victim_publish(&n->v);
	net_victim_incoming(n, 1, NET_VICTIM_FRAME);
	usleep(QUIET * 1000 / 2);
	if (victim_used(&n->v) != used)
		return fail(h, "the broken queue used a chain", NULL);
	if (net_victim_gone(n))
		return fail(h, "connection closed after the break", NULL);
	return 0;
}

/*
 * Checks that the card does nothing more, and that no thread of the host polls
 * it.
 */
static int is_quiet(struct hostile *h)
{
	struct net_meter a, b;

	/* In poll mode the worker may poll: nothing to check. */
	if (h->o->mode == VHOST_DOORBELL_MODE_POLL)
		return 0;
	net_meter_read(&a, NULL);
	usleep(QUIET * 1000);
	net_meter_read(&b, NULL);
	if (b.cpu_us - a.cpu_us < (double)(b.ns - a.ns) / 1e3 * 0.8)
		return 0;
	return fail(h, "a CPU is busy with nothing", NULL);
}

static int judge(struct hostile *h, const struct net_case *c)
{
	static const char * const names[] = {
		[NET_SENT] = "the frame was sent",
		[NET_DROPPED] = "used, and nothing arrived",
		[NET_BROKEN] = "the queue was broken",
		[NET_IDLE] = "nothing came of it",
	};
	struct net_victim *n = &h->victim;
	unsigned int came = outcome(h, c, n->v.avail_idx);

	if (!came)
		return fail(h, "the back end closed the connection", NULL);
	/* vhost-net has other rules: it only must survive. */
	if (h->o->vhost_net)
		return 0;
	if (!(c->expect & came))
		return fail(h, names[came], NULL);
	if (came == NET_BROKEN)
		return stays_broken(h, c);
	if (came == NET_IDLE)
		return is_quiet(h);
	return came & NET_USED && !n->rx ? goes_on(h) : 0;
}

static int serves(struct hostile *h, unsigned int pair, bool rx, const char *when)
{
	int ret = rx ? net_victim_receives(&h->victim, pair) :
		       net_victim_sends(&h->victim, pair);
	char what[80];

	if (!ret)
		return 0;
	snprintf(what, sizeof(what), "pair %u does not %s %s", pair,
		 rx ? "receive" : "send", when);
	return fail(h, what, strerror(-ret));
}

static int attack(struct hostile *h, const struct net_case *c)
{
	struct net_victim *n = &h->victim;
	/*
	 * A tap may deliver frames to the pair that sent last, so let this pair
	 * send first.
	 */
	int ret = n->rx ? serves(h, 0, false, "before that") : 0;

	if (ret)
		return ret;
	c->craft(n);
	victim_publish(&n->v);
	if (c->then)
		c->then(n);
	if (n->rx)
		net_victim_incoming(n, 4, 500);
	ret = judge(h, c);
	if (!ret && n->has_witness)
		ret = serves(h, 1, false, "after that");
	if (!ret && n->has_witness)
		ret = serves(h, 1, true, "after that");
	/* The other queue of the pair must serve, too. */
	if (!ret && n->rx)
		ret = serves(h, 0, false, "after that");
	if (!ret && !victim_guard_intact(&n->v))
		ret = fail(h, "memory behind the region was written", NULL);
	if (ret)
		return ret;
	ret = net_victim_restart(n);
	if (ret)
		return fail(h, "restart", strerror(-ret));
	ret = serves(h, 0, false, "after a restart");
	if (!ret)
		ret = serves(h, 0, true, "after a restart");
	if (ret)
		return ret;
	/* The next case starts on an empty ring. */
	ret = net_victim_restart(n);
	return ret ? fail(h, "second restart", strerror(-ret)) : 0;
}

/*
 * Opens the card that this set of cases needs; opens it again after a failure.
 */
static int provide(struct hostile *h, bool rx)
{
	int ret;

	if (h->open && h->victim.rx == rx)
		return 0;
	if (h->open)
		net_victim_close(&h->victim);
	h->open = false;
	ret = net_victim_open(&h->victim, h->o, rx);
	h->dead = ret;
	if (ret)
		return fail(h, "no card", strerror(-ret));
	h->open = true;
	return 0;
}

/* Returns whether the case failed. */
static bool run_case(struct hostile *h, const struct net_set *set,
		     const struct net_case *c, unsigned int number)
{
	int ret = provide(h, !strcmp(set->queue, "rx"));
	const char *skip;

	if (!ret) {
		skip = cannot(h, c);
		if (skip) {
			printf("ok %u - %s-%s # SKIP %s\n", number, set->queue,
			       c->name, skip);
			return false;
		}
		ret = attack(h, c);
	}
	if (!ret) {
		printf("ok %u - %s-%s\n", number, set->queue, c->name);
		return false;
	}
	printf("not ok %u - %s-%s\n# %s\n", number, set->queue, c->name, h->why);
	if (h->open)
		net_victim_close(&h->victim);
	h->open = false;
	return true;
}

static bool selected(const struct net_options *o, const struct net_set *set,
		     const struct net_case *c)
{
	char name[80];

	snprintf(name, sizeof(name), "%s-%s", set->queue, c->name);
	return !strcmp(o->common.hostile, "all") || !strcmp(o->common.hostile, name) ||
	       !strcmp(o->common.hostile, set->queue);
}

static void list(const struct net_set *set, size_t sets)
{
	for (size_t i = 0; i < sets; i++)
		for (size_t j = 0; j < set[i].n; j++) {
			unsigned int e = set[i].cases[j].expect;
			char name[80];

			snprintf(name, sizeof(name), "%s-%s", set[i].queue,
				 set[i].cases[j].name);
			printf("%-28s%s%s%s%s\n", name,
			       e & NET_SENT ? " sent" : "",
			       e & NET_DROPPED ? set[i].queue[0] == 't' ?
			       " dropped" : " used" : "",
			       e & NET_BROKEN ? " broken-queue" : "",
			       e & NET_IDLE ? " nothing" : "");
		}
}

int net_hostile_run(const struct net_options *o)
{
	const struct net_set set[] = { net_hostile_tx_cases(),
				       net_hostile_rx_cases() };
	static struct hostile h;
	unsigned int number = 0, failed = 0;

	if (!strcmp(o->common.hostile, "list")) {
		list(set, ARRAY_SIZE(set));
		return 0;
	}
	if (!strcmp(o->common.hostile, "random"))
		return net_hostile_random(o);
	h.o = o;
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		for (size_t j = 0; j < set[i].n && !h.dead; j++)
			if (selected(o, &set[i], &set[i].cases[j]))
				failed += run_case(&h, &set[i],
						   &set[i].cases[j], ++number);
	if (h.dead)
		printf("Bail out! %s\n", h.why);
	else
		printf("1..%u\n", number);
	if (h.open)
		net_victim_close(&h.victim);
	if (!number)
		fprintf(stderr, "doorbell-bench: no hostile case '%s'\n",
			o->common.hostile);
	return failed || !number ? -EIO : 0;
}
