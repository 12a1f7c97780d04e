/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - the driver's side of one split virtqueue
 *
 * Context: one thread per ring, but ring_kick() may be called by any.
 */
#ifndef RING_H
#define RING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "fe.h"
#include "mem.h"

#define RING_NO_TOKEN	UINT32_MAX

struct ring_seg {
	uint64_t	gpa;
	uint32_t	len;
	bool		in;	/* the device writes it */
};

/* How a chain is put into the ring. */
struct ring_shape {
	struct vring_desc	*table;	/* indirect table, or NULL */
	unsigned int		direct;	/* segments that go before the table */
};

struct ring {
	/* Constant. */
	struct mem		*mem;
	struct vring_desc	*desc;
	struct vring_avail	*avail;
	struct vring_used	*used;
	uint16_t		num;
	bool			event_idx;
	int			kick;
	int			call;
	int			err;

	/* The ring's thread. */
	uint16_t		*next;	/* free list and chains; our own copy */
	uint32_t		*token;	/* by head, or RING_NO_TOKEN */
	uint16_t		free_head;
	uint16_t		num_free;
	uint16_t		avail_idx;
	uint16_t		published;
	uint16_t		last_used;
	uint64_t		kicks;
};

/* Bytes of guest memory that ring_create() takes, alignment included. */
size_t ring_bytes(unsigned int num);

/*
 * @seed shuffles the order in which descriptors are used, so that chains are
 * not neighbours by accident. Returns 0 or -errno.
 */
int ring_create(struct ring *r, struct mem *mem, unsigned int num,
		unsigned int region, uint64_t seed);
void ring_destroy(struct ring *r);

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
 * -EPROTO: an entry for something that is not in flight.
 */
int ring_pop(struct ring *r, uint32_t *token, uint32_t *len);

/* True if there is something to pop; else an interrupt has been asked for. */
bool ring_arm(struct ring *r);
void ring_disarm(struct ring *r);

/* Puts what is in flight behind the used index, in any order. */
void ring_requeue(struct ring *r);

uint16_t ring_used_idx(const struct ring *r);
/* The available index at which the device wants a kick, with EVENT_IDX. */
uint16_t ring_avail_event(const struct ring *r);
struct fe_vring_addr ring_addr(const struct ring *r);

#endif
