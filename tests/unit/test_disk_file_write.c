// SPDX-License-Identifier: GPL-2.0
/*
 * disk_file.c: how a write of a file begins and ends: on a frozen file system, after
 * write_iter() has returned, and cut short. The file system is played here.
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

#define BLOCK		4096U

static struct bell_disk disk;
static struct bell_disk_req req;
static struct bell_exec exec;

/* --- the file system --- */

static struct block_device bdev = { .mq = true };
static struct file_system_type type = { .name = "ext4" };
static struct super_block sb = { .s_type = &type, .s_bdev = &bdev };
static struct inode inode = {
	.i_mode = S_IFREG, .i_sb = &sb, .i_size = 1 << 20, .i_blkbits = 12,
};
static struct address_space mapping;

/* A thread freezes the file system, or waits until the writes have ended that began. */
static bool frozen;
/* Writes that began and have not ended; how many began */
static int writing;
static unsigned int begun;

/* What the next read or write returns; 0: all of it */
static long io_ret;
static unsigned int attempts;
/* The place and length of the last attempt */
static u64 pos;
static size_t count;
/* The one that has not ended */
static struct kiocb *in_flight;

static ssize_t do_io(struct kiocb *iocb, struct iov_iter *iter)
{
	long ret = io_ret;

	CHECK_EQ(iter->direction, iocb->ki_flags & IOCB_WRITE ? ITER_SOURCE : ITER_DEST);
	attempts++;
	pos = iocb->ki_pos;
	count = iov_iter_count(iter);
	in_flight = ret == -EIOCBQUEUED ? iocb : NULL;
	io_ret = 0;
	return ret ? ret : (long)count;
}

static ssize_t write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	CHECK_EQ(writing, 1);
	return do_io(iocb, iter);
}

static int no_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return 0;
}

static const struct file_operations fops = {
	.read_iter = do_io, .write_iter = write_iter, .fsync = no_fsync,
};
static struct file file = {
	.f_op = &fops, .f_mapping = &mapping, .inode = &inode,
	.f_mode = FMODE_READ | FMODE_WRITE | FMODE_NOWAIT, .f_flags = O_DIRECT,
};

bool sb_start_write_trylock(struct super_block *s)
{
	CHECK(s == &sb);
	if (frozen)
		return false;
	writing++;
	begun++;
	return true;
}

/* This would wait: it is called only where that is allowed, and then the freeze is over. */
void kiocb_start_write(struct kiocb *iocb)
{
	frozen = false;
	writing++;
	begun++;
}

void kiocb_end_write(struct kiocb *iocb)
{
	writing--;
}

ssize_t vfs_iocb_iter_read(struct file *f, struct kiocb *iocb, struct iov_iter *iter)
{
	return do_io(iocb, iter);
}

int vfs_fsync(struct file *f, int datasync)
{
	return 0;
}

bool bell_disk_bdev_may_inline(struct block_device *b, bool below_nowait)
{
	return true;
}

bool bell_bdev_synchronous(struct block_device *b)
{
	return false;
}

/* --- the rest of the module --- */

static unsigned int nr_done, retries;
static int done_error;

void bell_disk_done(struct bell_disk_req *r, int error)
{
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
}

void bell_disk_times_close(struct bell_disk *d)
{
}

/* --- the tests --- */

static void begin(void)
{
	memset(&disk, 0, sizeof(disk));
	disk.file = &file;
	CHECK_EQ(bell_disk_open(&disk), 0);
	attempts = nr_done = retries = begun = 0;
	done_error = 1;
}

static void end(void)
{
	CHECK_EQ(writing, 0);
	bell_disk_close(&disk);
}

static void submit(enum bell_disk_op op, bool nowait)
{
	req = (struct bell_disk_req){
		.disk = &disk, .exec = &exec, .op = op, .bytes = BLOCK, .aligned = true,
	};
	CHECK_EQ(disk.ops->submit(&req, nowait), 0);
}

/* The ringing thread must not wait for the thaw; the worker does. */
static void test_frozen(void)
{
	begin();
	frozen = true;
	submit(BELL_DISK_WRITE, true);
	CHECK_EQ(attempts, 0);
	CHECK_EQ(writing, 0);
	CHECK_EQ(retries, 1);
	CHECK_EQ(nr_done, 0);
	CHECK(frozen);
	disk.ops->resubmit(&req);
	CHECK(!frozen);
	CHECK_EQ(attempts, 1);
	CHECK_EQ(begun, 1);
	CHECK_EQ(nr_done, 1);
	CHECK_EQ(done_error, 0);

	/* A read does not wait for it. */
	frozen = true;
	submit(BELL_DISK_READ, true);
	CHECK_EQ(attempts, 2);
	CHECK_EQ(nr_done, 2);
	frozen = false;
	end();
}

/* The file system can freeze when the write has ended, and not before. */
static void test_in_flight(void)
{
	for (int nowait = 0; nowait < 2; nowait++) {
		begin();
		io_ret = -EIOCBQUEUED;
		submit(BELL_DISK_WRITE, nowait);
		CHECK_EQ(begun, 1);
		CHECK_EQ(writing, 1);
		CHECK_EQ(nr_done, 0);
		in_flight->ki_complete(in_flight, BLOCK);
		CHECK_EQ(writing, 0);
		CHECK_EQ(nr_done, 1);
		CHECK_EQ(done_error, 0);

		io_ret = -EIOCBQUEUED;
		submit(BELL_DISK_READ, nowait);
		CHECK_EQ(begun, 1);
		in_flight->ki_complete(in_flight, BLOCK);
		CHECK_EQ(writing, 0);
		CHECK_EQ(nr_done, 2);
		CHECK_EQ(done_error, 0);

		submit(BELL_DISK_WRITE, nowait);
		CHECK_EQ(begun, 2);
		CHECK_EQ(writing, 0);
		CHECK_EQ(nr_done, 3);
		end();
	}
}

/* A write ends early: the rest is written. */
static void test_cut_short(void)
{
	static const u32 lengths[] = { 1, 512, BLOCK - 1 };

	for (int i = 0; i < 3; i++) {
		begin();
		io_ret = lengths[i];
		submit(BELL_DISK_WRITE, false);
		CHECK_EQ(nr_done, 0);
		CHECK(world_run_work());
		CHECK_EQ(attempts, 2);
		CHECK_EQ(pos, lengths[i]);
		CHECK_EQ(count, BLOCK - lengths[i]);
		CHECK_EQ(nr_done, 1);
		CHECK_EQ(done_error, 0);
		end();
	}

	/* A read past the end of the file, which was truncated, fails. */
	begin();
	io_ret = 512;
	submit(BELL_DISK_READ, false);
	CHECK_EQ(attempts, 1);
	CHECK_EQ(done_error, -EIO);
	end();
}

/* The guest sees sectors of 512 bytes, and blocks of the file system's size. */
static void test_blocks(void)
{
	begin();
	CHECK_EQ(disk.block_size, 512);
	CHECK_EQ(disk.phys_block_size, BLOCK);
	CHECK_EQ(disk.capacity, (1 << 20) / 512);
	end();
	inode.i_blkbits = 20;
	begin();
	CHECK_EQ(disk.block_size, 512);
	CHECK_EQ(disk.phys_block_size, BLOCK);
	end();
	inode.i_blkbits = 12;
}

static const struct tap_test tests[] = {
	{ "file: a frozen file system", test_frozen },
	{ "file: a write in flight", test_in_flight },
	{ "file: a write that is cut short", test_cut_short },
	{ "file: block sizes", test_blocks },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
