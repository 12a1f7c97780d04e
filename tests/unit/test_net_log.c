// SPDX-License-Identifier: GPL-2.0
/* backend_net: frames that are received are in the dirty log. */
#include "net_rx.h"
#include "dirty.h"

static void test_frames(u64 features, u32 buf)
{
	begin(features);
	for (u32 i = 0; i < 8; i++)
		post(buf);
	dirty_start(r);
	arrive(60);
	arrive(4000);
	arrive(1500);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK(used() >= 3);
	CHECK_EQ(dirty_missed(), 0);
	CHECK(dirty_test(BUF(0) >> PAGE_SHIFT));
	/* Of a buffer only what the frame fills */
	CHECK(!dirty_test((BUF(0) >> PAGE_SHIFT) + 1));
	CHECK(!dirty_test(BUF(7) >> PAGE_SHIFT));
	net_end();
}

/* A frame that is too long for all buffers: they are put back. */
static void test_put_back(void)
{
	begin(MRG);
	for (u32 i = 0; i < 3; i++)
		post(1000);
	dirty_start(r);
	arrive(9000);
	net_pass(true);
	CHECK_EQ(used(), 0);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	net_end();
}

/* No memory to keep what a frame writes, unless by sleeping: the worker must pause. */
static void test_no_memory(void)
{
	begin(MRG);
	post(1600);
	dirty_start(r);
	arrive(60);
	world.fail_atomic = true;
	CHECK_EQ(net_pass(true), BELL_PASS_PUNT);
	CHECK_EQ(used(), 0);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	world.fail_atomic = false;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	CHECK_EQ(dirty_missed(), 0);
	net_end();
}

int main(void)
{
	tap_begin();
	test_frames(MRG, 1600);
	tap_end("dirty log of a card: merged buffers");
	tap_begin();
	test_frames(V1, 9000);
	tap_end("dirty log of a card: large buffers");
	tap_begin();
	test_put_back();
	tap_end("dirty log of a card: buffers that are put back");
	tap_begin();
	test_no_memory();
	tap_end("dirty log of a card: the worker pauses if memory is short");
	return tap_done();
}
