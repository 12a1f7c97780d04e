// SPDX-License-Identifier: GPL-2.0
/*
 * hostile_ring - violations of the ring: each breaks the queue
 *
 * A case starts from a valid read and changes one thing.
 */
#include "bench.h"
#include "hostile.h"
#include "victim.h"

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT
/* An address far from any guest memory. */
#define NOWHERE		0x7000000000000ull

static void good(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 0, VICTIM_DATA);
}

static void good_indirect(struct victim *v)
{
	victim_indirect(v, VIRTIO_BLK_T_IN, 0, VICTIM_DATA);
}

/* Cases: chains */

static void loop_of_one(struct victim *v)
{
	good(v);
	v->desc[1].next = 1;
}

static void loop_of_two(struct victim *v)
{
	good(v);
	v->desc[2].flags |= NEXT;
	v->desc[2].next = 1;
}

static void loop_to_head(struct victim *v)
{
	good(v);
	v->desc[0].next = 0;
}

static void loop_indirect(struct victim *v)
{
	good_indirect(v);
	v->table[2].flags |= NEXT;
	v->table[2].next = 1;
}

/*
 * A chain of all entries of the ring; the last entry leads back to an earlier
 * one.
 */
static void loop_of_all(struct victim *v)
{
	good(v);
	for (uint16_t i = 1; i < VICTIM_NUM; i++) {
		v->desc[i] = v->desc[1];
		v->desc[i].len = 512;
		v->desc[i].next = (uint16_t)(i + 1);
	}
	v->desc[VICTIM_NUM - 1].next = 1;
}

/*
 * An indirect table longer than the ring. The spec forbids it to drivers; some
 * back ends accept it.
 */
static void indirect_too_long(struct victim *v)
{
	uint16_t n = VICTIM_NUM + 2, last = n - 1;

	good_indirect(v);
	v->table[last] = v->table[2];
	for (uint16_t i = 1; i < last; i++)
		v->table[i] = (struct vring_desc){
			victim_gpa(v, v->data + (i - 1) % 8 * 512), 512,
			NEXT | WRITE, (uint16_t)(i + 1),
		};
	v->desc[0].len = n * (uint32_t)sizeof(*v->table);
}

static void readable_late(struct victim *v)
{
	good(v);
	v->desc[3] = v->desc[2];
	v->desc[2] = (struct vring_desc){ victim_gpa(v, v->data), 512,
					  NEXT, 3 };
}

static void readable_late_indirect(struct victim *v)
{
	good_indirect(v);
	v->table[3] = v->table[2];
	v->table[2] = (struct vring_desc){ victim_gpa(v, v->data), 512,
					   NEXT, 3 };
	v->desc[0].len = 4 * sizeof(*v->table);
}

static void zero_header(struct victim *v)
{
	good(v);
	v->desc[0].len = 0;
}

static void zero_data(struct victim *v)
{
	good(v);
	v->desc[1].len = 0;
}

static void zero_status(struct victim *v)
{
	good(v);
	v->desc[2].len = 0;
}

static void zero_data_indirect(struct victim *v)
{
	good_indirect(v);
	v->table[1].len = 0;
}

/* Cases: indices and heads */

static void head_just_out(struct victim *v)
{
	good(v);
	v->ring[0].split.avail->ring[0] = VICTIM_NUM;
}

static void head_far_out(struct victim *v)
{
	good(v);
	v->ring[0].split.avail->ring[0] = 0xffff;
}

static void next_just_out(struct victim *v)
{
	good(v);
	v->desc[0].next = VICTIM_NUM;
}

static void next_far_out(struct victim *v)
{
	good(v);
	v->desc[1].next = 0xffff;
}

static void indirect_next_just_out(struct victim *v)
{
	good_indirect(v);
	v->table[1].next = 3;
}

static void indirect_next_far_out(struct victim *v)
{
	good_indirect(v);
	v->table[0].next = 0xffff;
}

static void idx_jump(struct victim *v)
{
	good(v);
	v->avail_idx = VICTIM_NUM + 1;
}

static void idx_far_jump(struct victim *v)
{
	good(v);
	v->avail_idx = 0x8000;
}

static void idx_back(struct victim *v)
{
	good(v);
	v->avail_idx = 0xffff;
}

static void head_twice(struct victim *v)
{
	good(v);
	v->ring[0].split.avail->ring[1] = 0;
	v->avail_idx = 2;
}

/* Cases, packed rings only: chains without an end, bad ids */

static void endless(struct victim *v)
{
	good(v);
	v->desc[2].flags |= NEXT;
	v->desc[2].next = 2;
}

/* The first entry alone would be a valid request, with its data and status. */
static void endless_write(struct victim *v)
{
	good(v);
	for (uint16_t i = 1; i < VICTIM_NUM; i++) {
		v->desc[i] = v->desc[1];
		v->desc[i].len = 512;
		v->desc[i].next = (uint16_t)(i + 1);
	}
}

static void id_just_out(struct victim *v)
{
	good(v);
	v->packed.id = VICTIM_NUM;
}

static void id_far_out(struct victim *v)
{
	good(v);
	v->packed.id = 0xffff;
}

static void id_out_indirect(struct victim *v)
{
	good_indirect(v);
	v->packed.id = VICTIM_NUM;
}

static void id_twice(struct victim *v)
{
	good(v);
	v->avail_idx = 2;
}

/* Cases: indirect tables */

static void table_empty(struct victim *v)
{
	good_indirect(v);
	v->desc[0].len = 0;
}

static void table_odd(struct victim *v)
{
	good_indirect(v);
	v->desc[0].len = 3 * sizeof(*v->table) - 1;
}

static void table_nested(struct victim *v)
{
	good_indirect(v);
	v->table[1] = (struct vring_desc){
		victim_gpa(v, v->table_at), 3 * sizeof(*v->table), INDIRECT, 0,
	};
}

static void table_and_next(struct victim *v)
{
	good_indirect(v);
	v->desc[0].flags |= NEXT;
	v->desc[0].next = 1;
	v->desc[1] = v->table[2];
}

static void table_not_negotiated(struct victim *v)
{
	good_indirect(v);
}

static void table_nowhere(struct victim *v)
{
	good_indirect(v);
	v->desc[0].addr = NOWHERE;
}

static void table_wraps(struct victim *v)
{
	good_indirect(v);
	v->desc[0].addr = UINT64_MAX - 15;
}

static void table_over_end(struct victim *v)
{
	good_indirect(v);
	v->desc[0].addr = victim_end(v) - 16;
}

/* Cases: header and status */

static void no_status(struct victim *v)
{
	good(v);
	v->desc[0].flags = 0;
}

static void no_status_but_data(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_OUT, 0, 512);
	v->desc[1].flags = 0;
}

static void header_short(struct victim *v)
{
	good(v);
	v->desc[0].len = 15;
}

static void header_writable(struct victim *v)
{
	good(v);
	v->desc[0].flags |= WRITE;
}

static void header_nowhere(struct victim *v)
{
	good(v);
	v->desc[0].addr = NOWHERE;
}

static void header_wraps(struct victim *v)
{
	good(v);
	v->desc[0].addr = UINT64_MAX - 7;
}

static void header_over_end(struct victim *v)
{
	good(v);
	v->desc[0].addr = victim_end(v) - 8;
}

static void status_nowhere(struct victim *v)
{
	good(v);
	v->desc[2].addr = NOWHERE;
}

static void status_wraps(struct victim *v)
{
	good(v);
	v->desc[2].addr = UINT64_MAX;
}

/*
 * The last byte of the chain, which is the status, lies behind the region's
 * end.
 */
static void status_over_end(struct victim *v)
{
	good(v);
	v->desc[2].addr = victim_end(v) - 2;
	v->desc[2].len = 4;
}

#define BROKEN(n, fn)	{ n, EXPECT_BROKEN, 0, fn, NULL }
#define BROKEN_IND(n, fn) { n, EXPECT_BROKEN, HOSTILE_INDIRECT, fn, NULL }

#define BROKEN_SPLIT(n, fn) { n, EXPECT_BROKEN, HOSTILE_SPLIT, fn, NULL }
#define BROKEN_SPLIT_IND(n, fn) \
	{ n, EXPECT_BROKEN, HOSTILE_SPLIT | HOSTILE_INDIRECT, fn, NULL }
#define BROKEN_PACKED(n, fn) { n, EXPECT_BROKEN, HOSTILE_PACKED, fn, NULL }

static const struct hostile_case cases[] = {
	BROKEN_SPLIT("loop-of-one", loop_of_one),
	BROKEN_SPLIT("loop-of-two", loop_of_two),
	BROKEN_SPLIT("loop-to-head", loop_to_head),
	BROKEN_SPLIT("loop-of-all", loop_of_all),
	BROKEN_SPLIT_IND("loop-indirect", loop_indirect),
	{ "indirect-too-long", EXPECT_OK_OR_BROKEN, HOSTILE_INDIRECT,
	  indirect_too_long, NULL },
	BROKEN("readable-after-writable", readable_late),
	BROKEN_IND("readable-after-writable-ind", readable_late_indirect),
	BROKEN("zero-length-header", zero_header),
	BROKEN("zero-length-data", zero_data),
	BROKEN("zero-length-status", zero_status),
	BROKEN_IND("zero-length-indirect", zero_data_indirect),
	BROKEN_SPLIT("head-out-of-range", head_just_out),
	BROKEN_SPLIT("head-far-out-of-range", head_far_out),
	BROKEN_SPLIT("next-out-of-range", next_just_out),
	BROKEN_SPLIT("next-far-out-of-range", next_far_out),
	BROKEN_SPLIT_IND("indirect-next-out", indirect_next_just_out),
	BROKEN_SPLIT_IND("indirect-next-far-out", indirect_next_far_out),
	BROKEN_SPLIT("idx-jump", idx_jump),
	BROKEN_SPLIT("idx-far-jump", idx_far_jump),
	BROKEN_SPLIT("idx-back", idx_back),
	/*
	 * If the first chain completes before the device reads the second, both
	 * are valid.
	 */
	{ "head-twice", EXPECT_OK_OR_BROKEN, HOSTILE_SPLIT, head_twice,
	  NULL },
	BROKEN_PACKED("chain-without-end", endless),
	BROKEN_PACKED("chain-of-ring-and-more", endless_write),
	BROKEN_PACKED("id-out-of-range", id_just_out),
	BROKEN_PACKED("id-far-out-of-range", id_far_out),
	{ "id-out-of-range-ind", EXPECT_BROKEN,
	  HOSTILE_PACKED | HOSTILE_INDIRECT, id_out_indirect, NULL },
	{ "id-twice", EXPECT_OK_OR_BROKEN, HOSTILE_PACKED, id_twice, NULL },
	BROKEN_IND("table-empty", table_empty),
	BROKEN_IND("table-odd-length", table_odd),
	BROKEN_IND("table-nested", table_nested),
	BROKEN_IND("table-and-next", table_and_next),
	{ "table-not-negotiated", EXPECT_BROKEN, HOSTILE_NO_INDIRECT,
	  table_not_negotiated, NULL },
	BROKEN_IND("table-outside", table_nowhere),
	BROKEN_IND("table-wraps", table_wraps),
	BROKEN_IND("table-over-end", table_over_end),
	BROKEN("no-status", no_status),
	{ "no-status-but-data", EXPECT_BROKEN, HOSTILE_WRITABLE,
	  no_status_but_data, NULL },
	BROKEN("header-short", header_short),
	BROKEN("header-writable", header_writable),
	BROKEN("header-outside", header_nowhere),
	BROKEN("header-wraps", header_wraps),
	BROKEN("header-over-end", header_over_end),
	BROKEN("status-outside", status_nowhere),
	BROKEN("status-wraps", status_wraps),
	BROKEN("status-over-end", status_over_end),
};

struct hostile_set hostile_ring_cases(void)
{
	return (struct hostile_set){ cases, ARRAY_SIZE(cases) };
}
