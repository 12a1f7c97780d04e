/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vq_layout - the interface between vq.c and the ring formats
 *
 * Sizes are in bytes, as in the virtio spec. Only the runner calls avail, fetch,
 * enable_kick, kick_due and disable_kick. put, publish and wants_signal are called
 * under vq->lock.
 */
#ifndef BELL_VQ_LAYOUT_H
#define BELL_VQ_LAYOUT_H

#include <linux/types.h>

#include "gmem.h"

struct bell_chain;
struct bell_done;
struct bell_vq;
struct bell_vq_config;

/* --- vq_chain.c: shared by both formats --- */

/* An indirect table */
struct bell_vq_table {
	u64			addr;
	u32			num;	/* number of entries, not zero */
	/*
	 * Kernel address of the table's entries. NULL if the driver placed the table
	 * misaligned, or if its pages are not contiguous in kernel memory
	 */
	const u64		*entry;
};

int bell_vq_chain_add_fails(struct bell_vq *vq, u32 len, u32 n);

/*
 * bell_vq_chain_add() - add a piece of data to a chain
 *
 * Return: 0 or -EPROTO.
 */
static inline int bell_vq_chain_add(struct bell_vq *vq,
				    struct bell_chain *chain, u64 addr, u32 len,
				    bool writable)
{
	u32 n = chain->nout + chain->nin;

	if (unlikely(!len || n >= vq->max_segs || (!writable && chain->nin)))
		return bell_vq_chain_add_fails(vq, len, n);
	if (writable)
		chain->nin++;
	else
		chain->nout++;
	chain->seg[n].addr = addr;
	chain->seg[n].len = len;
	return 0;
}

int bell_vq_chain_open_table(struct bell_vq *vq, bool may_pin, u64 addr,
			     u32 len, struct bell_vq_table *table);
int bell_vq_chain_copy_table(struct bell_vq *vq, bool may_pin,
			     const struct bell_vq_table *table, u32 i,
			     void *entry);

/*
 * bell_vq_chain_read_table() - read entry @i of an indirect table, once
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN from bell_gmem_span().
 */
static inline int bell_vq_chain_read_table(struct bell_vq *vq, bool may_pin,
					   const struct bell_vq_table *table,
					   u32 i, void *entry)
{
	u64 *to = entry;

	if (unlikely(!table->entry))
		return bell_vq_chain_copy_table(vq, may_pin, table, i, entry);
	to[0] = READ_ONCE(table->entry[2 * i]);
	to[1] = READ_ONCE(table->entry[2 * i + 1]);
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
void bell_vq_split_publish(struct bell_vq *vq);
bool bell_vq_split_wants_signal(struct bell_vq *vq);

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
void bell_vq_packed_publish(struct bell_vq *vq);
bool bell_vq_packed_wants_signal(struct bell_vq *vq);

#endif
