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
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/minmax.h>
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

static_assert(sizeof(struct bell_vq_entry) == sizeof(struct vring_desc));

/* Flags in the second word of a descriptor */
#define SPLIT_NEXT	((u64)VRING_DESC_F_NEXT << 32)
#define SPLIT_WRITE	((u64)VRING_DESC_F_WRITE << 32)
#define SPLIT_INDIRECT	((u64)VRING_DESC_F_INDIRECT << 32)

static u16 split_next(u64 rest)
{
	return rest >> 48;
}

/* Descriptor @i; the caller has checked that the ring has it. Its words are aligned. */
static const struct bell_vq_entry *split_entry(const struct bell_vq *vq, u32 i)
{
	return (const struct bell_vq_entry *)vq->desc + i;
}

/* Add a data descriptor to the chain; see bell_vq_chain_add(). */
static __always_inline int split_add(struct bell_vq *vq,
				     struct bell_chain *chain, u32 most,
				     u64 addr, u64 rest)
{
	return bell_vq_chain_add(vq, chain, most, addr, rest, rest & SPLIT_WRITE);
}

/*
 * Walk the table that an indirect descriptor has. Each of its entries adds a piece, so a
 * chain that gets more pieces than these loops.
 */
static noinline int split_walk_table(struct bell_vq *vq, bool may_pin,
				     struct bell_chain *chain, u64 table,
				     u64 rest)
{
	u32 num = (u32)rest / sizeof(struct bell_vq_entry), i = 0, most;
	const struct bell_vq_entry *entry;
	u64 addr;
	int ret;

	if (rest & SPLIT_NEXT)
		return bell_vq_break(vq, "indirect descriptor with the NEXT flag");
	entry = bell_vq_chain_open_table(vq, may_pin, table, rest);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	most = min(vq->max_segs, chain->nout + chain->nin + num);
	for (;;) {
		ret = bell_vq_chain_read_entry(vq, may_pin, table, entry, i,
					       &addr, &rest);
		if (ret)
			return ret;
		if (rest & SPLIT_INDIRECT)
			return bell_vq_break(vq, "nested indirect descriptor");
		ret = split_add(vq, chain, most, addr, rest);
		if (ret || !(rest & SPLIT_NEXT))
			return ret;
		i = split_next(rest);
		if (i >= num)
			return bell_vq_break(vq, "next %u past table of %u", i,
					     num);
		i = array_index_nospec(i, num);
	}
}

/*
 * Walk the descriptors of a chain whose first one is data. A chain that gets more pieces
 * than the ring has descriptors loops.
 */
static noinline int split_walk_ring(struct bell_vq *vq, bool may_pin,
				    struct bell_chain *chain, u64 addr,
				    u64 rest)
{
	u32 most = min(vq->max_segs, vq->num), i;
	const struct bell_vq_entry *entry;
	int ret;

	do {
		ret = split_add(vq, chain, most, addr, rest);
		if (ret || !(rest & SPLIT_NEXT))
			return ret;
		i = split_next(rest);
		if (i >= vq->num)
			return bell_vq_break(vq, "descriptor %u past ring of %u",
					     i, vq->num);
		entry = split_entry(vq, array_index_nospec(i, vq->num));
		addr = le64_to_cpu(READ_ONCE(entry->addr));
		rest = le64_to_cpu(READ_ONCE(entry->rest));
	} while (!(rest & SPLIT_INDIRECT));
	return split_walk_table(vq, may_pin, chain, addr, rest);
}

/* As bell_vq_split_fetch_head(), which is not for the fast path. */
static __always_inline int split_fetch(struct bell_vq *vq, bool may_pin,
				       struct bell_chain *chain, u16 head)
{
	const struct bell_vq_entry *entry;
	u64 addr, rest;

	if (head >= vq->num)
		return bell_vq_break(vq, "head %u past ring of %u", head,
				     vq->num);
	head = array_index_nospec(head, vq->num);
	if (READ_ONCE(vq->taken[head]))
		return bell_vq_break(vq, "head %u is in flight already", head);

	chain->head = head;
	chain->ndesc = 1;		/* entries of the available ring */
	bell_vq_chain_begin(vq, chain);
	entry = split_entry(vq, head);
	addr = le64_to_cpu(READ_ONCE(entry->addr));
	rest = le64_to_cpu(READ_ONCE(entry->rest));
	return rest & SPLIT_INDIRECT ?
	       split_walk_table(vq, may_pin, chain, addr, rest) :
	       split_walk_ring(vq, may_pin, chain, addr, rest);
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

static __always_inline void split_put(struct bell_vq *vq, u16 idx, u16 head,
				      u32 len)
{
	struct vring_used_elem *e = &vq->used->ring[idx & vq->mask];

	WRITE_ONCE(*(__le32 *)&e->id, cpu_to_le32(head));
	WRITE_ONCE(*(__le32 *)&e->len, cpu_to_le32(len));
	if (unlikely(vq->log))
		bell_vq_log_used(vq, e, sizeof(*e));
}

static __always_inline void split_publish(struct bell_vq *vq, u16 idx)
{
	/* Pairs with the driver's read barrier after it reads used->idx. */
	smp_store_release((__force __le16 *)&vq->used->idx, cpu_to_le16(idx));
	if (unlikely(vq->log))
		bell_vq_log_used(vq, &vq->used->idx, sizeof(vq->used->idx));
}

/*
 * Does the driver want a signal for the entries up to @new? A legacy driver with
 * VIRTIO_F_NOTIFY_ON_EMPTY always wants one when the available ring is empty.
 */
static __always_inline bool split_wants_signal(struct bell_vq *vq, u16 new)
{
	u16 old = vq->signalled_used;
	bool valid = vq->signalled_valid;

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

/* bell_vq_split_put() - put a chain into the used ring; the driver does not see it yet */
void bell_vq_split_put(struct bell_vq *vq, u16 head, u32 len)
{
	lockdep_assert_held(&vq->lock);
	split_put(vq, vq->used_idx, head, len);
	vq->used_idx++;
}

/*
 * bell_vq_split_publish() - make the entries that were put visible to the driver
 *
 * Return: true if the driver wants a signal for them.
 */
bool bell_vq_split_publish(struct bell_vq *vq)
{
	u16 idx = vq->used_idx;

	lockdep_assert_held(&vq->lock);
	split_publish(vq, idx);
	return split_wants_signal(vq, idx);
}

/*
 * bell_vq_split_use() - bell_vq_split_put() and bell_vq_split_publish() in one, for a
 *	single chain
 */
bool bell_vq_split_use(struct bell_vq *vq, u16 head, u32 len)
{
	u16 idx = vq->used_idx;

	lockdep_assert_held(&vq->lock);
	split_put(vq, idx, head, len);
	vq->used_idx = ++idx;
	split_publish(vq, idx);
	return split_wants_signal(vq, idx);
}
