// SPDX-License-Identifier: GPL-2.0
/*
 * ring_packed - the driver's side of a packed virtqueue (virtio 1.3, 2.8)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "ring_format.h"

static struct vring_packed_desc *entry(const struct ring *r,
				       struct ring_place p)
{
	return &r->packed.desc[ring_place_index(p, r->num)];
}

static int packed_create(struct ring *r, unsigned int region)
{
	struct ring_packed *p = &r->packed;

	p->desc = mem_alloc(r->mem, r->num * sizeof(*p->desc), 16, region);
	p->driver = mem_alloc(r->mem, sizeof(*p->driver), 4, region);
	p->device = mem_alloc(r->mem, sizeof(*p->device), 4, region);
	p->id = calloc(r->num, sizeof(*p->id));
	p->ndesc = calloc(r->num, sizeof(*p->ndesc));
	return p->desc && p->driver && p->device && p->id && p->ndesc ?
	       0 : -ENOMEM;
}

static void packed_destroy(struct ring *r)
{
	free(r->packed.id);
	free(r->packed.ndesc);
	r->packed.id = NULL;
	r->packed.ndesc = NULL;
}

static void packed_reset(struct ring *r, const uint32_t *order)
{
	struct ring_packed *p = &r->packed;

	memset(p->desc, 0, r->num * sizeof(*p->desc));
	memset(p->driver, 0, sizeof(*p->driver));
	memset(p->device, 0, sizeof(*p->device));
	for (unsigned int i = 0; i < r->num; i++)
		p->id[i] = (uint16_t)order[i];
	p->nid = r->num;
	p->next = (struct ring_place){ 0 };
	p->published = p->next;
	p->seen = p->next;
}

/*
 * Appends an entry. The flags of the first entry since the last publish are
 * written only at the next publish: until then the device looks at none of the
 * entries.
 */
static void put(struct ring *r, struct vring_packed_desc d)
{
	struct ring_packed *p = &r->packed;
	struct vring_packed_desc *to = entry(r, p->next);

	d.flags |= ring_place_avail(p->next, r->num);
	to->addr = d.addr;
	to->len = d.len;
	to->id = d.id;
	if (p->next.at == p->published.at)
		p->first_flags = d.flags;
	else
		to->flags = d.flags;
	p->next = ring_place_go(p->next, 1, r->num);
}

static struct vring_packed_desc piece(const struct ring_seg *seg, uint16_t id)
{
	return (struct vring_packed_desc){
		.addr = seg->gpa, .len = seg->len, .id = id,
		.flags = seg->in ? VRING_DESC_F_WRITE : 0,
	};
}

static uint16_t packed_add(struct ring *r, const struct ring_seg *seg,
			   unsigned int nseg, struct ring_shape shape)
{
	struct vring_packed_desc *table = shape.table, d;
	struct ring_packed *p = &r->packed;
	uint16_t id = p->id[--p->nid];

	for (unsigned int i = 0; i < shape.direct; i++) {
		d = piece(&seg[i], id);
		if (i + 1 < shape.direct || table)
			d.flags |= VRING_DESC_F_NEXT;
		put(r, d);
	}
	p->ndesc[id] = (uint16_t)shape.direct;
	if (!table)
		return id;
	for (unsigned int i = shape.direct; i < nseg; i++)
		table[i - shape.direct] = piece(&seg[i], 0);
	put(r, (struct vring_packed_desc){
		.addr = mem_gpa(r->mem, table), .id = id,
		.len = (nseg - shape.direct) * (uint32_t)sizeof(*table),
		.flags = VRING_DESC_F_INDIRECT,
	});
	p->ndesc[id]++;
	return id;
}

/* Was the device's event place among the entries just published? */
static bool wants_kick(const struct ring *r, struct ring_place old)
{
	const struct ring_packed *p = &r->packed;
	uint16_t flags, event;
	struct ring_place at;

	flags = __atomic_load_n(&p->device->flags, __ATOMIC_ACQUIRE);
	if (!r->event_idx || flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	event = __atomic_load_n(&p->device->off_wrap, __ATOMIC_RELAXED);
	at = ring_place_of(event, r->num);
	return ring_place_distance(old, at, r->num) <
	       ring_place_distance(old, p->next, r->num);
}

static bool packed_publish(struct ring *r)
{
	struct ring_packed *p = &r->packed;
	struct ring_place old = p->published;

	if (p->next.at == old.at)
		return false;
	__atomic_store_n(&entry(r, old)->flags, p->first_flags,
			 __ATOMIC_RELEASE);
	p->published = p->next;
	/*
	 * Pairs with the device's barrier between asking for a kick and reading
	 * the next entry again. Otherwise both could go to sleep.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return wants_kick(r, old);
}

static bool packed_is_used(const struct ring *r)
{
	uint16_t flags = __atomic_load_n(&entry(r, r->packed.seen)->flags,
					 __ATOMIC_ACQUIRE);

	return ring_place_used(r->packed.seen, r->num, flags);
}

static uint32_t packed_peek(const struct ring *r, uint32_t *len)
{
	const struct vring_packed_desc *d = entry(r, r->packed.seen);

	*len = d->len;
	return d->id;
}

static void packed_free(struct ring *r, uint16_t id)
{
	struct ring_packed *p = &r->packed;

	p->seen = ring_place_go(p->seen, p->ndesc[id], r->num);
	r->num_free = (uint16_t)(r->num_free + p->ndesc[id]);
	p->id[p->nid++] = id;
}

static void packed_arm(struct ring *r)
{
	struct ring_packed *p = &r->packed;
	uint16_t flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	if (r->event_idx) {
		__atomic_store_n(&p->driver->off_wrap,
				 ring_place_word(p->seen, r->num),
				 __ATOMIC_RELAXED);
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	/*
	 * Release: the event place must be written before the flags that make
	 * it valid.
	 */
	__atomic_store_n(&p->driver->flags, flags, __ATOMIC_RELEASE);
}

static void packed_disarm(struct ring *r)
{
	__atomic_store_n(&r->packed.driver->flags,
			 VRING_PACKED_EVENT_FLAG_DISABLE, __ATOMIC_RELAXED);
}

static unsigned int packed_base(const struct ring *r)
{
	unsigned int avail = ring_place_word(r->packed.next, r->num);
	unsigned int used = ring_place_word(r->packed.seen, r->num);

	return avail | used << 16;
}

static struct fe_vring_addr packed_addr(const struct ring *r)
{
	return (struct fe_vring_addr){
		.desc = (uintptr_t)r->packed.desc,
		.avail = (uintptr_t)r->packed.driver,
		.used = (uintptr_t)r->packed.device,
	};
}

static void packed_print(const struct ring *r, FILE *to)
{
	const struct ring_packed *p = &r->packed;

	fprintf(to, "packed size %u next %#x seen %#x (flags %#x) driver %#x "
		"(flags %u) device %#x (flags %u)", r->num,
		ring_place_word(p->next, r->num),
		ring_place_word(p->seen, r->num),
		entry(r, p->seen)->flags, p->driver->off_wrap,
		p->driver->flags, p->device->off_wrap, p->device->flags);
}

const struct ring_format ring_packed_format = {
	.create = packed_create,
	.destroy = packed_destroy,
	.reset = packed_reset,
	.add = packed_add,
	.publish = packed_publish,
	.is_used = packed_is_used,
	.peek = packed_peek,
	.free = packed_free,
	.arm = packed_arm,
	.disarm = packed_disarm,
	.base = packed_base,
	.addr = packed_addr,
	.print = packed_print,
};
