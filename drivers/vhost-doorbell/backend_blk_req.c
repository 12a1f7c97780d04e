// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_req - virtio-blk requests (virtio 1.3, section 5.2.6)
 *
 * A request has a header of 16 bytes at the start of the readable part of its
 * chain and a status byte at the end of the writable part; the driver may cut
 * both parts into descriptors in any way. The rest of each part is data, which
 * the disk reads and writes directly in guest memory.
 *
 * If the header or the status byte is outside guest memory the queue breaks, as
 * the device cannot answer. Any other error is reported in the status byte.
 */
#include <linux/blkdev.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "backend_blk.h"
#include "backend_blk_priv.h"
#include "disk.h"
#include "exec.h"
#include "gmem.h"
#include "trace.h"
#include "vq.h"

/*
 * Look up the pages of a request's data. The short path here handles data in one
 * descriptor that lies within a page that is found quickly.
 */
static int blk_map_data(struct bell_blk *blk, struct bell_disk_req *req,
			struct bell_vq_cursor cur, bool may_sleep)
{
	struct bell_disk *disk = req->disk;
	u32 bytes = req->bytes, offset;
	struct page *page = NULL;
	u64 gpa;

	if (check_add_overflow(cur.seg->addr, cur.skip, &gpa))
		return -EFAULT;
	offset = offset_in_page(gpa);
	if (likely(bytes <= cur.seg->len - cur.skip &&
		   bytes <= PAGE_SIZE - offset))
		page = bell_gmem_page(req->vq->gmem, gpa);
	if (!page)
		return bell_backend_blk_map_pieces(blk, req, cur, may_sleep);
	bvec_set_page(&req->vecs[0], page, bytes, offset);
	req->nvecs = 1;
	req->aligned = !((req->sector << SECTOR_SHIFT | bytes) &
			 disk->len_mask) && !(offset & disk->addr_mask);
	return 0;
}

/* Does this range lie on the disk, in whole blocks? */
static bool blk_in_range(struct bell_blk *blk, u64 sector, u64 bytes)
{
	u32 mask = le32_to_cpu((__force __le32)blk->config.blk_size) - 1;
	u64 capacity = READ_ONCE(blk->disk.capacity);

	return bytes && !(bytes & mask) && sector <= capacity &&
	       bytes >> SECTOR_SHIFT <= capacity - sector &&
	       !((sector << SECTOR_SHIFT) & mask);
}

/*
 * A read, write or append was not begun: put the request back into the ring,
 * serve it in slices, or fail it. Returns 0, or -EAGAIN to put it
 * back.
 */
static noinline int blk_rw_fails(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor data, bool may_sleep,
				 int error)
{
	int why = error;

	if (error == -ENOMEM)
		error = bell_backend_blk_map_no_memory(req);
	if (error == -EAGAIN) {
		bell_backend_blk_free(req);
		return error;
	}
	if (error == -E2BIG && req->op != BELL_DISK_APPEND) {
		bell_backend_blk_free(req);
		return bell_backend_blk_large_begin(blk, req, data, req->bytes,
						    may_sleep);
	}
	bell_backend_blk_fail(req, why);
	return 0;
}

/*
 * Handle a request of a zoned disk, or one longer than @max_bytes. Returns 1 if
 * the request is to continue on the common path, 0 if it was begun or has
 * ended, or -EAGAIN if nothing was begun.
 */
static noinline int blk_rw_rare(struct bell_blk *blk, struct bell_disk_req *req,
				struct bell_vq_cursor data, u64 bytes,
				bool may_sleep)
{
	int ret;

	/*
	 * Check the length first: it bounds how many zones are looked up below.
	 */
	if (bytes > BELL_BLK_MAX_BYTES) {
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
		return 0;
	}
	if (blk->zoned.zone_sectors) {
		ret = bell_backend_blk_zone_check(blk, req, bytes, may_sleep);
		if (ret < 0)
			bell_backend_blk_free(req);
		if (ret)
			return min(ret, 0);
	}
	if (bytes > blk->max_bytes)
		return bell_backend_blk_large_begin(blk, req, data, bytes,
						    may_sleep);
	return 1;
}

static noinline int blk_rw_refuse(struct bell_blk *blk,
				  struct bell_disk_req *req, u64 bytes)
{
	if (blk->zoned.zone_sectors && !blk->read_only)
		bell_backend_blk_zone_refuse(req, bytes);
	else
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
	return 0;
}

/*
 * Begin a read, write or append of @bytes bytes. Returns 0 if it was begun or
 * has ended, or -EAGAIN if nothing was begun.
 */
int bell_backend_blk_rw(struct bell_blk *blk, struct bell_disk_req *req,
			struct bell_vq_cursor data, u64 bytes, bool may_sleep)
{
	int ret;

	if (!blk_in_range(blk, req->sector, bytes) ||
	    (req->op != BELL_DISK_READ && blk->read_only))
		return blk_rw_refuse(blk, req, bytes);
	if (unlikely(bytes > blk->plain_bytes)) {
		ret = blk_rw_rare(blk, req, data, bytes, may_sleep);
		if (ret <= 0)
			return ret;
	}
	req->bytes = bytes;
	ret = blk_map_data(blk, req, data, may_sleep);
	if (!ret)
		ret = blk->disk.ops->submit(req, !may_sleep);
	if (likely(!ret))
		return 0;
	return blk_rw_fails(blk, req, data, may_sleep, ret);
}

/*
 * Check one range of a discard, write zeroes or erase, and copy it to @to.
 * Returns 0 or the errno that the request ends with.
 */
static int blk_set_range(struct bell_blk *blk, struct bell_disk_req *req,
			 struct bell_disk_range *to,
			 const struct virtio_blk_discard_write_zeroes *from)
{
	u32 flags = le32_to_cpu(from->flags);
	u32 known = 0, max;

	to->sector = le64_to_cpu(from->sector);
	to->nsectors = le32_to_cpu(from->num_sectors);
	switch (req->op) {
	case BELL_DISK_ZERO:
		known = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
		max = blk->disk.max_zero;
		break;
	case BELL_DISK_ERASE:
		max = blk->disk.max_erase;
		break;
	default:
		max = blk->disk.max_discard;
		break;
	}
	to->unmap = flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	if (flags & ~known)
		return -EOPNOTSUPP;
	return to->nsectors <= max &&
	       blk_in_range(blk, to->sector,
			    (u64)to->nsectors << SECTOR_SHIFT) ? 0 : -EIO;
}

/*
 * Begin a discard, write zeroes or secure erase; the data is a list of ranges.
 * Returns as bell_backend_blk_rw() does.
 */
static int blk_ranges(struct bell_blk *blk, struct bell_disk_req *req,
		      struct bell_vq_cursor data, u64 bytes, bool may_sleep)
{
	struct virtio_blk_discard_write_zeroes from;
	u64 n = bytes / sizeof(from);
	u32 i;
	int ret = 0;

	req->nvecs = 0;
	if (!n || n > BELL_DISK_MAX_RANGES || bytes % sizeof(from) ||
	    blk->read_only)
		ret = -EIO;
	for (i = 0; i < n && !ret; i++) {
		ret = bell_vq_chain_copy(req->vq, &data, &from, sizeof(from),
					 false, may_sleep);
		if (ret == -EAGAIN)
			return ret;
		if (ret)
			break;
		ret = blk_set_range(blk, req, &req->range[i], &from);
		/*
		 * A refused request is reported with the sector of its first
		 * range. Before that is set, its memory holds a page vector of
		 * an earlier request, which must not be told.
		 */
		req->nvecs = i + 1;
	}
	if (ret) {
		bell_backend_blk_finish(req, ret == -EOPNOTSUPP ?
						VIRTIO_BLK_S_UNSUPP :
						VIRTIO_BLK_S_IOERR, 0);
		return 0;
	}
	return blk->disk.ops->submit(req, !may_sleep);
}

/*
 * Answer a request with @size bytes at @what, or as many as fit. Returns as
 * bell_backend_blk_rw() does.
 */
static int blk_tell(struct bell_disk_req *req, struct bell_vq_cursor data,
		    u64 bytes, void *what, u32 size, bool may_sleep)
{
	u32 len = min_t(u64, bytes, size);
	int ret;

	ret = bell_vq_chain_copy(req->vq, &data, what, len, true, may_sleep);
	if (ret == -EAGAIN)
		return ret;
	if (ret)
		bell_backend_blk_fail(req, ret);
	else
		bell_backend_blk_finish(req, VIRTIO_BLK_S_OK, len);
	return 0;
}

/*
 * Begin a request that is no read, write or flush. Most types need a feature
 * that the driver has accepted.
 */
static noinline int blk_begin_rare(struct bell_blk_queue *q,
				   struct bell_disk_req *req, u32 type,
				   struct bell_vq_cursor in, u64 in_bytes,
				   struct bell_vq_cursor out, u64 out_bytes,
				   bool may_sleep)
{
	struct bell_blk *blk = q->blk;

	req->op = BELL_DISK_NONE;
	req->fua = false;
	switch (type) {
	case VIRTIO_BLK_T_DISCARD:
		if (!q->discard)
			break;
		req->op = BELL_DISK_DISCARD;
		return blk_ranges(blk, req, out, out_bytes, may_sleep);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		if (!q->write_zeroes)
			break;
		req->op = BELL_DISK_ZERO;
		req->fua = bell_backend_blk_writes_through(q);
		return blk_ranges(blk, req, out, out_bytes, may_sleep);
	case VIRTIO_BLK_T_SECURE_ERASE:
		if (!q->secure_erase)
			break;
		req->op = BELL_DISK_ERASE;
		return blk_ranges(blk, req, out, out_bytes, may_sleep);
	case VIRTIO_BLK_T_GET_ID:
		return blk_tell(req, in, in_bytes, blk->serial,
				sizeof(blk->serial), may_sleep);
	case VIRTIO_BLK_T_GET_LIFETIME:
		if (!q->lifetime)
			break;
		return blk_tell(req, in, in_bytes, &blk->lifetime,
				sizeof(blk->lifetime), may_sleep);
	case VIRTIO_BLK_T_ZONE_APPEND:
		if (!q->zoned)
			break;
		return bell_backend_blk_zone_append(blk, req, in, in_bytes,
						    out, out_bytes, may_sleep);
	case VIRTIO_BLK_T_ZONE_REPORT:
		if (!q->zoned)
			break;
		return bell_backend_blk_zone_report(blk, req, in, in_bytes,
						    may_sleep);
	case VIRTIO_BLK_T_ZONE_OPEN:
	case VIRTIO_BLK_T_ZONE_CLOSE:
	case VIRTIO_BLK_T_ZONE_FINISH:
	case VIRTIO_BLK_T_ZONE_RESET:
	case VIRTIO_BLK_T_ZONE_RESET_ALL:
		if (!q->zoned)
			break;
		return bell_backend_blk_zone_manage(blk, req, type, may_sleep);
	}
	bell_backend_blk_finish(req, VIRTIO_BLK_S_UNSUPP, 0);
	return 0;
}

/* The position behind the header, which the readable pieces hold */
static struct bell_vq_cursor blk_behind_header(const struct bell_chain *chain)
{
	struct bell_vq_cursor cur = { .seg = chain->seg };
	u32 left = sizeof(struct virtio_blk_outhdr), n;

	while (left) {
		n = min(left, cur.seg->len);
		bell_vq_advance(&cur, n);
		left -= n;
	}
	return cur;
}

/*
 * Begin a request whose header was read. Returns as bell_backend_blk_rw() does.
 */
static __always_inline int blk_begin(struct bell_blk_queue *q,
				     struct bell_disk_req *req,
				     const struct bell_chain *chain,
				     const struct virtio_blk_outhdr *hdr,
				     bool may_sleep)
{
	struct bell_vq_cursor in = { .seg = chain->seg + chain->nout };
	u64 in_bytes = chain->in_bytes - 1;
	u64 out_bytes = chain->out_bytes - sizeof(*hdr);
	u32 type = le32_to_cpu((__force __le32)hdr->type);
	struct bell_blk *blk = q->blk;

	req->sector = le64_to_cpu((__force __le64)hdr->sector);
	req->bytes = 0;
	req->room = min_t(u64, in_bytes, U32_MAX);
	req->vecs = req->inline_vecs;
	trace_bell_submit(req->vq->dev_id, req->vq->index, req->head, type,
			  req->sector, type == VIRTIO_BLK_T_IN ? in_bytes :
								 out_bytes);
	switch (type) {
	case VIRTIO_BLK_T_IN:
		req->op = BELL_DISK_READ;
		return bell_backend_blk_rw(blk, req, in, in_bytes, may_sleep);
	case VIRTIO_BLK_T_OUT:
		req->op = BELL_DISK_WRITE;
		req->fua = bell_backend_blk_writes_through(q);
		return bell_backend_blk_rw(blk, req, blk_behind_header(chain),
					   out_bytes, may_sleep);
	case VIRTIO_BLK_T_FLUSH:
		req->op = BELL_DISK_FLUSH;
		return blk->disk.ops->submit(req, !may_sleep);
	default:
		return blk_begin_rare(q, req, type, in, in_bytes,
				      blk_behind_header(chain), out_bytes,
				      may_sleep);
	}
}

/* Read a header that is in several pieces, or whose page is not found quickly. */
static noinline int blk_copy_header(struct bell_vq *vq,
				    const struct bell_chain *chain,
				    struct virtio_blk_outhdr *hdr,
				    bool may_sleep)
{
	struct bell_vq_cursor cur = { .seg = chain->seg };

	return bell_vq_chain_copy(vq, &cur, hdr, sizeof(*hdr), false, may_sleep);
}

/*
 * Read the header. @page: out: kernel address of the page in which it lies; NULL if that
 * is not known.
 */
static __always_inline int blk_read_header(struct bell_vq *vq,
					   const struct bell_chain *chain,
					   struct virtio_blk_outhdr *hdr,
					   bool may_sleep, void **page)
{
	const struct bell_seg *seg = chain->seg;
	u32 offset = offset_in_page(seg->addr);
	struct virtio_blk_outhdr copy;
	struct page *p = NULL;
	int ret;

	if (likely(seg->len >= sizeof(*hdr) &&
		   offset <= PAGE_SIZE - sizeof(*hdr)))
		p = bell_gmem_page(vq->gmem, seg->addr);
	if (likely(p)) {
		*page = page_address(p);
		memcpy(hdr, *page + offset, sizeof(*hdr));
		/*
		 * The copy is made before this point; the compiler must not read again
		 * from guest memory, which the guest may change.
		 */
		barrier();
		return 0;
	}
	*page = NULL;
	/* @hdr stays in registers, as its address is given to no function. */
	ret = blk_copy_header(vq, chain, &copy, may_sleep);
	*hdr = copy;
	return ret;
}

/* Find a status byte that is not in the header's page. */
static noinline int blk_look_up_status(struct bell_disk_req *req, u64 gpa,
				       bool may_sleep)
{
	struct bell_gmem_span span;
	int ret;

	ret = bell_gmem_span(req->vq->gmem, gpa, 1, may_sleep, &span);
	if (!ret)
		req->status = page_address(span.page) + span.offset;
	return ret;
}

/*
 * Find the status byte; its page remains pinned until the request ends. Most drivers
 * put it near the header, so look in the header's page first: all of it is guest memory.
 */
static __always_inline int blk_find_status(struct bell_disk_req *req,
					   const struct bell_chain *chain,
					   bool may_sleep, void *page)
{
	const struct bell_seg *last = &chain->seg[chain->nout + chain->nin - 1];
	u64 gpa;

	if (!chain->nin)
		return -EFAULT;
	if (check_add_overflow(last->addr, (u64)last->len - 1, &gpa))
		return -EFAULT;
	if (unlikely(!page || (gpa ^ chain->seg->addr) >> PAGE_SHIFT))
		return blk_look_up_status(req, gpa, may_sleep);
	req->status = page + offset_in_page(gpa);
	return 0;
}

static __always_inline int blk_try(struct bell_blk_queue *q,
				   struct bell_disk_req *req,
				   const struct bell_chain *chain,
				   bool may_sleep)
{
	struct bell_vq *vq = req->vq;
	struct virtio_blk_outhdr hdr;
	int ret = -EFAULT;
	void *page;

	if (chain->out_bytes >= sizeof(hdr))
		ret = blk_read_header(vq, chain, &hdr, may_sleep, &page);
	if (!ret)
		ret = blk_find_status(req, chain, may_sleep, page);
	if (!ret)
		return blk_begin(q, req, chain, &hdr, may_sleep);
	if (ret != -EAGAIN)
		ret = bell_vq_break(vq, "head %u has no header or no status byte",
				    chain->head);
	return ret;
}

/*
 * Begin the request in a chain that was taken. Returns 0, or -EAGAIN or
 * -EPROTO if nothing was begun.
 */
static int blk_serve(struct bell_blk_queue *q, const struct bell_chain *chain,
		     bool may_sleep)
{
	struct bell_disk_req *req = &q->req[chain->head];
	int ret;

	req->epoch = chain->epoch;
	WRITE_ONCE(req->begin, bell_hist_now());
	ret = blk_try(q, req, chain, may_sleep);
	if (ret)
		WRITE_ONCE(req->begin, 0);
	return ret;
}

/*
 * Take and submit requests until the ring is empty, the budget is spent, or the
 * pass must stop.
 */
static enum bell_pass blk_drain(struct bell_vq *vq, struct bell_run *run)
{
	struct bell_chain chain;
	int ret;

	while (bell_run_spend(run)) {
		if (READ_ONCE(run->exec->dead))
			return BELL_PASS_STOP;
		ret = bell_vq_take(vq, run->may_sleep, &chain);
		if (!ret)
			return BELL_PASS_DONE;
		if (ret < 0)
			return bell_backend_stop_reason(ret);
		ret = blk_serve(vq->priv, &chain, run->may_sleep);
		if (ret) {
			bell_vq_untake(vq, &chain);
			return bell_backend_stop_reason(ret);
		}
	}
	return BELL_PASS_MORE;
}

/* bell_backend_blk_pass() - serve the ring of a disk's queue; see struct bell_exec_ops */
enum bell_pass bell_backend_blk_pass(struct bell_exec *exec,
				     struct bell_run *run)
{
	struct bell_vq *vq = exec->vq;
	struct bell_stats *st = &vq->stats;
	struct blk_plug plug;
	enum bell_pass how;

	if (run->may_sleep)
		bell_stat_inc(st->worker_passes);
	else
		bell_stat_inc(st->inline_passes);
	do {
		bell_vq_disable_kick(vq);
		do {
			bell_backend_blk_defer_begin(vq->priv, run->may_sleep);
			blk_start_plug(&plug);
			how = blk_drain(vq, run);
			blk_finish_plug(&plug);
			bell_backend_blk_defer_end(vq->priv);
		} while (how == BELL_PASS_DONE && bell_exec_poll(run));
	} while (how == BELL_PASS_DONE && bell_vq_enable_kick(vq));
	if (!run->may_sleep &&
	    (how == BELL_PASS_PUNT || how == BELL_PASS_MORE)) {
		bell_stat_inc(st->punts);
		trace_bell_punt(vq->dev_id, vq->index,
				how == BELL_PASS_MORE ? BELL_PUNT_BUDGET :
							BELL_PUNT_SLEEP);
	}
	return how;
}

/*
 * Submit a request again, in the worker: one that would have blocked, the next
 * slice of a large one, or one that was held while the disk was full.
 */
void bell_backend_blk_resubmit(struct bell_exec *exec, struct llist_node *node)
{
	struct bell_disk_req *req =
		llist_entry(node, struct bell_disk_req, retry);

	if (unlikely(req->large))
		bell_backend_blk_large_next(req);
	else if (unlikely(req->held))
		bell_backend_blk_hold_again(req);
	else
		req->disk->ops->resubmit(req);
}
