// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_large.c and _map.c: long requests, and the memory for page
 * vectors.
 */
#include <linux/sched.h>

#include "backend_blk_priv.h"
#include "blk.h"

#define SLICE	8192U

static void begin_small(void)
{
	begin();
	end();
	cfg.seg_max = 1;
	cfg.size_max = SLICE;
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH));
	shim_slept = 0;
}

static struct bell_blk *the_blk(void)
{
	return container_of(be, struct bell_blk, be);
}

static void end_small(void)
{
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(the_blk()->vec_bytes.counter, 0);
	end();
}

static u32 used_len(void)
{
	return le32toh(r.used->ring[(le16toh(r.used->idx) - 1) % NUM].len);
}

/*
 * The disk completes a slice with @error, and the worker begins the next one.
 */
static void slice_ends(int error)
{
	struct bell_disk_req *req = submitted;

	submitted = NULL;
	retried = NULL;
	bell_disk_done(req, error);
	CHECK(retried == req);
	CHECK_EQ(le16toh(r.used->idx), 0);
	be->ops->exec.retry(&exec, &req->retry);
}

/* Check the submitted slice: one vector, for this piece of guest memory. */
static void check_slice(u64 sector, u64 gpa, u32 len)
{
	const struct bio_vec *v;

	CHECK(submitted && !submitted_nowait);
	if (tap_bad)
		return;
	v = submitted->vecs;
	CHECK_EQ(submitted->sector, sector);
	CHECK_EQ(submitted->bytes, len);
	CHECK_EQ(submitted->nvecs, 1);
	CHECK_EQ(page_to_phys(v->bv_page) + v->bv_offset, gpa);
	CHECK(v->bv_offset < PAGE_SIZE);
	CHECK_EQ(v->bv_len, len);
}

static void put_one(u32 type, u64 sector, u64 gpa, u32 len)
{
	const struct bell_seg seg[] = { H, { gpa, len }, S };

	put_header(type, sector);
	put_chain(seg, 3, type == VIRTIO_BLK_T_OUT ? 2 : 1);
}

static void test_slices(void)
{
	begin_small();
	put_one(VIRTIO_BLK_T_IN, 8, DATA + 512, 2 * SLICE + 1024);
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(submits, 0);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	check_slice(8, DATA + 512, SLICE);
	slice_ends(0);
	check_slice(8 + 16, DATA + 512 + SLICE, SLICE);
	slice_ends(0);
	check_slice(8 + 32, DATA + 512 + 2 * SLICE, 1024);
	slice_ends(0);
	CHECK_EQ(submits, 3);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(used_len(), 2 * SLICE + 1024 + 1);
	CHECK_EQ(r.vq.stats.bytes_read, 2 * SLICE + 1024);
	end_small();
}

static void test_slice_fails(void)
{
	begin_small();
	put_one(VIRTIO_BLK_T_OUT, 0, DATA, 3 * SLICE);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	slice_ends(0);
	check_slice(16, DATA + SLICE, SLICE);
	slice_ends(-EIO);
	CHECK_EQ(submits, 2);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(used_len(), 1);
	CHECK_EQ(r.vq.stats.errors, 1);
	CHECK_EQ(r.vq.stats.bytes_written, 0);
	/* The report has the sector of the slice. */
	CHECK_EQ(r.vq.failures.last.sector, 16);
	CHECK_EQ(r.vq.failures.last.error, -EIO);
	end_small();
}

/* Compare the slices with the chain, byte by byte. */
static void check_pieces(const struct bell_seg *seg, u32 total)
{
	const struct bell_seg *at = seg;
	u32 skip = 0, done = 0;

	while (done < total && !tap_bad) {
		u32 bytes = 0;

		CHECK_EQ(submitted->sector, done / 512);
		CHECK(submitted->bytes <= SLICE);
		for (u32 i = 0; i < submitted->nvecs && !tap_bad; i++) {
			const struct bio_vec *v = &submitted->vecs[i];
			u64 gpa = page_to_phys(v->bv_page) + v->bv_offset;

			for (u32 k = 0; k < v->bv_len; k++) {
				CHECK_EQ(gpa + k, at->addr + skip);
				if (++skip == at->len) {
					at++;
					skip = 0;
				}
			}
			bytes += v->bv_len;
		}
		CHECK_EQ(bytes, submitted->bytes);
		done += bytes;
		slice_ends(0);
	}
}

static void test_pieces(void)
{
	struct bell_seg seg[26] = { H };
	u32 total = 0;

	/* Pieces of odd lengths that do not touch each other */
	for (u32 i = 0; i < 24; i++) {
		u32 len = i < 23 ? 1000 + 77 * i : 0;

		if (i == 23)
			len = round_down(total, 512) + 512 - total;
		seg[i + 1] = (struct bell_seg){ DATA + i * 12288 + 13 * i, len };
		total += len;
	}
	seg[25] = (struct bell_seg)S;
	begin_small();
	put_header(VIRTIO_BLK_T_OUT, 0);
	put_chain(seg, 26, 25);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(!submitted->aligned);
	check_pieces(seg + 1, total);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(r.vq.stats.bytes_written, total);
	end_small();
}

/*
 * The disk cannot begin a later slice now: the worker tries again, but not for
 * ever.
 */
static void test_slice_again(void)
{
	static const int errors[] = { -EAGAIN, -ENOMEM };
	struct bell_disk_req *req;

	for (int i = 0; i < 2; i++) {
		begin_small();
		put_one(VIRTIO_BLK_T_IN, 0, DATA, 2 * SLICE);
		CHECK_EQ(pass(true), BELL_PASS_DONE);
		req = submitted;
		submit_ret = errors[i];
		slice_ends(0);
		CHECK_EQ(shim_slept, 1);
		CHECK(retried == req && !submitted);
		submit_ret = 0;
		be->ops->exec.retry(&exec, &req->retry);
		check_slice(16, DATA + SLICE, SLICE);
		slice_ends(0);
		CHECK_EQ(status(), VIRTIO_BLK_S_OK);
		end_small();
	}

	/* The attempts of each slice count from the start. */
	begin_small();
	put_one(VIRTIO_BLK_T_IN, 0, DATA, 3 * SLICE);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	req = submitted;
	submit_ret = -EAGAIN;
	slice_ends(0);
	submit_ret = 0;
	be->ops->exec.retry(&exec, &req->retry);
	check_slice(16, DATA + SLICE, SLICE);
	submit_ret = -EAGAIN;
	shim_slept = 0;
	slice_ends(0);
	for (u32 i = 0; i < 20 * HZ && !le16toh(r.used->idx); i++)
		be->ops->exec.retry(&exec, &req->retry);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(shim_slept, 10 * HZ);
	CHECK_EQ(r.vq.failures.last.sector, 32);
	CHECK_EQ(r.vq.failures.last.error, -EIO);
	end_small();
}

/*
 * The disk cannot begin the first slice: the request goes back into the ring.
 */
static void test_first_again(void)
{
	begin_small();
	put_one(VIRTIO_BLK_T_IN, 0, DATA, 2 * SLICE);
	submit_ret = -EAGAIN;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	submit_ret = -EIO;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	end_small();
}

static void test_large_bad(void)
{
	begin_small();
	/* A part of the data lies outside of guest memory. */
	put_one(VIRTIO_BLK_T_OUT, 0, RING_END - SLICE, 2 * SLICE);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(submits, 0);
	end_small();

	/* Longer than any request may be: it fails and pins nothing. */
	begin_small();
	the_blk()->disk.capacity = 1ULL << 32;
	put_one(VIRTIO_BLK_T_OUT, 0, DATA, SZ_1G + 512);
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(submits, 0);
	end_small();
}

static void test_large_no_memory(void)
{
	begin_small();
	put_one(VIRTIO_BLK_T_IN, 0, DATA, 2 * SLICE);
	world.pin_max = 1;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	slice_ends(0);
	slice_ends(0);
	ring_add(&r, 0);
	world.fail_alloc = 1;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(the_blk()->vec_bytes.counter, 0);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submits, 3);
	submitted->large ? (void)0 : shim_die("not a large one");
	bell_disk_done(submitted, -EIO);
	be->ops->exec.retry(&exec, &retried->retry);
	end_small();
}

/*
 * The request is stable when it ends, even if the driver switched the cache
 * meanwhile.
 */
static void test_large_owes_flush(void)
{
	const u8 off = 0;

	begin();
	end();
	cfg.seg_max = 1;
	cfg.size_max = SLICE;
	cfg.flags = VHOST_DOORBELL_BLK_F_CONFIG_WCE;
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH));
	flushes = 0;
	queued = NULL;
	put_one(VIRTIO_BLK_T_OUT, 0, DATA, 2 * SLICE);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(be->ops->set_config(be, offsetof(struct virtio_blk_config, wce),
				     &off, 1), 0);
	CHECK_EQ(flushes, 1);
	slice_ends(0);
	CHECK(!queued);
	slice_ends(0);
	CHECK(queued && le16toh(r.used->idx) == 0);
	queued_func(queued);
	CHECK_EQ(flushes, 2);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	CHECK_EQ(r.vq.stats.bytes_written, 2 * SLICE);
	end_small();
}

/* Adjacent pages share one vector, which needs no memory. */
static void test_merged(void)
{
	begin();
	put_one(VIRTIO_BLK_T_IN, 0, DATA, 40 * PAGE_SIZE);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	ring_add(&r, 0);
	world.fail_alloc = 1;
	CHECK_EQ(pass(false), BELL_PASS_DONE);
	CHECK_EQ(submitted->nvecs, 1);
	world.fail_alloc = 0;
	bell_disk_done(submitted, 0);
	end_small();
}

/*
 * Pages that are not adjacent need vectors; all queues together get a limited
 * number.
 */
static void test_vectors_bounded(void)
{
	struct bell_seg seg[22] = { H };
	struct bell_blk *blk;

	for (u32 i = 0; i < 20; i++)
		seg[i + 1] = (struct bell_seg){ DATA + i * 8192, 512 };
	seg[21] = (struct bell_seg)S;
	begin();
	blk = the_blk();
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(seg, 22, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submitted->nvecs, 20);
	CHECK_EQ(blk->vec_bytes.counter, 20 * sizeof(struct bio_vec));
	bell_disk_done(submitted, 0);
	CHECK_EQ(blk->vec_bytes.counter, 0);
	ring_add(&r, 0);
	blk->vec_bytes.counter = BELL_BLK_VEC_BYTES;
	CHECK_EQ(pass(false), BELL_PASS_PUNT);
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	CHECK_EQ(blk->vec_bytes.counter, BELL_BLK_VEC_BYTES);
	/* The last of them */
	blk->vec_bytes.counter = BELL_BLK_VEC_BYTES - 20 * sizeof(struct bio_vec) + 1;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	blk->vec_bytes.counter--;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	blk->vec_bytes.counter -= BELL_BLK_VEC_BYTES - 20 * sizeof(struct bio_vec);
	bell_disk_done(submitted, 0);
	end_small();

	/* A large request reserves its vectors before it looks up any page. */
	begin_small();
	blk = the_blk();
	put_one(VIRTIO_BLK_T_IN, 0, DATA, 2 * SLICE);
	blk->vec_bytes.counter = BELL_BLK_VEC_BYTES;
	CHECK_EQ(pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r.vq), 0);
	blk->vec_bytes.counter = 0;
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	slice_ends(0);
	slice_ends(0);
	end_small();
}

static const struct tap_test tests[] = {
	{ "blk large: slice after slice", test_slices },
	{ "blk large: the first that fails ends it", test_slice_fails },
	{ "blk large: pieces of any length", test_pieces },
	{ "blk large: a slice that cannot begin yet", test_slice_again },
	{ "blk large: a first one that cannot", test_first_again },
	{ "blk large: outside of memory, and too long", test_large_bad },
	{ "blk large: no memory", test_large_no_memory },
	{ "blk large: the cache is switched meanwhile", test_large_owes_flush },
	{ "blk vectors: neighbours share one", test_merged },
	{ "blk vectors: a device has so many at a time", test_vectors_bounded },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
