/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vq_layout - the interface between vq.c and the ring formats
 *
 * Sizes are in bytes, as in the virtio spec. Only the runner calls avail, fetch,
 * enable_kick, kick_due and disable_kick. put, publish and use are called under
 * vq->lock.
 */
#ifndef BELL_VQ_LAYOUT_H
#define BELL_VQ_LAYOUT_H

#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/types.h>

#include "gmem.h"

struct bell_chain;
struct bell_done;
struct bell_vq;
struct bell_vq_config;

/* --- vq_chain.c: shared by both formats --- */

/*
 * A descriptor of a split ring, or of an indirect table of either format, as two words
 * that are each read once. The low half of the second word is the length; the meaning of
 * the other half depends on the format.
 */
struct bell_vq_entry {
	__le64	addr;
	__le64	rest;
};

/* bell_vq_chain_begin() - prepare to add pieces; sets all but head, ndesc and epoch */
static __always_inline void bell_vq_chain_begin(const struct bell_vq *vq,
						struct bell_chain *chain)
{
	chain->seg = vq->segs;
	chain->nout = 0;
	chain->nin = 0;
	chain->out_bytes = 0;
	chain->in_bytes = 0;
}

int bell_vq_chain_add_fails(struct bell_vq *vq, u32 len, u32 n, u32 most);

/*
 * bell_vq_chain_add() - add a piece of data to a chain
 * @most: pieces that the chain may have: vq->max_segs, or fewer if with more it loops
 *
 * Return: 0, or -EPROTO if the piece is empty, one too many, or readable after a
 * writable one.
 */
static __always_inline int bell_vq_chain_add(struct bell_vq *vq,
					     struct bell_chain *chain, u32 most,
					     u64 addr, u32 len, bool writable)
{
	u32 n = chain->nout + chain->nin;
	struct bell_seg *seg;

	if (unlikely(!len || n >= most || (!writable && chain->nin)))
		return bell_vq_chain_add_fails(vq, len, n, most);
	if (writable) {
		chain->nin++;
		chain->in_bytes += len;
	} else {
		chain->nout++;
		chain->out_bytes += len;
	}
	seg = &chain->seg[n];
	seg->addr = addr;
	seg->len = len;
	return 0;
}

const struct bell_vq_entry *bell_vq_chain_find_table(struct bell_vq *vq,
						     bool may_pin, u64 addr,
						     u32 len);

/*
 * bell_vq_chain_table_nospec() - the address of a table whose @len bytes fit into @room
 *
 * The caller has checked that they fit, and that @len is not zero. A CPU that speculates
 * past that check gets NULL. Otherwise it could use host memory behind the room as
 * entries, and their `next` fields as indices, which cache timing shows to the guest.
 */
static __always_inline const struct bell_vq_entry *
bell_vq_chain_table_nospec(const void *table, u32 len, unsigned long room)
{
	unsigned long mask = array_index_mask_nospec(len - 1, room);

	return (const struct bell_vq_entry *)((unsigned long)table & mask);
}

/*
 * bell_vq_chain_open_table() - check an indirect table of @len bytes and find its pages
 *
 * The short path: the table is aligned, not empty, in one page, and this is found
 * quickly. So it does not wrap around the address space either.
 *
 * Return: kernel address of its entries, at least one; NULL if the driver placed the
 * table misaligned, or if its pages are not contiguous in kernel memory; or an ERR_PTR:
 * -EPROTO queue broken, -EAGAIN from bell_gmem_span().
 */
static __always_inline const struct bell_vq_entry *
bell_vq_chain_open_table(struct bell_vq *vq, bool may_pin, u64 addr, u32 len)
{
	u32 offset = offset_in_page(addr);
	struct page *page;

	if (likely(vq->indirect && len - 1 < PAGE_SIZE - offset &&
		   !((addr | len) % sizeof(struct bell_vq_entry)))) {
		page = bell_gmem_page(vq->gmem, addr);
		if (likely(page))
			return bell_vq_chain_table_nospec(page_address(page) + offset,
							  len, PAGE_SIZE - offset);
	}
	return bell_vq_chain_find_table(vq, may_pin, addr, len);
}

int bell_vq_chain_copy_entry(struct bell_vq *vq, bool may_pin, u64 table, u64 i,
			     struct bell_vq_entry *copy);

/*
 * bell_vq_chain_read_entry() - read entry @i of an indirect table, once
 * @table: guest address of the table
 * @entry: what bell_vq_chain_open_table() returned
 * @addr: out: the first word
 * @rest: out: the second word
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN from bell_gmem_span().
 */
static __always_inline int
bell_vq_chain_read_entry(struct bell_vq *vq, bool may_pin, u64 table,
			 const struct bell_vq_entry *entry, u64 i, u64 *addr,
			 u64 *rest)
{
	if (likely(entry)) {
		*addr = le64_to_cpu(READ_ONCE(entry[i].addr));
		*rest = le64_to_cpu(READ_ONCE(entry[i].rest));
	} else {
		struct bell_vq_entry copy;
		int ret = bell_vq_chain_copy_entry(vq, may_pin, table, i, &copy);

		if (ret)
			return ret;
		*addr = le64_to_cpu(copy.addr);
		*rest = le64_to_cpu(copy.rest);
	}
	return 0;
}

/* --- vq_log.c; called only while there is a log --- */

void bell_vq_log_moved(struct bell_vq *vq);
void bell_vq_log_desc(struct bell_vq *vq, const void *p, u32 len);
void bell_vq_log_used(struct bell_vq *vq, const void *p, u32 len);
int bell_vq_log_keep(struct bell_vq *vq, bool may_sleep,
		     const struct bell_chain *chain);
void bell_vq_log_forget(struct bell_vq *vq, u16 head);
void bell_vq_log_done(struct bell_vq *vq, const struct bell_done *done);

/* --- vq_inflight.c --- */

int bell_vq_inflight_start(struct bell_vq *vq, struct bell_gmem *gm,
			   const struct bell_vq_config *cfg);
void bell_vq_inflight_stop(struct bell_vq *vq);
void bell_vq_inflight_free(struct bell_vq *vq, struct bell_gmem *gm);
bool bell_vq_inflight_left(struct bell_vq *vq);
u16 bell_vq_inflight_head(const struct bell_vq *vq);
void bell_vq_inflight_took(struct bell_vq *vq);
bool bell_vq_inflight_untake(struct bell_vq *vq);

/* --- the two ring formats --- */

size_t bell_vq_split_desc_size(u32 num);
size_t bell_vq_split_avail_size(u32 num);
size_t bell_vq_split_used_size(u32 num);

void bell_vq_split_start(struct bell_vq *vq, u32 base);
u32 bell_vq_split_base(const struct bell_vq *vq);
int bell_vq_split_avail(struct bell_vq *vq);
int bell_vq_split_fetch(struct bell_vq *vq, bool may_pin,
			struct bell_chain *chain);
int bell_vq_split_fetch_head(struct bell_vq *vq, bool may_pin,
			     struct bell_chain *chain, u16 head);
bool bell_vq_split_enable_kick(struct bell_vq *vq);
bool bell_vq_split_kick_due(struct bell_vq *vq);
void bell_vq_split_disable_kick(struct bell_vq *vq);
void bell_vq_split_put(struct bell_vq *vq, u16 head, u32 len);
bool bell_vq_split_publish(struct bell_vq *vq);
bool bell_vq_split_use(struct bell_vq *vq, u16 head, u32 len);

size_t bell_vq_packed_desc_size(u32 num);
size_t bell_vq_packed_event_size(void);

void bell_vq_packed_start(struct bell_vq *vq, u32 base);
u32 bell_vq_packed_base(const struct bell_vq *vq);
void bell_vq_packed_move(struct bell_vq *vq, int ndesc);
bool bell_vq_packed_is_used(const struct bell_vq *vq);
int bell_vq_packed_avail(struct bell_vq *vq);
int bell_vq_packed_fetch(struct bell_vq *vq, bool may_pin,
			 struct bell_chain *chain);
bool bell_vq_packed_enable_kick(struct bell_vq *vq);
bool bell_vq_packed_kick_due(struct bell_vq *vq);
void bell_vq_packed_disable_kick(struct bell_vq *vq);
void bell_vq_packed_put(struct bell_vq *vq, u16 id, u32 len, u16 ndesc);
bool bell_vq_packed_publish(struct bell_vq *vq);

#endif
