// SPDX-License-Identifier: GPL-2.0
/*
 * hostile_req - violations of a request: the request fails, and the queue goes
 * on
 */
#include "bench.h"
#include "hostile.h"
#include "victim.h"

#define NOWHERE		0x7000000000000ull

static void good_read(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 0, VICTIM_DATA);
}

static void good_write(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_OUT, 0, VICTIM_DATA);
}

/* Cases: bad addresses of the data */

static void read_nowhere(struct victim *v)
{
	good_read(v);
	v->desc[1].addr = NOWHERE;
}

static void write_nowhere(struct victim *v)
{
	good_write(v);
	v->desc[1].addr = NOWHERE;
}

static void read_at_zero(struct victim *v)
{
	good_read(v);
	v->desc[1].addr = 0;
}

static void read_into_hole(struct victim *v)
{
	good_read(v);
	v->desc[1].addr = victim_end(v);
}

static void read_over_end(struct victim *v)
{
	good_read(v);
	v->desc[1].addr = victim_end(v) - VICTIM_DATA / 2;
}

static void write_over_end(struct victim *v)
{
	good_write(v);
	v->desc[1].addr = victim_end(v) - VICTIM_DATA / 2;
}

static void read_wraps(struct victim *v)
{
	good_read(v);
	v->desc[1].addr = UINT64_MAX - VICTIM_DATA / 2 + 1;
}

static void read_ends_at_wrap(struct victim *v)
{
	good_read(v);
	v->desc[1].addr = UINT64_MAX - VICTIM_DATA + 1;
}

static void read_huge(struct victim *v)
{
	good_read(v);
	v->desc[1].len = 0xfffffe00;
}

/* Cases: bad sectors */

static void read_at_capacity(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, v->capacity, 512);
}

static void read_over_capacity(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, v->capacity - 1, 1024);
}

static void write_over_capacity(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_OUT, v->capacity - 1, 1024);
}

static void sector_max(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, UINT64_MAX, 512);
}

/* 2^55 sectors: as a number of bytes this overflows to 0. */
static void sector_shifts_out(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 1ull << 55, 512);
}

static void sector_sum_wraps(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, UINT64_MAX - 3, VICTIM_DATA);
}

/* Cases: bad lengths */

static void read_short_sector(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 0, 511);
}

static void read_long_sector(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 0, 513);
}

static void write_part_sector(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_OUT, 0, 100);
}

static void read_part_block(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 0, 512);
}

static void read_odd_block(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_IN, 1, v->dev.config.blk_size);
}

static void read_no_room(struct victim *v)
{
	good_read(v);
	v->desc[0].next = 2;
}

static void read_readable(struct victim *v)
{
	good_read(v);
	v->desc[1].flags = VRING_DESC_F_NEXT;
}

static void write_writable(struct victim *v)
{
	good_write(v);
	v->desc[1].flags |= VRING_DESC_F_WRITE;
}

static void write_read_only(struct victim *v)
{
	good_write(v);
}

/* Cases: bad types */

static void type_unknown(struct victim *v)
{
	victim_direct(v, 0x7777, 0, VICTIM_DATA);
}

static void type_max(struct victim *v)
{
	victim_direct(v, UINT32_MAX, 0, VICTIM_DATA);
}

static void type_scsi(struct victim *v)
{
	victim_direct(v, 2, 0, VICTIM_DATA);
}

/* The obsolete barrier bit in the type of a write. */
static void type_barrier(struct victim *v)
{
	good_write(v);
	v->header->type |= 0x80000000u;
}

static void id_short(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_GET_ID, 0, 8);
}

static void id_long(struct victim *v)
{
	victim_direct(v, VIRTIO_BLK_T_GET_ID, 0, 64);
}

static const char *untouched(const struct victim *v, unsigned int from)
{
	for (unsigned int i = from; i < VICTIM_DATA; i++)
		if (v->data[i] != 0xee)
			return "bytes behind the serial were written";
	return NULL;
}

static const char *id_short_check(const struct victim *v)
{
	return untouched(v, 8);
}

static const char *id_long_check(const struct victim *v)
{
	return untouched(v, VIRTIO_BLK_ID_BYTES);
}

/* Cases: unusual but legal values in the ring. The request must succeed. */

static void flags_garbage(struct victim *v)
{
	good_read(v);
	v->ring[0].split.avail->flags = 0xfffe;
	v->ring[0].split.avail->ring[VICTIM_NUM] = 0xbeef;
}

/* An event place outside of the ring, and reserved event flags. */
static void event_garbage(struct victim *v)
{
	good_read(v);
	v->ring[0].packed.driver->flags = 0xfffe;
	v->ring[0].packed.driver->off_wrap = 0xbeef;
}

static void event_far(struct victim *v)
{
	good_read(v);
	v->ring[0].packed.driver->flags = VRING_PACKED_EVENT_FLAG_DESC;
	v->ring[0].packed.driver->off_wrap = 0x7fff;
}

static void desc_flags_garbage(struct victim *v)
{
	good_read(v);
	for (unsigned int i = 0; i < 3; i++)
		v->desc[i].flags |= 0xff00;
	v->desc[2].next = 0xffff;
}

#define IOERR(n, fn)	{ n, EXPECT_IOERR, 0, fn, NULL }
#define IOERR_WR(n, fn)	{ n, EXPECT_IOERR, HOSTILE_WRITABLE, fn, NULL }
#define IOERR_BIG(n, fn) { n, EXPECT_IOERR, HOSTILE_BIG_BLOCKS, fn, NULL }
#define UNSUPP(n, fn)	{ n, EXPECT_UNSUPP, 0, fn, NULL }

static const struct hostile_case cases[] = {
	IOERR("read-outside", read_nowhere),
	IOERR_WR("write-outside", write_nowhere),
	IOERR("read-at-zero", read_at_zero),
	IOERR("read-into-hole", read_into_hole),
	IOERR("read-over-end", read_over_end),
	IOERR_WR("write-over-end", write_over_end),
	IOERR("read-wraps", read_wraps),
	IOERR("read-ends-at-wrap", read_ends_at_wrap),
	IOERR("read-huge", read_huge),
	IOERR("sector-at-capacity", read_at_capacity),
	IOERR("sector-over-capacity", read_over_capacity),
	IOERR_WR("sector-over-capacity-write", write_over_capacity),
	IOERR("sector-max", sector_max),
	IOERR("sector-shifts-out", sector_shifts_out),
	IOERR("sector-sum-wraps", sector_sum_wraps),
	IOERR("length-511", read_short_sector),
	IOERR("length-513", read_long_sector),
	IOERR_WR("length-100-write", write_part_sector),
	IOERR_BIG("length-part-of-block", read_part_block),
	IOERR_BIG("sector-inside-block", read_odd_block),
	{ "write-read-only", EXPECT_IOERR, HOSTILE_READ_ONLY,
	  write_read_only, NULL },
	{ "read-without-room", EXPECT_OK_OR_IOERR, 0, read_no_room, NULL },
	{ "read-data-readable", EXPECT_OK_OR_IOERR, 0, read_readable, NULL },
	{ "write-data-writable", EXPECT_OK_OR_IOERR, HOSTILE_WRITABLE,
	  write_writable, NULL },
	UNSUPP("type-unknown", type_unknown),
	UNSUPP("type-max", type_max),
	UNSUPP("type-scsi", type_scsi),
	{ "type-barrier", EXPECT_UNSUPP, HOSTILE_WRITABLE, type_barrier,
	  NULL },
	{ "id-short", EXPECT_OK, 0, id_short, id_short_check },
	{ "id-long", EXPECT_OK, 0, id_long, id_long_check },
	{ "avail-flags-garbage", EXPECT_OK, HOSTILE_SPLIT, flags_garbage,
	  NULL },
	{ "event-garbage", EXPECT_OK, HOSTILE_PACKED, event_garbage, NULL },
	{ "event-out-of-range", EXPECT_OK, HOSTILE_PACKED, event_far, NULL },
	{ "desc-flags-garbage", EXPECT_OK, 0, desc_flags_garbage, NULL },
};

struct hostile_set hostile_req_cases(void)
{
	return (struct hostile_set){ cases, ARRAY_SIZE(cases) };
}
