// SPDX-License-Identifier: GPL-2.0
/*
 * Where an indirect table may lie, in both ring formats: each byte of it is read once, no
 * byte beside it is read, and the chain has what the table says.
 */
#include "packed.h"
#include "reads.h"
#include "tap.h"

#define NUM	8U
#define T	RING_TABLE
#define PAGE	((u64)PAGE_SIZE)
/* The last page of guest memory, of which only a part is guest memory */
#define LAST	(T + 64 * PAGE)
#define PART	48U

static struct packed p;

static const struct row {
	const char *where;
	u64 at;
	u32 n;			/* entries */
	bool outside;		/* not all of it is guest memory */
} rows[] = {
	{ "at the start of a page", T, 3 },
	{ "of one entry", T + 64, 1 },
	{ "of one entry, the last of its page", T + PAGE - 16, 1 },
	{ "up to the end of a page", T + PAGE - 48, 3 },
	{ "one entry over the end of a page", T + PAGE - 32, 3 },
	{ "of a whole page", T, 256 },
	{ "of a page and an entry", T, 257 },
	{ "of a page, from the middle of one", T + 2048, 256 },
	{ "of four pages, which is all that we take", T, 1024 },
	{ "at an odd address", T + 1, 3 },
	{ "at 8 bytes from an aligned address", T + 8, 3 },
	{ "at 15 bytes from an aligned address", T + 15, 3 },
	{ "misaligned, up to the end of a page", T + PAGE - 40, 2 },
	{ "misaligned, over the end of a page", T + PAGE - 40, 3 },
	{ "that ends where memory ends, within a page", LAST, 3 },
	{ "that is the last entry of memory", LAST + PART - 16, 1 },
	{ "that goes one entry past the end of memory", LAST + 16, 3, true },
	{ "that goes a byte past the end of memory", LAST + 1, 3, true },
	{ "from another page past the end of memory", LAST - 16, 5, true },
	{ "in the last page, behind the end of memory", LAST + 256, 1, true },
};

/* The place of piece @k of the chain: a table of a split ring has its entries mixed. */
static u32 place_of(u32 k, u32 n, bool packed)
{
	return packed || !k ? k : n - k;
}

/* The last of at least two pieces is writable. */
static u16 write_flag(u32 k, u32 n)
{
	return k && k + 1 == n ? D_WRITE : 0;
}

static void put_table(const struct row *row, bool packed)
{
	for (u32 k = 0; k < row->n; k++) {
		u32 i = place_of(k, row->n, packed);
		u64 addr = RING_DATA + k * 2;
		u16 flags = write_flag(k, row->n);

		if (packed) {
			struct vring_packed_desc d;

			packed_put_desc(&d, &(struct pd){ addr, k + 1, flags }, 0);
			memcpy(ring_at(row->at + i * 16), &d, sizeof(d));
		} else {
			struct vring_desc d;

			ring_put_desc(&d, addr, k + 1,
				      flags | (k + 1 < row->n ? D_NEXT : 0),
				      place_of(k + 1, row->n, packed));
			memcpy(ring_at(row->at + i * 16), &d, sizeof(d));
		}
	}
}

/*
 * The shim counts reads in place and not copies. An aligned table is read in place, if it
 * is in one page or all of its pages were pinned before: @pinned.
 */
static void check_reads(const struct row *row, bool pinned)
{
	bool in_place = !(row->at % 16) && !row->outside &&
			(pinned || row->at % PAGE + row->n * 16 <= PAGE);

	for (u64 i = T - RING_DESC; i < sizeof(reads) && !tap_bad; i++) {
		u64 gpa = RING_DESC + i;

		CHECK_EQ(reads[i], in_place && gpa >= row->at &&
			 gpa < row->at + row->n * 16);
	}
}

static void check_chain(const struct row *row, const struct bell_chain *chain)
{
	u64 bytes = 0;

	CHECK_EQ(chain->nin, row->n > 1);
	CHECK_EQ(chain->nout + chain->nin, row->n);
	for (u32 k = 0; k < row->n && !tap_bad; k++) {
		CHECK_EQ(chain->seg[k].addr, RING_DATA + k * 2);
		CHECK_EQ(chain->seg[k].len, k + 1);
		bytes += k + 1;
	}
	CHECK_EQ(chain->out_bytes + chain->in_bytes, bytes);
	CHECK_EQ(chain->in_bytes, row->n > 1 ? row->n : 0);
}

static void begin(const struct row *row, bool packed)
{
	struct pd d = { row->at, row->n * 16, D_INDIRECT, 3 };

	ring_bytes = LAST + PART;
	packed_init(&p, NUM);
	put_table(row, packed);
	p.r.cfg.packed = packed;
	if (packed) {
		packed_start(&p);
		packed_add(&p, &d, 1);
	} else {
		ring_start(&p.r);
		ring_put_desc(&p.r.desc[3], d.addr, d.len, d.flags, 0);
		ring_add(&p.r, 3);
	}
}

static void check_row(const struct row *row, bool packed)
{
	struct bell_chain chain;

	begin(row, packed);
	if (row->outside) {
		CHECK_EQ(reads_of_take(&p.r, &chain), -EPROTO);
		check_reads(row, false);
		CHECK(strstr(world.notice, "outside guest memory"));
		CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
		packed_end(&p);
		return;
	}
	/* First with pages that are not pinned yet, then by the short path. */
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(reads_of_take(&p.r, &chain), 1);
		check_reads(row, i);
		check_chain(row, &chain);
		if (!i)
			bell_vq_untake(&p.r.vq, &chain);
	}
	ring_complete(&p.r, chain.head, chain.epoch, 0);
	packed_end(&p);
}

static void test_rows(bool packed)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[128];

		tap_begin();
		check_row(&rows[i], packed);
		snprintf(name, sizeof(name), "%s ring: table %s",
			 packed ? "packed" : "split", rows[i].where);
		tap_end(name);
	}
}

/* --- chains that never end, or are too long: each has one limit --- */

/* Take the chain from descriptor 0 of a split ring; it breaks the queue. */
static void check_endless(u32 max_segs, u32 direct, u32 n, const char *says)
{
	struct bell_chain chain;

	ring_bytes = RING_END;
	ring_init(&p.r, NUM);
	p.r.cfg.max_segs = max_segs;
	ring_start(&p.r);
	for (u32 i = 0; i < direct; i++)
		ring_put_desc(&p.r.desc[i], RING_DATA, 1, D_NEXT,
			      i + 1 < direct || n ? i + 1 : 0);
	if (n)
		ring_put_desc(&p.r.desc[direct], T, n * 16, D_INDIRECT, 0);
	for (u32 i = 0; i < n; i++)
		ring_put_desc((struct vring_desc *)ring_at(T) + i, RING_DATA, 1,
			      D_NEXT, (i + 1) % n);
	ring_add(&p.r, 0);
	CHECK_EQ(ring_take(&p.r, &chain), -EPROTO);
	CHECK(strstr(world.notice, says));
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
	ring_end(&p.r);
}

/*
 * The array of pieces has max_segs entries, and AddressSanitizer watches its end. Each
 * limit is tried with fewer, as many and more pieces before the table.
 */
static void test_endless(void)
{
	for (u32 max_segs = 1; max_segs <= 3 * NUM; max_segs++) {
		for (u32 direct = 0; direct < NUM; direct++) {
			for (u32 n = 0; n <= 2 * NUM; n++) {
				bool loops = direct + n < max_segs;

				if (!n)
					loops = max_segs > NUM;
				if (!direct && !n)
					continue;
				check_endless(max_segs, direct, n, loops ?
					      "chain loops" : "chain of more than");
				world_reset();
			}
		}
	}
}

static const struct tap_test tests[] = {
	{ "split ring: chains without an end, at each limit", test_endless },
};

int main(void)
{
	test_rows(false);
	test_rows(true);
	TAP_RUN(tests);
	return tap_done();
}
