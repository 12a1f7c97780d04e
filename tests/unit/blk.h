/* SPDX-License-Identifier: GPL-2.0 */
/*
 * blk - a virtio-blk device with one queue, on a fake disk that records its
 * requests
 */
#ifndef TESTS_UNIT_BLK_H
#define TESTS_UNIT_BLK_H

#include <linux/blkzoned.h>
#include <linux/file.h>
#include <linux/llist.h>
#include <linux/virtio_blk.h>
#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "backend_blk.h"
#include "disk.h"
#include "ring.h"
#include "tap.h"

#ifndef NUM
#define NUM		32U
#endif
#define DISK_FD		7
#define CAPACITY	2048ULL		/* sectors */
#define MAX_ZERO	64U
#define HDR		RING_DATA
#define DATA		(RING_DATA + PAGE_SIZE)
#define STATUS		(RING_DATA + 0x100000)
#define MAX_SEGS	32

/* --- the fake disk --- */

static struct inode disk_inode = { .i_mode = S_IFBLK };
static struct file disk_file = {
	.inode = &disk_inode, .f_mode = FMODE_READ | FMODE_WRITE,
};
static struct bell_disk_req *submitted, *retried;
/* Requests that the worker must submit again, the newest first. */
static struct llist_head retries;
static unsigned int submits;
static bool submitted_nowait;
static int submit_ret;

struct file *fget(unsigned int fd)
{
	if (fd != DISK_FD)
		return NULL;
	disk_file.refs++;
	return &disk_file;
}

void fput(struct file *file)
{
	file->refs--;
}

/* The disk completes at once, but ends the request in process context only. */
static bool disk_defers;
/* That end would sleep. */
static bool finish_sleeps;
static unsigned int finishes;
/* The heads of the requests that ended so, the latest last */
static u16 finished[8];

static int disk_submit(struct bell_disk_req *req, bool nowait)
{
	submitted_nowait = nowait;
	if (submit_ret)
		return submit_ret;
	submitted = req;
	submits++;
	if (disk_defers) {
		bell_disk_defer(req);
	}
	return 0;
}

static bool disk_finish(struct bell_disk_req *req, bool may_sleep)
{
	if (finish_sleeps && !may_sleep)
		return false;
	finished[finishes++ % 8] = req->head;
	bell_disk_done(req, 0);
	return true;
}

static void disk_resubmit(struct bell_disk_req *req)
{
	disk_submit(req, false);
}

static void disk_close(struct bell_disk *disk)
{
}

static u64 disk_sectors = CAPACITY;

static u64 disk_nsectors(const struct bell_disk *disk)
{
	return disk_sectors;
}

/*
 * Sectors of a zone; 0: the disk has no zones. The first zone is conventional.
 */
static u32 disk_zone_sectors;
/*
 * Other properties of each zone that the disk reports; start and type are set
 * later.
 */
static struct blk_zone disk_zone;
static int report_ret;

static int disk_report_zones(const struct bell_disk *disk, u64 sector,
			     u32 nzones, report_zones_cb cb, void *data)
{
	u64 first = sector / disk_zone_sectors;
	u32 i;

	for (i = 0; i < nzones && !report_ret; i++) {
		struct blk_zone zone = disk_zone;

		zone.start = (first + i) * disk_zone_sectors;
		zone.len = disk_zone_sectors;
		zone.type = first + i ? BLK_ZONE_TYPE_SEQWRITE_REQ :
					BLK_ZONE_TYPE_CONVENTIONAL;
		cb(&zone, i, data);
	}
	return report_ret ? report_ret : (int)nzones;
}

static const struct bell_disk_ops disk_ops = {
	.submit = disk_submit, .resubmit = disk_resubmit, .finish = disk_finish,
	.nsectors = disk_nsectors, .report_zones = disk_report_zones,
	.close = disk_close,
};

int bell_disk_open(struct bell_disk *disk)
{
	if (S_ISREG(file_inode(disk->file)->i_mode))
		return -EOPNOTSUPP;
	if (!S_ISBLK(file_inode(disk->file)->i_mode))
		return -EINVAL;
	disk->ops = &disk_ops;
	disk->capacity = CAPACITY;
	disk->block_size = 512;
	disk->phys_block_size = 4096;
	disk->addr_mask = 511;
	disk->len_mask = 511;
	disk->may_inline = true;
	disk->max_discard = CAPACITY;
	disk->max_zero = MAX_ZERO;
	disk->discard_align = 8;
	disk->zone_sectors = disk_zone_sectors;
	disk->max_append = 64;
	disk->write_granularity = 4096;
	return 0;
}

static unsigned int flushes;
static int flush_ret;
static struct bell_disk_req *queued;
static void (*queued_func)(struct bell_disk_req *req);

int bell_disk_flush(struct bell_disk *disk, bool tell)
{
	WRITE_ONCE(flushes, flushes + 1);
	return flush_ret;
}

int bell_disk_flush_for(const struct bell_disk_req *req)
{
	return bell_disk_flush(req->disk, true);
}

/* How often all that the disk holds became not stable */
static unsigned int unstables;

void bell_disk_wrote(struct bell_disk *disk)
{
	unstables++;
}

void bell_disk_abort(struct bell_disk *disk)
{
	disk->aborted = true;
}

void bell_disk_resume(struct bell_disk *disk)
{
	disk->aborted = false;
}

void bell_disk_queue(struct bell_disk_req *req,
		     void (*func)(struct bell_disk_req *req))
{
	queued = req;
	queued_func = func;
}

void bell_disk_close(struct bell_disk *disk)
{
	disk->ops->close(disk);
}

/* The runner polls: returns whether the ring may have more. NULL: it does not. */
static bool (*on_poll)(void);

bool bell_exec_poll(struct bell_run *run)
{
	return on_poll && on_poll();
}

void bell_exec_worker_retry(struct bell_exec *exec, struct llist_node *node)
{
	retried = container_of(node, struct bell_disk_req, retry);
	llist_add(node, &retries);
}

/* What is in the workqueue that ends requests, and in that for those that sleep */
static struct llist_head ending, ending_slow;

void bell_disk_queue_end(struct bell_disk_req *req,
			 void (*func)(struct bell_disk_req *req))
{
	req->work_func = func;
	llist_add(&req->retry, &ending);
}

void bell_disk_queue_end_slow(struct bell_disk_req *req,
			      void (*func)(struct bell_disk_req *req))
{
	req->work_func = func;
	llist_add(&req->retry, &ending_slow);
}

/* --- the device under test --- */

static struct ring r;
static struct bell_backend *be;
static struct bell_exec exec;
static struct vhost_doorbell_blk cfg;

static void begin_with(u64 features)
{
	submitted = NULL;
	submits = 0;
	submit_ret = 0;
	retried = NULL;
	init_llist_head(&retries);
	ring_begin(&r, NUM);
	be = bell_backend_blk_create(&cfg);
	if (IS_ERR(be))
		shim_die("no back end: %ld", PTR_ERR(be));
	exec = (struct bell_exec){ .vq = &r.vq };
	unstables = 0;
	CHECK_EQ(be->ops->start_queue(be, &exec, features), 0);
	/* So the first flush after the start is done. */
	CHECK_EQ(unstables, 1);
}

static inline void begin(void)
{
	disk_file.f_mode = FMODE_READ | FMODE_WRITE;
	disk_file.f_flags = 0;
	cfg = (struct vhost_doorbell_blk){ .fd = DISK_FD, .num_queues = 1 };
	memcpy(cfg.serial, "12345678901234567890", 20);
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH));
}

static void end(void)
{
	be->ops->stop_queue(be, &exec);
	be->ops->destroy(be);
	CHECK_EQ(disk_file.refs, 0);
	ring_end(&r);
}

static enum bell_pass pass(bool may_sleep)
{
	struct bell_run run = {
		.exec = &exec, .budget = 64, .may_sleep = may_sleep,
	};
	enum bell_pass how;

	/* The ringing thread must not sleep. */
	world.atomic += !may_sleep;
	how = be->ops->exec.pass(&exec, &run);
	world.atomic -= !may_sleep;
	return how;
}

static inline void put_header(u32 type, u64 sector)
{
	struct virtio_blk_outhdr h = {
		.type = htole32(type), .sector = htole64(sector),
	};

	memcpy(ring_at(HDR), &h, sizeof(h));
	*(u8 *)ring_at(STATUS) = 0xee;
}

/* Lays the pieces into a chain; the first @nout of them are readable. */
static inline void put_chain(const struct bell_seg *seg, u32 n, u32 nout)
{
	for (u32 i = 0; i < n; i++)
		ring_put_desc(&r.desc[i], seg[i].addr, seg[i].len,
			      (i + 1 < n ? D_NEXT : 0) |
			      (i < nout ? 0 : D_WRITE), i + 1);
	ring_add(&r, 0);
}

static inline u8 status(void)
{
	return *(u8 *)ring_at(STATUS);
}

#define H	{ HDR, 16 }
#define S	{ STATUS, 1 }

static const struct bell_seg a_read[] = { H, { DATA, 512 }, S };

#endif
