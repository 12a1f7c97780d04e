/* SPDX-License-Identifier: GPL-2.0 */
/*
 * req - one virtio-blk request, cut into descriptors in any legal way
 */
#ifndef REQ_H
#define REQ_H

#include <stdint.h>

#include "options.h"
#include "ring.h"

#define REQ_HEADER_MAX	3	/* most pieces of a header */
#define REQ_GAP		32	/* most bytes between two pieces */
#define REQ_META	512	/* bytes for header and status */

/* Limits of the device and layout from the command line; constant */
struct req_rules {
	struct mem		*mem;
	enum option_layout	layout;
	uint32_t		align;
	uint32_t		size_max;	/* most bytes of a segment; 0: no limit */
	unsigned int		max_data;	/* most data segments */
	unsigned int		max_total;	/* most segments */
	bool			indirect;
	bool			mixed;		/* segments may precede an indirect table */
};

struct req_piece {
	uint8_t		*ptr;
	uint32_t	len;
};

struct req {
	/* Constant: guest memory that belongs to this request. */
	uint8_t			*meta;
	void			*table;		/* max_total entries */
	uint8_t			*data;
	size_t			data_size;
	struct req_piece	*piece;		/* max_data entries */

	/* Set by the last req_build(): */
	unsigned int		npieces;
	uint32_t		len;
	uint32_t		type;
	volatile uint8_t	*status;
	struct ring_seg		*seg;		/* max_total entries */
	unsigned int		nseg;
	struct ring_shape	shape;
};

/*
 * Bytes of the data area of a request of @bs bytes, and bytes of the whole
 * request.
 */
size_t req_data_bytes(const struct req_rules *rules, uint32_t bs);
size_t req_bytes(const struct req_rules *rules, uint32_t bs);

int req_create(struct req *q, const struct req_rules *rules, uint32_t bs,
	       unsigned int region);
void req_destroy(struct req *q);

/*
 * Writes the header and chooses the layout. After that req_put() fills in the
 * data.
 */
void req_build(struct req *q, const struct req_rules *rules, uint32_t type,
	       uint64_t sector, uint32_t len, uint64_t *rng);

/* Copy q->len bytes between a plain buffer and the pieces in guest memory. */
void req_put(struct req *q, const void *from);
void req_get(const struct req *q, void *to);
void req_poison(struct req *q);

#endif
