// SPDX-License-Identifier: GPL-2.0
/*
 * backend_net_rx.c: a ring that runs out of buffers, frames that wait for pins,
 * and violations that break a queue.
 */
#include "net_rx.h"

/* --- too few buffers --- */

/* Would the driver kick when it adds buffer @nth? */
static bool kicks(u16 nth)
{
	if (r->cfg.event_idx)
		return ring_avail_event(r) == nth;
	return !(le16toh(r->used->flags) & VRING_USED_F_NO_NOTIFY);
}

static void dry_begin(bool event_idx)
{
	net_init(RX_NUM, false, false);
	r->cfg.event_idx = event_idx;
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(MRG);
	next_desc = seen = next_buf = 0;
}

static void test_dry(void)
{
	for (u32 i = 0; i < 2; i++) {
		dry_begin(!i);

		post(300);
		post(300);
		arrive(1000);
		arrive(50);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(net_stats().rx_dry, 1);
		CHECK_EQ(port.next, 0);
		CHECK_EQ(used(), 0);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		/*
		 * The kick is asked for behind the two buffers that were too
		 * few.
		 */
		CHECK(kicks(2));
		CHECK(!r->cfg.event_idx || !kicks(0));
		post(300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(net_stats().rx_dry, 2);
		CHECK(kicks(3));
		post(300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_frame(12, 0);
		CHECK_EQ(port.next, 1);
		CHECK_EQ(net_stats().rx_dry, 3);
		CHECK(kicks(4));
		post(300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_frame(12, 1);
		net_end();
		world_reset();
	}
}

/*
 * The driver adds a buffer while the module asks for a kick: the module must
 * see it.
 */
static void post_more(void)
{
	if (!port.rx->kick)
		return;
	world.on_barrier = NULL;
	post(1000);
	post(1000);
}

static void test_dry_race(void)
{
	begin(MRG);
	post(20);
	arrive(1500);
	world.on_barrier = post_more;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK(!world.on_barrier);
	CHECK_EQ(port.next, 1);
	check_frame(12, 0);
	CHECK_EQ(net_stats().rx_dry, 0);
	net_end();
}

/*
 * The buffer that the driver adds meanwhile is an indirect chain whose table is not
 * pinned. The worker pins it after the delivery, during which it must not sleep.
 */
static void post_indirect(void)
{
	if (!port.rx->kick)
		return;
	world.on_barrier = NULL;
	ring_put_desc(ring_at(RING_TABLE), BUF(9), 2000, D_WRITE, 0);
	put(&(struct bell_seg){ RING_TABLE, sizeof(struct vring_desc) }, 1, 0);
	r->desc[(next_desc - 1) % RX_NUM].flags = htole16(D_INDIRECT);
}

static void test_dry_race_indirect(void)
{
	begin(MRG);
	post(2000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	/* The page of this buffer is pinned. */
	next_buf = 0;
	post(20);
	arrive(1500);
	world.on_barrier = post_indirect;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK(!world.on_barrier);
	CHECK_EQ(port.next, 2);
	CHECK_EQ(used(), 3);
	CHECK_EQ(net_stats().rx_dry, 0);
	net_end();
}

/*
 * While the driver adds nothing, a frame that waits costs one look at the ring: it is not
 * copied again into the buffers that are too few.
 */
static void test_dry_waits(void)
{
	for (u32 i = 0; i < 2; i++) {
		dry_begin(!i);

		post(300);
		arrive(1000);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		memset(ring_at(BUF(0)), 0xaa, 300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(net_stats().rx_dry, 2);
		for (u32 k = 0; k < 300; k++)
			CHECK_EQ(*(u8 *)ring_at(BUF(0) + k), 0xaa);
		post(2000);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_frame(12, 0);
		net_end();
		world_reset();
	}
}

/* Frames that fit are delivered, though the next one must wait for buffers. */
static void test_dry_after_some(void)
{
	begin(MRG);
	for (u32 i = 0; i < 3; i++)
		post(300);
	arrive(100);
	arrive(100);
	arrive(600);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.next, 2);
	CHECK_EQ(used(), 2);
	check_frame(12, 0);
	check_frame(12, 1);
	CHECK(be->ops->exec.pending(&exec));
	post(300);
	post(300);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 2);
	CHECK(!be->ops->exec.pending(&exec));
	net_end();
}

/* --- violations that break the queue --- */

static void check_broken(void)
{
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK(r->vq.broken);
	CHECK_EQ(world_signals(r->err), 1);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	net_end();
	world_reset();
}

/* The first frame was delivered; the others stay with the port. */
static void begin_bad(u64 features)
{
	begin(features);
	post(2000);
	arrive(100);
	arrive(1000);
}

static void check_bad(void)
{
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK_EQ(port.next, 1);
	CHECK_EQ(used(), 1);
	check_broken();
}

static void test_no_room_for_header(void)
{
	static const u64 features[] = { MRG, V1, 0 };

	for (u32 i = 0; i < 3; i++) {
		begin_bad(features[i]);
		post(1);
		post(2000);
		check_bad();
		begin_bad(features[i]);
		post(i < 2 ? 11 : 9);
		post(2000);
		check_bad();
	}
	/*
	 * A first buffer that holds just the header is enough, and so are small
	 * ones behind it.
	 */
	begin_bad(MRG);
	post(12);
	post(1);
	post(1);
	post(2000);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	check_frame(12, 1);
	CHECK_EQ(used(), 5);
	net_end();
}

static void test_readable(void)
{
	begin_bad(MRG);
	put((struct bell_seg[]){ { BUF(3), 12 }, { BUF(4), 2000 } }, 2, 1);
	check_bad();
	begin_bad(MRG);
	put(&(struct bell_seg){ BUF(3), 2000 }, 1, 1);
	check_bad();
	/* The second of two merged buffers breaks the rules. */
	begin_bad(MRG);
	post(500);
	put(&(struct bell_seg){ BUF(3), 2000 }, 1, 1);
	check_bad();
}

static void test_not_in_memory(void)
{
	static const struct bell_seg seg[] = {
		{ RING_END, 2000 }, { RING_END - 5, 2000 },
		{ RING_END - 100, 2000 }, { ~0ULL - 100, 2000 },
	};

	for (u32 i = 0; i < 4; i++) {
		begin_bad(MRG);
		put(&seg[i], 1, 0);
		check_bad();
		begin_bad(MRG);
		post(500);
		put(&seg[i], 1, 0);
		check_bad();
	}
	/*
	 * Memory that is not the guest's does no harm if the frame does not
	 * reach it.
	 */
	begin_bad(MRG);
	put(&(struct bell_seg){ RING_END - 1500, 1U << 31 }, 1, 0);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.next, 2);
	CHECK(!r->vq.broken);
	net_end();
}

/* --- frames that wait for a page to be pinned --- */

static void test_punt(void)
{
	begin(MRG);
	for (u32 i = 0; i < 12; i++)
		post(5000);
	arrive(100);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_stats().rx_punts, 1);
	CHECK_EQ(r->vq.stats.punts, 1);
	CHECK_EQ(r->vq.stats.inline_passes, 1);
	CHECK_EQ(r->vq.stats.worker_passes, 0);
	CHECK_EQ(port.next, 0);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	/* A long frame over the pages of several buffers, and one behind it */
	arrive(20000);
	arrive(60);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(port.next, 1);
	CHECK_EQ(used(), 1);
	CHECK_EQ(net_stats().rx_punts, 3);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 1);
	check_frame(12, 2);
	/* The worker itself never punts. */
	CHECK_EQ(net_stats().rx_punts, 3);
	net_end();
}

/* Frames whose pages are pinned come before one whose page is not. */
static void test_punt_after_some(void)
{
	begin(MRG);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	next_buf = 0;
	post(1000);
	post(1000);
	arrive(100);
	arrive(100);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(port.next, 2);
	check_frame(12, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 2);
	net_end();
}

/* For a while the worker cannot pin the page. */
static void test_pin_fails(void)
{
	begin(MRG);
	post(1000);
	arrive(100);
	world.pin_error = -EAGAIN;
	CHECK_EQ(net_pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(port.next, 0);
	world.pin_error = 0;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	/* A page that is not mapped in the owner's address space */
	world_unmap(BUF(1) >> PAGE_SHIFT, 2);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK(r->vq.broken);
	net_end();
}

static void test_pin_budget(void)
{
	begin(MRG);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass_of(true, 1), BELL_PASS_MORE);
	CHECK_EQ(port.next, 0);
	CHECK_EQ(net_pass_of(true, 1), BELL_PASS_MORE);
	CHECK_EQ(net_pass_of(true, 3), BELL_PASS_DONE);
	check_frame(12, 0);
	net_end();
}

static void test_owner_died(void)
{
	begin(MRG);
	post(1000);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	arrive(100);
	world_exit_mm();
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.next, 2);
	net_end();
}

static const struct tap_test tests[] = {
	{ "net rx: dry, and filled again", test_dry },
	{ "net rx: filled while we ask for a kick", test_dry_race },
	{ "net rx: the same, and the table is not pinned",
	  test_dry_race_indirect },
	{ "net rx: dry, and nothing added", test_dry_waits },
	{ "net rx: dry after some", test_dry_after_some },
	{ "net rx: a buffer shorter than the header", test_no_room_for_header },
	{ "net rx: a readable piece", test_readable },
	{ "net rx: what is not in memory", test_not_in_memory },
	{ "net rx: pages that are not pinned", test_punt },
	{ "net rx: pages that are not pinned, after some",
	  test_punt_after_some },
	{ "net rx: pages that cannot be pinned", test_pin_fails },
	{ "net rx: pins and the budget", test_pin_budget },
	{ "net rx: the owner died", test_owner_died },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
