/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk - what backend_blk.c asks of a block device or a regular file, and what these
 * call in return
 */
#ifndef BELL_DISK_H
#define BELL_DISK_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct bell_blk_large;
struct bell_disk;
struct bell_exec;
struct bell_vq;

#define BELL_DISK_INLINE_VECS	16
#define BELL_DISK_MAX_RANGES	16
/* Served in slices, see bell_disk_do_ranges(). */
#define BELL_DISK_MAX_RANGE	(SZ_2G >> SECTOR_SHIFT)

enum bell_disk_op {
	BELL_DISK_READ,
	BELL_DISK_WRITE,
	BELL_DISK_FLUSH,
	BELL_DISK_DISCARD,
	BELL_DISK_ZERO,
	BELL_DISK_ERASE,
	BELL_DISK_APPEND,
	BELL_DISK_ZONE,		/* what @zone_op says */
	BELL_DISK_NONE,		/* never submitted */
};

/* What is to be discarded, made zero or erased. */
struct bell_disk_range {
	u64	sector;		/* of 512 bytes */
	u32	nsectors;
	bool	unmap;		/* zeroes: it may be deallocated as well */
};

/* A request from the take to the used ring; one for each head of a queue. */
struct bell_disk_req {
	/* Constant while the queue runs. */
	struct bell_disk	*disk;
	struct bell_vq		*vq;
	struct bell_exec	*exec;
	u16			 head;

	/* Set by backend_blk.c before each submission. */
	u64			 sector;	/* of 512 bytes; appended: where */
	u32			 bytes;		/* of data */
	u32			 room;		/* writable bytes but the status */
	u32			 nvecs;		/* or of ranges */
	enum bell_disk_op	 op;
	bool			 fua;		/* stable before it completes */
	bool			 aligned;	/* as the disk's DMA asks for */
	u8			 epoch;
	u32			 max_vecs;	/* room in @vecs, if allocated */
	u8			*status;
	struct bio_vec		*vecs;		/* @inline_vecs or allocated */
	u8			**result;	/* bytes for @sector, allocated */
	struct bell_blk_large	*large;		/* NULL: served in one piece */

	/* The disk's. */
	bool			 nowait;
	struct llist_node	 retry;		/* or in the disk's flushes */
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
	 * Begin a request. With @nowait the caller may not block: -EAGAIN means
	 * that nothing was begun and the worker must do it; -ENOMEM, that it is to
	 * be tried again later. Other errors end it. Else it was begun,
	 * and bell_disk_done() ends it, in any context.
	 */
	int	(*submit)(struct bell_disk_req *req, bool nowait);
	/* Begin again, in the worker, what was to be retried. */
	void	(*resubmit)(struct bell_disk_req *req);
	/* Its size now, in sectors of 512 bytes */
	u64	(*nsectors)(const struct bell_disk *disk);
	/* How many zones were told to @cb, from that of @sector on; or NULL. */
	int	(*report_zones)(const struct bell_disk *disk, u64 sector,
				u32 nzones, report_zones_cb cb, void *data);
	/* Nothing is in flight, and nothing will be; or NULL. */
	void	(*close)(struct bell_disk *disk);
};

/* Constant while the device lives. */
struct bell_disk {
	const struct bell_disk_ops	*ops;
	struct file			*file;
	struct block_device		*bdev;		/* NULL: regular file */
	bool				 read_only;	/* to the guest */
	bool				 below_nowait;	/* says the owner */
	struct workqueue_struct		*wq;
	u32				 block_size;	/* logical, in bytes */
	u32				 phys_block_size;
	u32				 io_min;	/* in bytes, 0 unknown */
	u32				 io_opt;	/* in bytes, 0 unknown */
	/* In sectors of 512 bytes, for one range; 0: not possible. */
	u32				 max_discard;
	u32				 max_zero;
	u32				 max_erase;
	u32				 discard_align;
	/* Host-managed zones, in such sectors; 0: none. */
	u32				 zone_sectors;
	u32				 max_append;
	u32				 write_granularity;	/* in bytes */
	u32				 max_open_zones;	/* 0: any number */
	u32				 max_active_zones;
	/* Bits that must be clear in what is read or written without a copy. */
	u32				 addr_mask;	/* in memory addresses */
	u32				 len_mask;	/* in lengths and offsets */
	u64				 write_limit;	/* in bytes; files only */
	bool				 may_inline;	/* submit() need not block */
	bool				 charges_runner; /* as of a bell_backend */

	/*
	 * Not constant: what is offered of it, in sectors of 512 bytes, written
	 * under the device's lock; bytes that bounce, and who waits for fewer.
	 */
	u64				 capacity;
	atomic_t			 bounced;
	wait_queue_head_t		 bounce_wait;
	bool				 aborted;	/* ranges end early */
	struct llist_head		 flushes;	/* requests for the next fsync() */
	struct work_struct		 flush_work;
};

int bell_disk_open(struct bell_disk *disk);
void bell_disk_close(struct bell_disk *disk);
int bell_disk_bdev_open(struct bell_disk *disk);
int bell_disk_file_open(struct bell_disk *disk);

int bell_disk_flush(struct bell_disk *disk);
void bell_disk_queue_flush(struct bell_disk_req *req);

int bell_disk_do_ranges(struct bell_disk_req *req,
			int (*func)(struct bell_disk *disk,
				    enum bell_disk_op op,
				    const struct bell_disk_range *slice));
void bell_disk_abort(struct bell_disk *disk);
void bell_disk_resume(struct bell_disk *disk);

/* May what has ended be lost until it is flushed? */
static inline bool bell_disk_has_cache(const struct bell_disk *disk)
{
	return !disk->bdev || bdev_write_cache(disk->bdev);
}

/* What may sleep and has no thread of its own. */
void bell_disk_queue(struct bell_disk_req *req,
		     void (*func)(struct bell_disk_req *req));

/*
 * What a disk calls, and all that it may call, of the layer above; the functions are
 * in backend_blk_req.c. They are plain functions, not pointers in an operations table:
 * there is one such layer, and a direct call costs less.
 */

/* Ends a request that ops->submit() has begun; the layer above may reuse @req at once. */
void bell_disk_done(struct bell_disk_req *req, int error);
/*
 * Hands a request that would have blocked to the worker, which begins it again by
 * ops->resubmit().
 */
void bell_disk_retry(struct bell_disk_req *req);

#endif
