/* SPDX-License-Identifier: GPL-2.0 */
/* ring_place - a place in a packed ring, with its wrap counter */
#ifndef RING_PLACE_H
#define RING_PLACE_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#define RING_PLACE_WRAP	(1u << VRING_PACKED_EVENT_F_WRAP_CTR)

/*
 * A position in the ring, from 0 to twice the ring's size minus 1. In the first
 * half the wrap counter is 1.
 */
struct ring_place {
	uint32_t	at;
};

static inline bool ring_place_wrap(struct ring_place p, uint32_t num)
{
	return p.at < num;
}

static inline uint16_t ring_place_index(struct ring_place p, uint32_t num)
{
	return (uint16_t)(p.at % num);
}

static inline struct ring_place ring_place_go(struct ring_place p, uint32_t n,
					      uint32_t num)
{
	return (struct ring_place){ (p.at + n) % (2 * num) };
}

/* Number of entries from @from forward to @to, at most two rounds */
static inline uint32_t ring_place_distance(struct ring_place from,
					   struct ring_place to, uint32_t num)
{
	return (to.at + 2 * num - from.at) % (2 * num);
}

/* The position in the format of event areas and of the ring's base */
static inline uint16_t ring_place_word(struct ring_place p, uint32_t num)
{
	return (uint16_t)(ring_place_index(p, num) |
			  (ring_place_wrap(p, num) ? RING_PLACE_WRAP : 0));
}

static inline struct ring_place ring_place_of(uint16_t word, uint32_t num)
{
	return (struct ring_place){
		(word & (RING_PLACE_WRAP - 1)) +
		(word & RING_PLACE_WRAP ? 0 : num),
	};
}

/* Flags of an available entry at this place. */
static inline uint16_t ring_place_avail(struct ring_place p, uint32_t num)
{
	return (uint16_t)(1u << (ring_place_wrap(p, num) ?
				 VRING_PACKED_DESC_F_AVAIL :
				 VRING_PACKED_DESC_F_USED));
}

/* Do the flags of the entry at this place mark it used? */
static inline bool ring_place_used(struct ring_place p, uint32_t num,
				   uint16_t flags)
{
	bool wrap = ring_place_wrap(p, num);

	return (flags >> VRING_PACKED_DESC_F_AVAIL & 1) == wrap &&
	       (flags >> VRING_PACKED_DESC_F_USED & 1) == wrap;
}

#endif
