// SPDX-License-Identifier: GPL-2.0
/* vq.c and vq_split.c: IN_ORDER, and NOTIFY_ON_EMPTY of a legacy driver. */
#include "packed.h"
#include "ring.h"
#include "tap.h"

#define NUM	8U

static struct ring r;
static struct packed p;

static void begin_split(void)
{
	ring_init(&r, NUM);
	r.cfg.in_order = true;
	ring_start(&r);
}

static void complete(struct ring *of, const struct bell_chain *c, u32 len)
{
	ring_complete(of, c->head, c->epoch, len);
}

static u16 used(void)
{
	return le16toh(r.used->idx);
}

/*
 * The newest chain ends first: nothing is used until the oldest one has ended.
 */
static void test_split(void)
{
	struct bell_chain chain[4];

	begin_split();
	/*
	 * Descending heads, so that a head is not mistaken for a place in the
	 * ring.
	 */
	for (u16 i = 0; i < 4; i++) {
		ring_add_simple(&r, 7 - 2 * i);
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	}
	complete(&r, &chain[3], 13);
	complete(&r, &chain[1], 11);
	CHECK_EQ(used(), 0);
	CHECK_EQ(world_signals(r.call), 0);
	/* The head belongs to the device until it is in the used ring. */
	ring_add(&r, chain[3].head);
	CHECK_EQ(ring_take(&r, &(struct bell_chain){}), -EPROTO);
	complete(&r, &chain[0], 10);
	CHECK_EQ(used(), 2);
	CHECK_EQ(world_signals(r.call), 1);
	complete(&r, &chain[2], 12);
	CHECK_EQ(used(), 4);
	for (u32 i = 0; i < 4; i++) {
		CHECK_EQ(le32toh(r.used->ring[i].id), 7 - 2 * i);
		CHECK_EQ(le32toh(r.used->ring[i].len), 10 + i);
	}
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	ring_end(&r);
}

/* The oldest chain completes last: until then none of a full ring is used. */
static void test_split_full(void)
{
	struct bell_chain chain[NUM];

	begin_split();
	for (u16 i = 0; i < NUM; i++) {
		ring_add_simple(&r, i);
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	}
	for (u16 i = NUM; i-- > 1;)
		complete(&r, &chain[i], 1);
	CHECK_EQ(world_signals(r.call), 0);
	complete(&r, &chain[0], 1);
	CHECK_EQ(used(), NUM);
	CHECK_EQ(world_signals(r.call), 1);
	ring_end(&r);
}

/* Many rounds; heads are used again at once, and chains end in random order. */
static void test_split_rounds(void)
{
	struct bell_chain chain[NUM];
	u16 order[NUM], n = 0, seen = 0;
	u32 seed = 1;

	begin_split();
	for (int round = 0; round < 500 && !tap_bad; round++) {
		u32 take = 1 + (seed = seed * 1103515245 + 12345) / 65536 % NUM;

		for (n = 0; n < take; n++) {
			ring_add_simple(&r, (n * 3 + round) % NUM);
			CHECK_EQ(ring_take(&r, &chain[n]), 1);
			order[n] = chain[n].head;
		}
		for (u32 left = n; left; left--) {
			u32 i = (seed = seed * 1103515245 + 12345) / 65536 %
				left;

			complete(&r, &chain[i], chain[i].head);
			chain[i] = chain[left - 1];
		}
		for (u32 i = 0; i < n; i++, seen++) {
			CHECK_EQ(le32toh(r.used->ring[seen % NUM].id),
				 order[i]);
			CHECK_EQ(le32toh(r.used->ring[seen % NUM].len),
				 order[i]);
		}
		CHECK_EQ(used(), seen);
	}
	ring_end(&r);
}

static void test_untake(void)
{
	struct bell_chain first, chain;

	begin_split();
	/*
	 * Twice round the ring, so that the index into the array of the order
	 * wraps, too
	 */
	for (u32 i = 0; i < NUM * 2 + 1 && !tap_bad; i++) {
		ring_add_simple(&r, 2);
		ring_add_simple(&r, 5);
		CHECK_EQ(ring_take(&r, &first), 1);
		CHECK_EQ(ring_take(&r, &chain), 1);
		bell_vq_untake(&r.vq, &chain);
		complete(&r, &first, 1);
		CHECK_EQ(used(), 2 * i + 1);
		CHECK_EQ(ring_serve(&r), 1);
		CHECK_EQ(used(), 2 * i + 2);
		CHECK_EQ(ring_serve(&r), 0);
	}
	ring_end(&r);
}

static void test_packed(void)
{
	struct bell_chain chain[3];
	u16 id;
	u32 len;

	/* A size that is no power of 2, so that places wrap early. */
	packed_init(&p, 3);
	p.r.cfg.in_order = true;
	packed_start(&p);
	for (int round = 0; round < 7 && !tap_bad; round++) {
		for (u16 i = 0; i < 3; i++) {
			packed_add_simple(&p, (i + round) % 3);
			CHECK_EQ(ring_take(&p.r, &chain[i]), 1);
		}
		complete(&p.r, &chain[2], 12);
		complete(&p.r, &chain[1], 11);
		CHECK(!packed_is_used(&p));
		complete(&p.r, &chain[0], 10);
		for (u16 i = 0; i < 3; i++) {
			CHECK(packed_is_used(&p));
			packed_see(&p, &id, &len, 1);
			CHECK_EQ(id, (i + round) % 3);
			CHECK_EQ(len, 10 + i);
		}
		CHECK(!packed_is_used(&p));
	}
	packed_end(&p);
}

static void test_no_memory(void)
{
	ring_init(&r, NUM);
	r.cfg.in_order = true;
	world.fail_alloc = 3;
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), -ENOMEM);
	world.fail_alloc = 0;
	CHECK(!r.vq.order && !r.vq.taken);
	/* Without IN_ORDER there is no array of the order. */
	r.cfg.in_order = false;
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), 0);
	CHECK(!r.vq.order);
	ring_end(&r);
}

/*
 * With the last completion in flight the driver gets a signal, and with no
 * other.
 */
static void check_on_empty(bool event_idx)
{
	unsigned long told;

	ring_init(&r, NUM);
	r.cfg.event_idx = event_idx;
	r.cfg.notify_on_empty = true;
	ring_start(&r);
	/*
	 * With EVENT_IDX the first completion of a queue is always signalled.
	 */
	ring_add_simple(&r, 0);
	ring_serve(&r);
	told = world_signals(r.call);
	r.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	*ring_used_event(&r) = htole16(1000);
	for (u16 i = 1; i < 4; i++)
		ring_add_simple(&r, i);
	ring_serve(&r);
	ring_serve(&r);
	CHECK_EQ(world_signals(r.call), told);
	ring_serve(&r);
	CHECK_EQ(world_signals(r.call), told + 1);
	ring_end(&r);
}

static void test_on_empty(void)
{
	unsigned long told;

	check_on_empty(false);
	check_on_empty(true);
	/* Without NOTIFY_ON_EMPTY there is no signal. */
	ring_begin(&r, NUM);
	ring_add_simple(&r, 0);
	ring_serve(&r);
	told = world_signals(r.call);
	*ring_used_event(&r) = htole16(1000);
	ring_add_simple(&r, 1);
	ring_serve(&r);
	CHECK_EQ(world_signals(r.call), told);
	ring_end(&r);
}

static const struct tap_test tests[] = {
	{ "vq order: split", test_split },
	{ "vq order: a full ring", test_split_full },
	{ "vq order: split, many rounds", test_split_rounds },
	{ "vq order: what is put back", test_untake },
	{ "vq order: packed, of 3 entries", test_packed },
	{ "vq order: no memory", test_no_memory },
	{ "vq: a legacy driver is told that the ring is empty", test_on_empty },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
