// SPDX-License-Identifier: GPL-2.0
/*
 * vq_chain - what the ring formats share: pieces of a chain, indirect tables
 *
 * Both formats have entries of 16 bytes in their tables; what is in them differs.
 */
#include <linux/align.h>
#include <linux/mm.h>

#include "vq.h"
#include "vq_layout.h"

#define CHAIN_ENTRY	sizeof(struct vring_desc)

/*
 * bell_vq_chain_add() - add a piece of data to a chain
 *
 * Return: 0 or -EPROTO.
 */
int bell_vq_chain_add(struct bell_vq *vq, struct bell_chain *chain, u64 addr,
		      u32 len, bool writable)
{
	u32 n = chain->nout + chain->nin;

	if (!len)
		return bell_vq_break(vq, "descriptor of no length");
	if (n >= vq->max_segs)
		return bell_vq_break(vq, "chain of more than %u descriptors",
				     vq->max_segs);
	if (writable)
		chain->nin++;
	else if (chain->nin)
		return bell_vq_break(vq, "readable descriptor after writable");
	else
		chain->nout++;
	chain->seg[n].addr = addr;
	chain->seg[n].len = len;
	return 0;
}

static int chain_table_fails(struct bell_vq *vq, int ret, u64 addr)
{
	if (ret == -EAGAIN || ret == -ESRCH)
		return ret;
	return bell_vq_break(vq, "indirect table at %#llx", addr);
}

/*
 * bell_vq_chain_open_table() - check an indirect table and find its pages
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN or -ESRCH from bell_gmem_span().
 */
int bell_vq_chain_open_table(struct bell_vq *vq, bool may_pin, u64 addr,
			     u32 len, struct bell_vq_table *table)
{
	int ret;

	if (!vq->indirect)
		return bell_vq_break(vq, "indirect descriptor not agreed on");
	if (!len || len % CHAIN_ENTRY)
		return bell_vq_break(vq, "indirect table of %u bytes", len);
	if (addr + len - 1 < addr)
		return bell_vq_break(vq, "indirect table wraps");

	table->addr = addr;
	table->num = len / CHAIN_ENTRY;
	ret = bell_gmem_span(vq->gmem, addr, len, may_pin, &table->span);
	return ret ? chain_table_fails(vq, ret, addr) : 0;
}

/*
 * bell_vq_chain_read_table() - read entry @i of an indirect table, once
 *
 * Return: 0, -EPROTO queue broken, -EAGAIN or -ESRCH from bell_gmem_span().
 */
int bell_vq_chain_read_table(struct bell_vq *vq, bool may_pin,
			     const struct bell_vq_table *table, u32 i,
			     void *entry)
{
	const struct bell_gmem_span *span = &table->span;
	u32 off = i * CHAIN_ENTRY;
	const u64 *from;
	u64 *to = entry;
	int ret;

	/* In most cases all of it lies in one piece. */
	if (span->len < off + CHAIN_ENTRY || !IS_ALIGNED(table->addr, CHAIN_ENTRY)) {
		ret = bell_gmem_read(vq->gmem, table->addr + off, entry,
				     CHAIN_ENTRY, may_pin);
		return ret ? chain_table_fails(vq, ret, table->addr) : 0;
	}
	from = page_address(span->page) + span->offset + off;
	to[0] = READ_ONCE(from[0]);
	to[1] = READ_ONCE(from[1]);
	return 0;
}
