// SPDX-License-Identifier: GPL-2.0
/*
 * net_hostile_random - garbage in the rings, tables, headers and frames of one
 * queue
 *
 * Most chains are valid except for some fields; the others are garbage
 * throughout. Meanwhile frames arrive for the guest. The test requires only
 * that the back end survives and that the other queues serve.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_hostile.h"
#include "net_victim.h"

#define CHECK_NS	200000000ull	/* time between checks of the other queues */

struct garbage_stats {
	uint64_t	rounds;
	uint64_t	restarts;
	uint64_t	broken;
	uint64_t	used;
	uint64_t	checks;
};

struct garbage {
	struct net_victim	victim;
	uint64_t		rng;
	bool			lost;	/* we do not know which entry the device reads next */
	struct garbage_stats	stats;
};

static uint64_t dice(struct garbage *g, uint64_t below)
{
	return bench_random(&g->rng) % below;
}

static uint64_t random_addr(struct garbage *g)
{
	const struct net_victim *n = &g->victim;
	const struct mem_region *r = &n->v.mem.region[0];

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
		return victim_gpa(&n->v, n->hdr);
	case 5:
		return victim_gpa(&n->v, n->v.table_at) +
		       16 * dice(g, VICTIM_TABLE);
	default:
		return r->gpa + dice(g, r->size);
	}
}

static uint32_t random_len(struct garbage *g)
{
	static const uint32_t some[] = { 0, 1, 5, 10, 12, 13, 26, 64, 1500,
					 4096, 65535, 65550 };

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

/* Header fields that are wrong but plausible, more often than random bytes. */
static void random_header(struct garbage *g)
{
	static const uint8_t types[] = { 0, 1, 3, 4, 5, 0x80, 0x81, 0x84, 0x7f };
	struct net_victim *n = &g->victim;
	struct virtio_net_hdr *h = &n->hdr->hdr;

	h->flags = (uint8_t)(dice(g, 4) ? dice(g, 8) : bench_random(&g->rng));
	h->gso_type = dice(g, 8) ? types[dice(g, ARRAY_SIZE(types))] :
				   (uint8_t)bench_random(&g->rng);
	h->hdr_len = (uint16_t)(dice(g, 2) ? dice(g, 200) : bench_random(&g->rng));
	h->gso_size = (uint16_t)(dice(g, 2) ? dice(g, 200) :
					      bench_random(&g->rng));
	h->csum_start = (uint16_t)(dice(g, 2) ? dice(g, 200) :
						bench_random(&g->rng));
	h->csum_offset = (uint16_t)(dice(g, 2) ? dice(g, 20) :
						 bench_random(&g->rng));
	n->hdr->num_buffers = (uint16_t)bench_random(&g->rng);
	/* Change random bytes of the frame's own headers. */
	for (uint64_t i = dice(g, 4); i; i--)
		n->frame[dice(g, 64)] = (uint8_t)bench_random(&g->rng);
	if (dice(g, 2))
		n->frame[23] = dice(g, 2) ? 6 : 17;
}

static void mutate(struct garbage *g)
{
	struct net_victim *n = &g->victim;
	struct vring_desc *d = n->v.desc;

	if (dice(g, 2) || !net_dev_has(&n->dev, VIRTIO_RING_F_INDIRECT_DESC)) {
		net_victim_direct(n);
	} else {
		net_victim_indirect(n);
		d = dice(g, 4) ? n->v.table : n->v.desc;
	}
	if (!n->rx && dice(g, 4))
		random_header(g);
	/*
	 * After half of these changes the queue is still alive in the next
	 * round.
	 */
	if (dice(g, 2))
		d[1].len = (uint32_t)dice(g, n->frame_size) + 1;
	else
		random_field(g, &d[dice(g, 2)]);
}

static void trash(struct garbage *g)
{
	struct net_victim *n = &g->victim;
	struct victim *v = &n->v;

	random_header(g);
	for (unsigned int i = 0; i < VICTIM_NUM; i++)
		v->desc[i] = (struct vring_desc){
			random_addr(g), random_len(g), random_flags(g),
			random_next(g),
		};
	for (unsigned int i = 0; i < VICTIM_TABLE; i++)
		v->table[i] = (struct vring_desc){
			random_addr(g), random_len(g), random_flags(g),
			random_next(g),
		};
}

/*
 * Advances the available index, mostly by 1, sometimes by 0 or by any number, while the
 * device may be reading the ring.
 */
static void offer_split(struct garbage *g)
{
	struct victim *v = &g->victim.v;
	struct vring_avail *a = v->ring[0].split.avail;
	uint16_t idx = __atomic_load_n(&a->idx, __ATOMIC_RELAXED), count = 1;

	if (!dice(g, 64))
		count = (uint16_t)bench_random(&g->rng);
	else if (!dice(g, 8))
		count = (uint16_t)dice(g, VICTIM_NUM);
	for (unsigned int i = 0; i < count && i < VICTIM_NUM; i++)
		a->ring[(idx + i) % VICTIM_NUM] = dice(g, 16) ? 0 :
						  random_next(g);
	a->ring[VICTIM_NUM] = (uint16_t)bench_random(&g->rng);
	v->avail_idx = (uint16_t)(idx + count);
	victim_publish(v);
}

static void offer_packed(struct garbage *g)
{
	struct victim *v = &g->victim.v;
	struct vring_packed_desc_event *e = v->ring[0].packed.driver;
	struct vring_packed_desc *d =
		&v->ring[0].packed.desc[dice(g, VICTIM_NUM)];
	uint16_t count = dice(g, 16) ? 1 : (uint16_t)dice(g, VICTIM_NUM);

	v->packed.id = dice(g, 16) ? v->packed.published % VICTIM_NUM :
				     random_next(g);
	e->off_wrap = (uint16_t)bench_random(&g->rng);
	e->flags = (uint16_t)dice(g, 8);
	v->avail_idx = (uint16_t)(v->packed.published + count);
	victim_publish(v);
	g->lost |= v->packed.queued > VICTIM_NUM;
	/* Change an entry of the ring, whether the device owns it or not. */
	if (!dice(g, 8))
		d->addr = random_addr(g);
	if (!dice(g, 8))
		d->len = random_len(g);
	if (!dice(g, 16)) {
		d->flags = (uint16_t)bench_random(&g->rng);
		g->lost = true;
	}
}

static int restart(struct garbage *g)
{
	g->stats.used += victim_used(&g->victim.v);
	g->stats.restarts++;
	g->lost = false;
	return net_victim_restart(&g->victim);
}

static int round_of(struct garbage *g)
{
	struct net_victim *n = &g->victim;

	g->stats.rounds++;
	if (dice(g, 8))
		mutate(g);
	else
		trash(g);
	if (ring_is_packed(&n->v.ring[0]))
		offer_packed(g);
	else
		offer_split(g);
	if (n->rx)
		net_victim_incoming(n, (unsigned int)dice(g, 4),
				    64 + (uint32_t)dice(g, 1400));
	/*
	 * Sometimes the next round begins while the device still serves this
	 * one.
	 */
	if (dice(g, 4))
		for (int i = 0; i < 10 && !victim_broken(&n->v) &&
		     victim_used(&n->v) != n->v.avail_idx; i++)
			usleep(500);
	if (victim_broken(&n->v)) {
		g->stats.broken++;
		return restart(g);
	}
	return g->lost || !dice(g, 64) ? restart(g) : 0;
}

static int look(struct garbage *g)
{
	struct net_victim *n = &g->victim;
	int ret = 0;

	g->stats.checks++;
	if (net_victim_gone(n))
		return -ECONNRESET;
	if (n->has_witness)
		ret = net_victim_sends(n, 1);
	if (!ret && n->rx)
		ret = net_victim_sends(n, 0);
	if (!ret && !victim_guard_intact(&n->v))
		ret = -EFAULT;
	return ret;
}

static int attack(struct garbage *g, const struct net_options *o)
{
	uint64_t now = bench_now_ns(), next = now;
	uint64_t end = o->common.seconds ? now + o->common.seconds * 1000000000u : UINT64_MAX;
	int ret = 0;

	while (!ret && now < end && (!o->common.count || g->stats.rounds < o->common.count)) {
		ret = round_of(g);
		now = bench_now_ns();
		if (!ret && now >= next) {
			ret = look(g);
			next = now + CHECK_NS;
		}
	}
	if (!ret)
		ret = restart(g);
	if (!ret)
		ret = look(g);
	if (!ret)
		ret = net_victim_sends(&g->victim, 0);
	return ret ? ret : net_victim_receives(&g->victim, 0);
}

static int attack_queue(const struct net_options *o, bool rx)
{
	static struct garbage g;
	const struct garbage_stats *s = &g.stats;
	int ret;

	memset(&g, 0, sizeof(g));
	ret = net_victim_open(&g.victim, o, rx);
	if (ret)
		return ret;
	g.rng = o->common.seed;
	/* Queues restart all the time: skip the replies to save time. */
	g.victim.dev.fe.reply_ack = false;
	ret = attack(&g, o);
	for (unsigned int i = 0; ret && i < 2; i++) {
		fprintf(stderr, "%s queue: ", i ? "other" : "attacked");
		ring_print(&g.victim.v.ring[i], stderr);
		fprintf(stderr, "\n");
	}
	printf("# seed %" PRIu64 ": %" PRIu64 " rounds, %" PRIu64 " used, %"
	       PRIu64 " broken, %" PRIu64 " restarts, %" PRIu64 " checks\n",
	       o->common.seed, s->rounds, s->used, s->broken, s->restarts, s->checks);
	printf("%sok %u - random %s%s%s\n", ret ? "not " : "", 1 + rx,
	       rx ? "rx" : "tx", ret ? ": " : "", ret ? strerror(-ret) : "");
	net_victim_close(&g.victim);
	return ret;
}

int net_hostile_random(const struct net_options *o)
{
	int tx = attack_queue(o, false), rx = attack_queue(o, true);

	printf("1..2\n");
	return tx ? tx : rx;
}
