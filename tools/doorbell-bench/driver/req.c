// SPDX-License-Identifier: GPL-2.0
/*
 * req - one virtio-blk request, cut into descriptors in any legal way
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "req.h"

#define HEADER		((uint32_t)sizeof(struct virtio_blk_outhdr))
/*
 * Offsets in the meta area: a piece of the header every META_PIECE bytes, then
 * the status byte.
 */
#define META_PIECE	64
#define META_STATUS	256

/* The state of building one request. */
struct build {
	struct req			*q;
	const struct req_rules		*rules;
	uint64_t			*rng;
	bool				scatter;
	bool				merge;
};

static size_t table_bytes(const struct req_rules *rules)
{
	return rules->max_total * sizeof(struct vring_desc);
}

size_t req_data_bytes(const struct req_rules *rules, uint32_t bs)
{
	size_t page = rules->mem->punch;
	size_t need = bs + rules->align + HEADER + 1 +
		      (size_t)rules->max_data * REQ_GAP;

	return (need + page - 1) & ~(page - 1);
}

size_t req_bytes(const struct req_rules *rules, uint32_t bs)
{
	return req_data_bytes(rules, bs) + rules->mem->punch + REQ_META +
	       table_bytes(rules) + 64;
}

int req_create(struct req *q, const struct req_rules *rules, uint32_t bs,
	       unsigned int region)
{
	struct mem *mem = rules->mem;

	memset(q, 0, sizeof(*q));
	q->data_size = req_data_bytes(rules, bs);
	q->data = mem_alloc(mem, q->data_size, mem->punch, region);
	q->meta = mem_alloc(mem, REQ_META, 8, region + 1);
	q->table = mem_alloc(mem, table_bytes(rules), 16, region + 1);
	q->piece = calloc(rules->max_data, sizeof(*q->piece));
	q->seg = calloc(rules->max_total, sizeof(*q->seg));
	if (q->data && q->meta && q->table && q->piece && q->seg)
		return 0;
	req_destroy(q);
	return -ENOMEM;
}

void req_destroy(struct req *q)
{
	free(q->piece);
	free(q->seg);
	q->piece = NULL;
	q->seg = NULL;
}

static uint32_t pick(struct build *b, uint32_t below)
{
	return (uint32_t)(bench_random(b->rng) % below);
}

/* Appends a segment; joins it to an adjacent one if the layout wants that. */
static void put_seg(struct build *b, const uint8_t *ptr, uint32_t len, bool in)
{
	uint32_t max = b->rules->size_max ? b->rules->size_max : UINT32_MAX;
	uint64_t gpa = mem_gpa(b->rules->mem, ptr);
	struct req *q = b->q;

	if (b->merge && q->nseg) {
		struct ring_seg *last = &q->seg[q->nseg - 1];

		if (last->in == in && last->gpa + last->len == gpa &&
		    (uint64_t)last->len + len <= max) {
			last->len += len;
			return;
		}
	}
	while (len) {
		uint32_t n = len < max ? len : max;

		q->seg[q->nseg++] = (struct ring_seg){ gpa, n, in };
		gpa += n;
		len -= n;
	}
}

/*
 * Chooses the length of the next of @left pieces that share @len bytes, at
 * least one byte each. Lengths are odd on purpose: only their sum must be whole
 * sectors.
 */
static uint32_t cut(struct build *b, uint32_t len, unsigned int left)
{
	uint32_t spare = len - left;
	uint32_t max = 2 * (spare / left) + 1;

	if (left == 1)
		return len;
	return 1 + pick(b, (max < spare ? max : spare) + 1);
}

static void put_header(struct build *b, uint32_t type, uint64_t sector,
		       uint8_t *at, unsigned int pieces)
{
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };
	const uint8_t *from = (const uint8_t *)&h;
	uint32_t left = HEADER;

	for (; pieces; pieces--) {
		uint32_t n = cut(b, left, pieces);

		if (b->scatter)
			at = b->q->meta + pieces * META_PIECE +
			     pick(b, META_PIECE - HEADER);
		memcpy(at, from, n);
		put_seg(b, at, n, false);
		from += n;
		left -= n;
	}
}

static uint8_t *put_data(struct build *b, uint8_t *at, unsigned int pieces)
{
	struct req *q = b->q;
	uint32_t left = q->len;

	q->npieces = 0;
	for (; pieces; pieces--) {
		uint32_t n = cut(b, left, pieces);

		q->piece[q->npieces++] = (struct req_piece){ at, n };
		put_seg(b, at, n, q->type != VIRTIO_BLK_T_OUT);
		at += n;
		left -= n;
		if (b->scatter && left)
			at += pick(b, REQ_GAP);
	}
	return at;
}

static void choose_shape(struct build *b)
{
	struct req *q = b->q;

	q->shape = (struct ring_shape){ 0 };
	if (!b->rules->indirect || q->nseg < 2)
		return;
	q->shape.table = q->table;
	if (b->rules->layout != LAYOUT_RANDOM)
		return;
	switch (pick(b, 3)) {
	case 0:
		q->shape.table = NULL;
		break;
	case 1:
		if (b->rules->mixed)
			q->shape.direct = pick(b, q->nseg);
		break;
	}
}

static void choose_layout(struct build *b)
{
	enum option_layout layout = b->rules->layout;

	if (layout == LAYOUT_RANDOM)
		layout = (enum option_layout)pick(b, LAYOUT_RANDOM);
	/*
	 * If size_max is below the length of the request, pieces cannot be
	 * chosen freely.
	 */
	b->scatter = layout == LAYOUT_SPLIT &&
		     (!b->rules->size_max || b->rules->size_max >= b->q->len);
	b->merge = layout == LAYOUT_ONESEG;
}

void req_build(struct req *q, const struct req_rules *rules, uint32_t type,
	       uint64_t sector, uint32_t len, uint64_t *rng)
{
	struct build b = { .q = q, .rules = rules, .rng = rng };
	unsigned int headers = 1, pieces = len ? 1 : 0;
	uint8_t *header = q->meta, *data = q->data + rules->align;
	uint8_t *status = q->meta + META_STATUS, *end;

	q->type = type;
	q->len = len;
	q->nseg = 0;
	choose_layout(&b);
	if (b.scatter && len) {
		unsigned int max = rules->max_total - 2;

		if (max > rules->max_data)
			max = rules->max_data;
		pieces = 1 + pick(&b, max < len ? max : len);
	}
	if (b.scatter) {
		unsigned int room = rules->max_total - 1 - pieces;

		headers = 1 + pick(&b, room < REQ_HEADER_MAX ?
				   room : REQ_HEADER_MAX);
		status += pick(&b, META_STATUS);
	}
	if (b.merge && len) {
		header = data;
		data += HEADER;
	}
	put_header(&b, type, sector, header, headers);
	end = put_data(&b, data, pieces);
	if (b.merge && len && type != VIRTIO_BLK_T_OUT)
		status = end;
	*status = 0xff;
	q->status = status;
	put_seg(&b, status, 1, true);
	choose_shape(&b);
}

void req_put(struct req *q, const void *from)
{
	const uint8_t *p = from;

	for (unsigned int i = 0; i < q->npieces; i++) {
		memcpy(q->piece[i].ptr, p, q->piece[i].len);
		p += q->piece[i].len;
	}
}

void req_get(const struct req *q, void *to)
{
	uint8_t *p = to;

	for (unsigned int i = 0; i < q->npieces; i++) {
		memcpy(p, q->piece[i].ptr, q->piece[i].len);
		p += q->piece[i].len;
	}
}

void req_poison(struct req *q)
{
	for (unsigned int i = 0; i < q->npieces; i++)
		memset(q->piece[i].ptr, 0xee, q->piece[i].len);
}
