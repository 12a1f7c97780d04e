// SPDX-License-Identifier: GPL-2.0
/*
 * disk_file - requests as asynchronous I/O on a regular file
 *
 * Direct where the owner opened the file so and the request is aligned for it;
 * it then ends wherever the file system ends it. What can only be done
 * buffered, and flushes, block: a workqueue does them, a few at a time.
 *
 * Whoever it is that submits does so with the credentials of the opener.
 */
#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/sched/signal.h>
#include <linux/stat.h>
#include <linux/uio.h>
#include <linux/writeback.h>

#include "disk.h"

/* Begin to modify the file; false if the caller may not wait for a thaw. */
static bool file_write_begin(struct kiocb *iocb, bool nowait)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if (!nowait) {
		kiocb_start_write(iocb);
		return true;
	}
	if (!sb_start_write_trylock(sb))
		return false;
	/* It ends in another context than this. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static void file_work(struct bell_disk_req *req);

static void file_end(struct bell_disk_req *req, long ret)
{
	/*
	 * Short, or not at all, for want of waiting: the whole of it again, as
	 * it is idempotent. Some file systems say that they do not support it
	 * (ext4 and f2fs, where they write buffered), and a signal may be for
	 * the ringing thread.
	 */
	if (req->nowait && ret != req->bytes &&
	    (ret >= 0 || ret == -EAGAIN || ret == -EOPNOTSUPP ||
	     ret == -EINTR)) {
		bell_disk_retry(req);
		return;
	}
	/*
	 * The file system asks for another alignment than it said, or has no
	 * direct I/O here. The second attempt is buffered, so there is no third.
	 */
	if ((ret == -EINVAL || ret == -EOPNOTSUPP) &&
	    req->iocb.ki_flags & IOCB_DIRECT) {
		req->nowait = false;
		bell_disk_queue(req, file_work);
		return;
	}
	if (ret >= 0)
		ret = ret == req->bytes ? 0 : -EIO;
	bell_disk_done(req, ret);
}

static void file_complete(struct kiocb *iocb, long ret)
{
	struct bell_disk_req *req =
		container_of(iocb, struct bell_disk_req, iocb);

	if (req->op == BELL_DISK_WRITE)
		kiocb_end_write(iocb);
	file_end(req, ret);
}

/*
 * May this be written? Nothing that a guest does makes the file longer. A file
 * that is truncated at the same time may get its old length back by a write
 * that was checked before.
 */
static int file_check_end(const struct bell_disk *disk, u64 pos, u64 bytes)
{
	u64 end = pos + bytes;

	if (unlikely(end > disk->write_limit))
		return -EFBIG;
	return likely(end <= i_size_read(file_inode(disk->file))) ? 0 : -EIO;
}

/*
 * As vfs_iocb_iter_write(), which on newer kernels waits for a frozen file
 * system. Of a write in flight fsnotify is told now, as its end may be in irq.
 */
static long file_write(struct bell_disk_req *req, struct iov_iter *iter)
{
	struct kiocb *iocb = &req->iocb;
	struct file *file = iocb->ki_filp;
	long ret;

	ret = file_check_end(req->disk, iocb->ki_pos, req->bytes);
	if (ret)
		return ret;
	ret = rw_verify_area(WRITE, file, &iocb->ki_pos, req->bytes);
	if (ret)
		return ret;
	if (!file_write_begin(iocb, req->nowait))
		return -EAGAIN;
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

/* Read or write; the request may have ended when this returns. */
static void file_start(struct bell_disk_req *req, int flags)
{
	bool write = req->op == BELL_DISK_WRITE;
	struct file *file = req->disk->file;
	const struct cred *cred;
	struct iov_iter iter;
	long ret;

	/*
	 * Never a synchronous iocb, not even for what is: overlayfs would take
	 * the flags of its file instead of ours, and do direct what is buffered.
	 */
	req->iocb = (struct kiocb){
		.ki_filp = file,
		.ki_pos = req->sector << SECTOR_SHIFT,
		.ki_flags = flags | (write ? IOCB_WRITE : 0) |
			    (write && req->fua ? IOCB_DSYNC : 0),
		.ki_complete = file_complete,
	};
	req->nowait = flags & IOCB_NOWAIT;
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, req->vecs,
		      req->nvecs, req->bytes);
	cred = override_creds(file->f_cred);
	ret = write ? file_write(req, &iter) : file_read(req, &iter);
	revert_creds(cred);
	if (ret != -EIOCBQUEUED)
		file_end(req, ret);
}

/* --- ranges --- */

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
	/* As tmpfs has it: a hole, and then room for what may come there. */
	ret = file_allocate(file, FALLOC_FL_PUNCH_HOLE, r);
	return ret ? ret : file_allocate(file, 0, r);
}

static void file_do_ranges(struct bell_disk_req *req)
{
	struct file *file = req->disk->file;
	const struct cred *cred = override_creds(file->f_cred);
	int ret = bell_disk_do_ranges(req, file_do_range);

	if (!ret && req->fua)
		ret = bell_disk_flush(req->disk);
	revert_creds(cred);
	bell_disk_done(req, ret);
}

/* --- the disk --- */

static void file_work(struct bell_disk_req *req)
{
	file_start(req, 0);
}

/* Does direct I/O of this file know how not to block? */
static bool file_may_inline(const struct file *file)
{
	return file->f_mode & FMODE_NOWAIT && !bell_file_asks(file);
}

static int file_submit(struct bell_disk_req *req, bool nowait)
{
	struct file *file = req->disk->file;

	if (req->op == BELL_DISK_DISCARD || req->op == BELL_DISK_ZERO) {
		bell_disk_queue(req, file_do_ranges);
		return 0;
	}
	if (req->op == BELL_DISK_FLUSH) {
		if (file->f_op->fsync)
			bell_disk_queue_flush(req);
		else
			/* A read-only file system: nothing was written. */
			bell_disk_done(req, 0);
		return 0;
	}
	if (!(file->f_flags & O_DIRECT) || !req->aligned) {
		req->nowait = false;
		bell_disk_queue(req, file_work);
		return 0;
	}
	/*
	 * The limit of the thread that rings is not the opener's; and where bios end
	 * at once a stable write would commit a journal in it.
	 */
	if (nowait && (!file_may_inline(file) ||
		       (req->op == BELL_DISK_WRITE && req->fua) ||
		       rlimit(RLIMIT_FSIZE) != RLIM_INFINITY))
		return -EAGAIN;
	file_start(req, IOCB_DIRECT | (nowait ? IOCB_NOWAIT : 0));
	return 0;
}

static void file_resubmit(struct bell_disk_req *req)
{
	file_start(req, IOCB_DIRECT);
}

static u64 file_nsectors(const struct bell_disk *disk)
{
	return i_size_read(file_inode(disk->file)) >> SECTOR_SHIFT;
}

static const struct bell_disk_ops file_ops = {
	.submit = file_submit,
	.resubmit = file_resubmit,
	.nsectors = file_nsectors,
};

/*
 * What direct I/O asks for, by the file system's own word if it has one, else a
 * guess: what it refuses is done again buffered. What is not so aligned goes
 * buffered at once; that is all, if the file system says 0.
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

/* Block sizes, as the guest is told; a network file system's may be a MiB. */
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
 * bell_disk_file_open() - fill in a disk that is a regular file
 * @disk: with its file
 *
 * Context: Process context, of who opened the file.
 * Return: 0, -EOPNOTSUPP if the file system cannot do it.
 */
int bell_disk_file_open(struct bell_disk *disk)
{
	struct file *file = disk->file;

	if (!file->f_op->read_iter ||
	    (file->f_mode & FMODE_WRITE && !file->f_op->write_iter))
		return -EOPNOTSUPP;
	disk->ops = &file_ops;
	disk->write_limit = rlimit(RLIMIT_FSIZE);
	file_set_align(disk);
	file_set_blocks(disk);
	/*
	 * The first to make a file dirty has its writeback charged: be that the
	 * owner, and not a kernel thread that updates its times.
	 */
	if (file->f_mode & FMODE_WRITE)
		inode_attach_wb(d_real_inode(file->f_path.dentry), NULL);
	/* The file system makes the bios. */
	disk->charges_runner = true;
	/* Buffered I/O is handed to the workqueue, which never blocks. */
	disk->may_inline = !(file->f_flags & O_DIRECT) || file_may_inline(file);
	return 0;
}
