// SPDX-License-Identifier: GPL-2.0
/* backend_blk_hold.c: requests for which the disk has no room. */
#include "blk_hold.h"

static struct bell_disk_req *put_range(u32 type)
{
	struct virtio_blk_discard_write_zeroes range = {
		.num_sectors = htole32(8),
	};

	memcpy(ring_at(DATA), &range, sizeof(range));
	return put(0, type, 0, sizeof(range));
}

static void test_waits(void)
{
	struct bell_disk_req *req[REQUESTS], *given[REQUESTS];
	u32 i, k;

	begin_holding();
	for (i = 0; i < REQUESTS; i++) {
		req[i] = put(i, VIRTIO_BLK_T_OUT, i, 512);
		end_with(req[i], -ENOSPC);
		CHECK_EQ(status_of(i), 0xee);
	}
	check_held(REQUESTS, REQUESTS);
	CHECK(!retries.first);
	/*
	 * Each second one request is submitted again, in the order in which
	 * they were held.
	 */
	for (k = 0; k < 2 * REQUESTS; k++) {
		CHECK_EQ(a_second_later(given), 1);
		CHECK(given[0] == req[k % REQUESTS]);
		end_with(given[0], -ENOSPC);
		check_held(REQUESTS, REQUESTS);
	}
	CHECK_EQ(world.notices, 1);
	CHECK_EQ(submits, REQUESTS * 3);
	/*
	 * The disk takes one request: then all others are submitted again. The
	 * last of them fails with EIO.
	 */
	CHECK_EQ(a_second_later(given), 1);
	end_with(given[0], 0);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	CHECK_EQ(r.vq.stats.bytes_written, 512);
	CHECK_EQ(a_second_later(given), 2);
	CHECK(given[0] == req[1] && given[1] == req[2]);
	end_with(given[1], -EIO);
	CHECK_EQ(status_of(2), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(world.notices, 1);
	end_with(given[0], 0);
	CHECK_EQ(status_of(1), VIRTIO_BLK_S_OK);
	CHECK_EQ(world.notices, 2);
	CHECK(!world_run_work());
	end_holding();
}

/*
 * A probe succeeds, but the requests submitted after it fail again: from then
 * on one request a second is submitted.
 */
static void test_probe(void)
{
	struct bell_disk_req *req[REQUESTS], *given[REQUESTS];
	u32 i;

	begin_holding();
	for (i = 0; i < REQUESTS; i++) {
		req[i] = put(i, VIRTIO_BLK_T_OUT, i, 512);
		end_with(req[i], -ENOSPC);
	}
	/*
	 * A probe that fails with another error does not have the others
	 * submitted.
	 */
	CHECK_EQ(a_second_later(given), 1);
	end_with(given[0], -EIO);
	CHECK_EQ(a_second_later(given), 1);
	CHECK(given[0] == req[1]);
	end_with(given[0], 0);
	CHECK_EQ(a_second_later(given), 1);
	CHECK(given[0] == req[2]);
	end_with(given[0], -ENOSPC);
	CHECK_EQ(a_second_later(given), 1);
	end_with(given[0], 0);
	CHECK(!world_run_work());
	/*
	 * The request that is held next must not be taken for a probe that
	 * succeeded.
	 */
	for (i = 0; i < REQUESTS; i++)
		end_with(put(i, VIRTIO_BLK_T_OUT, i, 512), -ENOSPC);
	CHECK_EQ(a_second_later(given), 1);
	end_with(given[0], 0);
	CHECK_EQ(a_second_later(given), 2);
	end_with(given[0], 0);
	end_with(given[1], -ENOSPC);
	CHECK_EQ(a_second_later(given), 1);
	end_with(given[0], 0);
	end_holding();
}

static void test_goes_on(void)
{
	struct bell_disk_req *held, *given[REQUESTS];

	begin_holding();
	held = put(0, VIRTIO_BLK_T_OUT, 0, 512);
	end_with(held, -ENOSPC);
	end_with(put(1, VIRTIO_BLK_T_IN, 0, 512), 0);
	CHECK_EQ(status_of(1), VIRTIO_BLK_S_OK);
	end_with(put(2, VIRTIO_BLK_T_OUT, 0, 512), 0);
	CHECK_EQ(status_of(2), VIRTIO_BLK_S_OK);
	check_held(1, 1);
	CHECK_EQ(a_second_later(given), 1);
	end_with(held, 0);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	end_holding();
}

/*
 * Requests and errors that must not be held: the request cannot be repeated, or
 * the error is not a full disk.
 */
static const struct {
	const char *name;
	u32 type;
	int error;
	bool held;
} kinds[] = {
	{ "write", VIRTIO_BLK_T_OUT, -ENOSPC, true },
	{ "discard", VIRTIO_BLK_T_DISCARD, -ENOSPC, true },
	{ "zeroes", VIRTIO_BLK_T_WRITE_ZEROES, -ENOSPC, true },
	{ "read", VIRTIO_BLK_T_IN, -ENOSPC, false },
	{ "write with another error", VIRTIO_BLK_T_OUT, -EIO, false },
	{ "zeroes with another error", VIRTIO_BLK_T_WRITE_ZEROES, -EFBIG, false },
};

static void test_kinds(void)
{
	struct bell_disk_req *req;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds) && !tap_bad; i++) {
		begin_holding();
		if (kinds[i].type == VIRTIO_BLK_T_DISCARD ||
		    kinds[i].type == VIRTIO_BLK_T_WRITE_ZEROES)
			req = put_range(kinds[i].type);
		else
			req = put(0, kinds[i].type, 0, 512);
		end_with(req, kinds[i].error);
		CHECK_EQ(atomic_read(&r.vq.stats.held), kinds[i].held);
		CHECK_EQ(status_of(0),
			 kinds[i].held ? 0xee : VIRTIO_BLK_S_IOERR);
		exec.dead = true;
		be->ops->exec.release(&exec);
		world.on_wait = world_end_grace_period;
		world_run_work();
		world.on_wait = NULL;
		CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
		end_holding();
	}
}

static void test_default(void)
{
	begin();
	end_with(put(0, VIRTIO_BLK_T_OUT, 0, 512), -ENOSPC);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(atomic_long_read(&r.vq.stats.holds), 0);
	end_holding();
}

/*
 * A drain ends held requests at once; a request that fails after the drain is
 * not held.
 */
static void test_drain(void)
{
	struct bell_disk_req *late, *given[REQUESTS];

	begin_holding();
	end_with(put(0, VIRTIO_BLK_T_OUT, 0, 512), -ENOSPC);
	CHECK_EQ(a_second_later(given), 1);
	late = put(1, VIRTIO_BLK_T_OUT, 8, 512);
	end_with(put(2, VIRTIO_BLK_T_OUT, 16, 512), -ENOSPC);
	exec.dead = true;
	be->ops->exec.release(&exec);
	CHECK_EQ(status_of(2), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(status_of(0), 0xee);
	end_with(late, -ENOSPC);
	CHECK_EQ(status_of(1), VIRTIO_BLK_S_IOERR);
	end_with(given[0], -ENOSPC);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	be->ops->exec.release(&exec);
	/*
	 * The queued work item finds no held request; end() would cancel it
	 * otherwise.
	 */
	end_holding();
}

/* One request a second is a probe; when it completes the others do not wait. */
static void test_room(void)
{
	struct bell_disk_req *given[REQUESTS];
	const struct bell_blk_queue *q;

	begin_holding();
	q = r.vq.priv;
	end_with(put(0, VIRTIO_BLK_T_OUT, 0, 512), -ENOSPC);
	end_with(put(1, VIRTIO_BLK_T_OUT, 8, 512), -ENOSPC);
	CHECK_EQ(q->hold_work.delay, HZ);
	CHECK_EQ(a_second_later(given), 1);
	CHECK_EQ(q->hold_work.delay, HZ);
	end_with(given[0], 0);
	CHECK_EQ(q->hold_work.delay, 0);
	CHECK_EQ(a_second_later(given), 1);
	end_with(given[0], 0);
	CHECK_EQ(status_of(1), VIRTIO_BLK_S_OK);
	end_holding();
}

static void test_no_memory(void)
{
	struct bell_disk_req *given[REQUESTS];

	begin_holding();
	end_with(put(0, VIRTIO_BLK_T_OUT, 0, 512), -ENOSPC);
	submit_ret = -ENOMEM;
	CHECK_EQ(a_second_later(given), 1);
	check_held(1, 1);
	submit_ret = -EAGAIN;
	CHECK_EQ(a_second_later(given), 1);
	check_held(1, 1);
	submit_ret = -EROFS;
	CHECK_EQ(a_second_later(given), 1);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	end_holding();
}

/* The disk's room does not depend on the owner: requests wait as before. */
static void test_owner_dies(void)
{
	struct bell_disk_req *given[REQUESTS];

	begin_holding();
	end_with(put(0, VIRTIO_BLK_T_OUT, 0, 512), -ENOSPC);
	world_exit_mm();
	CHECK_EQ(a_second_later(given), 1);
	check_held(1, 1);
	end_with(given[0], 0);
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_OK);
	end_holding();
}

/*
 * The write itself succeeded. Data that the flush behind it lost cannot be
 * written again, so the request fails and is not held.
 */
static void test_flush_owed(void)
{
	struct bell_disk_req *req, *given[REQUESTS];

	begin_holding();
	req = put(0, VIRTIO_BLK_T_OUT, 0, 512);
	end_with(req, -ENOSPC);
	CHECK_EQ(a_second_later(given), 1);
	WRITE_ONCE(the_blk()->config.wce, 0);
	queued = NULL;
	end_with(req, 0);
	CHECK(queued == req);
	check_held(1, 1);
	/* The error that bell_disk_flush() returns for a full disk */
	flush_ret = -EDQUOT;
	queued_func(req);
	flush_ret = 0;
	CHECK_EQ(status_of(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(r.vq.failures.last.error, -ENOSPC);
	CHECK_EQ(r.vq.failures.last.cause, BELL_CAUSE_NOSPC);
	end_holding();
}

static const struct tap_test tests[] = {
	{ "blk hold: one each second, in turn, and then all", test_waits },
	{ "blk hold: what a probe says", test_probe },
	{ "blk hold: others go on", test_goes_on },
	{ "blk hold: what is held", test_kinds },
	{ "blk hold: only if asked for", test_default },
	{ "blk hold: a drain ends all", test_drain },
	{ "blk hold: a probe finds room", test_room },
	{ "blk hold: cannot begin, or only fail", test_no_memory },
	{ "blk hold: the owner dies", test_owner_dies },
	{ "blk hold: a flush that fails", test_flush_owed },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
