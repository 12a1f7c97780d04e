// SPDX-License-Identifier: GPL-2.0
/*
 * disk - what block devices and regular files share
 *
 * Each disk has a workqueue of its own: what one waits for, a dead storage or a
 * frozen file system, must not hold up the others.
 */
#include <linux/fs.h>
#include <linux/workqueue.h>

#include "disk.h"
#include "exec.h"

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
				   WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!disk->wq)
		return -ENOMEM;
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

/**
 * bell_disk_flush() - make stable what has been written
 * @disk: the disk
 *
 * Context: Process context.
 * Return: 0 or the disk's error.
 */
int bell_disk_flush(struct bell_disk *disk)
{
	return vfs_fsync(disk->file, 1);
}

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
