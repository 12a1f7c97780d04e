// SPDX-License-Identifier: GPL-2.0
/* vq_packed.c: each shape that is legal, each rule that a guest can break. */
#include <stdlib.h>

#include "packed.h"
#include "reads.h"
#include "tap.h"

#define NUM	8U
#define MAX_SEGS 1024U

static struct packed p;

/*
 * Where a chain begins: in both rounds, and so that it crosses the end of the
 * ring.
 */
static const struct place places[] = {
	{ 0, true }, { 0, false }, { 3, true }, { NUM - 2, true },
	{ NUM - 1, true }, { NUM - 1, false },
};

#define EACH_PLACE(at)							\
	for (size_t at = 0; at < sizeof(places) / sizeof(*places); at++)

static struct vring_packed_desc *table(unsigned int i)
{
	return (struct vring_packed_desc *)ring_at(RING_TABLE) + i;
}

static void put_table(const struct pd *d, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		packed_put_desc(table(i), &d[i], 0);
}

static u32 count(const struct pd *d)
{
	u32 n = 1;

	while (d->flags & D_NEXT && n < 4) {
		d++;
		n++;
	}
	return n;
}

/* --- legal chains --- */

#define A	RING_DATA
#define T	RING_TABLE

static const struct good {
	const char *shape;
	/* The chain ends with the first one without NEXT */
	struct pd desc[4];
	struct pd table[4];
	u32 nout, nin;
	struct bell_seg seg[5];
	u16 id;
} goods[] = {
	{ "one readable", { { A, 512, 0, 5 } }, {}, 1, 0, { { A, 512 } }, 5 },
	{ "one writable", { { A, 512, D_WRITE, 0 } }, {}, 0, 1,
	  { { A, 512 } }, 0 },
	{ "the last id", { { A, 1, 0, NUM - 1 } }, {}, 1, 0, { { A, 1 } },
	  NUM - 1 },
	{ "flags that we do not know", { { A, 1, 0x7f78, 1 } }, {}, 1, 0,
	  { { A, 1 } }, 1 },
	{ "readable, then writable; only the last id counts",
	  { { A, 16, D_NEXT, 0xffff }, { A + 16, 16, D_NEXT, NUM },
	    { A + 32, 1, D_WRITE, 2 } }, {},
	  2, 1, { { A, 16 }, { A + 16, 16 }, { A + 32, 1 } }, 2 },
	{ "the longest piece", { { A, ~0U, 0, 0 } }, {}, 1, 0,
	  { { A, ~0U } }, 0 },
	{ "data outside of memory is the back end's matter",
	  { { ~0ULL, 2, D_WRITE, 0 } }, {}, 0, 1, { { ~0ULL, 2 } }, 0 },
	{ "indirect", { { T, 48, D_INDIRECT, 6 } },
	  { { A, 16, 0, 9 }, { A + 16, 512, D_WRITE, 9 },
	    { A + 528, 1, D_WRITE, 9 } },
	  1, 2, { { A, 16 }, { A + 16, 512 }, { A + 528, 1 } }, 6 },
	{ "in a table only the flag for writing counts",
	  { { T, 64, D_INDIRECT, 1 } },
	  { { A, 16, 0xffff & ~(D_INDIRECT | D_WRITE), 9 }, { A, 1, 0, 0 },
	    { A + 16, 1, D_WRITE | D_NEXT, 0xffff },
	    { A + 17, 1, D_WRITE | D_NEXT, 0 } },
	  2, 2, { { A, 16 }, { A, 1 }, { A + 16, 1 }, { A + 17, 1 } }, 1 },
	{ "an indirect one marked writable",
	  { { T, 16, D_INDIRECT | D_WRITE, 7 } },
	  { { A, 16, 0, 0 } }, 1, 0, { { A, 16 } }, 7 },
	{ "direct, then indirect",
	  { { A, 16, D_NEXT, 0 }, { T, 32, D_INDIRECT, 4 } },
	  { { A + 16, 8, 0, 0 }, { A + 24, 1, D_WRITE, 0 } },
	  2, 1, { { A, 16 }, { A + 16, 8 }, { A + 24, 1 } }, 4 },
};

/* There is one used entry, at the place of the head; nothing else changed. */
static void check_used(struct place head, u16 id, u32 len,
		       const struct vring_packed_desc *before)
{
	const struct vring_packed_desc *d = &p.desc[head.at];
	u16 flags = le16toh(d->flags);

	CHECK_EQ(le16toh(d->id), id);
	CHECK_EQ(le32toh(d->len), len);
	CHECK_EQ(!!(flags & P_AVAIL), head.wrap);
	CHECK_EQ(!!(flags & P_USED), head.wrap);
	CHECK_EQ(!!(flags & D_WRITE), !!len);
	CHECK(!(flags & (D_NEXT | D_INDIRECT)));
	for (u32 i = 0; i < NUM; i++)
		CHECK(i == head.at || !memcmp(&p.desc[i], &before[i], 16));
}

static void check_good(const struct good *g, struct place from)
{
	struct vring_packed_desc before[NUM];
	u32 n = count(g->desc);
	struct bell_chain chain;
	u32 len = g->nin ? 7 : 0;

	packed_init(&p, NUM);
	packed_start_at(&p, from);
	put_table(g->table, 4);
	packed_add(&p, g->desc, n);
	memcpy(before, p.desc, sizeof(before));
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK_EQ(chain.head, g->id);
	CHECK_EQ(chain.ndesc, n);
	CHECK_EQ(chain.nout, g->nout);
	CHECK_EQ(chain.nin, g->nin);
	for (u32 i = 0; i < g->nout + g->nin && !tap_bad; i++) {
		CHECK_EQ(chain.seg[i].addr, g->seg[i].addr);
		CHECK_EQ(chain.seg[i].len, g->seg[i].len);
	}
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 1);
	CHECK(!packed_is_used(&p));
	ring_complete(&p.r, chain.head, chain.epoch, len);
	check_used(from, g->id, len, before);
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
	CHECK_EQ(ring_take(&p.r, &chain), 0);
	CHECK_EQ(world_signals(p.r.err), 0);
	/* Both positions have moved forward by the length of the chain. */
	p.r.cfg.base = packed_base(p.next, p.next);
	CHECK_EQ(bell_vq_stop(&p.r.vq), p.r.cfg.base);
	ring_free(&p.r);
}

static void test_goods(void)
{
	for (size_t i = 0; i < sizeof(goods) / sizeof(*goods); i++) {
		char name[100];

		EACH_PLACE(at) {
			tap_begin();
			check_good(&goods[i], places[at]);
			snprintf(name, sizeof(name),
				 "vq_packed legal at %u%s: %s", places[at].at,
				 places[at].wrap ? "" : ", second round",
				 goods[i].shape);
			tap_end(name);
		}
	}
}

/* --- violations, each of which breaks the queue --- */

static const struct bad {
	const char *rule;
	const char *says;
	bool no_indirect;
	/* The chain ends with the first one without NEXT */
	struct pd desc[4];
	struct pd table[4];
	unsigned int filled;		/* if not 0: number of entries of the table */
} bads[] = {
	{ "id past the ring", .says = "buffer id 8 past ring of 8",
	  .desc = { { A, 1, 0, 8 } } },
	{ "id far past the ring", .says = "buffer id 65535 past",
	  .desc = { { A, 1, 0, 65535 } } },
	{ "id past the ring at the end of a chain", .says = "buffer id 8 past",
	  .desc = { { A, 1, D_NEXT, 0 }, { A, 1, 0, 8 } } },
	{ "id past the ring of an indirect one", .says = "buffer id 9 past",
	  .desc = { { T, 16, D_INDIRECT, 9 } }, .table = { { A, 1, 0, 0 } } },
	{ "length of zero", .says = "length 0", .desc = { { A, 0, 0, 0 } } },
	{ "length of zero in the middle", .says = "length 0",
	  .desc = { { A, 1, D_NEXT, 0 }, { A, 0, D_NEXT, 0 },
		    { A, 1, 0, 0 } } },
	{ "readable after writable", .says = "readable descriptor after",
	  .desc = { { A, 1, D_WRITE | D_NEXT, 0 }, { A, 1, 0, 0 } } },
	{ "indirect without agreement", .says = "not negotiated",
	  .no_indirect = true, .desc = { { T, 16, D_INDIRECT, 0 } },
	  .table = { { A, 1, 0, 0 } } },
	{ "indirect with a next", .says = "with the NEXT flag",
	  .desc = { { T, 16, D_INDIRECT | D_NEXT, 1 }, { A, 1, 0, 0 } },
	  .table = { { A, 1, 0, 0 } } },
	{ "indirect with a next behind a direct one", .says = "with the NEXT flag",
	  .desc = { { A, 1, D_NEXT, 0 }, { T, 16, D_INDIRECT | D_NEXT, 1 },
		    { A, 1, 0, 0 } },
	  .table = { { A, 1, 0, 0 } } },
	{ "indirect table of no length", .says = "table of 0 bytes",
	  .desc = { { T, 0, D_INDIRECT, 0 } } },
	{ "indirect table of less than an entry", .says = "table of 15 bytes",
	  .desc = { { T, 15, D_INDIRECT, 0 } } },
	{ "indirect table of one and a half entries",
	  .says = "table of 24 bytes", .desc = { { T, 24, D_INDIRECT, 0 } },
	  .table = { { A, 1, 0, 0 } } },
	{ "indirect table outside of memory", .says = "indirect table at",
	  .desc = { { RING_END, 16, D_INDIRECT, 0 } } },
	{ "indirect table that ends outside of memory",
	  .says = "indirect table at",
	  .desc = { { RING_END - 8, 16, D_INDIRECT, 0 } } },
	{ "indirect table that wraps", .says = "indirect table wraps",
	  .desc = { { -16ULL, 32, D_INDIRECT, 0 } } },
	{ "nested indirect", .says = "nested",
	  .desc = { { T, 32, D_INDIRECT, 0 } },
	  .table = { { A, 1, 0, 1 }, { T, 16, D_INDIRECT, 0 } } },
	{ "length of zero in the table", .says = "length 0",
	  .desc = { { T, 32, D_INDIRECT, 0 } },
	  .table = { { A, 1, 0, 0 }, { A, 0, 0, 0 } } },
	{ "readable after writable in the table",
	  .says = "readable descriptor after",
	  .desc = { { T, 32, D_INDIRECT, 0 } },
	  .table = { { A, 1, D_WRITE, 1 }, { A, 1, 0, 0 } } },
	{ "readable in the table after writable before it",
	  .says = "readable descriptor after",
	  .desc = { { A, 1, D_WRITE | D_NEXT, 1 }, { T, 16, D_INDIRECT, 0 } },
	  .table = { { A, 1, 0, 0 } } },
	{ "more pieces than we take", .says = "more than 1024 descriptors",
	  .desc = { { T, 16 * 1025, D_INDIRECT, 0 } }, .filled = 1025 },
	{ "more pieces than we take, one before the table",
	  .says = "more than 1024 descriptors",
	  .desc = { { A, 1, D_NEXT, 1 }, { T, 16 * 1024, D_INDIRECT, 0 } },
	  .filled = 1024 },
	{ "the longest table", .says = "more than 1024 descriptors",
	  .desc = { { T, ~15U, D_INDIRECT, 0 } }, .filled = 1025 },
};

static void fill_table(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		packed_put_desc(table(i), &(struct pd){ A + i, 1, 0, 0 }, 0);
}

/*
 * The queue is broken, its error eventfd was signalled once, and nothing is
 * left in flight.
 */
static void check_broken(const char *says)
{
	struct bell_chain chain;

	CHECK_EQ(ring_take(&p.r, &chain), -EPROTO);
	CHECK(p.r.vq.broken);
	CHECK(strstr(world.notice, says));
	if (!strstr(world.notice, says))
		printf("# it says: %s\n", world.notice);
	CHECK_EQ(ring_take(&p.r, &chain), -EPROTO);
	CHECK_EQ(world_signals(p.r.err), 1);
	CHECK_EQ(world.notices, 1);
	CHECK_EQ(p.r.vq.stats.broken, 1);
}

static void check_bad(const struct bad *b, struct place from)
{
	struct vring_packed_desc before[NUM];

	packed_init(&p, NUM);
	p.r.cfg.indirect = !b->no_indirect;
	packed_start_at(&p, from);
	put_table(b->table, 4);
	fill_table(b->filled);
	packed_add(&p, b->desc, count(b->desc));
	memcpy(before, p.desc, sizeof(before));
	check_broken(b->says);
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
	CHECK_EQ(p.r.vq.stats.requests, 0);
	CHECK_EQ(world_signals(p.r.call), 0);
	CHECK(!memcmp(before, p.desc, sizeof(before)));
	CHECK_EQ(bell_vq_stop(&p.r.vq), packed_base(from, from));
	/* After a new start the queue works again. */
	packed_start(&p);
	packed_add_simple(&p, 5);
	CHECK_EQ(ring_serve(&p.r), 1);
	packed_end(&p);
}

static void test_bads(void)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
		char name[100];

		EACH_PLACE(at) {
			tap_begin();
			check_bad(&bads[i], places[at]);
			snprintf(name, sizeof(name),
				 "vq_packed broken at %u%s: %s", places[at].at,
				 places[at].wrap ? "" : ", second round",
				 bads[i].rule);
			tap_end(name);
		}
	}
}

static void test_loop(void)
{
	struct pd d[NUM];

	EACH_PLACE(at) {
		for (u32 i = 0; i < NUM; i++)
			d[i] = (struct pd){ A, 1, D_NEXT, 0 };
		packed_init(&p, NUM);
		packed_start_at(&p, places[at]);
		packed_add(&p, d, NUM);
		check_broken("chain loops");
		CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
		packed_end(&p);
		world_reset();
	}
}

static void test_in_flight_twice(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	packed_add_simple(&p, 3);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	packed_add_simple(&p, 3);
	check_broken("buffer id 3 is in flight already");
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 1);
	/* Chains that were taken before still complete. */
	ring_complete(&p.r, 3, chain.epoch, 1);
	CHECK(packed_is_used(&p));
	CHECK_EQ(world_signals(p.r.call), 1);
	packed_end(&p);
}

/*
 * A driver that makes entries available before it has seen them used damages
 * its own ring only.
 */
static void test_laps(void)
{
	struct pd d[NUM];
	struct bell_chain chain[NUM];

	for (u32 i = 0; i < NUM; i++)
		d[i] = (struct pd){ A, 1, i + 1 < NUM ? D_NEXT : 0, 0 };
	packed_begin(&p, NUM);
	for (u16 id = 0; id < NUM; id++) {
		d[NUM - 1].id = id;
		packed_add(&p, d, NUM);
		CHECK_EQ(ring_take(&p.r, &chain[id]), 1);
		CHECK_EQ(chain[id].ndesc, NUM);
	}
	d[NUM - 1].id = 0;
	packed_add(&p, d, NUM);
	check_broken("buffer id 0 is in flight already");
	for (u16 id = 0; id < NUM; id++)
		ring_complete(&p.r, id, chain[id].epoch, id);
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
	CHECK_EQ(bell_vq_stop(&p.r.vq), packed_base((struct place){ 0, true },
						   (struct place){ 0, true }));
	ring_free(&p.r);
}

/* --- limits: pieces, lengths, indirect tables --- */

static void test_most_pieces(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	fill_table(MAX_SEGS);
	packed_add(&p, &(struct pd){ T, 16 * MAX_SEGS, D_INDIRECT, 0 }, 1);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK_EQ(chain.nout, MAX_SEGS);
	CHECK_EQ(chain.seg[MAX_SEGS - 1].addr, A + MAX_SEGS - 1);
	ring_complete(&p.r, 0, chain.epoch, 0);
	packed_end(&p);
}

static void check_longest(u32 num, struct place from)
{
	struct pd *d = calloc(num, sizeof(*d));
	struct bell_chain chain;
	u16 id;
	u32 len;

	for (u32 i = 0; i < num; i++)
		d[i] = (struct pd){ A + i, 1, i + 1 < num ? D_NEXT : 0, 0 };
	packed_init(&p, num);
	packed_start_at(&p, from);
	for (int round = 0; round < 3; round++) {
		d[num - 1].id = num - 1 - round % num;
		packed_add(&p, d, num);
		CHECK_EQ(ring_take(&p.r, &chain), 1);
		CHECK_EQ(chain.nout, num);
		CHECK_EQ(chain.ndesc, num);
		CHECK_EQ(chain.seg[num - 1].addr, A + num - 1);
		ring_complete(&p.r, chain.head, chain.epoch, 0);
		CHECK(packed_is_used(&p));
		packed_see(&p, &id, &len, num);
		CHECK_EQ(id, d[num - 1].id);
		CHECK(!packed_is_used(&p));
	}
	packed_end(&p);
	free(d);
}

static void test_longest(void)
{
	static const u32 nums[] = { 1, 2, 3, 7, 8, 300, 32767, 32768 };

	for (size_t i = 0; i < sizeof(nums) / sizeof(*nums); i++) {
		check_longest(nums[i], (struct place){ 0, true });
		world_reset();
		check_longest(nums[i], (struct place){ nums[i] - 1, false });
		world_reset();
	}
}

/* The table is not aligned and crosses into a page that is not adjacent. */
static void test_scattered_table(void)
{
	u64 at = RING_TABLE + 3 * PAGE_SIZE - 20;
	struct vring_packed_desc d[2];
	struct bell_chain chain;

	packed_begin(&p, NUM);
	packed_put_desc(&d[0], &(struct pd){ A, 1, 0, 1 }, 0);
	packed_put_desc(&d[1], &(struct pd){ A + 1, 3, D_WRITE, 0 }, 0);
	world_map((at >> PAGE_SHIFT) + 1, 1, 7000);
	memcpy(ring_at(at), d, 20);
	memcpy(world_ram(7000), (u8 *)d + 20, 12);
	packed_add(&p, &(struct pd){ at, sizeof(d), D_INDIRECT, 0 }, 1);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK_EQ(chain.nout, 1);
	CHECK_EQ(chain.nin, 1);
	CHECK_EQ(chain.seg[1].len, 3);
	ring_complete(&p.r, 0, chain.epoch, 0);
	packed_end(&p);
}

/* The first entry of the table is the last one of guest memory. */
static void test_table_over_end(void)
{
	packed_begin(&p, NUM);
	packed_put_desc(ring_at(RING_END - 16), &(struct pd){ A, 1, 0, 0 }, 0);
	packed_add(&p, &(struct pd){ RING_END - 16, 32, D_INDIRECT, 0 }, 1);
	check_broken("indirect table at");
	packed_end(&p);
}

static void test_table_not_pinned(void)
{
	const struct pd d[] = { { A, 1, D_NEXT, 9 }, { T, 16, D_INDIRECT, 2 } };
	struct bell_chain chain;

	packed_init(&p, NUM);
	packed_start_at(&p, (struct place){ NUM - 1, true });
	packed_put_desc(table(0), &(struct pd){ A, 1, 0, 0 }, 0);
	packed_add(&p, d, 2);
	CHECK_EQ(bell_vq_take(&p.r.vq, false, &chain), -EAGAIN);
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
	CHECK_EQ(bell_vq_take(&p.r.vq, true, &chain), 1);
	bell_vq_untake(&p.r.vq, &chain);
	CHECK_EQ(bell_vq_take(&p.r.vq, false, &chain), 1);
	CHECK_EQ(chain.head, 2);
	ring_complete(&p.r, 2, chain.epoch, 0);
	world_exit_mm();
	packed_add(&p, d, 2);
	CHECK_EQ(bell_vq_take(&p.r.vq, false, &chain), 1);
	ring_complete(&p.r, 2, chain.epoch, 0);
	packed_end(&p);
}

/* --- each field is read once --- */

/*
 * The flags of a head may be read twice: first to see that it is available,
 * then with the whole entry.
 */
static void test_read_once(void)
{
	const struct pd d[] = { { A, 16, D_NEXT, 1 }, { A, 16, D_NEXT, 2 },
				{ T, 32, D_INDIRECT, 3 } };
	struct bell_chain chain;

	packed_init(&p, NUM);
	packed_start_at(&p, (struct place){ NUM - 1, true });
	put_table((struct pd[]){ { A, 1, 0, 0 }, { A, 1, D_WRITE, 0 } }, 2);
	packed_add(&p, d, 3);
	CHECK_EQ(reads_of_take(&p.r, &chain), 1);
	CHECK_EQ(chain.nout + chain.nin, 4);
	for (size_t i = 0; i < sizeof(reads); i++) {
		bool head = i / 16 == NUM - 1;
		bool entry = head || i < 32 ||
			     (i >= T - RING_DESC && i < T - RING_DESC + 32);

		CHECK_EQ(reads[i], head && i % 16 >= 14 ? 2 : entry);
	}
	ring_complete(&p.r, 3, chain.epoch, 0);
	packed_end(&p);
}

static const struct tap_test tests[] = {
	{ "vq_packed broken: entries without an end", test_loop },
	{ "vq_packed broken: id in flight twice", test_in_flight_twice },
	{ "vq_packed broken: a driver that laps us", test_laps },
	{ "vq_packed legal: as many pieces as we take", test_most_pieces },
	{ "vq_packed legal: a chain of the whole ring", test_longest },
	{ "vq_packed legal: indirect table across scattered pages",
	  test_scattered_table },
	{ "vq_packed broken: indirect table over the end of memory",
	  test_table_over_end },
	{ "vq_packed: indirect table that is not pinned",
	  test_table_not_pinned },
	{ "vq_packed: each field of a chain is read once", test_read_once },
};

int main(void)
{
	test_goods();
	test_bads();
	TAP_RUN(tests);
	return tap_done();
}
