// SPDX-License-Identifier: GPL-2.0
/*
 * vq.c: several chains are completed or put back at once.
 *
 * The driver looks after each store of the device: it must see either nothing
 * of a batch or all of it.
 */
#include "packed.h"
#include "tap.h"

#define NUM	8U

static struct packed p;
static struct ring *const r = &p.r;
static struct bell_done done[NUM];
static u32 lens[NUM];			/* lengths by head, in order of completion */

static void on_each_store(void (*look)(const volatile void *p, size_t size))
{
	world.on_write = look;
}

/* Takes @n chains, and fills done[] with the results to complete them with. */
static void take(u32 n)
{
	struct bell_chain chain;

	for (u32 i = 0; i < n; i++) {
		CHECK_EQ(ring_take(r, &chain), 1);
		lens[chain.head] = 100 + i;
		done[i] = (struct bell_done){
			.head = chain.head, .epoch = chain.epoch,
			.len = lens[chain.head],
		};
	}
}

/* --- a driver with a split ring --- */

static u16 seen_idx, batch;		/* used index that the driver saw; size of the next batch */
static unsigned int looks, at_once;

static void split_look(const volatile void *at, size_t size)
{
	u16 idx = le16toh(__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE));

	(void)at;
	(void)size;
	looks++;
	if (idx == seen_idx)
		return;
	CHECK_EQ((u16)(idx - seen_idx), batch);
	for (u16 i = 0; i < batch; i++) {
		const struct vring_used_elem *e =
			&r->used->ring[(u16)(seen_idx + i) % NUM];

		CHECK_EQ(le32toh(e->id), done[i].head);
		CHECK_EQ(le32toh(e->len), done[i].len);
	}
	at_once++;
	seen_idx = idx;
}

static void split_begin(u16 base)
{
	memset(&p, 0, sizeof(p));
	ring_init(r, NUM);
	r->cfg.base = base;
	ring_start(r);
	seen_idx = base;
	looks = 0;
	at_once = 0;
}

static void split_add(u32 n, u16 first)
{
	for (u32 i = 0; i < n; i++)
		ring_add_simple(r, (first + 3 * i) % NUM);
}

static void split_batch(u32 n)
{
	batch = n;
	on_each_store(split_look);
	bell_vq_complete_n(&r->vq, done, n);
	world.on_write = NULL;
}

static void test_split(void)
{
	split_begin(0);
	for (u32 n = 1; n <= NUM; n++) {
		split_add(n, n);
		take(n);
		split_batch(n);
		CHECK_EQ(at_once, n);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	}
	/* At least two stores for each chain, and one for the index. */
	CHECK(looks >= 2 * 36 + NUM);
	CHECK_EQ(r->vq.stats.completed, 36);
	CHECK_EQ(r->vq.stats.requests, 36);
	ring_end(r);
}

/* Batches across the end of the ring and the wrap of the index */
static void test_split_wrap(void)
{
	for (u32 n = 1; n <= NUM; n++) {
		for (u16 base = 65535; base >= 65536 - NUM; base--) {
			split_begin(base);
			split_add(n, 0);
			take(n);
			split_batch(n);
			CHECK_EQ(at_once, 1);
			CHECK_EQ(seen_idx, (u16)(base + n));
			ring_end(r);
			world_reset();
		}
	}
}

/* One signal for a batch if used_event lies in it */
static void test_split_event(void)
{
	for (int event = -2; event <= 6; event++) {
		unsigned long before;

		split_begin(100);
		split_add(1, 0);
		take(1);
		/*
		 * from here on the module knows which index it signalled last
		 */
		split_batch(1);
		*ring_used_event(r) = htole16(101 + event);
		before = world_signals(r->call);
		split_add(5, 1);
		take(5);
		split_batch(5);
		CHECK_EQ(world_signals(r->call) - before,
			 event >= 0 && event < 5);
		CHECK_EQ(r->vq.stats.suppressed,
			 event >= 0 && event < 5 ? 0 : 5);
		ring_end(r);
		world_reset();
	}
}

static void test_flags(void)
{
	memset(&p, 0, sizeof(p));
	ring_init(r, NUM);
	r->cfg.event_idx = false;
	ring_start(r);
	split_add(3, 0);
	take(3);
	bell_vq_complete_n(&r->vq, done, 3);
	CHECK_EQ(world_signals(r->call), 1);
	r->avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	split_add(3, 0);
	take(3);
	bell_vq_complete_n(&r->vq, done, 3);
	CHECK_EQ(world_signals(r->call), 1);
	CHECK_EQ(r->vq.stats.signals, 1);
	CHECK_EQ(r->vq.stats.suppressed, 3);
	ring_end(r);
}

/* A batch takes the lock once. */
static void test_one_lock(void)
{
	unsigned int before;

	split_begin(0);
	split_add(NUM, 0);
	take(NUM);
	before = world.spin_locks;
	split_batch(NUM);
	CHECK_EQ(world.spin_locks - before, 1);
	ring_end(r);
}

static void test_counters(void)
{
	static const struct bell_failure failure = {
		.sector = 8, .kind = BELL_KIND_WRITE, .cause = BELL_CAUSE_IO,
	};

	split_begin(0);
	split_add(3, 0);
	take(3);
	done[0].bytes_read = 100;
	done[1].bytes_written = 7;
	done[1].failure = &failure;
	done[2].bytes_read = 5;
	bell_vq_complete_n(&r->vq, done, 3);
	CHECK_EQ(r->vq.stats.bytes_read, 105);
	CHECK_EQ(r->vq.stats.bytes_written, 7);
	CHECK_EQ(r->vq.stats.errors, 1);
	CHECK_EQ(r->vq.stats.completed, 3);
	ring_end(r);
}

/*
 * Chains of both epochs: each is counted out of the epoch in which it was
 * taken.
 */
static u32 turned;

static void turn(void)
{
	struct bell_chain chain;

	if (!turned++) {
		ring_add_simple(r, 5);
		CHECK_EQ(ring_take(r, &chain), 1);
		done[1] = (struct bell_done){ .head = chain.head,
					      .epoch = chain.epoch };
		CHECK(done[0].epoch != done[1].epoch);
		bell_vq_complete_n(&r->vq, done, 2);
	}
}

static void test_epochs(void)
{
	turned = 0;
	split_begin(0);
	ring_put_desc(ring_at(RING_TABLE), RING_DATA, 1, 0, 0);
	ring_put_desc(&r->desc[0], RING_TABLE, 16, D_INDIRECT, 0);
	ring_add(r, 0);
	take(1);
	world_move(RING_TABLE >> PAGE_SHIFT, 1, 6000);
	world.on_wait = turn;
	world_run_work();
	CHECK(turned);
	CHECK_EQ(world_page_pins(RING_TABLE >> PAGE_SHIFT), 0);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(le16toh(r->used->idx), 2);
	ring_end(r);
}

/* --- a driver with a packed ring --- */

static u32 ndescs[NUM];			/* entries of each chain of the batch */

static void packed_look(const volatile void *at, size_t size)
{
	struct place from = p.seen;
	u16 id;
	u32 len;

	(void)at;
	(void)size;
	looks++;
	if (!packed_is_used(&p))
		return;
	for (u16 i = 0; i < batch; i++) {
		CHECK(packed_is_used(&p));
		packed_see(&p, &id, &len, ndescs[i]);
		CHECK_EQ(id, done[i].head);
		CHECK_EQ(len, done[i].len);
	}
	/*
	 * If the whole ring was used, its next entry looks used from the round
	 * before.
	 */
	if (p.seen.at != from.at)
		CHECK(!packed_is_used(&p));
	at_once++;
}

static void packed_add_chain(u16 id, u32 n)
{
	struct pd d[NUM];

	for (u32 i = 0; i < n; i++)
		d[i] = (struct pd){ RING_DATA + 64 * i, 64,
				    D_WRITE | (i + 1 < n ? D_NEXT : 0), id };
	packed_add(&p, d, n);
}

/* Takes and completes @n chains of @each entries. */
static void packed_batch(u32 n, u32 each)
{
	for (u32 i = 0; i < n; i++) {
		packed_add_chain(NUM - 1 - i, each);
		ndescs[i] = each;
	}
	take(n);
	batch = n;
	on_each_store(packed_look);
	bell_vq_complete_n(&r->vq, done, n);
	world.on_write = NULL;
}

static void test_packed(void)
{
	for (u32 at = 0; at < NUM; at++) {
		for (u32 each = 1; each <= NUM; each++) {
			for (u32 n = 1; n * each <= NUM; n++) {
				packed_init(&p, NUM);
				packed_start_at(&p, (struct place){ at, true });
				at_once = 0;
				packed_batch(n, each);
				packed_batch(n, each);
				CHECK_EQ(at_once, 2);
				CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
				packed_end(&p);
				world_reset();
				if (tap_bad)
					return;
			}
		}
	}
}

static void test_packed_event(void)
{
	for (u32 at = 0; at < NUM; at++) {
		for (int event = -2; event <= 6; event++) {
			struct place from = { at, true }, want;
			unsigned long before;
			bool in = event >= 0 && event < 5;

			packed_init(&p, NUM);
			packed_start_at(&p, from);
			packed_batch(1, 1);
			want = place_go(from, 1, NUM);
			/*
			 * Places count modulo two rounds, so a step back is two
			 * rounds less one step.
			 */
			want = place_go(want, 2 * NUM + event, NUM);
			p.driver->off_wrap = htole16(place_word(want));
			p.driver->flags = htole16(P_DESC);
			before = world_signals(r->call);
			packed_batch(5, 1);
			CHECK_EQ(world_signals(r->call) - before, in);
			CHECK_EQ(r->vq.stats.suppressed, in ? 0 : 5);
			packed_end(&p);
			world_reset();
		}
	}
}

/* --- chains completed in order (IN_ORDER) --- */

static void test_order(bool is_packed)
{
	struct bell_done turn_of[2];

	if (is_packed) {
		packed_init(&p, NUM);
	} else {
		memset(&p, 0, sizeof(p));
		ring_init(r, NUM);
	}
	r->cfg.in_order = true;
	if (is_packed)
		packed_start(&p);
	else
		ring_start(r);
	for (u32 i = 0; i < 5; i++) {
		if (is_packed)
			packed_add_simple(&p, 7 - i);
		else
			ring_add_simple(r, 7 - i);
	}
	take(5);
	/*
	 * Chains 3 and 4 end first and must wait; then chain 1 ends and is put
	 * alone.
	 */
	bell_vq_complete_n(&r->vq, done + 2, 2);
	CHECK_EQ(world_signals(r->call), 0);
	CHECK_EQ(r->vq.stats.completed, 2);
	CHECK_EQ(r->vq.stats.suppressed, 2);
	CHECK_EQ(r->vq.used_idx, 0);
	turn_of[0] = done[4];
	turn_of[1] = done[0];
	bell_vq_complete_n(&r->vq, turn_of, 2);
	CHECK_EQ(r->vq.used_idx, 1);
	CHECK_EQ(world_signals(r->call), 1);
	/* Chain 2 releases all that wait, in one batch. */
	batch = 4;
	memmove(done, done + 1, 4 * sizeof(*done));
	for (u32 i = 0; i < 4; i++)
		ndescs[i] = 1;
	at_once = 0;
	seen_idx = 1;
	p.seen.at = 1;
	on_each_store(is_packed ? packed_look : split_look);
	bell_vq_complete_n(&r->vq, done, 1);
	world.on_write = NULL;
	CHECK_EQ(at_once, 1);
	CHECK_EQ(r->vq.used_idx, 5);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	ring_end(r);
}

static void test_split_order(void)
{
	test_order(false);
}

static void test_packed_order(void)
{
	test_order(true);
}

/* --- coalescing --- */

static void coalesce_begin(u32 us, u32 count)
{
	memset(&p, 0, sizeof(p));
	ring_init(r, NUM);
	r->cfg.event_idx = false;
	r->signal.coalesce_us = us;
	r->signal.coalesce_count = count;
	ring_start(r);
	split_add(NUM, 0);
	take(NUM);
}

static void test_coalesce_count(void)
{
	coalesce_begin(100, 5);
	bell_vq_complete_n(&r->vq, done, 3);
	CHECK_EQ(world_signals(r->call), 0);
	CHECK_EQ(r->vq.stats.coalesced, 3);
	CHECK(r->vq.signal_timer.active);
	CHECK_EQ(r->vq.signal_timer.expires, 100000);
	/*
	 * A batch that exceeds the count is signalled at once, with one signal.
	 */
	bell_vq_complete_n(&r->vq, done + 3, 4);
	CHECK_EQ(world_signals(r->call), 1);
	CHECK_EQ(r->vq.stats.coalesced, 3);
	CHECK_EQ(r->vq.stats.signals, 1);
	bell_vq_complete_n(&r->vq, done + 7, 1);
	CHECK_EQ(world_signals(r->call), 2);
	ring_end(r);
}

static void test_coalesce_time(void)
{
	coalesce_begin(100, NUM);
	shim_now = 1000;
	bell_vq_complete_n(&r->vq, done, 2);
	shim_hrtimer_end(&r->vq.signal_timer);
	CHECK_EQ(world_signals(r->call), 1);
	/*
	 * The timer starts with the first completion that waits, not with each
	 * batch.
	 */
	bell_vq_complete_n(&r->vq, done + 2, 2);
	CHECK(r->vq.signal_timer.active);
	r->vq.signal_timer.active = false;
	bell_vq_complete_n(&r->vq, done + 4, 2);
	CHECK(!r->vq.signal_timer.active);
	r->vq.signal_timer.active = true;
	shim_hrtimer_end(&r->vq.signal_timer);
	CHECK_EQ(world_signals(r->call), 2);
	/* When nothing is left in flight the signal does not wait. */
	bell_vq_complete_n(&r->vq, done + 6, 2);
	CHECK_EQ(world_signals(r->call), 3);
	shim_now = 0;
	ring_end(r);
}

static void test_coalesce_unwanted(void)
{
	coalesce_begin(100, NUM);
	r->avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	bell_vq_complete_n(&r->vq, done, NUM);
	CHECK_EQ(world_signals(r->call), 0);
	CHECK(!r->vq.signal_timer.active);
	CHECK_EQ(r->vq.stats.suppressed, NUM);
	CHECK_EQ(r->vq.stats.coalesced, 0);
	ring_end(r);
}

/* --- putting chains back --- */

static void check_put_back(u32 n)
{
	struct bell_done before[NUM];
	u16 at = r->vq.last_avail;
	bool wrap = r->vq.avail_wrap;

	take(n);
	memcpy(before, done, sizeof(before));
	bell_vq_untake_n(&r->vq, done, n);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(r->vq.last_avail, at);
	CHECK_EQ(r->vq.avail_wrap, wrap);
	CHECK_EQ(r->vq.stats.requests, r->vq.stats.completed);
	CHECK(bell_vq_pending(&r->vq));
	for (u32 i = 0; i < NUM; i++)
		CHECK_EQ(r->vq.taken[i], 0);
	take(n);
	for (u32 i = 0; i < n; i++)
		CHECK_EQ(done[i].head, before[i].head);
}

static void test_put_back_split(void)
{
	for (u16 base = 65535; base >= 65536 - NUM; base--) {
		split_begin(base);
		split_add(6, base);
		check_put_back(6);
		split_batch(6);
		/* Put back some of the taken chains. */
		split_add(6, base);
		take(6);
		bell_vq_untake_n(&r->vq, done + 2, 4);
		bell_vq_untake_n(&r->vq, done, 0);
		split_batch(2);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		check_put_back(4);
		split_batch(4);
		ring_end(r);
		world_reset();
	}
}

static void test_put_back_packed(void)
{
	for (u32 at = 0; at < NUM; at++) {
		packed_init(&p, NUM);
		packed_start_at(&p, (struct place){ at, true });
		at_once = 0;
		for (u32 i = 0; i < 3; i++) {
			ndescs[i] = 1 + i;
			packed_add_chain(5 - i, 1 + i);
		}
		check_put_back(3);
		batch = 3;
		on_each_store(packed_look);
		bell_vq_complete_n(&r->vq, done, 3);
		world.on_write = NULL;
		CHECK_EQ(at_once, 1);
		packed_end(&p);
		world_reset();
	}
}

static void test_put_back_order(void)
{
	memset(&p, 0, sizeof(p));
	ring_init(r, NUM);
	r->cfg.in_order = true;
	ring_start(r);
	for (u32 round = 0; round < 4 * NUM; round++) {
		seen_idx = r->vq.used_idx;
		at_once = 0;
		split_add(5, round);
		check_put_back(5);
		split_batch(5);
		CHECK_EQ(at_once, 1);
	}
	ring_end(r);
}

/* --- copying between a buffer and a chain --- */

static const struct bell_seg seg[] = {
	{ RING_DATA + PAGE_SIZE - 3, 5 },	/* crosses the end of a page */
	{ RING_DATA + 7 * PAGE_SIZE, 1 },
	{ RING_DATA + 3 * PAGE_SIZE + 10, 2 * PAGE_SIZE },
};

#define ALL	(6 + 2 * PAGE_SIZE)

static u8 *byte_of(u32 i)
{
	for (u32 s = 0; s < 3; s++) {
		if (i < seg[s].len)
			return ring_at(seg[s].addr + i);
		i -= seg[s].len;
	}
	shim_die("no byte %u", i);
}

/* Copy in two parts, cut at each place. */
static void test_copy(void)
{
	static u8 buf[ALL];

	split_begin(0);
	for (u32 cut = 0; cut <= ALL; cut += cut < 20 ? 1 : 511) {
		struct bell_vq_cursor cur = { .seg = seg };

		for (u32 i = 0; i < ALL; i++)
			buf[i] = i * 7 + cut;
		CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, cut, true, true),
			 0);
		CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf + cut, ALL - cut,
					    true, true), 0);
		CHECK(cur.seg == seg + 3 && !cur.skip);
		for (u32 i = 0; i < ALL; i++)
			CHECK_EQ(*byte_of(i), buf[i]);
		memset(buf, 0, sizeof(buf));
		cur = (struct bell_vq_cursor){ .seg = seg };
		CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, ALL, false,
					    false), 0);
		for (u32 i = 0; i < ALL; i++)
			CHECK_EQ(buf[i], (u8)(i * 7 + cut));
		if (tap_bad)
			break;
	}
	ring_end(r);
}

static void test_copy_fails(void)
{
	const struct bell_seg out[] = { { RING_DATA, 4 }, { RING_END - 1, 2 } };
	const struct bell_seg wrap[] = { { ~0ULL - 3, 16 } };
	struct bell_vq_cursor cur = { .seg = out };
	u8 buf[16] = { };

	split_begin(0);
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, 6, false, false),
		 -EAGAIN);
	cur = (struct bell_vq_cursor){ .seg = out };
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, 5, false, true), 0);
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, 1, false, true),
		 -EFAULT);
	cur = (struct bell_vq_cursor){ .seg = wrap, .skip = 8 };
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, 4, true, true),
		 -EFAULT);
	cur = (struct bell_vq_cursor){ .seg = out };
	world_punch(RING_DATA >> PAGE_SHIFT, 1);
	world_run_work();
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, 4, false, true),
		 -EFAULT);
	world_map(RING_DATA >> PAGE_SHIFT, 1, RING_DATA >> PAGE_SHIFT);
	world_exit_mm();
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, buf, 4, false, true), 0);
	ring_end(r);
}

static const struct tap_test tests[] = {
	{ "vq batch: split ring, seen at once", test_split },
	{ "vq batch: split ring, over its end", test_split_wrap },
	{ "vq batch: split ring, event index", test_split_event },
	{ "vq batch: split ring, flags", test_flags },
	{ "vq batch: one lock", test_one_lock },
	{ "vq batch: counters", test_counters },
	{ "vq batch: of two epochs", test_epochs },
	{ "vq batch: packed ring, seen at once", test_packed },
	{ "vq batch: packed ring, event index", test_packed_event },
	{ "vq batch: split ring in order", test_split_order },
	{ "vq batch: packed ring in order", test_packed_order },
	{ "vq batch: coalesced up to a count", test_coalesce_count },
	{ "vq batch: coalesced for a time", test_coalesce_time },
	{ "vq batch: coalesced, and not wanted", test_coalesce_unwanted },
	{ "vq batch: put back, split ring", test_put_back_split },
	{ "vq batch: put back, packed ring", test_put_back_packed },
	{ "vq batch: put back, in order", test_put_back_order },
	{ "vq chain: copied in any two pieces", test_copy },
	{ "vq chain: what cannot be copied", test_copy_fails },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
