/* SPDX-License-Identifier: GPL-2.0 */
/*
 * req - one virtio-blk request, cut into descriptors in any legal way
 */
#ifndef REQ_H
#define REQ_H

#include <stdint.h>

#include "options.h"
#include "ring.h"

#define REQ_HEADER_MAX	3	/* pieces that a header is cut into */
#define REQ_GAP		32	/* bytes left between two pieces, at most */
#define REQ_META	512	/* bytes for header and status */

/* What the device allows and the command line asks for; constant. */
struct req_rules {
	struct mem		*mem;
	enum option_layout	layout;
	uint32_t		align;
	uint32_t		size_max;	/* of a segment; 0: any */
	unsigned int		max_data;	/* data segments */
	unsigned int		max_total;	/* segments */
	bool			indirect;
	bool			mixed;		/* chains may end in a table */
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

	/* Since the last req_build(). */
	unsigned int		npieces;
	uint32_t		len;
	uint32_t		type;
	volatile uint8_t	*status;
	struct ring_seg		*seg;		/* max_total entries */
	unsigned int		nseg;
	struct ring_shape	shape;
};

/* Bytes of data area that @bs needs under @rules, and of all of a request. */
size_t req_data_bytes(const struct req_rules *rules, uint32_t bs);
size_t req_bytes(const struct req_rules *rules, uint32_t bs);

int req_create(struct req *q, const struct req_rules *rules, uint32_t bs,
	       unsigned int region);
void req_destroy(struct req *q);

/* Writes the header and chooses a shape; the data follow with req_put(). */
void req_build(struct req *q, const struct req_rules *rules, uint32_t type,
	       uint64_t sector, uint32_t len, uint64_t *rng);

/* Between a plain buffer of q->len bytes and the pieces in guest memory. */
void req_put(struct req *q, const void *from);
void req_get(const struct req *q, void *to);
void req_poison(struct req *q);

#endif
