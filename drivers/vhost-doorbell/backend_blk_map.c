// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_map - page vectors for a request's data
 *
 * Neighbouring pages share a vector. Most requests need no more than their inline
 * vectors; for others an array is allocated and grown. The array is charged to the
 * memory cgroup of the thread that allocates it: the worker, or in an inline pass the
 * ringing thread. A device has at most BELL_BLK_VEC_BYTES of allocated vectors. A
 * request that would exceed this is put back into the ring; the worker tries again
 * until other requests have completed.
 */
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "backend_blk_priv.h"
#include "disk.h"
#include "gmem.h"

/* Factor by which an array grows */
#define MAP_GROWTH	4
/* Passes in a row, a jiffy apart, that may find no memory before a request fails */
#define MAP_MAX_STARVED	(10 * HZ)

/**
 * bell_backend_blk_map_alloc() - allocate memory for a request
 * @size: in bytes; more than the vectors of one bio only with @may_sleep
 * @may_sleep: whether the caller may sleep
 *
 * The memory is charged to the memory cgroup of the calling thread. The worker has the
 * cgroup of the thread that started its first queue.
 *
 * Context: The queue's runner.
 * Return: the memory or NULL; to be freed by kfree(), or by kvfree() if @size is larger
 * than the vectors of one bio.
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
 * @bytes: bytes to count
 *
 * Context: Any.
 * Return: false, and nothing is counted, if the device would have too many.
 */
bool bell_backend_blk_map_reserve(struct bell_blk *blk, size_t bytes)
{
	if (atomic_long_add_return(bytes, &blk->vec_bytes) <= BELL_BLK_VEC_BYTES)
		return true;
	bell_backend_blk_map_unreserve(blk, bytes);
	return false;
}

/* bell_backend_blk_map_unreserve() - undo bell_backend_blk_map_reserve(), in any context */
void bell_backend_blk_map_unreserve(struct bell_blk *blk, size_t bytes)
{
	atomic_long_sub(bytes, &blk->vec_bytes);
}

/* bell_backend_blk_map_free() - free the vectors of a request, in any context */
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
 * @req: the request that the memory was for
 *
 * Context: The queue's runner.
 * Return: -EAGAIN: put the request back and try again later; -ENOBUFS: fail it, as
 * MAP_MAX_STARVED passes in a row found no memory.
 */
int bell_backend_blk_map_no_memory(struct bell_disk_req *req)
{
	struct bell_blk_queue *q = req->vq->priv;

	if (q->starved++ < MAP_MAX_STARVED)
		return -EAGAIN;
	q->starved = 0;
	return -ENOBUFS;
}

/*
 * bell_backend_blk_map_count_pages() - most pages that @bytes of data from @cur on
 *	can lie in
 */
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

/*
 * Allocate a larger array of vectors; @left bytes of data from @cur on have no vector
 * yet. Returns as bell_backend_blk_map_pieces().
 */
static int map_grow(struct bell_blk *blk, struct bell_disk_req *req,
		    struct bell_vq_cursor cur, u32 left, bool may_sleep)
{
	u64 most = req->nvecs + bell_backend_blk_map_count_pages(cur, left);
	struct bio_vec *old = req->vecs, *vecs;
	u32 had = req->max_vecs, n;

	n = min_t(u64, most, (u64)req->nvecs * MAP_GROWTH);
	/* A large request reserved all the vectors that it can need when it began. */
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

/*
 * Add a piece of memory, to the last vector if it is contiguous with that. Returns
 * false if all @room vectors are in use.
 */
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

/* bell_backend_blk_map_set_aligned() - can the disk DMA to the vectors as they are? */
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
 * @req: the request, with its length and its inline vectors
 * @cur: the start of the data
 * @may_sleep: whether pages may be pinned and an allocation may wait
 *
 * @req also keeps vectors that were allocated before an error; the caller frees them.
 *
 * Context: The queue's runner.
 * Return: 0; -E2BIG if the data needs more vectors than one bio may have; -EAGAIN if the
 * worker must try again; -EFAULT if the data is not in guest memory; or as
 * bell_backend_blk_map_no_memory().
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
