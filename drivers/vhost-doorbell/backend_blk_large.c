// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_large - reads and writes too long for one bio
 *
 * A driver that did not take SIZE_MAX and SEG_MAX may send any length; firmware
 * sends one descriptor of up to 1 GiB. The worker looks up all pages of such a
 * request when it begins: its stay in guest memory holds them until it ends. The
 * disk gets them slice by slice, in order; a slice begins when the one before it
 * has ended, and the first that fails ends the request.
 *
 * Context: the disk may end a slice anywhere; the worker begins the next one, and
 * ends the request, as the vectors may have come from vmalloc().
 */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "backend_blk.h"
#include "backend_blk_priv.h"
#include "disk.h"
#include "exec.h"

/* Of one slice; and vectors of one, whose number has 16 bits in a bio. */
#define LARGE_SLICE		SZ_4M
#define LARGE_SLICE_VECS	32768
/* Jiffies that a slice may wait for a disk that cannot begin it. */
#define LARGE_MAX_TRIES		(10 * HZ)

struct bell_blk_large {
	/* Constant. */
	u64		sector;
	u32		bytes;
	size_t		reserved;
	struct bio_vec	*vecs;

	/* The runner, the disk and the worker in turn: see req->large in locking.rst. */
	u32		done;		/* bytes of slices that have ended */
	u32		next;		/* the first vector of the next slice */
	struct bio_vec	rest;		/* of it, if the last slice has a part */
	bool		cut;		/* it has */
	bool		ended;		/* the disk is done with the slice */
	int		error;
	u32		tries;
};

/* What remains of a vector behind its first @n bytes. */
static struct bio_vec large_rest(const struct bio_vec *v, u32 n)
{
	struct bio_vec rest;
	u64 at = (u64)v->bv_offset + n;

	bvec_set_page(&rest, v->bv_page + (at >> PAGE_SHIFT), v->bv_len - n,
		      offset_in_page(at));
	return rest;
}

/* What slices are multiples of: blocks, or on a zoned disk what can be written. */
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

/* Set the request to what comes next; -EIO if a block is in too many pieces. */
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

/* The request's own vectors again. */
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
 * @req: the request, checked
 * @data: where that is
 * @bytes: of it
 * @may_sleep: whether the caller may; else nothing is begun
 *
 * Context: The queue's runner.
 * Return: 0: begun or ended; -EAGAIN, -ESRCH: nothing was begun.
 */
int bell_backend_blk_large_begin(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor data, u64 bytes,
				 bool may_sleep)
{
	int ret;

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
	if (ret == -ENOMEM)
		ret = bell_backend_blk_map_no_memory(req);
	if (ret == -EAGAIN || ret == -ESRCH)
		return ret;
	bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
	return 0;
}

/**
 * bell_backend_blk_large_done() - the disk is done with a slice
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

	/* What failed is told of as the slice that it was. */
	if (!error) {
		req->sector = req->large->sector;
		req->bytes = req->large->bytes;
	}
	large_free(q->blk, req);
	bell_disk_done(req, error);
}

/* Begin the slice; the disk may have no room for it, which is no error yet. */
static void large_submit(struct bell_disk_req *req)
{
	struct bell_blk_large *large = req->large;
	int ret;

	large->ended = false;
	ret = req->disk->ops->submit(req, false);
	if (!ret)
		return;
	if (ret == -ENOMEM)
		ret = -EAGAIN;
	if (ret == -EAGAIN && large->tries++ < LARGE_MAX_TRIES) {
		schedule_timeout_idle(1);
		bell_exec_worker_retry(req->exec, &req->retry);
		return;
	}
	large_end(req, ret == -EAGAIN ? -EIO : ret);
}

/**
 * bell_backend_blk_large_next() - go on with a large request
 * @req: the request, that bell_exec_worker_retry() was told of
 *
 * Context: The worker.
 */
void bell_backend_blk_large_next(struct bell_disk_req *req)
{
	struct bell_blk_large *large = req->large;
	int error = large->error;

	if (large->ended) {
		if (!error)
			large->done += req->bytes;
		if (!error && large->done < large->bytes)
			error = READ_ONCE(req->disk->aborted) ?
				-EINTR : large_set_slice(req);
		if (error || large->done == large->bytes) {
			large_end(req, error);
			return;
		}
		large->tries = 0;
	}
	large_submit(req);
}
