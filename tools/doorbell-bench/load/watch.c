// SPDX-License-Identifier: GPL-2.0
/* watch - the main thread's loop while the lanes run */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "watch.h"

static void say(struct run *r, const char *what, const char *why)
{
	r->errors++;
	fprintf(stderr, "doorbell-bench: %s: %s\n", what, why);
}

static void abort_lanes(struct run *r)
{
	__atomic_store_n(&r->gate.abort, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < r->nlanes; i++)
		lane_wake(&r->lane[i]);
}

static void print_rings(const struct run *r)
{
	for (unsigned int i = 0; i < r->nlanes; i++) {
		const struct ring *q = &r->lane[i].ring;

		fprintf(stderr, "queue %u: ", i);
		ring_print(q, stderr);
		fprintf(stderr, " in flight %u kicks %llu\n",
			r->lane[i].in_flight, (unsigned long long)q->kicks);
	}
}

static int restart_queues(struct run *r, const uint16_t *base)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < r->nlanes; i++) {
		struct lane *l = &r->lane[i];
		uint16_t now = ring_used_idx(&l->ring);

		r->late += (uint16_t)(now - base[i]);
		if (r->o->requeue)
			ring_requeue(&l->ring);
		ret = dev_queue_start(&r->dev, i, &l->ring,
				      r->o->restore == RESTORE_CONNECT ?
				      now : base[i]);
		if (ret)
			break;
		/*
		 * A kick makes the device serve the requests that wait in the
		 * ring.
		 */
		ring_kick(&l->ring);
		if (!l->shadow)
			continue;
		/* Check that all acknowledged writes survived. */
		if (l->phase == LANE_LOAD)
			l->phase = LANE_RESWEEP;
		l->sweep_block = l->first;
	}
	return ret;
}

static int reconnect_once(struct run *r, const uint16_t *base)
{
	int ret = dev_open(&r->dev, &r->wish);

	if (!ret)
		ret = dev_setup(&r->dev, &r->wish, &r->mem);
	if (!ret)
		ret = restart_queues(r, base);
	if (ret)
		dev_close(&r->dev);
	return ret;
}

/*
 * Connects to the next back end and starts the queues at @base. All lanes are
 * parked.
 */
static int reconnect(struct run *r, const uint16_t *base)
{
	uint64_t end = bench_now_ns() + r->o->reconnect * 1000000000u;
	int ret;

	dev_close(&r->dev);
	r->wish.timeout_ms = 0;
	for (;;) {
		ret = reconnect_once(r, base);
		if (!ret || bench_now_ns() >= end)
			return ret;
		/*
		 * A dying back end may still accept connections until its
		 * sockets close.
		 */
		if (ret != -ENOENT && ret != -ECONNREFUSED &&
		    ret != -ECONNRESET)
			return ret;
		usleep(50 * 1000);
	}
}

/* Handles the end of the back end. Returns false if the run is over. */
static bool disconnected(struct run *r)
{
	uint16_t base[OPTIONS_MAX_QUEUES];
	int ret;

	/*
	 * Read the used indexes at once, as QEMU does: completions after this
	 * are late.
	 */
	for (unsigned int i = 0; r->o->reconnect && i < r->nlanes; i++)
		base[i] = ring_used_idx(&r->lane[i].ring);
	r->disconnects++;
	if (!r->o->expect_disconnect && !r->o->reconnect)
		say(r, r->o->common.socket, "the back end closed the connection");
	if (!r->o->reconnect) {
		r->gone = true;
		return false;
	}
	lane_gate_close(&r->gate, r->lane, r->nlanes);
	ret = reconnect(r, base);
	if (ret) {
		r->gone = true;
		say(r, fe_name(r->dev.fe.last), strerror(-ret));
	}
	lane_gate_open(&r->gate);
	return !ret;
}

static uint64_t progress(const struct run *r)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < r->nlanes; i++)
		sum += __atomic_load_n(&r->lane[i].progress, __ATOMIC_RELAXED);
	return sum;
}

static unsigned int still_running(struct run *r)
{
	unsigned int n;

	pthread_mutex_lock(&r->gate.lock);
	n = r->gate.running;
	pthread_mutex_unlock(&r->gate.lock);
	return n;
}

/*
 * A back end sends only replies, so if the socket is readable now, it was
 * closed.
 */
static bool peer_gone(struct run *r, short revents)
{
	char c;
	ssize_t n;

	if (!revents)
		return false;
	/* Under the lock, as a lane may be waiting for a reply. */
	pthread_mutex_lock(&r->gate.lock);
	n = recv(r->dev.fe.sock, &c, 1, MSG_DONTWAIT);
	pthread_mutex_unlock(&r->gate.lock);
	if (n > 0) {
		say(r, r->o->common.socket, "a message that nobody asked for");
		return true;
	}
	return !n || errno != EAGAIN;
}

/* Handles the events in @p. Returns false if the run is over. */
static bool look(struct run *r, const struct pollfd *p)
{
	if (p[0].revents) {
		uint64_t count;

		if (read(p[0].fd, &count, sizeof(count)) < 0)
			say(r, "eventfd", strerror(errno));
	}
	if (peer_gone(r, p[1].revents))
		return disconnected(r);
	for (unsigned int i = 0; i < r->nlanes; i++) {
		if (!p[2 + i].revents)
			continue;
		fprintf(stderr, "doorbell-bench: queue %u: ", i);
		say(r, "error eventfd", "the back end broke the queue");
		return false;
	}
	return true;
}

/*
 * SIGINT and SIGTERM are blocked; here they end the load as its time limit
 * does.
 */
static void take_signal(struct run *r)
{
	struct timespec zero = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigtimedwait(&set, NULL, &zero) < 0)
		return;
	for (unsigned int i = 0; i < r->nlanes; i++)
		__atomic_store_n(&r->lane[i].deadline, 0, __ATOMIC_RELAXED);
}

void watch_lanes(struct run *r)
{
	struct pollfd p[2 + OPTIONS_MAX_QUEUES] = { 0 };
	uint64_t seen = 0, since = bench_now_ns();
	bool on = true;

	p[0] = (struct pollfd){ .fd = r->gate.event, .events = POLLIN };
	for (unsigned int i = 0; i < r->nlanes; i++)
		p[2 + i] = (struct pollfd){ .fd = r->lane[i].ring.err,
					    .events = POLLIN };
	while (still_running(r)) {
		uint64_t now = progress(r);

		take_signal(r);
		if (now != seen)
			since = bench_now_ns();
		seen = now;
		if (bench_now_ns() - since > r->o->common.watchdog * 1000000000u) {
			say(r, "watchdog", "no progress");
			print_rings(r);
			on = false;
		}
		if (!on)
			break;
		p[1] = (struct pollfd){ .fd = r->dev.fe.sock,
					.events = POLLIN };
		if (poll(p, 2 + r->nlanes, 500) > 0)
			on = look(r, p);
	}
	if (!on)
		abort_lanes(r);
}
