// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_req - virtio-blk requests (virtio 1.3, section 5.2.6)
 *
 * A request is 16 bytes of header in the readable part of the chain and one
 * byte of status at the end of the writable part, cut into descriptors in any
 * way; what is left of either part is data. Data goes to the disk as it lies in
 * guest memory.
 *
 * A header or status that cannot be reached breaks the queue, as there is no
 * way to answer; all else that is wrong with a request ends in its status.
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

/* --- the end of a request --- */

static void blk_free(struct bell_disk_req *req)
{
	if (req->vecs != req->inline_vecs)
		bell_backend_blk_map_free(req);
	if (unlikely(req->result)) {
		kfree(req->result);
		req->result = NULL;
	}
}

/* Found when the request began, as was the status. */
static void blk_put_result(const struct bell_disk_req *req)
{
	__le64 sector = cpu_to_le64(req->sector);
	u32 i;

	for (i = 0; i < sizeof(sector); i++)
		WRITE_ONCE(*req->result[i], ((u8 *)&sector)[i]);
}

/* End a request: its status, and how many writable bytes before it are set. */
void bell_backend_blk_finish(struct bell_disk_req *req, u8 status, u32 written)
{
	bool ok = status == VIRTIO_BLK_S_OK;
	struct bell_done done = {
		.head = req->head,
		.epoch = req->epoch,
		.failed = !ok,
		/*
		 * From the start of the writable part: with the status, which
		 * is its last byte, only if nothing before it was left out.
		 */
		.len = written == req->room ? written + 1 : written,
	};

	if (ok && req->op == BELL_DISK_READ)
		done.bytes_read = req->bytes;
	if (ok && (req->op == BELL_DISK_WRITE || req->op == BELL_DISK_APPEND))
		done.bytes_written = req->bytes;
	blk_free(req);
	/* Pinned since the take: the guest may have given the page away. */
	WRITE_ONCE(*req->status, status);
	bell_vq_complete(req->vq, &done);
}

/* Is a write stable when it completes? */
static bool blk_writes_through(const struct bell_blk_queue *q)
{
	return q->writethrough || !READ_ONCE(q->blk->config.wce);
}

/* Written back, and the driver has been promised more meanwhile. */
static bool blk_owes_flush(const struct bell_disk_req *req)
{
	return (req->op == BELL_DISK_WRITE || req->op == BELL_DISK_ZERO ||
		req->op == BELL_DISK_APPEND) &&
	       !req->fua && blk_writes_through(req->vq->priv) &&
	       bell_disk_has_cache(req->disk);
}

static void blk_flush_owed(struct bell_disk_req *req)
{
	req->fua = true;
	bell_disk_done(req, bell_disk_flush(req->disk));
}

/**
 * bell_disk_done() - the disk is done with a request
 * @req: the request, which is reused at once
 * @error: 0 or a negative errno
 *
 * Context: Any.
 */
void bell_disk_done(struct bell_disk_req *req, int error)
{
	const struct bell_blk_queue *q = req->vq->priv;
	u32 written = 0;
	u8 status;

	if (unlikely(req->large)) {
		bell_backend_blk_large_done(req, error);
		return;
	}
	if (!error && blk_owes_flush(req)) {
		bell_disk_queue(req, blk_flush_owed);
		return;
	}
	switch (error) {
	case 0:
		status = VIRTIO_BLK_S_OK;
		if (req->op == BELL_DISK_READ)
			written = req->bytes;
		if (req->op == BELL_DISK_APPEND) {
			blk_put_result(req);
			written = sizeof(__le64);
		}
		break;
	case -EOPNOTSUPP:
		status = VIRTIO_BLK_S_UNSUPP;
		break;
	default:
		if (q->zoned) {
			bell_backend_blk_zone_failed(req, error);
			return;
		}
		status = VIRTIO_BLK_S_IOERR;
		break;
	}
	bell_backend_blk_finish(req, status, written);
}

/**
 * bell_disk_retry() - a request would block: let the worker submit it
 * @req: the request
 *
 * Context: Any.
 */
void bell_disk_retry(struct bell_disk_req *req)
{
	bell_exec_worker_retry(req->exec, &req->retry);
}

/* --- the beginning --- */

/* Look up the pages of the data; most are one piece within a page. */
static int blk_map_data(struct bell_blk *blk, struct bell_disk_req *req,
			struct bell_vq_cursor cur, bool may_sleep)
{
	struct bell_disk *disk = req->disk;
	struct bell_gmem_span span;
	u64 gpa;
	int ret;

	if (cur.seg->len - cur.skip < req->bytes || req->bytes > PAGE_SIZE)
		return bell_backend_blk_map_pieces(blk, req, cur, may_sleep);
	if (check_add_overflow(cur.seg->addr, cur.skip, &gpa))
		return -EFAULT;
	ret = bell_gmem_span(req->vq->gmem, gpa, req->bytes, may_sleep, &span);
	if (ret)
		return ret;
	if (span.len < req->bytes)
		return bell_backend_blk_map_pieces(blk, req, cur, may_sleep);
	bvec_set_page(&req->vecs[0], span.page, span.len, span.offset);
	req->nvecs = 1;
	req->aligned = !((req->sector << SECTOR_SHIFT | span.len) &
			 disk->len_mask) &&
		       !(span.offset & disk->addr_mask);
	return 0;
}

/* Is this on the disk, and in whole blocks? */
static bool blk_in_range(struct bell_blk *blk, u64 sector, u64 bytes)
{
	u32 mask = le32_to_cpu((__force __le32)blk->config.blk_size) - 1;
	u64 capacity = READ_ONCE(blk->disk.capacity);

	return bytes && !(bytes & mask) && sector <= capacity &&
	       bytes >> SECTOR_SHIFT <= capacity - sector &&
	       !((sector << SECTOR_SHIFT) & mask);
}

/* It did not come to the disk: put it back, serve it in slices, or fail it. */
static noinline int blk_rw_fails(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor data, bool may_sleep,
				 int error)
{
	if (error == -ENOMEM)
		error = bell_backend_blk_map_no_memory(req);
	if (error == -EAGAIN || error == -ESRCH) {
		blk_free(req);
		return error;
	}
	if (error == -E2BIG && req->op != BELL_DISK_APPEND) {
		blk_free(req);
		return bell_backend_blk_large_begin(blk, req, data, req->bytes,
						    may_sleep);
	}
	bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
	return 0;
}

/*
 * Of a zoned disk, or longer than what is served in one piece. 1: that can go on
 * as others do.
 */
static noinline int blk_rw_rare(struct bell_blk *blk, struct bell_disk_req *req,
				struct bell_vq_cursor data, u64 bytes,
				bool may_sleep)
{
	int ret;

	/* Before all zones that it lies in are asked for. */
	if (bytes > BELL_BLK_MAX_BYTES) {
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
		return 0;
	}
	if (blk->zoned.zone_sectors) {
		ret = bell_backend_blk_zone_check(blk, req, bytes, may_sleep);
		if (ret < 0)
			blk_free(req);
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

/* Read, write and append. */
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

/* One range of a discard or of zeroes, checked: 0 or what ends the request. */
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

/* Discard, write zeroes and secure erase: the data is a list of ranges. */
static int blk_ranges(struct bell_blk *blk, struct bell_disk_req *req,
		      struct bell_vq_cursor data, u64 bytes, bool may_sleep)
{
	struct virtio_blk_discard_write_zeroes from;
	u64 n = bytes / sizeof(from);
	u32 i;
	int ret = 0;

	if (!n || n > BELL_DISK_MAX_RANGES || bytes % sizeof(from) ||
	    blk->read_only)
		ret = -EIO;
	for (i = 0; i < n && !ret; i++) {
		ret = bell_vq_chain_copy(req->vq, &data, &from, sizeof(from),
					 false, may_sleep);
		if (ret == -EAGAIN || ret == -ESRCH)
			return ret;
		if (!ret)
			ret = blk_set_range(blk, req, &req->range[i], &from);
	}
	if (ret) {
		bell_disk_done(req, ret);
		return 0;
	}
	req->nvecs = n;
	return blk->disk.ops->submit(req, !may_sleep);
}

/* Answer with what we know. */
static int blk_tell(struct bell_disk_req *req, struct bell_vq_cursor data,
		    u64 bytes, void *what, u32 size, bool may_sleep)
{
	u32 len = min_t(u64, bytes, size);
	int ret;

	ret = bell_vq_chain_copy(req->vq, &data, what, len, true, may_sleep);
	if (ret == -EAGAIN || ret == -ESRCH)
		return ret;
	if (ret)
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
	else
		bell_backend_blk_finish(req, VIRTIO_BLK_S_OK, len);
	return 0;
}

/* What is not a read, a write or a flush; most of it takes a feature. */
static int blk_begin_rare(struct bell_blk_queue *q, struct bell_disk_req *req,
			  u32 type, struct bell_vq_cursor in, u64 in_bytes,
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
		req->fua = blk_writes_through(q);
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

/*
 * Begin a request whose header was read. -EAGAIN and -ESRCH: nothing was begun.
 */
static int blk_begin(struct bell_blk_queue *q, struct bell_disk_req *req,
		     const struct bell_chain *chain, struct bell_vq_cursor out,
		     const struct virtio_blk_outhdr *hdr, bool may_sleep)
{
	struct bell_vq_cursor in = { .seg = chain->seg + chain->nout };
	u64 in_bytes = bell_vq_bytes(in.seg, chain->nin) - 1;
	u64 out_bytes = bell_vq_bytes(chain->seg, chain->nout) - sizeof(*hdr);
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
		req->fua = blk_writes_through(q);
		return bell_backend_blk_rw(blk, req, out, out_bytes,
					   may_sleep);
	case VIRTIO_BLK_T_FLUSH:
		req->op = BELL_DISK_FLUSH;
		return blk->disk.ops->submit(req, !may_sleep);
	default:
		return blk_begin_rare(q, req, type, in, in_bytes, out,
				      out_bytes, may_sleep);
	}
}

/*
 * Read the header, and move the cursor behind it; @span is where it was, or has
 * no page if it was in pieces.
 */
static int blk_read_header(struct bell_vq *vq, struct bell_vq_cursor *out,
			   struct virtio_blk_outhdr *hdr, bool may_sleep,
			   struct bell_gmem_span *span)
{
	int ret;

	span->page = NULL;
	if (likely(out->seg->len >= sizeof(*hdr))) {
		/* To the end of its page, or of the region */
		ret = bell_gmem_span(vq->gmem, out->seg->addr,
				     PAGE_SIZE - offset_in_page(out->seg->addr),
				     may_sleep, span);
		if (ret)
			return ret;
		if (likely(span->len >= sizeof(*hdr))) {
			memcpy(hdr, page_address(span->page) + span->offset,
			       sizeof(*hdr));
			/* The guest's memory is not looked at again. */
			barrier();
			bell_vq_advance(out, sizeof(*hdr));
			return 0;
		}
		span->page = NULL;
	}
	return bell_vq_chain_copy(vq, out, hdr, sizeof(*hdr), false,
				     may_sleep);
}

/*
 * Find the status byte; it stays pinned until the request ends. In most drivers
 * it lies near the header.
 */
static int blk_find_status(struct bell_disk_req *req,
			   const struct bell_chain *chain, bool may_sleep,
			   const struct bell_gmem_span *header)
{
	const struct bell_seg *last = &chain->seg[chain->nout + chain->nin - 1];
	struct bell_gmem_span span;
	u64 gpa;
	int ret;

	if (!chain->nin)
		return -EFAULT;
	if (check_add_overflow(last->addr, (u64)last->len - 1, &gpa))
		return -EFAULT;
	if (header->page && !((gpa ^ chain->seg->addr) >> PAGE_SHIFT) &&
	    offset_in_page(gpa) < header->offset + header->len) {
		req->status = page_address(header->page) + offset_in_page(gpa);
		return 0;
	}
	ret = bell_gmem_span(req->vq->gmem, gpa, 1, may_sleep, &span);
	if (!ret)
		req->status = page_address(span.page) + span.offset;
	return ret;
}

/* Serve a chain that was taken. -EAGAIN, -ESRCH, -EPROTO: it was not. */
static int blk_serve(struct bell_blk_queue *q, struct bell_vq *vq,
		     const struct bell_chain *chain, bool may_sleep)
{
	struct bell_disk_req *req = &q->req[chain->head];
	struct bell_vq_cursor out = { .seg = chain->seg };
	struct virtio_blk_outhdr hdr;
	struct bell_gmem_span span;
	int ret = -EFAULT;

	req->epoch = chain->epoch;
	if (bell_vq_bytes(chain->seg, chain->nout) >= sizeof(hdr))
		ret = blk_read_header(vq, &out, &hdr, may_sleep, &span);
	if (!ret)
		ret = blk_find_status(req, chain, may_sleep, &span);
	if (!ret)
		return blk_begin(q, req, chain, out, &hdr, may_sleep);
	if (ret != -EAGAIN && ret != -ESRCH)
		ret = bell_vq_break(vq, "no header or status in head %u",
				    chain->head);
	return ret;
}

/* Take and submit until the ring is empty or something stops us. */
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
			return bell_backend_stop_reason(vq, ret);
		ret = blk_serve(vq->priv, vq, &chain, run->may_sleep);
		if (ret) {
			bell_vq_untake(vq, &chain);
			return bell_backend_stop_reason(vq, ret);
		}
	}
	return BELL_PASS_MORE;
}

/* What the back end does when it is run. */
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
	WRITE_ONCE(vq->parked, false);
	do {
		bell_vq_disable_kick(vq);
		do {
			blk_start_plug(&plug);
			how = blk_drain(vq, run);
			blk_finish_plug(&plug);
		} while (how == BELL_PASS_DONE && bell_exec_poll(run));
	} while (how == BELL_PASS_DONE && bell_vq_enable_kick(vq));
	if (!run->may_sleep &&
	    (how == BELL_PASS_PUNT || how == BELL_PASS_MORE))
		bell_stat_inc(st->punts);
	return how;
}

/* What would have blocked, and what goes on after a slice, by the worker. */
void bell_backend_blk_resubmit(struct bell_exec *exec, struct llist_node *node)
{
	struct bell_disk_req *req =
		llist_entry(node, struct bell_disk_req, retry);

	if (unlikely(req->large))
		bell_backend_blk_large_next(req);
	else
		req->disk->ops->resubmit(req);
}
