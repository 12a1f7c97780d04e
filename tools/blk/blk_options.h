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
 * What --features may switch, and what it has to switch on: in-order use makes
 * quick requests wait for slow ones, extra data comes with no kick that KVM
 * turns into an eventfd, and the cache is for the guest only if it is trusted to
 * choose.
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

struct blk_options {
	struct common_options common;
	const char  *blk_file;
	const char  *serial;
	bool	     read_only;
	bool	     raw;	/* said by --format */
	enum disk_locking locking;
	uint64_t     features;	/* of those that can be switched */
	uint64_t     asked;	/* those of them that were switched on by name */
	unsigned int queues;
};

/*
 * Prints what is wrong, or what was asked for instead of serving: then @*status is
 * what the program ends with, and the result is false.
 */
bool blk_options_parse(struct blk_options *o, int argc, char **argv, int *status);

#endif
