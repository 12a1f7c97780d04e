// SPDX-License-Identifier: GPL-2.0
/* backend_blk.c: where header, data and status of a request may lie. */
#include "blk.h"
#include "gmem.h"
#include "order.h"

#define PAGE	((u64)PAGE_SIZE)
/* The last page of guest memory, of which only a part is guest memory */
#define LAST	(RING_DATA + 512 * PAGE)
#define PART	1024U
#define SECTOR	5ULL
#define GUARD	0xa5

/*
 * Each two pages of guest memory change places in RAM, so no two that follow each other
 * are adjacent there.
 */
static u64 ram_of(u64 gpa)
{
	return gpa < HDR ? gpa : gpa ^ PAGE;
}

static u8 *at(u64 gpa)
{
	return ring_at(ram_of(gpa));
}

static void swap_pages(void)
{
	for (u64 gpa = HDR; gpa < RING_END; gpa += PAGE)
		world_map(gpa >> PAGE_SHIFT, 1, ram_of(gpa) >> PAGE_SHIFT);
}

/* One after another: header and status of a read or write, and its data */
static const struct row {
	const char *where;
	u64 hdr, data, status;
	bool broken;		/* header or status are not in guest memory */
	bool failed;		/* the data is not */
} rows[] = {
	{ "all in one page", HDR + 64, HDR + 512, HDR + 128 },
	{ "status right before the header", HDR + 64, DATA, HDR + 63 },
	{ "status right behind the header", HDR + 64, DATA, HDR + 80 },
	{ "status at the start of the header's page", HDR + 64, DATA, HDR },
	{ "status at the end of the header's page", HDR, DATA, HDR + PAGE - 1 },
	{ "status in the page before the header's", HDR + PAGE, HDR + 3 * PAGE,
	  HDR + PAGE - 1 },
	{ "status in the page after the header's", HDR, HDR + 3 * PAGE, HDR + PAGE },
	{ "status at the header's offset in another page", HDR + 64, DATA,
	  STATUS + 64 },
	{ "status 4 GiB from the header's page, outside of memory", HDR, DATA,
	  HDR + 64 + (1ULL << 32), .broken = true },
	{ "header up to the end of its page", HDR + PAGE - 16, HDR + 3 * PAGE,
	  HDR + 8 },
	{ "header a byte over the end of its page", HDR + PAGE - 15,
	  HDR + 3 * PAGE, HDR + 8 },
	{ "header a byte before the end of its page", HDR + PAGE - 1,
	  HDR + 3 * PAGE, HDR + PAGE + 100 },
	{ "header at an odd address", HDR + 1, DATA, HDR + 17 },
	{ "data up to the end of its page", HDR, DATA + PAGE - 512, STATUS },
	{ "data over the end of its page", HDR, DATA + PAGE - 256, STATUS },
	{ "all where memory ends, within a page", LAST + PART - 1 - 512 - 16,
	  LAST + PART - 1 - 512, LAST + PART - 1 },
	{ "header that is the last of memory", LAST + PART - 16, LAST, LAST + 600 },
	{ "header that goes a byte past the end of memory", LAST + PART - 15, LAST,
	  LAST + 600, .broken = true },
	{ "header in the last page, behind the end of memory", LAST + PART, LAST,
	  LAST + 600, .broken = true },
	{ "status in the header's page, behind the end of memory", LAST, DATA,
	  LAST + PART, .broken = true },
	{ "data that is the last of memory", LAST, LAST + PART - 512, LAST + 16 },
	{ "data that goes a byte past the end of memory", LAST, LAST + PART - 511,
	  LAST + 16, .failed = true },
	{ "data in the last page, behind the end of memory", LAST, LAST + PART,
	  LAST + 16, .failed = true },
};

/* Put the request of a row at @head of the ring. */
static void put_request(const struct row *row, u16 head, bool write)
{
	struct virtio_blk_outhdr h = {
		.type = htole32(write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN),
		.sector = htole64(SECTOR),
	};

	memset(ring_at(HDR), GUARD, RING_END - HDR);
	for (u32 i = 0; i < sizeof(h); i++)
		*at(row->hdr + i) = ((u8 *)&h)[i];
	ring_put_desc(&r.desc[head], row->hdr, sizeof(h), D_NEXT, head + 1);
	ring_put_desc(&r.desc[head + 1], row->data, 512,
		      D_NEXT | (write ? 0 : D_WRITE), head + 2);
	ring_put_desc(&r.desc[head + 2], row->status, 1, D_WRITE, 0);
	ring_add(&r, head);
}

/* Only the status byte was written in its page. */
static void check_status(const struct row *row, u8 want)
{
	const u8 *page = at(row->status & ~(PAGE - 1));
	u64 hdr = row->hdr - (row->status & ~(PAGE - 1));

	for (u64 i = 0; i < PAGE && !tap_bad; i++) {
		if (i == row->status % PAGE)
			CHECK_EQ(page[i], want);
		else if (i - hdr >= 16)
			CHECK_EQ(page[i], GUARD);
	}
}

static void check_data(const struct row *row, bool write)
{
	u32 at = 0;

	CHECK_EQ(submitted->op, write ? BELL_DISK_WRITE : BELL_DISK_READ);
	CHECK_EQ(submitted->sector, SECTOR);
	CHECK_EQ(submitted->bytes, 512);
	for (u32 i = 0; i < submitted->nvecs; i++) {
		const struct bio_vec *v = &submitted->vecs[i];

		CHECK_EQ(page_to_pfn(v->bv_page) * PAGE + v->bv_offset,
			 ram_of(row->data + at));
		CHECK(v->bv_offset + v->bv_len <= PAGE);
		at += v->bv_len;
	}
	CHECK_EQ(at, 512);
	CHECK_EQ(submitted->aligned, !(row->data % 512));
}

static void check_begun(const struct row *row, bool write, unsigned int n)
{
	if (row->failed) {
		CHECK_EQ(submits, 0);
		check_status(row, VIRTIO_BLK_S_IOERR);
		return;
	}
	CHECK_EQ(submits, n);
	if (tap_bad)
		return;
	check_data(row, write);
	check_status(row, GUARD);
	bell_disk_done(submitted, 0);
	check_status(row, VIRTIO_BLK_S_OK);
}

/* Serve request @n of a row. */
static void check_served(const struct row *row, bool write, unsigned int n)
{
	put_request(row, 3 * n, write);
	CHECK_EQ(pass(!n), BELL_PASS_DONE);
	check_begun(row, write, n + 1);
	CHECK_EQ(le16toh(r.used->idx), n + 1);
	CHECK_EQ(le32toh(r.used->ring[n].len), write ? 1 : row->failed ? 0 : 513);
}

/* The row breaks the queue, also after its header's page was used and so is pinned. */
static void check_breaks(const struct row *row, bool write)
{
	const struct row good = {
		.hdr = row->hdr & ~(PAGE - 1), .data = DATA, .status = STATUS,
	};

	check_served(&good, write, 0);
	put_request(row, 3, write);
	CHECK_EQ(pass(false), BELL_PASS_STOP);
	CHECK(r.vq.broken);
	CHECK_EQ(submits, 1);
	CHECK_EQ(le16toh(r.used->idx), 1);
}

static void check_row(const struct row *row, bool write)
{
	ring_bytes = LAST + PART;
	begin();
	swap_pages();
	if (row->broken) {
		check_breaks(row, write);
	} else {
		/* First with pages that are not pinned yet, then by the short path. */
		check_served(row, write, 0);
		check_served(row, write, 1);
		CHECK(!r.vq.broken);
	}
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	end();
}

/*
 * Header and status lie in one page, which is looked up once; so the header, which the driver
 * may change, is read once.
 */
static void test_looked_up_once(void)
{
	static const struct row row = { .hdr = HDR + 64, .data = DATA, .status = HDR + 128 };
	struct order_step entry;
	unsigned int n = 0;

	begin();
	swap_pages();
	/* This pins the pages. */
	check_served(&row, false, 0);
	/* Find the entry of the page in the table. */
	order_start();
	CHECK(bell_gmem_page(r.gm, row.hdr));
	world.on_order = NULL;
	entry = order_record[order_n - 1];
	CHECK_EQ(entry.what, SHIM_READ);

	put_request(&row, 3, false);
	order_start();
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	world.on_order = NULL;
	for (size_t i = 0; i < order_n; i++)
		n += order_record[i].what == entry.what && order_record[i].at == entry.at;
	CHECK_EQ(n, 1);
	check_begun(&row, false, 2);
	end();
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "blk: header and status in one page", test_looked_up_once },
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i / 2];
		char name[100];

		tap_begin();
		check_row(row, i % 2);
		snprintf(name, sizeof(name), "blk %s: %s", i % 2 ? "write" : "read",
			 row->where);
		tap_end(name);
	}
	TAP_RUN(tests);
	return tap_done();
}
