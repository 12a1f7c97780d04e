/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dev - a virtio-blk device at the other end of a vhost-user socket
 *
 * Sends messages in QEMU's order.
 */
#ifndef DEV_H
#define DEV_H

#include <stdbool.h>
#include <stdint.h>

#include "dirty.h"
#include "fe.h"
#include "mem.h"
#include "ring.h"

/*
 * Size of virtio_blk_config up to its zone fields. Fields beyond the device's
 * config space are 0.
 */
#define DEV_CONFIG_SIZE	96

/* The decoded config space; fields whose feature is not offered are 0. */
struct dev_config {
	uint64_t	capacity;	/* 512-byte sectors */
	uint32_t	size_max;
	uint32_t	seg_max;
	uint32_t	blk_size;	/* at least 1 */
	uint8_t		physical_exp;
	uint8_t		alignment;
	uint16_t	min_io;
	uint32_t	opt_io;
	uint16_t	num_queues;	/* at least 1 */
	uint32_t	max_erase;	/* sectors of one range */
	uint32_t	erase_align;	/* sectors */
	uint32_t	zone_sectors;
	uint32_t	max_open_zones;
	uint32_t	max_active_zones;
	uint32_t	max_append;	/* sectors */
	uint8_t		zone_model;
};

struct dev {
	struct fe		fe;
	/* Virtio features that the device offers */
	uint64_t		offered;
	uint64_t		features;	/* negotiated */
	/* Protocol features that the device offers */
	uint64_t		proto_offered;
	uint64_t		proto;		/* protocol features in use */
	uint64_t		max_queues;
	uint64_t		max_slots;	/* memory slots; 0: not offered */
	struct dev_config	config;
	struct dirty		log;
};

/* Features to negotiate, and how long to wait for the socket */
struct dev_wish {
	const char	*path;
	unsigned int	timeout_ms;
	uint64_t	refuse;		/* virtio features to leave out */
	uint64_t	need;		/* features without which dev_open() fails */
	bool		mem_slots;
	bool		log;	/* the device logs what it writes */
	bool		writethrough;	/* set config.wce to 0 */
};

/*
 * Connects and gets what the device offers; sets nothing but protocol features.
 */
int dev_open(struct dev *d, const struct dev_wish *wish);
/* Sets features, memory and status. After that queues can be started. */
int dev_setup(struct dev *d, const struct dev_wish *wish,
	      const struct mem *mem);
int dev_queue_start(struct dev *d, unsigned int queue, const struct ring *r,
		    unsigned int base);
int dev_queue_stop(struct dev *d, unsigned int queue, unsigned int *base);
/* Resets the device; all queues are stopped. */
int dev_reset(struct dev *d);
void dev_close(struct dev *d);

static inline bool dev_has(const struct dev *d, unsigned int feature)
{
	return d->features >> feature & 1;
}

#endif
