// SPDX-License-Identifier: GPL-2.0
/*
 * lane - one queue under load: its ring, its requests, its part of the disk
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "lane.h"

/* Number of wrong blocks that are printed */
#define LANE_TELL	8
/* A lane fails after so many waits of a second each without an interrupt. */
#define LANE_SILENT	5
#define LANE_LATE	500	/* longest delay of an interrupt, in ms */

struct lane_job {
	enum lane_op	op;
	uint64_t	block;
};

size_t lane_bytes(const struct options *o, const struct req_rules *rules)
{
	return ring_bytes((unsigned int)o->common.queue_size) + 4096 +
	       o->depth * req_bytes(rules, (uint32_t)o->bs);
}

int lane_create(struct lane *l)
{
	uint32_t depth = (uint32_t)l->o->depth;
	uint32_t bs = (uint32_t)l->o->bs;
	int ret;

	l->next_reset = l->o->reset_every;
	l->rng = l->o->common.seed * 0x9e3779b97f4a7c15u + l->index;
	ret = ring_create(&l->ring, l->rules.mem, &(struct ring_config){
		.num = (unsigned int)l->o->common.queue_size,
		.packed = l->o->common.packed,
		.in_order = l->o->common.in_order,
		.on_empty = l->o->on_empty,
		.region = l->index,
		.seed = l->rng,
	});
	if (ret)
		return ret;
	ret = marks_create(&l->marks, l->o->marks);
	if (ret)
		return ret;
	l->slot = calloc(depth, sizeof(*l->slot));
	l->idle = calloc(depth, sizeof(*l->idle));
	l->scratch = malloc(bs);
	if (!l->slot || !l->idle || !l->scratch)
		return -ENOMEM;
	for (uint32_t i = 0; !ret && i < depth; i++) {
		ret = req_create(&l->slot[i].req, &l->rules, bs, l->index + i);
		if (!ret)
			memset(l->slot[i].req.data, (int)(i | 1), bs);
		l->idle[l->nidle++] = i;
	}
	return ret;
}

void lane_destroy(struct lane *l)
{
	for (uint32_t i = 0; l->slot && i < l->o->depth; i++)
		req_destroy(&l->slot[i].req);
	free(l->slot);
	free(l->idle);
	free(l->scratch);
	marks_destroy(&l->marks);
	ring_destroy(&l->ring);
}

static void lane_fail(struct lane *l, const char *why)
{
	if (!l->fatal)
		l->fatal = why;
	l->stats.errors++;
	__atomic_store_n(&l->gate->abort, true, __ATOMIC_RELEASE);
}

/* Picks the next written block of a sweep; -ENODATA: there are no more. */
static int pick_sweep(struct lane *l, struct lane_job *job)
{
	const struct shadow *s = l->shadow;
	bool blind = l->o->verify_only && !l->o->state;

	for (; l->sweep_block < l->first + l->nblocks; l->sweep_block++) {
		uint64_t b = l->sweep_block;

		/* Skip a block with a request in flight. */
		if (s->busy[b] || (!s->gen[b] && !blind))
			continue;
		job->op = LANE_READ;
		job->block = b;
		l->sweep_block++;
		return 0;
	}
	return -ENODATA;
}

static bool load_over(const struct lane *l)
{
	return l->issued >= l->target || bench_now_ns() >=
	       __atomic_load_n(&l->deadline, __ATOMIC_RELAXED);
}

static enum lane_op pick_op(struct lane *l)
{
	const struct options *o = l->o;

	if (o->flush_every && l->writes_since_flush >= o->flush_every)
		return LANE_FLUSH;
	if (o->rw == RW_RANDRW)
		return bench_random(&l->rng) % 100 < o->mix ? LANE_READ :
							      LANE_WRITE;
	return o->rw == RW_READ || o->rw == RW_RANDREAD ? LANE_READ :
							  LANE_WRITE;
}

/*
 * Picks a block that has no request in flight. Returns -EAGAIN if all blocks
 * that it tried have one.
 */
static int pick_block(struct lane *l, uint64_t *block)
{
	bool sequential = l->o->rw == RW_READ || l->o->rw == RW_WRITE;

	for (int try = 0; try < 16; try++) {
		if (sequential)
			*block = l->first + l->next_block++ % l->nblocks;
		else
			*block = l->first + bench_random(&l->rng) % l->nblocks;
		if (!l->shadow || !l->shadow->busy[*block])
			return 0;
	}
	return -EAGAIN;
}

static int pick_job(struct lane *l, struct lane_job *job)
{
	if (l->phase == LANE_SWEEP || l->phase == LANE_RESWEEP)
		return pick_sweep(l, job);
	if (load_over(l))
		return -ENODATA;
	job->op = pick_op(l);
	job->block = l->first;
	return job->op == LANE_FLUSH ? 0 : pick_block(l, &job->block);
}

static void fill(struct lane *l, struct lane_slot *s)
{
	if (s->op == LANE_FLUSH || !l->shadow)
		return;
	if (s->op == LANE_READ) {
		/*
		 * Overwrite the buffer: data of the last round must not pass
		 * for an answer.
		 */
		req_poison(&s->req);
		return;
	}
	s->gen = l->shadow->gen[s->block] + 1;
	if (!s->gen)
		s->gen = 1;
	shadow_fill(l->shadow, s->block, s->gen, l->scratch);
	req_put(&s->req, l->scratch);
}

static void punch(struct lane *l, struct lane_slot *s)
{
	if (!l->o->punch || l->op_count++ % l->o->punch)
		return;
	if (mem_punch(l->rules.mem, s->req.data, s->req.data_size))
		lane_fail(l, "a hole could not be punched");
	l->stats.punches++;
}

static int issue(struct lane *l, const struct lane_job *job)
{
	static const uint32_t types[] = {
		[LANE_READ] = VIRTIO_BLK_T_IN,
		[LANE_WRITE] = VIRTIO_BLK_T_OUT,
		[LANE_FLUSH] = VIRTIO_BLK_T_FLUSH,
	};
	uint32_t n = l->idle[l->nidle - 1];
	struct lane_slot *s = &l->slot[n];
	bool flush = job->op == LANE_FLUSH;
	uint64_t sector;
	int ret;

	sector = l->base_sector + job->block * (l->o->bs / 512);
	s->op = job->op;
	s->block = job->block;
	s->measured = l->phase == LANE_LOAD;
	punch(l, s);
	req_build(&s->req, &l->rules, types[job->op], flush ? 0 : sector,
		  flush ? 0 : (uint32_t)l->o->bs, &l->rng);
	fill(l, s);
	s->start = bench_now_ns();
	ret = ring_add(&l->ring, s->req.seg, s->req.nseg, s->req.shape, n);
	if (ret)
		return ret;
	l->nidle--;
	l->in_flight++;
	if (l->shadow && !flush)
		l->shadow->busy[s->block] = 1;
	if (s->measured)
		l->issued++;
	s->stable = l->marks.acknowledged;
	if (flush)
		l->writes_since_flush = 0;
	else if (job->op == LANE_WRITE)
		l->writes_since_flush++;
	return 0;
}

/*
 * Adds requests until the queue is full. Returns -ENODATA if this phase has no
 * more.
 */
static int submit(struct lane *l)
{
	struct lane_job job;
	int ret = 0;

	while (l->nidle && !ret) {
		ret = pick_job(l, &job);
		if (!ret)
			ret = issue(l, &job);
		/*
		 * The ring is full: try this block again, as a sweep must not
		 * skip one.
		 */
		if (ret == -ENOSPC && l->phase != LANE_LOAD)
			l->sweep_block--;
	}
	ring_publish(&l->ring);
	l->stats.kicks = l->ring.kicks;
	return ret;
}

static void tell_wrong(struct lane *l, const struct lane_slot *s,
		       const struct shadow_wrong *w)
{
	if (l->stats.verify_errors++ >= LANE_TELL)
		return;
	fprintf(stderr, "doorbell-bench: queue %u: block %llu: sector %llu "
		"of generation %u: holds sector %llu, generation %u\n",
		l->index, (unsigned long long)s->block,
		(unsigned long long)w->sector, s->gen,
		(unsigned long long)w->found_sector, w->found_gen);
}

/* Has the device logged the data and the status of this read? */
static bool is_logged(const struct lane *l, const struct req *q)
{
	const struct dirty *log = &l->gate->dev->log;
	const struct mem *mem = l->rules.mem;

	for (unsigned int i = 0; i < q->npieces; i++)
		if (!dirty_has(log, mem_gpa(mem, q->piece[i].ptr), q->piece[i].len))
			return false;
	return dirty_has(log, mem_gpa(mem, (const uint8_t *)q->status), 1);
}

static void check_log(struct lane *l, const struct lane_slot *s)
{
	if (is_logged(l, &s->req) || l->stats.verify_errors++ >= LANE_TELL)
		return;
	fprintf(stderr, "doorbell-bench: queue %u: block %llu: written, but not logged\n",
		l->index, (unsigned long long)s->block);
}

static void check_read(struct lane *l, struct lane_slot *s)
{
	struct shadow_wrong wrong = { .sector = shadow_sector(l->shadow,
							      s->block) };

	s->gen = l->shadow->gen[s->block];
	if (!s->gen && !l->o->verify_only)
		return;
	req_get(&s->req, l->scratch);
	if (l->o->log)
		check_log(l, s);
	if (!s->gen)
		s->gen = shadow_probe(l->shadow, l->scratch);
	l->stats.checked++;
	if (!s->gen || shadow_check(l->shadow, s->block, s->gen, l->scratch,
				    &wrong))
		tell_wrong(l, s, &wrong);
}

static void account(struct lane *l, const struct lane_slot *s)
{
	__atomic_store_n(&l->progress, l->progress + 1, __ATOMIC_RELAXED);
	if (!s->measured)
		return;
	l->stats.requests++;
	hist_add(&l->hist, bench_now_ns() - s->start);
	switch (s->op) {
	case LANE_READ:
		l->stats.reads++;
		break;
	case LANE_WRITE:
		l->stats.writes++;
		break;
	case LANE_FLUSH:
		l->stats.flushes++;
		break;
	}
}

/*
 * An acknowledged flush makes all writes stable that were acknowledged before it was made
 * available. Without flushes, or with the write cache off, each acknowledged write is
 * stable.
 */
static void mark(struct lane *l, const struct lane_slot *s)
{
	int ret = 0;

	if (!l->marks.name || s->op == LANE_READ)
		return;
	if (s->op == LANE_WRITE)
		ret = marks_add(&l->marks, shadow_sector(l->shadow, s->block), s->gen);
	if (!ret && s->op == LANE_FLUSH)
		ret = marks_put(&l->marks, s->stable);
	else if (!ret && (l->o->writethrough || !dev_has(l->gate->dev, VIRTIO_BLK_F_FLUSH)))
		ret = marks_put(&l->marks, l->marks.acknowledged);
	if (ret)
		lane_fail(l, "a mark could not be put into the log");
}

static void complete(struct lane *l, uint32_t n, uint32_t len)
{
	struct lane_slot *s = &l->slot[n];
	uint32_t want = 1 + (s->op == LANE_READ ? s->req.len : 0);

	l->idle[l->nidle++] = n;
	l->in_flight--;
	account(l, s);
	if (l->shadow && s->op != LANE_FLUSH)
		l->shadow->busy[s->block] = 0;
	if (*s->req.status != VIRTIO_BLK_S_OK || len != want) {
		if (l->stats.errors++ < LANE_TELL)
			fprintf(stderr, "doorbell-bench: queue %u: block %llu:"
				" op %d: status %u, used length %u of %u\n",
				l->index, (unsigned long long)s->block, s->op,
				*s->req.status, len, want);
		/* A failed write may have changed any part of the block. */
		if (l->shadow && s->op == LANE_WRITE)
			l->shadow->gen[s->block] = 0;
		return;
	}
	if (!l->shadow)
		return;
	mark(l, s);
	if (s->op == LANE_WRITE)
		l->shadow->gen[s->block] = s->gen;
	else if (s->op == LANE_READ)
		check_read(l, s);
}

static unsigned int reap(struct lane *l)
{
	uint32_t token, len;
	unsigned int n = 0;
	int ret;

	while (!(ret = ring_pop(&l->ring, &token, &len))) {
		complete(l, token, len);
		n++;
	}
	if (ret == -EPROTO)
		lane_fail(l, "the used ring names what is not in flight");
	return n;
}

/* Checks that the device sent an interrupt for the entries it used. */
static void check_silence(struct lane *l, bool silent)
{
	struct pollfd p = { .fd = l->ring.call, .events = POLLIN };

	l->silent = silent && ring_is_used(&l->ring) ? l->silent + 1 : 0;
	if (l->ring.on_empty) {
		if (l->silent >= LANE_SILENT)
			lane_fail(l, "no interrupt for an empty ring");
	} else if (l->silent && !poll(&p, 1, LANE_LATE)) {
		lane_fail(l, "no interrupt for what was used");
	}
}

/*
 * Sleeps until the device interrupts, for a second at most, then checks the
 * gate.
 */
static void wait_call(struct lane *l)
{
	struct pollfd p = { .fd = l->ring.call, .events = POLLIN };
	uint64_t count;

	if (l->o->spin)
		return;
	if (ring_arm(&l->ring))
		return;
	l->stats.waits++;
	check_silence(l, !poll(&p, 1, 1000));
	/* EAGAIN: the wait timed out. */
	if (read(l->ring.call, &count, sizeof(count)) < 0 && errno != EAGAIN)
		lane_fail(l, "the call eventfd can't be read");
	ring_disarm(&l->ring);
}

static bool reset_is_due(const struct lane *l)
{
	return l->o->reset_every && l->phase == LANE_LOAD &&
	       l->issued >= l->next_reset && !load_over(l);
}

/*
 * Stops and restarts one queue as a driver with RING_RESET does; the others go
 * on.
 */
static void reset_queue(struct lane *l)
{
	struct lane_gate *g = l->gate;
	unsigned int base;
	int ret;

	pthread_mutex_lock(&g->lock);
	ret = dev_queue_stop(g->dev, l->index, &base);
	if (!ret && base != ring_base(&l->ring))
		ret = -EPROTO;
	if (!ret) {
		ring_reset(&l->ring, l->rng);
		ret = dev_queue_start(g->dev, l->index, &l->ring,
				      ring_base(&l->ring));
	}
	pthread_mutex_unlock(&g->lock);
	if (ret)
		lane_fail(l, "the queue could not be reset");
	if (l->o->spin)
		ring_disarm(&l->ring);
	l->next_reset = l->issued + l->o->reset_every;
	l->stats.resets++;
}

static uint64_t thread_switches(void)
{
	struct rusage r;

	getrusage(RUSAGE_THREAD, &r);
	return (uint64_t)r.ru_nvcsw + (uint64_t)r.ru_nivcsw;
}

/*
 * Begins the next phase. The caller has checked that nothing is in flight and
 * that this phase has no more requests.
 */
static void next_phase(struct lane *l)
{
	l->sweep_block = l->first;
	if (l->phase == LANE_RESWEEP) {
		l->phase = LANE_LOAD;
		return;
	}
	if (l->phase == LANE_LOAD) {
		l->stats.load_ns = bench_now_ns() - l->start;
		l->stats.switches = thread_switches() - l->stats.switches;
	}
	l->phase = l->phase == LANE_LOAD && l->shadow ? LANE_SWEEP : LANE_DONE;
}

static void pass_gate(struct lane *l)
{
	struct lane_gate *g = l->gate;

	if (!__atomic_load_n(&g->close, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&g->lock);
	while (g->close) {
		g->parked++;
		pthread_cond_broadcast(&g->cond);
		pthread_cond_wait(&g->cond, &g->lock);
		g->parked--;
	}
	pthread_mutex_unlock(&g->lock);
}

static void leave(struct lane_gate *g)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&g->lock);
	g->running--;
	pthread_cond_broadcast(&g->cond);
	pthread_mutex_unlock(&g->lock);
	if (write(g->event, &one, sizeof(one)) < 0)
		return;
}

static void *lane_main(void *arg)
{
	struct lane *l = arg;
	struct lane_gate *g = l->gate;

	l->stats.switches = thread_switches();
	l->start = bench_now_ns();
	if (l->o->spin)
		ring_disarm(&l->ring);
	while (l->phase != LANE_DONE &&
	       !__atomic_load_n(&g->abort, __ATOMIC_ACQUIRE)) {
		bool reset = reset_is_due(l);
		int ret = 0;

		pass_gate(l);
		if (!reset)
			ret = submit(l);
		else if (!l->in_flight)
			reset_queue(l);
		if (!reap(l) && l->in_flight)
			wait_call(l);
		if (ret == -ENODATA && !l->in_flight)
			next_phase(l);
	}
	if (!l->stats.load_ns)
		l->stats.load_ns = bench_now_ns() - l->start;
	leave(g);
	return NULL;
}

int lane_start(struct lane *l)
{
	pthread_mutex_lock(&l->gate->lock);
	l->gate->running++;
	pthread_mutex_unlock(&l->gate->lock);
	return -pthread_create(&l->thread, NULL, lane_main, l);
}

void lane_wake(const struct lane *l)
{
	const uint64_t one = 1;

	/* EAGAIN: the counter is full, so the lane was woken already. */
	if (write(l->ring.call, &one, sizeof(one)) < 0)
		return;
}

void lane_gate_close(struct lane_gate *g, struct lane *lanes, unsigned int n)
{
	pthread_mutex_lock(&g->lock);
	__atomic_store_n(&g->close, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < n; i++)
		lane_wake(&lanes[i]);
	while (g->parked < g->running)
		pthread_cond_wait(&g->cond, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

void lane_gate_open(struct lane_gate *g)
{
	pthread_mutex_lock(&g->lock);
	__atomic_store_n(&g->close, false, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&g->cond);
	pthread_mutex_unlock(&g->lock);
}
