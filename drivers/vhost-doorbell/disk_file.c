// SPDX-License-Identifier: GPL-2.0
/*
 * disk_file - a regular file as a disk
 *
 * I/O is direct and asynchronous if the owner opened the file with O_DIRECT and the
 * request is aligned for it; it then ends in a context of the file system's choice.
 * Buffered I/O and flushes block, so the disk's workqueue does them, a few at a time.
 *
 * All threads that submit use the credentials of the process that opened the file.
 */
#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/writeback.h>

#include "disk.h"

/*
 * Begin to modify the file. Returns false if the file system is frozen and the caller
 * may not wait.
 */
static bool file_write_begin(struct kiocb *iocb, bool nowait)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if (!nowait) {
		kiocb_start_write(iocb);
		return true;
	}
	if (!sb_start_write_trylock(sb))
		return false;
	/* Tell lockdep that another context may end the write. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static void file_work(struct bell_disk_req *req);

/*
 * The errno that a write ends with, if the file system returned @error. Some file
 * systems report here that earlier writeback failed, and then no flush reports it
 * again. That gives -EDQUOT: submitting this write again would not bring the lost data
 * back.
 */
static int file_error(const struct bell_disk_req *req, int error)
{
	if (error != -ENOSPC && error != -EDQUOT)
		return error;
	return req->wb_err == READ_ONCE(req->disk->io->f_wb_err) ? -ENOSPC :
								     -EDQUOT;
}

/*
 * Result of a write that must be stable. Its fsync() may succeed although its data is lost:
 * the fsync() of another write, or a flush, may have consumed the error.
 */
static long file_stable_ret(const struct bell_disk_req *req, long ret)
{
	int lost = errseq_check(&req->disk->io->f_wb_err, req->wb_err);

	return ret >= 0 && lost ? lost : ret;
}

/*
 * A write has ended. If @stable_inline is set a write that was submitted as stable needs no
 * flush later. Count any other write, and any that failed, as not stable.
 */
static void file_wrote(struct bell_disk_req *req, long ret)
{
	if (ret >= 0 && req->dsync)
		req->fua = true;
	if (ret < 0 || !req->dsync || !req->disk->stable_inline)
		bell_disk_wrote(req->disk);
}

static void file_end(struct bell_disk_req *req, long ret)
{
	u32 rest = req->bytes - req->done;

	/*
	 * With NOWAIT the request was cut short, or not done, as it would have waited.
	 * Have the worker do all of it again, which is idempotent. Some file systems
	 * return EOPNOTSUPP where their write is buffered (ext4, f2fs); EINTR may be
	 * for a signal to the ringing thread.
	 */
	if (req->nowait && ret != req->bytes &&
	    (ret >= 0 || ret == -EAGAIN || ret == -EOPNOTSUPP ||
	     ret == -EINTR)) {
		bell_disk_retry(req);
		return;
	}
	/*
	 * The file system needs a larger alignment than it reported, or has no direct
	 * I/O here. Retry buffered; that attempt is not direct and cannot come here
	 * again.
	 */
	if ((ret == -EINVAL || ret == -EOPNOTSUPP) &&
	    req->iocb.ki_flags & IOCB_DIRECT) {
		req->nowait = false;
		bell_disk_queue(req, file_work);
		return;
	}
	/* The file system wrote only a part. Write the rest: its result says why. */
	if (req->op == BELL_DISK_WRITE && ret > 0 && ret < rest &&
	    !READ_ONCE(req->disk->aborted)) {
		req->done += ret;
		req->nowait = false;
		bell_disk_queue(req, file_work);
		return;
	}
	/* If the disk is aborted, the rest was not tried. */
	if (ret >= 0 && ret != rest)
		ret = READ_ONCE(req->disk->aborted) ? -EINTR : -EIO;
	if (req->op == BELL_DISK_WRITE) {
		if (req->fua)
			ret = file_stable_ret(req, ret);
		file_wrote(req, ret);
	}
	bell_disk_done(req, file_error(req, min(ret, 0L)));
}

static void file_complete(struct kiocb *iocb, long ret)
{
	struct bell_disk_req *req =
		container_of(iocb, struct bell_disk_req, iocb);

	if (bell_dio_wants_task(iocb)) {
		bell_disk_defer(req);
		return;
	}
	if (req->op == BELL_DISK_WRITE)
		kiocb_end_write(iocb);
	file_end(req, ret);
}

/*
 * Let the file system complete a write that its bio has ended, which it leaves to us
 * (IOCB_DIO_CALLER_COMP). Only writes with NOWAIT come here: they found their blocks
 * allocated, so no transaction is left to do, and ext4 and xfs sleep only to drop pages
 * of the page cache that hold the old data. Another process may add the first such page
 * after the check, as it may after the file system's own check for NOWAIT.
 */
static bool file_finish(struct bell_disk_req *req, bool may_sleep)
{
	struct kiocb *iocb = &req->iocb;
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	long ret;

	if (!may_sleep && mapping->nrpages &&
	    filemap_range_has_page(mapping, iocb->ki_pos,
				   iocb->ki_pos + req->bytes - 1))
		return false;
	ret = bell_dio_finish(iocb);
	kiocb_end_write(iocb);
	file_end(req, ret);
	return true;
}

/*
 * May this range be written? The guest must not extend the file. If the owner truncates
 * the file at the same time, a write that was checked before may give it its old length
 * again.
 */
static int file_check_end(const struct bell_disk *disk, u64 pos, u64 bytes)
{
	u64 end = pos + bytes;

	if (unlikely(end > disk->write_limit))
		return -EFBIG;
	return likely(end <= i_size_read(file_inode(disk->file))) ? 0 : -EIO;
}

/*
 * As vfs_iocb_iter_write(), which on newer kernels waits for a frozen file system. The
 * write may end in an interrupt, so notify fsnotify when it begins.
 */
static long file_write(struct bell_disk_req *req, struct iov_iter *iter)
{
	struct kiocb *iocb = &req->iocb;
	struct file *file = iocb->ki_filp;
	long ret;

	ret = file_check_end(req->disk, iocb->ki_pos, iov_iter_count(iter));
	if (ret)
		return ret;
	ret = rw_verify_area(WRITE, file, &iocb->ki_pos, iov_iter_count(iter));
	if (ret)
		return ret;
	if (!file_write_begin(iocb, req->nowait))
		return -EAGAIN;
	bell_disk_times_touch(req->disk->times);
	ret = file->f_op->write_iter(iocb, iter);
	if (ret != -EIOCBQUEUED)
		kiocb_end_write(iocb);
	if (ret > 0 || ret == -EIOCBQUEUED)
		fsnotify_modify(file);
	return ret;
}

static long file_read(struct bell_disk_req *req, struct iov_iter *iter)
{
	struct file *file = req->iocb.ki_filp;
	long ret;

	ret = vfs_iocb_iter_read(file, &req->iocb, iter);
	if (ret == -EIOCBQUEUED)
		fsnotify_access(file);
	return ret;
}

/* Begin a read or write; the request may have ended when this returns. */
static void file_start(struct bell_disk_req *req, int flags)
{
	bool write = req->op == BELL_DISK_WRITE;
	struct file *file = req->disk->io;
	const struct cred *cred;
	struct iov_iter iter;
	long ret;

	/*
	 * ki_complete is always set, also where the I/O is synchronous. For a
	 * synchronous iocb overlayfs would use the flags of its file in place of
	 * ki_flags, and do buffered I/O as direct.
	 */
	req->iocb = (struct kiocb){
		.ki_filp = file,
		.ki_pos = (req->sector << SECTOR_SHIFT) + req->done,
		.ki_flags = flags | (write ? IOCB_WRITE : 0) |
			    (write && flags & IOCB_NOWAIT ?
			     IOCB_DIO_CALLER_COMP : 0) |
			    (write && req->dsync ? IOCB_DSYNC : 0),
		.ki_complete = file_complete,
	};
	req->nowait = flags & IOCB_NOWAIT;
	if (!req->done)
		req->wb_err = READ_ONCE(file->f_wb_err);
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, req->vecs,
		      req->nvecs, req->bytes);
	iov_iter_advance(&iter, req->done);
	cred = override_creds(file->f_cred);
	ret = write ? file_write(req, &iter) : file_read(req, &iter);
	revert_creds(cred);
	if (ret != -EIOCBQUEUED)
		file_end(req, ret);
}

/* --- ranges: discard, write zeroes --- */

static int file_allocate(struct file *file, int mode,
			 const struct bell_disk_range *r)
{
	return vfs_fallocate(file, mode | FALLOC_FL_KEEP_SIZE,
			     (loff_t)r->sector << SECTOR_SHIFT,
			     (loff_t)r->nsectors << SECTOR_SHIFT);
}

static int file_do_range(struct bell_disk *disk, enum bell_disk_op op,
			 const struct bell_disk_range *r)
{
	struct file *file = disk->file;
	int ret;

	ret = file_check_end(disk, r->sector << SECTOR_SHIFT,
			     (u64)r->nsectors << SECTOR_SHIFT);
	if (ret)
		return ret;
	if (op == BELL_DISK_DISCARD || r->unmap)
		return file_allocate(file, FALLOC_FL_PUNCH_HOLE, r);
	ret = file_allocate(file, FALLOC_FL_ZERO_RANGE, r);
	if (ret != -EOPNOTSUPP)
		return ret;
	/*
	 * The file system (tmpfs) has no ZERO_RANGE: punch a hole, then allocate it
	 * again.
	 */
	ret = file_allocate(file, FALLOC_FL_PUNCH_HOLE, r);
	return ret ? ret : file_allocate(file, 0, r);
}

static void file_do_ranges(struct bell_disk_req *req)
{
	struct file *file = req->disk->file;
	const struct cred *cred = override_creds(file->f_cred);
	int ret = bell_disk_do_ranges(req, file_do_range);

	if (ret == -EDQUOT)
		ret = -ENOSPC;
	bell_disk_wrote(req->disk);
	if (!ret && req->fua)
		ret = bell_disk_flush_for(req);
	revert_creds(cred);
	bell_disk_done(req, ret);
}

/* --- submission and opening --- */

static void file_work(struct bell_disk_req *req)
{
	/* A buffered stable write ends with fsync(): ask for that only if it must be stable. */
	req->dsync = req->fua;
	file_start(req, 0);
}

/* Can direct I/O of this file be done without blocking, as far as the file knows? */
static bool file_may_inline(const struct file *file)
{
	return file->f_mode & FMODE_NOWAIT && !bell_file_asks(file);
}

/* Nor in the driver below? A file system on several disks (btrfs) names none: assume so. */
static bool file_disk_may_inline(const struct bell_disk *disk)
{
	struct block_device *bdev = file_inode(disk->file)->i_sb->s_bdev;

	return !bdev || bell_disk_bdev_may_inline(bdev, disk->below_nowait);
}

/*
 * Does the write cover whole blocks? xfs does any other write buffered if the file has ever
 * shared blocks (reflink), and a stable one then flushes in the thread that submits it.
 */
static bool file_covers_blocks(const struct bell_disk_req *req)
{
	u64 pos = req->sector << SECTOR_SHIFT;

	return !((pos | req->bytes) &
		 (i_blocksize(file_inode(req->disk->file)) - 1));
}

/*
 * Submit a write as stable? The file system makes a pure overwrite stable by FUA, or by
 * nothing at all on a disk without a volatile cache, and completes others in a workqueue.
 * In the ringing thread the answer may be no for a write that must be stable: then the
 * worker submits it.
 */
static bool file_wants_dsync(struct bell_disk_req *req, bool nowait)
{
	struct bell_disk *disk = req->disk;
	bool prefers;

	if (req->op != BELL_DISK_WRITE)
		return false;
	/* This call also counts the write, so make it for the worker's writes, too. */
	prefers = bell_disk_prefers_stable(disk);
	if (!nowait)
		return req->fua;
	return (prefers || req->fua) && disk->stable_inline &&
	       file_covers_blocks(req);
}

static int file_submit(struct bell_disk_req *req, bool nowait)
{
	struct file *file = req->disk->file;

	/* The slices of a large request keep the value from before the first one. */
	if (!req->large)
		req->told = READ_ONCE(req->disk->told);
	if (req->op == BELL_DISK_DISCARD || req->op == BELL_DISK_ZERO) {
		bell_disk_queue(req, file_do_ranges);
		return 0;
	}
	if (req->op == BELL_DISK_FLUSH) {
		/* Only a read-only file system has no fsync(). */
		if (bell_disk_all_stable(req->disk) || !file->f_op->fsync)
			bell_disk_done(req, 0);
		else
			bell_disk_queue_flush(req);
		return 0;
	}
	req->done = 0;
	/*
	 * The flush of a stable write may also find the disk full, and then data of
	 * earlier writes is lost, which submitting this request again would not bring
	 * back. So do the flush separately, after the write has ended
	 * (blk_owes_flush()).
	 */
	if (unlikely(req->disk->hold_nospc) && req->op == BELL_DISK_WRITE)
		req->fua = false;
	req->dsync = file_wants_dsync(req, nowait);
	if (!(file->f_flags & O_DIRECT) || !req->aligned) {
		req->nowait = false;
		bell_disk_queue(req, file_work);
		return 0;
	}
	/*
	 * The worker must submit: where the file may block; for stable writes, if they
	 * could commit a journal in the ringing thread; and where RLIMIT_FSIZE limits
	 * that thread, as only the opener's limit counts.
	 */
	if (nowait && (!file_may_inline(req->disk->io) ||
		       (req->op == BELL_DISK_WRITE && req->fua && !req->dsync) ||
		       rlimit(RLIMIT_FSIZE) != RLIM_INFINITY))
		return -EAGAIN;
	file_start(req, IOCB_DIRECT | (nowait ? IOCB_NOWAIT : 0));
	return 0;
}

static void file_resubmit(struct bell_disk_req *req)
{
	/*
	 * The write would have blocked, so it probably allocates blocks. If it is submitted as
	 * stable the file system then commits its journal: do that only if it must be stable.
	 */
	req->dsync = req->fua;
	file_start(req, IOCB_DIRECT);
}

static u64 file_nsectors(const struct bell_disk *disk)
{
	return i_size_read(file_inode(disk->file)) >> SECTOR_SHIFT;
}

static const struct bell_disk_ops file_ops = {
	.submit = file_submit,
	.resubmit = file_resubmit,
	.finish = file_finish,
	.nsectors = file_nsectors,
	.close = bell_disk_times_close,
};

/*
 * Set the alignment that direct I/O needs. Some file systems report it; otherwise
 * guess, and requests that are refused are done buffered. Requests that are not aligned
 * are buffered at once; so are all if the file system reports an alignment of 0.
 */
static void file_set_align(struct bell_disk *disk)
{
	struct block_device *bdev = file_inode(disk->file)->i_sb->s_bdev;
	struct kstat stat;

	disk->len_mask = (bdev ? bdev_logical_block_size(bdev) :
				 SECTOR_SIZE) - 1;
	disk->addr_mask = disk->len_mask;
	if (vfs_getattr(&disk->file->f_path, &stat, STATX_DIOALIGN,
			AT_STATX_DONT_SYNC) ||
	    !(stat.result_mask & STATX_DIOALIGN))
		return;
	disk->len_mask = stat.dio_offset_align - 1;
	disk->addr_mask = stat.dio_mem_align - 1;
}

/*
 * Is a write that was submitted as stable, and ended well, stable without a flush? ext4 and
 * xfs look whether the blocks' place is stable, too, and flush if it is not. On others a
 * flush remains a flush: f2fs moves blocks at any time, and only its fsync() looks after
 * what it moved; FUSE leaves it to the server.
 */
static bool file_keeps_dsync(const struct inode *inode)
{
	const char *name = inode->i_sb->s_type->name;

	return !strcmp(name, "ext4") || !strcmp(name, "xfs");
}

/*
 * May the ringing thread submit a stable write? If it is no overwrite after all, the file
 * system flushes after its bio has ended: in a workqueue, unless the bio succeeds before
 * submit_bio() returns. Bio-based drivers of memory do that, and so do volumes over them,
 * which do not tell; so disks without a queue of requests are left out (dm, md, NVMe with
 * multipath). On a disk with a queue, the pass's plug holds the request until the pass ends
 * or the plug is full.
 *
 * What remains: a file on a realtime device of xfs, which is not looked at.
 */
static bool file_stable_inline(const struct bell_disk *disk)
{
	const struct inode *inode = file_inode(disk->file);
	struct block_device *bdev = inode->i_sb->s_bdev;

	/*
	 * A stable write that fails for want of space may have lost the data of earlier
	 * ones, so it could not be held: see file_submit().
	 */
	return file_keeps_dsync(inode) && disk->times && bdev &&
	       queue_is_mq(bdev_get_queue(bdev)) &&
	       !bell_bdev_synchronous(bdev) &&
	       (bdev_fua(bdev) || !bdev_write_cache(bdev)) &&
	       !disk->hold_nospc;
}

/*
 * Set block sizes and limits for the guest. The physical block size has a limit, as a
 * network file system may report a MiB.
 */
static void file_set_blocks(struct bell_disk *disk)
{
	struct inode *inode = file_inode(disk->file);

	disk->block_size = SECTOR_SIZE;
	disk->phys_block_size = min_t(u32, i_blocksize(inode), SZ_4K);
	if (!disk->file->f_op->fallocate)
		return;
	disk->max_discard = BELL_DISK_MAX_RANGE;
	disk->max_zero = BELL_DISK_MAX_RANGE;
	disk->discard_align = (inode->i_sb->s_bdev ? i_blocksize(inode) :
			       disk->phys_block_size) >> SECTOR_SHIFT;
}

/**
 * bell_disk_file_open() - set up a disk that is a regular file
 * @disk: with its file and the owner's settings
 *
 * Context: Process context of the owner.
 * Return: 0, -EOPNOTSUPP if the file has no asynchronous read or write.
 */
int bell_disk_file_open(struct bell_disk *disk)
{
	struct file *file = disk->file;
	bool direct;

	if (!file->f_op->read_iter ||
	    (file->f_mode & FMODE_WRITE && !file->f_op->write_iter))
		return -EOPNOTSUPP;
	disk->ops = &file_ops;
	disk->write_limit = rlimit(RLIMIT_FSIZE);
	disk->wb_err = &file->f_mapping->wb_err;
	disk->told = READ_ONCE(file->f_wb_err);
	file_set_align(disk);
	file_set_blocks(disk);
	/*
	 * Writeback of a file is charged to the cgroup that first dirties it: make that
	 * the owner's, and not that of a kernel thread that updates the file's times.
	 */
	if (file->f_mode & FMODE_WRITE)
		inode_attach_wb(d_real_inode(file->f_path.dentry), NULL);
	/* The file system makes the bios, and charges them to the submitting thread. */
	disk->charges_runner = true;
	/* Without O_DIRECT all I/O goes to the workqueue, so submit() never blocks. */
	disk->io = file;
	direct = file->f_flags & O_DIRECT && file_may_inline(file) &&
		 file_disk_may_inline(disk);
	disk->may_inline = !(file->f_flags & O_DIRECT) || direct;
	/* Only a write in the ringing thread must not set times: it could sleep. */
	if (!disk->read_only && direct)
		bell_disk_times_open(disk);
	disk->stable_inline = file_stable_inline(disk);
	return 0;
}
