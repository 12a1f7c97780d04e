// SPDX-License-Identifier: GPL-2.0
/*
 * net_lane_tx - the sending queue of a lane
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_lane.h"

unsigned int net_lane_reap_tx(struct net_lane *l)
{
	struct net_end *end = &l->tx;
	uint32_t slot, len;
	unsigned int n = 0;
	int ret;

	while (!(ret = ring_pop(end->ring, &slot, &len))) {
		end->idle[end->nidle++] = slot;
		l->tx_busy--;
		n++;
	}
	if (ret == -EPROTO)
		net_lane_fail(l, "the used ring names what is not in flight");
	__atomic_store_n(&l->stats.done, l->stats.done + n, __ATOMIC_RELAXED);
	return n;
}

/* The bytes of the frame if they are contiguous, else NULL. */
static uint8_t *frame_of(const struct net_slot *s, uint32_t hlen)
{
	if (net_slot_whole(s))
		return s->piece[0].ptr + hlen;
	if (s->n == 2 && s->piece[0].len == hlen)
		return s->piece[1].ptr;
	return NULL;
}

static void build(struct net_lane *l, struct net_slot *s, uint64_t seq,
		  uint32_t len)
{
	const struct net_options *o = l->o;
	struct net_tag tag = { (uint16_t)l->index, seq };
	uint8_t *frame = frame_of(s, l->hlen);

	if (s->made && s->len == len && frame) {
		net_frame_renumber(&l->frames, seq, frame);
		return;
	}
	if (s->len != len || o->layout == NET_LAYOUT_SPLIT ||
	    o->layout == NET_LAYOUT_RANDOM)
		net_slot_cut(&l->tx, s, len);
	memset(l->scratch, 0, l->hlen);
	net_frame_make(&l->frames, tag, (void *)l->scratch,
		       l->scratch + l->hlen);
	net_slot_put(s, 0, l->scratch, len);
	/*
	 * Without verification the slot can be sent again with only another
	 * number.
	 */
	s->made = !o->common.verify && o->layout != NET_LAYOUT_SPLIT &&
		  o->layout != NET_LAYOUT_RANDOM;
}

int net_lane_send(struct net_lane *l, uint64_t seq)
{
	uint32_t len = net_frame_size(&l->frames, seq), n;
	struct net_end *end = &l->tx;
	int ret;

	if (!end->nidle)
		return -ENOSPC;
	n = end->idle[end->nidle - 1];
	build(l, &end->slot[n], seq, len + l->hlen);
	ret = net_slot_add(end, n);
	if (ret)
		return ret;
	end->nidle--;
	l->tx_busy++;
	l->stats.bytes += len;
	__atomic_store_n(&l->stats.sent, l->stats.sent + 1, __ATOMIC_RELAXED);
	return 0;
}

void net_lane_publish(struct net_lane *l)
{
	ring_publish(l->tx.ring);
}

int net_lane_announce(struct ring *tx, const struct net_address *self,
		      unsigned int hlen)
{
	uint64_t end = bench_now_ns() + 5000000000ull;
	uint8_t *at = mem_alloc(tx->mem, hlen + ETH_ZLEN, 16, 0);
	struct ring_seg seg[2] = { { .len = hlen }, { .len = ETH_ZLEN } };
	struct ring_shape shape = { 0 };
	uint32_t token, len;
	int ret;

	if (!at)
		return -ENOMEM;
	seg[0].gpa = mem_gpa(tx->mem, at);
	seg[1].gpa = seg[0].gpa + hlen;
	memset(at, 0, hlen);
	net_frame_announce(self, at + hlen);
	ret = ring_add(tx, seg, 2, shape, 0);
	if (ret)
		return ret;
	ring_publish(tx);
	do {
		ret = ring_pop(tx, &token, &len);
	} while (ret == -EAGAIN && bench_now_ns() < end && !usleep(1000));
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}
