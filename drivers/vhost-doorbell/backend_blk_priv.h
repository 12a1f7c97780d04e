/* SPDX-License-Identifier: GPL-2.0 */
/* backend_blk_priv - shared by backend_blk.c and backend_blk_*.c only */
#ifndef BELL_BACKEND_BLK_PRIV_H
#define BELL_BACKEND_BLK_PRIV_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "backend.h"
#include "compat_blk.h"
#include "disk.h"
#include "vq.h"

struct bell_exec;
struct bell_run;
struct llist_node;

/*
 * Most page vectors of one bio. They take 32 KiB, which the allocator can
 * provide even when memory is fragmented. A request that needs more is served
 * in slices.
 */
#define BELL_BLK_MAX_VECS	2048
/* Most bytes of data in one read or write */
#define BELL_BLK_MAX_BYTES	SZ_1G
/* Most bytes of allocated page vectors that a device may have at a time */
#define BELL_BLK_VEC_BYTES	SZ_8M

struct bell_blk {
	struct bell_backend		be;
	struct bell_disk		disk;
	/*
	 * The config space and the lifetime that the driver reads. Constant, except for
	 * capacity, geometry and wce, which are written under the device's lock.
	 */
	struct virtio_blk_config	config;
	struct virtio_blk_zoned_characteristics zoned;
	struct virtio_blk_lifetime	lifetime;
	bool				read_only;
	/*
	 * Longest read or write, in bytes, that takes the short path:
	 * @max_bytes, or 0 for a zoned disk
	 */
	u32				plain_bytes;
	/* Longest read or write, in bytes, that is served in one piece */
	u32				max_bytes;
	u8				serial[VIRTIO_BLK_ID_BYTES];

	/* Requests of all queues that are held, as the disk is full */
	atomic_t			held;
	/* Bytes of page vectors that held requests have allocated */
	atomic_long_t			held_bytes;
	/* HOLD_TOLD: the log says that the disk is full */
	unsigned long			hold_told;

	/*
	 * Bytes of allocated page vectors; the inline ones of each request do
	 * not count
	 */
	atomic_long_t			vec_bytes ____cacheline_aligned_in_smp;
};

/*
 * One running queue, in vq->priv. Members are constant while it runs, unless their
 * comment says otherwise.
 */
struct bell_blk_queue {
	struct bell_blk		*blk;
	/*
	 * Each write must be stable when it completes, whatever config.wce says
	 */
	bool			 writethrough;
	/* Which of these features the driver has accepted */
	bool			 discard;
	bool			 write_zeroes;
	bool			 secure_erase;
	bool			 zoned;
	bool			 lifetime;
	/* Passes in a row that found no memory; only the runner accesses it */
	u32			 starved;
	/* Hold requests for which the disk has no room. Set at the start of the queue */
	bool			 hold;
	/* Held requests that are not being submitted again; see locking.rst. */
	struct llist_head	 held;
	/* HOLD_PROBING and HOLD_ALL, see backend_blk_hold.c; atomic */
	unsigned long		 hold_flags;
	/* Has held requests submitted again; runs in the disk's workqueue */
	struct delayed_work	 hold_work;
	/* Requests to end in process context; see backend_blk_defer.c and locking.rst */
	struct llist_head	 deferred;
	/* The runner will look at @deferred; only the runner writes it */
	bool			 collects;
	struct bell_disk_req	 req[];		/* indexed by head */
};

/* backend_blk_req.c */
enum bell_pass bell_backend_blk_pass(struct bell_exec *exec,
				     struct bell_run *run);
void bell_backend_blk_resubmit(struct bell_exec *exec, struct llist_node *node);
int bell_backend_blk_rw(struct bell_blk *blk, struct bell_disk_req *req,
			struct bell_vq_cursor data, u64 bytes, bool may_sleep);

/* backend_blk_done.c */
void bell_backend_blk_free(struct bell_disk_req *req);
void bell_backend_blk_finish(struct bell_disk_req *req, u8 status, u32 written);
void bell_backend_blk_put_back(struct bell_disk_req *req);

/* Must a write be stable when it completes? */
static inline bool
bell_backend_blk_writes_through(const struct bell_blk_queue *q)
{
	return q->writethrough || !READ_ONCE(q->blk->config.wce);
}

/*
 * End a request with an I/O error. @error, a negative errno, says what failed.
 */
static inline void bell_backend_blk_fail(struct bell_disk_req *req, int error)
{
	req->error = error;
	bell_backend_blk_finish(req, VIRTIO_BLK_S_IOERR, 0);
}

/* backend_blk_map.c */
void *bell_backend_blk_map_alloc(size_t size, bool may_sleep);
bool bell_backend_blk_map_reserve(struct bell_blk *blk, size_t bytes);
void bell_backend_blk_map_unreserve(struct bell_blk *blk, size_t bytes);
u64 bell_backend_blk_map_count_pages(struct bell_vq_cursor cur, u64 bytes);
int bell_backend_blk_map_no_memory(struct bell_disk_req *req);
int bell_backend_blk_map_pieces(struct bell_blk *blk,
				struct bell_disk_req *req,
				struct bell_vq_cursor cur, bool may_sleep);
void bell_backend_blk_map_set_aligned(struct bell_disk_req *req);
void bell_backend_blk_map_free(struct bell_disk_req *req);

/* backend_blk_large.c */
int bell_backend_blk_large_begin(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor data, u64 bytes,
				 bool may_sleep);
void bell_backend_blk_large_done(struct bell_disk_req *req, int error);
void bell_backend_blk_large_next(struct bell_disk_req *req);
void bell_backend_blk_large_drop(struct bell_disk_req *req);
size_t bell_backend_blk_large_vec_bytes(const struct bell_disk_req *req);

/* backend_blk_hold.c */
bool bell_backend_blk_hold_done(struct bell_disk_req *req, int error);
void bell_backend_blk_hold_end(struct bell_disk_req *req, int error);
void bell_backend_blk_hold_start(struct bell_blk_queue *q);
void bell_backend_blk_hold_stop(struct bell_blk_queue *q);
int bell_backend_blk_hold_dead(const struct bell_vq *vq);
void bell_backend_blk_hold_again(struct bell_disk_req *req);
void bell_backend_blk_hold_release(struct bell_exec *exec);

/* backend_blk_defer.c */
void bell_backend_blk_defer_start(struct bell_blk_queue *q);
void bell_backend_blk_defer_begin(struct bell_blk_queue *q, bool may_sleep);
void bell_backend_blk_defer_end(struct bell_blk_queue *q);

/* backend_blk_zone.c */
int bell_backend_blk_zone_check(struct bell_blk *blk, struct bell_disk_req *req,
				u64 bytes, bool may_sleep);
void bell_backend_blk_zone_refuse(struct bell_disk_req *req, u64 bytes);
int bell_backend_blk_zone_append(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor in, u64 in_bytes,
				 struct bell_vq_cursor out, u64 out_bytes,
				 bool may_sleep);
int bell_backend_blk_zone_report(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor in, u64 in_bytes,
				 bool may_sleep);
int bell_backend_blk_zone_manage(struct bell_blk *blk,
				 struct bell_disk_req *req, u32 type,
				 bool may_sleep);
void bell_backend_blk_zone_failed(struct bell_disk_req *req, int error);

#endif
