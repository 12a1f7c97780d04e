// SPDX-License-Identifier: GPL-2.0
/*
 * disk - what block devices and regular files share
 */
#include <linux/workqueue.h>

#include "disk.h"
#include "exec.h"

static struct workqueue_struct *disk_wq;

/**
 * bell_disk_init() - make the workqueue that all disks share
 *
 * Return: 0 or -ENOMEM.
 */
int bell_disk_init(void)
{
	disk_wq = alloc_workqueue("vhost-doorbell-disk",
				  WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return disk_wq ? 0 : -ENOMEM;
}

/** bell_disk_exit() - undo bell_disk_init(), when no device is left */
void bell_disk_exit(void)
{
	destroy_workqueue(disk_wq);
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
 * @func: what to do; its I/O is charged to who started the queue
 *
 * Context: Any.
 */
void bell_disk_queue(struct bell_disk_req *req,
		     void (*func)(struct bell_disk_req *req))
{
	req->work_func = func;
	INIT_WORK(&req->work, disk_work);
	queue_work(disk_wq, &req->work);
}
