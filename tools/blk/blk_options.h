/* SPDX-License-Identifier: GPL-2.0 */
/* blk_options - the command line of vhost-doorbell-blk */
#ifndef TOOLS_BLK_BLK_OPTIONS_H
#define TOOLS_BLK_BLK_OPTIONS_H

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "common_options.h"
#include "disk.h"
#include "feature.h"

/*
 * Features that --features may switch; those in FEATURES_OFF are off by
 * default. IN_ORDER makes quick requests wait for slow ones. With
 * NOTIFICATION_DATA a kick writes more than the queue's number, and KVM turns
 * no such write into an eventfd. With CONFIG_WCE the guest may switch the write
 * cache, which not every host allows.
 */
#define FEATURES_OFF	(BIT(VIRTIO_BLK_F_CONFIG_WCE) | \
			 BIT(VIRTIO_F_IN_ORDER) | \
			 BIT(FEATURE_NOTIFICATION_DATA))
#define FEATURES_ON	(BIT(VIRTIO_BLK_F_SIZE_MAX) | \
			 BIT(VIRTIO_BLK_F_SEG_MAX) | \
			 BIT(VIRTIO_BLK_F_GEOMETRY) | \
			 BIT(VIRTIO_BLK_F_BLK_SIZE) | \
			 BIT(VIRTIO_BLK_F_FLUSH) | \
			 BIT(VIRTIO_BLK_F_TOPOLOGY) | \
			 BIT(VIRTIO_BLK_F_DISCARD) | \
			 BIT(VIRTIO_BLK_F_WRITE_ZEROES) | \
			 BIT(FEATURE_LIFETIME) | \
			 BIT(FEATURE_SECURE_ERASE) | \
			 BIT(FEATURE_ZONED) | \
			 BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | \
			 BIT(VIRTIO_F_ANY_LAYOUT) | \
			 BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT(VIRTIO_F_VERSION_1) | \
			 BIT(VIRTIO_F_RING_PACKED) | \
			 BIT(VIRTIO_F_RING_RESET))

enum blk_cache {
	BLK_CACHE_AUTO,
	BLK_CACHE_WRITEBACK,
	BLK_CACHE_WRITETHROUGH,
};

struct blk_options {
	struct common_options common;
	const char  *blk_file;
	const char  *serial;
	bool	     read_only;
	bool	     incoming;	/* claim the disk only when the guest runs */
	bool	     raw;	/* given by --format */
	bool	     hold_nospc; /* a write waits while the disk is full */
	enum disk_locking locking;
	enum blk_cache cache;
	uint64_t     features;	/* the switchable features that are on */
	/* those of them that --features or --cache switched on */
	uint64_t     asked;
	unsigned int queues;
};

/*
 * Fills @o from the command line. Returns false if the program has to end with
 * *@status: after a message about an error, or after printing what an option
 * such as --help asked for.
 */
bool blk_options_parse(struct blk_options *o, int argc, char **argv, int *status);

#endif
