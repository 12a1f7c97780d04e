// SPDX-License-Identifier: GPL-2.0
/* backend_blk.c: how requests end, on a fake disk that records them. */
#include <linux/ktime.h>
#include <linux/sched.h>

#include "blk.h"
#include "compat_blk.h"

static u32 used_len(void)
{
	return le32toh(r.used->ring[(le16toh(r.used->idx) - 1) % NUM].len);
}

/* --- tests of one request each --- */

static const struct row {
	const char *name;
	u32 type;
	u64 sector;
	u32 n, nout;
	struct bell_seg seg[MAX_SEGS];
	/* status, for a request that the disk does not get */
	u8 status;
	bool submit, unaligned;
	u32 bytes, nvecs;
	bool read_only;
	u32 len;		/* length in the used ring, if not submitted */
} rows[] = {
	{ "read", VIRTIO_BLK_T_IN, 8, 3, 1, { H, { DATA, 512 }, S },
	  .submit = true, .bytes = 512, .nvecs = 1 },
	{ "write", VIRTIO_BLK_T_OUT, 8, 3, 2, { H, { DATA, 512 }, S },
	  .submit = true, .bytes = 512, .nvecs = 1 },
	{ "flush", VIRTIO_BLK_T_FLUSH, 0, 2, 1, { H, S }, .submit = true },
	{ "the last sector", VIRTIO_BLK_T_IN, CAPACITY - 1, 3, 1,
	  { H, { DATA, 512 }, S }, .submit = true, .bytes = 512, .nvecs = 1 },
	{ "header in 16 pieces", VIRTIO_BLK_T_IN, 1, 18, 16,
	  { { HDR, 1 }, { HDR + 1, 1 }, { HDR + 2, 1 }, { HDR + 3, 1 },
	    { HDR + 4, 1 }, { HDR + 5, 1 }, { HDR + 6, 1 }, { HDR + 7, 1 },
	    { HDR + 8, 1 }, { HDR + 9, 1 }, { HDR + 10, 1 }, { HDR + 11, 1 },
	    { HDR + 12, 1 }, { HDR + 13, 1 }, { HDR + 14, 1 }, { HDR + 15, 1 },
	    { DATA, 512 }, S }, .submit = true, .bytes = 512, .nvecs = 1 },
	{ "header and data in one piece", VIRTIO_BLK_T_OUT, 0, 2, 1,
	  { { HDR, 16 + 512 }, S }, .submit = true, .unaligned = true,
	  .bytes = 512, .nvecs = 1 },
	{ "data and status in one piece", VIRTIO_BLK_T_IN, 0, 2, 1,
	  { H, { STATUS - 512, 513 } }, .submit = true, .bytes = 512,
	  .nvecs = 1 },
	{ "data that goes on in front of the status", VIRTIO_BLK_T_IN, 0, 3, 1,
	  { H, { DATA, 300 }, { STATUS - 212, 213 } }, .submit = true,
	  .unaligned = true, .bytes = 512, .nvecs = 2 },
	{ "data over two pages side by side", VIRTIO_BLK_T_IN, 0, 3, 1,
	  { H, { DATA + 2048, 4096 }, S }, .submit = true, .bytes = 4096,
	  .nvecs = 1 },
	{ "pieces that join", VIRTIO_BLK_T_IN, 0, 4, 1,
	  { H, { DATA, 256 }, { DATA + 256, 256 }, S }, .submit = true,
	  .bytes = 512, .nvecs = 1 },
	{ "pieces that do not join", VIRTIO_BLK_T_IN, 0, 4, 1,
	  { H, { DATA + 512, 512 }, { DATA, 512 }, S }, .submit = true,
	  .bytes = 1024, .nvecs = 2 },
	{ "data not aligned in memory", VIRTIO_BLK_T_IN, 0, 3, 1,
	  { H, { DATA + 16, 512 }, S }, .submit = true, .unaligned = true,
	  .bytes = 512, .nvecs = 1 },
	{ "pieces of no whole sectors", VIRTIO_BLK_T_OUT, 0, 4, 3,
	  { H, { DATA, 100 }, { DATA + 512, 412 }, S }, .submit = true,
	  .unaligned = true, .bytes = 512, .nvecs = 2 },
	{ "more vectors than are at hand", VIRTIO_BLK_T_IN, 0, 22, 1,
	  { H, { DATA, 512 }, { DATA + 1024, 512 }, { DATA + 2048, 512 },
	    { DATA + 3072, 512 }, { DATA + 4096, 512 }, { DATA + 5120, 512 },
	    { DATA + 6144, 512 }, { DATA + 7168, 512 }, { DATA + 8192, 512 },
	    { DATA + 9216, 512 }, { DATA + 10240, 512 }, { DATA + 11264, 512 },
	    { DATA + 12288, 512 }, { DATA + 13312, 512 }, { DATA + 14336, 512 },
	    { DATA + 15360, 512 }, { DATA + 16384, 512 }, { DATA + 17408, 512 },
	    { DATA + 18432, 512 }, { DATA + 19456, 512 }, S },
	  .submit = true, .bytes = 10240, .nvecs = 20 },
	{ "read past the end", VIRTIO_BLK_T_IN, CAPACITY, 3, 1,
	  { H, { DATA, 512 }, S }, VIRTIO_BLK_S_IOERR },
	{ "read over the end", VIRTIO_BLK_T_IN, CAPACITY - 1, 3, 1,
	  { H, { DATA, 1024 }, S }, VIRTIO_BLK_S_IOERR },
	{ "sector at the end of all numbers", VIRTIO_BLK_T_OUT, ~0ULL, 3, 2,
	  { H, { DATA, 512 }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "sector that overflows in bytes", VIRTIO_BLK_T_OUT, 1ULL << 55, 3, 2,
	  { H, { DATA, 512 }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "more than a request may have", VIRTIO_BLK_T_OUT, 0, 3, 2,
	  { H, { DATA, ~0U }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "no data to read", VIRTIO_BLK_T_IN, 0, 2, 1, { H, S },
	  VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "no data to write", VIRTIO_BLK_T_OUT, 0, 2, 1, { H, S },
	  VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "no whole sectors", VIRTIO_BLK_T_OUT, 0, 3, 2,
	  { H, { DATA, 511 }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "data outside of memory", VIRTIO_BLK_T_OUT, 0, 3, 2,
	  { H, { RING_END, 512 }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "data that leaves memory", VIRTIO_BLK_T_OUT, 0, 3, 2,
	  { H, { RING_END - 256, 512 }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "data that wraps", VIRTIO_BLK_T_OUT, 0, 3, 2,
	  { H, { -256ULL, 512 }, S }, VIRTIO_BLK_S_IOERR, .len = 1 },
	{ "write to a read-only disk", VIRTIO_BLK_T_OUT, 0, 3, 2,
	  { H, { DATA, 512 }, S }, VIRTIO_BLK_S_IOERR, .read_only = true,
	  .len = 1 },
	{ "read from a read-only disk", VIRTIO_BLK_T_IN, 0, 3, 1,
	  { H, { DATA, 512 }, S }, .read_only = true, .submit = true,
	  .bytes = 512, .nvecs = 1 },
	{ "unknown type", 99, 0, 3, 1, { H, { DATA, 512 }, S },
	  VIRTIO_BLK_S_UNSUPP },
	{ "discard, which was not offered", VIRTIO_BLK_T_DISCARD, 0, 3, 2,
	  { H, { DATA, 16 }, S }, VIRTIO_BLK_S_UNSUPP, .len = 1 },
	{ "identity", VIRTIO_BLK_T_GET_ID, 0, 3, 1, { H, { DATA, 20 }, S },
	  VIRTIO_BLK_S_OK, .len = 21 },
	{ "identity, cut short", VIRTIO_BLK_T_GET_ID, 0, 3, 1,
	  { H, { DATA, 7 }, S }, VIRTIO_BLK_S_OK, .len = 8 },
	{ "identity in pieces", VIRTIO_BLK_T_GET_ID, 0, 4, 1,
	  { H, { DATA, 7 }, { DATA + 7, 13 }, S }, VIRTIO_BLK_S_OK,
	  .len = 21 },
	{ "identity with room left", VIRTIO_BLK_T_GET_ID, 0, 3, 1,
	  { H, { DATA, 512 }, S }, VIRTIO_BLK_S_OK, .len = 20 },
	{ "identity to nowhere", VIRTIO_BLK_T_GET_ID, 0, 3, 1,
	  { H, { RING_END, 20 }, S }, VIRTIO_BLK_S_IOERR },
};

static void check_submitted(const struct row *row)
{
	u32 bytes = 0;

	CHECK_EQ(submits, 1);
	CHECK_EQ(submitted_nowait, false);
	CHECK_EQ(submitted->bytes, row->bytes);
	if (row->nvecs) {
		CHECK_EQ(submitted->sector, row->sector);
		CHECK_EQ(submitted->nvecs, row->nvecs);
		CHECK_EQ(submitted->aligned, !row->unaligned);
	}
	for (u32 i = 0; i < row->nvecs && !tap_bad; i++)
		bytes += submitted->vecs[i].bv_len;
	CHECK_EQ(bytes, row->bytes);
	CHECK_EQ(le16toh(r.used->idx), 0);
	CHECK_EQ(status(), 0xee);
	bell_disk_done(submitted, 0);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(used_len(), row->type == VIRTIO_BLK_T_IN ? row->bytes + 1 : 1);
}

static void check_row(const struct row *row)
{
	begin();
	if (row->read_only) {
		end();
		cfg.flags = VHOST_DOORBELL_BLK_F_READ_ONLY;
		begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH));
	}
	put_header(row->type, row->sector);
	put_chain(row->seg, row->n, row->nout);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(!r.vq.broken);
	if (row->submit) {
		check_submitted(row);
	} else {
		CHECK_EQ(submits, 0);
		CHECK_EQ(status(), row->status);
		CHECK_EQ(used_len(), row->len);
	}
	CHECK_EQ(le16toh(r.used->idx), 1);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(r.vq.stats.errors, !row->submit &&
		 row->status != VIRTIO_BLK_S_OK);
	if (row->type == VIRTIO_BLK_T_GET_ID && row->status == VIRTIO_BLK_S_OK)
		CHECK(!memcmp(ring_at(DATA), "12345678901234567890",
			      min(row->seg[1].len, 20U)));
	end();
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[100];

		tap_begin();
		check_row(&rows[i]);
		snprintf(name, sizeof(name), "blk: %s", rows[i].name);
		tap_end(name);
	}
}

/* --- ranges: discard and write zeroes --- */

#define BOTH	(BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_DISCARD) | \
		 BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES))
#define UNMAP	VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP

static const struct range_row {
	const char *name;
	u32 type;
	u32 n, bytes;		/* number of ranges, and bytes of the chain that hold ranges */
	struct {
		u64 sector;
		u32 num, flags;
	} range[2];
	u8 status;
	bool submit, read_only, no_feature;
} range_rows[] = {
	{ "discard", VIRTIO_BLK_T_DISCARD, 1, 16, { { 8, 16, 0 } },
	  .submit = true },
	{ "discard two ranges", VIRTIO_BLK_T_DISCARD, 2, 32,
	  { { 8, 16, 0 }, { 0, 1, 0 } }, .submit = true },
	{ "discard all there is", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { 0, CAPACITY, 0 } }, .submit = true },
	{ "zeroes", VIRTIO_BLK_T_WRITE_ZEROES, 1, 16, { { 1, 2, 0 } },
	  .submit = true },
	{ "zeroes that may be unmapped", VIRTIO_BLK_T_WRITE_ZEROES, 1, 16,
	  { { 1, 2, UNMAP } }, .submit = true },
	{ "discard with the flag of zeroes", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { 8, 16, UNMAP } }, VIRTIO_BLK_S_UNSUPP },
	{ "zeroes with an unknown flag", VIRTIO_BLK_T_WRITE_ZEROES, 1, 16,
	  { { 8, 16, 2 } }, VIRTIO_BLK_S_UNSUPP },
	{ "discard past the end", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { CAPACITY, 1, 0 } }, VIRTIO_BLK_S_IOERR },
	{ "discard over the end", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { CAPACITY - 1, 2, 0 } }, VIRTIO_BLK_S_IOERR },
	{ "a second range over the end", VIRTIO_BLK_T_DISCARD, 2, 32,
	  { { 0, 1, 0 }, { CAPACITY - 1, 2, 0 } }, VIRTIO_BLK_S_IOERR },
	{ "discard of nothing", VIRTIO_BLK_T_DISCARD, 1, 16, { { 0, 0, 0 } },
	  VIRTIO_BLK_S_IOERR },
	{ "discard at the end of all numbers", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { ~0ULL, ~0U, 0 } }, VIRTIO_BLK_S_IOERR },
	{ "zeroes of more than one range may have", VIRTIO_BLK_T_WRITE_ZEROES,
	  1, 16, { { 0, MAX_ZERO + 1, 0 } }, VIRTIO_BLK_S_IOERR },
	{ "discard without a range", VIRTIO_BLK_T_DISCARD, 0, 0, {},
	  VIRTIO_BLK_S_IOERR },
	{ "part of a range", VIRTIO_BLK_T_DISCARD, 1, 15, { { 0, 1, 0 } },
	  VIRTIO_BLK_S_IOERR },
	{ "too many ranges", VIRTIO_BLK_T_DISCARD, 1, 17 * 16, { { 0, 1, 0 } },
	  VIRTIO_BLK_S_IOERR },
	{ "discard on a read-only disk", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { 0, 1, 0 } }, VIRTIO_BLK_S_IOERR, .read_only = true },
	{ "discard that was not agreed on", VIRTIO_BLK_T_DISCARD, 1, 16,
	  { { 0, 1, 0 } }, VIRTIO_BLK_S_UNSUPP, .no_feature = true },
	{ "secure erase that was not agreed on", VIRTIO_BLK_T_SECURE_ERASE, 1,
	  16, { { 0, 1, 0 } }, VIRTIO_BLK_S_UNSUPP, .no_feature = true },
	{ "lifetime that was not agreed on", VIRTIO_BLK_T_GET_LIFETIME, 1,
	  16, { { 0, 1, 0 } }, VIRTIO_BLK_S_UNSUPP, .no_feature = true },
	{ "zone append that was not agreed on", VIRTIO_BLK_T_ZONE_APPEND, 1,
	  16, { { 0, 1, 0 } }, VIRTIO_BLK_S_UNSUPP, .no_feature = true },
	{ "zeroes that were not agreed on", VIRTIO_BLK_T_WRITE_ZEROES, 1, 16,
	  { { 0, 1, 0 } }, VIRTIO_BLK_S_UNSUPP, .no_feature = true },
};

static void put_ranges(const struct range_row *row)
{
	struct bell_seg seg[] = { H, { DATA, row->bytes }, S };

	for (u32 i = 0; i < row->n; i++) {
		struct virtio_blk_discard_write_zeroes z = {
			.sector = htole64(row->range[i].sector),
			.num_sectors = htole32(row->range[i].num),
			.flags = htole32(row->range[i].flags),
		};

		memcpy(ring_at(DATA + i * sizeof(z)), &z, sizeof(z));
	}
	put_header(row->type, 0);
	if (row->bytes) {
		put_chain(seg, 3, 2);
		return;
	}
	seg[1] = seg[2];
	put_chain(seg, 2, 1);
}

static void check_ranges(const struct range_row *row)
{
	CHECK_EQ(submits, 1);
	CHECK_EQ(submitted->op, row->type == VIRTIO_BLK_T_DISCARD ?
		 BELL_DISK_DISCARD : BELL_DISK_ZERO);
	CHECK_EQ(submitted->nvecs, row->n);
	for (u32 i = 0; i < row->n && !tap_bad; i++) {
		CHECK_EQ(submitted->range[i].sector, row->range[i].sector);
		CHECK_EQ(submitted->range[i].nsectors, row->range[i].num);
		CHECK_EQ(submitted->range[i].unmap,
			 row->range[i].flags == UNMAP);
	}
	bell_disk_done(submitted, 0);
}

static void check_range_row(const struct range_row *row)
{
	begin();
	end();
	cfg.flags = VHOST_DOORBELL_BLK_F_DISCARD |
		    VHOST_DOORBELL_BLK_F_WRITE_ZEROES |
		    (row->read_only ? VHOST_DOORBELL_BLK_F_READ_ONLY : 0);
	begin_with(row->no_feature ? BIT_ULL(VIRTIO_BLK_F_FLUSH) : BOTH);
	CHECK_EQ(be->features & BOTH, row->read_only ?
		 BIT_ULL(VIRTIO_BLK_F_FLUSH) : BOTH);
	put_ranges(row);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	if (row->submit)
		check_ranges(row);
	else
		CHECK_EQ(submits, 0);
	CHECK_EQ(status(), row->status);
	CHECK_EQ(le16toh(r.used->idx), 1);
	CHECK_EQ(used_len(), 1);
	CHECK(!r.vq.broken);
	end();
}

static void test_ranges(void)
{
	for (size_t i = 0; i < sizeof(range_rows) / sizeof(*range_rows); i++) {
		char name[100];

		tap_begin();
		check_range_row(&range_rows[i]);
		snprintf(name, sizeof(name), "blk: %s", range_rows[i].name);
		tap_end(name);
	}
}

/* As many ranges as one request may have, and one more, all of them valid */
static void test_most_ranges(void)
{
	for (u32 n = BELL_DISK_MAX_RANGES; n <= BELL_DISK_MAX_RANGES + 1; n++) {
		struct virtio_blk_discard_write_zeroes z = {
			.num_sectors = htole32(8),
		};
		struct bell_seg seg[] = { H, { DATA, n * sizeof(z) }, S };

		begin();
		end();
		cfg.flags = VHOST_DOORBELL_BLK_F_DISCARD;
		begin_with(BOTH);
		for (u32 i = 0; i < n; i++) {
			z.sector = htole64(i * 8);
			memcpy(ring_at(DATA + i * sizeof(z)), &z, sizeof(z));
		}
		put_header(VIRTIO_BLK_T_DISCARD, 0);
		put_chain(seg, 3, 2);
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		CHECK_EQ(submits, n == BELL_DISK_MAX_RANGES);
		if (submits) {
			CHECK_EQ(submitted->nvecs, n);
			bell_disk_done(submitted, 0);
		}
		CHECK_EQ(status(), n == BELL_DISK_MAX_RANGES ?
			 VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
		end();
	}
}

/*
 * --- requests whose header or status is outside of memory: the queue breaks
 * ---
 */

static const struct bad {
	const char *name;
	u32 n, nout;
	struct bell_seg seg[3];
} bads[] = {
	{ "header of 15 bytes", 2, 1, { { HDR, 15 }, S } },
	{ "no header", 1, 0, { S } },
	{ "no status", 1, 1, { H } },
	{ "header outside of memory", 2, 1, { { RING_END, 16 }, S } },
	{ "header that leaves memory", 2, 1, { { RING_END - 8, 16 }, S } },
	{ "header that wraps", 2, 1, { { -8ULL, 16 }, S } },
	{ "status outside of memory", 2, 1, { H, { RING_END, 1 } } },
	{ "status that wraps", 3, 1, { H, { DATA, 512 }, { -1ULL, 2 } } },
};

static void test_bads(void)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
		char name[100];

		tap_begin();
		begin();
		put_header(VIRTIO_BLK_T_IN, 0);
		put_chain(bads[i].seg, bads[i].n, bads[i].nout);
		CHECK_EQ(pass(true), BELL_PASS_STOP);
		CHECK(r.vq.broken);
		CHECK_EQ(world_signals(r.err), 1);
		CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
		CHECK_EQ(le16toh(r.used->idx), 0);
		CHECK_EQ(submits, 0);
		end();
		snprintf(name, sizeof(name), "blk broken: %s", bads[i].name);
		tap_end(name);
	}
}

/* --- inline pass or worker; pages and memory that are missing --- */

static void test_inline_not_pinned(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(r.vq.stats.punts, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	/*
	 * Now the page is pinned, so the ringing thread can submit the request.
	 */
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(submits, 2);
	CHECK(submitted_nowait);
	bell_disk_retry(submitted);
	CHECK(retried == submitted);
	be->ops->exec.retry(&exec, &retried->retry);
	CHECK(!submitted_nowait);
	bell_disk_done(submitted, -EIO);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(used_len(), 0);
	end();
}

static void test_disk_would_block(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	submit_ret = -EAGAIN;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	submit_ret = 0;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, -EOPNOTSUPP);
	CHECK_EQ(status(), VIRTIO_BLK_S_UNSUPP);
	end();
}

static void test_owner_gone(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	world_exit_mm();
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	bell_disk_done(submitted, 0);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	end();
}

static void test_vectors_no_memory(void)
{
	struct bell_seg seg[22] = { H };

	for (u32 i = 0; i < 20; i++)
		seg[i + 1] = (struct bell_seg){ DATA + i * 1024, 512 };
	seg[21] = (struct bell_seg)S;
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(seg, 22, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	ring_add(&r, 0);
	world.fail_alloc = 1;
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	/* The worker tries again for a limited time, then the request fails. */
	world.fail_alloc = 1;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	/* The next request has as much time. */
	for (u32 n = 0; n < 2; n++) {
		*(u8 *)ring_at(STATUS) = 0xee;
		ring_add(&r, 0);
		for (u32 i = 0; i < 10 * HZ; i++) {
			world.fail_alloc = 1;
			CHECK_EQ(pass(true), BELL_PASS_PUNT);
		}
		world.fail_alloc = 1;
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(r.vq.failures.last.cause, BELL_CAUSE_NOMEM);
		CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	}
	end();
}

/* The guest's memory is remapped while the disk still uses the old pages. */
static void complete_submitted(void)
{
	CHECK(world_page_pins(DATA >> PAGE_SHIFT) > 0);
	bell_disk_done(submitted, 0);
}

static void test_keeps_pages(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	world_punch(DATA >> PAGE_SHIFT, 1);
	world_punch(STATUS >> PAGE_SHIFT, 1);
	world.on_wait = complete_submitted;
	world_run_work();
	CHECK_EQ(world_page_pins(DATA >> PAGE_SHIFT), 0);
	CHECK_EQ(world_page_pins(STATUS >> PAGE_SHIFT), 0);
	CHECK_EQ(le16toh(r.used->idx), 1);
	end();
}

static unsigned int polls;

/* The disk completes a request while the runner polls, and the driver sends it again, twice. */
static bool poll_twice(void)
{
	if (++polls > 2)
		return false;
	bell_disk_done(submitted, 0);
	ring_add(&r, 0);
	return true;
}

static void test_poll(void)
{
	struct bell_run run = { .exec = &exec, .budget = 1 };

	begin();
	polls = 0;
	on_poll = poll_twice;
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(polls, 3);
	CHECK_EQ(submits, 3);
	bell_disk_done(submitted, 0);

	/* The budget is spent: the pass ends. */
	polls = 0;
	ring_add(&r, 0);
	CHECK_EQ(be->ops->exec.pass(&exec, &run), BELL_PASS_MORE);
	CHECK_EQ(polls, 0);
	bell_disk_done(submitted, 0);
	on_poll = NULL;
	end();
}

static void test_dead(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	exec.dead = true;
	CHECK_EQ(pass(true), BELL_PASS_STOP);
	CHECK_EQ(submits, 0);
	end();
}

/* --- histograms and failures --- */

static u64 counted(enum bell_kind kind)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < BELL_HIST_BUCKETS; i++)
		n += r.vq.hist[kind].bucket[i];
	return n;
}

static void serve(u32 type, u64 sector, const struct bell_seg *seg, u32 n,
		  u32 nout)
{
	put_header(type, sector);
	put_chain(seg, n, nout);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
}

static void test_latency(void)
{
	static const struct bell_seg flush[] = { H, S };

	tsc_khz = 1000000;
	bell_hist_init();
	static_branch_enable(&bell_hist_key);
	shim_cycles = 1000;
	begin();
	memset(r.vq.hist, 0, sizeof(r.vq.hist));
	CHECK_EQ(be->ops->oldest(be, &exec), 0);
	serve(VIRTIO_BLK_T_IN, 8, a_read, 3, 1);
	shim_cycles += 5000;
	CHECK_EQ(be->ops->oldest(be, &exec), 4999);
	bell_disk_done(submitted, 0);
	CHECK_EQ(be->ops->oldest(be, &exec), 0);
	CHECK_EQ(counted(BELL_KIND_READ), 1);
	CHECK_EQ(r.vq.hist[BELL_KIND_READ].bucket[bell_hist_index(4999)], 1);
	CHECK_EQ(r.vq.hist[BELL_KIND_READ].sum, 4999);
	CHECK_EQ(r.vq.hist[BELL_KIND_READ].max, 4999);
	serve(VIRTIO_BLK_T_FLUSH, 0, flush, 2, 1);
	shim_cycles += 100;
	bell_disk_done(submitted, 0);
	CHECK_EQ(counted(BELL_KIND_FLUSH), 1);
	serve(99, 0, a_read, 3, 1);
	CHECK_EQ(counted(BELL_KIND_OTHER), 1);
	CHECK_EQ(counted(BELL_KIND_READ), 1);
	CHECK_EQ(r.vq.stats.completed, 3);
	end();
}

/*
 * A request that was put back into the ring is neither in flight nor counted.
 */
static void test_latency_put_back(void)
{
	begin();
	memset(r.vq.hist, 0, sizeof(r.vq.hist));
	shim_cycles = 1000;
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	submit_ret = -EAGAIN;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	shim_cycles += 5000;
	CHECK_EQ(be->ops->oldest(be, &exec), 0);
	CHECK_EQ(counted(BELL_KIND_READ), 0);
	submit_ret = 0;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	CHECK_EQ(counted(BELL_KIND_READ), 1);
	end();
}

static void check_last(enum bell_kind kind, enum bell_cause cause, u64 sector,
		       int error)
{
	const struct bell_failures *f = &r.vq.failures;

	CHECK_EQ(f->count[kind][cause], 1);
	CHECK_EQ(f->last.kind, kind);
	CHECK_EQ(f->last.cause, cause);
	CHECK_EQ(f->last.sector, sector);
	CHECK_EQ(f->last.error, error);
	CHECK_EQ(f->last.status, status());
	CHECK_EQ(f->last.time, shim_now);
}

static void test_failures(void)
{
	static const struct bell_seg write[] = { H, { DATA, 512 }, S };
	static const struct bell_seg flush[] = { H, S };
	u64 sum = 0;
	u32 i, j;

	shim_now = 77;
	begin();
	memset(&r.vq.failures, 0, sizeof(r.vq.failures));
	serve(VIRTIO_BLK_T_IN, 8, a_read, 3, 1);
	bell_disk_done(submitted, -EIO);
	check_last(BELL_KIND_READ, BELL_CAUSE_IO, 8, -EIO);
	serve(VIRTIO_BLK_T_OUT, 16, write, 3, 2);
	bell_disk_done(submitted, -ENOSPC);
	check_last(BELL_KIND_WRITE, BELL_CAUSE_NOSPC, 16, -ENOSPC);
	serve(VIRTIO_BLK_T_FLUSH, 0, flush, 2, 1);
	bell_disk_done(submitted, -EIO);
	check_last(BELL_KIND_FLUSH, BELL_CAUSE_IO, BELL_NO_SECTOR, -EIO);
	serve(VIRTIO_BLK_T_IN, CAPACITY, a_read, 3, 1);
	check_last(BELL_KIND_READ, BELL_CAUSE_INVALID, CAPACITY, 0);
	serve(99, 0, a_read, 3, 1);
	check_last(BELL_KIND_OTHER, BELL_CAUSE_UNSUPP, BELL_NO_SECTOR, 0);
	serve(VIRTIO_BLK_T_OUT, 24, write, 3, 2);
	bell_disk_done(submitted, -EOPNOTSUPP);
	check_last(BELL_KIND_WRITE, BELL_CAUSE_UNSUPP, 24, -EOPNOTSUPP);
	/*
	 * The next request fails with an error of its own, not with the last
	 * one's.
	 */
	serve(VIRTIO_BLK_T_OUT, CAPACITY, write, 3, 2);
	check_last(BELL_KIND_WRITE, BELL_CAUSE_INVALID, CAPACITY, 0);
	for (i = 0; i < BELL_KINDS; i++) {
		for (j = 0; j < BELL_CAUSES; j++)
			sum += r.vq.failures.count[i][j];
	}
	CHECK_EQ(sum, 7);
	CHECK_EQ(r.vq.stats.errors, 7);
	end();
}

/* The ranges of a request lie where an earlier one had its page vectors. */
static void test_failure_tells_no_pointer(void)
{
	static const u32 types[] = {
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
		VIRTIO_BLK_T_SECURE_ERASE,
	};
	static const struct bell_seg outside[] = { H, { RING_END, 16 }, S };

	begin();
	end();
	cfg.flags = VHOST_DOORBELL_BLK_F_DISCARD |
		    VHOST_DOORBELL_BLK_F_WRITE_ZEROES |
		    VHOST_DOORBELL_BLK_F_SECURE_ERASE;
	begin_with(BOTH | BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE));
	for (u32 i = 0; i < sizeof(types) / sizeof(*types); i++) {
		serve(VIRTIO_BLK_T_IN, 8, a_read, 3, 1);
		bell_disk_done(submitted, 0);
		serve(types[i], 0, outside, 3, 2);
		CHECK(status() != VIRTIO_BLK_S_OK);
		CHECK_EQ(r.vq.failures.last.sector, BELL_NO_SECTOR);
		CHECK_EQ(r.vq.stats.errors, i + 1);
	}
	end();
}

static const struct tap_test tests[] = {
	{ "blk: inline, not pinned, then pinned, then it would block",
	  test_inline_not_pinned },
	{ "blk: a disk that would block", test_disk_would_block },
	{ "blk: the owner is gone", test_owner_gone },
	{ "blk: no memory for vectors", test_vectors_no_memory },
	{ "blk: pages in use by the disk are kept", test_keeps_pages },
	{ "blk: a pass that polls", test_poll },
	{ "blk: a dead queue takes nothing", test_dead },
	{ "blk: latencies by kind, and the oldest in flight", test_latency },
	{ "blk: what is put back has no latency", test_latency_put_back },
	{ "blk: what failed, and why", test_failures },
	{ "blk: a failed discard tells no pointer", test_failure_tells_no_pointer },
	{ "blk: the most ranges", test_most_ranges },
};

int main(void)
{
	test_rows();
	test_ranges();
	test_bads();
	TAP_RUN(tests);
	return tap_done();
}
