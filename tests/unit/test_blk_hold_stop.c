// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_hold.c with an in-flight region: held requests outlive the stop of the
 * queue, and requests that the last close cuts short do, too.
 */
#include "blk_hold.h"

#define REGION	0x300000ULL	/* as in test_vq_inflight.c */
#define SLICE	8192U

/* One entry of the region */
struct entry {
	u8	inflight, padding[5];
	u16	next;
	u64	counter;
};

static struct entry *entry(u16 head)
{
	return (struct entry *)ring_at(REGION + 16) + head;
}

static void with_region(void)
{
	bell_vq_stop(&r.vq);
	memset(ring_at(REGION), 0, PAGE_SIZE);
	r.cfg.inflight_uaddr = WORLD_UADDR + REGION;
	r.cfg.inflight_size = 16 + 16 * NUM;
	ring_start(&r);
}

static void drain(void)
{
	exec.dead = true;
	be->ops->exec.release(&exec);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
}

static void restart(void)
{
	r.cfg.base = bell_vq_stop(&r.vq);
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), 0);
	exec.dead = false;
}

/* The guest's requests are as they were: no status, nothing in the used ring. */
static void check_untouched(u32 n)
{
	for (u32 i = 0; i < n; i++)
		CHECK_EQ(status_of(i), 0xee);
	CHECK_EQ(le16toh(r.used->idx), 0);
	CHECK_EQ(r.vq.stats.errors, 0);
	CHECK_EQ(atomic_read(&r.vq.stats.held), 0);
}

static void test_stop(void)
{
	struct bell_disk_req *req[REQUESTS];

	begin_holding();
	with_region();
	for (u32 i = 0; i < REQUESTS; i++) {
		req[i] = put(i, VIRTIO_BLK_T_OUT, 8 * i, 512);
		end_with(req[i], -ENOSPC);
	}
	drain();
	check_untouched(REQUESTS);
	CHECK_EQ(r.vq.stats.requests, 0);
	restart();
	/* This test looks at it while the queue runs, which no other may. */
	for (u32 i = 0; i < REQUESTS; i++) {
		CHECK_EQ(entry(3 * i)->inflight, 1);
		CHECK_EQ(entry(3 * i)->counter, i + 1);
	}
	submits = 0;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submits, REQUESTS);
	for (u32 i = 0; i < REQUESTS; i++) {
		CHECK_EQ(req[i]->sector, 8 * i);
		end_with(req[i], 0);
		CHECK_EQ(status_of(i), VIRTIO_BLK_S_OK);
	}
	end_holding();
}

/* A pause, as for a new memory table: they are served again after it. */
static void test_pause(void)
{
	struct bell_disk_req *req;

	begin_holding();
	with_region();
	req = put(0, VIRTIO_BLK_T_OUT, 0, 512);
	end_with(req, -ENOSPC);
	drain();
	exec.dead = false;
	submits = 0;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submits, 1);
	end_with(req, 0);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	end_holding();
}

/* The owner was killed, and the worker and the disk still have requests. */
static void test_killed(void)
{
	struct bell_disk_req *req[REQUESTS];

	begin_holding();
	with_region();
	for (u32 i = 0; i < 2; i++) {
		req[i] = put(i, VIRTIO_BLK_T_OUT, 8 * i, 512);
		end_with(req[i], -ENOSPC);
	}
	req[2] = put(2, VIRTIO_BLK_T_OUT, 0, 512);
	atomic_set(&world.mm.mm_users, 0);
	/* A second later one is given to the worker; the other waits on. */
	run_hold_work();
	exec.dead = true;
	submits = 0;
	be->ops->exec.retry(&exec, llist_del_all(&retries));
	CHECK_EQ(submits, 0);
	end_with(req[2], -ENOSPC);
	drain();
	check_untouched(REQUESTS);
	atomic_set(&world.mm.mm_users, 1);
	restart();
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submits, REQUESTS);
	for (u32 i = 0; i < REQUESTS; i++)
		end_with(req[i], 0);
	end_holding();
}

/* The close aborts the disk: what it cut short is done again from its start. */
static void test_cut(void)
{
	struct bell_disk_req *req;

	begin_holding();
	end();
	cfg.flags = 0;
	cfg.seg_max = 1;
	cfg.size_max = SLICE;
	begin_with(features);
	with_region();
	req = put(0, VIRTIO_BLK_T_OUT, 8, 2 * SLICE);
	CHECK_EQ(req->bytes, SLICE);
	the_blk()->disk.aborted = true;
	exec.dead = true;
	bell_disk_done(req, 0);
	CHECK(llist_del_all(&retries) == &req->retry);
	be->ops->exec.retry(&exec, &req->retry);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	drain();
	check_untouched(1);
	CHECK_EQ(the_blk()->vec_bytes.counter, 0);
	restart();
	the_blk()->disk.aborted = false;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(req->sector, 8);
	for (u32 i = 0; i < 2; i++) {
		bell_disk_done(req, 0);
		CHECK(llist_del_all(&retries) == &req->retry);
		be->ops->exec.retry(&exec, &req->retry);
	}
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	end_holding();

	/* Without a region it ends with an error. */
	begin_with(features);
	req = put(0, VIRTIO_BLK_T_OUT, 8, 512);
	exec.dead = true;
	bell_disk_done(req, -EINTR);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	end_holding();
}

static void begin_cut(u32 len)
{
	begin_holding();
	end();
	cfg.flags = 0;
	cfg.seg_max = 1;
	cfg.size_max = SLICE;
	begin_with(features);
	with_region();
	submitted = put(0, VIRTIO_BLK_T_OUT, 8, len);
	the_blk()->disk.aborted = true;
	exec.dead = true;
}

/* Ends the test: the disk takes the request, in its slices. */
static void serve(void)
{
	struct bell_disk_req *req = submitted;
	struct llist_node *node;

	bell_disk_done(req, 0);
	while ((node = llist_del_all(&retries))) {
		submitted = NULL;
		be->ops->exec.retry(&exec, node);
		if (submitted)
			bell_disk_done(req, 0);
	}
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	end_holding();
}

static void end_cut(void)
{
	CHECK_EQ(bell_vq_in_flight(&r.vq), 1);
	drain();
	check_untouched(1);
	CHECK_EQ(atomic_long_read(&r.vq.stats.holds), 0);
	CHECK_EQ(world.notices, 0);
	restart();
	the_blk()->disk.aborted = false;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submitted->sector, 8);
	serve();
}

/*
 * The close waits for another queue for more than a second: the worker is given what was
 * cut short, and must not fail it. The disk is not full, and holding was not asked for.
 */
static void test_cut_waits(void)
{
	struct bell_disk_req *given[REQUESTS];

	begin_cut(512);
	end_with(submitted, -EINTR);
	for (u32 i = 0; i < 3; i++) {
		submits = 0;
		CHECK_EQ(a_second_later(given), 1);
		CHECK_EQ(submits, 0);
	}
	submitted = given[0];
	end_cut();

	begin_cut(2 * SLICE);
	bell_disk_done(submitted, 0);
	submits = 0;
	be->ops->exec.retry(&exec, llist_del_all(&retries));
	for (u32 i = 0; i < 3; i++)
		CHECK_EQ(a_second_later(given), 1);
	CHECK_EQ(submits, 0);
	submitted = given[0];
	end_cut();
}

/* What is cut short may have any number of page vectors: a GiB has 4 MiB of them. */
static void test_cut_vectors(void)
{
	struct bell_disk_req *req;
	long most = 1L << 40;

	begin_cut(2 * SLICE);
	req = submitted;
	the_blk()->held_bytes.counter = most;
	bell_disk_done(req, 0);
	be->ops->exec.retry(&exec, llist_del_all(&retries));
	the_blk()->held_bytes.counter -= most;
	submitted = req;
	end_cut();
}

/* While the guest moves they end as without a region: it stays here. */
static void test_moving(void)
{
	struct bell_disk_req *req;

	begin_holding();
	with_region();
	req = put(0, VIRTIO_BLK_T_OUT, 0, 512);
	r.vq.log = (void *)1;
	CHECK(!bell_vq_inflight_keeps(&r.vq));
	r.vq.log = NULL;
	end_with(req, -ENOSPC);
	drain();
	exec.dead = false;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	end_with(req, 0);
	end_holding();
}

/* A stop whose base may go to another host, without the region */
static void test_end(void)
{
	struct bell_disk_req *req;

	begin_holding();
	with_region();
	bell_vq_inflight_end(&r.vq, true);
	CHECK(!bell_vq_inflight_keeps(&r.vq));
	/* The stop was interrupted. */
	bell_vq_inflight_end(&r.vq, false);
	CHECK(bell_vq_inflight_keeps(&r.vq));
	req = put(0, VIRTIO_BLK_T_OUT, 0, 512);
	end_with(req, -ENOSPC);
	bell_vq_inflight_end(&r.vq, true);
	drain();
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(r.vq.failures.last.cause, BELL_CAUSE_NOSPC);
	r.cfg.base = bell_vq_stop(&r.vq);
	CHECK_EQ(r.cfg.base, 1);
	CHECK_EQ(entry(0)->inflight, 0);
	/* The next run keeps them again. */
	CHECK_EQ(bell_vq_start(&r.vq, r.gm, &r.cfg), 0);
	CHECK(bell_vq_inflight_keeps(&r.vq));
	exec.dead = false;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	end_holding();
}

static const struct tap_test tests[] = {
	{ "blk hold: a stop writes them into the region", test_stop },
	{ "blk hold: a pause serves them again", test_pause },
	{ "blk hold: the owner was killed", test_killed },
	{ "blk hold: what a close cuts short", test_cut },
	{ "blk hold: what a close cuts short waits for other queues", test_cut_waits },
	{ "blk hold: what a close cuts short has many vectors", test_cut_vectors },
	{ "blk hold: not while the guest moves", test_moving },
	{ "blk hold: not if the stop is to end them", test_end },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
