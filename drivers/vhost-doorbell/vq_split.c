// SPDX-License-Identifier: GPL-2.0
/*
 * vq_split - the split ring (virtio 1.3, section 2.7)
 *
 * The guest may write to the ring at any time. So each field is read once into a copy,
 * and only the copy is checked and used. A guest that breaks the rules of the ring
 * breaks the queue. A bad address of data does not; the back end reports that.
 *
 * Legacy rings have the same layout as modern ones. Fields are little endian in both:
 * the device offers legacy only on hosts where that is native.
 */
#include <linux/align.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "vq.h"
#include "vq_layout.h"

size_t bell_vq_split_desc_size(u32 num)
{
	return sizeof(struct vring_desc) * num;
}

/*
 * Includes the used_event field, which the driver needs only with
 * VIRTIO_RING_F_EVENT_IDX.
 */
size_t bell_vq_split_avail_size(u32 num)
{
	return sizeof(struct vring_avail) + sizeof(__virtio16) * (num + 1);
}

size_t bell_vq_split_used_size(u32 num)
{
	return sizeof(struct vring_used) +
	       sizeof(struct vring_used_elem) * num + sizeof(__virtio16);
}

static __le16 *split_used_event(struct bell_vq *vq)
{
	return (__force __le16 *)&vq->avail->ring[vq->num];
}

static __le16 *split_avail_event(struct bell_vq *vq)
{
	return (__force __le16 *)&vq->used->ring[vq->num];
}

static u16 split_read16(const void *field)
{
	return le16_to_cpu(READ_ONCE(*(const __le16 *)field));
}

/* Write a word of what the used map holds. */
static void split_tell(struct bell_vq *vq, void *field, u16 value)
{
	WRITE_ONCE(*(__le16 *)field, cpu_to_le16(value));
	if (unlikely(vq->log))
		bell_vq_log_used(vq, field, sizeof(__le16));
}

/*
 * bell_vq_split_start() - begin at index @base of the available ring and at used->idx
 * of the used ring, and enable kicks
 */
void bell_vq_split_start(struct bell_vq *vq, u32 base)
{
	vq->last_avail = base;
	vq->avail_idx = base;
	vq->kick_at = base;
	vq->used_idx = split_read16(&vq->used->idx);
	vq->signalled_valid = false;
	split_tell(vq, &vq->used->flags, 0);
}

/* bell_vq_split_base() - the next index to take, for VHOST_GET_VRING_BASE */
u32 bell_vq_split_base(const struct bell_vq *vq)
{
	return vq->last_avail;
}

/*
 * bell_vq_split_avail() - is there a chain to take?
 *
 * Return: 1 if so, 0 if not, -EPROTO if the index moved by more than the ring's size.
 */
int bell_vq_split_avail(struct bell_vq *vq)
{
	__le16 idx;

	if (vq->last_avail != vq->avail_idx)
		return 1;

	/* Pairs with the driver's barrier before it publishes avail->idx. */
	idx = smp_load_acquire((__force __le16 *)&vq->avail->idx);
	vq->avail_idx = le16_to_cpu(idx);
	if ((u16)(vq->avail_idx - vq->last_avail) > vq->num)
		return bell_vq_break(vq, "available index went from %u to %u",
				     vq->last_avail, vq->avail_idx);
	return vq->last_avail != vq->avail_idx;
}

static void split_copy_desc(struct vring_desc *to, const struct vring_desc *from)
{
	to->addr = READ_ONCE(from->addr);
	to->len = READ_ONCE(from->len);
	to->flags = READ_ONCE(from->flags);
	to->next = READ_ONCE(from->next);
}

/* Add a data descriptor to the chain. */
static int split_add(struct bell_vq *vq, struct bell_chain *chain,
		     const struct vring_desc *d)
{
	return bell_vq_chain_add(vq, chain,
				 le64_to_cpu((__force __le64)d->addr),
				 le32_to_cpu((__force __le32)d->len),
				 le16_to_cpu((__force __le16)d->flags) &
				 VRING_DESC_F_WRITE);
}

/* Walk the table of an indirect descriptor. */
static int split_fetch_indirect(struct bell_vq *vq, bool may_pin,
				struct bell_chain *chain,
				const struct vring_desc *d)
{
	struct bell_vq_table table;
	struct vring_desc entry;
	u32 seen, i = 0;
	u16 flags;
	int ret;

	if (le16_to_cpu((__force __le16)d->flags) & VRING_DESC_F_NEXT)
		return bell_vq_break(vq, "indirect descriptor with the NEXT flag");
	ret = bell_vq_chain_open_table(vq, may_pin,
				       le64_to_cpu((__force __le64)d->addr),
				       le32_to_cpu((__force __le32)d->len),
				       &table);
	if (ret)
		return ret;
	for (seen = 0; seen < table.num; seen++) {
		ret = bell_vq_chain_read_table(vq, may_pin, &table, i, &entry);
		if (ret)
			return ret;
		flags = le16_to_cpu((__force __le16)entry.flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return bell_vq_break(vq, "nested indirect descriptor");
		ret = split_add(vq, chain, &entry);
		if (ret || !(flags & VRING_DESC_F_NEXT))
			return ret;
		i = le16_to_cpu((__force __le16)entry.next);
		if (i >= table.num)
			return bell_vq_break(vq, "next %u past table of %u", i,
					     table.num);
	}
	return bell_vq_break(vq, "indirect table loops");
}

/* Walk the descriptors from @i on. */
static int split_walk(struct bell_vq *vq, bool may_pin,
		      struct bell_chain *chain, u16 i)
{
	struct vring_desc d;
	u32 seen;
	u16 flags;
	int ret;

	for (seen = 0; seen < vq->num; seen++) {
		if (i >= vq->num)
			return bell_vq_break(vq, "descriptor %u past ring of %u",
					     i, vq->num);
		split_copy_desc(&d, &vq->desc[array_index_nospec(i, vq->num)]);
		flags = le16_to_cpu((__force __le16)d.flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return split_fetch_indirect(vq, may_pin, chain, &d);
		ret = split_add(vq, chain, &d);
		if (ret || !(flags & VRING_DESC_F_NEXT))
			return ret;
		i = le16_to_cpu((__force __le16)d.next);
	}
	return bell_vq_break(vq, "chain loops");
}

/* As bell_vq_split_fetch_head(), which is not for the fast path. */
static __always_inline int split_fetch(struct bell_vq *vq, bool may_pin,
				       struct bell_chain *chain, u16 head)
{
	if (head >= vq->num)
		return bell_vq_break(vq, "head %u past ring of %u", head,
				     vq->num);
	head = array_index_nospec(head, vq->num);
	if (READ_ONCE(vq->taken[head]))
		return bell_vq_break(vq, "head %u is in flight already", head);

	chain->head = head;
	chain->ndesc = 1;		/* entries of the available ring */
	return split_walk(vq, may_pin, chain, head);
}

/*
 * bell_vq_split_fetch() - read the next chain; the caller has seen that there is one
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN from bell_gmem_span().
 */
int bell_vq_split_fetch(struct bell_vq *vq, bool may_pin,
			struct bell_chain *chain)
{
	u16 head = split_read16(&vq->avail->ring[vq->last_avail & vq->mask]);

	return split_fetch(vq, may_pin, chain, head);
}

/*
 * bell_vq_split_fetch_head() - read the chain that begins at @head
 *
 * Return: as bell_vq_split_fetch().
 */
int bell_vq_split_fetch_head(struct bell_vq *vq, bool may_pin,
			     struct bell_chain *chain, u16 head)
{
	return split_fetch(vq, may_pin, chain, head);
}

/*
 * bell_vq_split_enable_kick() - ask the driver for a kick when it adds a chain
 *
 * Return: true if it added one meanwhile: look again.
 */
bool bell_vq_split_enable_kick(struct bell_vq *vq)
{
	vq->kick_at = vq->last_avail;
	if (vq->event_idx)
		split_tell(vq, split_avail_event(vq), vq->last_avail);
	else
		split_tell(vq, &vq->used->flags, 0);
	/*
	 * Pairs with the driver's full barrier between writing avail->idx and
	 * reading what we just wrote: else it skips the kick and we sleep on a
	 * ring that is not empty.
	 */
	smp_mb();
	return split_read16(&vq->avail->idx) != vq->last_avail;
}

/* bell_vq_split_kick_due() - has the driver added a chain since it was asked to kick? */
bool bell_vq_split_kick_due(struct bell_vq *vq)
{
	return split_read16(&vq->avail->idx) != vq->kick_at;
}

/* bell_vq_split_disable_kick() - tell the driver that no kick is needed */
void bell_vq_split_disable_kick(struct bell_vq *vq)
{
	/*
	 * With EVENT_IDX the old avail_event stays behind, so the driver does not kick.
	 */
	if (!vq->event_idx)
		split_tell(vq, &vq->used->flags, VRING_USED_F_NO_NOTIFY);
}

/* bell_vq_split_put() - put a chain into the used ring; the driver does not see it yet */
void bell_vq_split_put(struct bell_vq *vq, u16 head, u32 len)
{
	struct vring_used_elem *e = &vq->used->ring[vq->used_idx & vq->mask];

	lockdep_assert_held(&vq->lock);
	WRITE_ONCE(*(__le32 *)&e->id, cpu_to_le32(head));
	WRITE_ONCE(*(__le32 *)&e->len, cpu_to_le32(len));
	if (unlikely(vq->log))
		bell_vq_log_used(vq, e, sizeof(*e));
	vq->used_idx++;
}

/* bell_vq_split_publish() - make the entries that were put visible to the driver */
void bell_vq_split_publish(struct bell_vq *vq)
{
	lockdep_assert_held(&vq->lock);
	/* Pairs with the driver's read barrier after it reads used->idx. */
	smp_store_release((__force __le16 *)&vq->used->idx,
			  cpu_to_le16(vq->used_idx));
	if (unlikely(vq->log))
		bell_vq_log_used(vq, &vq->used->idx, sizeof(vq->used->idx));
}

/*
 * bell_vq_split_wants_signal() - does the driver want a signal for these entries?
 *
 * A legacy driver with VIRTIO_F_NOTIFY_ON_EMPTY always wants one when the available
 * ring is empty.
 */
bool bell_vq_split_wants_signal(struct bell_vq *vq)
{
	u16 old = vq->signalled_used, new = vq->used_idx;
	bool valid = vq->signalled_valid;

	lockdep_assert_held(&vq->lock);
	vq->signalled_used = new;
	vq->signalled_valid = true;
	/*
	 * Pairs with the driver's full barrier between writing used_event (or
	 * flags) and reading used->idx: either we see the new used_event, or the driver
	 * sees the new used->idx.
	 */
	smp_mb();
	if (vq->notify_on_empty && split_read16(&vq->avail->idx) == new)
		return true;
	if (!vq->event_idx)
		return !(split_read16(&vq->avail->flags) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	return !valid ||
	       vring_need_event(split_read16(split_used_event(vq)), new, old);
}
