/* SPDX-License-Identifier: GPL-2.0 */
/* ring - make chains available in split and packed rings, valid ones and others */
#ifndef KFUZZ_RING_H
#define KFUZZ_RING_H

#include "kfuzz.h"

struct queue {
	unsigned int	dev;
	unsigned int	index;
	uint16_t	num;
	bool		packed;
	bool		wrap;		/* packed: of the next entry to fill */
	uint16_t	next;		/* the next entry of the table to fill */
	int		kick;
	int		call;
	int		err;
};

/* One piece of a chain */
struct piece {
	uint64_t	addr;
	uint32_t	len;
	bool		in;		/* the device writes to it */
};

#define MAX_PIECES	16U

/* Rings of zeroes, with the first entry at @base */
void ring_reset(struct queue *q, uint16_t base);
/* The value for VHOST_SET_VRING_BASE that fits */
uint32_t ring_base(const struct queue *q);
/*
 * Make a chain available. @tweak: what is wrong with one of its entries, 0: nothing;
 * @value: how.
 */
void ring_add(struct queue *q, const struct piece *piece, unsigned int n, bool indirect,
	      unsigned int tweak, uint8_t value);
/* Has the device used all? For a packed ring a guess */
bool ring_is_done(const struct queue *q);

/* A number that finds errors */
uint64_t ring_odd_number(uint8_t choice);

#endif
