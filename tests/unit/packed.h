/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packed - the packed ring of a guest, on the memory of ring.h
 *
 * The driver's side is written from the spec (virtio 1.3, section 2.8) alone.
 */
#ifndef TESTS_UNIT_PACKED_H
#define TESTS_UNIT_PACKED_H

#include "ring.h"

#define P_AVAIL		(1U << VRING_PACKED_DESC_F_AVAIL)
#define P_USED		(1U << VRING_PACKED_DESC_F_USED)
#define P_WRAP		(1U << VRING_PACKED_EVENT_F_WRAP_CTR)
#define P_ENABLE	VRING_PACKED_EVENT_FLAG_ENABLE
#define P_DISABLE	VRING_PACKED_EVENT_FLAG_DISABLE
#define P_DESC		VRING_PACKED_EVENT_FLAG_DESC

/* A place in the ring (15 bits) and its wrap counter (1 bit). */
struct place {
	u16	at;
	bool	wrap;
};

/* A descriptor without the AVAIL and USED flags. */
struct pd {
	u64	addr;
	u32	len;
	u16	flags;
	u16	id;
};

struct packed {
	struct ring			 r;
	struct vring_packed_desc	*desc;
	struct vring_packed_desc_event	*driver;
	struct vring_packed_desc_event	*device;
	struct place			 next;	/* next entry to make available */
	struct place			 seen;	/* next entry to look at for a used element */
};

static inline u16 place_word(struct place p)
{
	return p.at | (p.wrap ? P_WRAP : 0);
}

static inline struct place place_go(struct place p, u32 n, u32 num)
{
	for (; n; n--) {
		if (++p.at == num) {
			p.at = 0;
			p.wrap = !p.wrap;
		}
	}
	return p;
}

static inline u32 packed_base(struct place avail, struct place used)
{
	return place_word(avail) | (u32)place_word(used) << 16;
}

/* Set up guest memory and a queue; do not start the queue. */
static inline void packed_init(struct packed *p, u32 num)
{
	memset(p, 0, sizeof(*p));
	ring_init(&p->r, num);
	p->r.cfg.packed = true;
	p->desc = (void *)p->r.desc;
	p->driver = (void *)p->r.avail;
	p->device = (void *)p->r.used;
	p->next = p->seen = (struct place){ .wrap = true };
}

/*
 * Start with a ring whose driver and device have both reached @from, with
 * nothing in flight: entries before @from look used in this round, the others
 * in the round before.
 */
static inline void packed_start_at(struct packed *p, struct place from)
{
	u32 num = p->r.cfg.num;
	int ret;

	for (u32 i = 0; i < num; i++) {
		bool wrap = i < from.at ? from.wrap : !from.wrap;

		p->desc[i] = (struct vring_packed_desc){
			.flags = htole16(wrap ? P_AVAIL | P_USED : 0),
		};
	}
	p->next = from;
	p->seen = from;
	p->r.cfg.base = packed_base(from, from);
	ret = bell_vq_start(&p->r.vq, p->r.gm, &p->r.cfg);
	if (ret)
		shim_die("the queue does not start: %d", ret);
}

static inline void packed_start(struct packed *p)
{
	packed_start_at(p, (struct place){ .wrap = true });
}

static inline void packed_begin(struct packed *p, u32 num)
{
	packed_init(p, num);
	packed_start(p);
}

static inline void packed_end(struct packed *p)
{
	ring_end(&p->r);
}

static inline void packed_put_desc(struct vring_packed_desc *d,
				   const struct pd *from, u16 own)
{
	d->addr = htole64(from->addr);
	d->len = htole32(from->len);
	d->id = htole16(from->id);
	d->flags = htole16(from->flags | own);
}

/*
 * Make a chain of @n entries available; write the flags of its first entry
 * last.
 */
static inline void packed_add(struct packed *p, const struct pd *d, u32 n)
{
	struct place at = p->next, head = at;
	u16 own = at.wrap ? P_AVAIL : P_USED;
	u16 flags = d->flags | own;

	for (u32 i = 0; i < n; i++) {
		own = at.wrap ? P_AVAIL : P_USED;
		/*
		 * Keep the first entry unavailable until the whole chain is
		 * written.
		 */
		packed_put_desc(&p->desc[at.at], &d[i],
				i ? own : own ^ (P_AVAIL | P_USED));
		at = place_go(at, 1, p->r.cfg.num);
	}
	__atomic_store_n(&p->desc[head.at].flags, htole16(flags),
			 __ATOMIC_RELEASE);
	p->next = at;
}

/* Make a chain of one writable piece available. */
static inline void packed_add_simple(struct packed *p, u16 id)
{
	packed_add(p, &(struct pd){ RING_DATA + id * 16, 16, D_WRITE, id }, 1);
}

/* Is the next entry used? */
static inline bool packed_is_used(const struct packed *p)
{
	u16 flags = le16toh(__atomic_load_n(&p->desc[p->seen.at].flags,
					    __ATOMIC_ACQUIRE));

	return !!(flags & P_AVAIL) == p->seen.wrap &&
	       !!(flags & P_USED) == p->seen.wrap;
}

/*
 * Read the id and length of the next used entry, and go past its chain of
 * @ndesc entries.
 */
static inline void packed_see(struct packed *p, u16 *id, u32 *len, u32 ndesc)
{
	const struct vring_packed_desc *d = &p->desc[p->seen.at];

	*id = le16toh(d->id);
	*len = le32toh(d->len);
	p->seen = place_go(p->seen, ndesc, p->r.cfg.num);
}

static inline struct place packed_place(u16 word)
{
	return (struct place){ word & (P_WRAP - 1), word & P_WRAP };
}

#endif
