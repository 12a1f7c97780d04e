// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk.c: creating a disk, its config space, and its write cache
 * setting.
 */
#include "backend_blk_priv.h"
#include "blk.h"
#include "order.h"

/* --- write cache: write-through and write-back --- */

static void test_writethrough(void)
{
	begin();
	end();
	begin_with(0);
	put_header(VIRTIO_BLK_T_OUT, 0);
	put_chain(a_read, 3, 2);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(submitted->fua);
	bell_disk_done(submitted, 0);
	end();
	begin();
	put_header(VIRTIO_BLK_T_OUT, 0);
	put_chain(a_read, 3, 2);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK(!submitted->fua);
	bell_disk_done(submitted, 0);
	end();
}

static int set_wce(u32 offset, u8 value, u32 size)
{
	const u8 bytes[2] = { value };

	return be->ops->set_config(be, offset, bytes, size);
}

/* Submit one write and do not complete it. */
static void write_one(void)
{
	put_header(VIRTIO_BLK_T_OUT, 0);
	put_chain(a_read, 3, 2);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
}

#define CONFIG_LEN	96U	/* struct virtio_blk_config up to its zone fields */

#define WCE	offsetof(struct virtio_blk_config, wce)

static void begin_wce(void)
{
	begin();
	end();
	cfg.flags = VHOST_DOORBELL_BLK_F_CONFIG_WCE;
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH));
	flushes = 0;
	queued = NULL;
}

static void test_wce_rules(void)
{
	u8 wce = 0;

	begin();
	CHECK(!(be->features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE)));
	CHECK_EQ(set_wce(WCE, 0, 1), -EPERM);
	end();
	begin_wce();
	CHECK(be->features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE));
	be->ops->get_config(be, WCE, &wce, 1);
	CHECK_EQ(wce, 1);
	CHECK_EQ(set_wce(WCE, 0, 2), -EPERM);
	CHECK_EQ(set_wce(WCE - 1, 0, 1), -EPERM);
	CHECK_EQ(set_wce(WCE + 1, 0, 1), -EPERM);
	CHECK_EQ(set_wce(WCE, 2, 1), -EINVAL);
	CHECK_EQ(set_wce(WCE, 1, 1), 0);
	CHECK_EQ(flushes, 0);
	CHECK_EQ(set_wce(WCE, 0, 1), 0);
	CHECK_EQ(flushes, 1);
	be->ops->get_config(be, WCE, &wce, 1);
	CHECK_EQ(wce, 0);
	CHECK_EQ(set_wce(WCE, 1, 1), 0);
	/* If the flush fails the guest must go on to flush. */
	flush_ret = -EIO;
	CHECK_EQ(set_wce(WCE, 0, 1), -EIO);
	flush_ret = 0;
	be->ops->get_config(be, WCE, &wce, 1);
	CHECK_EQ(wce, 1);
	end();
	disk_file.f_mode = FMODE_READ;
	begin_with(0);
	CHECK(!(be->features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE)));
	end();
}

static u8 wce_after(u64 features)
{
	u8 wce = 0xee;

	be->ops->set_features(be, features);
	be->ops->get_config(be, WCE, &wce, 1);
	return wce;
}

/* The value of wce that a driver reads at its start. */
static void test_wce_initial(void)
{
	const u64 flush = BIT_ULL(VIRTIO_BLK_F_FLUSH);
	const u64 config = BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE);

	begin_wce();
	CHECK_EQ(wce_after(config | flush), 1);
	CHECK_EQ(wce_after(config), 0);
	CHECK_EQ(wce_after(flush), 1);
	CHECK_EQ(wce_after(config), 0);
	CHECK_EQ(wce_after(0), 1);
	/*
	 * With CONFIG_WCE alone the switch works. The driver cannot flush, so
	 * each write must be stable when it completes.
	 */
	CHECK_EQ(wce_after(config), 0);
	CHECK_EQ(set_wce(WCE, 1, 1), 0);
	end();
	begin_with(config);
	write_one();
	CHECK(submitted->fua);
	bell_disk_done(submitted, 0);
	end();
}

/* Writes that are in flight when the driver switches the cache. */
static void test_wce_in_flight(void)
{
	begin_wce();
	write_one();
	CHECK(!submitted->fua);
	CHECK_EQ(set_wce(WCE, 0, 1), 0);
	bell_disk_done(submitted, 0);
	CHECK(queued == submitted && le16toh(r.used->idx) == 0);
	queued_func(queued);
	CHECK(flushes == 2 && le16toh(r.used->idx) == 1 && !status());
	/* The flush of the disk fails: the guest must get the error. */
	CHECK_EQ(set_wce(WCE, 1, 1), 0);
	write_one();
	flush_ret = -EIO;
	CHECK_EQ(set_wce(WCE, 0, 1), -EIO);
	bell_disk_done(submitted, 0);
	queued_func(queued);
	CHECK_EQ(status(), VIRTIO_BLK_S_IOERR);
	flush_ret = 0;
	/* A write that failed needs no flush. */
	CHECK_EQ(set_wce(WCE, 1, 1), 0);
	write_one();
	CHECK_EQ(set_wce(WCE, 0, 1), 0);
	queued = NULL;
	bell_disk_done(submitted, -EIO);
	CHECK(!queued && status() == VIRTIO_BLK_S_IOERR);
	end();
}

/* Zeroes are stable in write-through mode as other writes are. */
static void test_wce_zeroes(void)
{
	const struct virtio_blk_discard_write_zeroes range = { .num_sectors = htole32(8) };
	const struct bell_seg seg[] = { H, { DATA, sizeof(range) }, S };

	begin_wce();
	end();
	cfg.flags |= VHOST_DOORBELL_BLK_F_WRITE_ZEROES;
	begin_with(BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES));
	memcpy(ring_at(DATA), &range, sizeof(range));
	put_header(VIRTIO_BLK_T_WRITE_ZEROES, 0);
	put_chain(seg, 3, 2);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	CHECK_EQ(submitted->op, BELL_DISK_ZERO);
	CHECK(!submitted->fua);
	CHECK_EQ(set_wce(WCE, 0, 1), 0);
	bell_disk_done(submitted, 0);
	CHECK(queued == submitted && status() == 0xee);
	queued_func(queued);
	CHECK_EQ(flushes, 2);
	CHECK_EQ(status(), VIRTIO_BLK_S_OK);
	end();
}

/* A write whose completion does not see the switch is in the flush that follows it. */
static void test_wce_order(void)
{
	struct bell_blk *blk;

	begin_wce();
	blk = container_of(be, struct bell_blk, be);
	order_start();
	CHECK_EQ(set_wce(WCE, 0, 1), 0);
	CHECK(ORDER({ SHIM_WRITE, ORDER_AT(&blk->config.wce) }, { SHIM_MB },
		    { SHIM_WRITE, ORDER_AT(&flushes) }));
	end();
}

/* Writes that begin after the switch. */
static void test_wce_after(void)
{
	begin_wce();
	CHECK_EQ(set_wce(WCE, 0, 1), 0);
	write_one();
	CHECK(submitted->fua);
	bell_disk_done(submitted, 0);
	CHECK(!queued && !status());
	put_header(VIRTIO_BLK_T_IN, 0);
	put_chain(a_read, 3, 1);
	CHECK_EQ(pass(true), BELL_PASS_DONE);
	bell_disk_done(submitted, 0);
	CHECK(!queued && !status());
	end();
}

/* --- creating a disk --- */

static long create_error(void)
{
	struct bell_backend *b = bell_backend_blk_create(&cfg);

	if (!IS_ERR(b)) {
		b->ops->destroy(b);
		return 0;
	}
	CHECK_EQ(disk_file.refs, 0);
	return PTR_ERR(b);
}

static void test_create(void)
{
	const struct vhost_doorbell_blk good = cfg;

#define ROW(field, value, error)					\
	do {								\
		cfg = good;						\
		cfg.field = (value);					\
		CHECK_EQ(create_error(), error);			\
	} while (0)
	ROW(fd, DISK_FD + 1, -EBADF);
	ROW(seg_max, 1022, 0);
	ROW(seg_max, 1023, -EINVAL);
	ROW(size_max, 4096, 0);
	ROW(size_max, 4095, -EINVAL);
	ROW(blk_size, 4096, 0);
	ROW(blk_size, 256, -EINVAL);
	ROW(blk_size, 8192, -EINVAL);
	ROW(blk_size, 1536, -EINVAL);
#undef ROW
	/* The longest request has 16 MiB. */
	cfg = good;
	cfg.seg_max = 16;
	cfg.size_max = SZ_1M;
	CHECK_EQ(create_error(), 0);
	cfg.size_max++;
	CHECK_EQ(create_error(), -EINVAL);
	cfg = good;
	disk_file.f_mode = FMODE_WRITE;
	CHECK_EQ(create_error(), -EACCES);
	disk_file.f_mode = FMODE_READ | FMODE_WRITE;
	disk_inode.i_mode = S_IFCHR;
	CHECK_EQ(create_error(), -EINVAL);
	disk_inode.i_mode = S_IFBLK;
	world.fail_alloc = 1;
	CHECK_EQ(create_error(), -ENOMEM);
}

static void test_config(void)
{
	struct virtio_blk_config c = {};
	u8 rest[8];

	begin();
	be->ops->get_config(be, 0, &c, sizeof(c));
	CHECK_EQ(le64toh(c.capacity), CAPACITY);
	CHECK_EQ(le32toh(c.blk_size), 512);
	CHECK_EQ(c.physical_block_exp, 3);
	CHECK_EQ(le16toh(c.num_queues), 1);
	memset(rest, 0x5a, sizeof(rest));
	be->ops->get_config(be, CONFIG_LEN, rest, sizeof(rest));
	be->ops->get_config(be, ~0U, rest, sizeof(rest));
	CHECK_EQ(rest[0], 0x5a);
	be->ops->get_config(be, CONFIG_LEN - 1, rest, sizeof(rest));
	CHECK_EQ(rest[1], 0x5a);
	end();
}

static u16 cylinders_of(u64 capacity)
{
	struct virtio_blk_config c = {};
	u64 sectors = 0;

	disk_sectors = capacity;
	CHECK_EQ(be->ops->resize(be, &sectors), 0);
	CHECK_EQ(sectors, capacity);
	be->ops->get_config(be, 0, &c, sizeof(c));
	CHECK_EQ(le64toh(c.capacity), capacity);
	CHECK_EQ(c.geometry.heads, 16);
	CHECK_EQ(c.geometry.sectors, 63);
	return le16toh(c.geometry.cylinders);
}

/*
 * The geometry is never zero, and never more than its 16-bit fields can hold.
 */
static void test_geometry(void)
{
	begin();
	CHECK(be->features & BIT_ULL(VIRTIO_BLK_F_GEOMETRY));
	CHECK_EQ(cylinders_of(1), 1);
	CHECK_EQ(cylinders_of(1007), 1);
	CHECK_EQ(cylinders_of(2016), 2);
	CHECK_EQ(cylinders_of(16383ULL * 1008 - 1), 16382);
	CHECK_EQ(cylinders_of(1ULL << 40), 16383);
	end();
}

static const struct tap_test tests[] = {
	{ "blk: a driver that cannot flush", test_writethrough },
	{ "blk: who may switch the cache, and to what", test_wce_rules },
	{ "blk: what the cache is at first", test_wce_initial },
	{ "blk: writes in flight when it is switched", test_wce_in_flight },
	{ "blk: zeroes in flight when it is switched", test_wce_zeroes },
	{ "blk: it is switched before the flush", test_wce_order },
	{ "blk: writes after that", test_wce_after },
	{ "blk: what SET_BLK refuses", test_create },
	{ "blk: config space", test_config },
	{ "blk: geometry", test_geometry },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
