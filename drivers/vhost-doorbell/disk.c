// SPDX-License-Identifier: GPL-2.0
/*
 * disk - what block devices and regular files share
 *
 * Each disk has a workqueue of its own: what one waits for, a dead storage or a
 * frozen file system, must not hold up the others. It stops with the machine's
 * kernel threads, so that no I/O comes after the image of a hibernation.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "disk.h"
#include "exec.h"

/*
 * Threads of a disk at a time. They are in no cgroup that limits CPU time, and those
 * of a file copy data: so they are few.
 */
#define DISK_WORKS		8

/* Of a range, in sectors: an abort waits for one. Discards take less time. */
#define DISK_SLICE_DISCARD	(SZ_256M >> SECTOR_SHIFT)
#define DISK_SLICE		(SZ_64M >> SECTOR_SHIFT)

/* --- flushes --- */

/**
 * bell_disk_flush() - make stable what has been written
 * @disk: the disk
 *
 * With the credentials of the opener, as all I/O on its file: a file system in user
 * space refuses a user that it does not know.
 *
 * Context: Process context.
 * Return: 0 or the disk's error.
 */
int bell_disk_flush(struct bell_disk *disk)
{
	const struct cred *cred = override_creds(disk->file->f_cred);
	int ret = vfs_fsync(disk->file, 1);

	revert_creds(cred);
	return ret;
}

/* One flush for all that came before it begins; those that come later wait. */
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
	ret = bell_disk_flush(disk);
	bell_exec_worker_uncharge();
	/* After the last one the disk may be gone. */
	llist_for_each_entry_safe(req, next, list, retry)
		bell_disk_done(req, ret);
}

/**
 * bell_disk_queue_flush() - end a request when what was written is stable
 * @req: the request; all that completed before this call is covered
 *
 * An error of the flush is that of all requests that wait for it.
 *
 * Context: Any.
 */
void bell_disk_queue_flush(struct bell_disk_req *req)
{
	struct bell_disk *disk = req->disk;

	/*
	 * A caller that finds the list not empty has added its request before
	 * disk_flush_work() takes the list, and so before the flush.
	 */
	if (llist_add(&req->retry, &disk->flushes))
		queue_work(disk->wq, &disk->flush_work);
}

/* --- the disk --- */

/**
 * bell_disk_open() - fill in a disk
 * @disk: zeroed, with its file
 *
 * Context: Process context.
 * Return: 0, -EINVAL if it is no block device nor regular file, -ENOMEM, or why
 * it cannot be used.
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
 * bell_disk_close() - undo bell_disk_open(), when nothing is in flight
 * @disk: the disk, whose file stays open
 *
 * Context: Process context.
 */
void bell_disk_close(struct bell_disk *disk)
{
	destroy_workqueue(disk->wq);
	if (disk->ops->close)
		disk->ops->close(disk);
}

/* --- requests that sleep --- */

static void disk_work(struct work_struct *work)
{
	struct bell_disk_req *req =
		container_of(work, struct bell_disk_req, work);

	/* After it has ended the request may be another's. */
	bell_exec_worker_charge(req->exec);
	req->work_func(req);
	bell_exec_worker_uncharge();
}

/**
 * bell_disk_queue() - do something about a request where it may sleep
 * @req: the request
 * @func: what to do; its I/O is charged to who started the worker
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

/* --- ranges --- */

/*
 * The end of the slice that begins at @sector. A slice ends where the disk can
 * discard up to: else each would leave a piece of what is discarded.
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
 * bell_disk_do_ranges() - do all of a request of ranges, slice by slice
 * @req: the request
 * @func: does one slice, which may sleep
 *
 * A disk may take hours for what one request may ask for. It ends early when the
 * disk is aborted; a guest that only stops waits.
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
 * bell_disk_abort() - fail what takes long, now and from here on
 * @disk: the disk
 *
 * Context: Any.
 */
void bell_disk_abort(struct bell_disk *disk)
{
	WRITE_ONCE(disk->aborted, true);
}

/**
 * bell_disk_resume() - undo bell_disk_abort(), for what comes from here on
 * @disk: the disk
 *
 * Context: Any.
 */
void bell_disk_resume(struct bell_disk *disk)
{
	WRITE_ONCE(disk->aborted, false);
}
