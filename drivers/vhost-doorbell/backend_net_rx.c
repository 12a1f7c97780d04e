// SPDX-License-Identifier: GPL-2.0
/*
 * backend_net_rx - deliver frames of the host into the driver's buffers
 *
 * Each frame is copied once, from the sender's memory into the guest's pages, mostly in
 * the sender's own context. A frame that finds too few buffers stays with the port, and
 * the driver is asked for a kick; while there are buffers the driver need not kick. No
 * buffer is taken off the ring before there is a frame for it.
 *
 * Context: delivery runs with bottom halves off. The runner of the queue delivers, or,
 * if the port pushes, the holder of the port's lock.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/minmax.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/virtio_net.h>
#include <linux/vmalloc.h>

#include "backend_net_priv.h"
#include "exec.h"
#include "gmem.h"
#include "port.h"
#include "trace.h"
#include "vq.h"

/* A frame that is being delivered: first @head, then the rest of the packet's bytes */
struct net_source {
	u8		 head[BELL_NET_HDR_MAX];
	u32		 head_len;
	u32		 at;		/* bytes that were copied */
	u32		 len;		/* of the frame: @head_len + the packet's bytes - @skip */
	struct sk_buff	*skb;		/* the packet, or NULL if @data has it */
	const u8	*data;
	u32		 skip;		/* bytes of the packet that @head has */
	/* Where in guest memory the two bytes of the header's num_buffers are */
	u8		*num_buffers[2];
};

/* Most times that the worker pins pages and no frame is delivered, before it pauses */
#define NET_RX_IN_VAIN	3

#define NET_NUM_BUFFERS	offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers)

/* --- reading a frame --- */

/* Prepare a frame that takes one buffer; net_rx_set_num_buffers() corrects that. */
static void net_source_init(struct net_source *src, u32 hdr_len)
{
	src->head_len = hdr_len;
	src->at = 0;
	src->skip = 0;
	src->head[NET_NUM_BUFFERS] = 1;
	src->head[NET_NUM_BUFFERS + 1] = 0;
}

static void net_source_head(struct net_source *src, u8 *to, u32 n)
{
	u32 i;

	memcpy(to, src->head + src->at, n);
	for (i = 0; i < 2; i++) {
		if (src->at <= NET_NUM_BUFFERS + i &&
		    NET_NUM_BUFFERS + i < src->at + n)
			src->num_buffers[i] = to + NET_NUM_BUFFERS + i - src->at;
	}
	src->at += n;
}

/* Copy the next @n bytes of the frame; it has that many left. */
static int net_source_copy(struct net_source *src, u8 *to, u32 n)
{
	u32 from, k;

	if (src->at < src->head_len) {
		k = min(n, src->head_len - src->at);
		net_source_head(src, to, k);
		to += k;
		n -= k;
		if (!n)
			return 0;
	}
	from = src->at - src->head_len + src->skip;
	src->at += n;
	if (!src->skb)
		memcpy(to, src->data + from, n);
	else if (likely(from + n <= skb_headlen(src->skb)))
		memcpy(to, src->skb->data + from, n);
	else if (skb_copy_bits(src->skb, from, to, n))
		/*
		 * The packet cannot be read. The guest did not cause this, so only drop
		 * it.
		 */
		return -EMSGSIZE;
	return 0;
}

/* Put a VLAN tag back behind the MAC addresses, where it was on the wire. */
static int net_source_vlan(struct net_source *src)
{
	struct sk_buff *skb = src->skb;
	u8 *to = src->head + src->head_len;
	struct {
		__be16	proto;
		__be16	tci;
	} tag = { skb->vlan_proto, cpu_to_be16(skb_vlan_tag_get(skb)) };

	if (skb->len < ETH_HLEN || skb_copy_bits(skb, 0, to, 2 * ETH_ALEN))
		return -EINVAL;
	memcpy(to + 2 * ETH_ALEN, &tag, sizeof(tag));
	src->skip = 2 * ETH_ALEN;
	src->head_len += 2 * ETH_ALEN + VLAN_HLEN;
	src->len += VLAN_HLEN;
	return 0;
}

/* Does the driver accept frames with this header? */
static bool net_takes(const struct bell_net_rx *rx,
		      const struct virtio_net_hdr *hdr)
{
	u8 type = hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	if (hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN && !rx->ecn)
		return false;
	if (type != VIRTIO_NET_HDR_GSO_NONE)
		return type < 32 && rx->gso & BIT(type);
	return true;
}

/*
 * Write the virtio header of a packet to src->head. Returns 0, -EINVAL, or -EOPNOTSUPP
 * if the packet needs an offload that the driver does not accept.
 */
static int net_source_skb(const struct bell_net_rx *rx, struct net_source *src)
{
	struct virtio_net_hdr_mrg_rxbuf *hdr = (void *)src->head;
	struct sk_buff *skb = src->skb;
	bool tagged = skb_vlan_tag_present(skb);

	if (unlikely(skb->ip_summed == CHECKSUM_PARTIAL && !rx->csum) &&
	    (skb_is_gso(skb) || skb_checksum_help(skb)))
		return -EOPNOTSUPP;
	if (virtio_net_hdr_from_skb(skb, &hdr->hdr, true, rx->csum,
				    tagged ? VLAN_HLEN : 0) ||
	    !net_takes(rx, &hdr->hdr))
		return -EOPNOTSUPP;
	src->len = rx->hdr_len + skb->len;
	return tagged ? net_source_vlan(src) : 0;
}

/* --- filling the driver's buffers --- */

/* Tell the driver that it need not kick: each delivery looks at the ring. */
static void net_rx_kicks_off(struct bell_net_rx *rx)
{
	rx->kick = false;
	bell_vq_disable_kick(rx->vq);
}

/**
 * bell_backend_net_ask_kick() - ask the driver for a kick when it adds a buffer
 * @rx: the queue
 *
 * Context: As for bell_backend_net_deliver().
 * Return: true; or false if the driver added a buffer meanwhile, and then no kick is
 * asked for.
 */
bool bell_backend_net_ask_kick(struct bell_net_rx *rx)
{
	rx->kick = true;
	if (!bell_vq_enable_kick(rx->vq))
		return true;
	net_rx_kicks_off(rx);
	return false;
}

/**
 * bell_backend_net_has_more() - may there be enough buffers by now?
 * @rx: the queue
 *
 * When buffers were too few for one packet, each further packet would look at them in
 * vain: this check is cheaper.
 *
 * Context: As for bell_backend_net_deliver().
 * Return: false if the driver was asked for a kick, as there were too few buffers, and
 * has not added any since; otherwise true.
 */
bool bell_backend_net_has_more(struct bell_net_rx *rx)
{
	if (!rx->kick)
		return true;
	if (!bell_vq_kick_due(rx->vq))
		return false;
	net_rx_kicks_off(rx);
	return true;
}

/* bell_backend_net_dry() - has the driver's ring no buffer left? */
bool bell_backend_net_dry(struct bell_net_rx *rx)
{
	return !bell_vq_pending(rx->vq);
}

/*
 * Take the next buffer. Returns 0, -ENOBUFS if there is none and the driver was asked
 * for a kick, or as bell_vq_take().
 */
static int net_rx_take(struct bell_net_rx *rx, struct bell_chain *chain)
{
	int ret = bell_vq_take(rx->vq, false, chain);

	if (!ret && !bell_backend_net_ask_kick(rx))
		ret = bell_vq_take(rx->vq, false, chain);
	if (ret <= 0)
		return ret ?: -ENOBUFS;
	if (likely(!chain->nout))
		return 0;
	ret = bell_vq_break(rx->vq, "receive buffer with a readable descriptor");
	bell_vq_untake(rx->vq, chain);
	return ret;
}

/* Copy the next bytes of the frame into one descriptor, until one of the two ends. */
static int net_rx_fill_seg(struct bell_net_rx *rx, struct net_source *src,
			   const struct bell_seg *seg)
{
	u32 len = min(seg->len, src->len - src->at);
	struct bell_gmem_span span;
	u64 gpa = seg->addr;
	int ret;

	if (unlikely(gpa + len < gpa))
		return -EFAULT;
	while (len) {
		ret = bell_gmem_span(rx->vq->gmem, gpa, len, false, &span);
		if (ret)
			return ret;
		ret = net_source_copy(src, page_address(span.page) + span.offset,
				      span.len);
		if (ret || likely(span.len == len))
			return ret;
		gpa += span.len;
		len -= span.len;
	}
	return 0;
}

static int net_rx_not_in_memory(struct bell_net_rx *rx,
				const struct bell_chain *chain, u32 i)
{
	return bell_vq_break(rx->vq, "receive buffer at %#llx is outside guest memory",
			     chain->seg[i].addr);
}

static int net_rx_fill(struct bell_net_rx *rx, struct net_source *src,
		       const struct bell_chain *chain)
{
	u32 i;
	int ret;

	for (i = 0; i < chain->nin && src->at < src->len; i++) {
		ret = net_rx_fill_seg(rx, src, &chain->seg[i]);
		if (ret == -EFAULT)
			return net_rx_not_in_memory(rx, chain, i);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Take buffers and copy the frame into them: into one, or into as many as it needs if
 * the driver accepts mergeable buffers.
 */
static int net_rx_gather(struct bell_net_rx *rx, struct net_source *src)
{
	u32 at, places = 0, first = rx->ndone;
	struct bell_chain chain;
	struct bell_done *done;
	int ret;

	if (unlikely(!bell_backend_net_has_more(rx)))
		return -ENOBUFS;
	do {
		ret = net_rx_take(rx, &chain);
		/* All buffers that the ring can hold are too few for this frame. */
		if (ret == -ENOBUFS && places >= rx->vq->num)
			return -EMSGSIZE;
		if (ret)
			return ret;
		done = &rx->done[rx->ndone++];
		*done = (struct bell_done){
			.head = chain.head, .epoch = chain.epoch,
			.kind = BELL_KIND_NONE,
		};
		places += rx->vq->packed ? chain.ndesc : chain.nin;
		rx->places += chain.nin;
		at = src->at;
		ret = net_rx_fill(rx, src, &chain);
		if (ret)
			return ret;
		done->len = src->at - at;
		if (unlikely(src->at < rx->hdr_len))
			return bell_vq_break(rx->vq,
					     "receive buffer of %u bytes is too short",
					     done->len);
	} while (src->at < src->len && rx->mergeable &&
		 rx->ndone - first < BELL_NET_MAX_SEGS);
	return src->at < src->len ? -EMSGSIZE : 0;
}

static void net_rx_set_num_buffers(struct net_source *src, u16 n)
{
	*src->num_buffers[0] = n;
	*src->num_buffers[1] = n >> 8;
}

/* Deliver a frame. Returns as bell_backend_net_deliver() does. */
static int net_rx_deliver(struct bell_net_rx *rx, struct net_source *src)
{
	u32 first = rx->ndone, n;
	int ret;

	ret = net_rx_gather(rx, src);
	n = rx->ndone - first;
	if (unlikely(ret)) {
		bell_vq_untake_n(rx->vq, rx->done + first, n);
		rx->ndone = first;
		switch (ret) {
		case -EMSGSIZE:
			/*
			 * The buffers were too small for this frame, but the next may
			 * fit.
			 */
			if (rx->kick)
				net_rx_kicks_off(rx);
			bell_stat_inc(rx->stats->rx_drop_long);
			trace_bell_net_drop(rx->vq->dev_id, rx->vq->index, 1,
					    ret);
			return 1;
		case -ENOBUFS:
			bell_stat_inc(rx->stats->rx_dry);
			break;
		case -EAGAIN:
			rx->need = src->len;
			break;
		}
		return ret;
	}
	if (n > 1)
		net_rx_set_num_buffers(src, n);
	rx->done[first].bytes_read = src->len - rx->hdr_len;
	rx->done[first].kind = BELL_KIND_FRAME;
	rx->done[first].value = src->len - rx->hdr_len;
	bell_stat_add(rx->stats->rx_bytes, src->len - rx->hdr_len);
	rx->packets++;
	trace_bell_net_frame(rx->vq->dev_id, rx->vq->index,
			     src->len - rx->hdr_len, n);
	return 0;
}

/**
 * bell_backend_net_deliver() - copy a packet into the driver's buffers
 * @rx: the running queue
 * @skb: the packet, from its Ethernet header on; the caller keeps it
 *
 * The guest sees it after bell_backend_net_deliver_end() at the latest.
 *
 * Context: Bottom halves off; one caller at a time, the runner or the port.
 * Return: 0 if the packet was delivered, 1 if it was dropped and counted. Otherwise the
 * caller keeps it: -ENOBUFS until the driver kicks, as buffers are too few; -EAGAIN
 * until the worker has pinned a page; -EPROTO as the queue is broken.
 */
int bell_backend_net_deliver(struct bell_net_rx *rx, struct sk_buff *skb)
{
	struct net_source src;

	net_source_init(&src, rx->hdr_len);
	src.skb = skb;
	if (unlikely(net_source_skb(rx, &src))) {
		bell_stat_inc(rx->stats->rx_drop_offload);
		trace_bell_net_drop(rx->vq->dev_id, rx->vq->index, 1,
				    -EOPNOTSUPP);
		return 1;
	}
	return net_rx_deliver(rx, &src);
}

/**
 * bell_backend_net_deliver_raw() - copy a frame that has no sk_buff into the buffers
 * @rx: the running queue
 * @data: the frame, from its Ethernet header on; its checksum is complete
 * @len: bytes at @data
 *
 * Context, Return: As for bell_backend_net_deliver().
 */
int bell_backend_net_deliver_raw(struct bell_net_rx *rx, const void *data,
				 u32 len)
{
	struct net_source src = {};

	net_source_init(&src, rx->hdr_len);
	src.data = data;
	src.len = rx->hdr_len + len;
	return net_rx_deliver(rx, &src);
}

/**
 * bell_backend_net_deliver_end() - make the delivered frames visible to the driver
 * @rx: the queue
 *
 * Context: As for bell_backend_net_deliver().
 */
void bell_backend_net_deliver_end(struct bell_net_rx *rx)
{
	if (!rx->ndone)
		return;
	bell_stat_add(rx->stats->rx_packets, rx->packets);
	bell_stat_inc(rx->stats->rx_batches);
	if (rx->ndone == 1)
		bell_vq_complete(rx->vq, rx->done);
	else
		bell_vq_complete_n(rx->vq, rx->done, rx->ndone);
	rx->packets = 0;
	rx->ndone = 0;
}

/*
 * bell_backend_net_drop_dead() - count a packet that the port dropped as the guest is
 * dead
 */
void bell_backend_net_drop_dead(struct bell_net_rx *rx)
{
	bell_stat_inc(rx->stats->rx_drop_dead);
	trace_bell_net_drop(rx->vq->dev_id, rx->vq->index, 1, -ENOBUFS);
}

/* bell_backend_net_offloads() - the driver's offloads, as features of a net_device */
netdev_features_t bell_backend_net_offloads(const struct bell_net_rx *rx)
{
	netdev_features_t features = 0;

	if (rx->csum)
		features |= NETIF_F_HW_CSUM;
	if (rx->gso & BIT(VIRTIO_NET_HDR_GSO_TCPV4))
		features |= NETIF_F_TSO;
	if (rx->gso & BIT(VIRTIO_NET_HDR_GSO_TCPV6))
		features |= NETIF_F_TSO6;
	if (rx->gso && rx->ecn)
		features |= NETIF_F_TSO_ECN;
	return features;
}

/**
 * bell_backend_net_places() - number of descriptors that were used since the last call
 * @rx: the queue
 *
 * Walking them takes the sender's time, so a port limits their number in a batch.
 *
 * Context: As for bell_backend_net_deliver().
 */
u32 bell_backend_net_places(struct bell_net_rx *rx)
{
	u32 places = rx->places;

	rx->places = 0;
	return places;
}

/* bell_backend_net_hooked() - count a call of the port's hook */
void bell_backend_net_hooked(struct bell_net_rx *rx)
{
	bell_stat_inc(rx->stats->rx_hooks);
}

/* bell_backend_net_polls() - pointer to the counter of NAPI polls */
u64 *bell_backend_net_polls(struct bell_net_rx *rx)
{
	return &rx->stats->rx_polls;
}

/* --- the pass of the receiving queue --- */

/* Pin the pages of one buffer for the frame that waits. In the worker. */
static int net_rx_pin_chain(struct bell_net_rx *rx,
			    const struct bell_chain *chain, u32 *left)
{
	struct bell_gmem_span span;
	u32 i, n, len;
	int ret;

	for (i = 0; i < chain->nin && *left; i++) {
		len = min(chain->seg[i].len, *left);
		*left -= len;
		for (n = 0; n < len; n += span.len) {
			ret = bell_gmem_span(rx->vq->gmem,
					     chain->seg[i].addr + n, len - n,
					     true, &span);
			if (ret == -EFAULT)
				return net_rx_not_in_memory(rx, chain, i);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int net_rx_pin(struct bell_net_rx *rx)
{
	u32 n = 0, left = rx->need;
	struct bell_chain chain;
	int ret;

	do {
		ret = bell_vq_take(rx->vq, true, &chain);
		if (ret <= 0)
			break;
		rx->done[n++] = (struct bell_done){
			.head = chain.head, .epoch = chain.epoch,
		};
		ret = net_rx_pin_chain(rx, &chain, &left);
	} while (!ret && left && rx->mergeable);
	bell_vq_untake_n(rx->vq, rx->done, n);
	return min(ret, 0);
}

/*
 * Have the port deliver. In the worker, pin the pages that it lacks and repeat. If
 * deliveries lack memory that may only be allocated without sleeping, pins do not help:
 * then the worker pauses before it tries again.
 */
static enum bell_pass net_rx_receive(struct bell_net_pair *pair,
				     struct bell_run *run)
{
	u64 packets = pair->stats.rx_packets;
	enum bell_pass how;
	u32 in_vain = 0;
	int ret;

	for (;;) {
		how = pair->port->ops->receive(pair->port, run);
		if (how != BELL_PASS_PUNT || !run->may_sleep)
			return how;
		in_vain = pair->stats.rx_packets == packets ? in_vain + 1 : 1;
		if (in_vain > NET_RX_IN_VAIN)
			return how;
		packets = pair->stats.rx_packets;
		if (!bell_run_spend(run))
			return BELL_PASS_MORE;
		ret = net_rx_pin(pair->rx);
		if (ret)
			return bell_backend_stop_reason(ret);
	}
}

/* bell_backend_net_rx_pass() - serve a receiving queue; see struct bell_exec_ops */
enum bell_pass bell_backend_net_rx_pass(struct bell_net_pair *pair,
					struct bell_run *run)
{
	struct bell_vq *vq = pair->rx->vq;
	enum bell_pass how;

	if (run->may_sleep)
		bell_stat_inc(vq->stats.worker_passes);
	else if (!run->softirq)
		bell_stat_inc(vq->stats.inline_passes);
	if (!pair->port)
		return BELL_PASS_DONE;
	do {
		how = net_rx_receive(pair, run);
	} while (how == BELL_PASS_DONE && pair->port->ops->pending &&
		 bell_exec_poll(run));
	if (how == BELL_PASS_PUNT && !run->may_sleep) {
		bell_stat_inc(vq->stats.punts);
		bell_stat_inc(pair->stats.rx_punts);
		trace_bell_punt(vq->dev_id, vq->index, BELL_PUNT_SLEEP);
	}
	return how;
}

/*
 * bell_backend_net_rx_pending() - does the port have frames for the guest? Also true if the
 *	port cannot tell without waiting for a lock.
 */
bool bell_backend_net_rx_pending(struct bell_net_pair *pair)
{
	return pair->port && pair->port->ops->pending &&
	       pair->port->ops->pending(pair->port);
}

/* bell_backend_net_rx_settle() - wait for deliveries that the port has begun */
void bell_backend_net_rx_settle(struct bell_net_pair *pair)
{
	if (pair->port && pair->port->ops->settle)
		pair->port->ops->settle(pair->port);
}

/* --- start and stop --- */

static u32 net_rx_gso(u64 features)
{
	u32 gso = 0;

	if (features & BIT_ULL(VIRTIO_NET_F_GUEST_TSO4))
		gso |= BIT(VIRTIO_NET_HDR_GSO_TCPV4);
	if (features & BIT_ULL(VIRTIO_NET_F_GUEST_TSO6))
		gso |= BIT(VIRTIO_NET_HDR_GSO_TCPV6);
	return gso;
}

/*
 * bell_backend_net_rx_start() - prepare a receiving queue
 *
 * Return: 0, -ENOMEM, or the error of the port's start().
 */
int bell_backend_net_rx_start(struct bell_net_pair *pair,
			      struct bell_exec *exec, u64 features)
{
	struct bell_vq *vq = exec->vq;
	struct bell_net_rx *rx;
	int ret = -ENOMEM;

	rx = kzalloc(sizeof(*rx), GFP_KERNEL_ACCOUNT);
	if (!rx)
		return ret;
	rx->done = kvcalloc(vq->num, sizeof(*rx->done), GFP_KERNEL_ACCOUNT);
	if (!rx->done)
		goto err_free;
	rx->vq = vq;
	rx->stats = &pair->stats;
	rx->mergeable = features & BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);
	rx->hdr_len = bell_backend_net_hdr_len(features);
	rx->csum = features & BIT_ULL(VIRTIO_NET_F_GUEST_CSUM);
	rx->gso = net_rx_gso(features);
	rx->ecn = features & BIT_ULL(VIRTIO_NET_F_GUEST_ECN);
	/* A queue starts with kicks enabled. */
	rx->kick = true;
	exec->auto_inline = true;
	exec->bytes_shift = BELL_EXEC_FRAME_SHIFT;
	pair->rx = rx;
	if (pair->port)
		ret = pair->port->ops->start(pair->port, rx, exec);
	else
		ret = 0;
	if (!ret)
		return 0;
	pair->rx = NULL;
err_free:
	kvfree(rx->done);
	kfree(rx);
	return ret;
}

/* bell_backend_net_rx_stop() - undo bell_backend_net_rx_start() */
void bell_backend_net_rx_stop(struct bell_net_pair *pair)
{
	if (pair->port)
		pair->port->ops->stop(pair->port);
	kvfree(pair->rx->done);
	kfree(pair->rx);
	pair->rx = NULL;
}
