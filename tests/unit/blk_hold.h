/* SPDX-License-Identifier: GPL-2.0 */
/* blk_hold - a device that holds requests for which its disk has no room */
#ifndef TESTS_UNIT_BLK_HOLD_H
#define TESTS_UNIT_BLK_HOLD_H

#include <linux/sched.h>

#include "backend_blk_priv.h"
#include "blk.h"

#define REQUESTS	3U
/* distance between the data of two requests */
#define STEP		0x1000U

static const u64 features = BIT_ULL(VIRTIO_BLK_F_FLUSH) |
			    BIT_ULL(VIRTIO_BLK_F_DISCARD) |
			    BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);

static inline void begin_holding(void)
{
	cfg = (struct vhost_doorbell_blk){
		.fd = DISK_FD, .num_queues = 1,
		.flags = VHOST_DOORBELL_BLK_F_HOLD_NOSPC |
			 VHOST_DOORBELL_BLK_F_DISCARD |
			 VHOST_DOORBELL_BLK_F_WRITE_ZEROES,
	};
	begin_with(features);
	world.notices = 0;
}

static inline struct bell_blk *the_blk(void)
{
	return container_of(be, struct bell_blk, be);
}

static inline void end_holding(void)
{
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(atomic_read(&r.vq.stats.held), 0);
	CHECK_EQ(atomic_read(&the_blk()->held), 0);
	CHECK_EQ(the_blk()->held_bytes.counter, 0);
	CHECK_EQ(the_blk()->hold_told, 0);
	end();
}

static inline u8 status_of(u32 i)
{
	return *(u8 *)ring_at(STATUS + i * STEP);
}

/*
 * Make request number @i, with @len bytes of data, and let the module submit it
 * to the disk.
 */
static inline struct bell_disk_req *put(u32 i, u32 type, u64 sector, u32 len)
{
	struct virtio_blk_outhdr h = {
		.type = htole32(type), .sector = htole64(sector),
	};
	bool in = type == VIRTIO_BLK_T_IN;
	u32 d = 3 * i;

	memcpy(ring_at(HDR + i * 64), &h, sizeof(h));
	*(u8 *)ring_at(STATUS + i * STEP) = 0xee;
	ring_put_desc(&r.desc[d], HDR + i * 64, 16, D_NEXT, d + 1);
	ring_put_desc(&r.desc[d + 1], DATA + i * STEP, len,
		      D_NEXT | (in ? D_WRITE : 0), d + 2);
	ring_put_desc(&r.desc[d + 2], STATUS + i * STEP, 1, D_WRITE, 0);
	ring_add(&r, d);
	submitted = NULL;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(submitted);
	return submitted;
}

static inline void end_with(struct bell_disk_req *req, int error)
{
	bell_disk_done(req, error);
}

/* Run the work item: a second has passed, or a probe has completed. */
static inline void run_hold_work(void)
{
	struct bell_blk_queue *q = r.vq.priv;

	CHECK(flush_work(&q->hold_work.work));
}

/*
 * As run_hold_work(); then the worker takes the requests that it was given.
 * Stores them in @given, in order, and returns how many.
 */
static inline u32 a_second_later(struct bell_disk_req *given[REQUESTS])
{
	struct llist_node *node, *next;
	u32 n = 0;

	CHECK(!retries.first);
	run_hold_work();
	for (node = llist_reverse_order(llist_del_all(&retries)); node;
	     node = next) {
		next = node->next;
		submitted = NULL;
		be->ops->exec.retry(&exec, node);
		if (n < REQUESTS)
			given[n] = container_of(node, struct bell_disk_req,
						retry);
		n++;
	}
	return n;
}

static inline void check_held(u32 n, u32 times)
{
	CHECK_EQ(atomic_read(&r.vq.stats.held), n);
	CHECK_EQ(atomic_long_read(&r.vq.stats.holds), times);
	CHECK_EQ(r.vq.stats.errors, 0);
}

#endif
