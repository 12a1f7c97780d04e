/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_victim - a network card, attacked on one queue of its first pair
 *
 * The attacked queue belongs to a struct victim, whose rules hold here:
 * everything that its descriptors may name lies in the first region of guest
 * memory. The other queue of the pair and, with --pairs 2, the second pair are
 * witnesses.
 */
#ifndef NET_VICTIM_H
#define NET_VICTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "net_dev.h"
#include "net_frame.h"
#include "net_host.h"
#include "net_options.h"
#include "victim.h"

#define NET_VICTIM_FRAME	128	/* bytes of a good frame */
#define NET_VICTIM_BUFFER	2048	/* bytes of a receive buffer */

struct net_victim {
	const struct net_options *o;
	/*
	 * ring[0] is attacked; ring[1] is the other queue of the pair. Its
	 * @header is not used; @hdr below takes its place.
	 */
	struct victim		v;
	struct net_dev		dev;
	bool			rx;		/* the attacked queue receives */
	bool			has_witness;
	struct ring		witness[2];	/* queues of the second pair */
	unsigned int		started;	/* bit mask of started queues */
	struct net_address	self;
	struct net_address	peer;
	struct net_host		host[2];	/* by pair */
	uint64_t		seq;

	/* In the first region, for crafted frames: */
	struct virtio_net_hdr_mrg_rxbuf *hdr;
	uint8_t			*frame;
	uint32_t		frame_size;	/* room at @frame */
	/* In the second region, for valid frames */
	uint8_t			*good;
};

/* Returns 0, or -errno after it has printed why. */
int net_victim_open(struct net_victim *n, const struct net_options *o, bool rx);
void net_victim_close(struct net_victim *n);

/* Lays a valid chain into the first two descriptors, or into the table. */
void net_victim_direct(struct net_victim *n);
void net_victim_indirect(struct net_victim *n);
/*
 * Lays @count valid buffers of @len bytes into the ring, one descriptor each.
 */
void net_victim_buffers(struct net_victim *n, unsigned int count, uint32_t len);

/* The other end sends @count frames of @size bytes. */
void net_victim_incoming(struct net_victim *n, unsigned int count,
			 uint32_t size);
/* Did the frame of the last valid or crafted chain reach the other end? */
bool net_victim_arrived(struct net_victim *n, int timeout_ms);

bool net_victim_gone(const struct net_victim *n);
/* Stops the attacked queue and starts it on an empty ring. */
int net_victim_restart(struct net_victim *n);
/*
 * Do valid frames pass over pair @pair in this direction? Returns 0 or -errno.
 */
int net_victim_sends(struct net_victim *n, unsigned int pair);
int net_victim_receives(struct net_victim *n, unsigned int pair);

#endif
