// SPDX-License-Identifier: GPL-2.0
/*
 * ring_split - the driver's side of a split virtqueue
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "ring_format.h"

static size_t desc_bytes(unsigned int num)
{
	return num * sizeof(struct vring_desc);
}

static size_t avail_bytes(unsigned int num)
{
	return sizeof(uint16_t) * (3 + num);
}

static size_t used_bytes(unsigned int num)
{
	return sizeof(uint16_t) * 3 + num * sizeof(struct vring_used_elem);
}

static uint16_t *used_event(const struct ring *r)
{
	return &r->split.avail->ring[r->num];
}

/* With EVENT_IDX: the available index at which the device wants a kick. */
static uint16_t avail_event(const struct ring *r)
{
	uint16_t *at = (void *)((uint8_t *)r->split.used +
				used_bytes(r->num) - sizeof(*at));

	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static int split_create(struct ring *r, unsigned int region)
{
	struct ring_split *s = &r->split;

	s->desc = mem_alloc(r->mem, desc_bytes(r->num), 16, region);
	s->avail = mem_alloc(r->mem, avail_bytes(r->num), 2, region);
	s->used = mem_alloc(r->mem, used_bytes(r->num), 4, region);
	s->next = calloc(r->num, sizeof(*s->next));
	return s->desc && s->avail && s->used && s->next ? 0 : -ENOMEM;
}

static void split_destroy(struct ring *r)
{
	free(r->split.next);
	r->split.next = NULL;
}

static void split_reset(struct ring *r, const uint32_t *order)
{
	struct ring_split *s = &r->split;

	memset(s->desc, 0, desc_bytes(r->num));
	memset(s->avail, 0, avail_bytes(r->num));
	memset(s->used, 0, used_bytes(r->num));
	for (unsigned int i = 0; i < r->num; i++)
		s->next[order[i]] = (uint16_t)order[(i + 1) % r->num];
	s->free_head = (uint16_t)order[0];
	s->avail_idx = 0;
	s->published = 0;
	s->last_used = 0;
}

/*
 * Fills in a descriptor. The device reads it only after the index is published.
 */
static void desc_set(struct vring_desc *d, const struct ring_seg *seg,
		     bool more, uint16_t next)
{
	d->addr = seg->gpa;
	d->len = seg->len;
	d->flags = (uint16_t)((seg->in ? VRING_DESC_F_WRITE : 0) |
			      (more ? VRING_DESC_F_NEXT : 0));
	d->next = next;
}

static void table_set(struct ring *r, struct vring_desc *d,
		      struct vring_desc *table, const struct ring_seg *seg,
		      unsigned int nseg)
{
	for (unsigned int i = 0; i < nseg; i++)
		desc_set(&table[i], &seg[i], i + 1 < nseg, (uint16_t)(i + 1));
	d->addr = mem_gpa(r->mem, table);
	d->len = nseg * (uint32_t)sizeof(*table);
	d->flags = VRING_DESC_F_INDIRECT;
	d->next = 0;
}

static uint16_t split_add(struct ring *r, const struct ring_seg *seg,
			  unsigned int nseg, struct ring_shape shape)
{
	struct ring_split *s = &r->split;
	uint16_t head = s->free_head, at = head, last = head;

	for (unsigned int i = 0; i < shape.direct; i++) {
		desc_set(&s->desc[at], &seg[i],
			 i + 1 < shape.direct || shape.table, s->next[at]);
		last = at;
		at = s->next[at];
	}
	if (shape.table) {
		table_set(r, &s->desc[at], shape.table, seg + shape.direct,
			  nseg - shape.direct);
		last = at;
		at = s->next[at];
	}
	s->free_head = at;
	/*
	 * Link the last descriptor to the first, in our own copy: split_free()
	 * expects a circle.
	 */
	s->next[last] = head;
	s->avail->ring[s->avail_idx % r->num] = head;
	s->avail_idx++;
	return head;
}

static bool split_publish(struct ring *r)
{
	struct ring_split *s = &r->split;
	uint16_t old = s->published;

	if (s->avail_idx == old)
		return false;
	__atomic_store_n(&s->avail->idx, s->avail_idx, __ATOMIC_RELEASE);
	s->published = s->avail_idx;
	/*
	 * Pairs with the device's barrier between asking for a kick and reading
	 * the index again. Otherwise both could go to sleep.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->event_idx)
		return vring_need_event(avail_event(r), s->avail_idx, old);
	return !(__atomic_load_n(&s->used->flags, __ATOMIC_RELAXED) &
		 VRING_USED_F_NO_NOTIFY);
}

uint16_t ring_used_idx(const struct ring *r)
{
	return __atomic_load_n(&r->split.used->idx, __ATOMIC_ACQUIRE);
}

static bool split_is_used(const struct ring *r)
{
	return ring_used_idx(r) != r->split.last_used;
}

static uint32_t split_peek(const struct ring *r, uint32_t *len)
{
	const struct vring_used_elem *e =
		&r->split.used->ring[r->split.last_used % r->num];

	*len = e->len;
	return e->id;
}

/*
 * Gives a chain, which split_add() has closed to a circle, back to the free
 * list.
 */
static void split_free(struct ring *r, uint16_t head)
{
	struct ring_split *s = &r->split;
	uint16_t at = head, n = 1;

	while (s->next[at] != head) {
		at = s->next[at];
		n++;
	}
	s->next[at] = s->free_head;
	s->free_head = head;
	s->last_used++;
	r->num_free = (uint16_t)(r->num_free + n);
}

static void split_arm(struct ring *r)
{
	if (r->event_idx)
		__atomic_store_n(used_event(r), r->split.last_used,
				 __ATOMIC_RELAXED);
	else
		r->split.avail->flags = 0;
}

static void split_disarm(struct ring *r)
{
	/*
	 * With EVENT_IDX nothing is written: a used_event that is behind asks
	 * for no interrupt.
	 */
	if (!r->event_idx)
		r->split.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}

/* Is @head in the used ring, and not yet popped? */
static bool is_used(const struct ring *r, uint16_t head)
{
	for (uint16_t i = r->split.last_used; i != ring_used_idx(r); i++)
		if (r->split.used->ring[i % r->num].id == head)
			return true;
	return false;
}

void ring_requeue(struct ring *r)
{
	uint16_t at = ring_used_idx(r);

	for (unsigned int i = 0; i < r->num; i++)
		if (r->token[i] != RING_NO_TOKEN && !is_used(r, (uint16_t)i))
			r->split.avail->ring[at++ % r->num] = (uint16_t)i;
}

static unsigned int split_base(const struct ring *r)
{
	return r->split.avail_idx;
}

static struct fe_vring_addr split_addr(const struct ring *r)
{
	return (struct fe_vring_addr){
		.desc = (uintptr_t)r->split.desc,
		.avail = (uintptr_t)r->split.avail,
		.used = (uintptr_t)r->split.used,
	};
}

static void split_print(const struct ring *r, FILE *to)
{
	const struct ring_split *s = &r->split;

	fprintf(to, "size %u avail %u (event %u, flags %u) used %u (event %u, "
		"flags %u) seen %u", r->num, s->avail->idx, avail_event(r),
		s->avail->flags, s->used->idx, *used_event(r), s->used->flags,
		s->last_used);
}

const struct ring_format ring_split_format = {
	.create = split_create,
	.destroy = split_destroy,
	.reset = split_reset,
	.add = split_add,
	.publish = split_publish,
	.is_used = split_is_used,
	.peek = split_peek,
	.free = split_free,
	.arm = split_arm,
	.disarm = split_disarm,
	.base = split_base,
	.addr = split_addr,
	.print = split_print,
};
