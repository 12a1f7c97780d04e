/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_slot - buffers in guest memory for a virtio header and a frame, cut into
 * descriptors in any legal way; and a ring with its slots
 *
 * Context: that of ring.h.
 */
#ifndef NET_SLOT_H
#define NET_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "net_options.h"
#include "ring.h"

/* How the buffers of a ring are cut; constant. */
struct net_slot_rules {
	enum net_layout	layout;
	unsigned int	hlen;
	unsigned int	segs;		/* most pieces of a frame */
	bool		indirect;	/* INDIRECT_DESC was negotiated */
	bool		in;		/* receive buffers */
};

struct net_piece {
	uint8_t		*ptr;
	uint32_t	len;
};

struct net_slot {
	/* Constant: guest memory of this slot. */
	uint8_t			*mem;
	void			*table;		/* NET_MAX_SEGS entries */

	/* Set by the last net_slot_cut(): */
	struct net_piece	piece[NET_MAX_SEGS];
	struct ring_seg		seg[NET_MAX_SEGS];
	unsigned int		n;
	struct ring_shape	shape;
	uint32_t		len;		/* header and frame; 0: not cut yet */
	bool			made;		/* holds a complete frame of this size */
};

/* A ring and its slots. */
struct net_end {
	struct ring		*ring;
	struct net_slot_rules	rules;
	struct net_slot		*slot;
	uint32_t		*idle;		/* stack of idle slot numbers */
	uint32_t		nslots;
	uint32_t		nidle;
	uint32_t		size;		/* most bytes of a slot */
	uint64_t		rng;
};

/*
 * Guest memory that a slot of @size bytes needs, alignment included, in bytes.
 */
size_t net_slot_bytes(const struct net_slot_rules *rules, uint32_t size);

/*
 * Makes slots of @size bytes, all idle. The caller has set ring and rules of
 * @end. Returns 0 or -errno.
 */
int net_end_create(struct net_end *end, uint32_t nslots, uint32_t size,
		   unsigned int region);
void net_end_destroy(struct net_end *end);

/* Chooses the pieces for @len bytes; the content is lost. */
void net_slot_cut(struct net_end *end, struct net_slot *s, uint32_t len);
/* Adds the slot to the ring, without publishing it. Returns 0 or -ENOSPC. */
int net_slot_add(struct net_end *end, uint32_t slot);

/* Is the slot contiguous? */
static inline bool net_slot_whole(const struct net_slot *s)
{
	return s->n == 1;
}

/* Copy between a plain buffer and the slot, from byte @at of the slot on. */
void net_slot_put(const struct net_slot *s, uint32_t at, const void *from,
		  uint32_t len);
void net_slot_get(const struct net_slot *s, uint32_t at, void *to,
		  uint32_t len);

#endif
