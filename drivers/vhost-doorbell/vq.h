/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_VQ_H
#define BELL_VQ_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio_ring.h>

#include "callfd.h"
#include "gmem.h"
#include "stats.h"

/* A descriptor: a piece of guest memory, not checked against the table yet. */
struct bell_seg {
	u64	addr;
	u32	len;		/* not zero */
};

/* A place in the pieces of a chain. */
struct bell_vq_cursor {
	const struct bell_seg	*seg;
	u64			 skip;		/* bytes of @seg that are done */
};

/* What the guest made available by one head: readable pieces, then writable. */
struct bell_chain {
	struct bell_seg	*seg;
	u32		 nout;
	u32		 nin;
	u16		 head;		/* or, of a packed ring, the buffer id */
	u16		 ndesc;		/* places it takes in the ring, not zero */
	u8		 epoch;
};

/* How a chain ended. */
struct bell_done {
	u32	len;		/* bytes written to its writable part */
	u32	bytes_read;	/* of data, for the statistics */
	u32	bytes_written;
	u16	head;
	u8	epoch;
	bool	failed;
};

struct bell_vq_config {
	u64	desc_uaddr;
	u64	avail_uaddr;
	u64	used_uaddr;
	u32	num;
	u32	base;		/* where to begin, as VHOST_SET_VRING_BASE has it */
	u32	max_segs;	/* descriptors of a chain; 0: as many as the ring */
	bool	packed;
	bool	event_idx;
	bool	indirect;
	bool	in_order;
	bool	notify_on_empty;	/* split ring only */
	bool	completes_all;		/* what is taken, before it waits */
};

/* When the driver is told; may change at any time. */
struct bell_vq_signal_config {
	u32	coalesce_us;		/* 0: at once */
	u32	coalesce_count;
};

/* To use chains in the order in which they were taken, whichever ends first. */
struct bell_order {
	/* The runner's: place of the next chain. */
	u32	next;
	/* Under the lock of the queue: place of the oldest one in flight. */
	u32	oldest;
	struct bell_order_entry {
		u16	head;		/* by place */
		bool	ended;		/* by head */
		u32	len;		/* by head; bytes written */
	} entry[];
};

/* A virtqueue as back ends see it. They need not know the ring's format. */
struct bell_vq {
	/* Constant while the device lives. */
	u32			 dev_id;
	u16			 index;
	const struct bell_vq_signal_config *signal_cfg;

	/* Constant while the queue runs. */
	u16			 mask;
	u32			 num;
	u32			 max_segs;
	bool			 packed;
	bool			 event_idx;
	bool			 indirect;
	bool			 notify_on_empty;
	bool			 completes_all;
	struct bell_gmem	*gmem;		/* exchanged only in a pause */
	union {
		struct vring_desc		*desc;
		struct vring_packed_desc	*pdesc;
	};
	union {
		struct vring_avail		*avail;
		struct vring_packed_desc_event	*driver_event;
	};
	union {
		struct vring_used		*used;
		struct vring_packed_desc_event	*device_event;
	};
	struct bell_seg		*segs;
	void			*priv;		/* of the back end */
	/* By head: places of the ring it takes, zero unless it is in flight.
	 * Set by the runner, cleared by the completion.
	 */
	u16			*taken;
	struct bell_order	*order;		/* NULL unless agreed on */
	struct bell_gmem_map	 desc_map;
	struct bell_gmem_map	 avail_map;
	struct bell_gmem_map	 used_map;

	/* Written by the holder of the run token. */
	u16			 last_avail ____cacheline_aligned_in_smp;
	u16			 avail_idx;	/* as last read; split ring */
	bool			 avail_wrap;	/* counter; packed ring */
	/* Where the driver was last asked for a kick */
	u16			 kick_at;
	bool			 kick_wrap;

	/* Sticky until the next start. */
	bool			 broken;
	bool			 parked;	/* the owner has died */

	/* Has separate cache lines for the runner and for completions. */
	struct bell_gmem_user	 user;

	/* Written by completions, under @lock. */
	u16			 used_idx ____cacheline_aligned_in_smp
					  __guarded_by(&lock);
	bool			 used_wrap __guarded_by(&lock);
	/* Put and not published; packed ring */
	u16			 used_first_flags __guarded_by(&lock);
	struct vring_packed_desc *used_first __guarded_by(&lock);
	u16			 signalled_used __guarded_by(&lock);
	bool			 signalled_valid __guarded_by(&lock);
	/* Completions since the first whose signal waits; vq_coalesce.c */
	u32			 unsignalled __guarded_by(&lock);
	spinlock_t		 lock;
	struct bell_callfd	 call;
	struct hrtimer		 signal_timer;

	struct bell_callfd	 err;

	struct bell_stats	 stats;
};

void bell_vq_init(struct bell_vq *vq, u32 dev_id, u16 index,
		  const struct bell_vq_signal_config *signal_cfg);
int bell_vq_start(struct bell_vq *vq, struct bell_gmem *gm,
		  const struct bell_vq_config *cfg);
u32 bell_vq_stop(struct bell_vq *vq);
bool bell_vq_covered(const struct bell_vq_config *cfg, struct bell_gmem *gm);
void bell_vq_set_gmem(struct bell_vq *vq, struct bell_gmem *gm);

int bell_vq_take(struct bell_vq *vq, bool may_pin, struct bell_chain *chain);
void bell_vq_untake(struct bell_vq *vq, const struct bell_chain *chain);
void bell_vq_untake_n(struct bell_vq *vq, const struct bell_done *done,
		      unsigned int n);
bool bell_vq_enable_kick(struct bell_vq *vq);
void bell_vq_disable_kick(struct bell_vq *vq);
void bell_vq_complete(struct bell_vq *vq, const struct bell_done *done);
void bell_vq_complete_n(struct bell_vq *vq, const struct bell_done *done,
			unsigned int n);
__printf(2, 3) int bell_vq_break(struct bell_vq *vq, const char *fmt, ...);

bool bell_vq_pending(struct bell_vq *vq);
bool bell_vq_kick_due(struct bell_vq *vq);

/* vq_chain.c */
int bell_vq_chain_copy(struct bell_vq *vq, struct bell_vq_cursor *cur, void *buf,
		       u32 len, bool to_guest, bool may_pin);

/* Bytes of @n pieces */
static inline u64 bell_vq_bytes(const struct bell_seg *seg, u32 n)
{
	u64 bytes = 0;

	while (n--)
		bytes += seg++->len;
	return bytes;
}

/* By @n bytes, no more than the piece has left. */
static inline void bell_vq_advance(struct bell_vq_cursor *cur, u64 n)
{
	cur->skip += n;
	if (cur->skip == cur->seg->len) {
		cur->seg++;
		cur->skip = 0;
	}
}

/* vq_coalesce.c */
void bell_vq_coalesce_init(struct bell_vq *vq);
void bell_vq_coalesce_stop(struct bell_vq *vq);
bool bell_vq_coalesce_signal(struct bell_vq *vq, u32 n, bool signal);

static inline u32 bell_vq_in_flight(const struct bell_vq *vq)
{
	return bell_gmem_user_in_flight(&vq->user);
}

#endif
