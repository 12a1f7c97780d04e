// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_hold.c: held requests must leave guest pages and page vectors for
 * other requests; large requests that are held.
 */
#include "blk_hold.h"
#include "gmem_priv.h"

#define SLICE		8192U

/* --- pinned guest pages --- */

static int pin(u64 gpa)
{
	struct bell_gmem_span span;

	return bell_gmem_span(r.gm, gpa, 1, true, &span);
}

/* Pins pages until one cannot be pinned. Returns the number pinned. */
static unsigned long pin_first(unsigned long count)
{
	unsigned long n = 0;

	while (n < count && !pin(n * PAGE_SIZE))
		n++;
	return n;
}

/*
 * The owner gives all guest memory away, and then provides it again: all pages
 * leave the table.
 */
static void give_away(void)
{
	world_move(0, RING_PAGES, 0);
	CHECK(flush_work(&r.gm->reap.work));
}

/*
 * A held request keeps pages pinned: those that were pinned when it began, and
 * those that left the table later. It fails as soon as no other page can be
 * pinned, and not before.
 */
static void test_blocks_pins(void)
{
	struct bell_disk_req *held, *given[REQUESTS];
	struct virtio_blk_outhdr h = { .type = htole32(VIRTIO_BLK_T_IN) };

	begin_holding();
	held = put(0, VIRTIO_BLK_T_OUT, 0, 512);
	end_with(held, -ENOSPC);
	/* Few pages are pinned, so the request stays held. */
	give_away();
	CHECK_EQ(a_second_later(given), 1);
	end_with(held, -ENOSPC);
	/*
	 * Three quarters of all pages leave the table and stay pinned: a
	 * quarter can still be pinned, so the request stays held.
	 */
	CHECK_EQ(pin_first(RING_PAGES / 4 * 3), RING_PAGES / 4 * 3);
	give_away();
	CHECK_EQ(a_second_later(given), 1);
	end_with(held, -ENOSPC);
	check_held(1, 1);
	CHECK(pin_first(RING_PAGES) < RING_PAGES / 2);
	CHECK_EQ(pin(DATA), -EAGAIN);

	memcpy(ring_at(HDR + 64), &h, sizeof(h));
	ring_put_desc(&r.desc[3], HDR + 64, 16, D_NEXT, 4);
	ring_put_desc(&r.desc[4], DATA + STEP, 512, D_NEXT | D_WRITE, 5);
	ring_put_desc(&r.desc[5], STATUS + STEP, 1, D_WRITE, 0);
	ring_add(&r, 3);
	submitted = NULL;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK(!submitted);
	run_hold_work();
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(r.vq.failures.last.error, -ENOSPC);
	CHECK_EQ(r.vq.failures.last.cause, BELL_CAUSE_NOSPC);
	CHECK(!retries.first);
	world_run_work();
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(submitted && submitted->op == BELL_DISK_READ);
	end_with(submitted, 0);
	CHECK_EQ(status_of(1), VIRTIO_BLK_S_OK);
	end_holding();
}

#define PIECES	(BELL_DISK_INLINE_VECS + 1U)

/* Begin a write that needs more page vectors than the inline ones. */
static struct bell_disk_req *put_pieces(void)
{
	struct virtio_blk_outhdr h = { .type = htole32(VIRTIO_BLK_T_OUT) };
	u32 i;

	memcpy(ring_at(HDR), &h, sizeof(h));
	*(u8 *)ring_at(STATUS) = 0xee;
	ring_put_desc(&r.desc[0], HDR, 16, D_NEXT, 1);
	for (i = 1; i <= PIECES; i++)
		ring_put_desc(&r.desc[i], DATA + i * 2 * STEP, 512, D_NEXT,
			      i + 1);
	ring_put_desc(&r.desc[i], STATUS, 1, D_WRITE, 0);
	ring_add(&r, 0);
	submitted = NULL;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(submitted && submitted->vecs != submitted->inline_vecs);
	return submitted;
}

/* Held requests may keep only a limited number of page vectors. */
static void test_vectors(void)
{
	struct bell_disk_req *held, *given[REQUESTS];
	long bytes, most;

	begin_holding();
	held = put_pieces();
	end_with(held, -ENOSPC);
	bytes = the_blk()->held_bytes.counter;
	CHECK_EQ(bytes, PIECES * sizeof(struct bio_vec));
	CHECK_EQ(bytes, the_blk()->vec_bytes.counter);
	CHECK_EQ(a_second_later(given), 1);
	end_with(held, -ENOSPC);
	CHECK_EQ(the_blk()->held_bytes.counter, bytes);
	CHECK_EQ(a_second_later(given), 1);
	end_with(held, 0);
	CHECK_EQ(the_blk()->held_bytes.counter, 0);

	/*
	 * Other held requests have so many vectors that this request's just
	 * reach the limit.
	 */
	most = BELL_BLK_VEC_BYTES - (BELL_BLK_MAX_BYTES / PAGE_SIZE + 4096) *
				    sizeof(struct bio_vec);
	the_blk()->held_bytes.counter = most - bytes;
	end_with(put_pieces(), -ENOSPC);
	CHECK_EQ(status_of(0), 0xee);
	CHECK_EQ(the_blk()->held_bytes.counter, most);
	/* A request with inline vectors only is held all the same. */
	end_with(put(7, VIRTIO_BLK_T_OUT, 0, 512), -ENOSPC);
	check_held(2, 3);
	exec.dead = true;
	be->ops->exec.release(&exec);
	exec.dead = false;
	CHECK_EQ(the_blk()->held_bytes.counter, most - bytes);
	the_blk()->held_bytes.counter = most - bytes + 1;
	end_with(put_pieces(), -ENOSPC);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(the_blk()->held_bytes.counter, most - bytes + 1);
	the_blk()->held_bytes.counter = 0;
	end_holding();
}

/* --- large requests, which are served in slices --- */

static void slice_done(struct bell_disk_req *req, int error)
{
	bell_disk_done(req, error);
	CHECK(llist_del_all(&retries) == &req->retry);
	submitted = NULL;
	be->ops->exec.retry(&exec, &req->retry);
}

static struct bell_disk_req *put_large(void)
{
	struct bell_disk_req *req;

	begin_holding();
	end();
	cfg.seg_max = 1;
	cfg.size_max = SLICE;
	begin_with(features);
	req = put(0, VIRTIO_BLK_T_OUT, 8, 2 * SLICE);
	slice_done(req, 0);
	CHECK(submitted == req);
	CHECK_EQ(req->sector, 8 + SLICE / 512);
	slice_done(req, -ENOSPC);
	CHECK(!submitted);
	check_held(1, 1);
	return req;
}

static void test_slice(void)
{
	struct bell_disk_req *req = put_large(), *given[REQUESTS];

	CHECK_EQ(a_second_later(given), 1);
	CHECK(submitted == req);
	CHECK_EQ(req->sector, 8 + SLICE / 512);
	CHECK_EQ(req->bytes, SLICE);
	slice_done(req, -ENOSPC);
	check_held(1, 1);
	CHECK_EQ(a_second_later(given), 1);
	slice_done(req, 0);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	CHECK_EQ(r.vq.stats.bytes_written, 2 * SLICE);
	CHECK_EQ(the_blk()->vec_bytes.counter, 0);
	end_holding();
}

static void test_slice_drain(void)
{
	struct bell_disk_req *req = put_large();

	exec.dead = true;
	be->ops->exec.release(&exec);
	CHECK(llist_del_all(&retries) == &req->retry);
	be->ops->exec.retry(&exec, &req->retry);
	CHECK(!submitted);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(the_blk()->vec_bytes.counter, 0);
	end_holding();
}

/* The worker was given the slice, and serves it only when the queue is dead. */
static void test_slice_dead(void)
{
	struct bell_disk_req *req = put_large();

	CHECK_EQ(the_blk()->held_bytes.counter, the_blk()->vec_bytes.counter);
	run_hold_work();
	exec.dead = true;
	CHECK(llist_del_all(&retries) == &req->retry);
	submits = 0;
	be->ops->exec.retry(&exec, &req->retry);
	CHECK_EQ(submits, 0);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(r.vq.failures.last.error, -ENOSPC);
	CHECK_EQ(r.vq.failures.last.cause, BELL_CAUSE_NOSPC);
	end_holding();
}

static const struct tap_test tests[] = {
	{ "blk hold: others can still be pinned", test_blocks_pins },
	{ "blk hold: others have page vectors", test_vectors },
	{ "blk hold: a slice", test_slice },
	{ "blk hold: a drain ends a slice", test_slice_drain },
	{ "blk hold: a slice of a dead queue", test_slice_dead },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
