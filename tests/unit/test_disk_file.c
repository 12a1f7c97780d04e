// SPDX-License-Identifier: GPL-2.0
/*
 * disk_file.c: which writes of a file are submitted as stable, and by which thread, and which
 * flushes are then left out. The file system is played here.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include "disk.h"
#include "disk_file.h"
#include "exec.h"
#include "tap.h"

#define BLOCK		4096
#define DSYNC		IOCB_DSYNC
#define INLINE		IOCB_NOWAIT

static struct bell_disk disk;
static struct bell_disk_req req;
static struct bell_exec exec;

/* --- the file system --- */

static struct block_device bdev;
static struct file_system_type type;
static struct super_block sb = { .s_type = &type };
static struct inode inode = {
	.i_mode = S_IFREG, .i_sb = &sb, .i_size = 1 << 20, .i_blkbits = 12,
};
static struct address_space mapping;
static struct file own;

/*
 * What the next writes return; 0: all of it. Then errors of writeback that an attempt finds,
 * and its open file is told of.
 */
static long write_ret;
static unsigned int writeback_errors;
/* The attempts, and the flags of the last one */
static unsigned int attempts;
static int flags;
static unsigned int fsyncs;

static ssize_t write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	long ret = write_ret;

	attempts++;
	flags = iocb->ki_flags;
	mapping.wb_err += writeback_errors;
	iocb->ki_filp->f_wb_err = mapping.wb_err;
	write_ret = 0;
	writeback_errors = 0;
	return ret ? ret : (long)iov_iter_count(iter);
}

static ssize_t read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	return -EIO;
}

static int no_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return 0;
}

static const struct file_operations fops = {
	.read_iter = read_iter, .write_iter = write_iter, .fsync = no_fsync,
};
static struct file file = {
	.f_op = &fops, .f_mapping = &mapping, .inode = &inode,
	.f_mode = FMODE_READ | FMODE_WRITE | FMODE_NOWAIT, .f_flags = O_DIRECT,
};

bool sb_start_write_trylock(struct super_block *s)
{
	return true;
}

void kiocb_start_write(struct kiocb *iocb)
{
}

void kiocb_end_write(struct kiocb *iocb)
{
}

ssize_t vfs_iocb_iter_read(struct file *f, struct kiocb *iocb, struct iov_iter *iter)
{
	return read_iter(iocb, iter);
}

int vfs_fsync(struct file *f, int datasync)
{
	fsyncs++;
	return 0;
}

bool bell_disk_bdev_may_inline(struct block_device *b, bool below_nowait)
{
	return !b->blocks || below_nowait;
}

bool bell_bdev_synchronous(struct block_device *b)
{
	return b->synchronous;
}

/* --- the rest of the module --- */

static unsigned int nr_done, retries;
static int done_error;

void bell_disk_done(struct bell_disk_req *r, int error)
{
	CHECK(r == &req);
	nr_done++;
	done_error = error;
}

void bell_disk_retry(struct bell_disk_req *r)
{
	retries++;
}

void bell_disk_defer(struct bell_disk_req *r)
{
	shim_die("deferred");
}

void bell_disk_times_open(struct bell_disk *d)
{
	own = *d->file;
	d->io = &own;
	d->times = (struct bell_disk_times *)&own;
}

void bell_disk_times_close(struct bell_disk *d)
{
	d->times = NULL;
	d->io = d->file;
}

/* --- the tests --- */

/* The owner vouches for the disk below. */
static bool below_nowait;

static void begin(const char *fs, struct block_device dev, bool hold)
{
	type.name = fs;
	bdev = dev;
	sb.s_bdev = &bdev;
	memset(&disk, 0, sizeof(disk));
	disk.file = &file;
	disk.hold_nospc = hold;
	disk.below_nowait = below_nowait;
	CHECK_EQ(bell_disk_open(&disk), 0);
	attempts = fsyncs = nr_done = retries = 0;
	flags = 0;
}

/* A disk whose stable writes spare flushes, if its file system is such a one */
static const struct block_device good = {
	.write_cache = true, .fua = true, .mq = true,
};

/* Begin a write; returns as ops->submit() */
static int write_at(u64 pos, u32 bytes, bool must, bool nowait)
{
	req = (struct bell_disk_req){
		.disk = &disk, .exec = &exec, .op = BELL_DISK_WRITE,
		.sector = pos >> SECTOR_SHIFT, .bytes = bytes, .fua = must,
		.aligned = true,
	};
	return disk.ops->submit(&req, nowait);
}

/* Does a flush end at once? If not, it is done. */
static bool flush_is_spared(void)
{
	unsigned int was = fsyncs;

	req = (struct bell_disk_req){ .disk = &disk, .exec = &exec, .op = BELL_DISK_FLUSH };
	CHECK_EQ(disk.ops->submit(&req, true), 0);
	world_run_work();
	CHECK_EQ(done_error, 0);
	return fsyncs == was;
}

/* The guest has flushed, and after few writes. */
static void flush_often(void)
{
	flush_is_spared();
	flush_is_spared();
	CHECK(flush_is_spared());
}

static const struct row {
	const char *name, *fs;
	struct block_device dev;
	bool hold, must, nowait;
	u64 pos;
	u32 bytes;
	/* the result of the submission, its flags (DSYNC, INLINE), and those of the flush */
	int ret, flags;
	bool spared;
} rows[] = {
	{ "hint", "ext4", { true, true, true, false }, .nowait = true,
	  .bytes = BLOCK, .flags = DSYNC | INLINE, .spared = true },
	{ "hint, xfs", "xfs", { true, true, true, false }, .nowait = true,
	  .bytes = BLOCK, .flags = DSYNC | INLINE, .spared = true },
	{ "hint, no volatile cache", "ext4", { false, false, true, false }, .nowait = true,
	  .bytes = BLOCK, .flags = DSYNC | INLINE, .spared = true },
	{ "must", "ext4", { true, true, true, false }, .must = true, .nowait = true,
	  .bytes = BLOCK, .flags = DSYNC | INLINE, .spared = true },
	{ "must, two blocks", "xfs", { true, true, true, false }, .must = true,
	  .nowait = true, .pos = BLOCK, .bytes = 2 * BLOCK, .flags = DSYNC | INLINE,
	  .spared = true },
	{ "must, in the worker", "ext4", { true, true, true, false }, .must = true,
	  .bytes = BLOCK, .flags = DSYNC, .spared = true },
	{ "hint, in the worker", "ext4", { true, true, true, false }, .bytes = BLOCK },

	{ "hint, f2fs", "f2fs", { true, true, true, false }, .nowait = true,
	  .bytes = BLOCK, .flags = INLINE },
	{ "must, f2fs", "f2fs", { true, true, true, false }, .must = true, .nowait = true,
	  .bytes = BLOCK, .ret = -EAGAIN },
	{ "must, f2fs, in the worker", "f2fs", { true, true, true, false }, .must = true,
	  .bytes = BLOCK, .flags = DSYNC },
	{ "hint, ext4dev", "ext4dev", { true, true, true, false }, .nowait = true,
	  .bytes = BLOCK, .flags = INLINE },
	{ "must, btrfs", "btrfs", { true, true, true, false }, .must = true, .nowait = true,
	  .bytes = BLOCK, .ret = -EAGAIN },

	{ "hint, the start of a block", "xfs", { true, true, true, false }, .nowait = true,
	  .bytes = 512, .flags = INLINE },
	{ "hint, the end of a block", "xfs", { true, true, true, false }, .nowait = true,
	  .pos = BLOCK - 512, .bytes = 512, .flags = INLINE },
	{ "hint, across blocks", "xfs", { true, true, true, false }, .nowait = true,
	  .pos = 2048, .bytes = BLOCK, .flags = INLINE },
	{ "must, a part of a block", "xfs", { true, true, true, false }, .must = true,
	  .nowait = true, .bytes = 512, .ret = -EAGAIN },
	{ "must, a part of a block, in the worker", "xfs", { true, true, true, false },
	  .must = true, .bytes = 512, .flags = DSYNC, .spared = true },

	{ "hint, a cache without FUA", "ext4", { true, false, true, false }, .nowait = true,
	  .bytes = BLOCK, .flags = INLINE },
	{ "must, a cache without FUA", "ext4", { true, false, true, false }, .must = true,
	  .nowait = true, .bytes = BLOCK, .ret = -EAGAIN },
	{ "hint, memory", "ext4", { true, true, true, true }, .nowait = true,
	  .bytes = BLOCK, .flags = INLINE },
	{ "hint, a volume", "ext4", { true, true, false, false }, .nowait = true,
	  .bytes = BLOCK, .flags = INLINE },
	{ "must, a volume", "ext4", { true, true, false, false }, .must = true,
	  .nowait = true, .bytes = BLOCK, .ret = -EAGAIN },
	{ "hint, held when full", "ext4", { true, true, true, false }, .hold = true,
	  .nowait = true, .bytes = BLOCK, .flags = INLINE },
	{ "must, held when full: a flush follows", "ext4", { true, true, true, false },
	  .hold = true, .must = true, .nowait = true, .bytes = BLOCK, .flags = INLINE },
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		tap_begin();
		begin(r->fs, r->dev, r->hold);
		flush_often();
		CHECK_EQ(write_at(r->pos, r->bytes, r->must, r->nowait), r->ret);
		CHECK_EQ(attempts, r->ret ? 0 : 1);
		CHECK_EQ(flags & (DSYNC | INLINE), r->flags);
		if (!r->ret)
			CHECK_EQ(flush_is_spared(), r->spared);
		bell_disk_close(&disk);
		tap_end(r->name);
	}
}

/* The worker's attempt is no overwrite, so it is stable only if it must be. */
static void test_retry(void)
{
	begin("ext4", good, false);
	flush_often();
	write_ret = -EAGAIN;
	CHECK_EQ(write_at(0, BLOCK, false, true), 0);
	CHECK_EQ(retries, 1);
	disk.ops->resubmit(&req);
	CHECK_EQ(attempts, 2);
	CHECK_EQ(flags & (DSYNC | INLINE), 0);
	CHECK_EQ(nr_done, 4);
	CHECK(!flush_is_spared());

	write_ret = -EAGAIN;
	CHECK_EQ(write_at(0, BLOCK, true, true), 0);
	disk.ops->resubmit(&req);
	CHECK_EQ(flags & (DSYNC | INLINE), DSYNC);
	CHECK(flush_is_spared());
	bell_disk_close(&disk);
}

/* What is done buffered after all */
static void test_buffered(void)
{
	begin("ext4", good, false);
	flush_often();
	write_ret = -EINVAL;
	CHECK_EQ(write_at(0, BLOCK, false, true), 0);
	CHECK(world_run_work());
	CHECK_EQ(attempts, 2);
	CHECK_EQ(flags, IOCB_WRITE);
	CHECK(!flush_is_spared());

	write_ret = -EINVAL;
	CHECK_EQ(write_at(0, BLOCK, true, true), 0);
	world_run_work();
	CHECK_EQ(flags, IOCB_WRITE | DSYNC);
	CHECK_EQ(done_error, 0);
	CHECK(flush_is_spared());

	/* Cut short, in the worker: the rest of a write that must be stable is so, too. */
	write_ret = 512;
	CHECK_EQ(write_at(0, BLOCK, true, false), 0);
	world_run_work();
	CHECK_EQ(flags, IOCB_WRITE | DSYNC);
	CHECK_EQ(req.done, 512);
	CHECK(flush_is_spared());
	bell_disk_close(&disk);
}

/* A write reports that earlier data could not be written back. */
static void test_lost(void)
{
	begin("ext4", good, false);
	flush_often();
	write_ret = -EIO;
	writeback_errors = 1;
	CHECK_EQ(write_at(0, BLOCK, false, true), 0);
	CHECK_EQ(done_error, -EIO);
	CHECK(own.f_wb_err != file.f_wb_err);
	req = (struct bell_disk_req){ .disk = &disk, .exec = &exec, .op = BELL_DISK_FLUSH };
	CHECK_EQ(disk.ops->submit(&req, true), 0);
	world_run_work();
	CHECK_EQ(done_error, -EIO);
	CHECK_EQ(own.f_wb_err, file.f_wb_err);
	CHECK(!flush_is_spared());
	CHECK(flush_is_spared());

	/* The write alone has failed: no data of others is lost. */
	write_ret = -EIO;
	CHECK_EQ(write_at(0, BLOCK, false, true), 0);
	CHECK_EQ(done_error, -EIO);
	CHECK(!flush_is_spared());

	bell_disk_close(&disk);
}

/* The fsync() of another write, or a flush, is told that this one's data is lost. */
static void test_lost_elsewhere(void)
{
	begin("ext4", good, false);
	writeback_errors = 1;
	CHECK_EQ(write_at(0, BLOCK, true, false), 0);
	CHECK_EQ(done_error, -EIO);
	CHECK_EQ(write_at(0, BLOCK, true, false), 0);
	CHECK_EQ(done_error, 0);
	/* If it need not be stable, the flush tells. */
	writeback_errors = 1;
	CHECK_EQ(write_at(0, BLOCK, false, false), 0);
	CHECK_EQ(done_error, 0);
	bell_disk_close(&disk);

	/* Cut short, and lost before the rest is written */
	begin("ext4", good, false);
	write_ret = 512;
	writeback_errors = 1;
	CHECK_EQ(write_at(0, BLOCK, true, false), 0);
	world_run_work();
	CHECK_EQ(attempts, 2);
	CHECK_EQ(done_error, -EIO);
	bell_disk_close(&disk);
}

/* The ringing thread must not wait for the disk below. */
static void test_blocks(void)
{
	struct block_device dev = good;

	dev.blocks = true;
	begin("ext4", dev, false);
	CHECK(!disk.may_inline);
	CHECK(!disk.times);
	CHECK(!disk.stable_inline);
	bell_disk_close(&disk);

	below_nowait = true;
	begin("ext4", dev, false);
	CHECK(disk.may_inline);
	CHECK(disk.stable_inline);
	bell_disk_close(&disk);
	below_nowait = false;
}

/* Not O_DIRECT, or data at any address */
static void test_unaligned(void)
{
	begin("ext4", good, false);
	flush_often();
	req = (struct bell_disk_req){
		.disk = &disk, .exec = &exec, .op = BELL_DISK_WRITE, .bytes = BLOCK,
	};
	CHECK_EQ(disk.ops->submit(&req, true), 0);
	world_run_work();
	CHECK_EQ(flags, IOCB_WRITE);
	CHECK(!flush_is_spared());
	bell_disk_close(&disk);
}

static const struct tap_test tests[] = {
	{ "file: a write that would wait", test_retry },
	{ "file: a write that is done buffered", test_buffered },
	{ "file: a write from any address", test_unaligned },
	{ "file: a write that reports a loss", test_lost },
	{ "file: a loss that is reported elsewhere", test_lost_elsewhere },
	{ "file: a disk that may block", test_blocks },
};

int main(void)
{
	test_rows();
	TAP_RUN(tests);
	return tap_done();
}
