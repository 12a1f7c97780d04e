// SPDX-License-Identifier: GPL-2.0
/*
 * ring - the driver's side of one split virtqueue
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "ring.h"

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

size_t ring_bytes(unsigned int num)
{
	return desc_bytes(num) + avail_bytes(num) + used_bytes(num) + 64;
}

static uint16_t *used_event(const struct ring *r)
{
	return &r->avail->ring[r->num];
}

static uint16_t *avail_event(const struct ring *r)
{
	return (void *)((uint8_t *)r->used + used_bytes(r->num) -
			sizeof(uint16_t));
}

uint16_t ring_avail_event(const struct ring *r)
{
	return __atomic_load_n(avail_event(r), __ATOMIC_RELAXED);
}

int ring_create(struct ring *r, struct mem *mem, unsigned int num,
		unsigned int region, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	r->mem = mem;
	r->num = (uint16_t)num;
	r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->desc = mem_alloc(mem, desc_bytes(num), 16, region);
	r->avail = mem_alloc(mem, avail_bytes(num), 2, region);
	r->used = mem_alloc(mem, used_bytes(num), 4, region);
	r->next = calloc(num, sizeof(*r->next));
	r->token = calloc(num, sizeof(*r->token));
	if (!r->desc || !r->avail || !r->used || !r->next || !r->token ||
	    r->kick < 0 || r->call < 0 || r->err < 0) {
		ring_destroy(r);
		return -ENOMEM;
	}
	ring_reset(r, seed);
	return 0;
}

void ring_destroy(struct ring *r)
{
	free(r->next);
	free(r->token);
	r->next = NULL;
	r->token = NULL;
	close(r->kick);
	close(r->call);
	close(r->err);
}

void ring_reset(struct ring *r, uint64_t seed)
{
	uint32_t *order = r->token;

	memset(r->desc, 0, desc_bytes(r->num));
	memset(r->avail, 0, avail_bytes(r->num));
	memset(r->used, 0, used_bytes(r->num));
	for (unsigned int i = 0; i < r->num; i++) {
		unsigned int j = (unsigned int)(bench_random(&seed) % (i + 1));

		order[i] = order[j];
		order[j] = i;
	}
	for (unsigned int i = 0; i < r->num; i++)
		r->next[order[i]] = (uint16_t)order[(i + 1) % r->num];
	r->free_head = (uint16_t)order[0];
	for (unsigned int i = 0; i < r->num; i++)
		r->token[i] = RING_NO_TOKEN;
	r->num_free = r->num;
	r->avail_idx = 0;
	r->published = 0;
	r->last_used = 0;
}

/* Fills @d; the device may read it only after the index was published. */
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

int ring_add(struct ring *r, const struct ring_seg *seg, unsigned int nseg,
	     struct ring_shape shape, uint32_t token)
{
	unsigned int direct = shape.table ? shape.direct : nseg;
	unsigned int need = direct + !!shape.table;
	uint16_t head = r->free_head, at = head, last = head;

	if (need > r->num_free)
		return -ENOSPC;
	for (unsigned int i = 0; i < direct; i++) {
		desc_set(&r->desc[at], &seg[i], i + 1 < need, r->next[at]);
		last = at;
		at = r->next[at];
	}
	if (shape.table) {
		table_set(r, &r->desc[at], shape.table, seg + direct,
			  nseg - direct);
		last = at;
		at = r->next[at];
	}
	r->free_head = at;
	r->num_free = (uint16_t)(r->num_free - need);
	/* Its own copy of the chain's end, for the way back. */
	r->next[last] = head;
	r->token[head] = token;
	r->avail->ring[r->avail_idx % r->num] = head;
	r->avail_idx++;
	return 0;
}

void ring_kick(const struct ring *r)
{
	const uint64_t one = 1;

	/* EAGAIN: the counter is full, so the device has been told enough. */
	if (write(r->kick, &one, sizeof(one)) < 0)
		return;
}

void ring_publish(struct ring *r)
{
	uint16_t old = r->published;
	bool wanted;

	if (r->avail_idx == old)
		return;
	__atomic_store_n(&r->avail->idx, r->avail_idx, __ATOMIC_RELEASE);
	r->published = r->avail_idx;
	/*
	 * Pairs with the device's barrier between asking for a kick and
	 * looking at the index again: else both go to sleep.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->event_idx)
		wanted = vring_need_event(ring_avail_event(r), r->avail_idx,
					  old);
	else
		wanted = !(__atomic_load_n(&r->used->flags, __ATOMIC_RELAXED) &
			   VRING_USED_F_NO_NOTIFY);
	if (!wanted)
		return;
	r->kicks++;
	ring_kick(r);
}

uint16_t ring_used_idx(const struct ring *r)
{
	return __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);
}

/* Gives a chain, closed to a circle by ring_add(), back to the free list. */
static void chain_free(struct ring *r, uint16_t head)
{
	uint16_t at = head, n = 1;

	while (r->next[at] != head) {
		at = r->next[at];
		n++;
	}
	r->next[at] = r->free_head;
	r->free_head = head;
	r->num_free = (uint16_t)(r->num_free + n);
	r->token[head] = RING_NO_TOKEN;
}

int ring_pop(struct ring *r, uint32_t *token, uint32_t *len)
{
	const struct vring_used_elem *e;
	uint32_t id;

	if (ring_used_idx(r) == r->last_used)
		return -EAGAIN;
	e = &r->used->ring[r->last_used % r->num];
	id = e->id;
	*len = e->len;
	if (id >= r->num || r->token[id] == RING_NO_TOKEN)
		return -EPROTO;
	*token = r->token[id];
	chain_free(r, (uint16_t)id);
	r->last_used++;
	return 0;
}

bool ring_arm(struct ring *r)
{
	if (r->event_idx)
		__atomic_store_n(used_event(r), r->last_used,
				 __ATOMIC_RELAXED);
	else
		r->avail->flags = 0;
	/* Pairs with the device's barrier between used index and our flags. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_used_idx(r) != r->last_used;
}

void ring_disarm(struct ring *r)
{
	/* With EVENT_IDX an event index left behind asks for nothing. */
	if (!r->event_idx)
		r->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}

/* True if @head is in the used ring, but was not popped yet. */
static bool is_used(const struct ring *r, uint16_t head)
{
	for (uint16_t i = r->last_used; i != ring_used_idx(r); i++)
		if (r->used->ring[i % r->num].id == head)
			return true;
	return false;
}

void ring_requeue(struct ring *r)
{
	uint16_t at = ring_used_idx(r);

	for (unsigned int i = 0; i < r->num; i++)
		if (r->token[i] != RING_NO_TOKEN && !is_used(r, (uint16_t)i))
			r->avail->ring[at++ % r->num] = (uint16_t)i;
}

struct fe_vring_addr ring_addr(const struct ring *r)
{
	return (struct fe_vring_addr){
		.desc = (uintptr_t)r->desc,
		.avail = (uintptr_t)r->avail,
		.used = (uintptr_t)r->used,
	};
}
