/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dev - a virtio-blk device at the other end of a vhost-user socket
 *
 * Messages go in the order in which QEMU sends them.
 */
#ifndef DEV_H
#define DEV_H

#include <stdbool.h>
#include <stdint.h>

#include "fe.h"
#include "mem.h"
#include "ring.h"

/* virtio_blk_config to the end of its zones; what is not there is 0. */
#define DEV_CONFIG_SIZE	96

/* Decoded; what the device does not offer is 0. */
struct dev_config {
	uint64_t	capacity;	/* 512-byte sectors */
	uint32_t	size_max;
	uint32_t	seg_max;
	uint32_t	blk_size;	/* never 0 */
	uint8_t		physical_exp;
	uint8_t		alignment;
	uint16_t	min_io;
	uint32_t	opt_io;
	uint16_t	num_queues;	/* never 0 */
	uint32_t	max_erase;	/* sectors of a range */
	uint32_t	erase_align;	/* sectors */
	uint32_t	zone_sectors;
	uint32_t	max_open_zones;
	uint32_t	max_active_zones;
	uint32_t	max_append;	/* sectors */
	uint8_t		zone_model;
};

struct dev {
	struct fe		fe;
	uint64_t		offered;
	uint64_t		features;	/* negotiated */
	uint64_t		proto_offered;
	uint64_t		proto;
	uint64_t		max_queues;
	uint64_t		max_slots;	/* 0: not offered */
	struct dev_config	config;
};

/* What to leave out, and how long to wait for the socket. */
struct dev_wish {
	const char	*path;
	unsigned int	timeout_ms;
	uint64_t	refuse;		/* virtio features not to take */
	uint64_t	need;		/* else it is not the right device */
	bool		mem_slots;
};

/* Connects and asks; nothing is set yet but the protocol features. */
int dev_open(struct dev *d, const struct dev_wish *wish);
/* Features, memory, status: after that queues can be started. */
int dev_setup(struct dev *d, const struct dev_wish *wish,
	      const struct mem *mem);
int dev_queue_start(struct dev *d, unsigned int queue, const struct ring *r,
		    unsigned int base);
int dev_queue_stop(struct dev *d, unsigned int queue, unsigned int *base);
/* Hands the device back after all queues were stopped. */
int dev_reset(struct dev *d);
void dev_close(struct dev *d);

static inline bool dev_has(const struct dev *d, unsigned int feature)
{
	return d->features >> feature & 1;
}

#endif
