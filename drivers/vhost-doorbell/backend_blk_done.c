// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_done - how virtio-blk requests end
 *
 * The disk gives a request back in any context, also in hard irq. Its status byte is
 * written and its chain is completed there, unless it must be flushed, held, or continued
 * with its next slice before.
 */
#include <linux/blkdev.h>
#include <linux/slab.h>

#include "backend_blk_priv.h"
#include "disk.h"
#include "exec.h"
#include "trace.h"
#include "vq.h"

/* bell_backend_blk_free() - free what a request has allocated */
void bell_backend_blk_free(struct bell_disk_req *req)
{
	if (req->vecs != req->inline_vecs)
		bell_backend_blk_map_free(req);
	if (unlikely(req->result)) {
		kfree(req->result);
		req->result = NULL;
	}
}

/*
 * Write the sector of an append to guest memory. Its bytes were located when
 * the request began, as the status byte was.
 */
static void blk_put_result(const struct bell_disk_req *req)
{
	__le64 sector = cpu_to_le64(req->sector);
	u32 i;

	for (i = 0; i < sizeof(sector); i++)
		WRITE_ONCE(*req->result[i], ((u8 *)&sector)[i]);
}

static enum bell_kind blk_kind(const struct bell_disk_req *req)
{
	switch (req->op) {
	case BELL_DISK_READ:
		return BELL_KIND_READ;
	case BELL_DISK_WRITE:
	case BELL_DISK_APPEND:
		return BELL_KIND_WRITE;
	case BELL_DISK_FLUSH:
		return BELL_KIND_FLUSH;
	case BELL_DISK_DISCARD:
		return BELL_KIND_DISCARD;
	case BELL_DISK_ZERO:
		return BELL_KIND_ZEROES;
	default:
		return BELL_KIND_OTHER;
	}
}

static enum bell_cause blk_cause(int error, u8 status)
{
	if (status == VIRTIO_BLK_S_UNSUPP)
		return BELL_CAUSE_UNSUPP;
	if (status != VIRTIO_BLK_S_IOERR)
		return BELL_CAUSE_ZONE;
	switch (error) {
	case 0:
	case -EFAULT:
		return BELL_CAUSE_INVALID;
	case -ENOSPC:
	case -EDQUOT:
		return BELL_CAUSE_NOSPC;
	case -ENOMEM:
	case -ENOBUFS:	/* bell_backend_blk_map_no_memory() */
		return BELL_CAUSE_NOMEM;
	default:
		return BELL_CAUSE_IO;
	}
}

static u64 blk_failed_sector(const struct bell_disk_req *req)
{
	switch (req->op) {
	case BELL_DISK_FLUSH:
	case BELL_DISK_NONE:
		return BELL_NO_SECTOR;
	case BELL_DISK_DISCARD:
	case BELL_DISK_ZERO:
	case BELL_DISK_ERASE:
		return req->nvecs ? req->range[0].sector : BELL_NO_SECTOR;
	default:
		return req->sector;
	}
}

/* Write the status and complete the chain. */
static void blk_complete(struct bell_disk_req *req, u8 status,
			 const struct bell_done *done)
{
	bell_backend_blk_free(req);
	/*
	 * Clear @begin before the completion: after that the driver may make the head
	 * available again, and the runner sets @begin for the new request.
	 */
	WRITE_ONCE(req->begin, 0);
	/*
	 * The page of the status byte stays pinned from the take to the completion,
	 * even if the guest has freed it.
	 */
	WRITE_ONCE(*req->status, status);
	bell_vq_complete(req->vq, done);
}

/* As blk_complete(), for a request that failed: also say why. */
static noinline void blk_complete_failed(struct bell_disk_req *req, u8 status,
					 struct bell_done *done)
{
	struct bell_failure failure = {
		.sector = blk_failed_sector(req),
		.time = ktime_get_real_ns(),
		/*
		 * -EDQUOT stands for ENOSPC of a request that must not be held; see
		 * disk.h.
		 */
		.error = req->error == -EDQUOT ? -ENOSPC : req->error,
		.kind = blk_kind(req),
		.cause = blk_cause(req->error, status),
		.status = status,
	};

	req->error = 0;
	done->failure = &failure;
	blk_complete(req, status, done);
}

/*
 * End a request: free its memory, write @status, and complete the chain. The
 * first @written bytes of the writable part have been written.
 */
void bell_backend_blk_finish(struct bell_disk_req *req, u8 status, u32 written)
{
	struct bell_done done = {
		.head = req->head,
		.epoch = req->epoch,
		.kind = BELL_KIND_NONE,
		/*
		 * The used length counts from the start of the writable part.
		 * The status is its last byte, so it counts only if all bytes
		 * before it were written.
		 */
		.len = written == req->room ? written + 1 : written,
		/* A read that failed may have written a part of it. */
		.dirty = req->op == BELL_DISK_READ ? req->bytes : 0,
		.dirty_last = true,
	};

	if (bell_hist_is_on()) {
		done.kind = blk_kind(req);
		done.value = bell_hist_ns_since(req->begin);
	}
	if (unlikely(status != VIRTIO_BLK_S_OK)) {
		blk_complete_failed(req, status, &done);
		return;
	}
	if (req->op == BELL_DISK_READ)
		done.bytes_read = req->bytes;
	else if (req->op == BELL_DISK_WRITE || req->op == BELL_DISK_APPEND)
		done.bytes_written = req->bytes;
	blk_complete(req, status, &done);
}

/*
 * bell_backend_blk_put_back() - have a request served again, from its start, when the
 * queue runs again
 */
void bell_backend_blk_put_back(struct bell_disk_req *req)
{
	if (req->large)
		bell_backend_blk_large_drop(req);
	bell_backend_blk_free(req);
	WRITE_ONCE(req->begin, 0);
	bell_vq_inflight_put_back(req->vq, req->head, req->epoch);
}

/*
 * Was this write submitted in write-back mode, while now, as it completes, each
 * write must be stable? Then a flush has to follow.
 */
static bool blk_owes_flush(const struct bell_disk_req *req)
{
	return (req->op == BELL_DISK_WRITE || req->op == BELL_DISK_ZERO ||
		req->op == BELL_DISK_APPEND) &&
	       !req->fua && bell_backend_blk_writes_through(req->vq->priv) &&
	       bell_disk_has_cache(req->disk);
}

static void blk_flush_owed(struct bell_disk_req *req)
{
	req->fua = true;
	bell_disk_done(req, bell_disk_flush_for(req));
}

/* The ends of requests that bell_disk_done() does not handle itself */
static noinline void blk_done_rare(struct bell_disk_req *req, int error)
{
	const struct bell_blk_queue *q = req->vq->priv;
	u32 written = 0;
	u8 status;

	if (req->large) {
		bell_backend_blk_large_done(req, error);
		return;
	}
	if (!error && blk_owes_flush(req)) {
		bell_disk_queue(req, blk_flush_owed);
		return;
	}
	if ((error || req->held) && bell_backend_blk_hold_done(req, error))
		return;
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
		req->error = error;
		status = VIRTIO_BLK_S_UNSUPP;
		break;
	default:
		req->error = error;
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
 * bell_disk_done() - take back a request, or a slice of a large one, from the disk
 * @req: the request; the caller must not access it afterwards
 * @error: 0 or a negative errno
 *
 * Context: Any.
 */
void bell_disk_done(struct bell_disk_req *req, int error)
{
	trace_bell_end_io(req->vq->dev_id, req->vq->index, req->head, error);
	if (likely(!error && !req->large && !req->held)) {
		if (req->op == BELL_DISK_READ) {
			bell_backend_blk_finish(req, VIRTIO_BLK_S_OK, req->bytes);
			return;
		}
		if (req->op == BELL_DISK_WRITE && !blk_owes_flush(req)) {
			bell_backend_blk_finish(req, VIRTIO_BLK_S_OK, 0);
			return;
		}
	}
	blk_done_rare(req, error);
}

/**
 * bell_disk_retry() - have the worker submit a request that would have blocked
 * @req: the request
 *
 * Context: Any.
 */
void bell_disk_retry(struct bell_disk_req *req)
{
	trace_bell_retry(req->vq->dev_id, req->vq->index, req->head);
	bell_exec_worker_retry(req->exec, &req->retry);
}
