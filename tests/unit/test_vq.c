// SPDX-License-Identifier: GPL-2.0
/*
 * vq.c and callfd.c: starting a queue, taking and putting back chains,
 * counters, signals.
 */
#include "ring.h"
#include "tap.h"

#define NUM	8U

static struct ring r;

static void test_restart(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	for (u16 i = 0; i < 5; i++)
		ring_add_simple(&r, i);
	for (u16 i = 0; i < 3; i++)
		CHECK_EQ(ring_serve(&r), 1);
	bell_vq_stop(&r.vq);
	CHECK_EQ(world.pins, 0);
	/*
	 * Restart at the index that GET_VRING_BASE gives; the used index is in
	 * the ring itself.
	 */
	r.cfg.base = r.vq.last_avail;
	CHECK_EQ(r.cfg.base, 3);
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.head, 3);
	ring_complete(&r, chain.head, chain.epoch, 1);
	CHECK_EQ(le16toh(r.used->idx), 4);
	CHECK_EQ(le32toh(r.used->ring[3].id), 3);
	CHECK_EQ(ring_serve(&r), 1);
	CHECK_EQ(ring_serve(&r), 0);
	CHECK_EQ(r.vq.stats.requests, 5);
	CHECK_EQ(r.vq.stats.completed, 5);
	ring_end(&r);
}

static void test_untake(void)
{
	struct bell_chain chain;

	ring_init(&r, NUM);
	r.cfg.base = 65535;
	ring_start(&r);
	ring_add_simple(&r, 4);
	ring_add_simple(&r, 2);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(ring_take(&r, &chain), 1);
		CHECK_EQ(chain.head, 4);
		bell_vq_untake(&r.vq, &chain);
		CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
		CHECK_EQ(r.vq.stats.requests, 0);
		CHECK_EQ(r.vq.last_avail, 65535);
	}
	CHECK_EQ(ring_serve(&r), 1);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.head, 2);
	bell_vq_untake(&r.vq, &chain);
	/* Enabling kicks reports the chains that wait in the ring. */
	CHECK(bell_vq_enable_kick(&r.vq));
	CHECK_EQ(ring_serve(&r), 1);
	CHECK_EQ(ring_serve(&r), 0);
	ring_end(&r);
}

static struct bell_chain last;
static unsigned int waits;

static void complete_last(void)
{
	if (!waits++)
		ring_complete(&r, last.head, last.epoch, 1);
}

/* The last completion wakes the waiter, which does not need its timeout. */
static void test_drain(void)
{
	ring_begin(&r, NUM);
	ring_add_simple(&r, 1);
	CHECK_EQ(ring_take(&r, &last), 1);
	world.on_wait = complete_last;
	CHECK(bell_gmem_user_drain(&r.vq.user, 1));
	CHECK_EQ(waits, 1);
	ring_end(&r);
}

static void test_out_of_order(void)
{
	struct bell_chain chain[3];

	ring_begin(&r, NUM);
	for (u16 i = 0; i < 3; i++) {
		ring_add_simple(&r, i);
		CHECK_EQ(ring_take(&r, &chain[i]), 1);
	}
	for (int i = 2; i >= 0; i--)
		ring_complete(&r, chain[i].head, chain[i].epoch, 10 + i);
	for (u32 i = 0; i < 3; i++) {
		CHECK_EQ(le32toh(r.used->ring[i].id), 2 - i);
		CHECK_EQ(le32toh(r.used->ring[i].len), 12 - i);
	}
	ring_end(&r);
}

static void test_counters(void)
{
	static const struct bell_failure failure = {
		.sector = 8, .kind = BELL_KIND_WRITE, .cause = BELL_CAUSE_IO,
	};
	struct bell_done done = { .len = 1, .bytes_read = 4096 };
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 0);
	ring_take(&r, &chain);
	done.epoch = chain.epoch;
	bell_vq_complete(&r.vq, &done);
	ring_add_simple(&r, 0);
	ring_take(&r, &chain);
	done = (struct bell_done){ .bytes_written = 512, .failure = &failure,
				   .epoch = chain.epoch };
	bell_vq_complete(&r.vq, &done);
	CHECK_EQ(r.vq.stats.requests, 2);
	CHECK_EQ(r.vq.stats.completed, 2);
	CHECK_EQ(r.vq.stats.bytes_read, 4096);
	CHECK_EQ(r.vq.stats.bytes_written, 512);
	CHECK_EQ(r.vq.stats.errors, 1);
	CHECK_EQ(r.vq.stats.broken, 0);
	ring_end(&r);
}

/* The head must be free before the driver can see its completion. */
static void retake(void)
{
	struct bell_chain chain;

	world.on_barrier = NULL;
	ring_add_simple(&r, 6);
	/*
	 * This runs inside a completion: take a chain, but do not complete it.
	 */
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.head, 6);
}

static void test_reuse_at_once(void)
{
	struct bell_chain chain;
	unsigned int atomic;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 6);
	CHECK_EQ(ring_take(&r, &chain), 1);
	/* Another CPU acts as the runner and takes the head at once. */
	atomic = world.atomic;
	world.on_barrier = retake;
	ring_complete(&r, 6, chain.epoch, 1);
	CHECK_EQ(world.atomic, atomic);
	CHECK(!r.vq.broken);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	ring_complete(&r, 6, chain.epoch, 1);
	ring_end(&r);
}

/* --- start of a queue --- */

static void check_no_start(int error)
{
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), error);
	CHECK_EQ(world.pins, 0);
}

static void test_start_outside(void)
{
	ring_init(&r, NUM);
	CHECK(bell_vq_covered(&r.cfg, r.gm));
	r.cfg.used_uaddr = WORLD_UADDR + RING_END - 64;
	CHECK(!bell_vq_covered(&r.cfg, r.gm));
	check_no_start(-EFAULT);
	r.cfg.used_uaddr = WORLD_UADDR + RING_USED;
	r.cfg.avail_uaddr = WORLD_UADDR - 2;
	CHECK(!bell_vq_covered(&r.cfg, r.gm));
	check_no_start(-EFAULT);
	r.cfg.avail_uaddr = WORLD_UADDR + RING_AVAIL;
	r.cfg.desc_uaddr = ~15ULL;
	CHECK(!bell_vq_covered(&r.cfg, r.gm));
	check_no_start(-EFAULT);
	/*
	 * The limit of the used ring: 6 bytes, and 8 for each of the 8 entries.
	 */
	r.cfg.desc_uaddr = WORLD_UADDR + RING_DESC;
	r.cfg.used_uaddr = WORLD_UADDR + RING_END - 68;
	check_no_start(-EFAULT);
	r.cfg.used_uaddr = WORLD_UADDR + RING_END - 72;
	CHECK(bell_vq_covered(&r.cfg, r.gm));
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), 0);
	ring_end(&r);
}

static void test_start_no_memory(void)
{
	unsigned int nth = 1;
	int ret;

	ring_init(&r, 1024);
	/*
	 * Rings whose pages are not adjacent need a mapping, which may fail,
	 * too.
	 */
	world_map((RING_DESC >> PAGE_SHIFT) + 1, 1, 6000);
	world_map((RING_USED >> PAGE_SHIFT) + 1, 1, 6002);
	for (;; nth++) {
		world.fail_alloc = nth;
		ret = bell_vq_start(&r.vq, r.gm, &r.cfg);
		if (!ret)
			break;
		CHECK_EQ(ret, -ENOMEM);
		CHECK_EQ(world.pins, 0);
	}
	CHECK_EQ(nth, 8);
	world.fail_alloc = 0;
	ring_end(&r);
}

static void test_start_not_mapped(void)
{
	ring_init(&r, 1024);
	world_unmap(RING_AVAIL >> PAGE_SHIFT, 1);
	check_no_start(-EFAULT);
	ring_free(&r);
}

/* --- exchange of the table of guest memory --- */

static void test_set_gmem(void)
{
	struct bell_gmem *new;
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_put_desc(ring_at(RING_TABLE), RING_DATA, 1, 0, 0);
	ring_put_desc(&r.desc[0], RING_TABLE, 16, D_INDIRECT, 0);
	ring_add(&r, 0);
	CHECK_EQ(ring_serve(&r), 1);
	new = ring_gmem(r.gm);
	CHECK(!IS_ERR(new));
	bell_vq_set_gmem(&r.vq, new);
	bell_gmem_take_stats(new, r.gm);
	bell_gmem_replaced(new, r.gm);
	r.gm = new;
	ring_add(&r, 0);
	CHECK_EQ(bell_vq_take(&r.vq, false, &chain), -EAGAIN);
	CHECK_EQ(ring_take(&r, &chain), 1);
	/*
	 * The new table has the queue as a user, so the work that unpins its
	 * pages must wait for the queue's request.
	 */
	world_punch(RING_TABLE >> PAGE_SHIFT, 1);
	CHECK(world_page_pins(RING_TABLE >> PAGE_SHIFT) > 0);
	ring_complete(&r, 0, chain.epoch, 0);
	world_run_work();
	CHECK_EQ(world_page_pins(RING_TABLE >> PAGE_SHIFT), 0);
	ring_end(&r);
}

/* The pages of a taken chain stay pinned until it completes. */
static void complete_later(void)
{
	CHECK_EQ(world_page_pins(RING_TABLE >> PAGE_SHIFT), 1);
	ring_complete(&r, 0, 0, 0);
}

static void test_keeps_pages(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_put_desc(ring_at(RING_TABLE), RING_DATA, 1, 0, 0);
	ring_put_desc(&r.desc[0], RING_TABLE, 16, D_INDIRECT, 0);
	ring_add(&r, 0);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(chain.epoch, 0);
	world_move(RING_TABLE >> PAGE_SHIFT, 1, 6000);
	world.on_wait = complete_later;
	world_run_work();
	CHECK_EQ(world_page_pins(RING_TABLE >> PAGE_SHIFT), 0);
	ring_end(&r);
}

/* --- call eventfds --- */

static void test_callfd(void)
{
	struct bell_callfd c = {};
	int one, two;

	one = world_eventfd();
	two = world_eventfd();
	bell_callfd_signal(&c);
	CHECK_EQ(bell_callfd_set(&c, 3), -EBADF);
	CHECK_EQ(bell_callfd_set(&c, one), 0);
	bell_callfd_signal(&c);
	/* An invalid descriptor leaves the old eventfd in place. */
	CHECK_EQ(bell_callfd_set(&c, two + 1), -EINVAL);
	bell_callfd_signal(&c);
	CHECK_EQ(world_signals(one), 2);
	CHECK_EQ(bell_callfd_set(&c, two), 0);
	/*
	 * Another CPU may still signal the old eventfd, until a grace period
	 * has passed.
	 */
	CHECK_EQ(world.ctx_refs, 2);
	world_end_grace_period();
	CHECK_EQ(world.ctx_refs, 1);
	world.fail_alloc = 1;
	CHECK_EQ(bell_callfd_set(&c, one), -ENOMEM);
	bell_callfd_signal(&c);
	CHECK_EQ(world_signals(one), 2);
	CHECK_EQ(world_signals(two), 1);
	CHECK_EQ(bell_callfd_set(&c, -1), 0);
	bell_callfd_signal(&c);
	CHECK_EQ(world_signals(two), 1);
	bell_callfd_clear(&c);
}

static u32 nested;

static void signalled(void)
{
	CHECK(bell_callfd_is_signalling());
	nested++;
}

/* A ring of a thread that signals is recognised, and only while it signals. */
static void test_is_signalling(void)
{
	struct bell_callfd c = {};

	nested = 0;
	world.on_signal = signalled;
	bell_callfd_signal(&c);
	CHECK(!bell_callfd_is_signalling());
	CHECK_EQ(bell_callfd_set(&c, world_eventfd()), 0);
	CHECK(!bell_callfd_is_signalling());
	bell_callfd_signal(&c);
	CHECK(!bell_callfd_is_signalling());
	CHECK_EQ(nested, 1);
	bell_callfd_clear(&c);
}

static void test_no_eventfds(void)
{
	ring_begin(&r, NUM);
	bell_callfd_clear(&r.vq.call);
	bell_callfd_clear(&r.vq.err);
	ring_add_simple(&r, 0);
	CHECK_EQ(ring_serve(&r), 1);
	ring_add(&r, 100);
	CHECK_EQ(ring_serve(&r), -EPROTO);
	CHECK_EQ(ring_serve(&r), -EPROTO);
	ring_end(&r);
}

static void test_break_by_back_end(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 0);
	ring_add_simple(&r, 1);
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK_EQ(bell_vq_break(&r.vq, "first %s", "reason"), -EPROTO);
	CHECK_EQ(bell_vq_break(&r.vq, "second"), -EPROTO);
	CHECK(!strcmp(world.notice, "first reason"));
	bell_vq_untake(&r.vq, &chain);
	CHECK_EQ(ring_take(&r, &chain), -EPROTO);
	CHECK_EQ(world_signals(r.err), 1);
	CHECK_EQ(r.vq.stats.broken, 1);
	CHECK_EQ(r.vq.last_avail, 0);
	ring_end(&r);
}

static const struct tap_test tests[] = {
	{ "vq: stopped, and started where it was", test_restart },
	{ "vq: put back and taken again", test_untake },
	{ "vq: completed in another order", test_out_of_order },
	{ "vq: wait for the last request", test_drain },
	{ "vq: counters", test_counters },
	{ "vq: a head is free before the driver sees it used",
	  test_reuse_at_once },
	{ "vq: rings outside of memory", test_start_outside },
	{ "vq: each allocation of a start fails", test_start_no_memory },
	{ "vq: rings that are not mapped", test_start_not_mapped },
	{ "vq: another table of guest memory", test_set_gmem },
	{ "vq: a chain keeps the pages it was read from", test_keeps_pages },
	{ "callfd: set, exchanged, cleared", test_callfd },
	{ "callfd: a thread that signals", test_is_signalling },
	{ "vq: without eventfds", test_no_eventfds },
	{ "vq: broken by the back end", test_break_by_back_end },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
