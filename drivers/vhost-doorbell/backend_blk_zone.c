// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_zone - requests of a zoned disk (virtio 1.3, section 5.2.6)
 *
 * The guest sees the zones of the host's disk one to one, and the disk enforces
 * their rules. Types and states of zones have the same values in the kernel and
 * in virtio.
 */
#include <linux/blkzoned.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "backend_blk.h"
#include "backend_blk_priv.h"
#include "disk.h"
#include "gmem.h"

/*
 * Most zones in one report: they take 64 KiB of memory. The driver asks again
 * for the rest.
 */
#define ZONE_REPORT_MAX	1023

static int zone_invalid(struct bell_disk_req *req)
{
	bell_backend_blk_finish(req, VIRTIO_BLK_S_ZONE_INVALID_CMD, 0);
	return 0;
}

static bool zone_is_start(const struct bell_disk *disk, u64 sector)
{
	u32 rest;

	div_u64_rem(sector, disk->zone_sectors, &rest);
	return !rest && sector < READ_ONCE(disk->capacity);
}

/* --- zone append --- */

/*
 * Look up where in guest memory each byte of the resulting sector goes. The
 * completion writes them in interrupt context, where nothing can be looked up.
 */
static int zone_find_result(struct bell_disk_req *req,
			    struct bell_vq_cursor in, bool may_sleep)
{
	u32 n = sizeof(__le64), i;
	struct bell_gmem_span span;
	int ret;

	req->result = bell_backend_blk_map_alloc(n * sizeof(*req->result),
						 may_sleep);
	if (!req->result)
		return may_sleep ? bell_backend_blk_map_no_memory(req) : -EAGAIN;
	for (i = 0; i < n; i++) {
		u64 gpa;

		if (check_add_overflow(in.seg->addr, in.skip, &gpa))
			return -EFAULT;
		ret = bell_gmem_span(req->vq->gmem, gpa, 1, may_sleep, &span);
		if (ret)
			return ret;
		req->result[i] = page_address(span.page) + span.offset;
		bell_vq_advance(&in, 1);
	}
	return 0;
}

/**
 * bell_backend_blk_zone_append() - begin a write at the write pointer of a zone
 * @blk: the disk
 * @req: with the zone's first sector
 * @in: the writable part, without the status: it gets the sector that was written
 * @in_bytes: its length
 * @out: the data
 * @out_bytes: its length
 * @may_sleep: whether the caller may sleep
 *
 * Context: The queue's runner.
 *
 * Return: 0: begun or ended; -EAGAIN: nothing was begun.
 */
int bell_backend_blk_zone_append(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor in, u64 in_bytes,
				 struct bell_vq_cursor out, u64 out_bytes,
				 bool may_sleep)
{
	u32 max = le32_to_cpu((__force __le32)blk->zoned.max_append_sectors);
	int ret;

	req->op = BELL_DISK_APPEND;
	if (!max) {
		bell_backend_blk_finish(req, VIRTIO_BLK_S_UNSUPP, 0);
		return 0;
	}
	if (in_bytes != sizeof(__le64) || out_bytes >> SECTOR_SHIFT > max ||
	    !zone_is_start(&blk->disk, req->sector))
		return zone_invalid(req);
	ret = zone_find_result(req, in, may_sleep);
	if (ret == -EAGAIN) {
		kfree(req->result);
		req->result = NULL;
		return ret;
	}
	if (ret) {
		bell_backend_blk_fail(req, ret);
		return 0;
	}
	return bell_backend_blk_rw(blk, req, out, out_bytes, may_sleep);
}

/* --- zone report --- */

static int zone_tell(struct blk_zone *from, unsigned int i, void *data)
{
	struct virtio_blk_zone_report *report = data;

	report->zones[i] = (struct virtio_blk_zone_descriptor){
		.z_cap = (__force __virtio64)cpu_to_le64(from->capacity),
		.z_start = (__force __virtio64)cpu_to_le64(from->start),
		.z_wp = (__force __virtio64)cpu_to_le64(from->wp),
		.z_type = from->type,
		.z_state = from->cond,
	};
	return 0;
}

/*
 * Write a report of at most @nzones zones to the guest. Returns its length in
 * bytes, or a negative errno.
 */
static int zone_report(struct bell_blk *blk, struct bell_disk_req *req,
		       struct bell_vq_cursor in, u32 nzones)
{
	struct virtio_blk_zone_report *report;
	u32 len;
	int ret;

	len = struct_size(report, zones, nzones);
	report = bell_backend_blk_map_alloc(len, true);
	if (!report)
		return bell_backend_blk_map_no_memory(req);
	memset(report, 0, len);
	ret = blk->disk.ops->report_zones(&blk->disk, req->sector, nzones,
					  zone_tell, report);
	if (ret < 0) {
		/*
		 * Fail the request with EIO, whatever the disk's error is: for -EAGAIN
		 * the caller would put the request back into the ring.
		 */
		ret = -EIO;
		goto out;
	}
	report->nr_zones = (__force __virtio64)cpu_to_le64(ret);
	len = struct_size(report, zones, ret);
	ret = bell_vq_chain_copy(req->vq, &in, report, len, true, true);
	if (!ret)
		ret = len;
out:
	kvfree(report);
	return ret;
}

/**
 * bell_backend_blk_zone_report() - report the zones from a sector on
 * @blk: the disk
 * @req: the request; @req->sector is that sector
 * @in: the writable part, without the status
 * @in_bytes: its length
 * @may_sleep: whether the caller may sleep; if not, nothing is begun
 *
 * Context: The queue's runner.
 *
 * Return: 0: ended; -EAGAIN: nothing was begun.
 */
int bell_backend_blk_zone_report(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor in, u64 in_bytes,
				 bool may_sleep)
{
	const struct virtio_blk_zone_report *report;
	u64 room;
	int ret;

	if (in_bytes < struct_size(report, zones, 1) ||
	    req->sector >= READ_ONCE(blk->disk.capacity))
		return zone_invalid(req);
	if (!may_sleep)
		return -EAGAIN;
	room = (in_bytes - sizeof(*report)) / sizeof(report->zones[0]);
	ret = zone_report(blk, req, in, min_t(u64, room, ZONE_REPORT_MAX));
	if (ret == -EAGAIN)
		return ret;
	if (ret < 0)
		bell_backend_blk_fail(req, ret);
	else
		bell_backend_blk_finish(req, VIRTIO_BLK_S_OK, ret);
	return 0;
}

/* --- zone management: open, close, finish, reset --- */

static enum req_op zone_op(u32 type)
{
	switch (type) {
	case VIRTIO_BLK_T_ZONE_OPEN:
		return REQ_OP_ZONE_OPEN;
	case VIRTIO_BLK_T_ZONE_CLOSE:
		return REQ_OP_ZONE_CLOSE;
	case VIRTIO_BLK_T_ZONE_FINISH:
		return REQ_OP_ZONE_FINISH;
	default:
		return REQ_OP_ZONE_RESET;
	}
}

/**
 * bell_backend_blk_zone_manage() - open, close, finish or reset a zone, or reset all
 * @blk: the disk
 * @req: with the zone's first sector
 * @type: VIRTIO_BLK_T_ZONE_*
 * @may_sleep: whether the caller may sleep
 *
 * Context: The queue's runner.
 * Return: 0: begun or ended; or what submit() of struct bell_disk_ops returns.
 */
int bell_backend_blk_zone_manage(struct bell_blk *blk,
				 struct bell_disk_req *req, u32 type,
				 bool may_sleep)
{
	u64 capacity = READ_ONCE(blk->disk.capacity), n = capacity;

	req->op = BELL_DISK_ZONE;
	if (blk->read_only) {
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
		return 0;
	}
	if (type == VIRTIO_BLK_T_ZONE_RESET_ALL) {
		req->sector = 0;
	} else {
		if (!zone_is_start(&blk->disk, req->sector))
			return zone_invalid(req);
		n = min_t(u64, blk->disk.zone_sectors, capacity - req->sector);
	}
	req->zone_op = zone_op(type);
	req->zone_nsectors = n;
	return blk->disk.ops->submit(req, !may_sleep);
}

/* --- status of a failed request --- */

static int zone_copy(struct blk_zone *zone, unsigned int i, void *data)
{
	*(struct blk_zone *)data = *zone;
	return 0;
}

/*
 * Find the status of an append that failed in a zone that must be written
 * sequentially.
 */
static u8 zone_append_status(const struct bell_disk_req *req,
			     const struct blk_zone *zone)
{
	u64 room = zone->start + zone->capacity - zone->wp;

	if (zone->cond == BLK_ZONE_COND_FULL ||
	    req->bytes >> SECTOR_SHIFT > room)
		return VIRTIO_BLK_S_ZONE_INVALID_CMD;
	return VIRTIO_BLK_S_IOERR;
}

/*
 * Find the status of a write that failed in a zone that must be written
 * sequentially.
 */
static u8 zone_write_status(const struct bell_disk_req *req,
			    const struct blk_zone *zone)
{
	const struct bell_blk_queue *q = req->vq->priv;
	u32 granularity = le32_to_cpu((__force __le32)
				      q->blk->zoned.write_granularity);
	u64 nsectors = req->bytes >> SECTOR_SHIFT;

	if (req->sector + nsectors > zone->start + zone->len)
		return VIRTIO_BLK_S_ZONE_INVALID_CMD;
	if (((req->sector << SECTOR_SHIFT) + req->bytes) & (granularity - 1))
		return VIRTIO_BLK_S_ZONE_UNALIGNED_WP;
	/*
	 * The write pointer is behind the data: it was written in spite of the
	 * error.
	 */
	if (zone->wp == req->sector + nsectors)
		return VIRTIO_BLK_S_IOERR;
	if (zone->wp != req->sector)
		return VIRTIO_BLK_S_ZONE_UNALIGNED_WP;
	return req->sector + nsectors > zone->start + zone->capacity ?
	       VIRTIO_BLK_S_ZONE_INVALID_CMD : VIRTIO_BLK_S_IOERR;
}

/*
 * Find the status of a request that the disk failed, from the present state of
 * its zone.
 */
static u8 zone_status(const struct bell_disk_req *req,
		      const struct blk_zone *zone)
{
	bool append = req->op == BELL_DISK_APPEND;

	if (req->op == BELL_DISK_ZONE || zone->cond == BLK_ZONE_COND_READONLY ||
	    zone->cond == BLK_ZONE_COND_OFFLINE)
		return VIRTIO_BLK_S_ZONE_INVALID_CMD;
	if (zone->type == BLK_ZONE_TYPE_CONVENTIONAL)
		return append ? VIRTIO_BLK_S_ZONE_INVALID_CMD :
				VIRTIO_BLK_S_IOERR;
	if (append)
		return zone_append_status(req, zone);
	if (req->op == BELL_DISK_WRITE)
		return zone_write_status(req, zone);
	return VIRTIO_BLK_S_IOERR;
}

static void zone_explain(struct bell_disk_req *req)
{
	struct bell_disk *disk = req->disk;
	u8 status = VIRTIO_BLK_S_IOERR;
	struct blk_zone zone;

	if (disk->ops->report_zones(disk, req->sector, 1, zone_copy, &zone) == 1)
		status = zone_status(req, &zone);
	bell_backend_blk_finish(req, status, 0);
}

/**
 * bell_backend_blk_zone_failed() - end a failed request with the status that its zone
 *	gives
 * @req: a request of a zoned disk
 * @error: negative errno of the disk
 *
 * The status may depend on the state of the zone; then a work item reads that.
 *
 * Context: Any.
 */
void bell_backend_blk_zone_failed(struct bell_disk_req *req, int error)
{
	switch (error) {
	/* blk_status_to_errno() of BLK_STS_ZONE_OPEN_RESOURCE */
	case -ETOOMANYREFS:
		bell_backend_blk_finish(req, VIRTIO_BLK_S_ZONE_OPEN_RESOURCE,
					0);
		break;
	case -EOVERFLOW:
		bell_backend_blk_finish(req, VIRTIO_BLK_S_ZONE_ACTIVE_RESOURCE,
					0);
		break;
	/* The disk is read-only. This does not depend on the state of the zone. */
	case -EROFS:
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
		break;
	default:
		if (req->op == BELL_DISK_READ || req->op == BELL_DISK_FLUSH)
			bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
		else
			bell_disk_queue(req, zone_explain);
		break;
	}
}

/* --- checks of reads and writes --- */

static int zone_find_sequential(struct blk_zone *zone, unsigned int i,
				void *data)
{
	bool *found = data;

	if (zone->type != BLK_ZONE_TYPE_CONVENTIONAL)
		*found = true;
	return 0;
}

/**
 * bell_backend_blk_zone_check() - refuse a request that crosses zones wrongly
 * @blk: a zoned disk
 * @req: a read, write or append whose range lies on the disk
 * @bytes: bytes of its data
 * @may_sleep: whether the caller may sleep
 *
 * A request may cross zones only if all of them are conventional.
 *
 * Context: The queue's runner.
 * Return: 0: the request may be submitted; 1: it was refused and has ended; -EAGAIN: the
 * zones must be looked up, which sleeps.
 */
int bell_backend_blk_zone_check(struct bell_blk *blk, struct bell_disk_req *req,
				u64 bytes, bool may_sleep)
{
	u64 end = bytes >> SECTOR_SHIFT;
	struct bell_disk *disk = &blk->disk;
	bool sequential = false;
	u32 rest;
	int ret;

	div_u64_rem(req->sector, disk->zone_sectors, &rest);
	end += rest;
	if (end <= disk->zone_sectors)
		return 0;
	if (!may_sleep)
		return -EAGAIN;
	ret = disk->ops->report_zones(disk, req->sector,
				      div_u64(end - 1, disk->zone_sectors) + 1,
				      zone_find_sequential, &sequential);
	if (ret >= 0 && !sequential)
		return 0;
	if (ret < 0)
		bell_backend_blk_fail(req, ret);
	else
		zone_invalid(req);
	return 1;
}

/**
 * bell_backend_blk_zone_refuse() - end a request that is empty, not in whole blocks, or
 *	reaches past the end of the disk
 * @req: a read, write or append of a zoned disk
 * @bytes: bytes of its data
 *
 * The status of a write depends on the state of its zone; a work item reads that.
 *
 * Context: The queue's runner.
 */
void bell_backend_blk_zone_refuse(struct bell_disk_req *req, u64 bytes)
{
	u64 capacity = READ_ONCE(req->disk->capacity);

	if (req->op == BELL_DISK_READ || !bytes || bytes > U32_MAX ||
	    req->sector > capacity ||
	    bytes >> SECTOR_SHIFT > capacity - req->sector) {
		bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
	} else if (req->op == BELL_DISK_APPEND) {
		zone_invalid(req);
	} else {
		req->bytes = bytes;
		bell_disk_queue(req, zone_explain);
	}
}
