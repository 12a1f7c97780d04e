// SPDX-License-Identifier: GPL-2.0
/* backend_blk_defer.c: requests that end in process context, on a fake disk that records them. */
#include "backend_blk_priv.h"
#include "blk.h"

/* end_works: what a workqueue does that ends requests; returns their number */
static unsigned int end_works(struct llist_head *wq)
{
	struct llist_node *node, *next;
	unsigned int n = 0;

	node = llist_reverse_order(llist_del_all(wq));
	llist_for_each_safe(node, next, node) {
		struct bell_disk_req *req =
			llist_entry(node, struct bell_disk_req, retry);

		req->work_func(req);
		n++;
	}
	return n;
}

/* add_read: make a read available in the descriptors from @head on */
static void add_read(u16 head)
{
	for (u32 i = 0; i < 3; i++)
		ring_put_desc(&r.desc[head + i], a_read[i].addr, a_read[i].len,
			      (i < 2 ? D_NEXT : 0) | (i ? D_WRITE : 0),
			      head + i + 1);
	ring_add(&r, head);
}

/*
 * A request that is deferred ends in the pass of a runner that may not sleep. The worker
 * never ends it: it may wait for that request.
 */
static void test_deferred(void)
{
	begin();
	disk_defers = true;
	finishes = 0;
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	/* The worker's pass, which also pins the page */
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(finishes, 0);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	CHECK_EQ(end_works(&ending), 1);
	CHECK_EQ(finishes, 1);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	put_header(VIRTIO_BLK_T_IN, 0);
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(finishes, 2);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK(llist_empty(&ending));

	/* The disk completes it after the pass. */
	disk_defers = false;
	put_header(VIRTIO_BLK_T_IN, 0);
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	bell_disk_defer(submitted);
	CHECK_EQ(end_works(&ending), 1);
	CHECK_EQ(finishes, 3);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(submits, 3);
	CHECK(!retried);
	CHECK(llist_empty(&ending_slow));
	end();
}

/* An end that would sleep does so in a workqueue of its own. */
static void test_deferred_sleeps(void)
{
	begin();
	finishes = 0;
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);

	finish_sleeps = true;
	disk_defers = true;
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(finishes, 0);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	CHECK(llist_empty(&ending));
	CHECK_EQ(end_works(&ending_slow), 1);
	CHECK_EQ(finishes, 1);

	/* The disk completes it after the pass: the workqueue of all disks does not sleep. */
	disk_defers = false;
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	bell_disk_defer(submitted);
	CHECK(llist_empty(&ending_slow));
	CHECK_EQ(end_works(&ending), 1);
	CHECK_EQ(finishes, 1);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	CHECK_EQ(end_works(&ending_slow), 1);
	CHECK_EQ(finishes, 2);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	finish_sleeps = false;
	end();
}

/* The request that completes once the runner has cleared collects, but has no list yet */
static struct bell_disk_req *late;

static void complete_late(void)
{
	const struct bell_blk_queue *q = r.vq.priv;

	if (q->collects || !late || llist_empty(&q->deferred))
		return;
	world.on_barrier = NULL;
	bell_disk_defer(late);
	late = NULL;
}

static void test_deferred_two(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);

	/* Both complete in the pass, and end in this order. */
	finishes = 0;
	disk_defers = true;
	add_read(0);
	add_read(3);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(finishes, 2);
	CHECK_EQ(finished[0], 0);
	CHECK_EQ(finished[1], 3);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);

	/* Neither ends in the pass, and both are in the list. */
	finish_sleeps = true;
	add_read(0);
	add_read(3);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(finishes, 2);
	CHECK_EQ(end_works(&ending_slow), 2);
	CHECK_EQ(finishes, 4);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	finish_sleeps = false;

	/* After the pass: the context that adds the second one takes only what is there. */
	disk_defers = false;
	add_read(0);
	add_read(3);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	bell_disk_defer(submitted);
	CHECK_EQ(end_works(&ending), 1);
	bell_disk_defer(submitted - 3);
	CHECK_EQ(end_works(&ending), 1);
	CHECK_EQ(finishes, 6);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	end();
}

static void test_deferred_late(void)
{
	begin();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);

	/* One that the disk has, and one that completes in the pass */
	finishes = 0;
	add_read(0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	late = submitted;
	world.on_barrier = complete_late;
	disk_defers = true;
	add_read(3);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK(!late);
	/* The interrupt has taken the whole list, and the runner found it empty. */
	CHECK_EQ(finishes, 0);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 2);
	CHECK_EQ(end_works(&ending), 2);
	CHECK_EQ(finishes, 2);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	disk_defers = false;
	end();
}

static const struct tap_test tests[] = {
	{ "defer: in the pass, or in a workqueue", test_deferred },
	{ "defer: an end that would sleep", test_deferred_sleeps },
	{ "defer: two requests at the same time", test_deferred_two },
	{ "defer: one that completes as the pass takes the others", test_deferred_late },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
