/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - the driver's side of one virtqueue, split or packed
 *
 * Context: one thread per ring, but ring_kick() may be called by any.
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

/* How a chain is put into the ring. */
struct ring_shape {
	void		*table;	/* indirect table, of 16 bytes per entry; or NULL */
	unsigned int	direct;	/* segments that go before the table */
};

struct ring_config {
	unsigned int	num;
	bool		packed;
	bool		in_order;
	bool		on_empty;
	unsigned int	region;
	/*
	 * Shuffles the order in which descriptors or ids are used, so that
	 * chains are not neighbours by accident.
	 */
	uint64_t	seed;
};

struct ring_split {
	struct vring_desc	*desc;
	struct vring_avail	*avail;
	struct vring_used	*used;
	uint16_t		*next;	/* free list and chains; our own copy */
	uint16_t		free_head;
	uint16_t		avail_idx;
	uint16_t		published;
	uint16_t		last_used;
};

struct ring_packed {
	struct vring_packed_desc	*desc;
	struct vring_packed_desc_event	*driver;
	struct vring_packed_desc_event	*device;
	uint16_t		*id;		/* stack of free ones */
	uint16_t		*ndesc;		/* by id: entries of its chain */
	unsigned int		nid;
	struct ring_place	next;
	struct ring_place	published;
	uint16_t		first_flags;	/* of the entry published next */
	struct ring_place	seen;
};

struct ring {
	/* Constant. */
	const struct ring_format *format;
	struct mem		*mem;
	uint16_t		num;
	bool			event_idx;
	bool			on_empty;	/* the only interrupt asked for */
	int			kick;
	int			call;
	int			err;

	/* The ring's thread. */
	uint32_t		*token;	/* by head or id, or RING_NO_TOKEN */
	uint16_t		*order;	/* heads or ids in flight; or NULL */
	unsigned int		order_put;
	unsigned int		order_get;
	uint16_t		num_free;
	uint64_t		kicks;
	union {
		struct ring_split	split;
		struct ring_packed	packed;
	};
};

/* Bytes of guest memory that ring_create() takes, alignment included. */
size_t ring_bytes(unsigned int num);

/* Returns 0 or -errno. */
int ring_create(struct ring *r, struct mem *mem, const struct ring_config *cfg);
void ring_destroy(struct ring *r);
bool ring_is_packed(const struct ring *r);

/* Forgets all that is in flight; the ring is as new. */
void ring_reset(struct ring *r, uint64_t seed);

/* -ENOSPC: not enough free descriptors. The device sees nothing yet. */
int ring_add(struct ring *r, const struct ring_seg *seg, unsigned int nseg,
	     struct ring_shape shape, uint32_t token);

/* Shows the device what was added; kicks if the device wants it. */
void ring_publish(struct ring *r);
void ring_kick(const struct ring *r);

/*
 * Takes one completion: its token, and the bytes written. -EAGAIN: none;
 * -EPROTO: an entry for something that is not in flight, or not its turn.
 */
int ring_pop(struct ring *r, uint32_t *token, uint32_t *len);

/*
 * True if there is something to pop; else an interrupt has been asked for, or with
 * on_empty will come unasked.
 */
bool ring_arm(struct ring *r);
bool ring_is_used(const struct ring *r);
void ring_disarm(struct ring *r);

/*
 * Where a device that has served all of it goes on, as SET_VRING_BASE and
 * GET_VRING_BASE have it.
 */
unsigned int ring_base(const struct ring *r);
struct fe_vring_addr ring_addr(const struct ring *r);

/* One line on where the ring stands. */
void ring_print(const struct ring *r, FILE *to);

/*
 * Of a split ring only, whose driver can tell what a dead device has used and
 * what not. A packed ring is written over.
 */
uint16_t ring_used_idx(const struct ring *r);
/* Puts what is in flight behind the used index, in any order. */
void ring_requeue(struct ring *r);

#endif
