/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk - the interface between backend_blk*.c and a disk, which is a block
 * device or a regular file
 *
 * Both directions are here: what backend_blk*.c calls, and what a disk calls in
 * return.
 */
#ifndef BELL_DISK_H
#define BELL_DISK_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/errseq.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct bell_blk_large;
struct bell_disk;
struct bell_disk_drop;
struct bell_exec;
struct bell_vq;

#define BELL_DISK_INLINE_VECS	16
#define BELL_DISK_MAX_RANGES	16
/* Longest range, in sectors; served in slices, see bell_disk_do_ranges() */
#define BELL_DISK_MAX_RANGE	(SZ_2G >> SECTOR_SHIFT)

enum bell_disk_op {
	BELL_DISK_READ,
	BELL_DISK_WRITE,
	BELL_DISK_FLUSH,
	BELL_DISK_DISCARD,
	BELL_DISK_ZERO,
	BELL_DISK_ERASE,
	BELL_DISK_APPEND,
	BELL_DISK_ZONE,		/* a zone command: @zone_op */
	BELL_DISK_NONE,		/* answered without the disk */
};

/* A range to discard, to zero or to erase */
struct bell_disk_range {
	u64	sector;		/* of 512 bytes */
	u32	nsectors;
	/* Write zeroes only: the disk may deallocate the range instead */
	bool	unmap;
};

/*
 * A request, from the take off the available ring to the used ring. Each queue
 * has one for each head.
 */
struct bell_disk_req {
	/* Constant while the queue runs. */
	struct bell_disk	*disk;
	struct bell_vq		*vq;
	struct bell_exec	*exec;
	u16			 head;

	/* Set by backend_blk*.c before each submission: */

	/*
	 * First sector, in units of 512 bytes; after an append, where the data
	 * is
	 */
	u64			 sector;
	u32			 bytes;		/* bytes of data */
	/* Writable bytes, without the status */
	u32			 room;
	u32			 nvecs;		/* entries in @vecs or @range */
	enum bell_disk_op	 op;
	/* Must be stable when it completes */
	bool			 fua;
	/* The disk can DMA to @vecs as they are */
	bool			 aligned;
	bool			 held;		/* held because the disk was full */
	/* Epoch in which it began, see gmem_user.h */
	u8			 epoch;
	/* Entries allocated in @vecs, if not inline */
	u32			 max_vecs;
	/* The status byte, in guest memory */
	u8			*status;
	struct bio_vec		*vecs;		/* @inline_vecs or allocated */
	/*
	 * Append only: array of pointers into guest memory, one for each byte of the
	 * resulting sector
	 */
	u8			**result;
	struct bell_blk_large	*large;		/* NULL if served in one piece */
	/*
	 * When it was taken, in CPU cycles (see hist.h); 0 if it is not in
	 * flight. Also read without a lock, to find the oldest request.
	 */
	u64			 begin;
	/* Negative errno of the disk, or 0 if the disk did not fail it */
	int			 error;

	/*
	 * Only the disk's code (disk_*.c) uses these; @retry is also used by
	 * the worker and by backend_blk_hold.c, each while it has the request.
	 */
	bool			 nowait;
	/* Files only: a write that is submitted as stable, also if it need not be */
	bool			 dsync;
	/* Files only: bytes already written by earlier attempts */
	u32			 done;
	/* Files only: f_wb_err of disk->io when the write began, also if it was continued */
	errseq_t		 wb_err;
	/* Files only: disk->told when the write or range began, or the flush was queued */
	errseq_t		 told;
	/*
	 * Entry in one list at a time: exec->retries, the queue's held or deferred
	 * requests, disk->flushes
	 */
	struct llist_node	 retry;
	union {
		struct {
			struct bio	 bio;
			struct bio	*bounce;
			struct bvec_iter bounce_iter;
		};
		struct kiocb		 iocb;
	};
	struct work_struct	 work;
	void			(*work_func)(struct bell_disk_req *req);
	union {
		struct {
			enum req_op	 zone_op;
			u64		 zone_nsectors;
		};
		struct bio_vec	 inline_vecs[BELL_DISK_INLINE_VECS];
		struct bell_disk_range range[BELL_DISK_MAX_RANGES];
	};
} ____cacheline_aligned_in_smp;

struct bell_disk_ops {
	/*
	 * Begin a request. With @nowait the caller may not block. Returns:
	 *
	 * 0: begun. bell_disk_done() ends it, in any context, perhaps before this
	 * returns. It passes -ENOSPC if the disk has no room and submitting the whole
	 * request again is safe; -EDQUOT if there is no room and submitting it again
	 * would hide a loss.
	 *
	 * -EAGAIN: nothing was begun; the worker must submit it.
	 *
	 * -ENOMEM: nothing was begun; submit it again later.
	 *
	 * Another errno: nothing was begun; the request fails with it.
	 */
	int	(*submit)(struct bell_disk_req *req, bool nowait);
	/*
	 * Begin a request again after bell_disk_retry(). In the worker, may
	 * block.
	 */
	void	(*resubmit)(struct bell_disk_req *req);
	/*
	 * End a request after bell_disk_defer(). Returns false if that would sleep and
	 * @may_sleep is false; nothing was done then. NULL if the disk defers none.
	 */
	bool	(*finish)(struct bell_disk_req *req, bool may_sleep);
	/* Current size in sectors of 512 bytes */
	u64	(*nsectors)(const struct bell_disk *disk);
	/*
	 * Call @cb for up to @nzones zones, beginning with the zone of @sector.
	 * Returns the number of zones reported or a negative errno. NULL if the
	 * disk has no zones.
	 */
	int	(*report_zones)(const struct bell_disk *disk, u64 sector,
				u32 nzones, report_zones_cb cb, void *data);
	/*
	 * Undo the disk's own part of bell_disk_open(). Nothing is in flight. May be
	 * NULL.
	 */
	void	(*close)(struct bell_disk *disk);
};

/*
 * A disk; constant while the device lives, except for the last group of members
 */
struct bell_disk {
	const struct bell_disk_ops	*ops;
	struct file			*file;
	struct block_device		*bdev;		/* NULL: regular file */
	/*
	 * Files only: what all reads, writes and flushes go through; @file, or the open file
	 * of disk_times.c
	 */
	struct file			*io;
	/* Files only: sets the file's times; NULL: each write does so itself */
	struct bell_disk_times		*times;
	/* What bell_disk_cache_end() needs; NULL: nothing to drop */
	struct bell_disk_drop		*drop;
	/* The guest may not write */
	bool				 read_only;
	/*
	 * Set by the owner: no driver below the block device sleeps when it
	 * gets a request with REQ_NOWAIT (see VHOST_DOORBELL_BLK_F_NOWAIT)
	 */
	bool				 below_nowait;
	/*
	 * Set by the owner: hold requests while the disk is full, see
	 * backend_blk_hold.c
	 */
	bool				 hold_nospc;
	struct workqueue_struct		*wq;
	u32				 block_size;	/* logical, in bytes */
	u32				 phys_block_size;
	u32				 io_min;	/* in bytes, 0 unknown */
	u32				 io_opt;	/* in bytes, 0 unknown */
	/* Longest range in sectors of 512 bytes; 0 if the disk cannot do it */
	u32				 max_discard;
	u32				 max_zero;
	u32				 max_erase;
	u32				 discard_align;
	/*
	 * Host-managed zones: size and longest append, in sectors of 512 bytes;
	 * 0: no zones
	 */
	u32				 zone_sectors;
	u32				 max_append;
	u32				 write_granularity;	/* in bytes */
	u32				 max_open_zones;	/* 0: no limit */
	u32				 max_active_zones;
	/*
	 * DMA alignment: bits that must be clear in a request that is not
	 * copied
	 */
	u32				 addr_mask;	/* of memory addresses */
	/* The same for lengths, and for offsets on the disk */
	u32				 len_mask;
	/*
	 * Files only: writes beyond this offset in bytes fail (RLIMIT_FSIZE of
	 * the opener)
	 */
	u64				 write_limit;
	/* The ringing vCPU thread may submit */
	bool				 may_inline;
	/* I/O is charged to the block cgroup of the thread that submits it. */
	bool				 charges_runner;
	/*
	 * Files only: a write that was submitted as stable needs no flush later, and the
	 * ringing thread may submit it; for an overwrite that costs no flush
	 */
	bool				 stable_inline;
	/* Files only: the file system's record of errors of writeback of the file */
	errseq_t			*wb_err;

	/*
	 * The members from here on are not constant.
	 *
	 * Capacity in the config space, in sectors of 512 bytes; written under the
	 * device's lock, read without it
	 */
	u64				 capacity;
	/* Bytes in bounce pages now, and workers that wait until there are fewer */
	atomic_t			 bounced;
	wait_queue_head_t		 bounce_wait;
	/* Long requests end after the current slice */
	bool				 aborted;
	/*
	 * Files only: counts, from 1, ended writes and ranges that may need a flush, failed
	 * writes, and starts of queues
	 */
	atomic64_t			 unstable;
	/* Files only: the value of @unstable up to which all is stable */
	u64				 flushed;
	/* Files only: the last error of writeback, in @wb_err, that a flush reported */
	errseq_t			 told;
	/* Files only, hints: writes begun since the last flush, up to a limit */
	u32				 since_flush;
	/* The last flush came after few writes */
	bool				 flush_often;
	/* Flushes that wait for the next fsync() */
	struct llist_head		 flushes;
	struct work_struct		 flush_work;
};

int bell_disk_init(void);
void bell_disk_exit(void);
int bell_disk_open(struct bell_disk *disk);
void bell_disk_close(struct bell_disk *disk);
int bell_disk_bdev_open(struct bell_disk *disk);
bool bell_disk_bdev_may_inline(struct block_device *bdev, bool below_nowait);

/* disk_cache.c */
int bell_disk_cache_init(void);
void bell_disk_cache_exit(void);
int bell_disk_cache_begin(struct bell_disk *disk);
void bell_disk_cache_end(struct bell_disk *disk);
int bell_disk_file_open(struct bell_disk *disk);

/* disk_times.c */
int bell_disk_times_init(void);
void bell_disk_times_exit(void);
void bell_disk_times_open(struct bell_disk *disk);
void bell_disk_times_close(struct bell_disk *disk);
void bell_disk_times_touch(struct bell_disk_times *times);

void bell_disk_wrote(struct bell_disk *disk);
bool bell_disk_all_stable(struct bell_disk *disk);
bool bell_disk_prefers_stable(struct bell_disk *disk);
int bell_disk_flush(struct bell_disk *disk, bool tell);
int bell_disk_flush_for(const struct bell_disk_req *req);
void bell_disk_queue_flush(struct bell_disk_req *req);

int bell_disk_do_ranges(struct bell_disk_req *req,
			int (*func)(struct bell_disk *disk,
				    enum bell_disk_op op,
				    const struct bell_disk_range *slice));
void bell_disk_abort(struct bell_disk *disk);
void bell_disk_resume(struct bell_disk *disk);

/*
 * Does the disk have a volatile cache, so that completed writes need a flush?
 */
static inline bool bell_disk_has_cache(const struct bell_disk *disk)
{
	return !disk->bdev || bdev_write_cache(disk->bdev);
}

/* Calls @func(@req) in the disk's workqueue, where it may sleep. */
void bell_disk_queue(struct bell_disk_req *req,
		     void (*func)(struct bell_disk_req *req));
/* The same in workqueues where nothing waits for other requests, or for a thaw. */
void bell_disk_queue_end(struct bell_disk_req *req,
			 void (*func)(struct bell_disk_req *req));
void bell_disk_queue_end_slow(struct bell_disk_req *req,
			      void (*func)(struct bell_disk_req *req));

/*
 * The functions that a disk calls; it calls no others of the layer above. They
 * are defined in backend_blk_done.c. They are plain functions and no operations
 * table: there is only one such layer, and a direct call costs less.
 */

/* Ends a request that ops->submit() has begun; @req may be reused at once. */
void bell_disk_done(struct bell_disk_req *req, int error);
/*
 * Hands a request that would have blocked to the worker, which begins it again by
 * ops->resubmit().
 */
void bell_disk_retry(struct bell_disk_req *req);
/* Ends a completed request later, in process context, by ops->finish(). */
void bell_disk_defer(struct bell_disk_req *req);

#endif
