// SPDX-License-Identifier: GPL-2.0
/* vq_coalesce.c: when the driver gets a signal for completions. */
#include "ring.h"
#include "tap.h"

#define NUM	32U

static struct ring r;
static struct bell_chain chain[NUM];

/*
 * Starts a queue whose driver wants a signal for each completion, with @n
 * requests in flight
 */
static void begin(u32 us, u32 count, u32 n)
{
	ring_init(&r, NUM);
	r.cfg.event_idx = false;
	r.signal.coalesce_us = us;
	r.signal.coalesce_count = count;
	ring_start(&r);
	for (u32 i = 0; i < n; i++) {
		ring_add_simple(&r, i);
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	}
}

static void complete(u32 i)
{
	ring_complete(&r, chain[i].head, chain[i].epoch, 1);
}

static bool waits(void)
{
	return r.vq.signal_timer.active;
}

static void test_off(void)
{
	begin(0, 4, 3);
	for (u32 i = 0; i < 3; i++) {
		complete(i);
		CHECK_EQ(world_signals(r.call), i + 1);
	}
	CHECK(!waits());
	CHECK_EQ(r.vq.stats.coalesced, 0);
	ring_end(&r);
}

static void test_count(void)
{
	begin(100, 4, 12);
	for (u32 i = 0; i < 12; i++) {
		complete(i);
		CHECK_EQ(world_signals(r.call), (i + 1) / 4);
		/*
		 * The used ring has the completions, though their signal waits.
		 */
		CHECK_EQ(le16toh(r.used->idx), i + 1);
	}
	CHECK_EQ(r.vq.stats.signals, 3);
	CHECK_EQ(r.vq.stats.coalesced, 9);
	ring_end(&r);
}

static void test_time(void)
{
	begin(100, 4, 12);
	complete(0);
	complete(1);
	CHECK_EQ(world_signals(r.call), 0);
	CHECK(waits());
	CHECK_EQ(r.vq.signal_timer.expires, 100000);
	shim_hrtimer_end(&r.vq.signal_timer);
	CHECK_EQ(world_signals(r.call), 1);
	CHECK_EQ(r.vq.stats.signals, 1);
	/* After a signal the count starts from zero. */
	for (u32 i = 2; i < 6; i++) {
		CHECK_EQ(world_signals(r.call), 1);
		complete(i);
	}
	CHECK_EQ(world_signals(r.call), 2);
	/* A timer that expires late finds nothing to signal. */
	shim_hrtimer_end(&r.vq.signal_timer);
	CHECK_EQ(world_signals(r.call), 2);
	for (u32 i = 6; i < 12; i++)
		complete(i);
	ring_end(&r);
}

/* When the last request in flight completes, all waiting signals are sent. */
static void test_last(void)
{
	begin(10000, NUM, 1);
	complete(0);
	CHECK_EQ(world_signals(r.call), 1);
	CHECK(!waits());
	for (u32 i = 0; i < 3; i++) {
		ring_add_simple(&r, i);
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	}
	complete(2);
	complete(0);
	CHECK_EQ(world_signals(r.call), 1);
	complete(1);
	CHECK_EQ(world_signals(r.call), 2);
	ring_end(&r);
}

/*
 * The last requests were put back: the timer sends the signal for the rest, or
 * the stop does.
 */
static void test_stop(void)
{
	begin(10000, NUM, 2);
	complete(0);
	bell_vq_untake(&r.vq, &chain[1]);
	CHECK_EQ(world_signals(r.call), 0);
	CHECK(waits());
	bell_vq_stop(&r.vq);
	CHECK(!waits());
	CHECK_EQ(world_signals(r.call), 1);
	ring_free(&r);
}

static void test_switched_off(void)
{
	begin(10000, NUM, 4);
	complete(0);
	r.signal.coalesce_us = 0;
	CHECK_EQ(world_signals(r.call), 0);
	complete(1);
	CHECK_EQ(world_signals(r.call), 1);
	complete(2);
	CHECK_EQ(world_signals(r.call), 2);
	complete(3);
	ring_end(&r);
}

/* With EVENT_IDX the driver wants a signal from some entry on. */
static void test_event_idx(void)
{
	ring_init(&r, NUM);
	r.signal.coalesce_us = 100;
	r.signal.coalesce_count = 3;
	ring_start(&r);
	for (u32 i = 0; i < 10; i++) {
		ring_add_simple(&r, i);
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	}
	*ring_used_event(&r) = htole16(2);
	complete(0);
	/* The first completion of a queue is always signalled. */
	shim_hrtimer_end(&r.vq.signal_timer);
	CHECK_EQ(world_signals(r.call), 1);
	complete(1);
	CHECK(!waits());
	complete(2);
	CHECK(waits());
	complete(3);
	CHECK_EQ(world_signals(r.call), 1);
	/*
	 * The driver did not ask for a signal at this entry, but it is the
	 * third since an entry at which it did.
	 */
	complete(4);
	CHECK_EQ(world_signals(r.call), 2);
	CHECK_EQ(r.vq.stats.suppressed, 3);
	for (u32 i = 5; i < 10; i++)
		complete(i);
	CHECK_EQ(world_signals(r.call), 2);
	ring_end(&r);
}

static const struct tap_test tests[] = {
	{ "vq coalesce: off", test_off },
	{ "vq coalesce: by count", test_count },
	{ "vq coalesce: by time", test_time },
	{ "vq coalesce: the last in flight does not wait", test_last },
	{ "vq coalesce: a stop tells the driver", test_stop },
	{ "vq coalesce: switched off while a signal waits", test_switched_off },
	{ "vq coalesce: with an event index", test_event_idx },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
