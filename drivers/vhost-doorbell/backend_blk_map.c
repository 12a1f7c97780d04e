// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_map - the pages behind a request's data, as page vectors
 *
 * Neighbouring pages share a vector. The vectors that a request has inside are
 * enough for most; more are allocated as they are needed. They count for the
 * owner's memory cgroup, and a device has BELL_BLK_VEC_BYTES of them at most:
 * the request that exceeds this is put back into the ring, and the worker tries
 * again until others have completed.
 */
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "backend_blk_priv.h"
#include "disk.h"
#include "gmem.h"

/* How many times an allocation is grown by. */
#define MAP_GROWTH	4
/* Passes in a row, a jiffy apart, that may find no memory. */
#define MAP_MAX_STARVED	(10 * HZ)

/**
 * bell_backend_blk_map_alloc() - allocate memory for a request
 * @size: in bytes; above what one bio needs only with @may_sleep
 * @may_sleep: whether the caller may
 *
 * It is charged to the memory cgroup of the thread that submits: the worker's is its
 * owner's.
 *
 * Context: The queue's runner. Free by kfree(), larger ones by kvfree().
 */
void *bell_backend_blk_map_alloc(size_t size, bool may_sleep)
{
	if (!may_sleep)
		return kmalloc(size, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	if (size > BELL_BLK_MAX_VECS * sizeof(struct bio_vec))
		return kvmalloc(size, GFP_KERNEL_ACCOUNT);
	return kmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

/**
 * bell_backend_blk_map_reserve() - count bytes of page vectors before allocating them
 * @blk: the disk
 * @bytes: how many
 *
 * Context: Any.
 * Return: false if the device would have too many.
 */
bool bell_backend_blk_map_reserve(struct bell_blk *blk, size_t bytes)
{
	if (atomic_long_add_return(bytes, &blk->vec_bytes) <= BELL_BLK_VEC_BYTES)
		return true;
	bell_backend_blk_map_unreserve(blk, bytes);
	return false;
}

/* bell_backend_blk_map_unreserve() - undo it, in any context */
void bell_backend_blk_map_unreserve(struct bell_blk *blk, size_t bytes)
{
	atomic_long_sub(bytes, &blk->vec_bytes);
}

/* bell_backend_blk_map_free() - free what map_pieces() allocated, in any context */
void bell_backend_blk_map_free(struct bell_disk_req *req)
{
	const struct bell_blk_queue *q = req->vq->priv;

	kfree(req->vecs);
	bell_backend_blk_map_unreserve(q->blk, (size_t)req->max_vecs *
					       sizeof(*req->vecs));
	req->vecs = req->inline_vecs;
}

/**
 * bell_backend_blk_map_no_memory() - an allocation failed in the worker
 * @req: the request it was for
 *
 * Context: The queue's runner.
 * Return: -EAGAIN: put it back and try again later; -EIO if that was done often.
 */
int bell_backend_blk_map_no_memory(struct bell_disk_req *req)
{
	struct bell_blk_queue *q = req->vq->priv;

	if (q->starved++ < MAP_MAX_STARVED)
		return -EAGAIN;
	q->starved = 0;
	return -EIO;
}

/* bell_backend_blk_map_count_pages() - how many pages this much data can lie in */
u64 bell_backend_blk_map_count_pages(struct bell_vq_cursor cur, u64 bytes)
{
	u64 n = 0;

	while (bytes) {
		u64 len = min_t(u64, bytes, cur.seg->len - cur.skip);
		u64 off = offset_in_page(cur.seg->addr + cur.skip);

		n += (off + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
		bytes -= len;
		cur.seg++;
		cur.skip = 0;
	}
	return n;
}

/* Room for more vectors, @left bytes from the cursor on having none yet. */
static int map_grow(struct bell_blk *blk, struct bell_disk_req *req,
		    struct bell_vq_cursor cur, u32 left, bool may_sleep)
{
	u64 most = req->nvecs + bell_backend_blk_map_count_pages(cur, left);
	struct bio_vec *old = req->vecs, *vecs;
	u32 had = req->max_vecs, n;

	n = min_t(u64, most, (u64)req->nvecs * MAP_GROWTH);
	/* A large request has reserved all that it may need. */
	if (!req->large) {
		n = min_t(u32, n, BELL_BLK_MAX_VECS);
		if (n == req->nvecs)
			return -E2BIG;
		if (!bell_backend_blk_map_reserve(blk, n * sizeof(*vecs)))
			return -EAGAIN;
	}
	vecs = bell_backend_blk_map_alloc((size_t)n * sizeof(*vecs), may_sleep);
	if (!vecs) {
		if (!req->large)
			bell_backend_blk_map_unreserve(blk, n * sizeof(*vecs));
		return may_sleep ? bell_backend_blk_map_no_memory(req) : -EAGAIN;
	}
	((struct bell_blk_queue *)req->vq->priv)->starved = 0;
	memcpy(vecs, old, req->nvecs * sizeof(*vecs));
	req->vecs = vecs;
	req->max_vecs = n;
	if (old == req->inline_vecs)
		return 0;
	if (req->large) {
		kvfree(old);
		cond_resched();
		return 0;
	}
	kfree(old);
	bell_backend_blk_map_unreserve(blk, (size_t)had * sizeof(*old));
	return 0;
}

/* Add a piece; false if there is no room. */
static bool map_add_span(struct bell_disk_req *req, u32 room,
			 const struct bell_gmem_span *span)
{
	struct bio_vec *v = req->nvecs ? &req->vecs[req->nvecs - 1] : NULL;

	if (v && page_to_phys(v->bv_page) + v->bv_offset + v->bv_len ==
	    page_to_phys(span->page) + span->offset) {
		v->bv_len += span->len;
		return true;
	}
	if (req->nvecs == room)
		return false;
	bvec_set_page(&req->vecs[req->nvecs++], span->page, span->len,
		      span->offset);
	return true;
}

/* bell_backend_blk_map_set_aligned() - can the disk take its vectors as they are? */
void bell_backend_blk_map_set_aligned(struct bell_disk_req *req)
{
	const struct bell_disk *disk = req->disk;
	u32 i;

	req->aligned = !((req->sector << SECTOR_SHIFT) & disk->len_mask);
	for (i = 0; i < req->nvecs; i++) {
		if (req->vecs[i].bv_offset & disk->addr_mask ||
		    req->vecs[i].bv_len & disk->len_mask)
			req->aligned = false;
	}
}

/**
 * bell_backend_blk_map_pieces() - look up the pages of a request's data
 * @blk: the disk
 * @req: with its length; its vectors are those inside of it
 * @cur: where the data begins
 * @may_sleep: pages may be pinned, and an allocation may wait
 *
 * Context: The queue's runner.
 * Return: 0; -E2BIG if it takes more vectors than one bio may have; -EAGAIN,
 * -ESRCH: not now; or what is wrong with the data's addresses. What was allocated
 * is in @req in any case.
 */
int bell_backend_blk_map_pieces(struct bell_blk *blk,
				struct bell_disk_req *req,
				struct bell_vq_cursor cur, bool may_sleep)
{
	u32 room = BELL_DISK_INLINE_VECS, left = req->bytes;
	struct bell_gmem_span span;
	int ret;

	req->nvecs = 0;
	while (left) {
		u64 n = min_t(u64, left, cur.seg->len - cur.skip), gpa;

		if (check_add_overflow(cur.seg->addr, cur.skip, &gpa))
			return -EFAULT;
		ret = bell_gmem_span(req->vq->gmem, gpa, n, may_sleep, &span);
		if (ret)
			return ret;
		if (!map_add_span(req, room, &span)) {
			ret = map_grow(blk, req, cur, left, may_sleep);
			if (ret)
				return ret;
			room = req->max_vecs;
			map_add_span(req, room, &span);
		}
		left -= span.len;
		bell_vq_advance(&cur, span.len);
	}
	bell_backend_blk_map_set_aligned(req);
	return 0;
}
