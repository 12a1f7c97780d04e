// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk_hold - requests that wait for a full disk
 *
 * If the owner asks for it, a write, write zeroes or discard for which the disk has no
 * room does not end: it is held. It stays in flight, in a list of its queue.
 *
 * Once a second a work item gives the oldest request of the list to the worker, which
 * submits it again, whole: the probe. If the probe fails for want of room it joins the
 * end of the list, so the next probe is another request. If it completes, all others are
 * submitted again at once. A full disk thus costs one attempt a second for each queue,
 * however many requests wait.
 *
 * A held request ends when the disk takes it or fails it otherwise; or when the queue
 * drains, or when its guest pages keep all others from being pinned: then with an I/O
 * error, as virtio has no status for a full disk. If the queue keeps chains over a stop
 * (bell_vq_inflight_keeps()), a drain puts held requests back instead, to be served again.
 * A request of such a queue that the last close cuts short joins the list, too.
 *
 * Context: the disk may end a request anywhere, so requests join the list in any
 * context. The work item runs in the disk's workqueue; no timer runs while the list is
 * empty.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/blkdev.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "backend_blk_priv.h"
#include "disk.h"
#include "exec.h"
#include "gmem.h"
#include "vq.h"

/* Bit of hold_told: the log says that the disk is full */
#define HOLD_TOLD	0

/* Bit of hold_flags: the last request that was submitted again is a probe */
#define HOLD_PROBING	0
/* Bit of hold_flags: a probe completed, so submit all held requests */
#define HOLD_ALL	1

/* Jiffies between two probes: submissions of one held request */
#define HOLD_PAUSE	HZ

/*
 * Most bytes of page vectors that the held requests of a device may keep. The rest is
 * enough for the longest request, even if it has 4096 segments that begin within a
 * page.
 */
#define HOLD_LONGEST_VECS	(BELL_BLK_MAX_BYTES / PAGE_SIZE + 4096)
#define HOLD_MAX_VEC_BYTES	((long)(BELL_BLK_VEC_BYTES - \
				 HOLD_LONGEST_VECS * sizeof(struct bio_vec)))

static bool hold_wants(const struct bell_disk_req *req, int error)
{
	const struct bell_blk_queue *q = req->vq->priv;

	if (READ_ONCE(req->exec->dead)) {
		if (!bell_vq_inflight_keeps(req->vq) || q->zoned)
			return false;
		/* The last close has cut it short, see bell_disk_abort(). */
		if (error == -EINTR)
			return true;
	}
	if (error != -ENOSPC || !q->hold)
		return false;
	return req->op == BELL_DISK_WRITE || req->op == BELL_DISK_ZERO ||
	       req->op == BELL_DISK_DISCARD;
}

/* Bytes of page vectors that a request has allocated. */
static size_t hold_vec_bytes(const struct bell_disk_req *req)
{
	if (req->large)
		return bell_backend_blk_large_vec_bytes(req);
	return req->vecs == req->inline_vecs ?
	       0 : req->max_vecs * sizeof(*req->vecs);
}

/* Count a request as held; false if held requests would keep too many page vectors. */
static bool hold_count(struct bell_disk_req *req)
{
	const struct bell_blk_queue *q = req->vq->priv;
	bool dead = READ_ONCE(req->exec->dead);
	size_t bytes = hold_vec_bytes(req);

	if (req->held)
		return true;
	/* The drain of a dead queue puts it back soon, so it does not count long. */
	if (bytes && atomic_long_add_return(bytes, &q->blk->held_bytes) >
		     HOLD_MAX_VEC_BYTES && !dead) {
		atomic_long_sub(bytes, &q->blk->held_bytes);
		return false;
	}
	req->held = true;
	if (!dead)
		atomic_long_inc(&req->vq->stats.holds);
	atomic_inc(&req->vq->stats.held);
	atomic_inc(&q->blk->held);
	return true;
}

/* A probe completed, so there is room: have all others submitted again. */
static void hold_found_room(struct bell_blk_queue *q)
{
	if (!test_and_clear_bit(HOLD_PROBING, &q->hold_flags) ||
	    llist_empty(&q->held))
		return;
	set_bit(HOLD_ALL, &q->hold_flags);
	mod_delayed_work(q->blk->disk.wq, &q->hold_work, 0);
}

/**
 * bell_backend_blk_hold_end() - count a request as no longer held, as it ends
 * @req: the request, held or not, with the page vectors that it was held with
 * @error: 0, or the negative errno that it ends with
 *
 * Context: Any.
 */
void bell_backend_blk_hold_end(struct bell_disk_req *req, int error)
{
	struct bell_blk_queue *q = req->vq->priv;

	if (!req->held)
		return;
	req->held = false;
	atomic_long_sub(hold_vec_bytes(req), &q->blk->held_bytes);
	atomic_dec(&req->vq->stats.held);
	if (!error)
		hold_found_room(q);
	if (atomic_dec_and_test(&q->blk->held) &&
	    test_and_clear_bit(HOLD_TOLD, &q->blk->hold_told))
		pr_notice_ratelimited("vhost-doorbell: device %u: no request waits for a full disk any more, the last one %s\n",
				      req->vq->dev_id,
				      error == -EAGAIN ? "was put back, to be served again" :
				      error ? "failed" : "found room");
}

/*
 * Put a request into the list of held requests. From then on bell_exec_drain() may end
 * it.
 */
static void hold_add(struct bell_disk_req *req)
{
	struct bell_blk_queue *q = req->vq->priv;

	/* The queue is freed a grace period after its last request has ended. */
	rcu_read_lock();
	if (llist_add(&req->retry, &q->held))
		queue_delayed_work(q->blk->disk.wq, &q->hold_work, HOLD_PAUSE);
	rcu_read_unlock();
}

/**
 * bell_backend_blk_hold_done() - hold a request for which the disk has no room
 * @req: the request, which the disk has ended
 * @error: 0 or the disk's negative errno
 *
 * Context: Any.
 * Return: true if the request is held: the caller does not access it any more. False if
 * it ends now.
 */
bool bell_backend_blk_hold_done(struct bell_disk_req *req, int error)
{
	if (hold_wants(req, error) && hold_count(req)) {
		hold_add(req);
		return true;
	}
	bell_backend_blk_hold_end(req, error);
	return false;
}

/* Take all held requests off the list. Returns them with the oldest first. */
static struct llist_node *hold_take(struct bell_blk_queue *q)
{
	return llist_reverse_order(llist_del_all(&q->held));
}

static void hold_put_back_all(struct llist_node *list)
{
	struct bell_disk_req *req, *next;

	llist_for_each_entry_safe(req, next, list, retry) {
		bell_backend_blk_hold_end(req, -EAGAIN);
		bell_backend_blk_put_back(req);
		cond_resched();
	}
}

static void hold_end_all(struct llist_node *list)
{
	struct bell_disk_req *req, *next;

	llist_for_each_entry_safe(req, next, list, retry) {
		bell_disk_done(req, -ENOSPC);
		cond_resched();
	}
}

/*
 * Does this request keep pages that the guest has given away, so that no other page can
 * be pinned? Then it must end: otherwise reads, too, would wait for room on the disk.
 */
static bool hold_blocks_pins(const struct bell_disk_req *req)
{
	const struct bell_vq *vq = req->vq;

	if (!bell_gmem_stay_blocks(vq->gmem, &vq->user, req->epoch))
		return false;
	pr_notice_ratelimited("vhost-doorbell: device %u: a request that waits for a full disk fails: it keeps guest memory from being released, and no more can be pinned\n",
			      vq->dev_id);
	return true;
}

/*
 * Have the worker submit the oldest request of @list again, or all if a probe
 * completed. Fail requests that keep other pages from being pinned
 * (hold_blocks_pins()). The rest go back into the list.
 */
static void hold_retry(struct bell_blk_queue *q, struct llist_node *list,
		       bool all)
{
	struct bell_disk_req *req, *next;
	bool given = false;

	if (all)
		clear_bit(HOLD_PROBING, &q->hold_flags);
	else
		set_bit(HOLD_PROBING, &q->hold_flags);
	llist_for_each_entry_safe(req, next, list, retry) {
		if (hold_blocks_pins(req)) {
			bell_disk_done(req, -EDQUOT);
		} else if (all || !given) {
			bell_exec_worker_retry(req->exec, &req->retry);
			given = true;
		} else {
			hold_add(req);
		}
		cond_resched();
	}
}

static void hold_work(struct work_struct *work)
{
	struct bell_blk_queue *q = container_of(to_delayed_work(work),
						struct bell_blk_queue,
						hold_work);
	bool all = test_and_clear_bit(HOLD_ALL, &q->hold_flags);
	struct llist_node *list = hold_take(q);
	const struct bell_disk_req *req;

	if (!list)
		return;
	/* The requests in @list are in flight, so the queue cannot stop meanwhile. */
	req = llist_entry(list, struct bell_disk_req, retry);
	/* A dead queue may have requests that the close has cut short. */
	if (!READ_ONCE(req->exec->dead) &&
	    !test_and_set_bit(HOLD_TOLD, &q->blk->hold_told))
		pr_notice_ratelimited("vhost-doorbell: device %u: disk full: %d requests wait\n",
				      req->vq->dev_id,
				      atomic_read(&q->blk->held));
	hold_retry(q, list, all);
}

/* bell_backend_blk_hold_start() - prepare a queue that has no request yet */
void bell_backend_blk_hold_start(struct bell_blk_queue *q)
{
	q->hold = q->blk->disk.hold_nospc && !q->zoned;
	init_llist_head(&q->held);
	INIT_DELAYED_WORK(&q->hold_work, hold_work);
}

/**
 * bell_backend_blk_hold_stop() - undo bell_backend_blk_hold_start()
 * @q: the queue; nothing has been in flight for at least a grace period
 *
 * Context: Process context.
 */
void bell_backend_blk_hold_stop(struct bell_blk_queue *q)
{
	cancel_delayed_work_sync(&q->hold_work);
}

/*
 * bell_backend_blk_hold_dead() - how a held request ends that the worker was given, but its
 *	queue is dead
 *
 * The stop of the queue waits for the request, so the disk is not asked again. If the
 * queue keeps chains the request goes back into the list, for the drain to put it back.
 */
int bell_backend_blk_hold_dead(const struct bell_vq *vq)
{
	return bell_vq_inflight_keeps(vq) ? -EINTR : -ENOSPC;
}

/**
 * bell_backend_blk_hold_again() - submit a held request again
 * @req: the request, which is served in one piece
 *
 * Context: The worker.
 */
void bell_backend_blk_hold_again(struct bell_disk_req *req)
{
	int ret;

	if (READ_ONCE(req->exec->dead))
		ret = bell_backend_blk_hold_dead(req->vq);
	else
		ret = req->disk->ops->submit(req, false);
	if (!ret)
		return;
	/* There was no memory to begin it: hold it for another second. */
	if ((ret == -ENOMEM || ret == -EAGAIN) && hold_wants(req, -ENOSPC)) {
		hold_add(req);
		return;
	}
	bell_disk_done(req, ret);
}

/**
 * bell_backend_blk_hold_release() - end the held requests of a queue, or put them back
 * @exec: the executor of the queue, dead
 *
 * Context: Process context.
 */
void bell_backend_blk_hold_release(struct bell_exec *exec)
{
	struct llist_node *list = hold_take(exec->vq->priv);

	if (bell_vq_inflight_keeps(exec->vq))
		hold_put_back_all(list);
	else
		hold_end_all(list);
}
