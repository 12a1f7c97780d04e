// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_zone.c: the error that a driver gets when it breaks a rule of
 * zones.
 */
#include "blk.h"
#include "compat_blk.h"

/* Sectors of a zone; the blocks have 4096 bytes */
#define ZONE	256U
#define Z1	(1 * ZONE)
#define Z2	(2 * ZONE)

static const struct row {
	const char *name;
	u32 type;
	u64 sector;
	u32 bytes;
	bool submit;		/* the disk gets the request, and fails it */
	u64 wp;			/* write pointer of each zone, relative to its start */
	u8 cond;
	u8 status;
} rows[] = {
	{ "a write within a zone, failed for another reason", VIRTIO_BLK_T_OUT,
	  Z1 + 8, 4096, true, 8, 2, VIRTIO_BLK_S_IOERR },
	{ "a write that was done and failed", VIRTIO_BLK_T_OUT,
	  Z1 + 8, 4096, true, 16, 2, VIRTIO_BLK_S_IOERR },
	{ "a write before the write pointer", VIRTIO_BLK_T_OUT,
	  Z1 + 8, 4096, true, 24, 2, VIRTIO_BLK_S_ZONE_UNALIGNED_WP },
	{ "a write behind it", VIRTIO_BLK_T_OUT,
	  Z1 + 8, 4096, true, 0, 1, VIRTIO_BLK_S_ZONE_UNALIGNED_WP },
	{ "a write beyond the capacity", VIRTIO_BLK_T_OUT,
	  Z1 + 192, 8192, true, 192, 2, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "a write that no block ends with", VIRTIO_BLK_T_OUT,
	  Z1 + 8, 512, false, 8, 2, VIRTIO_BLK_S_ZONE_UNALIGNED_WP },
	{ "a write that no sector ends with", VIRTIO_BLK_T_OUT,
	  Z1 + 8, 511, false, 8, 2, VIRTIO_BLK_S_ZONE_UNALIGNED_WP },
	{ "the same in a zone with no order", VIRTIO_BLK_T_OUT,
	  8, 512, false, 0, 0, VIRTIO_BLK_S_IOERR },
	{ "a write beyond the disk", VIRTIO_BLK_T_OUT,
	  CAPACITY, 512, false, 0, 2, VIRTIO_BLK_S_IOERR },
	{ "a read of part of a block", VIRTIO_BLK_T_IN,
	  Z1 + 8, 512, false, 0, 2, VIRTIO_BLK_S_IOERR },
	{ "a write over the end of a zone", VIRTIO_BLK_T_OUT,
	  Z2 - 8, 8192, false, 0, 2, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "a read over the end of a zone", VIRTIO_BLK_T_IN,
	  Z2 - 8, 8192, false, 0, 2, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "a read out of a zone with no order", VIRTIO_BLK_T_IN,
	  Z1 - 8, 8192, false, 0, 2, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "a read up to the end of a zone", VIRTIO_BLK_T_IN,
	  Z2 - 8, 4096, true, 0, 2, VIRTIO_BLK_S_IOERR },
	{ "an append that does not fit", VIRTIO_BLK_T_ZONE_APPEND,
	  Z1, 8192, true, 192, 2, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "an append to a full zone", VIRTIO_BLK_T_ZONE_APPEND,
	  Z1, 4096, true, ZONE, 14, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "an append that fits and fails", VIRTIO_BLK_T_ZONE_APPEND,
	  Z1, 4096, true, 192, 2, VIRTIO_BLK_S_IOERR },
	{ "an append of part of a block", VIRTIO_BLK_T_ZONE_APPEND,
	  Z1, 512, false, 0, 2, VIRTIO_BLK_S_ZONE_INVALID_CMD },
	{ "an append of nothing", VIRTIO_BLK_T_ZONE_APPEND,
	  Z1, 0, false, 0, 2, VIRTIO_BLK_S_IOERR },
	{ "an append to a zone with no order", VIRTIO_BLK_T_ZONE_APPEND,
	  0, 4096, true, 0, 0, VIRTIO_BLK_S_ZONE_INVALID_CMD },
};


static void begin_zoned(void)
{
	begin();
	end();
	cfg.flags = VHOST_DOORBELL_BLK_F_ZONED;
	cfg.blk_size = 4096;
	disk_zone_sectors = ZONE;
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_ZONED));
	queued = NULL;
}

static void put(const struct row *row)
{
	struct bell_seg seg[4] = { H };
	u32 n = 1, nout = 1;

	if (row->bytes) {
		seg[n++] = (struct bell_seg){ DATA, row->bytes };
		nout += row->type != VIRTIO_BLK_T_IN;
	}
	if (row->type == VIRTIO_BLK_T_ZONE_APPEND)
		seg[n++] = (struct bell_seg){ DATA + SZ_1M, 8 };
	seg[n++] = (struct bell_seg)S;
	put_header(row->type, row->sector);
	put_chain(seg, n, nout);
}

static void check_row(const struct row *row)
{
	enum bell_pass how;

	begin_zoned();
	put(row);
	disk_zone = (struct blk_zone){
		.wp = row->sector / ZONE * ZONE + row->wp, .cond = row->cond,
	};
	disk_zone.capacity = 200;
	how = pass(false);
	if (how != BELL_PASS_DONE)
		CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submits, row->submit);
	if (submitted)
		bell_disk_done(submitted, -EIO);
	if (queued)
		queued_func(queued);
	CHECK_EQ(status(), row->status);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	end();
	disk_zone_sectors = 0;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[100];

		tap_begin();
		check_row(&rows[i]);
		snprintf(name, sizeof(name), "blk zone: %s", rows[i].name);
		tap_end(name);
	}
}

/*
 * To know whether the next zone is sequential the module must ask the disk,
 * which may sleep.
 */
static void test_crossing(void)
{
	static const struct row row = {
		.type = VIRTIO_BLK_T_IN, .sector = Z2 - 8, .bytes = 8192,
	};

	begin_zoned();
	put(&row);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	report_ret = -EIO;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(submits, 0);
	report_ret = 0;
	end();
	disk_zone_sectors = 0;
}

static void put_report(void)
{
	static const struct bell_seg seg[] = { H, { DATA, 4096 }, S };

	put_header(VIRTIO_BLK_T_ZONE_REPORT, 0);
	put_chain(seg, 3, 1);
}

static void test_report(void)
{
	struct virtio_blk_zone_report *report = ring_at(DATA);

	begin_zoned();
	put_report();
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	/* As many as the buffer holds: the disk knows where to stop. */
	CHECK_EQ(le64toh(report->nr_zones), (4096 - sizeof(*report)) / 64);
	CHECK_EQ(le64toh(report->zones[1].z_start), ZONE);
	end();
	disk_zone_sectors = 0;
}

/* The driver gets an error once: -EAGAIN would have the request taken for ever. */
static void test_report_fails(void)
{
	static const int errors[] = { -EIO, -EAGAIN, -ENOMEM };

	for (int i = 0; i < 3; i++) {
		struct virtio_blk_zone_report *report = ring_at(DATA);

		begin_zoned();
		report->nr_zones = 77;
		put_report();
		report_ret = errors[i];
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(le64toh(report->nr_zones), 77);
		report_ret = 0;
		end();
		disk_zone_sectors = 0;
	}
}

static const struct tap_test tests[] = {
	{ "blk zone: report", test_report },
	{ "blk zone: the disk cannot report", test_report_fails },
	{ "blk zone: in which context it is looked at", test_crossing },
};

int main(void)
{
	test_rows();
	TAP_RUN(tests);
	return tap_done();
}
