// SPDX-License-Identifier: GPL-2.0
/* disk.c: requests that share one flush, and how ranges are cut into slices. */
#include <linux/blkdev.h>
#include <linux/slab.h>

#include "disk.h"
#include "exec.h"
#include "tap.h"

#define REQS	4

static struct inode inode = { .i_mode = S_IFREG };
static struct file file = { .inode = &inode };
/* The open file of the module's own */
static struct file own = { .inode = &inode };
static struct bell_exec exec;
static struct bell_disk disk;
static struct bell_disk_req reqs[REQS];

/* --- functions that disk.c calls --- */

static const struct bell_disk_ops ops;
static int fsyncs, fsync_ret;
static struct bell_disk_req *comes_meanwhile;
/* Another flush, which begins and ends while one runs, and its result */
static bool flush_meanwhile;
static int meanwhile_ret;
/* What the first of the two returns */
static int fsync_after;
/* The errors of writeback of the file's data */
static errseq_t wb_err;
static bool write_meanwhile;
static unsigned int nr_done;
static int done_error[REQS];

static u64 nsectors(const struct bell_disk *d)
{
	return 0;
}

static const struct bell_disk_ops ops = { .nsectors = nsectors };

int bell_disk_file_open(struct bell_disk *d)
{
	d->ops = &ops;
	d->io = d->file;
	return 0;
}

int bell_disk_bdev_open(struct bell_disk *d)
{
	return -EINVAL;
}

int vfs_fsync(struct file *f, int datasync)
{
	fsyncs++;
	if (write_meanwhile)
		bell_disk_wrote(&disk);
	write_meanwhile = false;
	if (comes_meanwhile)
		bell_disk_queue_flush(comes_meanwhile);
	comes_meanwhile = NULL;
	if (flush_meanwhile) {
		flush_meanwhile = false;
		meanwhile_ret = bell_disk_flush(&disk, true);
		return fsync_after;
	}
	/* The file system reports each error of writeback to each open file once. */
	if (f->f_wb_err != wb_err) {
		f->f_wb_err = wb_err;
		return -EIO;
	}
	return fsync_ret;
}

static int bdev_flushes;

int blkdev_issue_flush(struct block_device *bdev)
{
	bdev_flushes++;
	return fsync_ret;
}

void bell_disk_done(struct bell_disk_req *req, int error)
{
	done_error[req - reqs] = error;
	nr_done++;
	/*
	 * bell_disk_done() may be followed by a new use of the request at once.
	 */
	memset(req, 0xff, sizeof(*req));
}

void bell_exec_worker_charge(struct bell_exec *e)
{
	CHECK(e == &exec);
}

void bell_exec_worker_uncharge(void)
{
}

/* --- the tests --- */

static void begin(void)
{
	tap_begin();
	memset(&disk, 0, sizeof(disk));
	disk.file = &file;
	CHECK_EQ(bell_disk_open(&disk), 0);
	for (int i = 0; i < REQS; i++)
		reqs[i] = (struct bell_disk_req){ .disk = &disk, .exec = &exec };
	fsyncs = 0;
	fsync_ret = 0;
	fsync_after = 0;
	nr_done = 0;
	file.f_wb_err = own.f_wb_err = disk.told = wb_err;
	disk.wb_err = &wb_err;
}

static void end(const char *name)
{
	bell_disk_close(&disk);
	tap_end(name);
}

static void test_flush(void)
{
	begin();
	for (int i = 0; i < 3; i++)
		bell_disk_queue_flush(&reqs[i]);
	CHECK_EQ(nr_done, 0);
	flush_work(&disk.flush_work);
	CHECK_EQ(fsyncs, 1);
	CHECK_EQ(nr_done, 3);
	CHECK(!flush_work(&disk.flush_work));
	end("flush: one for all that wait");

	begin();
	bell_disk_queue_flush(&reqs[0]);
	bell_disk_queue_flush(&reqs[1]);
	comes_meanwhile = &reqs[2];
	flush_work(&disk.flush_work);
	CHECK_EQ(nr_done, 2);
	flush_work(&disk.flush_work);
	CHECK_EQ(fsyncs, 2);
	CHECK_EQ(nr_done, 3);
	end("flush: what comes while one runs waits for the next");

	begin();
	fsync_ret = -EIO;
	bell_disk_queue_flush(&reqs[0]);
	bell_disk_queue_flush(&reqs[1]);
	flush_work(&disk.flush_work);
	CHECK_EQ(done_error[0], -EIO);
	CHECK_EQ(done_error[1], -EIO);
	end("flush: an error is for all that wait");

	/*
	 * ENOSPC of a flush becomes another error: otherwise the write would be
	 * submitted again, and the loss of earlier data be forgotten.
	 */
	begin();
	fsync_ret = -ENOSPC;
	bell_disk_queue_flush(&reqs[0]);
	flush_work(&disk.flush_work);
	CHECK_EQ(done_error[0], -EDQUOT);
	fsync_ret = -EDQUOT;
	CHECK_EQ(bell_disk_flush(&disk, true), -EDQUOT);
	end("flush: never -ENOSPC");

	/* What others have in the page cache of the device is no matter of the guest's. */
	begin();
	disk.bdev = (void *)&disk;
	bdev_flushes = 0;
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK_EQ(bdev_flushes, 1);
	CHECK_EQ(fsyncs, 0);
	fsync_ret = -ENOSPC;
	CHECK_EQ(bell_disk_flush(&disk, true), -EDQUOT);
	end("flush: a block device is only flushed");
}

/* A flush may end at once only if nothing that completed could be lost. */
static void test_all_stable(void)
{
	begin();
	/* An earlier daemon may have left writes that were not flushed. */
	CHECK(!bell_disk_all_stable(&disk));
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK(bell_disk_all_stable(&disk));
	bell_disk_wrote(&disk);
	CHECK(!bell_disk_all_stable(&disk));
	fsync_ret = -EIO;
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	CHECK(!bell_disk_all_stable(&disk));
	fsync_ret = 0;
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK(bell_disk_all_stable(&disk));
	end("stable: after a flush that succeeded, until the next write");

	begin();
	write_meanwhile = true;
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK(!bell_disk_all_stable(&disk));
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK(bell_disk_all_stable(&disk));
	end("stable: not the write that completes while a flush runs");

	begin();
	bell_disk_wrote(&disk);
	bell_disk_queue_flush(&reqs[0]);
	/* The flush was asked for, but has not ended. */
	CHECK(!bell_disk_all_stable(&disk));
	flush_work(&disk.flush_work);
	CHECK(bell_disk_all_stable(&disk));
	end("stable: not before the flush has ended");
}

/* Two flushes at a time; the one that began first ends last. */
static void test_two_flushes(void)
{
	begin();
	bell_disk_wrote(&disk);
	flush_meanwhile = true;
	write_meanwhile = true;
	/* The write completes after the first has begun, and before the second. */
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK_EQ(meanwhile_ret, 0);
	CHECK_EQ(fsyncs, 2);
	/* It stores the lower value last. */
	CHECK(!bell_disk_all_stable(&disk));
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK(bell_disk_all_stable(&disk));
	end("stable: two flushes that end in the other order");

	begin();
	bell_disk_wrote(&disk);
	write_meanwhile = true;
	flush_meanwhile = true;
	fsync_ret = -EIO;
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK_EQ(meanwhile_ret, -EIO);
	/* The first does not cover the write, and the second has failed. */
	CHECK(!bell_disk_all_stable(&disk));
	end("stable: two flushes, and the one that began last fails");

	begin();
	bell_disk_wrote(&disk);
	flush_meanwhile = true;
	fsync_after = -EIO;
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	CHECK_EQ(meanwhile_ret, 0);
	/* The second covers all writes, and the guest has the error of the first. */
	CHECK(bell_disk_all_stable(&disk));
	end("stable: two flushes, and the one that began first fails");
}

/* Writeback has failed, and perhaps a write has taken the error from the open file. */
static void writeback_fails(bool write_was_told)
{
	wb_err++;
	if (write_was_told)
		disk.io->f_wb_err = wb_err;
}

static void test_lost(void)
{
	for (int told = 0; told <= 1; told++) {
		begin();
		disk.io = &own;
		CHECK_EQ(bell_disk_flush(&disk, true), 0);
		CHECK(bell_disk_all_stable(&disk));
		writeback_fails(told);
		CHECK(!bell_disk_all_stable(&disk));
		CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
		CHECK_EQ(bell_disk_flush(&disk, true), 0);
		CHECK(bell_disk_all_stable(&disk));
		end(told ? "lost: a flush reports what a write was told, once" :
			   "lost: a flush reports it, once");
	}

	begin();
	disk.io = &own;
	writeback_fails(true);
	bell_disk_queue_flush(&reqs[0]);
	bell_disk_queue_flush(&reqs[1]);
	flush_work(&disk.flush_work);
	CHECK_EQ(done_error[0], -EIO);
	CHECK_EQ(done_error[1], -EIO);
	end("lost: all flushes that wait report it");

	begin();
	disk.io = &own;
	writeback_fails(true);
	CHECK_EQ(bell_disk_flush(&disk, false), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	end("lost: a flush that the guest does not see leaves it to the next");

	/* The loss is reported to a flush of another queue first. */
	begin();
	disk.io = &own;
	bell_disk_queue_flush(&reqs[0]);
	writeback_fails(false);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	bell_disk_queue_flush(&reqs[1]);
	flush_work(&disk.flush_work);
	CHECK_EQ(done_error[0], -EIO);
	CHECK_EQ(done_error[1], 0);
	end("lost: a flush that waits meanwhile reports it, too");

	/* The same where a flush follows a write that must be stable */
	begin();
	disk.io = &own;
	reqs[0].told = reqs[1].told = disk.told;
	writeback_fails(false);
	CHECK_EQ(bell_disk_flush_for(&reqs[0]), -EIO);
	CHECK_EQ(bell_disk_flush_for(&reqs[1]), -EIO);
	reqs[2].told = disk.told;
	CHECK_EQ(bell_disk_flush_for(&reqs[2]), 0);
	end("lost: of two writes with a flush each");

	/* Both: the guest is told of one loss, and the next flush is not one more. */
	begin();
	disk.io = &own;
	fsync_ret = -EROFS;
	writeback_fails(true);
	CHECK_EQ(bell_disk_flush(&disk, true), -EROFS);
	fsync_ret = 0;
	CHECK_EQ(vfs_fsync(&file, 0), 0);
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	end("lost: a flush that fails otherwise has told of it");
}

/* What the guest was told is no news to the owner, and what it was not told is. */
static void test_owner(void)
{
	begin();
	disk.io = &own;
	writeback_fails(false);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	CHECK_EQ(vfs_fsync(&file, 0), 0);
	end("owner: its fsync does not repeat an error that a flush reported");

	begin();
	disk.io = &own;
	writeback_fails(true);
	CHECK_EQ(vfs_fsync(&file, 0), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	CHECK_EQ(vfs_fsync(&file, 0), 0);
	end("owner: its fsync reports an error that no flush has reported");

	begin();
	disk.io = &own;
	writeback_fails(true);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	writeback_fails(false);
	CHECK_EQ(vfs_fsync(&file, 0), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	end("owner: what comes later remains");

	/* The owner has the same open file: its own fsync() takes nothing from the guest. */
	begin();
	writeback_fails(false);
	CHECK_EQ(vfs_fsync(&file, 0), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), -EIO);
	CHECK_EQ(bell_disk_flush(&disk, true), 0);
	end("owner: its fsync takes no error from the guest");

	begin();
	disk.io = &own;
	writeback_fails(true);
	CHECK_EQ(vfs_fsync(&file, 0), -EIO);
	fsync_ret = -EROFS;
	CHECK_EQ(bell_disk_flush(&disk, true), -EROFS);
	fsync_ret = 0;
	CHECK_EQ(vfs_fsync(&file, 0), 0);
	end("owner: a flush that fails otherwise gives it no old error again");
}

/* begin_writes(): @n writes begin; how many of them should be stable? */
static int begin_writes(int n)
{
	int stable = 0;

	while (n--)
		stable += bell_disk_prefers_stable(&disk);
	return stable;
}

static void test_prefers_stable(void)
{
	begin();
	/* The first flush decides nothing: the guest may have written for long. */
	CHECK_EQ(begin_writes(100), 0);
	bell_disk_all_stable(&disk);
	CHECK_EQ(begin_writes(1), 0);
	for (int i = 0; i < 3; i++) {
		bell_disk_all_stable(&disk);
		CHECK_EQ(begin_writes(1), 1);
	}
	/* The guest stops to flush. */
	CHECK(begin_writes(100) < 8);
	CHECK_EQ(begin_writes(100), 0);
	bell_disk_all_stable(&disk);
	CHECK_EQ(begin_writes(32), 0);
	bell_disk_all_stable(&disk);
	CHECK_EQ(begin_writes(32), 0);
	end("stable: writes of a guest that flushes after a few of them");
}

static u64 covered, slice_at;
static unsigned int slices, abort_after;
static u32 largest;
static int slice_ret;
static bool unmap;

static int do_slice(struct bell_disk *d, enum bell_disk_op op,
		    const struct bell_disk_range *slice)
{
	CHECK_EQ(slice->sector, slice_at);
	CHECK(slice->nsectors > 0);
	CHECK_EQ(slice->unmap, unmap);
	slice_at += slice->nsectors;
	covered += slice->nsectors;
	largest = max(largest, slice->nsectors);
	if (++slices == abort_after)
		bell_disk_abort(d);
	return slice_ret;
}

static int cut(enum bell_disk_op op, u64 sector, u32 n)
{
	struct bell_disk_req *req = &reqs[0];

	covered = 0;
	largest = 0;
	slices = 0;
	slice_at = sector;
	req->op = op;
	req->nvecs = 1;
	req->range[0] = (struct bell_disk_range){
		.sector = sector, .nsectors = n, .unmap = unmap,
	};
	return bell_disk_do_ranges(req, do_slice);
}

static void test_ranges(void)
{
	begin();
	CHECK_EQ(cut(BELL_DISK_ZERO, 3, BELL_DISK_MAX_RANGE), 0);
	CHECK_EQ(covered, BELL_DISK_MAX_RANGE);
	CHECK_EQ(largest, SZ_64M >> 9);
	CHECK_EQ(slices, 33);
	unmap = true;
	CHECK_EQ(cut(BELL_DISK_ZERO, 0, 1), 0);
	CHECK_EQ(slices, 1);
	unmap = false;
	CHECK_EQ(cut(BELL_DISK_DISCARD, 0, BELL_DISK_MAX_RANGE), 0);
	CHECK_EQ(slices, 8);
	/* Near the highest sector that can be addressed */
	CHECK_EQ(cut(BELL_DISK_DISCARD, (1ULL << 55) - 8, 8), 0);
	CHECK_EQ(covered, 8);
	end("ranges: in slices, all of it");

	begin();
	/*
	 * A granularity of 768 KiB, as of a striped disk, and one of 1 GiB, as
	 * of a thin pool
	 */
	disk.discard_align = 1536;
	CHECK_EQ(cut(BELL_DISK_DISCARD, 0, BELL_DISK_MAX_RANGE), 0);
	CHECK_EQ(largest % 1536, 0);
	disk.discard_align = 2 << 20;
	CHECK_EQ(cut(BELL_DISK_ZERO, 0, BELL_DISK_MAX_RANGE), 0);
	CHECK_EQ(slices, 2);
	end("ranges: a slice ends where the disk can discard up to");

	begin();
	slice_ret = -EROFS;
	CHECK_EQ(cut(BELL_DISK_DISCARD, 0, BELL_DISK_MAX_RANGE), -EROFS);
	CHECK_EQ(slices, 1);
	slice_ret = 0;
	end("ranges: the first error ends them");

	begin();
	abort_after = 3;
	CHECK_EQ(cut(BELL_DISK_DISCARD, 0, BELL_DISK_MAX_RANGE), -EINTR);
	CHECK_EQ(slices, 3);
	CHECK_EQ(cut(BELL_DISK_DISCARD, 0, BELL_DISK_MAX_RANGE), -EINTR);
	CHECK_EQ(slices, 0);
	bell_disk_resume(&disk);
	abort_after = 0;
	CHECK_EQ(cut(BELL_DISK_DISCARD, 0, BELL_DISK_MAX_RANGE), 0);
	end("ranges: an abort ends them after a slice, until it is undone");
}

int main(void)
{
	test_flush();
	test_all_stable();
	test_two_flushes();
	test_lost();
	test_owner();
	test_prefers_stable();
	test_ranges();
	return tap_done();
}
