/* SPDX-License-Identifier: GPL-2.0 */
/*
 * victim - a device attacked on queue 0, with queue 1 as the witness
 *
 * Everything that queue 0's descriptors may name lies in the first region of
 * guest memory; the witness uses the second. Between them is a hole in guest
 * addresses, but none in the file: a back end that runs over the end of the
 * first region hits the guard bytes and is caught.
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stdint.h>

#include "dev.h"
#include "mem.h"
#include "options.h"
#include "quick.h"
#include "ring.h"

#define VICTIM_NUM	16	/* entries of the queues */
#define VICTIM_DATA	4096
#define VICTIM_TABLE	64	/* entries of the indirect table */
#define VICTIM_GUARD	4096	/* guard bytes behind the first region */

/* Our record of a packed queue 0 since its last restart */
struct victim_packed {
	struct vring_desc	desc[VICTIM_NUM];
	struct vring_desc	table[VICTIM_TABLE];
	uint16_t		id;		/* id of the request */
	uint16_t		published;	/* requests published */
	uint16_t		used;		/* requests seen as used */
	unsigned int		queued;		/* entries published and not seen as used */
	/* Entries of the chain with each id */
	uint16_t		ndesc[VICTIM_NUM];
	struct ring_place	next;		/* position of the next entry */
	/* Position of the next used entry */
	struct ring_place	seen;
};

struct victim {
	/* Constant while connected. */
	struct dev_wish		wish;
	struct dev		dev;
	struct mem		mem;
	bool			has_witness;
	bool			read_only;
	uint64_t		capacity;
	uint64_t		witness_sector;
	uint8_t			reference[QUICK_BYTES];

	struct ring		ring[2];
	struct quick		quick[2];

	/*
	 * Descriptors and table of queue 0's request. Those of a split ring lie
	 * in guest memory. For a packed ring they are built in the format of a
	 * split ring, in our own memory, and converted when the request is
	 * published.
	 */
	struct vring_desc	*desc;
	struct vring_desc	*table;
	void			*table_at;	/* the table in guest memory */
	struct virtio_blk_outhdr *header;
	uint8_t			*data;
	uint8_t			*status;
	uint8_t			*guard;
	uint16_t		avail_idx;	/* index to publish next */
	struct victim_packed	packed;
};

/* The outcome of a violation. */
enum victim_outcome {
	VICTIM_NOTHING,
	VICTIM_BROKEN,
	VICTIM_COMPLETED,
	VICTIM_GONE,
};

/* @no_indirect: leave INDIRECT_DESC out of the negotiation. */
int victim_open(struct victim *v, const struct options *o, bool no_indirect);
void victim_close(struct victim *v);

uint64_t victim_gpa(const struct victim *v, const void *ptr);
/* First guest physical address behind the first region. */
uint64_t victim_end(const struct victim *v);

/* Lays a valid request into descriptors 0, 1 and 2, or into the table. */
void victim_direct(struct victim *v, uint32_t type, uint64_t sector,
		   uint32_t len);
void victim_indirect(struct victim *v, uint32_t type, uint64_t sector,
		     uint32_t len);

/* Publishes the request on queue 0. */
void victim_publish(struct victim *v);
/* Publishes one more valid request on queue 0. */
void victim_send_good(struct victim *v);
/* Number of requests that queue 0 has used. */
uint16_t victim_used(struct victim *v);
enum victim_outcome victim_wait(struct victim *v, unsigned int used,
				unsigned int timeout_ms);
bool victim_broken(const struct victim *v);

/* Empties ring and error eventfd of queue 0, which is stopped. */
int victim_reset(struct victim *v);
/* Stops queue 0 and starts it on an empty ring. */
int victim_restart(struct victim *v);
/*
 * Reads through the queue. Returns 0, or -errno if that fails or gives wrong
 * data.
 */
int victim_serves(struct victim *v, unsigned int queue);
bool victim_guard_intact(const struct victim *v);

#endif
