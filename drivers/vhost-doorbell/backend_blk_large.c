// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_large - reads and writes that are too long for one bio
 *
 * A driver that ignores SIZE_MAX and SEG_MAX may send any length; firmware sends single
 * descriptors of up to 1 GiB. The worker looks up all pages of the request when it
 * begins, and they stay pinned until it ends. The disk gets the data slice by slice, in
 * order: a slice begins when the one before it has ended. The first slice that fails
 * ends the request.
 *
 * Context: the disk may end a slice in any context. The worker begins the next one, and
 * ends the request, as vectors from vmalloc() are freed in process context.
 */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "backend_blk.h"
#include "backend_blk_priv.h"
#include "disk.h"
#include "exec.h"

/* Most bytes of one slice, and most vectors of one: a bio counts them in 16 bits */
#define LARGE_SLICE		SZ_4M
#define LARGE_SLICE_VECS	32768
/* Attempts, a jiffy apart, to begin a slice before the request fails */
#define LARGE_MAX_TRIES		(10 * HZ)

struct bell_blk_large {
	/* Constant. */
	u64		sector;	/* where the request begins, in units of 512 bytes */
	u32		bytes;			/* length of the request */
	size_t		reserved;	/* bytes counted in the disk's vec_bytes */
	struct bio_vec	*vecs;			/* vectors of the whole request */

	/*
	 * Accessed by the runner, the disk and the worker in turn: see req->large in
	 * locking.rst
	 */
	u32		done;		/* bytes in slices that have ended */
	u32		next;		/* the first vector of the next slice */
	/* The part of @next's vector that the last slice left */
	struct bio_vec	rest;
	bool		cut;		/* @rest is valid */
	bool		ended;		/* the disk has ended the slice */
	int		error;	/* result of the slice: 0 or a negative errno */
	u32		tries;			/* failed attempts to begin the slice */
};

/* The part of a vector after its first @n bytes */
static struct bio_vec large_rest(const struct bio_vec *v, u32 n)
{
	struct bio_vec rest;
	u64 at = (u64)v->bv_offset + n;

	bvec_set_page(&rest, v->bv_page + (at >> PAGE_SHIFT), v->bv_len - n,
		      offset_in_page(at));
	return rest;
}

/*
 * Unit of the length of slices, in bytes: the block size, or the write granularity of a
 * zoned disk
 */
static u32 large_unit(const struct bell_blk *blk)
{
	u32 blk_size = le32_to_cpu((__force __le32)blk->config.blk_size);

	return max(blk_size, le32_to_cpu((__force __le32)
					 blk->zoned.write_granularity));
}

static u32 large_slice_bytes(const struct bell_blk *blk)
{
	u32 max = min_t(u32, blk->max_bytes, LARGE_SLICE);

	return max(round_down(max, large_unit(blk)), large_unit(blk));
}

/*
 * Set the request up for its next slice. Returns -EIO if one block needs too many
 * vectors.
 */
static int large_set_slice(struct bell_disk_req *req)
{
	const struct bell_blk_queue *q = req->vq->priv;
	struct bell_blk_large *large = req->large;
	u32 want, n = 0, bytes = 0, over;
	struct bio_vec *v;

	want = min(large->bytes - large->done, large_slice_bytes(q->blk));
	v = &large->vecs[large->next];
	if (large->cut)
		*v = large->rest;
	while (bytes < want && n < LARGE_SLICE_VECS)
		bytes += v[n++].bv_len;
	if (bytes < want)
		want = round_down(bytes, large_unit(q->blk));
	if (!want)
		return -EIO;
	while (bytes - v[n - 1].bv_len >= want)
		bytes -= v[--n].bv_len;

	over = bytes - want;
	large->cut = over;
	if (over) {
		large->rest = large_rest(&v[n - 1], v[n - 1].bv_len - over);
		v[n - 1].bv_len -= over;
	}
	large->next += n - !!over;
	req->vecs = v;
	req->nvecs = n;
	req->bytes = want;
	req->sector = large->sector + (large->done >> SECTOR_SHIFT);
	bell_backend_blk_map_set_aligned(req);
	return 0;
}

/* Free the state of a large request, and let it use its inline vectors again. */
static void large_free(struct bell_blk *blk, struct bell_disk_req *req)
{
	struct bell_blk_large *large = req->large;

	req->large = NULL;
	if (large->vecs != req->inline_vecs)
		kvfree(large->vecs);
	req->vecs = req->inline_vecs;
	bell_backend_blk_map_unreserve(blk, large->reserved);
	kfree(large);
}

static int large_alloc(struct bell_blk *blk, struct bell_disk_req *req,
		       size_t reserve)
{
	struct bell_blk_large *large;

	if (!bell_backend_blk_map_reserve(blk, reserve))
		return -EAGAIN;
	large = bell_backend_blk_map_alloc(sizeof(*large), true);
	if (!large) {
		bell_backend_blk_map_unreserve(blk, reserve);
		return bell_backend_blk_map_no_memory(req);
	}
	*large = (struct bell_blk_large){
		.sector = req->sector, .reserved = reserve,
	};
	req->large = large;
	req->told = READ_ONCE(req->disk->told);
	return 0;
}

static int large_map(struct bell_blk *blk, struct bell_disk_req *req,
		     struct bell_vq_cursor data, u32 bytes)
{
	struct bell_blk_large *large = req->large;
	int ret;

	req->bytes = bytes;
	ret = bell_backend_blk_map_pieces(blk, req, data, true);
	large->bytes = bytes;
	large->vecs = req->vecs;
	return ret;
}

/**
 * bell_backend_blk_large_begin() - begin a read or write that is served in slices
 * @blk: the disk
 * @req: the request; its range was checked
 * @data: the start of the data
 * @bytes: bytes of data
 * @may_sleep: whether the caller may sleep; if not, nothing is begun
 *
 * Context: The queue's runner.
 * Return: 0: begun or ended; -EAGAIN: nothing was begun.
 */
int bell_backend_blk_large_begin(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor data, u64 bytes,
				 bool may_sleep)
{
	int ret, why;

	if (!may_sleep)
		return -EAGAIN;
	ret = large_alloc(blk, req,
			  bell_backend_blk_map_count_pages(data, bytes) *
			  sizeof(struct bio_vec));
	if (ret)
		goto err_end;
	ret = large_map(blk, req, data, bytes);
	if (!ret)
		ret = large_set_slice(req);
	if (ret)
		goto err_free;
	ret = blk->disk.ops->submit(req, false);
	if (!ret)
		return 0;

err_free:
	large_free(blk, req);
err_end:
	why = ret;
	if (ret == -ENOMEM)
		ret = bell_backend_blk_map_no_memory(req);
	if (ret == -EAGAIN)
		return ret;
	bell_backend_blk_fail(req, why);
	return 0;
}

/**
 * bell_backend_blk_large_done() - have the worker continue after a slice has ended
 * @req: the request
 * @error: 0 or a negative errno
 *
 * Context: Any.
 */
void bell_backend_blk_large_done(struct bell_disk_req *req, int error)
{
	req->large->error = error;
	req->large->ended = true;
	bell_exec_worker_retry(req->exec, &req->retry);
}

static void large_end(struct bell_disk_req *req, int error)
{
	const struct bell_blk_queue *q = req->vq->priv;

	bell_backend_blk_hold_end(req, error);
	/*
	 * bell_disk_done() holds a request that ends with -ENOSPC. This one cannot be
	 * submitted again: its vectors are freed below.
	 */
	if (error == -ENOSPC)
		error = -EDQUOT;
	/* A failure is reported with the sector of the slice that failed. */
	if (!error)
		req->sector = req->large->sector;
	/* The dirty log has all slices of a read, also if it failed. */
	if (!error || req->op == BELL_DISK_READ)
		req->bytes = req->large->bytes;
	large_free(q->blk, req);
	bell_disk_done(req, error);
}

/* bell_backend_blk_large_drop() - free the state of a large request that is put back */
void bell_backend_blk_large_drop(struct bell_disk_req *req)
{
	const struct bell_blk_queue *q = req->vq->priv;

	large_free(q->blk, req);
}

/* Begin the slice. If the disk cannot begin it now, try again in a jiffy. */
static void large_submit(struct bell_disk_req *req)
{
	struct bell_blk_large *large = req->large;
	int ret;

	large->ended = false;
	ret = req->disk->ops->submit(req, false);
	if (!ret)
		return;
	if ((ret == -EAGAIN || ret == -ENOMEM) &&
	    large->tries++ < LARGE_MAX_TRIES) {
		schedule_timeout_idle(1);
		bell_exec_worker_retry(req->exec, &req->retry);
		return;
	}
	large_end(req, ret == -EAGAIN ? -EIO : ret);
}

/* bell_backend_blk_large_vec_bytes() - bytes of page vectors reserved for a large request */
size_t bell_backend_blk_large_vec_bytes(const struct bell_disk_req *req)
{
	return req->large->reserved;
}

/**
 * bell_backend_blk_large_next() - continue a large request: begin its next slice or end it
 * @req: the request, after bell_exec_worker_retry()
 *
 * Context: The worker.
 */
void bell_backend_blk_large_next(struct bell_disk_req *req)
{
	struct bell_blk_large *large = req->large;
	int error = large->error;

	if (large->ended) {
		if (!error) {
			large->done += req->bytes;
			/* The disk has room: the next slice does not wait for it. */
			bell_backend_blk_hold_end(req, 0);
		}
		/*
		 * If the slice is held (below), this function runs again, finds @ended
		 * false, and submits the same slice again.
		 */
		large->ended = false;
		large->tries = 0;
		if (error && bell_backend_blk_hold_done(req, error))
			return;
		if (!error && large->done < large->bytes)
			error = READ_ONCE(req->disk->aborted) ?
				-EINTR : large_set_slice(req);
		if (error == -EINTR && bell_backend_blk_hold_done(req, error))
			return;
		if (error || large->done == large->bytes) {
			large_end(req, error);
			return;
		}
	} else if (req->held && READ_ONCE(req->exec->dead)) {
		error = bell_backend_blk_hold_dead(req->vq);
		if (!bell_backend_blk_hold_done(req, error))
			large_end(req, error);
		return;
	}
	large_submit(req);
}
