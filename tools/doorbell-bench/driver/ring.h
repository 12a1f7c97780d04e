/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - the driver's side of one virtqueue, split or packed
 *
 * Context: one thread per ring; ring_kick() may be called by any thread.
 */
#ifndef RING_H
#define RING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fe.h"
#include "mem.h"
#include "ring_place.h"

#define RING_NO_TOKEN	UINT32_MAX

struct ring_format;

struct ring_seg {
	uint64_t	gpa;
	uint32_t	len;
	bool		in;	/* the device writes it */
};

/* The form of a chain in the ring */
struct ring_shape {
	void		*table;	/* indirect table, 16 bytes per entry, or NULL */
	unsigned int	direct;	/* segments before the indirect descriptor */
};

struct ring_config {
	unsigned int	num;
	bool		packed;
	bool		in_order;
	bool		on_empty;
	unsigned int	region;
	/*
	 * Seed of the order in which descriptors or ids are used. The order is
	 * random so that the descriptors of a chain are not adjacent by
	 * accident.
	 */
	uint64_t	seed;
};

struct ring_split {
	struct vring_desc	*desc;
	struct vring_avail	*avail;
	struct vring_used	*used;
	/*
	 * link from each descriptor to the next, free or in a chain; not in
	 * guest memory
	 */
	uint16_t		*next;
	uint16_t		free_head;
	/* Index of the next entry of the available ring */
	uint16_t		avail_idx;
	/* Available index that the device sees */
	uint16_t		published;
	/* Index of the next used entry to pop */
	uint16_t		last_used;
};

struct ring_packed {
	struct vring_packed_desc	*desc;
	struct vring_packed_desc_event	*driver;
	struct vring_packed_desc_event	*device;
	uint16_t		*id;		/* stack of free ids */
	/* Number of entries of the chain with each id */
	uint16_t		*ndesc;
	unsigned int		nid;		/* number of free ids */
	struct ring_place	next;		/* position of the next entry */
	/* Position of the first entry that is not published */
	struct ring_place	published;
	uint16_t		first_flags;	/* flags of the first entry to publish next */
	/* Position of the next used entry */
	struct ring_place	seen;
};

struct ring {
	/* Constant. */
	const struct ring_format *format;
	struct mem		*mem;
	uint16_t		num;
	bool			event_idx;
	bool			on_empty;	/* NOTIFY_ON_EMPTY is the only interrupt */
	int			kick;
	int			call;
	int			err;

	/* Used by the ring's thread only: */
	/* caller's token of each head or id; RING_NO_TOKEN: free */
	uint32_t		*token;
	uint16_t		*order;	/* IN_ORDER: heads or ids in flight; else NULL */
	unsigned int		order_put;
	unsigned int		order_get;
	uint16_t		num_free;
	uint64_t		kicks;
	union {
		struct ring_split	split;
		struct ring_packed	packed;
	};
};

/* Guest memory that ring_create() needs, alignment included, in bytes. */
size_t ring_bytes(unsigned int num);

/* Returns 0 or -errno. */
int ring_create(struct ring *r, struct mem *mem, const struct ring_config *cfg);
void ring_destroy(struct ring *r);
bool ring_is_packed(const struct ring *r);

/* Empties the ring: nothing is in flight, all indexes are as at the start. */
void ring_reset(struct ring *r, uint64_t seed);

/*
 * Adds a chain, which the device does not see yet. Returns 0, or -ENOSPC
 * without enough free descriptors.
 */
int ring_add(struct ring *r, const struct ring_seg *seg, unsigned int nseg,
	     struct ring_shape shape, uint32_t token);

/* Makes added chains visible to the device, and kicks if it wants a kick. */
void ring_publish(struct ring *r);
void ring_kick(const struct ring *r);

/*
 * Takes the next used chain: its token, and the bytes written. Returns 0,
 * -EAGAIN if there is none, or -EPROTO if the used entry is for a chain that is
 * not in flight or not next in order.
 */
int ring_pop(struct ring *r, uint32_t *token, uint32_t *len);

/*
 * Asks for an interrupt at the next used chain; with NOTIFY_ON_EMPTY the device
 * sends one without being asked. Returns true if a used chain can be popped
 * already.
 */
bool ring_arm(struct ring *r);
bool ring_is_used(const struct ring *r);
void ring_disarm(struct ring *r);

/*
 * The position in the ring, encoded as for SET_VRING_BASE and GET_VRING_BASE,
 * at which a device continues that has served all chains.
 */
unsigned int ring_base(const struct ring *r);
struct fe_vring_addr ring_addr(const struct ring *r);

/* Prints the state of the ring in one line. */
void ring_print(const struct ring *r, FILE *to);

/*
 * Split rings only: the device's used index. It remains readable in guest
 * memory after the back end has died. (In a packed ring used entries overwrite
 * available ones.)
 */
uint16_t ring_used_idx(const struct ring *r);
/*
 * Split rings only: makes the chains in flight available again, in any order,
 * from the used index on.
 */
void ring_requeue(struct ring *r);

#endif
