// SPDX-License-Identifier: GPL-2.0
/*
 * vq_packed - the packed ring (virtio 1.3, section 2.8)
 *
 * Driver and device write to one ring of descriptors. Two bits of an entry's flags,
 * compared with a wrap counter that flips at each end of the ring, tell whether the
 * driver or the device owns it. A chain is a run of consecutive entries. The device
 * marks a chain used in the first entry that is not used yet, and skips as many entries
 * as the chain had.
 *
 * As in the split ring, each field is read once into a copy. The flags of a head are
 * read one time more before that, only to see whether the device owns it.
 */
#include <linux/err.h>
#include <linux/nospec.h>

#include "vq.h"
#include "vq_layout.h"

#define PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	BIT(VRING_PACKED_DESC_F_USED)
#define PACKED_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)
#define PACKED_OFF	(PACKED_WRAP - 1)

/*
 * In VHOST_SET_VRING_BASE: bits 0 to 15 are the position to take the next chain from,
 * bits 16 to 31 (from this shift on) the position to write the next used entry to
 */
#define PACKED_BASE_USED	16

size_t bell_vq_packed_desc_size(u32 num)
{
	return sizeof(struct vring_packed_desc) * num;
}

/* Size of the driver and device event suppression areas */
size_t bell_vq_packed_event_size(void)
{
	return sizeof(struct vring_packed_desc_event);
}

/* Write the flags of the device's event area, after its other word. */
static void packed_set_event(struct bell_vq *vq, u16 flags)
{
	WRITE_ONCE(vq->device_event->flags, cpu_to_le16(flags));
	if (unlikely(vq->log))
		bell_vq_log_used(vq, vq->device_event,
				 sizeof(*vq->device_event));
}

/* bell_vq_packed_start() - set the positions to those in @base, and enable kicks */
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
	packed_set_event(vq, VRING_PACKED_EVENT_FLAG_ENABLE);
}

/* bell_vq_packed_base() - the present positions, as in VHOST_GET_VRING_BASE */
u32 bell_vq_packed_base(const struct bell_vq *vq)
{
	u32 avail = vq->last_avail | (vq->avail_wrap ? PACKED_WRAP : 0);
	u32 used = vq->used_idx | (vq->used_wrap ? PACKED_WRAP : 0);

	return avail | used << PACKED_BASE_USED;
}

/*
 * bell_vq_packed_move() - move the position of the next take by @ndesc entries;
 * backward if negative
 */
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

/* bell_vq_packed_is_used() - is the entry at the position of the next used one used? */
bool bell_vq_packed_is_used(const struct bell_vq *vq)
{
	u16 flags = le16_to_cpu(READ_ONCE(vq->pdesc[vq->used_idx].flags));

	return !!(flags & PACKED_AVAIL) == vq->used_wrap &&
	       !!(flags & PACKED_USED) == vq->used_wrap;
}

/*
 * bell_vq_packed_avail() - is there a chain to take?
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

static int packed_add(struct bell_vq *vq, struct bell_chain *chain, u64 addr,
		      u32 len, u16 flags)
{
	return bell_vq_chain_add(vq, chain, vq->max_segs, addr, len,
				 flags & VRING_DESC_F_WRITE);
}

/*
 * Add the entries of an indirect table to the chain: all of them, as only the WRITE
 * flag of each has a meaning.
 */
static int packed_fetch_indirect(struct bell_vq *vq, bool may_pin,
				 struct bell_chain *chain,
				 const struct vring_packed_desc *d)
{
	u64 table = le64_to_cpu(d->addr), addr, rest;
	u32 len = le32_to_cpu(d->len), num, i;
	const struct bell_vq_entry *entry;
	u16 flags;
	int ret;

	if (le16_to_cpu(d->flags) & VRING_DESC_F_NEXT)
		return bell_vq_break(vq, "indirect descriptor with the NEXT flag");
	entry = bell_vq_chain_open_table(vq, may_pin, table, len);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	num = len / sizeof(*entry);
	for (i = 0; i < num; i++) {
		ret = bell_vq_chain_read_entry(vq, may_pin, table, entry,
					       array_index_nospec(i, num), &addr,
					       &rest);
		if (ret)
			return ret;
		flags = rest >> 48;
		if (flags & VRING_DESC_F_INDIRECT)
			return bell_vq_break(vq, "nested indirect descriptor");
		ret = packed_add(vq, chain, addr, rest, flags);
		if (ret)
			return ret;
	}
	return 0;
}

/* Walk the entries of the chain. The last one has the buffer ID. */
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
			ret = packed_add(vq, chain, le64_to_cpu(d.addr),
					 le32_to_cpu(d.len), flags);
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
 * bell_vq_packed_fetch() - read the next chain; the caller has seen that there is one
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN from bell_gmem_span().
 */
int bell_vq_packed_fetch(struct bell_vq *vq, bool may_pin,
			 struct bell_chain *chain)
{
	u16 id;
	int ret;

	bell_vq_chain_begin(vq, chain);
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
 * bell_vq_packed_enable_kick() - ask the driver for a kick when it adds a chain
 *
 * Return: true if it added one meanwhile: look again.
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
		/* The driver reads the flags before the offset: write them after it. */
		smp_wmb();
	}
	packed_set_event(vq, flags);
	/*
	 * Pairs with the driver's full barrier between making entries available
	 * and reading what we just wrote: else it skips the kick and we sleep
	 * on a ring that is not empty.
	 */
	smp_mb();
	return bell_vq_packed_avail(vq);
}

/* bell_vq_packed_kick_due() - has the driver added a chain since it was asked to kick? */
bool bell_vq_packed_kick_due(struct bell_vq *vq)
{
	return packed_is_avail(vq, vq->kick_at, vq->kick_wrap);
}

/* bell_vq_packed_disable_kick() - tell the driver that no kick is needed */
void bell_vq_packed_disable_kick(struct bell_vq *vq)
{
	/*
	 * With EVENT_IDX the old event offset stays: the driver kicks once in two
	 * rounds of the ring at most.
	 */
	if (!vq->event_idx)
		packed_set_event(vq, VRING_PACKED_EVENT_FLAG_DISABLE);
}

/*
 * bell_vq_packed_put() - put a chain of @ndesc entries into the ring as used
 *
 * The driver reads used entries in order: it sees none before
 * bell_vq_packed_publish() has written the flags of the first.
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
	if (unlikely(vq->log))
		bell_vq_log_desc(vq, d, sizeof(*d));

	vq->used_idx += ndesc;
	if (vq->used_idx >= vq->num) {
		vq->used_idx -= vq->num;
		vq->used_wrap = !vq->used_wrap;
	}
}

/* Does the driver want a signal for the entries that were published? */
static bool packed_wants_signal(struct bell_vq *vq)
{
	u16 old = vq->signalled_used, new = vq->used_idx, event, flags;
	bool valid = vq->signalled_valid;

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

	/* Pairs with the driver's barrier between writing the offset and the flags. */
	smp_rmb();
	event = le16_to_cpu(READ_ONCE(vq->driver_event->off_wrap));
	/*
	 * Compare as if positions did not wrap: those of the round before are negative.
	 */
	if (!!(event & PACKED_WRAP) != vq->used_wrap)
		event = (event & PACKED_OFF) - vq->num;
	else
		event &= PACKED_OFF;
	if (new <= old)
		old -= vq->num;
	return vring_need_event(event, new, old);
}

/*
 * bell_vq_packed_publish() - make the entries that were put visible to the driver
 *
 * Return: true if the driver wants a signal for them.
 */
bool bell_vq_packed_publish(struct bell_vq *vq)
{
	lockdep_assert_held(&vq->lock);
	/* Pairs with the driver's read barrier after it reads the flags. */
	smp_store_release(&vq->used_first->flags,
			  cpu_to_le16(vq->used_first_flags));
	if (unlikely(vq->log))
		bell_vq_log_desc(vq, vq->used_first, sizeof(*vq->used_first));
	vq->used_first = NULL;
	return packed_wants_signal(vq);
}
