// SPDX-License-Identifier: GPL-2.0
/*
 * victim_ring - publish a crafted request on queue 0, split or packed
 *
 * It does not use ring.c, as ring.c keeps the rules that are broken here.
 */
#include "victim.h"

#define NEXT	VRING_DESC_F_NEXT
#define OWN	(1u << VRING_PACKED_DESC_F_AVAIL | 1u << VRING_PACKED_DESC_F_USED)

static struct vring_packed_desc *entry(const struct victim *v,
				       struct ring_place p)
{
	return &v->ring[0].packed.desc[ring_place_index(p, VICTIM_NUM)];
}

static void lay_table(struct victim *v)
{
	struct vring_packed_desc *to = v->table_at;

	for (unsigned int i = 0; i < VICTIM_TABLE; i++)
		to[i] = (struct vring_packed_desc){
			.addr = v->table[i].addr, .len = v->table[i].len,
			.flags = v->table[i].flags, .id = v->table[i].next,
		};
}

/*
 * Lays the chain into the packed ring: from the first descriptor along the next
 * fields to the first one without NEXT, but at most one whole ring, which then
 * has no end. The flags of the first entry are written last.
 */
static void lay_chain(struct victim *v)
{
	struct victim_packed *p = &v->packed;
	struct vring_packed_desc *head = entry(v, p->next);
	const struct vring_desc *d = &v->desc[0];
	uint16_t flags, head_flags = 0, n = 0;

	do {
		struct vring_packed_desc *to = entry(v, p->next);

		flags = (uint16_t)((d->flags & ~OWN) |
				   ring_place_avail(p->next, VICTIM_NUM));
		to->addr = d->addr;
		to->len = d->len;
		to->id = p->id;
		if (to == head)
			head_flags = flags;
		else
			to->flags = flags;
		p->next = ring_place_go(p->next, 1, VICTIM_NUM);
		n++;
		d = &v->desc[d->next % VICTIM_NUM];
	} while (flags & NEXT && n < VICTIM_NUM);
	if (p->id < VICTIM_NUM)
		p->ndesc[p->id] = n;
	p->queued += n;
	p->published++;
	__atomic_store_n(&head->flags, head_flags, __ATOMIC_RELEASE);
}

void victim_publish(struct victim *v)
{
	struct ring *r = &v->ring[0];

	if (ring_is_packed(r)) {
		lay_table(v);
		while (v->packed.published != v->avail_idx)
			lay_chain(v);
	} else {
		__atomic_store_n(&r->split.avail->idx, v->avail_idx,
				 __ATOMIC_RELEASE);
	}
	ring_kick(r);
}

void victim_send_good(struct victim *v)
{
	struct ring *r = &v->ring[0];
	unsigned int at = v->avail_idx % VICTIM_NUM;

	victim_direct(v, VIRTIO_BLK_T_IN, 0, VICTIM_DATA);
	if (ring_is_packed(r)) {
		v->avail_idx = (uint16_t)(v->packed.published + 1);
	} else {
		r->split.avail->ring[at] = 0;
		v->avail_idx = (uint16_t)(__atomic_load_n(&r->split.avail->idx,
						__ATOMIC_RELAXED) + 1);
	}
	victim_publish(v);
}

uint16_t victim_used(struct victim *v)
{
	struct victim_packed *p = &v->packed;

	if (!ring_is_packed(&v->ring[0]))
		return ring_used_idx(&v->ring[0]);
	for (;;) {
		const struct vring_packed_desc *d = entry(v, p->seen);
		uint16_t flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);
		unsigned int n;

		if (!p->queued || !ring_place_used(p->seen, VICTIM_NUM, flags))
			return p->used;
		n = d->id < VICTIM_NUM ? p->ndesc[d->id] : 1;
		p->seen = ring_place_go(p->seen, n ? n : 1, VICTIM_NUM);
		p->queued -= n < p->queued ? n : p->queued;
		p->used++;
	}
}
