// SPDX-License-Identifier: GPL-2.0
/*
 * hostile_random - garbage in queue 0's ring, tables and requests
 *
 * Most chains are valid requests with some fields changed; the others are
 * garbage throughout. Such garbage nearly always breaks the queue, and then the
 * restart takes most of the time. The test requires only that the back end
 * survives and that queue 1 serves correct data.
 *
 * A garbled write may reach the disk. Sectors are chosen from its first quarter
 * or beyond its end. With the limits below, no chain that starts there reaches
 * the witness's data at the end of the disk. All data before that may be lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "hostile.h"
#include "victim.h"

/* Most segments of a chain; each may be as large as a region. */
#define RANDOM_SEGS		(VICTIM_TABLE + VICTIM_NUM)
#define RANDOM_CHECK_NS		200000000ull	/* time between checks of queue 1 */

struct random_stats {
	uint64_t	rounds;
	uint64_t	restarts;
	uint64_t	broken;
	uint64_t	completions;
	uint64_t	checks;
};

struct garbage {
	struct victim		victim;
	uint64_t		rng;
	bool			lost;	/* we do not know which entry the device reads next */
	struct random_stats	stats;
};

static uint64_t dice(struct garbage *g, uint64_t below)
{
	return bench_random(&g->rng) % below;
}

static uint64_t random_addr(struct garbage *g)
{
	const struct mem_region *r = &g->victim.mem.region[0];

	switch (dice(g, 8)) {
	case 0:
		return bench_random(&g->rng);
	case 1:
		return r->gpa + r->size + dice(g, MEM_HOLE);
	case 2:
		return r->gpa + r->size - dice(g, 8192);
	case 3:
		return UINT64_MAX - dice(g, 8192);
	case 4:
		return victim_gpa(&g->victim, g->victim.header);
	case 5:
		return victim_gpa(&g->victim, g->victim.table_at) +
		       16 * dice(g, VICTIM_TABLE);
	default:
		return r->gpa + dice(g, r->size);
	}
}

static uint32_t random_len(struct garbage *g)
{
	static const uint32_t some[] = { 0, 1, 15, 16, 17, 48, 512, 4096 };

	switch (dice(g, 4)) {
	case 0:
		return (uint32_t)bench_random(&g->rng);
	case 1:
		return (uint32_t)dice(g, 65536);
	default:
		return some[dice(g, ARRAY_SIZE(some))];
	}
}

static uint16_t random_flags(struct garbage *g)
{
	return (uint16_t)(dice(g, 8) ? dice(g, 8) : bench_random(&g->rng));
}

static uint16_t random_next(struct garbage *g)
{
	return (uint16_t)(dice(g, 8) ? dice(g, VICTIM_NUM) :
				       bench_random(&g->rng));
}

static void random_desc(struct garbage *g, struct vring_desc *d)
{
	*d = (struct vring_desc){ random_addr(g), random_len(g),
				  random_flags(g), random_next(g) };
}

static void random_field(struct garbage *g, struct vring_desc *d)
{
	switch (dice(g, 4)) {
	case 0:
		d->addr = random_addr(g);
		break;
	case 1:
		d->len = random_len(g);
		break;
	case 2:
		d->flags = random_flags(g);
		break;
	case 3:
		d->next = random_next(g);
		break;
	}
}

static uint32_t random_type(struct garbage *g)
{
	static const uint32_t some[] = { 0, 1, 4, 8, 11, 13, 2, 10 };

	return dice(g, 8) ? some[dice(g, ARRAY_SIZE(some))] :
			    (uint32_t)bench_random(&g->rng);
}

static uint64_t random_sector(struct garbage *g)
{
	uint64_t capacity = g->victim.capacity;

	switch (dice(g, 8)) {
	case 0:
		return capacity + dice(g, 16);
	case 1:
		return bench_random(&g->rng) | 1ull << 63;
	default:
		return dice(g, capacity / 4);
	}
}

static void mutate(struct garbage *g)
{
	struct victim *v = &g->victim;
	struct vring_desc *d = v->desc;
	uint32_t type = random_type(g);

	if (dice(g, 2)) {
		victim_direct(v, type, random_sector(g), VICTIM_DATA);
	} else {
		victim_indirect(v, type, random_sector(g), VICTIM_DATA);
		d = dice(g, 4) ? v->table : v->desc;
	}
	/*
	 * After an error in the data only, the queue is still alive in the next
	 * round.
	 */
	if (dice(g, 2)) {
		random_field(g, &d[dice(g, 3)]);
		return;
	}
	d[1].addr = dice(g, 2) ? random_addr(g) : d[1].addr;
	d[1].len = dice(g, 2) ? random_len(g) | 1 : d[1].len;
}

static void trash(struct garbage *g)
{
	struct victim *v = &g->victim;

	*v->header = (struct virtio_blk_outhdr){
		.type = random_type(g), .sector = random_sector(g),
	};
	for (unsigned int i = 0; i < VICTIM_NUM; i++)
		random_desc(g, &v->desc[i]);
	for (unsigned int i = 0; i < VICTIM_TABLE; i++)
		random_desc(g, &v->table[i]);
}

/*
 * Makes one entry or several available, while the device may be reading them.
 */
static void offer_split(struct garbage *g)
{
	struct victim *v = &g->victim;
	struct vring_avail *a = v->ring[0].split.avail;
	uint16_t idx = __atomic_load_n(&a->idx, __ATOMIC_RELAXED);
	uint16_t n = 1;

	if (!dice(g, 64))
		n = (uint16_t)bench_random(&g->rng);
	else if (!dice(g, 16))
		n = (uint16_t)dice(g, VICTIM_NUM);
	for (unsigned int i = 0; i < n && i < VICTIM_NUM; i++)
		a->ring[(idx + i) % VICTIM_NUM] = dice(g, 16) ? 0 :
						  random_next(g);
	a->ring[VICTIM_NUM] = (uint16_t)bench_random(&g->rng);
	v->avail_idx = (uint16_t)(idx + n);
	victim_publish(v);
}

/* Overwrites a random entry of the ring, whether the device owns it or not. */
static void garble(struct garbage *g)
{
	struct vring_packed_desc *d =
		&g->victim.ring[0].packed.desc[dice(g, VICTIM_NUM)];

	switch (dice(g, 4)) {
	case 0:
		d->addr = random_addr(g);
		break;
	case 1:
		d->len = random_len(g);
		break;
	case 2:
		d->id = random_next(g);
		break;
	case 3:
		/*
		 * The AVAIL and USED bits change, too: the device may wait at
		 * this entry for ever.
		 */
		d->flags = (uint16_t)bench_random(&g->rng);
		g->lost = true;
		break;
	}
}

/*
 * Makes one chain or several available. At times they overwrite entries in
 * flight; then we do not know any more which entry the device reads next.
 */
static void offer_packed(struct garbage *g)
{
	struct victim *v = &g->victim;
	struct vring_packed_desc_event *e = v->ring[0].packed.driver;
	uint16_t n = 1;

	if (v->packed.queued > VICTIM_NUM / 2 && dice(g, 16))
		victim_wait(v, v->packed.published, 20);
	if (!dice(g, 64))
		n = (uint16_t)dice(g, VICTIM_NUM);
	v->packed.id = dice(g, 16) ? v->packed.published % VICTIM_NUM :
				     random_next(g);
	e->off_wrap = (uint16_t)bench_random(&g->rng);
	e->flags = (uint16_t)dice(g, 8);
	v->avail_idx = (uint16_t)(v->packed.published + n);
	victim_publish(v);
	g->lost |= v->packed.queued > VICTIM_NUM;
	if (!dice(g, 8))
		garble(g);
}

static void offer(struct garbage *g)
{
	if (ring_is_packed(&g->victim.ring[0]))
		offer_packed(g);
	else
		offer_split(g);
}

static int restart(struct garbage *g)
{
	g->stats.completions += victim_used(&g->victim);
	g->stats.restarts++;
	g->lost = false;
	return victim_restart(&g->victim);
}

static int round_of(struct garbage *g)
{
	struct victim *v = &g->victim;
	int ret = 0;

	g->stats.rounds++;
	if (dice(g, 8))
		mutate(g);
	else
		trash(g);
	offer(g);
	/*
	 * Sometimes the next round begins while the device still serves this
	 * one.
	 */
	if (dice(g, 4))
		victim_wait(v, v->avail_idx, 20);
	if (victim_broken(v)) {
		g->stats.broken++;
		ret = restart(g);
	} else if (g->lost || !dice(g, 64)) {
		ret = restart(g);
	}
	return ret;
}

static int look(struct garbage *g)
{
	struct victim *v = &g->victim;
	uint64_t features;
	int ret;

	g->stats.checks++;
	ret = fe_get(&v->dev.fe, FE_GET_FEATURES, &features);
	if (!ret && v->has_witness)
		ret = victim_serves(v, 1);
	if (!ret && !victim_guard_intact(v))
		ret = -EFAULT;
	return ret;
}

static int attack(struct garbage *g, const struct options *o)
{
	uint64_t now = bench_now_ns(), end, next;
	int ret = 0;

	/* Without --seconds only --count ends the loop. */
	end = o->common.seconds ? now + o->common.seconds * 1000000000u : UINT64_MAX;
	next = now;
	while (!ret && now < end &&
	       (!o->common.count || g->stats.rounds < o->common.count)) {
		ret = round_of(g);
		now = bench_now_ns();
		if (!ret && now >= next) {
			ret = look(g);
			next = now + RANDOM_CHECK_NS;
		}
	}
	if (!ret)
		ret = restart(g);
	if (!ret)
		ret = look(g);
	return ret ? ret : victim_serves(&g->victim, 0);
}

static bool room_enough(const struct victim *v)
{
	return v->witness_sector - v->capacity / 4 >=
	       RANDOM_SEGS * v->mem.region[0].size / 512;
}

int hostile_random(const struct options *o)
{
	static struct garbage g;
	const struct random_stats *s = &g.stats;
	int ret = victim_open(&g.victim, o, false);

	if (!ret && !room_enough(&g.victim)) {
		victim_close(&g.victim);
		ret = -ENOSPC;
	}
	if (ret) {
		fprintf(stderr, "doorbell-bench: hostile random: %s\n",
			strerror(-ret));
		return ret;
	}
	g.rng = o->common.seed;
	/* Queues restart all the time: skip the replies to save time. */
	g.victim.dev.fe.reply_ack = false;
	ret = attack(&g, o);
	printf("# seed %" PRIu64 ": %" PRIu64 " rounds, %" PRIu64
	       " completions, %" PRIu64 " broken, %" PRIu64 " restarts, %"
	       PRIu64 " checks\n", o->common.seed, s->rounds, s->completions,
	       s->broken, s->restarts, s->checks);
	printf("%sok 1 - random%s%s\n1..1\n", ret ? "not " : "",
	       ret ? ": " : "", ret ? strerror(-ret) : "");
	victim_close(&g.victim);
	return ret;
}
