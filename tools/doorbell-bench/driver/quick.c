// SPDX-License-Identifier: GPL-2.0
/* quick - send one request and wait for it */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "bench.h"
#include "quick.h"

int quick_create(struct quick *q, struct ring *ring, unsigned int region)
{
	*q = (struct quick){
		.ring = ring,
		.rules = {
			.mem = ring->mem, .layout = LAYOUT_NORMAL,
			.max_data = 1, .max_total = 3,
		},
	};
	return req_create(&q->req, &q->rules, QUICK_BYTES, region);
}

void quick_destroy(struct quick *q)
{
	req_destroy(&q->req);
}

void *quick_data(const struct quick *q)
{
	return q->req.data;
}

static void quick_wait(const struct ring *r, unsigned int timeout_ms)
{
	struct pollfd p = { .fd = r->call, .events = POLLIN };
	uint64_t count;

	poll(&p, 1, (int)timeout_ms);
	if (read(r->call, &count, sizeof(count)) < 0)
		return;
}

int quick_pop(struct ring *r, unsigned int timeout_ms)
{
	uint64_t end = bench_now_ns() + timeout_ms * 1000000ull;
	uint32_t token, used;
	int ret;

	for (;;) {
		ret = ring_pop(r, &token, &used);
		if (ret != -EAGAIN)
			return ret;
		if (bench_now_ns() >= end)
			return -ETIMEDOUT;
		if (!ring_arm(r))
			quick_wait(r, 100);
	}
}

int quick_io(struct quick *q, uint32_t type, uint64_t sector, uint32_t len,
	     unsigned int timeout_ms)
{
	int ret;

	req_build(&q->req, &q->rules, type, sector, len, &q->rng);
	ret = ring_add(q->ring, q->req.seg, q->req.nseg, q->req.shape, 0);
	if (ret)
		return ret;
	ring_publish(q->ring);
	ret = quick_pop(q->ring, timeout_ms);
	return ret ? ret : *q->req.status;
}
