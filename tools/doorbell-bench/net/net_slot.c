// SPDX-License-Identifier: GPL-2.0
/*
 * net_slot - buffers in guest memory for a virtio header and a frame
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "net_slot.h"

/* Most bytes between two pieces. */
#define GAP		32u
/* Most pieces of a header. */
#define HEADER_PIECES	3u
#define TABLE_BYTES	(NET_MAX_SEGS * 16u)

static bool cuts_small(const struct net_slot_rules *r)
{
	return r->layout == NET_LAYOUT_SPLIT || r->layout == NET_LAYOUT_RANDOM;
}

static size_t room(const struct net_slot_rules *r, uint32_t size)
{
	return size + (cuts_small(r) ? (r->segs + HEADER_PIECES) * GAP : 0);
}

size_t net_slot_bytes(const struct net_slot_rules *r, uint32_t size)
{
	return room(r, size) + 64 + TABLE_BYTES + 16;
}

int net_end_create(struct net_end *end, uint32_t nslots, uint32_t size,
		   unsigned int region)
{
	struct mem *mem = end->ring->mem;

	end->slot = calloc(nslots, sizeof(*end->slot));
	end->idle = calloc(nslots, sizeof(*end->idle));
	if (!end->slot || !end->idle)
		return -ENOMEM;
	end->size = size;
	end->nslots = nslots;
	for (uint32_t i = 0; i < nslots; i++) {
		struct net_slot *s = &end->slot[i];

		s->mem = mem_alloc(mem, room(&end->rules, size), 64,
				   region + i);
		s->table = mem_alloc(mem, TABLE_BYTES, 16, region + i);
		if (!s->mem || !s->table)
			return -ENOMEM;
		end->idle[end->nidle++] = nslots - 1 - i;
	}
	return 0;
}

void net_end_destroy(struct net_end *end)
{
	free(end->slot);
	free(end->idle);
	end->slot = NULL;
	end->idle = NULL;
}

static uint32_t dice(struct net_end *end, uint32_t below)
{
	return (uint32_t)(bench_random(&end->rng) % below);
}

static void add_piece(struct net_end *end, struct net_slot *s, uint8_t **at,
		      uint32_t len)
{
	s->piece[s->n] = (struct net_piece){ *at, len };
	s->seg[s->n] = (struct ring_seg){
		.gpa = mem_gpa(end->ring->mem, *at), .len = len,
		.in = end->rules.in,
	};
	s->n++;
	*at += len;
}

/* Cuts @len bytes into up to @most pieces of random size, with gaps between. */
static void add_pieces(struct net_end *end, struct net_slot *s, uint8_t **at,
		       uint32_t len, unsigned int most)
{
	unsigned int n = 1 + dice(end, most);

	for (; n > 1 && len > 1; n--) {
		/* Half of the pieces are short. */
		uint32_t below = dice(end, 2) && len > 16 ? 16 : len - 1;
		uint32_t piece = 1 + dice(end, below);

		add_piece(end, s, at, piece);
		*at += dice(end, GAP);
		len -= piece;
	}
	add_piece(end, s, at, len);
}

void net_slot_cut(struct net_end *end, struct net_slot *s, uint32_t len)
{
	const struct net_slot_rules *r = &end->rules;
	enum net_layout layout = r->layout;
	uint32_t hlen = r->hlen < len ? r->hlen : len;
	uint8_t *at = s->mem;
	bool table = layout == NET_LAYOUT_INDIRECT;

	if (layout == NET_LAYOUT_RANDOM) {
		layout = dice(end, 3);
		table = r->indirect && dice(end, 2);
	}
	s->n = 0;
	s->len = len;
	s->made = false;
	switch (layout) {
	case NET_LAYOUT_TOGETHER:
		add_piece(end, s, &at, len);
		break;
	case NET_LAYOUT_SPLIT:
		add_pieces(end, s, &at, hlen, HEADER_PIECES);
		if (len > hlen)
			add_pieces(end, s, &at, len - hlen, r->segs);
		break;
	default:
		add_piece(end, s, &at, hlen);
		if (len > hlen)
			add_piece(end, s, &at, len - hlen);
		break;
	}
	s->shape = (struct ring_shape){ .table = table ? s->table : NULL };
}

int net_slot_add(struct net_end *end, uint32_t slot)
{
	struct net_slot *s = &end->slot[slot];

	return ring_add(end->ring, s->seg, s->n, s->shape, slot);
}

void net_slot_put(const struct net_slot *s, uint32_t at, const void *from,
		  uint32_t len)
{
	const uint8_t *p = from;

	for (unsigned int i = 0; len && i < s->n; i++) {
		const struct net_piece *piece = &s->piece[i];
		uint32_t n;

		if (at >= piece->len) {
			at -= piece->len;
			continue;
		}
		n = piece->len - at < len ? piece->len - at : len;
		memcpy(piece->ptr + at, p, n);
		p += n;
		len -= n;
		at = 0;
	}
}

void net_slot_get(const struct net_slot *s, uint32_t at, void *to,
		  uint32_t len)
{
	uint8_t *p = to;

	for (unsigned int i = 0; len && i < s->n; i++) {
		const struct net_piece *piece = &s->piece[i];
		uint32_t n;

		if (at >= piece->len) {
			at -= piece->len;
			continue;
		}
		n = piece->len - at < len ? piece->len - at : len;
		memcpy(p, piece->ptr + at, n);
		p += n;
		len -= n;
		at = 0;
	}
}
