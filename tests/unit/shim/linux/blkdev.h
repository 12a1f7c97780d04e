/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BLKDEV_H
#define SHIM_LINUX_BLKDEV_H

#include <linux/bio.h>

#define SECTOR_SHIFT	9
#define SECTOR_SIZE	512

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
