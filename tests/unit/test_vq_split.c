// SPDX-License-Identifier: GPL-2.0
/* vq_split.c: each shape that is legal, each rule that a guest can break. */
#include "ring.h"
#include "reads.h"
#include "tap.h"

#define NUM	8U
#define MAX_SEGS 1024U

static struct ring r;

struct d {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

static struct vring_desc *table(unsigned int i)
{
	return (struct vring_desc *)ring_at(RING_TABLE) + i;
}

static void put(struct vring_desc *to, const struct d *d, unsigned int n)
{
	while (n--) {
		ring_put_desc(to++, d->addr, d->len, d->flags, d->next);
		d++;
	}
}

/* --- legal chains --- */

#define A	RING_DATA
#define T	RING_TABLE

static const struct good {
	const char *shape;
	struct d desc[4];
	struct d table[4];
	u32 nout, nin;
	struct bell_seg seg[5];
} goods[] = {
	{ "one readable", { { A, 512, 0, 0 } }, {}, 1, 0, { { A, 512 } } },
	{ "one writable", { { A, 512, D_WRITE, 0 } }, {}, 0, 1,
	  { { A, 512 } } },
	{ "next is ignored without its flag", { { A, 1, 0, 0xffff } }, {}, 1, 0,
	  { { A, 1 } } },
	{ "flags that we do not know", { { A, 1, 0xfff8, 0 } }, {}, 1, 0,
	  { { A, 1 } } },
	{ "readable, then writable, out of order",
	  { { A, 16, D_NEXT, 3 }, { A + 32, 1, D_WRITE, 0 }, {},
	    { A + 16, 16, D_NEXT, 1 } }, {},
	  2, 1, { { A, 16 }, { A + 16, 16 }, { A + 32, 1 } } },
	{ "the longest piece", { { A, ~0U, 0, 0 } }, {}, 1, 0, { { A, ~0U } } },
	{ "data outside of memory is the back end's matter",
	  { { ~0ULL, 2, D_WRITE, 0 } }, {}, 0, 1, { { ~0ULL, 2 } } },
	{ "indirect", { { T, 48, D_INDIRECT, 0 } },
	  { { A, 16, D_NEXT, 1 }, { A + 16, 512, D_WRITE | D_NEXT, 2 },
	    { A + 528, 1, D_WRITE, 0 } },
	  1, 2, { { A, 16 }, { A + 16, 512 }, { A + 528, 1 } } },
	{ "indirect, out of order and with a rest that is not used",
	  { { T, 64, D_INDIRECT, 0 } },
	  { { A, 16, D_NEXT, 2 }, { A, 0, D_INDIRECT, 9 },
	    { A + 16, 1, D_WRITE, 3 } },
	  1, 1, { { A, 16 }, { A + 16, 1 } } },
	{ "an indirect one marked writable",
	  { { T, 16, D_INDIRECT | D_WRITE, 0 } },
	  { { A, 16, 0, 0 } }, 1, 0, { { A, 16 } } },
	{ "direct, then indirect",
	  { { A, 16, D_NEXT, 2 }, {}, { T, 32, D_INDIRECT, 0 } },
	  { { A + 16, 8, D_NEXT, 1 }, { A + 24, 1, D_WRITE, 0 } },
	  2, 1, { { A, 16 }, { A + 16, 8 }, { A + 24, 1 } } },
};

static void check_good(const struct good *g)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	put(r.desc, g->desc, 4);
	put(table(0), g->table, 4);
	ring_add(&r, 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.head, 0);
	CHECK_EQ(chain.nout, g->nout);
	CHECK_EQ(chain.nin, g->nin);
	for (u32 i = 0; i < g->nout + g->nin && !tap_bad; i++) {
		CHECK_EQ(chain.seg[i].addr, g->seg[i].addr);
		CHECK_EQ(chain.seg[i].len, g->seg[i].len);
	}
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	ring_complete(&r, chain.head, chain.epoch, 7);
	CHECK_EQ(le16toh(r.used->idx), 1);
	CHECK_EQ(le32toh(r.used->ring[0].id), 0);
	CHECK_EQ(le32toh(r.used->ring[0].len), 7);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(ring_take(&r, &chain), 0);
	CHECK_EQ(world_signals(r.err), 0);
	ring_end(&r);
}

static void test_goods(void)
{
	for (size_t i = 0; i < sizeof(goods) / sizeof(*goods); i++) {
		char name[100];

		tap_begin();
		check_good(&goods[i]);
		snprintf(name, sizeof(name), "vq_split legal: %s",
			 goods[i].shape);
		tap_end(name);
	}
}

/* --- violations, each of which breaks the queue --- */

static const struct bad {
	const char *rule;
	const char *says;
	bool no_indirect;
	int idx;			/* if not 0: the available index */
	u16 head;
	struct d desc[4];
	struct d table[4];
	unsigned int filled;		/* if not 0: number of entries of the table */
} bads[] = {
	{ "head past the ring", .says = "head 8 past ring of 8", .head = 8 },
	{ "head far past the ring", .says = "head 65535 past", .head = 65535 },
	{ "available index jumps", .says = "index went from 0 to 9", .idx = 9 },
	{ "available index goes back", .says = "index went from 0 to 65535",
	  .idx = -1 },
	{ "length of zero", .says = "length 0", .desc = { { A, 0, 0, 0 } } },
	{ "length of zero in the middle", .says = "length 0",
	  .desc = { { A, 1, D_NEXT, 1 }, { A, 0, D_NEXT, 2 },
		    { A, 1, 0, 0 } } },
	{ "next past the ring", .says = "descriptor 8 past ring of 8",
	  .desc = { { A, 1, D_NEXT, 8 } } },
	{ "chain is its own next", .says = "chain loops",
	  .desc = { { A, 1, D_NEXT, 0 } } },
	{ "chain loops to its middle", .says = "chain loops",
	  .desc = { { A, 1, D_NEXT, 1 }, { A, 1, D_WRITE | D_NEXT, 2 },
		    { A, 1, D_WRITE | D_NEXT, 1 } } },
	{ "readable after writable", .says = "readable descriptor after",
	  .desc = { { A, 1, D_WRITE | D_NEXT, 1 }, { A, 1, 0, 0 } } },
	{ "indirect without agreement", .says = "not negotiated",
	  .no_indirect = true, .desc = { { T, 16, D_INDIRECT, 0 } },
	  .table = { { A, 1, 0, 0 } } },
	{ "indirect with a next", .says = "with the NEXT flag",
	  .desc = { { T, 16, D_INDIRECT | D_NEXT, 1 }, { A, 1, 0, 0 } },
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
	  .table = { { A, 1, D_NEXT, 1 }, { T, 16, D_INDIRECT, 0 } } },
	{ "next past the table", .says = "next 2 past table of 2",
	  .desc = { { T, 32, D_INDIRECT, 0 } },
	  .table = { { A, 1, D_NEXT, 2 } } },
	{ "indirect table loops", .says = "chain loops",
	  .desc = { { T, 32, D_INDIRECT, 0 } },
	  .table = { { A, 1, D_NEXT, 1 }, { A, 1, D_NEXT, 0 } } },
	{ "length of zero in the table", .says = "length 0",
	  .desc = { { T, 16, D_INDIRECT, 0 } }, .table = { { A, 0, 0, 0 } } },
	{ "readable after writable in the table",
	  .says = "readable descriptor after",
	  .desc = { { T, 32, D_INDIRECT, 0 } },
	  .table = { { A, 1, D_WRITE | D_NEXT, 1 }, { A, 1, 0, 0 } } },
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
};

static void fill_table(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		ring_put_desc(table(i), A + i, 1, i + 1 < n ? D_NEXT : 0,
			      i + 1);
}

/*
 * The queue is broken, its error eventfd was signalled once, and nothing is
 * left in flight.
 */
static void check_broken(const char *says)
{
	struct bell_chain chain;

	CHECK_EQ(ring_take(&r, &chain), -EPROTO);
	CHECK(r.vq.broken);
	CHECK(strstr(world.notice, says));
	if (!strstr(world.notice, says))
		printf("# it says: %s\n", world.notice);
	CHECK_EQ(ring_take(&r, &chain), -EPROTO);
	CHECK_EQ(world_signals(r.err), 1);
	CHECK_EQ(world.notices, 1);
	CHECK_EQ(r.vq.stats.broken, 1);
}

static void check_bad(const struct bad *b)
{
	ring_init(&r, NUM);
	r.cfg.indirect = !b->no_indirect;
	ring_start(&r);
	put(r.desc, b->desc, 4);
	put(table(0), b->table, 4);
	fill_table(b->filled);
	ring_add(&r, b->head);
	if (b->idx)
		r.avail->idx = htole16((u16)b->idx);
	check_broken(b->says);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(r.vq.stats.requests, 0);
	CHECK_EQ(r.vq.last_avail, 0);
	CHECK_EQ(world_signals(r.call), 0);
	CHECK_EQ(le16toh(r.used->idx), 0);
	/* After a new start the queue works again. */
	bell_vq_stop(&r.vq);
	ring_start(&r);
	ring_add_simple(&r, 5);
	CHECK_EQ(ring_serve(&r), 1);
	ring_end(&r);
}

static void test_bads(void)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
		char name[100];

		tap_begin();
		check_bad(&bads[i]);
		snprintf(name, sizeof(name), "vq_split broken: %s",
			 bads[i].rule);
		tap_end(name);
	}
}

static void test_in_flight_twice(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 3);
	CHECK_EQ(ring_take(&r, &chain), 1);
	ring_add(&r, 3);
	check_broken("head 3 is in flight already");
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	/* Chains that were taken before still complete. */
	ring_complete(&r, 3, chain.epoch, 1);
	CHECK_EQ(le16toh(r.used->idx), 1);
	CHECK_EQ(world_signals(r.call), 1);
	ring_end(&r);
}

static void test_most_pieces(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	fill_table(MAX_SEGS);
	ring_put_desc(&r.desc[0], T, 16 * MAX_SEGS, D_INDIRECT, 0);
	ring_add(&r, 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.nout, MAX_SEGS);
	CHECK_EQ(chain.seg[MAX_SEGS - 1].addr, A + MAX_SEGS - 1);
	ring_complete(&r, 0, chain.epoch, 0);
	ring_end(&r);
}

static void test_longest_direct(void)
{
	struct bell_chain chain;
	u32 num = 32768;

	ring_begin(&r, num);
	for (u32 i = 0; i < num; i++)
		ring_put_desc(&r.desc[i], A + i, 1, i + 1 < num ? D_NEXT : 0,
			      i + 1);
	ring_add(&r, 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.nout, num);
	ring_complete(&r, 0, chain.epoch, 0);
	ring_end(&r);
}

/* The table is not aligned and crosses into a page that is not adjacent. */
static void test_scattered_table(void)
{
	u64 at = RING_TABLE + 3 * PAGE_SIZE - 20;
	struct vring_desc d[2];
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_put_desc(&d[0], A, 1, D_NEXT, 1);
	ring_put_desc(&d[1], A + 1, 1, D_WRITE, 0);
	world_map((at >> PAGE_SHIFT) + 1, 1, 7000);
	memcpy(ring_at(at), d, 20);
	memcpy(world_ram(7000), (u8 *)d + 20, 12);
	ring_put_desc(&r.desc[0], at, sizeof(d), D_INDIRECT, 0);
	ring_add(&r, 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.nout + chain.nin, 2);
	ring_complete(&r, 0, chain.epoch, 0);
	ring_end(&r);
}

static void test_table_not_pinned(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_put_desc(table(0), A, 1, 0, 0);
	ring_put_desc(&r.desc[0], T, 16, D_INDIRECT, 0);
	ring_add(&r, 0);
	CHECK_EQ(bell_vq_take(&r.vq, false, &chain), -EAGAIN);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(bell_vq_take(&r.vq, true, &chain), 1);
	bell_vq_untake(&r.vq, &chain);
	CHECK_EQ(bell_vq_take(&r.vq, false, &chain), 1);
	ring_complete(&r, 0, chain.epoch, 0);
	world_exit_mm();
	ring_add(&r, 0);
	CHECK_EQ(bell_vq_take(&r.vq, false, &chain), 1);
	ring_complete(&r, 0, chain.epoch, 0);
	ring_end(&r);
}

/* --- each field is read once --- */

static void test_read_once(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	put(r.desc, (struct d[]){ { A, 16, D_NEXT, 1 }, { A, 16, D_NEXT, 2 },
				  { A, 1, D_WRITE, 0 } }, 3);
	ring_add(&r, 0);
	CHECK_EQ(reads_of_take(&r, &chain), 1);
	for (size_t i = 0; i < 3 * sizeof(struct vring_desc); i++)
		CHECK_EQ(reads[i], 1);
	CHECK_EQ(reads[RING_AVAIL - RING_DESC + 2], 1);
	CHECK_EQ(reads[RING_AVAIL - RING_DESC + 4], 1);
	for (size_t i = 0; i < sizeof(reads); i++)
		CHECK(reads[i] <= 1);
	ring_complete(&r, 0, chain.epoch, 0);
	ring_end(&r);
}

/* --- signals --- */

static void serve(unsigned int n)
{
	struct bell_chain chain[NUM];
	unsigned int i;

	for (i = 0; i < n; i++)
		ring_add_simple(&r, i);
	for (i = 0; i < n; i++)
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	for (i = 0; i < n; i++)
		ring_complete(&r, chain[i].head, chain[i].epoch, 1);
}

/*
 * The driver gets a signal if and only if the entry at used_event was just
 * added.
 */
static void test_used_event(void)
{
	static const u16 bases[] = { 0, 100, 65530, 65535, 32767 };

	for (size_t b = 0; b < sizeof(bases) / sizeof(*bases); b++) {
		ring_init(&r, NUM);
		r.cfg.base = bases[b];
		ring_start(&r);
		*ring_used_event(&r) = htole16(bases[b] + 1000);
		/*
		 * The first completion always signals: it is not known what was
		 * signalled before.
		 */
		serve(1);
		CHECK_EQ(world_signals(r.call), 1);
		for (int event = -3; event < 12; event++) {
			u16 used = le16toh(r.used->idx);
			unsigned long before = world_signals(r.call);

			*ring_used_event(&r) = htole16(used + event);
			serve(NUM);
			CHECK_EQ(world_signals(r.call) - before,
				 event >= 0 && event < (int)NUM);
		}
		CHECK_EQ(r.vq.stats.signals, world_signals(r.call));
		CHECK_EQ(r.vq.stats.signals + r.vq.stats.suppressed,
			 r.vq.stats.completed);
		ring_end(&r);
		world_reset();
	}
}

static void ask_for_signal(void)
{
	world.on_barrier = NULL;
	/*
	 * The driver asks for the entry that was just used and that it has not
	 * seen.
	 */
	*ring_used_event(&r) = htole16(le16toh(r.used->idx) - 1);
}

/* The driver asks for a signal just as an entry is used. */
static void test_signal_race(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	serve(1);
	*ring_used_event(&r) = htole16(1000);
	ring_add_simple(&r, 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	world.on_barrier = ask_for_signal;
	ring_complete(&r, 0, chain.epoch, 0);
	CHECK_EQ(world_signals(r.call), 2);
	ring_end(&r);
}

static void test_no_interrupt_flag(void)
{
	ring_init(&r, NUM);
	r.cfg.event_idx = false;
	ring_start(&r);
	serve(2);
	CHECK_EQ(world_signals(r.call), 2);
	r.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	serve(2);
	CHECK_EQ(world_signals(r.call), 2);
	r.avail->flags = htole16(~VRING_AVAIL_F_NO_INTERRUPT);
	serve(1);
	CHECK_EQ(world_signals(r.call), 3);
	CHECK_EQ(r.vq.stats.suppressed, 2);
	ring_end(&r);
}

/* --- kicks --- */

static void add_one(void)
{
	world.on_barrier = NULL;
	ring_add_simple(&r, 1);
}

/* The driver adds a chain just as the module asks for a kick. */
static void check_kick_race(bool event_idx)
{
	ring_init(&r, NUM);
	r.cfg.event_idx = event_idx;
	r.cfg.base = 65535;
	ring_start(&r);
	bell_vq_disable_kick(&r.vq);
	CHECK(!bell_vq_enable_kick(&r.vq));
	ring_add_simple(&r, 0);
	CHECK_EQ(ring_serve(&r), 1);
	world.on_barrier = add_one;
	CHECK(bell_vq_enable_kick(&r.vq));
	CHECK_EQ(ring_serve(&r), 1);
	CHECK(!bell_vq_enable_kick(&r.vq));
	ring_end(&r);
}

static void test_kick_race_event(void)
{
	check_kick_race(true);
}

static void test_kick_race_flags(void)
{
	check_kick_race(false);
}

static void test_kick_event(void)
{
	ring_init(&r, NUM);
	r.cfg.base = 65534;
	ring_start(&r);
	for (u16 i = 0; i < 5; i++) {
		u16 next = 65534 + i;

		bell_vq_disable_kick(&r.vq);
		CHECK(!bell_vq_enable_kick(&r.vq));
		CHECK_EQ(ring_avail_event(&r), next);
		CHECK_EQ(r.used->flags, 0);
		ring_add_simple(&r, 0);
		CHECK(bell_vq_enable_kick(&r.vq));
		bell_vq_disable_kick(&r.vq);
		CHECK_EQ(ring_avail_event(&r), next);
		CHECK_EQ(ring_serve(&r), 1);
	}
	ring_end(&r);
}

static void test_kick_flags(void)
{
	ring_init(&r, NUM);
	r.cfg.event_idx = false;
	r.used->flags = htole16(VRING_USED_F_NO_NOTIFY);
	ring_start(&r);
	CHECK_EQ(le16toh(r.used->flags), 0);
	bell_vq_disable_kick(&r.vq);
	CHECK_EQ(le16toh(r.used->flags), VRING_USED_F_NO_NOTIFY);
	bell_vq_enable_kick(&r.vq);
	CHECK_EQ(le16toh(r.used->flags), 0);
	/* Without EVENT_IDX the module writes no event index. */
	CHECK_EQ(ring_avail_event(&r), 0);
	ring_end(&r);
}

/* --- rings of all sizes, past the wrap of the indices --- */

static void check_size(u32 num)
{
	struct bell_chain chain;
	u32 i, round;

	ring_init(&r, num);
	r.cfg.base = 65536 - (num < 3 ? num : num / 2 + 1);
	ring_start(&r);
	for (round = 0; round < 4; round++) {
		u16 used = le16toh(r.used->idx);
		u8 epoch = 0;

		for (i = 0; i < num; i++)
			ring_add_simple(&r, num - 1 - i);
		for (i = 0; i < num; i++) {
			if (ring_take(&r, &chain) != 1 ||
			    chain.head != num - 1 - i)
				break;
			epoch = chain.epoch;
		}
		CHECK_EQ(i, num);
		CHECK_EQ(ring_take(&r, &chain), 0);
		CHECK_EQ(bell_vq_in_flight(&r.vq), num);
		for (i = 0; i < num; i++)
			ring_complete(&r, i, epoch, i);
		for (i = 0; i < num; i++, used++) {
			CHECK_EQ(le32toh(r.used->ring[used % num].id), i);
			CHECK_EQ(le32toh(r.used->ring[used % num].len), i);
		}
		CHECK_EQ(le16toh(r.used->idx), used);
	}
	ring_end(&r);
}

static void test_sizes(void)
{
	for (u32 num = 1; num <= 32768; num *= 2) {
		char name[64];

		tap_begin();
		check_size(num);
		snprintf(name, sizeof(name),
			 "vq_split: a ring of %u, over index 65535", num);
		tap_end(name);
	}
}

static const struct tap_test tests[] = {
	{ "vq_split broken: head in flight twice", test_in_flight_twice },
	{ "vq_split legal: as many pieces as we take", test_most_pieces },
	{ "vq_split legal: a chain of the whole ring", test_longest_direct },
	{ "vq_split legal: indirect table across scattered pages",
	  test_scattered_table },
	{ "vq_split: indirect table that is not pinned",
	  test_table_not_pinned },
	{ "vq_split: each field of a chain is read once", test_read_once },
	{ "vq_split: a signal exactly when used_event is crossed",
	  test_used_event },
	{ "vq_split: the driver begins to wait while we push",
	  test_signal_race },
	{ "vq_split: the driver wants no signals", test_no_interrupt_flag },
	{ "vq_split: a chain is added while kicks come on, event index",
	  test_kick_race_event },
	{ "vq_split: a chain is added while kicks come on, flags",
	  test_kick_race_flags },
	{ "vq_split: avail_event follows", test_kick_event },
	{ "vq_split: kick flags", test_kick_flags },
};

int main(void)
{
	test_goods();
	test_bads();
	TAP_RUN(tests);
	test_sizes();
	return tap_done();
}
