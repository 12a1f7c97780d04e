// SPDX-License-Identifier: GPL-2.0
/*
 * backend_net_tx - send the guest's frames into the host's network
 *
 * A frame is copied once, into a page fragment that becomes the packet's memory. So the
 * guest gets its buffer back at once, and nothing of it stays in flight. Frames go to
 * the port in batches. A frame that does not fit into a page goes alone, and the port
 * copies it from the guest's pages.
 *
 * Context: the runner of the queue, with bottom halves on.
 */
#include <linux/bvec.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "backend_net_priv.h"
#include "exec.h"
#include "gmem.h"
#include "port.h"
#include "trace.h"
#include "vq.h"

/* Longest frame: an IP packet of 64 KiB with an Ethernet header and a VLAN tag */
#define NET_FRAME_MAX	(65535 + VLAN_ETH_HLEN)
/*
 * Most pieces of memory of a large frame, as many as a system call accepts (UIO_MAXIOV)
 */
#define NET_VECS_MAX	1024

/*
 * Allocate the buffer of a frame of @len bytes. Its user frees it by page_frag_free().
 */
static void *net_tx_alloc(struct bell_net_tx *tx, u32 len, bool may_sleep)
{
	struct page_frag *frag = &tx->frag;
	u32 size = BELL_PORT_BUFLEN(len);
	void *buf;

	frag->offset = ALIGN(frag->offset, SMP_CACHE_BYTES);
	if (!skb_page_frag_refill(size, frag,
				  (may_sleep ? GFP_KERNEL : GFP_NOWAIT) |
				  __GFP_NOWARN))
		return NULL;
	buf = page_address(frag->page) + frag->offset;
	frag->offset += size;
	get_page(frag->page);
	return buf;
}

static void net_tx_drop_port(struct bell_net_tx *tx, int ret, u32 n)
{
	if (ret == -ENETDOWN)
		bell_stat_add(tx->stats->tx_drop_down, n);
	else
		bell_stat_add(tx->stats->tx_drop_port, n);
	trace_bell_net_drop(tx->vq->dev_id, tx->vq->index, n, ret);
}

static void net_tx_drop_bad(struct bell_net_tx *tx, int ret)
{
	bell_stat_inc(tx->stats->tx_drop_bad);
	trace_bell_net_drop(tx->vq->dev_id, tx->vq->index, 1, ret);
}

/**
 * bell_backend_net_drop_frames() - free the buffers of frames that are not sent
 * @frame: the frames
 * @n: how many
 * @error: negative errno that says why
 *
 * Context: Any.
 * Return: @error.
 */
int bell_backend_net_drop_frames(const struct bell_port_frame *frame,
				 unsigned int n, int error)
{
	while (n--)
		page_frag_free(frame[n].buf);
	return error;
}

/* Give the frames of the batch to the port. */
static void net_tx_send(struct bell_net_pair *pair)
{
	struct bell_net_tx *tx = pair->tx;
	u32 i, n = tx->nframes;
	u64 bytes = 0;
	int ret;

	if (!n)
		return;
	tx->nframes = 0;
	for (i = 0; i < n; i++)
		bytes += tx->frame[i].len;
	if (pair->port)
		ret = pair->port->ops->send(pair->port, tx->frame, n,
					    tx->hdr_len);
	else
		ret = bell_backend_net_drop_frames(tx->frame, n, -ENXIO);
	if (ret) {
		net_tx_drop_port(tx, ret, n);
		return;
	}
	bell_stat_inc(tx->stats->tx_batches);
	bell_stat_add(tx->stats->tx_packets, n);
	bell_stat_add(tx->stats->tx_bytes, bytes);
}

/* Send the batch, and return the buffers of its frames to the driver. */
static void net_tx_flush(struct bell_net_pair *pair)
{
	struct bell_net_tx *tx = pair->tx;

	net_tx_send(pair);
	if (!tx->ndone)
		return;
	bell_vq_complete_n(tx->vq, tx->done, tx->ndone);
	tx->ndone = 0;
}

/*
 * Look up the pages of the next @len bytes of a chain. Returns the number of pieces, or
 * a negative errno.
 */
static int net_tx_map(struct bell_net_tx *tx, struct bell_vq_cursor cur,
		      u32 len, struct bio_vec *vec, int room, bool may_sleep)
{
	struct bell_gmem_span span;
	int ret, n = 0;
	u64 gpa;

	while (len) {
		if (n == room)
			return -E2BIG;
		if (check_add_overflow(cur.seg->addr, cur.skip, &gpa))
			return -EFAULT;
		ret = bell_gmem_span(tx->vq->gmem, gpa,
				     min_t(u64, len, cur.seg->len - cur.skip),
				     may_sleep, &span);
		if (ret)
			return ret;
		bvec_set_page(&vec[n++], span.page, span.len, span.offset);
		len -= span.len;
		bell_vq_advance(&cur, span.len);
	}
	return n;
}

/*
 * Send a frame that does not fit into a page. The port copies each byte once, so the
 * guest cannot change it between a check and its use.
 */
static int net_tx_large(struct bell_net_pair *pair, const void *hdr,
			struct bell_vq_cursor cur, u32 len, bool may_sleep)
{
	struct bell_net_tx *tx = pair->tx;
	struct iov_iter iter;
	void *buf;
	int n, ret;

	n = net_tx_map(tx, cur, len, tx->vecs + 1, NET_VECS_MAX, may_sleep);
	if (n < 0)
		return n;
	buf = net_tx_alloc(tx, tx->hdr_len, may_sleep);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, hdr, tx->hdr_len);
	bvec_set_page(tx->vecs, virt_to_page(buf), tx->hdr_len,
		      offset_in_page(buf));
	iov_iter_bvec(&iter, ITER_SOURCE, tx->vecs, n + 1, tx->hdr_len + len);
	/* Keep the order: first send the frames before this one. */
	net_tx_send(pair);
	ret = pair->port ? pair->port->ops->send_large(pair->port, &iter,
						       tx->hdr_len, may_sleep) :
			   -ENXIO;
	page_frag_free(buf);
	if (ret == -EAGAIN)
		return ret;
	if (ret) {
		net_tx_drop_port(tx, ret, 1);
		return 0;
	}
	bell_stat_inc(tx->stats->tx_large);
	bell_stat_inc(tx->stats->tx_packets);
	bell_stat_add(tx->stats->tx_bytes, len);
	return 0;
}

/* Copy a frame of several descriptors into the batch. */
static int net_tx_small(struct bell_net_tx *tx, const void *hdr,
			struct bell_vq_cursor cur, u32 len, bool may_sleep)
{
	struct bell_port_frame *frame = &tx->frame[tx->nframes];
	int ret;

	frame->buf = net_tx_alloc(tx, len, may_sleep);
	if (!frame->buf)
		return -ENOMEM;
	ret = bell_vq_chain_copy(tx->vq, &cur, frame->buf + BELL_PORT_HEADROOM,
				 len, false, may_sleep);
	if (ret) {
		page_frag_free(frame->buf);
		return ret;
	}
	frame->len = len;
	memcpy(&frame->hdr, hdr, sizeof(frame->hdr));
	tx->nframes++;
	return 0;
}

/*
 * Copy a small frame that lies, with its header, in one descriptor. Returns -E2BIG if
 * it is not contiguous in the host's memory.
 */
static int net_tx_compact(struct bell_net_tx *tx, const struct bell_seg *seg,
			  bool may_sleep)
{
	struct bell_port_frame *frame = &tx->frame[tx->nframes];
	struct bell_gmem_span span;
	const u8 *from;
	int ret;

	ret = bell_gmem_span(tx->vq->gmem, seg->addr, seg->len, may_sleep,
			     &span);
	if (ret)
		return ret;
	if (span.len != seg->len)
		return -E2BIG;
	frame->len = seg->len - tx->hdr_len;
	frame->buf = net_tx_alloc(tx, frame->len, may_sleep);
	if (!frame->buf)
		return -ENOMEM;
	from = page_address(span.page) + span.offset;
	memcpy(&frame->hdr, from, sizeof(frame->hdr));
	memcpy(frame->buf + BELL_PORT_HEADROOM, from + tx->hdr_len, frame->len);
	/*
	 * The copies are made before this point; the compiler must not read again from
	 * guest memory, which the guest may change.
	 */
	barrier();
	tx->nframes++;
	return 0;
}

/*
 * Send one frame. Returns 0 if it was sent, added to the batch, or dropped and counted;
 * else a negative errno, and the chain has to be put back.
 */
static int net_tx_frame(struct bell_net_pair *pair,
			const struct bell_chain *chain, u64 len, bool may_sleep)
{
	struct bell_net_tx *tx = pair->tx;
	struct bell_vq_cursor cur = { .seg = chain->seg };
	struct virtio_net_hdr_mrg_rxbuf hdr;
	bool small;
	int ret;

	if (unlikely(len < tx->hdr_len + ETH_HLEN ||
		     len > tx->hdr_len + NET_FRAME_MAX)) {
		net_tx_drop_bad(tx, -EMSGSIZE);
		return 0;
	}
	len -= tx->hdr_len;
	small = BELL_PORT_BUFLEN(len) <= PAGE_SIZE;
	if (likely(small && chain->nout == 1)) {
		ret = net_tx_compact(tx, chain->seg, may_sleep);
		if (ret != -E2BIG)
			return ret;
	}
	ret = bell_vq_chain_copy(tx->vq, &cur, &hdr, tx->hdr_len, false,
				 may_sleep);
	if (ret)
		return ret;
	if (likely(small))
		return net_tx_small(tx, &hdr, cur, len, may_sleep);
	return net_tx_large(pair, &hdr, cur, len, may_sleep);
}

static int net_tx_chain(struct bell_net_pair *pair,
			const struct bell_chain *chain, bool may_sleep)
{
	u64 len = chain->out_bytes;
	struct bell_net_tx *tx = pair->tx;
	int ret;

	if (unlikely(chain->nin))
		return bell_vq_break(tx->vq, "transmit chain with a writable descriptor");
	ret = net_tx_frame(pair, chain, len, may_sleep);
	switch (ret) {
	case 0:
		break;
	case -EFAULT:
		return bell_vq_break(tx->vq, "transmit frame outside guest memory");
	case -E2BIG:
		net_tx_drop_bad(tx, ret);
		break;
	default:
		return ret;
	}
	trace_bell_net_frame(tx->vq->dev_id, tx->vq->index, len, 1);
	tx->done[tx->ndone++] = (struct bell_done){
		.head = chain->head, .epoch = chain->epoch,
		.bytes_written = len, .kind = BELL_KIND_FRAME,
		.value = len > tx->hdr_len ? len - tx->hdr_len : 0,
	};
	return 0;
}

/*
 * Take and send frames until the ring is empty, the budget is spent, or the pass must
 * stop.
 */
static enum bell_pass net_tx_drain(struct bell_net_pair *pair,
				   struct bell_run *run)
{
	struct bell_net_tx *tx = pair->tx;
	struct bell_chain chain;
	int ret;

	while (bell_run_spend(run)) {
		if (READ_ONCE(run->exec->dead))
			return BELL_PASS_STOP;
		ret = bell_vq_take(tx->vq, run->may_sleep, &chain);
		if (!ret)
			return BELL_PASS_DONE;
		if (ret < 0)
			return bell_backend_stop_reason(ret);
		ret = net_tx_chain(pair, &chain, run->may_sleep);
		if (ret) {
			bell_vq_untake(tx->vq, &chain);
			return bell_backend_stop_reason(ret);
		}
		if (tx->ndone == BELL_PORT_BATCH)
			net_tx_flush(pair);
	}
	return BELL_PASS_MORE;
}

/* bell_backend_net_tx_pass() - serve a sending queue; see struct bell_exec_ops */
enum bell_pass bell_backend_net_tx_pass(struct bell_net_pair *pair,
					struct bell_run *run)
{
	struct bell_vq *vq = pair->tx->vq;
	struct bell_stats *st = &vq->stats;
	enum bell_pass how;

	if (run->may_sleep)
		bell_stat_inc(st->worker_passes);
	else
		bell_stat_inc(st->inline_passes);
	do {
		bell_vq_disable_kick(vq);
		do {
			how = net_tx_drain(pair, run);
			net_tx_flush(pair);
		} while (how == BELL_PASS_DONE && bell_exec_poll(run));
	} while (how == BELL_PASS_DONE && bell_vq_enable_kick(vq));
	if (!run->may_sleep &&
	    (how == BELL_PASS_PUNT || how == BELL_PASS_MORE)) {
		bell_stat_inc(st->punts);
		trace_bell_punt(vq->dev_id, vq->index,
				how == BELL_PASS_MORE ? BELL_PUNT_BUDGET :
							BELL_PUNT_SLEEP);
	}
	return how;
}

/* bell_backend_net_tx_start() - prepare a sending queue; returns 0 or -ENOMEM */
int bell_backend_net_tx_start(struct bell_net_pair *pair,
			      struct bell_exec *exec, u64 features)
{
	struct bell_net_tx *tx;

	tx = kvzalloc(sizeof(*tx), GFP_KERNEL_ACCOUNT);
	if (!tx)
		return -ENOMEM;
	/* One more for the virtio header */
	tx->vecs = kvcalloc(NET_VECS_MAX + 1, sizeof(*tx->vecs),
			    GFP_KERNEL_ACCOUNT);
	if (!tx->vecs) {
		kvfree(tx);
		return -ENOMEM;
	}
	exec->bytes_shift = BELL_EXEC_FRAME_SHIFT;
	tx->vq = exec->vq;
	tx->stats = &pair->stats;
	tx->hdr_len = bell_backend_net_hdr_len(features);
	pair->tx = tx;
	return 0;
}

/* bell_backend_net_tx_stop() - undo bell_backend_net_tx_start() */
void bell_backend_net_tx_stop(struct bell_net_pair *pair)
{
	struct bell_net_tx *tx = pair->tx;

	if (tx->frag.page)
		put_page(tx->frag.page);
	kvfree(tx->vecs);
	kvfree(tx);
	pair->tx = NULL;
}
