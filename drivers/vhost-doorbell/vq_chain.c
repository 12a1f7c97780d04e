// SPDX-License-Identifier: GPL-2.0
/*
 * vq_chain - code that both ring formats share: pieces of a chain, indirect tables
 *
 * Entries of an indirect table have 16 bytes in both formats; their fields differ.
 */
#include <linux/align.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "vq.h"
#include "vq_layout.h"

/* bell_vq_chain_add_fails() - break the queue, as a piece cannot be added to its chain */
int bell_vq_chain_add_fails(struct bell_vq *vq, u32 len, u32 n, u32 most)
{
	if (!len)
		return bell_vq_break(vq, "descriptor of length 0");
	if (n >= vq->max_segs)
		return bell_vq_break(vq, "chain of more than %u descriptors",
				     vq->max_segs);
	if (n >= most)
		return bell_vq_break(vq, "chain loops");
	return bell_vq_break(vq, "readable descriptor after writable");
}

static int chain_table_fails(struct bell_vq *vq, int ret, u64 addr)
{
	if (ret == -EAGAIN)
		return ret;
	return bell_vq_break(vq, "indirect table at %#llx is outside guest memory", addr);
}

static int chain_check_table(struct bell_vq *vq, u64 addr, u32 len)
{
	if (!vq->indirect)
		return bell_vq_break(vq, "indirect descriptor was not negotiated");
	if (!len || len % sizeof(struct bell_vq_entry))
		return bell_vq_break(vq, "indirect table of %u bytes", len);
	if (addr + len - 1 < addr)
		return bell_vq_break(vq, "indirect table wraps around the address space");
	return 0;
}

/* bell_vq_chain_find_table() - bell_vq_chain_open_table() without its short path */
const struct bell_vq_entry *bell_vq_chain_find_table(struct bell_vq *vq,
						     bool may_pin, u64 addr,
						     u32 len)
{
	struct bell_gmem_span span;
	int ret;

	ret = chain_check_table(vq, addr, len);
	if (ret)
		return ERR_PTR(ret);
	ret = bell_gmem_span(vq->gmem, addr, len, may_pin, &span);
	if (ret)
		return ERR_PTR(chain_table_fails(vq, ret, addr));
	if (span.len < len || !IS_ALIGNED(addr, sizeof(struct bell_vq_entry)))
		return NULL;
	return bell_vq_chain_table_nospec(page_address(span.page) + span.offset,
					  len, span.len);
}

/*
 * bell_vq_chain_copy_entry() - read entry @i of an indirect table that is misaligned, or
 *	not contiguous in kernel memory
 *
 * Return: as for bell_vq_chain_read_entry().
 */
int bell_vq_chain_copy_entry(struct bell_vq *vq, bool may_pin, u64 table, u64 i,
			     struct bell_vq_entry *copy)
{
	int ret = bell_gmem_read(vq->gmem, table + i * sizeof(*copy), copy,
				 sizeof(*copy), may_pin);

	return ret ? chain_table_fails(vq, ret, table) : 0;
}

/**
 * bell_vq_chain_copy() - copy between a buffer and a chain
 * @vq: the queue
 * @cur: position in the chain, which has at least @len bytes left; moved by @len
 * @buf: the buffer
 * @len: bytes to copy
 * @to_guest: true to copy to the chain, false to copy from it
 * @may_pin: as for bell_gmem_span()
 *
 * Context: As for bell_gmem_span().
 * Return: 0, or what bell_gmem_span() returns; part may have been copied then.
 */
int bell_vq_chain_copy(struct bell_vq *vq, struct bell_vq_cursor *cur, void *buf,
		       u32 len, bool to_guest, bool may_pin)
{
	int ret;

	while (len) {
		u32 n = min_t(u64, len, cur->seg->len - cur->skip);
		u64 gpa;

		if (check_add_overflow(cur->seg->addr, cur->skip, &gpa))
			return -EFAULT;
		if (to_guest)
			ret = bell_gmem_write(vq->gmem, gpa, buf, n, may_pin);
		else
			ret = bell_gmem_read(vq->gmem, gpa, buf, n, may_pin);
		if (ret)
			return ret;
		buf += n;
		len -= n;
		bell_vq_advance(cur, n);
	}
	return 0;
}
