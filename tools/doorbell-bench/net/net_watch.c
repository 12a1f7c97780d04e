// SPDX-License-Identifier: GPL-2.0
/* net_watch - the main thread's loop while the lanes run */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench.h"
#include "net_run.h"
#include "net_watch.h"

#define SECOND	1000000000ull

int net_watch_begin(struct net_watch *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signals < 0 ? -errno : 0;
}

void net_watch_end(struct net_watch *w)
{
	close(w->signals);
}

static void wake(struct net_run *r)
{
	const uint64_t one = 1;

	for (unsigned int i = 0; i < r->ncards; i++)
		for (unsigned int j = 0; j < r->card[i].nrings; j++)
			/*
			 * EAGAIN: the counter is full, so the lane was woken
			 * already.
			 */
			if (write(r->card[i].ring[j].call, &one,
				  sizeof(one)) < 0)
				continue;
}

static void stop(struct net_run *r)
{
	__atomic_store_n(&r->gate.stop, true, __ATOMIC_RELEASE);
	wake(r);
}

static void give_up(struct net_run *r)
{
	r->errors++;
	__atomic_store_n(&r->gate.abort, true, __ATOMIC_RELEASE);
	wake(r);
}

static void print_rings(const struct net_run *r)
{
	for (unsigned int i = 0; i < r->ncards; i++)
		for (unsigned int j = 0; j < r->card[i].nrings; j++) {
			const struct ring *q = &r->card[i].ring[j];

			fprintf(stderr, "card %u queue %u: ", i, j);
			ring_print(q, stderr);
			fprintf(stderr, " kicks %llu\n",
				(unsigned long long)q->kicks);
		}
}

static uint64_t progress(const struct net_run *r)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < r->nlanes; i++) {
		const struct net_stats *s = &r->lane[i].stats;

		sum += __atomic_load_n(&s->sent, __ATOMIC_RELAXED) +
		       __atomic_load_n(&s->done, __ATOMIC_RELAXED) +
		       __atomic_load_n(&s->received, __ATOMIC_RELAXED);
	}
	return sum;
}

/*
 * Handles a broken queue, the end of a back end, and signals, which end the
 * load.
 */
static void look(struct net_run *r, const struct pollfd *p, unsigned int n)
{
	struct signalfd_siginfo info;
	uint64_t count;

	if (p[0].revents && read(p[0].fd, &count, sizeof(count)) < 0)
		net_say("eventfd", "can't be read", 0);
	if (p[1].revents && read(p[1].fd, &info, sizeof(info)) > 0)
		stop(r);
	for (unsigned int i = 2; i < n; i++) {
		if (!p[i].revents)
			continue;
		net_say("card", "the back end broke a queue or went away", 0);
		print_rings(r);
		give_up(r);
		return;
	}
}

static unsigned int watched(const struct net_run *r, struct pollfd *p)
{
	unsigned int n = 2;

	for (unsigned int i = 0; i < r->ncards; i++) {
		const struct net_card *c = &r->card[i];

		for (unsigned int j = 0; j < c->nrings; j++)
			p[n++] = (struct pollfd){ .fd = c->ring[j].err,
						  .events = POLLIN };
		p[n++] = (struct pollfd){ .fd = c->dev.fe.sock,
					  .events = POLLIN };
	}
	return n;
}

void net_watch(struct net_watch *w, struct net_run *r)
{
	struct pollfd p[2 + 2 * (2 * NET_MAX_PAIRS + 1)] = {
		{ .fd = r->gate.event, .events = POLLIN },
		{ .fd = w->signals, .events = POLLIN },
	};
	uint64_t now = bench_now_ns(), seen = 0, since = now;
	uint64_t end = r->o->common.seconds ? now + r->o->common.seconds * SECOND : UINT64_MAX;
	/*
	 * Frames of a sender outside of this program may arrive late or never.
	 */
	bool quiet = r->o->host == NET_HOST_NONE &&
		     (r->o->load == NET_LOAD_RX || r->o->load == NET_LOAD_ECHO);
	unsigned int n = watched(r, p);

	while (__atomic_load_n(&r->gate.running, __ATOMIC_ACQUIRE)) {
		uint64_t sum = progress(r);
		int timeout = 1000;

		now = bench_now_ns();
		if (sum != seen || quiet)
			since = now;
		seen = sum;
		if (now >= end)
			stop(r);
		else if (end - now < SECOND)
			timeout = (int)((end - now) / 1000000 + 1);
		if (now - since > r->o->common.watchdog * SECOND) {
			net_say("watchdog", "no progress", 0);
			print_rings(r);
			give_up(r);
			since = now;
		}
		if (poll(p, n, timeout) > 0)
			look(r, p, n);
	}
	for (unsigned int i = 0; i < r->nlanes; i++)
		if (r->lane[i].fatal) {
			print_rings(r);
			break;
		}
}
