// SPDX-License-Identifier: GPL-2.0
/*
 * disk_bdev - a block device as a disk
 *
 * A request becomes one bio over the guest's own pages; the block layer splits it as
 * the device needs. It ends in the device's completion context, where the used ring is
 * written and the guest is interrupted, so no thread wakes.
 *
 * If the device cannot DMA to the data as it lies in guest memory, the worker copies it
 * through bounce pages, of which there is a limited amount. So it does for writes to a
 * device that needs stable pages: it computes a checksum or parity of them, and a guest
 * may change its pages meanwhile.
 */
#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/slab.h>

#include "disk.h"
#include "exec.h"

#define BDEV_MAX_BOUNCED	SZ_64M	/* most bytes in bounce pages, per disk */
/* Longest write zeroes of a disk that must be written with zeroes, in sectors */
#define BDEV_MAX_ZERO	(SZ_16M >> SECTOR_SHIFT)

static blk_opf_t bdev_opf(const struct bell_disk_req *req)
{
	switch (req->op) {
	case BELL_DISK_READ:
		return REQ_OP_READ;
	case BELL_DISK_FLUSH:
		return REQ_OP_WRITE | REQ_PREFLUSH;
	case BELL_DISK_APPEND:
		return REQ_OP_ZONE_APPEND | REQ_SYNC | REQ_IDLE;
	default:
		/* REQ_SYNC | REQ_IDLE as for direct I/O: the guest waits for it. */
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE |
		       (req->fua ? REQ_FUA : 0);
	}
}

static void bdev_end_io(struct bio *bio)
{
	struct bell_disk_req *req = bio->bi_private;
	blk_status_t status = bio->bi_status;

	bio_uninit(bio);
	if (unlikely(status)) {
		/*
		 * NOTSUPP: a device-mapper table may have changed to one without
		 * REQ_NOWAIT.
		 */
		if (req->nowait &&
		    (status == BLK_STS_AGAIN || status == BLK_STS_NOTSUPP))
			bell_disk_retry(req);
		else
			bell_disk_done(req, blk_status_to_errno(status));
		return;
	}
	if (req->op == BELL_DISK_APPEND)
		req->sector = bio->bi_iter.bi_sector;
	bell_disk_done(req, 0);
}

/*
 * Initialise a bio; its I/O is charged to the worker's block cgroup, whichever thread
 * submits it.
 */
static void bdev_bio_init(struct bell_disk_req *req, struct bio *bio,
			  struct bio_vec *vecs, unsigned int n, blk_opf_t opf)
{
	bio_init(bio, NULL, vecs, n, opf);
	bio->bi_bdev = req->disk->bdev;
	bio_associate_blkg_from_css(bio, req->exec->blkcg);
}

static void bdev_start(struct bell_disk_req *req, bool nowait)
{
	struct bio *bio = &req->bio;
	blk_opf_t opf = bdev_opf(req);

	req->nowait = nowait;
	if (nowait)
		opf |= REQ_NOWAIT;
	bdev_bio_init(req, bio, req->vecs, req->nvecs, opf);
	bio->bi_vcnt = req->nvecs;
	bio->bi_iter.bi_size = req->bytes;
	bio->bi_iter.bi_sector = req->sector;
	bio->bi_private = req;
	bio->bi_end_io = bdev_end_io;
	submit_bio(bio);
}

/*
 * May the device be written? As in blkdev_write_iter(): since it was opened it may have
 * become read-only or a swap device.
 */
static bool bdev_may_write(const struct bell_disk *disk)
{
	return !bdev_read_only(disk->bdev) &&
	       !IS_SWAPFILE(disk->file->f_mapping->host);
}

/* --- bouncing --- */

static unsigned int bdev_bounce_bytes(const struct bell_disk_req *req)
{
	return round_up(req->bytes, PAGE_SIZE);
}

static bool bdev_bounce_get(struct bell_disk *disk, unsigned int bytes)
{
	int old = atomic_read(&disk->bounced);

	do {
		/* A request of any size may bounce if no other does. */
		if (old && old + bytes > BDEV_MAX_BOUNCED)
			return false;
	} while (!atomic_try_cmpxchg(&disk->bounced, &old, old + bytes));
	return true;
}

static void bdev_bounce_put(struct bell_disk *disk, unsigned int bytes)
{
	/* Full barrier: orders the subtraction before wake_up() looks for waiters. */
	atomic_sub_return(bytes, &disk->bounced);
	wake_up(&disk->bounce_wait);
}

static void bdev_bounce_free(struct bell_disk_req *req)
{
	bio_free_pages(req->bounce);
	bio_uninit(req->bounce);
	kvfree(req->bounce);
	bdev_bounce_put(req->disk, bdev_bounce_bytes(req));
}

static void bdev_bounce_finish(struct bell_disk_req *req)
{
	int error = blk_status_to_errno(req->bounce->bi_status);

	if (!error && req->op == BELL_DISK_READ) {
		/* The completed bio's iterator is at its end: reset it. */
		req->bounce->bi_iter = req->bounce_iter;
		bio_copy_data(&req->bio, req->bounce);
	}
	if (!error && req->op == BELL_DISK_APPEND)
		req->sector = req->bounce->bi_iter.bi_sector;
	bdev_bounce_free(req);
	bio_uninit(&req->bio);
	bell_disk_done(req, error);
}

/* The copy may be too long for an interrupt: do it in the workqueue. */
static void bdev_bounce_end_io(struct bio *bounce)
{
	bell_disk_queue(bounce->bi_private, bdev_bounce_finish);
}

static struct bio *bdev_bounce_alloc(struct bell_disk_req *req)
{
	unsigned int n = DIV_ROUND_UP(req->bytes, PAGE_SIZE), left = req->bytes;
	gfp_t gfp = GFP_KERNEL_ACCOUNT;
	struct bio_vec *vecs;
	struct bio *bounce;

	bounce = kvmalloc(sizeof(*bounce) + n * sizeof(*vecs), gfp);
	if (!bounce)
		return NULL;
	vecs = (struct bio_vec *)(bounce + 1);
	bdev_bio_init(req, bounce, vecs, n, bdev_opf(req));
	/*
	 * A disk may complete a read and have transferred nothing: do not give the
	 * guest old contents of host memory.
	 */
	if (req->op == BELL_DISK_READ)
		gfp |= __GFP_ZERO;
	while (left) {
		unsigned int len = min_t(unsigned int, left, PAGE_SIZE);
		struct page *page = alloc_page(gfp);

		if (!page)
			goto err_free;
		__bio_add_page(bounce, page, len, 0);
		left -= len;
	}
	return bounce;

err_free:
	bio_free_pages(bounce);
	bio_uninit(bounce);
	kvfree(bounce);
	return NULL;
}

/*
 * Submit a request through bounce pages, in the worker. Its wait must be freezable: it
 * ends when a work item of the disk has run, and the freezer stops these first.
 */
static noinline int bdev_bounce(struct bell_disk_req *req)
{
	struct bell_disk *disk = req->disk;
	unsigned int bytes = bdev_bounce_bytes(req);
	struct bio *bounce;

	wait_event_state(disk->bounce_wait, bdev_bounce_get(disk, bytes),
			 (TASK_IDLE | TASK_FREEZABLE));
	bounce = bdev_bounce_alloc(req);
	if (!bounce) {
		bdev_bounce_put(disk, bytes);
		return -ENOMEM;
	}
	req->bounce = bounce;
	/*
	 * This bio is never submitted: it describes the guest's pages for
	 * bio_copy_data().
	 */
	bio_init(&req->bio, NULL, req->vecs, req->nvecs, bdev_opf(req));
	req->bio.bi_vcnt = req->nvecs;
	req->bio.bi_iter.bi_size = req->bytes;
	if (req->op != BELL_DISK_READ)
		bio_copy_data(bounce, &req->bio);
	bounce->bi_iter.bi_sector = req->sector;
	req->bounce_iter = bounce->bi_iter;
	bounce->bi_private = req;
	bounce->bi_end_io = bdev_bounce_end_io;
	submit_bio(bounce);
	return 0;
}

/* --- ranges: discard, write zeroes, secure erase --- */

static int bdev_do_range(struct bell_disk *disk, enum bell_disk_op op,
			 const struct bell_disk_range *r)
{
	struct block_device *bdev = disk->bdev;

	if (!bdev_may_write(disk))
		return -EROFS;
	if (op == BELL_DISK_DISCARD)
		return blkdev_issue_discard(bdev, r->sector, r->nsectors,
					    GFP_KERNEL);
	if (op == BELL_DISK_ERASE)
		return blkdev_issue_secure_erase(bdev, r->sector, r->nsectors,
						 GFP_KERNEL);
	return blkdev_issue_zeroout(bdev, r->sector, r->nsectors, GFP_KERNEL,
				    r->unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}

static void bdev_do_ranges(struct bell_disk_req *req)
{
	int ret = bell_disk_do_ranges(req, bdev_do_range);

	if (!ret && req->fua)
		ret = bell_disk_flush_for(req);
	bell_disk_done(req, ret);
}

/* --- zoned disks --- */

static void bdev_do_zone(struct bell_disk_req *req)
{
	int ret = bell_blkdev_zone_mgmt(req->disk->bdev, req->zone_op,
					req->sector, req->zone_nsectors);

	bell_disk_done(req, ret);
}

static int bdev_report_zones(const struct bell_disk *disk, u64 sector,
			     u32 nzones, report_zones_cb cb, void *data)
{
	return bell_blkdev_report_zones(disk->bdev, sector, nzones, cb, data);
}

/*
 * Longest append, in sectors: the block layer does not split one. The limit has one
 * page for each segment of the device, so page-aligned data always fits.
 */
static noinline u32 bdev_max_append(struct block_device *bdev)
{
	struct request_queue *q = bdev_get_queue(bdev);
	u64 max = min3(bdev_max_zone_append_sectors(bdev),
		       queue_max_sectors(q),
		       queue_max_segments(q) * (u32)PAGE_SECTORS);

	return round_down(max, bdev_physical_block_size(bdev) >> SECTOR_SHIFT);
}

/*
 * Can this append be submitted without a copy? The device must take all its vectors in
 * one request.
 */
static noinline bool bdev_append_fits(const struct bell_disk_req *req)
{
	struct request_queue *q = bdev_get_queue(req->disk->bdev);
	u32 i, pages = 0;

	for (i = 0; i < req->nvecs; i++) {
		const struct bio_vec *v = &req->vecs[i];
		u32 end = v->bv_offset + v->bv_len;

		if (i && v->bv_offset & queue_virt_boundary(q))
			return false;
		if (i + 1 < req->nvecs && end & queue_virt_boundary(q))
			return false;
		pages += DIV_ROUND_UP(end, PAGE_SIZE);
	}
	return pages <= queue_max_segments(q);
}

static void bdev_open_zones(struct bell_disk *disk)
{
	struct block_device *bdev = disk->bdev;

	if (!bell_bdev_host_managed(bdev))
		return;
	disk->zone_sectors = bdev_zone_sectors(bdev);
	disk->max_append = bdev_max_append(bdev);
	disk->write_granularity = bdev_zone_write_granularity(bdev);
	disk->max_open_zones = bdev_max_open_zones(bdev);
	disk->max_active_zones = bdev_max_active_zones(bdev);
	/* Ranges are not checked against zones, so offer none. */
	disk->max_discard = 0;
	disk->max_zero = 0;
	disk->max_erase = 0;
}

/* --- submission, opening and closing --- */

static noinline int bdev_submit_flush(struct bell_disk_req *req, bool nowait)
{
	if (!bdev_write_cache(req->disk->bdev)) {
		bell_disk_done(req, 0);
		return 0;
	}
	if (nowait)
		return -EAGAIN;
	req->nvecs = 0;
	req->bytes = 0;
	req->sector = 0;
	bdev_start(req, false);
	return 0;
}

/* Have the workqueue do a discard, write zeroes, erase or zone command. */
static noinline int bdev_submit_change(struct bell_disk_req *req)
{
	if (!bdev_may_write(req->disk))
		bell_disk_done(req, -EROFS);
	else if (req->op == BELL_DISK_ZONE)
		bell_disk_queue(req, bdev_do_zone);
	else
		bell_disk_queue(req, bdev_do_ranges);
	return 0;
}

static int bdev_submit(struct bell_disk_req *req, bool nowait)
{
	struct block_device *bdev = req->disk->bdev;

	switch (req->op) {
	case BELL_DISK_READ:
		break;
	case BELL_DISK_APPEND:
		/*
		 * The device's limit may have become lower since the disk was opened.
		 */
		if (req->bytes >> SECTOR_SHIFT > bdev_max_append(bdev))
			return -EIO;
		req->aligned = req->aligned && bdev_append_fits(req);
		fallthrough;
	case BELL_DISK_WRITE:
		if (unlikely(!bdev_may_write(req->disk)))
			return -EROFS;
		if (unlikely(bdev_stable_writes(bdev)))
			req->aligned = false;
		/*
		 * A device without FUA flushes after the write, and its error does not
		 * say which of the two failed. After -ENOSPC the write is submitted
		 * again, but not the earlier writes whose data the flush has lost. So
		 * do the flush separately, after the write has ended
		 * (blk_owes_flush()).
		 */
		if (unlikely(req->disk->hold_nospc))
			req->fua = false;
		break;
	case BELL_DISK_FLUSH:
		return bdev_submit_flush(req, nowait);
	default:
		return bdev_submit_change(req);
	}
	if (nowait && (!req->aligned || !bdev_nowait(bdev)))
		return -EAGAIN;
	if (!req->aligned)
		return bdev_bounce(req);
	bdev_start(req, nowait);
	return 0;
}

static void bdev_resubmit(struct bell_disk_req *req)
{
	bdev_start(req, false);
}

static u64 bdev_nsectors(const struct bell_disk *disk)
{
	return bdev_nr_sectors(disk->bdev);
}

static const struct bell_disk_ops bdev_ops = {
	.submit = bdev_submit,
	.resubmit = bdev_resubmit,
	.nsectors = bdev_nsectors,
	.report_zones = bdev_report_zones,
	.close = bell_disk_cache_end,
};

/**
 * bell_disk_bdev_may_inline() - may the ringing thread submit to a block device?
 * @bdev: the disk, or what the file system of a file lies on
 * @below_nowait: the owner vouches that no driver below it waits
 *
 * With REQ_NOWAIT that thread does not wait for a request slot. But some drivers (nbd) may
 * sleep when they are given a request. Only their tag set says so, and a stacked device
 * hides those of the devices below: there the owner may vouch.
 */
bool bell_disk_bdev_may_inline(struct block_device *bdev, bool below_nowait)
{
	struct request_queue *q = bdev_get_queue(bdev);

	if (!bdev_nowait(bdev))
		return false;
	/* (null_blk with memory also sets the flag, though it only allocates.) */
	if (below_nowait)
		return true;
	return queue_is_mq(q) && !(q->tag_set->flags & BLK_MQ_F_BLOCKING);
}

/**
 * bell_disk_bdev_open() - set up a disk that is a block device
 * @disk: with its file and the owner's settings; out: @disk->read_only is also set if
 *	the device is read-only
 *
 * Context: Process context.
 * Return: 0; -ETXTBSY if the disk may be written and is in use as swap; or what
 * bell_disk_cache_begin() returns.
 */
int bell_disk_bdev_open(struct bell_disk *disk)
{
	struct block_device *bdev = I_BDEV(disk->file->f_mapping->host);
	int ret;

	if (bdev_read_only(bdev))
		disk->read_only = true;
	if (!disk->read_only && IS_SWAPFILE(disk->file->f_mapping->host))
		return -ETXTBSY;
	ret = bell_disk_cache_begin(disk);
	if (ret)
		return ret;
	disk->ops = &bdev_ops;
	disk->bdev = bdev;
	disk->block_size = bdev_logical_block_size(bdev);
	disk->phys_block_size = bdev_physical_block_size(bdev);
	disk->io_min = bdev_io_min(bdev);
	disk->io_opt = bdev_io_opt(bdev);
	disk->max_discard = bdev_max_discard_sectors(bdev) ?
			    BELL_DISK_MAX_RANGE : 0;
	disk->max_zero = bdev_write_zeroes_sectors(bdev) ?
			 BELL_DISK_MAX_RANGE : BDEV_MAX_ZERO;
	disk->max_erase = bdev_max_secure_erase_sectors(bdev) ?
			  BELL_DISK_MAX_RANGE : 0;
	disk->discard_align = bdev_discard_granularity(bdev) >> SECTOR_SHIFT;
	disk->addr_mask = bdev_dma_alignment(bdev);
	disk->len_mask = disk->block_size - 1;
	disk->may_inline = bell_disk_bdev_may_inline(disk->bdev, disk->below_nowait);
	init_waitqueue_head(&disk->bounce_wait);
	bdev_open_zones(disk);
	return 0;
}
