// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_defer - requests that the disk has completed, but that end in process context
 *
 * Others may wait for such a request of a file to end: a write that needs all direct I/O of
 * the file to be over (inode_dio_wait()), and a freeze of the file system. The worker and the
 * disk's workqueue may themselves wait for that write, or for the thaw; if they ended these
 * requests, they could deadlock. (io_uring had that deadlock, and no longer sets
 * IOCB_DIO_CALLER_COMP: 838b35bb6a89.) So a workqueue ends them that does nothing else.
 *
 * All disks share it. An end that would sleep (pages of the image are in the page cache, and
 * another process may hold their locks for long) goes to a second workqueue. So a tenant
 * whose image is read through the page cache delays only requests of others that also found
 * such pages.
 *
 * A runner that may not sleep waits for none of this. It ends what completes in its pass,
 * which costs no context switch: many disks complete a request before the pass is over.
 */
#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>

#include "backend_blk_priv.h"
#include "disk.h"
#include "vq.h"

static struct bell_disk_req *defer_entry(struct llist_node *node)
{
	return llist_entry(node, struct bell_disk_req, retry);
}

static void defer_slow(struct bell_disk_req *req)
{
	req->disk->ops->finish(req, true);
}

/* End the request here if that does not sleep. */
static void defer_finish(struct bell_disk_req *req)
{
	if (!req->disk->ops->finish(req, false))
		bell_disk_queue_end_slow(req, defer_slow);
}

/* bell_backend_blk_defer_start() - prepare a queue that has no request yet */
void bell_backend_blk_defer_start(struct bell_blk_queue *q)
{
	init_llist_head(&q->deferred);
}

/**
 * bell_disk_defer() - have a completed request ended in process context
 * @req: the request
 *
 * Context: Any.
 */
void bell_disk_defer(struct bell_disk_req *req)
{
	struct bell_blk_queue *q = req->vq->priv;
	struct llist_node *node, *next;

	/* The queue is freed a grace period after its last request has ended. */
	rcu_read_lock();
	llist_add(&req->retry, &q->deferred);
	/*
	 * Pairs with bell_backend_blk_defer_end(): either this context sees that the runner
	 * no longer collects, or the runner sees the request.
	 */
	smp_mb();
	node = READ_ONCE(q->collects) ? NULL : llist_del_all(&q->deferred);
	llist_for_each_safe(node, next, node)
		bell_disk_queue_end(defer_entry(node), defer_finish);
	rcu_read_unlock();
}

/**
 * bell_backend_blk_defer_begin() - collect what the disk completes from now on
 * @q: the queue
 * @may_sleep: whether the runner may sleep: then it collects nothing
 *
 * Context: The queue's runner.
 */
void bell_backend_blk_defer_begin(struct bell_blk_queue *q, bool may_sleep)
{
	if (!may_sleep && q->blk->disk.ops->finish)
		WRITE_ONCE(q->collects, true);
}

/**
 * bell_backend_blk_defer_end() - end what was collected
 * @q: the queue
 *
 * Those that would sleep go to a workqueue.
 *
 * Context: The queue's runner.
 */
void bell_backend_blk_defer_end(struct bell_blk_queue *q)
{
	struct llist_node *node, *next;

	if (!q->collects)
		return;
	WRITE_ONCE(q->collects, false);
	/* Pairs with bell_disk_defer(). */
	smp_mb();
	node = llist_reverse_order(llist_del_all(&q->deferred));
	llist_for_each_safe(node, next, node)
		defer_finish(defer_entry(node));
}
