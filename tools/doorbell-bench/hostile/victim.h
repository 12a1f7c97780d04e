/* SPDX-License-Identifier: GPL-2.0 */
/*
 * victim - a device to attack on queue 0, with queue 1 as the witness
 *
 * All that queue 0 can name lies in the first region of guest memory, the
 * witness in the second, with a hole between. Side by side in the file they
 * touch: a back end that runs over the end of the first region is seen.
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
#define VICTIM_GUARD	4096	/* untouchable bytes behind the first region */

/* Where a packed queue 0 stands since its last restart. */
struct victim_packed {
	struct vring_desc	desc[VICTIM_NUM];
	struct vring_desc	table[VICTIM_TABLE];
	uint16_t		id;		/* of the request */
	uint16_t		published;	/* requests */
	uint16_t		used;
	unsigned int		queued;		/* entries, not seen as used */
	uint16_t		ndesc[VICTIM_NUM];	/* by id */
	struct ring_place	next;
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
	 * Queue 0's request; plain pointers into guest memory, but that of a
	 * packed ring is crafted as if the ring were split, in memory of ours,
	 * and laid into the ring when it is published.
	 */
	struct vring_desc	*desc;
	struct vring_desc	*table;
	void			*table_at;	/* in guest memory */
	struct virtio_blk_outhdr *header;
	uint8_t			*data;
	uint8_t			*status;
	uint8_t			*guard;
	uint16_t		avail_idx;	/* to be published */
	struct victim_packed	packed;
};

/* What came of a violation. */
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
/* First guest physical address behind queue 0's region. */
uint64_t victim_end(const struct victim *v);

/* A request without fault, in descriptors 0, 1, 2 or in the table. */
void victim_direct(struct victim *v, uint32_t type, uint64_t sector,
		   uint32_t len);
void victim_indirect(struct victim *v, uint32_t type, uint64_t sector,
		     uint32_t len);

/* Shows queue 0 what was crafted. */
void victim_publish(struct victim *v);
/* One more request without fault, behind what was published already. */
void victim_send_good(struct victim *v);
/* How many requests queue 0 has used. */
uint16_t victim_used(struct victim *v);
enum victim_outcome victim_wait(struct victim *v, unsigned int used,
				unsigned int timeout_ms);
bool victim_broken(const struct victim *v);

/* An empty ring, and nothing in the error eventfd, of queue 0, which is stopped. */
int victim_reset(struct victim *v);
/* Stops queue 0 and starts it on an empty ring. */
int victim_restart(struct victim *v);
/* 0, or -errno: a read through the queue fails or gives wrong data. */
int victim_serves(struct victim *v, unsigned int queue);
bool victim_guard_intact(const struct victim *v);

#endif
