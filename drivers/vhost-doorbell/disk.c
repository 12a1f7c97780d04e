// SPDX-License-Identifier: GPL-2.0
/*
 * disk - code that block devices and regular files share
 *
 * Each disk has a workqueue of its own, so that requests that wait for a dead
 * device or a frozen file system do not hold up other disks. It is freezable,
 * so that no I/O is submitted after a hibernation image was made.
 */
#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "disk.h"
#include "exec.h"

/*
 * Most threads of one disk at a time. They belong to no cgroup that limits CPU
 * time, and those of a file copy data; so keep them few.
 */
#define DISK_WORKS		8

/*
 * Longest slice of a range, in sectors. An abort waits for the end of one
 * slice; discards are faster, so their slices are longer.
 */
#define DISK_SLICE_DISCARD	(SZ_256M >> SECTOR_SHIFT)
#define DISK_SLICE		(SZ_64M >> SECTOR_SHIFT)

/*
 * If the guest flushes after so few writes, stable writes replace the flushes. A guest
 * that syncs each write of a file system sends two or three for each flush.
 */
#define DISK_FLUSH_OFTEN	4

/* For all disks: they end requests that others wait for. See bell_disk_queue_end(). */
static struct workqueue_struct *disk_end_wq;
static struct workqueue_struct *disk_end_slow_wq;

/**
 * bell_disk_init() - create the workqueues that all disks share
 *
 * Memory reclaim may wait for a request's end, so each has a thread of its own; on 6.1 that
 * has the workqueue's name, which must not look like the daemon's.
 *
 * Return: 0 or -ENOMEM.
 */
int bell_disk_init(void)
{
	disk_end_wq = alloc_workqueue("doorbell-dio",
				      WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!disk_end_wq)
		return -ENOMEM;
	disk_end_slow_wq = alloc_workqueue("doorbell-slow",
					   WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!disk_end_slow_wq) {
		destroy_workqueue(disk_end_wq);
		return -ENOMEM;
	}
	return 0;
}

/* bell_disk_exit() - undo bell_disk_init(); no request is in flight */
void bell_disk_exit(void)
{
	destroy_workqueue(disk_end_wq);
	destroy_workqueue(disk_end_slow_wq);
}

/* --- what is stable on a file --- */

/**
 * bell_disk_wrote() - a write or range has completed, perhaps in part, and is not stable
 * @disk: the disk; only of a file does it matter
 *
 * Context: Any; before the request ends.
 */
void bell_disk_wrote(struct bell_disk *disk)
{
	atomic64_inc(&disk->unstable);
}

/**
 * bell_disk_all_stable() - would a flush find nothing to do?
 * @disk: a file
 *
 * Also notes that the guest has flushed.
 *
 * Only a flush that has ended well, with no other write of this device since before that
 * flush began, gives true. Writes of other devices, and of other processes, to the same file
 * are not known here. A start of a queue counts as a write, so of what was written before
 * it the first flush takes care. An error of writeback that no flush has reported gives
 * false, too.
 *
 * Context: The queue's runner.
 */
bool bell_disk_all_stable(struct bell_disk *disk)
{
	u32 n = READ_ONCE(disk->since_flush);

	WRITE_ONCE(disk->flush_often, n <= DISK_FLUSH_OFTEN);
	WRITE_ONCE(disk->since_flush, 0);
	return READ_ONCE(disk->flushed) == (u64)atomic64_read(&disk->unstable) &&
	       !errseq_check(disk->wb_err, READ_ONCE(disk->told));
}

/**
 * bell_disk_prefers_stable() - a write begins: is it cheaper to make it stable at once?
 * @disk: a file
 *
 * The guess is shared by all queues and may be wrong, which costs time only.
 *
 * Context: The queue's runner.
 */
bool bell_disk_prefers_stable(struct bell_disk *disk)
{
	u32 n = READ_ONCE(disk->since_flush);

	if (n > DISK_FLUSH_OFTEN)
		return false;
	WRITE_ONCE(disk->since_flush, n + 1);
	return READ_ONCE(disk->flush_often);
}

/* --- flushes --- */

/*
 * Has writeback failed since the last error that a flush reported? The file system reports
 * each failure once to each open file, and a stable write (on NFS, any write) may consume
 * that report. The guest was told that its earlier writes succeeded, so a flush must fail.
 * So compare with a cursor of our own, not with f_wb_err of @disk->io.
 *
 * Once the guest knows, the owner's fsync() must not report the error again: the owner would
 * refuse to hand the disk over to another host. Both still see later errors.
 */
static int disk_error(struct bell_disk *disk, bool tell)
{
	struct file *file = disk->file;
	errseq_t told;
	int ret;

	spin_lock(&file->f_lock);
	told = disk->told;
	ret = errseq_check_and_advance(disk->wb_err, &told);
	if (ret && tell) {
		WRITE_ONCE(disk->told, told);
		file->f_wb_err = told;
	}
	spin_unlock(&file->f_lock);
	return ret;
}

static int disk_fsync(struct bell_disk *disk, bool tell)
{
	/* Writes that complete from here on may not be covered. */
	u64 seen = atomic64_read(&disk->unstable);
	const struct cred *cred;
	int lost, ret;

	cred = override_creds(disk->file->f_cred);
	ret = vfs_fsync(disk->io, 1);
	revert_creds(cred);
	lost = disk_error(disk, tell);
	if (!ret)
		ret = lost;
	/* Two at a time may store the lower value: one flush more is done then. */
	if (!ret)
		WRITE_ONCE(disk->flushed, seen);
	return ret;
}

/**
 * bell_disk_flush() - make all completed writes stable
 * @disk: the disk
 * @tell: the guest learns of an error; otherwise the next flush reports it once more
 *
 * On a file it uses the credentials of the opener, as all I/O on the file does: a file
 * system in user space may refuse other users. A block device only gets a flush: the guest's
 * data is not in its page cache, and what other processes have written there is not waited
 * for.
 *
 * Context: Process context.
 * Return: 0 or a negative errno. A full disk gives -EDQUOT and never -ENOSPC: data of
 * earlier writes is lost, and submitting the request again would not bring it back.
 */
int bell_disk_flush(struct bell_disk *disk, bool tell)
{
	int ret;

	ret = disk->bdev ? blkdev_issue_flush(disk->bdev) :
			   disk_fsync(disk, tell);
	return ret == -ENOSPC ? -EDQUOT : ret;
}

/*
 * What a request ends with if bell_disk_flush() gave @ret after it. Another flush may have
 * reported the loss of its data since it began, and then this one does not.
 */
static int disk_flush_ret(const struct bell_disk_req *req, int ret)
{
	if (!ret && !req->disk->bdev)
		ret = errseq_check(&req->disk->told, req->told);
	return ret == -ENOSPC ? -EDQUOT : ret;
}

/**
 * bell_disk_flush_for() - make a write or range stable that has ended
 * @req: the request; a file's has its @told
 *
 * Context: Process context.
 * Return: As bell_disk_flush().
 */
int bell_disk_flush_for(const struct bell_disk_req *req)
{
	return disk_flush_ret(req, bell_disk_flush(req->disk, true));
}

/*
 * One fsync() answers all flushes that were queued before it begins; later ones
 * wait for the next.
 */
static void disk_flush_work(struct work_struct *work)
{
	struct bell_disk *disk = container_of(work, struct bell_disk,
					      flush_work);
	struct llist_node *list = llist_del_all(&disk->flushes);
	struct bell_disk_req *req, *next;
	int ret;

	if (!list)
		return;
	list = llist_reverse_order(list);
	req = llist_entry(list, struct bell_disk_req, retry);
	bell_exec_worker_charge(req->exec);
	ret = bell_disk_flush(disk, true);
	bell_exec_worker_uncharge();
	/*
	 * bell_disk_done() of the last request allows the disk to be freed: do not
	 * access it after that.
	 */
	llist_for_each_entry_safe(req, next, list, retry)
		bell_disk_done(req, disk_flush_ret(req, ret));
}

/**
 * bell_disk_queue_flush() - end a flush request when completed writes are stable
 * @req: the flush; it covers all writes that completed before this call
 *
 * If fsync() fails, all flushes that it answers fail with its error.
 *
 * Context: Any.
 */
void bell_disk_queue_flush(struct bell_disk_req *req)
{
	struct bell_disk *disk = req->disk;

	req->told = READ_ONCE(disk->told);
	/*
	 * A caller that finds the list not empty has added its request before
	 * disk_flush_work() takes the list, and so before the flush.
	 */
	if (llist_add(&req->retry, &disk->flushes))
		queue_work(disk->wq, &disk->flush_work);
}

/* --- opening and closing a disk --- */

/**
 * bell_disk_open() - set a disk up
 * @disk: zeroed, except for file, read_only, below_nowait and hold_nospc
 *
 * Context: Process context.
 * Return: 0, -EINVAL if the file is neither a block device nor a regular file, -ENOMEM,
 * or what bell_disk_bdev_open() or bell_disk_file_open() returns.
 */
int bell_disk_open(struct bell_disk *disk)
{
	umode_t mode = file_inode(disk->file)->i_mode;
	int ret = -EINVAL;

	disk->wq = alloc_workqueue("vhost-doorbell-disk",
				   WQ_UNBOUND | WQ_FREEZABLE,
				   DISK_WORKS);
	if (!disk->wq)
		return -ENOMEM;
	atomic64_set(&disk->unstable, 1);
	init_llist_head(&disk->flushes);
	INIT_WORK(&disk->flush_work, disk_flush_work);
	if (S_ISBLK(mode))
		ret = bell_disk_bdev_open(disk);
	else if (S_ISREG(mode))
		ret = bell_disk_file_open(disk);
	if (ret) {
		destroy_workqueue(disk->wq);
		return ret;
	}
	disk->capacity = disk->ops->nsectors(disk);
	return 0;
}

/**
 * bell_disk_close() - undo bell_disk_open()
 * @disk: the disk, with nothing in flight; the caller puts its file
 *
 * Context: Process context.
 */
void bell_disk_close(struct bell_disk *disk)
{
	destroy_workqueue(disk->wq);
	if (disk->ops->close)
		disk->ops->close(disk);
}

/* --- requests whose work sleeps --- */

static void disk_work(struct work_struct *work)
{
	struct bell_disk_req *req =
		container_of(work, struct bell_disk_req, work);

	/*
	 * The request may be reused as soon as it has ended: do not access it
	 * after that.
	 */
	bell_exec_worker_charge(req->exec);
	req->work_func(req);
	bell_exec_worker_uncharge();
}

/**
 * bell_disk_queue() - call a function for a request in the disk's workqueue
 * @req: the request; in no other work item
 * @func: the function, which may sleep; I/O and memory are charged to the cgroups of
 *	the queue's worker
 *
 * Context: Any.
 */
void bell_disk_queue(struct bell_disk_req *req,
		     void (*func)(struct bell_disk_req *req))
{
	req->work_func = func;
	INIT_WORK(&req->work, disk_work);
	queue_work(req->disk->wq, &req->work);
}

static void disk_end_work(struct work_struct *work)
{
	struct bell_disk_req *req =
		container_of(work, struct bell_disk_req, work);

	req->work_func(req);
}

/**
 * bell_disk_queue_end() - call a function for a request that others may wait for
 * @req: the request; in no other work item
 * @func: the function. It sleeps for nothing that a tenant can hold, as all disks share
 *	the workqueue.
 *
 * Context: Any.
 */
void bell_disk_queue_end(struct bell_disk_req *req,
			 void (*func)(struct bell_disk_req *req))
{
	req->work_func = func;
	INIT_WORK(&req->work, disk_end_work);
	queue_work(disk_end_wq, &req->work);
}

/*
 * A function of its own: the workqueue code would otherwise queue the item behind itself, on
 * the thread that still runs it in disk_end_wq.
 */
static void disk_end_slow_work(struct work_struct *work)
{
	disk_end_work(work);
}

/**
 * bell_disk_queue_end_slow() - the same for a function that may sleep
 * @req: the request; in no other work item, but its function may be running
 * @func: the function. It may sleep, but not until another request has ended, nor until a
 *	file system is thawed: these may wait for this request.
 *
 * The workqueue runs some hundred functions at a time. If the disks of one tenant hold them
 * all, only requests of others that would sleep here wait.
 *
 * Context: Any.
 */
void bell_disk_queue_end_slow(struct bell_disk_req *req,
			      void (*func)(struct bell_disk_req *req))
{
	req->work_func = func;
	INIT_WORK(&req->work, disk_end_slow_work);
	queue_work(disk_end_slow_wq, &req->work);
}

/* --- ranges: discard, write zeroes, secure erase --- */

/*
 * The end of the slice that begins at @sector. Slices end at multiples of the
 * discard granularity: the disk could not discard the parts around another
 * boundary.
 */
static u64 disk_slice_end(const struct bell_disk *disk, enum bell_disk_op op,
			  u64 sector)
{
	u32 unit = roundup(op == BELL_DISK_DISCARD ? DISK_SLICE_DISCARD :
						     DISK_SLICE,
			   max(disk->discard_align, 1U));

	return (div_u64(sector, unit) + 1) * unit;
}

static int disk_do_range(struct bell_disk_req *req,
			 const struct bell_disk_range *range,
			 int (*func)(struct bell_disk *disk,
				     enum bell_disk_op op,
				     const struct bell_disk_range *slice))
{
	struct bell_disk *disk = req->disk;
	struct bell_disk_range slice = *range;
	u64 end = range->sector + range->nsectors;
	int ret = 0;

	while (!ret && slice.sector < end) {
		if (READ_ONCE(disk->aborted))
			return -EINTR;
		slice.nsectors = min(end, disk_slice_end(disk, req->op,
							 slice.sector)) -
				 slice.sector;
		ret = func(disk, req->op, &slice);
		slice.sector += slice.nsectors;
		cond_resched();
	}
	return ret;
}

/**
 * bell_disk_do_ranges() - serve the ranges of a request, slice by slice
 * @req: the request
 * @func: serves one slice; may sleep
 *
 * One request may ask for hours of work. The last close of the device aborts the disk,
 * which ends the request after the current slice. A stop of the queue waits for all of
 * it.
 *
 * Context: Process context.
 * Return: 0, the first error of @func, or -EINTR.
 */
int bell_disk_do_ranges(struct bell_disk_req *req,
			int (*func)(struct bell_disk *disk,
				    enum bell_disk_op op,
				    const struct bell_disk_range *slice))
{
	int ret = 0;
	u32 i;

	for (i = 0; i < req->nvecs && !ret; i++)
		ret = disk_do_range(req, &req->range[i], func);
	return ret;
}

/**
 * bell_disk_abort() - end long requests after the current slice, also later ones
 * @disk: the disk
 *
 * Context: Any.
 */
void bell_disk_abort(struct bell_disk *disk)
{
	WRITE_ONCE(disk->aborted, true);
}

/**
 * bell_disk_resume() - undo bell_disk_abort() for later requests
 * @disk: the disk
 *
 * Context: Any.
 */
void bell_disk_resume(struct bell_disk *disk)
{
	WRITE_ONCE(disk->aborted, false);
}
