// SPDX-License-Identifier: GPL-2.0
/*
 * vq_log - what a queue writes into guest memory, for the dirty log
 *
 * The device writes to two things: the writable part of a chain, and its own part of
 * the ring. The writable pieces of a chain are kept from the take on, as the ring may
 * have other descriptors there when the chain completes.
 *
 * Context: as the functions of vq.c that call these. Logging is switched only while the
 * queue is paused and nothing is in flight.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "vq.h"
#include "vq_layout.h"

/*
 * Most bytes that a queue keeps for its chains in flight, and one chain more. A chain of a
 * usual driver needs 16 bytes for each run of guest pages, but a hostile one may fill the
 * ring with the longest indirect tables.
 */
#define LOG_KEPT_MAX	SZ_256K

struct bell_vq_piece {
	u64	addr;		/* guest physical */
	u64	len;		/* bytes */
};

/* The writable part of a chain in flight; descriptors that adjoin are one piece. */
struct bell_vq_kept {
	u32			n;
	struct bell_vq_piece	piece[];
};

struct bell_vq_log {
	struct bell_gmem_log	*dirty;
	/* Guest physical addresses of the descriptors and of what used_map maps. */
	u64			 desc_gpa;
	u64			 used_gpa;
	/* Bytes of all entries of @kept */
	atomic_t		 bytes;
	/* By head; set by the runner, cleared by the completion. */
	struct bell_vq_kept	*kept[];
};

/**
 * bell_vq_log_alloc() - allocate what bell_vq_log_set() needs
 * @num: places of the ring
 *
 * Context: Process context.
 * Return: NULL if there is no memory. Free by kvfree().
 */
struct bell_vq_log *bell_vq_log_alloc(u32 num)
{
	struct bell_vq_log *log;

	return kvzalloc(struct_size(log, kept, num), GFP_KERNEL_ACCOUNT);
}

/**
 * bell_vq_log_set() - begin to log, log elsewhere, or cease
 * @vq: mapped, with no runner and nothing in flight
 * @log: from bell_vq_log_alloc(), of which the queue takes care; NULL: do not log
 *
 * Context: Process context.
 */
void bell_vq_log_set(struct bell_vq *vq, struct bell_vq_log *log)
{
	kvfree(vq->log);
	vq->log = log;
	if (!log)
		return;
	log->dirty = bell_gmem_get_log(vq->gmem);
	bell_vq_log_moved(vq);
}

/* bell_vq_log_moved() - the queue has another table, in which its rings are, too */
void bell_vq_log_moved(struct bell_vq *vq)
{
	struct bell_vq_log *log = vq->log;

	/* No errors: a table without the rings is refused before. */
	bell_gmem_find_gpa(vq->gmem, vq->desc_uaddr, &log->desc_gpa);
	bell_gmem_find_gpa(vq->gmem, vq->used_uaddr, &log->used_gpa);
}

/* bell_vq_log_desc() - @len bytes at @p of the descriptor ring were written */
void bell_vq_log_desc(struct bell_vq *vq, const void *p, u32 len)
{
	u64 offset = p - vq->desc_map.addr;

	bell_gmem_log_set(vq->log->dirty, vq->log->desc_gpa + offset, len);
}

/* bell_vq_log_used() - @len bytes at @p of the used ring or device's events were written */
void bell_vq_log_used(struct bell_vq *vq, const void *p, u32 len)
{
	u64 offset = p - vq->used_map.addr;

	bell_gmem_log_set(vq->log->dirty, vq->log->used_gpa + offset, len);
}

static bool log_adjoins(const struct bell_seg *a, const struct bell_seg *b)
{
	return a->addr + a->len == b->addr;
}

static u32 log_count_pieces(const struct bell_seg *seg, u32 n)
{
	u32 i, pieces = 1;

	for (i = 1; i < n; i++)
		pieces += !log_adjoins(&seg[i - 1], &seg[i]);
	return pieces;
}

static void log_copy_pieces(struct bell_vq_kept *kept,
			    const struct bell_seg *seg, u32 n)
{
	struct bell_vq_piece *last = kept->piece;
	u32 i;

	*last = (struct bell_vq_piece){ seg[0].addr, seg[0].len };
	for (i = 1; i < n; i++) {
		if (log_adjoins(&seg[i - 1], &seg[i]))
			last->len += seg[i].len;
		else
			*++last = (struct bell_vq_piece){ seg[i].addr,
							  seg[i].len };
	}
}

/*
 * bell_vq_log_keep() - keep the writable pieces of a chain that is being taken
 *
 * Return: 0, or -EAGAIN if there is no memory for now, or too much is kept.
 */
int bell_vq_log_keep(struct bell_vq *vq, bool may_sleep,
		     const struct bell_chain *chain)
{
	const struct bell_seg *seg = chain->seg + chain->nout;
	struct bell_vq_log *log = vq->log;
	gfp_t gfp = may_sleep ? GFP_KERNEL : GFP_NOWAIT;
	struct bell_vq_kept *kept;
	u32 n;

	if (!chain->nin)
		return 0;
	if (atomic_read(&log->bytes) > LOG_KEPT_MAX)
		return -EAGAIN;
	n = log_count_pieces(seg, chain->nin);
	kept = kmalloc(struct_size(kept, piece, n),
		       gfp | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!kept)
		return -EAGAIN;
	kept->n = n;
	log_copy_pieces(kept, seg, chain->nin);
	atomic_add(struct_size(kept, piece, n), &log->bytes);
	WRITE_ONCE(log->kept[chain->head], kept);
	return 0;
}

/*
 * bell_vq_log_forget() - the chain is put back
 *
 * What was written to its data is not logged: the driver has not got the buffer back,
 * and must not rely on what is in it.
 */
void bell_vq_log_forget(struct bell_vq *vq, u16 head)
{
	struct bell_vq_log *log = vq->log;
	struct bell_vq_kept *kept = log->kept[head];

	if (!kept)
		return;
	atomic_sub(struct_size(kept, piece, kept->n), &log->bytes);
	WRITE_ONCE(log->kept[head], NULL);
	kfree(kept);
}

/*
 * bell_vq_log_done() - log the data of a chain which ends
 *
 * Before it is in the used ring: from then on the driver may use the head again.
 */
void bell_vq_log_done(struct bell_vq *vq, const struct bell_done *done)
{
	struct bell_vq_log *log = vq->log;
	struct bell_vq_kept *kept = log->kept[done->head];
	u64 left = max(done->len, done->dirty);
	u32 i;

	if (!kept)
		return;
	for (i = 0; i < kept->n && left; i++) {
		u64 n = min_t(u64, left, kept->piece[i].len);

		bell_gmem_log_set(log->dirty, kept->piece[i].addr, n);
		left -= n;
	}
	if (done->dirty_last)
		bell_gmem_log_set(log->dirty, kept->piece[kept->n - 1].addr +
				  kept->piece[kept->n - 1].len - 1, 1);
	bell_vq_log_forget(vq, done->head);
}
