// SPDX-License-Identifier: GPL-2.0
/* backend_blk: what a disk writes into guest memory is in the dirty log. */
#include "blk.h"
#include "dirty.h"

#define FAR(n)	(DATA + (n) * 3 * PAGE_SIZE)

static void start(void)
{
	begin();
	dirty_start(&r);
}

/* The disk's data comes. */
static void disk_reads(u32 bytes)
{
	for (u32 i = 0; i < submitted->nvecs && bytes; i++) {
		const struct bio_vec *v = &submitted->vecs[i];
		u32 n = v->bv_len < bytes ? v->bv_len : bytes;

		memset(page_address(v->bv_page) + v->bv_offset, 0x77, n);
		bytes -= n;
	}
}

static void go(u32 type, const struct bell_seg *seg, u32 n, u32 nout)
{
	put_header(type, 0);
	put_chain(seg, n, nout);
	dirty_sync();
	CHECK_EQ(pass(true), BELL_PASS_DONE);
}

static const struct bell_seg pieces[] = {
	H, { FAR(0) + 100, 512 }, { FAR(1) + 4000, 1024 },
	{ FAR(2), 2 * PAGE_SIZE - 512 }, S,
};

#define PIECES	(512 + 1024 + 2 * (u32)PAGE_SIZE - 512)

static void test_read(void)
{
	start();
	go(VIRTIO_BLK_T_IN, pieces, 5, 1);
	disk_reads(PIECES);
	CHECK(dirty_missed() >= 5);
	bell_disk_done(submitted, 0);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(dirty_missed(), 0);
	/* 1 + 2 + 2 of data, the status, the used ring */
	CHECK_EQ(dirty_logged(), 7);
	end();
}

/* A read that fails has overwritten a part. */
static void test_read_fails(void)
{
	start();
	go(VIRTIO_BLK_T_IN, pieces, 5, 1);
	disk_reads(1000);
	bell_disk_done(submitted, -EIO);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(dirty_missed(), 0);
	end();
}

static void test_write(void)
{
	start();
	go(VIRTIO_BLK_T_OUT, pieces, 5, 4);
	bell_disk_done(submitted, 0);
	CHECK_EQ(dirty_missed(), 0);
	/* The status and the used ring */
	CHECK_EQ(dirty_logged(), 2);
	end();
}

static void test_id(void)
{
	static const struct bell_seg seg[] = {
		H, { FAR(0) + PAGE_SIZE - 10, 15 }, { FAR(2), 5 }, S,
	};

	start();
	go(VIRTIO_BLK_T_GET_ID, seg, 4, 1);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(dirty_missed(), 0);
	CHECK_EQ(dirty_logged(), 5);
	end();
}

/* The status in one piece with the data, and refused: of 1 GiB nothing was written. */
static void test_refused(void)
{
	static const struct bell_seg seg[] = {
		H, { FAR(0), SZ_1G }, { FAR(1), 512 + 1 },
	};

	start();
	go(VIRTIO_BLK_T_IN, seg, 3, 1);
	CHECK(!submitted);
	CHECK_EQ(dirty_missed(), 0);
	CHECK_EQ(dirty_logged(), 2);
	end();
}

int main(void)
{
	tap_begin();
	test_read();
	tap_end("dirty log of a disk: read");
	tap_begin();
	test_read_fails();
	tap_end("dirty log of a disk: read that fails");
	tap_begin();
	test_write();
	tap_end("dirty log of a disk: write");
	tap_begin();
	test_id();
	tap_end("dirty log of a disk: its name");
	tap_begin();
	test_refused();
	tap_end("dirty log of a disk: refused");
	return tap_done();
}
