/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BLKDEV_H
#define SHIM_LINUX_BLKDEV_H

#include <linux/bio.h>

#define SECTOR_SHIFT	9
#define SECTOR_SIZE	512

struct blk_zone;
typedef int (*report_zones_cb)(struct blk_zone *zone, unsigned int idx,
			       void *data);

enum req_op {
	REQ_OP_ZONE_OPEN	= 10,
	REQ_OP_ZONE_CLOSE	= 11,
	REQ_OP_ZONE_FINISH	= 12,
	REQ_OP_ZONE_RESET	= 13,
};

struct block_device {
	bool	write_cache;
	bool	fua;
	bool	mq;		/* has a queue of requests */
	bool	synchronous;
	bool	blocks;
};

int blkdev_issue_flush(struct block_device *bdev);

#define bdev_write_cache(b)		((b)->write_cache)
#define bdev_fua(b)			((b)->fua)
#define bdev_get_queue(b)		(b)
#define queue_is_mq(q)			((q)->mq)
#define bdev_logical_block_size(b)	((void)(b), 512U)

struct blk_plug {
	bool open;
};

static inline void blk_start_plug(struct blk_plug *plug)
{
	plug->open = true;
}

static inline void blk_finish_plug(struct blk_plug *plug)
{
	plug->open = false;
}

#endif
