// SPDX-License-Identifier: GPL-2.0
/*
 * net_lane_rx - the receiving queue of a lane
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "net_lane.h"

/* Number of wrong frames that are printed */
#define TELL	8

/* A received frame in its buffers. */
struct arrival {
	uint32_t	slot[NET_MAX_SEGS * 16];
	uint32_t	used[NET_MAX_SEGS * 16];
	unsigned int	n;
	uint32_t	len;		/* bytes without the virtio header */
	uint8_t		*hdr;
	uint8_t		*frame;
};

static void tell(struct net_lane *l, const struct net_tag *tag,
		 const char *wrong)
{
	if (l->stats.wrong++ < TELL)
		fprintf(stderr, "doorbell-bench: pair %u: stream %u, frame %llu: %s\n",
			l->index, tag->stream, (unsigned long long)tag->seq,
			wrong);
}

void net_lane_refill(struct net_lane *l)
{
	struct net_end *end = &l->rx;
	bool cut = end->rules.layout == NET_LAYOUT_SPLIT ||
		   end->rules.layout == NET_LAYOUT_RANDOM;

	while (end->nidle) {
		uint32_t n = end->idle[end->nidle - 1];
		struct net_slot *s = &end->slot[n];

		if (cut || !s->len)
			net_slot_cut(end, s, end->size);
		if (net_slot_add(end, n))
			break;
		end->nidle--;
	}
	ring_publish(end->ring);
}

static int pop(struct net_lane *l, struct arrival *a)
{
	int ret = ring_pop(l->rx.ring, &a->slot[a->n], &a->used[a->n]);

	if (!ret && a->used[a->n] > l->rx.size) {
		net_lane_fail(l, "a used length above the buffer's");
		return -EPROTO;
	}
	if (ret == -EPROTO)
		net_lane_fail(l, "the used ring names what is not in flight");
	if (ret)
		return ret;
	a->len += a->used[a->n++];
	if (a->len > l->hlen + NET_MAX_FRAME + NET_FRAME_SLACK) {
		net_lane_fail(l, "a frame of more than 64 KiB");
		return -EPROTO;
	}
	return 0;
}

/* Pops the other buffers of a merged frame, which must all be there. */
static int pop_rest(struct net_lane *l, struct arrival *a)
{
	const struct net_slot *s = &l->rx.slot[a->slot[0]];
	uint16_t buffers;

	if (l->hlen < NET_HDR_MRG)
		return 0;
	net_slot_get(s, NET_HDR, &buffers, sizeof(buffers));
	buffers = le16toh(buffers);
	if (!l->mrg) {
		/*
		 * Without mergeable buffers vhost-net does not write
		 * num_buffers.
		 */
		if (buffers != 1 && !l->o->vhost_net)
			net_lane_fail(l, "num_buffers is not 1");
		return 0;
	}
	if (!buffers || buffers > ARRAY_SIZE(a->slot)) {
		net_lane_fail(l, "num_buffers is none or too many");
		return -EPROTO;
	}
	l->stats.merged += buffers > 1;
	while (a->n < buffers) {
		if (a->used[a->n - 1] != l->rx.slot[a->slot[a->n - 1]].len) {
			net_lane_fail(l, "a buffer is not full, and not the last");
			return -EPROTO;
		}
		if (pop(l, a)) {
			net_lane_fail(l, "buffers of a frame are missing");
			return -EPROTO;
		}
	}
	return 0;
}

/*
 * Sets @a->frame: to the frame in its buffer if it is contiguous, otherwise to
 * a copy.
 */
static void gather(struct net_lane *l, struct arrival *a)
{
	const struct net_slot *s = &l->rx.slot[a->slot[0]];
	uint8_t *to = l->scratch;

	if (a->n == 1 && net_slot_whole(s)) {
		a->hdr = s->piece[0].ptr;
	} else {
		for (unsigned int i = 0; i < a->n; i++) {
			net_slot_get(&l->rx.slot[a->slot[i]], 0, to,
				     a->used[i]);
			to += a->used[i];
		}
		a->hdr = l->scratch;
	}
	a->frame = a->hdr + l->hlen;
	a->len -= l->hlen;
}

static void answer(struct net_lane *l, struct arrival *a)
{
	struct net_end *end = &l->tx;
	struct net_slot *s;
	uint32_t n;

	if (a->len + l->hlen > end->size ||
	    !net_frame_answer(&l->self, a->frame, a->len)) {
		l->stats.others++;
		return;
	}
	while (!end->nidle && net_lane_wait(l, net_lane_reap_tx(l)))
		;
	if (!end->nidle)
		return;
	n = end->idle[--end->nidle];
	s = &end->slot[n];
	if (s->len != a->len + l->hlen)
		net_slot_cut(end, s, a->len + l->hlen);
	memset(a->hdr, 0, l->hlen);
	net_slot_put(s, 0, a->hdr, a->len + l->hlen);
	if (net_slot_add(end, n)) {
		end->idle[end->nidle++] = n;
		return;
	}
	l->tx_busy++;
	l->stats.answers++;
}

static void take(struct net_lane *l, struct arrival *a)
{
	const char *wrong = NULL;
	struct net_tag tag;

	gather(l, a);
	if (l->o->load == NET_LOAD_ECHO) {
		answer(l, a);
		return;
	}
	if (!net_frame_tag(&l->frames, a->frame, a->len, &tag) ||
	    tag.stream >= l->o->pairs) {
		l->stats.others++;
		return;
	}
	if (l->o->common.verify)
		wrong = net_frame_check(&l->frames, &tag, (void *)a->hdr,
					a->frame, a->len);
	if (wrong)
		tell(l, &tag, wrong);
	__atomic_store_n(&l->stats.received, l->stats.received + 1,
			 __ATOMIC_RELAXED);
	net_check_add(&l->check[tag.stream], tag.seq, a->len);
}

unsigned int net_lane_reap_rx(struct net_lane *l)
{
	struct net_end *end = &l->rx;
	unsigned int frames = 0;
	struct arrival a;

	for (;; frames++) {
		a.n = 0;
		a.len = 0;
		if (pop(l, &a) || pop_rest(l, &a))
			break;
		if (a.len < l->hlen) {
			net_lane_fail(l, "a used length below the header's");
			break;
		}
		take(l, &a);
		for (unsigned int i = 0; i < a.n; i++)
			end->idle[end->nidle++] = a.slot[i];
		if (end->nidle >= l->o->refill)
			net_lane_refill(l);
	}
	return frames;
}
