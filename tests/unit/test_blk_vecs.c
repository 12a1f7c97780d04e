// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_map.c and _large.c: requests with as many pieces as a bio has page vectors, and
 * with more. The pieces do not join, so each needs a vector.
 */
#define NUM		4096U

#include <linux/sched.h>

#include "backend_blk_priv.h"
#include "blk.h"

/* Bytes of a piece of data, and from the start of one to that of the next */
#define PIECE		256U
#define STEP		(2 * PIECE)

static struct bell_blk *the_blk(void)
{
	return container_of(be, struct bell_blk, be);
}

static long vec_bytes(void)
{
	return the_blk()->vec_bytes.counter;
}

/* Piece @i of @n. If @n is odd, the last two have half the length: then all are whole sectors. */
static struct bell_seg piece(u32 i, u32 n)
{
	u32 len = n % 2 && i + 2 >= n ? PIECE / 2 : PIECE;

	return (struct bell_seg){ DATA + 2 * SZ_1M + i * STEP, len };
}

/* Put a read of @n pieces into the ring. Returns its bytes. */
static u32 put_read(u32 n)
{
	u32 bytes = 0;

	put_header(VIRTIO_BLK_T_IN, 0);
	ring_put_desc(&r.desc[0], HDR, 16, D_NEXT, 1);
	for (u32 i = 0; i < n; i++) {
		struct bell_seg seg = piece(i, n);

		ring_put_desc(&r.desc[i + 1], seg.addr, seg.len, D_NEXT | D_WRITE, i + 2);
		bytes += seg.len;
	}
	ring_put_desc(&r.desc[n + 1], STATUS, 1, D_WRITE, 0);
	ring_add(&r, 0);
	return bytes;
}

/* The disk has one request, which is the whole read. */
static void check_all(u32 n, u32 bytes)
{
	CHECK_EQ(submits, 1);
	CHECK_EQ(submitted->nvecs, n);
	CHECK_EQ(submitted->bytes, bytes);
	for (u32 i = 0; i < n && !tap_bad; i++) {
		const struct bio_vec *v = &submitted->vecs[i];
		struct bell_seg seg = piece(i, n);

		CHECK_EQ(page_to_phys(v->bv_page) + v->bv_offset, seg.addr);
		CHECK_EQ(v->bv_len, seg.len);
	}
}

static void ends(u32 bytes)
{
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(le32toh(r.used->ring[(le16toh(r.used->idx) - 1) % NUM].len), bytes + 1);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(vec_bytes(), 0);
	end();
}

/* As many as a bio has: the request is served in one piece, also in the ringing thread. */
static void test_most(void)
{
	const u32 n = BELL_BLK_MAX_VECS;
	u32 bytes;

	CHECK_EQ(n, 2048);
	begin();
	bytes = put_read(n);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	check_all(n, bytes);
	CHECK(!submitted->large);
	CHECK_EQ(vec_bytes(), n * sizeof(struct bio_vec));
	bell_disk_done(submitted, 0);
	CHECK_EQ(vec_bytes(), 0);
	submits = 0;
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	check_all(n, bytes);
	bell_disk_done(submitted, 0);
	ends(bytes);
}

/* One more: the worker serves the request as a large one. */
static void test_one_more(void)
{
	const u32 n = BELL_BLK_MAX_VECS + 1;
	u32 bytes;

	begin();
	bytes = put_read(n);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	check_all(n, bytes);
	CHECK(submitted->large);
	CHECK_EQ(vec_bytes(), n * sizeof(struct bio_vec));
	bell_disk_done(submitted, 0);
	be->ops->exec.retry(&exec, &retried->retry);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(vec_bytes(), 0);

	submits = 0;
	ring_add(&r, 0);
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(submits, 0);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(vec_bytes(), 0);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	check_all(n, bytes);
	bell_disk_done(submitted, 0);
	be->ops->exec.retry(&exec, &retried->retry);
	ends(bytes);
}

/* Allocation @nth fails: the request is put back into the ring, without any memory. */
static void test_no_memory(void)
{
	static const u32 counts[] = { BELL_BLK_MAX_VECS, BELL_BLK_MAX_VECS + 1 };

	for (int i = 0; i < 4; i++) {
		bool may_sleep = i & 1;
		u32 n = counts[i / 2], bytes, nth;

		begin();
		/* This pins the pages. */
		bytes = put_read(n);
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		for (nth = 1; !tap_bad; nth++) {
			bell_disk_done(submitted, 0);
			if (n > BELL_BLK_MAX_VECS)
				be->ops->exec.retry(&exec, &retried->retry);
			CHECK_EQ(vec_bytes(), 0);
			submits = 0;
			ring_add(&r, 0);
			world.fail_alloc = nth;
			if (pass(may_sleep) == BELL_PASS_DONE)
				break;
			CHECK_EQ(submits, 0);
			CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
			CHECK_EQ(vec_bytes(), 0);
			if (world.fail_alloc)
				break;
			CHECK_EQ(pass(true), BELL_PASS_DONE);
			check_all(n, bytes);
		}
		/*
		 * 64, 256, 1024 and 2048 vectors; if that is too few, then the state of a
		 * large request and 64, 256, 1024 and 2049 vectors
		 */
		CHECK_EQ(nth, may_sleep && n > BELL_BLK_MAX_VECS ? 10 : 5);
		world.fail_alloc = 0;
		if (!submits)
			CHECK_EQ(pass(true), BELL_PASS_DONE);
		bell_disk_done(submitted, 0);
		if (n > BELL_BLK_MAX_VECS)
			be->ops->exec.retry(&exec, &retried->retry);
		ends(bytes);
	}
}

static const struct tap_test tests[] = {
	{ "blk vectors: as many as a bio has", test_most },
	{ "blk vectors: one more", test_one_more },
	{ "blk vectors: no memory for them", test_no_memory },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
