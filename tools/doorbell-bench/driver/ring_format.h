/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring_format - what a format of virtqueues does for ring.c
 *
 * Context: that of ring.h.
 */
#ifndef RING_FORMAT_H
#define RING_FORMAT_H

#include "ring.h"

struct ring_format {
	/* Allocates; what is missing then is NULL, for destroy() to see. */
	int	     (*create)(struct ring *r, unsigned int region);
	void	     (*destroy)(struct ring *r);
	/* @order has each of 0 to num - 1 once. */
	void	     (*reset)(struct ring *r, const uint32_t *order);
	/* There are @need free descriptors. Returns the head or id. */
	uint16_t     (*add)(struct ring *r, const struct ring_seg *seg,
			    unsigned int nseg, struct ring_shape shape);
	/* True if the device wants a kick. */
	bool	     (*publish)(struct ring *r);
	bool	     (*is_used)(const struct ring *r);
	/* The next used entry; its descriptors are not free yet. */
	uint32_t     (*peek)(const struct ring *r, uint32_t *len);
	/* Goes on behind it, and frees its descriptors. */
	void	     (*free)(struct ring *r, uint16_t head);
	/* Asks for an interrupt for what is used next. */
	void	     (*arm)(struct ring *r);
	void	     (*disarm)(struct ring *r);
	unsigned int (*base)(const struct ring *r);
	struct fe_vring_addr (*addr)(const struct ring *r);
	void	     (*print)(const struct ring *r, FILE *to);
};

extern const struct ring_format ring_split_format;
extern const struct ring_format ring_packed_format;

#endif
