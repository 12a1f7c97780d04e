/* SPDX-License-Identifier: GPL-2.0 */
/* quick - send one request and wait for it */
#ifndef QUICK_H
#define QUICK_H

#include <stdint.h>

#include "req.h"
#include "ring.h"

#define QUICK_BYTES	4096

struct quick {
	struct ring		*ring;
	struct req_rules	rules;
	struct req		req;
	uint64_t		rng;
};

int quick_create(struct quick *q, struct ring *ring, unsigned int region);
void quick_destroy(struct quick *q);

/*
 * The data, at most QUICK_BYTES, are at quick_data(). Returns the status byte,
 * -ETIMEDOUT, or -EPROTO if the used ring is wrong.
 */
int quick_io(struct quick *q, uint32_t type, uint64_t sector, uint32_t len,
	     unsigned int timeout_ms);
/* Waits for the request in flight. Returns 0, -ETIMEDOUT or -EPROTO. */
int quick_pop(struct ring *r, unsigned int timeout_ms);
void *quick_data(const struct quick *q);

#endif
