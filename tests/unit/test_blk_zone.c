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
	cfg = (struct vhost_doorbell_blk){
		.fd = DISK_FD, .num_queues = 1, .blk_size = 4096,
		.flags = VHOST_DOORBELL_BLK_F_ZONED,
	};
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

static void put_report(u64 sector, u32 len)
{
	const struct bell_seg seg[] = { H, { DATA, len }, S };

	put_header(VIRTIO_BLK_T_ZONE_REPORT, sector);
	put_chain(seg, 3, 1);
}

static void test_report(void)
{
	struct virtio_blk_zone_report *report = ring_at(DATA);

	begin_zoned();
	put_report(0, 4096);
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
		put_report(0, 4096);
		report_ret = errors[i];
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(le64toh(report->nr_zones), 77);
		report_ret = 0;
		end();
		disk_zone_sectors = 0;
	}
}

static void test_report_refused(void)
{
	struct virtio_blk_zone_report *report = ring_at(DATA);
	const u32 one = sizeof(*report) + sizeof(report->zones[0]);

	begin_zoned();
	put_report(0, one - 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_ZONE_INVALID_CMD);
	put_report(CAPACITY, 4096);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_ZONE_INVALID_CMD);
	put_report(CAPACITY - 1, one);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(le64toh(report->nr_zones), 1);
	end();
	disk_zone_sectors = 0;
}

/* --- management --- */

static void test_manage(void)
{
	static const struct {
		u32 type;
		u64 sector;
		bool refused;
		enum req_op op;
		u64 first, nsectors;
	} cases[] = {
		{ VIRTIO_BLK_T_ZONE_OPEN, Z1, false, REQ_OP_ZONE_OPEN, Z1, ZONE },
		{ VIRTIO_BLK_T_ZONE_CLOSE, Z2, false, REQ_OP_ZONE_CLOSE, Z2, ZONE },
		{ VIRTIO_BLK_T_ZONE_FINISH, Z1, false, REQ_OP_ZONE_FINISH, Z1, ZONE },
		{ VIRTIO_BLK_T_ZONE_RESET, CAPACITY - ZONE, false, REQ_OP_ZONE_RESET,
		  CAPACITY - ZONE, ZONE },
		{ VIRTIO_BLK_T_ZONE_RESET_ALL, Z1 + 8, false, REQ_OP_ZONE_RESET, 0,
		  CAPACITY },
		{ VIRTIO_BLK_T_ZONE_RESET, Z1 + 8, true },
		{ VIRTIO_BLK_T_ZONE_RESET, CAPACITY, true },
	};
	static const struct bell_seg seg[] = { H, S };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin_zoned();
		put_header(cases[i].type, cases[i].sector);
		put_chain(seg, 2, 1);
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		CHECK_EQ(submits, !cases[i].refused);
		if (submitted) {
			CHECK_EQ(submitted->op, BELL_DISK_ZONE);
			CHECK_EQ(submitted->zone_op, cases[i].op);
			CHECK_EQ(submitted->sector, cases[i].first);
			CHECK_EQ(submitted->zone_nsectors, cases[i].nsectors);
			bell_disk_done(submitted, 0);
		}
		CHECK_EQ(status(), cases[i].refused ? VIRTIO_BLK_S_ZONE_INVALID_CMD :
						      VIRTIO_BLK_S_OK);
		end();
		disk_zone_sectors = 0;
	}
}

/* --- append --- */

/* The page for the resulting sector is not pinned: the worker pins it. */
static void test_append_not_pinned(void)
{
	static const struct row read = {
		.type = VIRTIO_BLK_T_IN, .sector = Z1, .bytes = 4096,
	};
	static const struct row append = {
		.type = VIRTIO_BLK_T_ZONE_APPEND, .sector = Z1, .bytes = 4096,
	};
	const __le64 *result = ring_at(DATA + SZ_1M);

	begin_zoned();
	/* This pins the other pages. */
	put(&read);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	put(&append);
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(submits, 1);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(status(), 0xee);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submits, 2);
	CHECK_EQ(submitted->op, BELL_DISK_APPEND);
	submitted->sector = Z1 + 16;
	bell_disk_done(submitted, 0);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(le64toh(*result), Z1 + 16);
	end();
	disk_zone_sectors = 0;
}

/* --- slices --- */

/* A large read ends with a block that is smaller than the write granularity. */
static void test_slices(void)
{
	static const struct row read = {
		.type = VIRTIO_BLK_T_IN, .sector = Z1, .bytes = 8192 + 512,
	};

	begin_zoned();
	end();
	cfg.blk_size = 512;
	cfg.seg_max = 1;
	cfg.size_max = 8192;
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_ZONED));
	put(&read);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submitted->bytes, 8192);
	bell_disk_done(submitted, 0);
	be->ops->exec.retry(&exec, &retried->retry);
	CHECK_EQ(submits, 2);
	CHECK_EQ(submitted->bytes, 512);
	CHECK_EQ(submitted->sector, Z1 + 16);
	bell_disk_done(submitted, 0);
	be->ops->exec.retry(&exec, &retried->retry);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	end();
	disk_zone_sectors = 0;
}

/* --- errors that do not depend on the zone --- */

/* A read or flush fails in a zone that went offline: that is an I/O error all the same. */
static void test_no_zone(void)
{
	static const struct row read = {
		.type = VIRTIO_BLK_T_IN, .sector = Z1, .bytes = 4096,
	};
	static const struct bell_seg flush[] = { H, S };

	for (int i = 0; i < 2; i++) {
		begin_zoned();
		disk_zone.cond = BLK_ZONE_COND_OFFLINE;
		if (i) {
			put_header(VIRTIO_BLK_T_FLUSH, 0);
			put_chain(flush, 2, 1);
		} else {
			put(&read);
		}
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		bell_disk_done(submitted, -EIO);
		CHECK(!queued);
		CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
		end();
		disk_zone_sectors = 0;
	}
}

static const struct tap_test tests[] = {
	{ "blk zone: a report that is refused", test_report_refused },
	{ "blk zone: open, close, finish, reset", test_manage },
	{ "blk zone: append, no page for its result", test_append_not_pinned },
	{ "blk zone: slices of a read", test_slices },
	{ "blk zone: a read or flush that fails", test_no_zone },
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
