/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring_format - the operations of ring.c that differ between split and packed
 * rings
 *
 * Context: that of ring.h.
 */
#ifndef RING_FORMAT_H
#define RING_FORMAT_H

#include "ring.h"

struct ring_format {
	/*
	 * Allocates the ring's parts. A part that could not be allocated is
	 * NULL; ring.c then calls destroy().
	 */
	int	     (*create)(struct ring *r, unsigned int region);
	void	     (*destroy)(struct ring *r);
	/* @order is a permutation of 0 to num - 1. */
	void	     (*reset)(struct ring *r, const uint32_t *order);
	/*
	 * Adds a chain; the caller has checked that enough descriptors are
	 * free. Returns the head or id.
	 */
	uint16_t     (*add)(struct ring *r, const struct ring_seg *seg,
			    unsigned int nseg, struct ring_shape shape);
	/*
	 * Makes added chains visible. Returns true if the device wants a kick.
	 */
	bool	     (*publish)(struct ring *r);
	bool	     (*is_used)(const struct ring *r);
	/*
	 * Returns the head or id of the next used chain, whose descriptors stay
	 * in use.
	 */
	uint32_t     (*peek)(const struct ring *r, uint32_t *len);
	/* Moves past the used chain, and frees its descriptors. */
	void	     (*free)(struct ring *r, uint16_t head);
	/* Asks for an interrupt at the next used chain. */
	void	     (*arm)(struct ring *r);
	void	     (*disarm)(struct ring *r);
	unsigned int (*base)(const struct ring *r);
	struct fe_vring_addr (*addr)(const struct ring *r);
	void	     (*print)(const struct ring *r, FILE *to);
};

extern const struct ring_format ring_split_format;
extern const struct ring_format ring_packed_format;

#endif
