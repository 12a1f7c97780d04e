// SPDX-License-Identifier: GPL-2.0
/* vq_packed.c: signals, kicks, positions in the ring, all sizes. */
#include <stdlib.h>

#include "packed.h"
#include "tap.h"

#define NUM	8U

static struct packed p;

/* Place @at counts from the first round, whose wrap counter is 1. */
static struct place place_of(int at, u32 num)
{
	return (struct place){ at % num, !(at / num & 1) };
}

/* --- signals --- */

/* Takes and completes @n entries, in chains of @each. */
static void serve(u32 n, u32 each)
{
	struct pd d[NUM];
	struct bell_chain chain;
	u16 id;
	u32 len;

	for (u32 i = 0; i < each; i++)
		d[i] = (struct pd){ RING_DATA, 1, i + 1 < each ? D_NEXT : 0, 0 };
	for (; n; n -= each) {
		packed_add(&p, d, each);
		CHECK_EQ(ring_take(&p.r, &chain), 1);
		ring_complete(&p.r, chain.head, chain.epoch, 0);
		CHECK(packed_is_used(&p));
		packed_see(&p, &id, &len, each);
	}
}

static void ask(struct place at)
{
	p.driver->off_wrap = htole16(place_word(at));
	p.driver->flags = htole16(P_DESC);
}

/*
 * Entries @old to @new - 1 are used, in chains of @each. The driver gets a
 * signal if and only if the place that it asked for is one of them. That place
 * may be anywhere in two rounds.
 */
static void check_crossed(u32 num, int old, int new, u32 each)
{
	for (int event = new - (int)num; event < new + (int)num; event++) {
		unsigned long before;

		if (event < 0)
			continue;
		packed_init(&p, num);
		packed_start_at(&p, place_of(old - 1, num));
		p.driver->flags = htole16(P_DISABLE);
		/*
		 * After this signal the module knows at which position it
		 * signalled last.
		 */
		serve(1, 1);
		ask(place_of(event, num));
		before = world_signals(p.r.call);
		serve(new - old, each);
		CHECK_EQ(world_signals(p.r.call) - before,
			 event >= old && event < new);
		if (tap_bad)
			printf("# ring of %u, %d to %d by %u, event %d\n", num,
			       old, new, each, event);
		CHECK_EQ(p.r.vq.stats.signals + p.r.vq.stats.suppressed,
			 p.r.vq.stats.completed);
		packed_end(&p);
		world_reset();
		if (tap_bad)
			return;
	}
}

static void test_event_crossed(void)
{
	static const u32 nums[] = { 1, 2, 3, 7, 8 };

	for (size_t i = 0; i < sizeof(nums) / sizeof(*nums); i++) {
		int num = nums[i];

		for (int old = num; old < 3 * num && !tap_bad; old++) {
			for (int n = 1; n <= num && !tap_bad; n++) {
				check_crossed(num, old, old + n, 1);
				check_crossed(num, old, old + n, n);
			}
		}
	}
}

/* Distances at the limits of 16-bit arithmetic. */
static void test_event_large(void)
{
	static const int shift[] = { -32767, -32766, -100, -2, -1, 0, 1, 2, 99,
				     100, 32766, 32767 };
	const u32 num = 32768;
	const int olds[] = { num + 5, num + 32667, num + 32668, 2 * num };

	for (size_t o = 0; o < 4; o++) {
		packed_init(&p, num);
		packed_start_at(&p, place_of(olds[o] - 1, num));
		p.driver->flags = htole16(P_DISABLE);
		serve(1, 1);
		for (size_t i = 0; i < sizeof(shift) / sizeof(*shift); i++) {
			int old = olds[o] + 100 * i;
			unsigned long before = world_signals(p.r.call);

			ask(place_of(old + shift[i], num));
			serve(100, 1);
			CHECK_EQ(world_signals(p.r.call) - before,
				 shift[i] >= 0 && shift[i] < 100);
		}
		packed_end(&p);
		world_reset();
	}
}

/*
 * A whole round used at once crosses each place, except those of the next
 * round.
 */
static void test_event_whole_ring(void)
{
	const int num = 32768;
	const int offs[] = { -1, 0, 1, num - 1, num, num + 1, 2 * num - 2 };
	struct pd *d = calloc(num, sizeof(*d));
	struct bell_chain chain;
	u16 id;
	u32 len;

	for (int i = 0; i < num; i++)
		d[i] = (struct pd){ RING_DATA, 1, i + 1 < num ? D_NEXT : 0, 0 };
	packed_init(&p, num);
	packed_start_at(&p, place_of(num + 4, num));
	p.driver->flags = htole16(P_DISABLE);
	serve(1, 1);
	for (size_t i = 0; i < sizeof(offs) / sizeof(*offs); i++) {
		unsigned long before = world_signals(p.r.call);

		ask(place_go(p.next, (offs[i] + 2 * num) % (2 * num), num));
		packed_add(&p, d, num);
		CHECK_EQ(ring_take(&p.r, &chain), 1);
		ring_complete(&p.r, 0, chain.epoch, 0);
		packed_see(&p, &id, &len, num);
		CHECK_EQ(world_signals(p.r.call) - before,
			 offs[i] >= 0 && offs[i] < num);
	}
	packed_end(&p);
	free(d);
}

static void test_event_flags(void)
{
	static const struct {
		u16 flags;
		bool event_idx, signal;
	} rows[] = {
		{ P_ENABLE, false, true }, { P_ENABLE, true, true },
		{ P_DISABLE, false, false }, { P_DISABLE, true, false },
		/*
		 * Event suppression flags that were not negotiated or are
		 * reserved: signal, to be safe.
		 */
		{ P_DESC, false, true }, { 3, false, true }, { 3, true, true },
		{ P_DESC, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		packed_init(&p, NUM);
		p.r.cfg.event_idx = rows[i].event_idx;
		packed_start(&p);
		p.driver->flags = htole16(P_DISABLE);
		serve(1, 1);
		CHECK_EQ(world_signals(p.r.call), 0);
		/*
		 * The driver asks for a signal at a position that is not
		 * reached.
		 */
		ask(place_of(7, NUM));
		p.driver->flags = htole16(rows[i].flags);
		serve(2, 1);
		CHECK_EQ(world_signals(p.r.call), rows[i].signal ? 2 : 0);
		packed_end(&p);
		world_reset();
	}
}

/*
 * Before the first completion it is not known which place was signalled last.
 */
static void test_event_first(void)
{
	packed_begin(&p, NUM);
	ask(place_of(5, NUM));
	serve(1, 1);
	CHECK_EQ(world_signals(p.r.call), 1);
	serve(1, 1);
	CHECK_EQ(world_signals(p.r.call), 1);
	p.r.cfg.base = bell_vq_stop(&p.r.vq);
	CHECK_EQ(bell_vq_start(&p.r.vq, p.r.gm, &p.r.cfg), 0);
	serve(2, 1);
	CHECK_EQ(world_signals(p.r.call), 2);
	packed_end(&p);
}

static void ask_for_signal(void)
{
	world.on_barrier = NULL;
	/*
	 * The driver asks for a signal at the entry that was just used, before
	 * it has seen that it was used.
	 */
	ask(p.seen);
}

/* The driver asks for a signal just as an entry is used. */
static void test_signal_race(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	p.driver->flags = htole16(P_DISABLE);
	serve(3, 1);
	packed_add_simple(&p, 0);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	world.on_barrier = ask_for_signal;
	ring_complete(&p.r, 0, chain.epoch, 0);
	CHECK_EQ(world_signals(p.r.call), 1);
	packed_end(&p);
}

/* The id must be free before the driver can see its completion. */
static void retake(void)
{
	struct bell_chain chain;

	world.on_barrier = NULL;
	packed_add_simple(&p, 6);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK_EQ(chain.head, 6);
}

static void test_reuse_at_once(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	packed_add_simple(&p, 6);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	world.on_barrier = retake;
	ring_complete(&p.r, 6, chain.epoch, 1);
	CHECK(!p.r.vq.broken);
	CHECK_EQ(bell_vq_in_flight(&p.r.vq), 1);
	ring_complete(&p.r, 6, chain.epoch, 1);
	packed_end(&p);
}

/* --- kicks --- */

static void test_kick_event(void)
{
	packed_init(&p, NUM);
	p.device->flags = htole16(P_DISABLE);
	packed_start_at(&p, place_of(5, NUM));
	/* At the start kicks are enabled. */
	CHECK_EQ(le16toh(p.device->flags), P_ENABLE);
	for (int i = 0; i < 20; i++) {
		u16 next = place_word(place_of(5 + i, NUM));

		bell_vq_disable_kick(&p.r.vq);
		CHECK(!bell_vq_enable_kick(&p.r.vq));
		CHECK_EQ(le16toh(p.device->flags), P_DESC);
		CHECK_EQ(le16toh(p.device->off_wrap), next);
		packed_add_simple(&p, 0);
		CHECK(bell_vq_enable_kick(&p.r.vq));
		/*
		 * To disable kicks the module leaves the event offset at an old
		 * position, which no new entry reaches.
		 */
		bell_vq_disable_kick(&p.r.vq);
		CHECK_EQ(le16toh(p.device->flags), P_DESC);
		CHECK_EQ(le16toh(p.device->off_wrap), next);
		CHECK_EQ(ring_serve(&p.r), 1);
	}
	bell_vq_disable_kick(&p.r.vq);
	bell_vq_stop(&p.r.vq);
	/*
	 * A stop asks for a kick at the next entry: the next back end may not
	 * know the old place.
	 */
	CHECK_EQ(le16toh(p.device->flags), P_DESC);
	CHECK_EQ(le16toh(p.device->off_wrap), place_word(p.next));
	ring_free(&p.r);
}

static void test_kick_flags(void)
{
	packed_init(&p, NUM);
	p.r.cfg.event_idx = false;
	p.device->flags = htole16(P_DISABLE);
	p.device->off_wrap = htole16(0x1234);
	packed_start(&p);
	CHECK_EQ(le16toh(p.device->flags), P_ENABLE);
	bell_vq_disable_kick(&p.r.vq);
	CHECK_EQ(le16toh(p.device->flags), P_DISABLE);
	CHECK(!bell_vq_enable_kick(&p.r.vq));
	CHECK_EQ(le16toh(p.device->flags), P_ENABLE);
	bell_vq_disable_kick(&p.r.vq);
	/* Without EVENT_IDX the module does not write the event offset. */
	CHECK_EQ(le16toh(p.device->off_wrap), 0x1234);
	bell_vq_stop(&p.r.vq);
	CHECK_EQ(le16toh(p.device->flags), P_ENABLE);
	ring_free(&p.r);
}

static void add_one(void)
{
	world.on_barrier = NULL;
	packed_add_simple(&p, 1);
}

/* The driver adds a chain just as the module asks for a kick. */
static void check_kick_race(bool event_idx, int from)
{
	packed_init(&p, NUM);
	p.r.cfg.event_idx = event_idx;
	packed_start_at(&p, place_of(from, NUM));
	bell_vq_disable_kick(&p.r.vq);
	CHECK(!bell_vq_enable_kick(&p.r.vq));
	packed_add_simple(&p, 0);
	CHECK_EQ(ring_serve(&p.r), 1);
	world.on_barrier = add_one;
	CHECK(bell_vq_enable_kick(&p.r.vq));
	CHECK_EQ(ring_serve(&p.r), 1);
	CHECK(!bell_vq_enable_kick(&p.r.vq));
	packed_end(&p);
	world_reset();
}

static void test_kick_race(void)
{
	for (int from = NUM - 3; from < 2 * (int)NUM + 1; from++) {
		check_kick_race(true, from);
		check_kick_race(false, from);
	}
}

/* --- wrap counters, bases and areas --- */

/*
 * An entry is available if its AVAIL bit equals the wrap counter and its USED
 * bit does not.
 */
static void test_whose(void)
{
	for (int from = 0; from < 2; from++) {
		packed_init(&p, 1);
		packed_start_at(&p, place_of(from, 1));
		for (u32 bits = 0; bits < 4; bits++) {
			bool avail = bits & 1, used = bits & 2;
			bool ours = avail == !from && used == !!from;
			u16 own = (avail ? P_AVAIL : 0) | (used ? P_USED : 0);
			struct bell_chain chain;

			packed_put_desc(p.desc, &(struct pd){ RING_DATA, 1, 0,
							      0 }, own);
			CHECK_EQ(bell_vq_enable_kick(&p.r.vq), ours);
			CHECK_EQ(ring_take(&p.r, &chain), ours);
			if (ours)
				bell_vq_untake(&p.r.vq, &chain);
		}
		packed_end(&p);
		world_reset();
	}
}

/* A chain of any length can be put back, also across the end of the ring. */
static void test_untake(void)
{
	struct pd d[NUM];
	struct bell_chain chain, behind;

	for (u32 from = 0; from < 2 * NUM; from++) {
		for (u32 n = 1; n <= NUM; n++) {
			struct place at = place_of(from, NUM);
			u32 base = packed_base(at, at);

			for (u32 i = 0; i < n; i++)
				d[i] = (struct pd){ RING_DATA, 1,
						    i + 1 < n ? D_NEXT : 0, 4 };
			packed_init(&p, NUM);
			packed_start_at(&p, at);
			packed_add(&p, d, n);
			if (n < NUM)
				packed_add_simple(&p, 2);
			for (int i = 0; i < 3; i++) {
				CHECK_EQ(ring_take(&p.r, &chain), 1);
				CHECK_EQ(chain.head, 4);
				CHECK_EQ(chain.nout, n);
				bell_vq_untake(&p.r.vq, &chain);
				CHECK_EQ(bell_vq_in_flight(&p.r.vq), 0);
				CHECK_EQ(p.r.vq.stats.requests, 0);
			}
			CHECK_EQ(ring_take(&p.r, &chain), 1);
			if (n < NUM) {
				CHECK_EQ(ring_take(&p.r, &behind), 1);
				CHECK_EQ(behind.head, 2);
				bell_vq_untake(&p.r.vq, &behind);
				/*
				 * Enabling kicks reports the chain that waits.
				 */
				CHECK(bell_vq_enable_kick(&p.r.vq));
			}
			CHECK_EQ(bell_vq_in_flight(&p.r.vq), 1);
			bell_vq_untake(&p.r.vq, &chain);
			CHECK_EQ(bell_vq_stop(&p.r.vq), base);
			ring_free(&p.r);
			world_reset();
		}
	}
}

/* GET_VRING_BASE for each place in both rounds: as set, and after one chain. */
static void test_base(void)
{
	static const u32 nums[] = { 1, 3, 8, 300, 32768 };

	for (size_t i = 0; i < sizeof(nums) / sizeof(*nums); i++) {
		u32 num = nums[i];
		const int ats[] = { 0, num / 2, num - 1, num, num + num / 2,
				    2 * num - 1 };

		for (int a = 0; a < 36; a++) {
			struct place avail = place_of(ats[a / 6], num);
			struct place used = place_of(ats[a % 6], num);

			packed_init(&p, num);
			p.r.cfg.base = packed_base(avail, used);
			CHECK_EQ(bell_vq_start(&p.r.vq, p.r.gm, &p.r.cfg), 0);
			CHECK_EQ(bell_vq_stop(&p.r.vq), p.r.cfg.base);
			packed_start_at(&p, avail);
			packed_add_simple(&p, 0);
			CHECK_EQ(ring_serve(&p.r), 1);
			CHECK_EQ(bell_vq_stop(&p.r.vq),
				 packed_base(p.next, p.next));
			CHECK_EQ(le16toh(p.device->off_wrap),
				 place_word(p.next));
			ring_free(&p.r);
			world_reset();
		}
	}
}

/*
 * The queue stops and starts in the middle: the rest is served, and only once.
 */
static void test_restart(void)
{
	struct bell_chain chain;
	u16 id;
	u32 len;

	packed_init(&p, 5);
	packed_start_at(&p, place_of(3, 5));
	for (u16 i = 0; i < 5; i++)
		packed_add_simple(&p, i);
	for (u16 i = 0; i < 3; i++)
		CHECK_EQ(ring_serve(&p.r), 1);
	p.r.cfg.base = bell_vq_stop(&p.r.vq);
	CHECK_EQ(world.pins, 0);
	CHECK_EQ(p.r.cfg.base, packed_base(place_of(6, 5), place_of(6, 5)));
	CHECK_EQ(bell_vq_start(&p.r.vq, p.r.gm, &p.r.cfg), 0);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK_EQ(chain.head, 3);
	ring_complete(&p.r, chain.head, chain.epoch, 1);
	CHECK_EQ(ring_serve(&p.r), 1);
	CHECK_EQ(ring_serve(&p.r), 0);
	for (u16 i = 0; i < 5; i++) {
		CHECK(packed_is_used(&p));
		packed_see(&p, &id, &len, 1);
		CHECK_EQ(id, i);
	}
	CHECK(!packed_is_used(&p));
	CHECK_EQ(p.r.vq.stats.completed, 5);
	packed_end(&p);
}

/* The areas of a packed ring have other sizes than those of a split ring. */
static void test_start_outside(void)
{
	static const struct {
		u64 desc, avail, used;
		int ret;
	} rows[] = {
		{ RING_END - 16 * 3, RING_AVAIL, RING_USED, 0 },
		{ RING_END - 16 * 2, RING_AVAIL, RING_USED, -EFAULT },
		{ RING_DESC, RING_END - 4, RING_USED, 0 },
		{ RING_DESC, RING_END - 2, RING_USED, -EFAULT },
		{ RING_DESC, RING_AVAIL, RING_END - 4, 0 },
		{ RING_DESC, RING_AVAIL, RING_END, -EFAULT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		packed_init(&p, 3);
		p.r.cfg.desc_uaddr = WORLD_UADDR + rows[i].desc;
		p.r.cfg.avail_uaddr = WORLD_UADDR + rows[i].avail;
		p.r.cfg.used_uaddr = WORLD_UADDR + rows[i].used;
		CHECK_EQ(bell_vq_covered(&p.r.cfg, p.r.gm), !rows[i].ret);
		CHECK_EQ(bell_vq_start(&p.r.vq, p.r.gm, &p.r.cfg), rows[i].ret);
		if (!rows[i].ret)
			bell_vq_stop(&p.r.vq);
		CHECK_EQ(world.pins, 0);
		ring_free(&p.r);
		world_reset();
	}
}

/* --- rings of all sizes, past their end --- */

static u32 order_of(u32 i, u32 num, int way)
{
	switch (way) {
	case 0:
		return i;
	case 1:
		return num - 1 - i;
	default:
		return (i + num / 2) % num;
	}
}

/*
 * All entries are in flight and complete in different orders; ids change each
 * round.
 */
static void check_size(u32 num, int way)
{
	struct bell_chain *chain = calloc(num, sizeof(*chain));
	struct bell_chain none;
	u32 i, len;
	u16 id;

	packed_init(&p, num);
	packed_start_at(&p, place_of(num - 1 - num / 3, num));
	for (u32 round = 0; round < 4; round++) {
		for (i = 0; i < num; i++)
			packed_add_simple(&p, (i + round) % num);
		for (i = 0; i < num; i++) {
			CHECK_EQ(ring_take(&p.r, &chain[i]), 1);
			CHECK_EQ(chain[i].head, (i + round) % num);
		}
		CHECK_EQ(ring_take(&p.r, &none), 0);
		CHECK_EQ(bell_vq_in_flight(&p.r.vq), num);
		CHECK(!packed_is_used(&p));
		for (i = 0; i < num; i++) {
			const struct bell_chain *c =
				&chain[order_of(i, num, way)];

			ring_complete(&p.r, c->head, c->epoch, c->head + 1);
		}
		for (i = 0; i < num; i++) {
			CHECK(packed_is_used(&p));
			packed_see(&p, &id, &len, 1);
			CHECK_EQ(id, chain[order_of(i, num, way)].head);
			CHECK_EQ(len, id + 1U);
		}
		CHECK(!packed_is_used(&p));
	}
	packed_end(&p);
	free(chain);
}

static void test_sizes(void)
{
	static const u32 nums[] = { 1, 2, 3, 7, 8, 300, 32767, 32768 };
	static const char * const ways[] = { "in order", "backwards",
					     "in another order" };

	for (size_t i = 0; i < sizeof(nums) / sizeof(*nums); i++) {
		for (int way = 0; way < 3; way++) {
			char name[80];

			tap_begin();
			check_size(nums[i], way);
			snprintf(name, sizeof(name),
				 "vq_packed: a full ring of %u, completed %s",
				 nums[i], ways[way]);
			tap_end(name);
		}
	}
}

/*
 * Chains of several entries complete in reverse order: each used entry skips
 * the length of its own chain.
 */
static void test_skip(void)
{
	static const u32 sizes[] = { 3, 1, 2 };
	struct bell_chain chain[3];
	struct pd d[3];
	u16 id;
	u32 len;

	packed_init(&p, 7);
	packed_start_at(&p, place_of(4, 7));
	for (int round = 0; round < 15; round++) {
		for (u16 c = 0; c < 3; c++) {
			for (u32 i = 0; i < sizes[c]; i++)
				d[i] = (struct pd){ RING_DATA, 1, i + 1 <
						    sizes[c] ? D_NEXT : 0, c };
			packed_add(&p, d, sizes[c]);
			CHECK_EQ(ring_take(&p.r, &chain[c]), 1);
		}
		for (int c = 2; c >= 0; c--)
			ring_complete(&p.r, c, chain[c].epoch, 5 * c);
		for (int c = 2; c >= 0; c--) {
			CHECK(packed_is_used(&p));
			packed_see(&p, &id, &len, sizes[c]);
			CHECK_EQ(id, c);
			CHECK_EQ(len, 5 * c);
		}
		CHECK(!packed_is_used(&p));
	}
	packed_end(&p);
}

static const struct tap_test tests[] = {
	{ "vq_packed: a signal exactly when the place is crossed",
	  test_event_crossed },
	{ "vq_packed: the same in the largest ring", test_event_large },
	{ "vq_packed: a whole round at once", test_event_whole_ring },
	{ "vq_packed: the driver's event flags", test_event_flags },
	{ "vq_packed: the first completion is signalled", test_event_first },
	{ "vq_packed: the driver begins to wait while we push",
	  test_signal_race },
	{ "vq_packed: an id is free before the driver sees it used",
	  test_reuse_at_once },
	{ "vq_packed: the device's place follows", test_kick_event },
	{ "vq_packed: kick flags", test_kick_flags },
	{ "vq_packed: a chain is added while kicks come on", test_kick_race },
	{ "vq_packed: whose an entry is", test_whose },
	{ "vq_packed: put back and taken again, over the end", test_untake },
	{ "vq_packed: base, given and taken", test_base },
	{ "vq_packed: stopped, and started where it was", test_restart },
	{ "vq_packed: rings outside of memory", test_start_outside },
	{ "vq_packed: chains of several entries, backwards", test_skip },
};

int main(void)
{
	TAP_RUN(tests);
	test_sizes();
	return tap_done();
}
