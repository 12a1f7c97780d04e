/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_VQ_H
#define BELL_VQ_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio_ring.h>

#include "callfd.h"
#include "gmem.h"
#include "hist.h"
#include "stats.h"

/* A piece of guest memory that a descriptor names; the address is not checked yet */
struct bell_seg {
	u64	addr;
	u32	len;		/* not zero */
};

/* A position in the pieces of a chain */
struct bell_vq_cursor {
	const struct bell_seg	*seg;
	u64			 skip;		/* bytes of @seg before the position */
};

/* A chain that the driver made available: readable pieces first, then writable ones */
struct bell_chain {
	struct bell_seg	*seg;
	u32		 nout;		/* readable pieces */
	u32		 nin;		/* writable pieces */
	u64		 out_bytes;	/* bytes in all readable pieces */
	u64		 in_bytes;	/* bytes in all writable pieces */
	u16		 head;		/* split ring: head; packed ring: buffer id */
	u16		 ndesc;		/* entries it takes in the ring, not zero */
	u8		 epoch;
};

/* The result of a chain, for its completion */
struct bell_done {
	u32	len;		/* bytes written to its writable part */
	u32	bytes_read;	/* data that the guest read, for the counters */
	u32	bytes_written;
	u16	head;
	u8	epoch;
	u8	kind;		/* enum bell_kind: in which histogram @value counts */
	/* For the dirty log: bytes from the start of the writable part that may have been
	 * written, if more than @len; and whether its last byte was, too.
	 */
	u32	dirty;
	bool	dirty_last;
	u64	value;
	/* NULL if it did not fail */
	const struct bell_failure *failure;
};

struct bell_vq_config {
	u64	desc_uaddr;
	u64	avail_uaddr;
	u64	used_uaddr;
	u32	num;
	u32	base;		/* position to begin at, as in VHOST_SET_VRING_BASE */
	/* Longest chain, in descriptors; 0: @num, at least 1024 */
	u32	max_segs;
	bool	packed;
	bool	event_idx;
	bool	indirect;
	bool	in_order;
	bool	notify_on_empty;	/* split ring only */
	bool	completes_all;		/* each pass completes all that it takes */
	/* The queue's part of the in-flight region in the owner's memory; 0: none */
	u64	inflight_uaddr;
	u64	inflight_size;
};

/* Interrupt coalescing. Written under the device's lock at any time, read without it */
struct bell_vq_signal_config {
	u32	coalesce_us;		/* how long a signal may wait; 0: not at all */
	u32	coalesce_count;
};

/*
 * State of VIRTIO_F_IN_ORDER: chains enter the used ring in the order in which they
 * were taken, whichever ends first. A place is a position in that order, modulo the
 * ring's size.
 */
struct bell_order {
	/* Place of the next chain; only the runner accesses it */
	u32	next;
	/* Place of the oldest chain in flight; under vq->lock */
	u32	oldest;
	struct bell_order_entry {
		u16	head;		/* head of the chain at this place */
		bool	ended;		/* this head has completed */
		/* Bytes written to this head's chain, for the used ring */
		u32	len;
	} entry[];
};

struct bell_vq_inflight;
struct bell_vq_log;

/* A virtqueue. Back ends need not know the format of its ring. */
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
	struct bell_gmem	*gmem;		/* exchanged while the queue is paused */
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
	void			*priv;		/* the back end's data */
	struct bell_vq_log	*log;		/* NULL: no dirty log; set only in a pause */
	/* NULL: no in-flight region. Content: the runner's, or in a pause */
	struct bell_vq_inflight	*inflight;
	u64			 desc_uaddr;	/* where the rings are for the owner */
	u64			 used_uaddr;
	/*
	 * Indexed by head: entries of the ring that its chain takes, zero unless it is
	 * in flight. Set by the runner, cleared by the completion.
	 */
	u16			*taken;
	struct bell_order	*order;		/* NULL without VIRTIO_F_IN_ORDER */
	struct bell_gmem_map	 desc_map;
	struct bell_gmem_map	 avail_map;
	struct bell_gmem_map	 used_map;

	/* Written by the holder of the run token: */

	/* Position of the next chain to take */
	u16			 last_avail ____cacheline_aligned_in_smp;
	/* Last value of avail->idx; split ring */
	u16			 avail_idx;
	bool			 avail_wrap;	/* wrap counter; packed ring */
	/* Position at which the driver was last asked for a kick */
	u16			 kick_at;
	bool			 kick_wrap;

	/* The guest broke the rules of the ring; cleared by the next start */
	bool			 broken;
	/* @broken, or chains are to be taken again before those of the available ring */
	bool			 detour;

	/*
	 * Counts of the chains in flight that use guest memory; has separate cache
	 * lines for runner and completions
	 */
	struct bell_gmem_user	 user;

	/* Written by completions, under @lock: */

	/* Position of the next used entry */
	u16			 used_idx ____cacheline_aligned_in_smp
					  __guarded_by(&lock);
	bool			 used_wrap __guarded_by(&lock);
	/* First entry that was put and not yet published, and its flags; packed ring */
	u16			 used_first_flags __guarded_by(&lock);
	struct vring_packed_desc *used_first __guarded_by(&lock);
	/* Value of @used_idx when the driver was last signalled */
	u16			 signalled_used __guarded_by(&lock);
	bool			 signalled_valid __guarded_by(&lock);
	/* Completions since the first one whose signal waits; see vq_coalesce.c */
	u32			 unsignalled __guarded_by(&lock);
	spinlock_t		 lock;
	struct bell_callfd	 call;
	struct hrtimer		 signal_timer;

	struct bell_callfd	 err;

	struct bell_stats	 stats;

	/* Indexed by kind, in cache lines of their own */
	struct bell_hist	 hist[BELL_KINDS] __guarded_by(&lock);
	struct bell_failures	 failures __guarded_by(&lock);
};

void bell_vq_init(struct bell_vq *vq, u32 dev_id, u16 index,
		  const struct bell_vq_signal_config *signal_cfg);
int bell_vq_start(struct bell_vq *vq, struct bell_gmem *gm,
		  const struct bell_vq_config *cfg);
u32 bell_vq_stop(struct bell_vq *vq);
bool bell_vq_covered(const struct bell_vq_config *cfg, struct bell_gmem *gm);
void bell_vq_set_gmem(struct bell_vq *vq, struct bell_gmem *gm);
void bell_vq_move(struct bell_vq *vq, const struct bell_vq_config *cfg);

int bell_vq_take(struct bell_vq *vq, bool may_pin, struct bell_chain *chain);
void bell_vq_untake(struct bell_vq *vq, const struct bell_chain *chain);
void bell_vq_untake_n(struct bell_vq *vq, const struct bell_done *done,
		      unsigned int n);
bool bell_vq_enable_kick(struct bell_vq *vq);
void bell_vq_disable_kick(struct bell_vq *vq);
void bell_vq_complete(struct bell_vq *vq, const struct bell_done *done);
void bell_vq_read_hist(struct bell_vq *vq, enum bell_kind kind, u64 *sum,
		       u64 *max, u64 *bucket);
void bell_vq_read_failures(struct bell_vq *vq, struct bell_failures *f);
void bell_vq_complete_n(struct bell_vq *vq, const struct bell_done *done,
			unsigned int n);
__printf(2, 3) int bell_vq_break(struct bell_vq *vq, const char *fmt, ...);

bool bell_vq_pending(struct bell_vq *vq);
bool bell_vq_kick_due(struct bell_vq *vq);

/* vq_log.c */
struct bell_vq_log *bell_vq_log_alloc(u32 num);
void bell_vq_log_set(struct bell_vq *vq, struct bell_vq_log *log);

/* vq_inflight.c */
bool bell_vq_inflight_keeps(const struct bell_vq *vq);
bool bell_vq_inflight_waits(const struct bell_vq *vq);
void bell_vq_inflight_end(struct bell_vq *vq, bool ends);
void bell_vq_inflight_put_back(struct bell_vq *vq, u16 head, u8 epoch);

/* vq_chain.c */
int bell_vq_chain_copy(struct bell_vq *vq, struct bell_vq_cursor *cur, void *buf,
		       u32 len, bool to_guest, bool may_pin);

/* Move the position by @n bytes, which the piece has left. */
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
