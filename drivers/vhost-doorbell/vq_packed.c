// SPDX-License-Identifier: GPL-2.0
/*
 * vq_packed - the packed ring (virtio 1.3, section 2.8)
 *
 * One ring of descriptors that driver and device both write: whose an entry is
 * tell two bits of its flags, held against a wrap counter that turns at each end
 * of the ring. A chain is consecutive entries; the device marks it used in the
 * first entry that is not used yet, and skips as many as the chain had.
 *
 * As in the split ring, each field is read once into a copy; but the flags of a
 * head are looked at before that, for whose it is and for nothing else.
 */
#include <linux/nospec.h>

#include "vq.h"
#include "vq_layout.h"

#define PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	BIT(VRING_PACKED_DESC_F_USED)
#define PACKED_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)
#define PACKED_OFF	(PACKED_WRAP - 1)

/* Of VHOST_SET_VRING_BASE: where we use, above where we take. */
#define PACKED_BASE_USED	16

size_t bell_vq_packed_desc_size(u32 num)
{
	return sizeof(struct vring_packed_desc) * num;
}

/* Of the areas in which driver and device say when they want to be told. */
size_t bell_vq_packed_event_size(void)
{
	return sizeof(struct vring_packed_desc_event);
}

/* bell_vq_packed_start() - go on at @base */
void bell_vq_packed_start(struct bell_vq *vq, u32 base)
{
	u16 used = base >> PACKED_BASE_USED;

	vq->last_avail = base & PACKED_OFF;
	vq->avail_wrap = base & PACKED_WRAP;
	vq->kick_at = vq->last_avail;
	vq->kick_wrap = vq->avail_wrap;
	vq->used_idx = used & PACKED_OFF;
	vq->used_wrap = used & PACKED_WRAP;
	vq->signalled_valid = false;
	WRITE_ONCE(vq->device_event->flags,
		   cpu_to_le16(VRING_PACKED_EVENT_FLAG_ENABLE));
}

/* bell_vq_packed_base() - where to go on */
u32 bell_vq_packed_base(const struct bell_vq *vq)
{
	u32 avail = vq->last_avail | (vq->avail_wrap ? PACKED_WRAP : 0);
	u32 used = vq->used_idx | (vq->used_wrap ? PACKED_WRAP : 0);

	return avail | used << PACKED_BASE_USED;
}

/* bell_vq_packed_move() - go on by @ndesc entries, or back if negative */
void bell_vq_packed_move(struct bell_vq *vq, int ndesc)
{
	int at = vq->last_avail + ndesc;

	if (at < 0 || at >= (int)vq->num) {
		at += at < 0 ? vq->num : -vq->num;
		vq->avail_wrap = !vq->avail_wrap;
	}
	vq->last_avail = at;
}

static bool packed_is_avail(struct bell_vq *vq, u16 at, bool wrap)
{
	/* Pairs with the driver's barrier before it writes a head's flags. */
	u16 flags = le16_to_cpu(smp_load_acquire(&vq->pdesc[at].flags));

	return !!(flags & PACKED_AVAIL) == wrap && !!(flags & PACKED_USED) != wrap;
}

/*
 * bell_vq_packed_avail() - is there anything to take?
 *
 * Return: 1 if so, 0 if not.
 */
int bell_vq_packed_avail(struct bell_vq *vq)
{
	return packed_is_avail(vq, vq->last_avail, vq->avail_wrap);
}

static void packed_copy_desc(struct vring_packed_desc *to,
			     const struct vring_packed_desc *from)
{
	to->flags = READ_ONCE(from->flags);
	to->addr = READ_ONCE(from->addr);
	to->len = READ_ONCE(from->len);
	to->id = READ_ONCE(from->id);
}

static int packed_add(struct bell_vq *vq, struct bell_chain *chain,
		      const struct vring_packed_desc *d)
{
	return bell_vq_chain_add(vq, chain, le64_to_cpu(d->addr),
				 le32_to_cpu(d->len),
				 le16_to_cpu(d->flags) & VRING_DESC_F_WRITE);
}

/* Of a table all entries count, and of their flags the one for writing only. */
static int packed_fetch_indirect(struct bell_vq *vq, bool may_pin,
				 struct bell_chain *chain,
				 const struct vring_packed_desc *d)
{
	struct vring_packed_desc entry;
	struct bell_vq_table table;
	u32 i;
	int ret;

	if (le16_to_cpu(d->flags) & VRING_DESC_F_NEXT)
		return bell_vq_break(vq, "indirect descriptor with a next");
	ret = bell_vq_chain_open_table(vq, may_pin, le64_to_cpu(d->addr),
				       le32_to_cpu(d->len), &table);
	if (ret)
		return ret;
	for (i = 0; i < table.num; i++) {
		ret = bell_vq_chain_read_table(vq, may_pin, &table, i, &entry);
		if (ret)
			return ret;
		if (le16_to_cpu(entry.flags) & VRING_DESC_F_INDIRECT)
			return bell_vq_break(vq, "nested indirect descriptor");
		ret = packed_add(vq, chain, &entry);
		if (ret)
			return ret;
	}
	return 0;
}

/* Walk the entries of the chain; the last one has the buffer id. */
static int packed_walk(struct bell_vq *vq, bool may_pin,
		       struct bell_chain *chain, u16 *id)
{
	u32 i = vq->last_avail, seen;
	struct vring_packed_desc d;
	u16 flags;
	int ret;

	for (seen = 1; seen <= vq->num; seen++) {
		packed_copy_desc(&d, &vq->pdesc[i]);
		flags = le16_to_cpu(d.flags);
		if (flags & VRING_DESC_F_INDIRECT)
			ret = packed_fetch_indirect(vq, may_pin, chain, &d);
		else
			ret = packed_add(vq, chain, &d);
		if (ret)
			return ret;
		if (!(flags & VRING_DESC_F_NEXT)) {
			chain->ndesc = seen;
			*id = le16_to_cpu(d.id);
			return 0;
		}
		if (++i == vq->num)
			i = 0;
	}
	return bell_vq_break(vq, "chain loops");
}

/*
 * bell_vq_packed_fetch() - read the next available chain, which there is
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN or -ESRCH from bell_gmem_span().
 */
int bell_vq_packed_fetch(struct bell_vq *vq, bool may_pin,
			 struct bell_chain *chain)
{
	u16 id;
	int ret;

	ret = packed_walk(vq, may_pin, chain, &id);
	if (ret)
		return ret;
	if (id >= vq->num)
		return bell_vq_break(vq, "buffer id %u past ring of %u", id,
				     vq->num);
	id = array_index_nospec(id, vq->num);
	if (READ_ONCE(vq->taken[id]))
		return bell_vq_break(vq, "buffer id %u is in flight already",
				     id);
	chain->head = id;
	return 0;
}

/*
 * bell_vq_packed_enable_kick() - ask for a kick for what comes next
 *
 * Return: true if something came meanwhile: look again.
 */
bool bell_vq_packed_enable_kick(struct bell_vq *vq)
{
	u16 flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	vq->kick_at = vq->last_avail;
	vq->kick_wrap = vq->avail_wrap;

	if (vq->event_idx) {
		WRITE_ONCE(vq->device_event->off_wrap,
			   cpu_to_le16(vq->last_avail |
				       (vq->avail_wrap ? PACKED_WRAP : 0)));
		flags = VRING_PACKED_EVENT_FLAG_DESC;
		/* The driver reads the flags first, and what they tell then. */
		smp_wmb();
	}
	WRITE_ONCE(vq->device_event->flags, cpu_to_le16(flags));
	/*
	 * Pairs with the driver's full barrier between making entries available
	 * and reading what we just wrote: else it skips the kick and we sleep
	 * on a ring that is not empty.
	 */
	smp_mb();
	return bell_vq_packed_avail(vq);
}

/* bell_vq_packed_kick_due() - has anything come since a kick was asked for? */
bool bell_vq_packed_kick_due(struct bell_vq *vq)
{
	return packed_is_avail(vq, vq->kick_at, vq->kick_wrap);
}

/* bell_vq_packed_disable_kick() - we are looking: no kick needed */
void bell_vq_packed_disable_kick(struct bell_vq *vq)
{
	/* With EVENT_IDX the place stays behind: one kick in two rounds. */
	if (!vq->event_idx)
		WRITE_ONCE(vq->device_event->flags,
			   cpu_to_le16(VRING_PACKED_EVENT_FLAG_DISABLE));
}

/*
 * bell_vq_packed_put() - write that a chain of @ndesc entries is used
 *
 * The driver looks at the entries in their order: it sees none of them before
 * the flags of the first are written.
 */
void bell_vq_packed_put(struct bell_vq *vq, u16 id, u32 len, u16 ndesc)
{
	struct vring_packed_desc *d = &vq->pdesc[vq->used_idx];
	u16 flags = vq->used_wrap ? PACKED_AVAIL | PACKED_USED : 0;

	lockdep_assert_held(&vq->lock);
	if (len)
		flags |= VRING_DESC_F_WRITE;
	WRITE_ONCE(d->id, cpu_to_le16(id));
	WRITE_ONCE(d->len, cpu_to_le32(len));
	if (!vq->used_first) {
		vq->used_first = d;
		vq->used_first_flags = flags;
	} else {
		WRITE_ONCE(d->flags, cpu_to_le16(flags));
	}

	vq->used_idx += ndesc;
	if (vq->used_idx >= vq->num) {
		vq->used_idx -= vq->num;
		vq->used_wrap = !vq->used_wrap;
	}
}

/* bell_vq_packed_publish() - show the driver all that was put there */
void bell_vq_packed_publish(struct bell_vq *vq)
{
	lockdep_assert_held(&vq->lock);
	/* Pairs with the driver's read barrier after it reads the flags. */
	smp_store_release(&vq->used_first->flags,
			  cpu_to_le16(vq->used_first_flags));
	vq->used_first = NULL;
}

/* bell_vq_packed_wants_signal() - does the driver wait for what was pushed? */
bool bell_vq_packed_wants_signal(struct bell_vq *vq)
{
	u16 old = vq->signalled_used, new = vq->used_idx, event, flags;
	bool valid = vq->signalled_valid;

	lockdep_assert_held(&vq->lock);
	vq->signalled_used = new;
	vq->signalled_valid = true;
	/*
	 * Pairs with the driver's full barrier between asking for a signal and
	 * reading the next entry's flags: else neither sees the other.
	 */
	smp_mb();
	flags = le16_to_cpu(READ_ONCE(vq->driver_event->flags));
	if (!vq->event_idx || flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	if (!valid)
		return true;

	/* Pairs with the driver's barrier between the place and the flags. */
	smp_rmb();
	event = le16_to_cpu(READ_ONCE(vq->driver_event->off_wrap));
	/* As if the ring went on: what is of the round before is below zero. */
	if (!!(event & PACKED_WRAP) != vq->used_wrap)
		event = (event & PACKED_OFF) - vq->num;
	else
		event &= PACKED_OFF;
	if (new <= old)
		old -= vq->num;
	return vring_need_event(event, new, old);
}
