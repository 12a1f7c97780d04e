// SPDX-License-Identifier: GPL-2.0
/*
 * port_dev - a network device of the card's own as the port of all its pairs
 *
 * The device is the host's end of the card and has one queue for each pair. Its
 * ndo_start_xmit() writes a packet straight into the guest's buffers, in the sender's
 * context; there is no ring between them and no poll. Frames that the guest sends enter
 * the host's network stack here, in the thread that serves the sending queue.
 *
 * When the guest has no buffers the device's queue stops, and packets wait in its
 * qdisc; the guest's kick starts the queue again. A guest that takes fewer than
 * DEV_SERVED packets in DEV_PATIENCE is considered dead: its packets are dropped until
 * it adds buffers and kicks.
 *
 * Context: the transmit lock of a device's queue (_xmit_lock) replaces the run token of
 * the receiving queue: every context that takes buffers holds that lock, with bottom
 * halves off. The pass of the receiving queue only wakes the device's queue and pins
 * pages; while it pins, @held keeps senders from delivering.
 *
 * Life: the device is unregistered when the card's file is closed, or before that when
 * its network namespace goes. card->dev is NULL from then on. Nothing here holds a
 * reference to the device.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/etherdevice.h>
#include <linux/kref.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uio.h>
#include <linux/virtio_net.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#include <uapi/linux/vhost_doorbell.h>

#include "compat_net.h"
#include "exec.h"
#include "port.h"
#include "port_dev_priv.h"

#define DEV_PATIENCE	(5 * HZ / 2)
/* Fewest frames that a live guest takes in DEV_PATIENCE */
#define DEV_SERVED	64
#define DEV_LINEAR	256	/* bytes in the linear part of a large frame */

#define DEV_OFFLOADS	(NETIF_F_HW_CSUM | NETIF_F_ALL_TSO)
#define DEV_FEATURES	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | \
			 NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_STAG_TX | \
			 NETIF_F_GSO_ROBUST | \
			 DEV_OFFLOADS)

/*
 * While a batch of one guest is sent on this CPU, frames for other guests are
 * collected: each of these guests is shown its frames once, at the end of the batch.
 * Only this CPU accesses it, with bottom halves off from begin to end.
 */
struct dev_batch {
	bool			 on;
	struct dev_queue	*first;
};

static DEFINE_PER_CPU(struct dev_batch, dev_batches);

static struct dev_queue *dev_queue_of(struct bell_port *port)
{
	return container_of(port, struct dev_queue, port);
}

/* The device's queue, or NULL if the device is gone. Called with bottom halves off. */
static struct netdev_queue *dev_txq(const struct dev_queue *q)
{
	struct net_device *dev = rcu_dereference_bh(q->card->dev);

	return dev ? netdev_get_tx_queue(dev, q->index) : NULL;
}

static void dev_card_free(struct kref *ref)
{
	struct dev_card *card = container_of(ref, struct dev_card, ref);

	kvfree(card);
}

/* --- packets for the guest: under the transmit lock --- */

static void dev_flush(struct dev_queue *q)
{
	if (q->rx)
		bell_backend_net_deliver_end(q->rx);
}

static void dev_batch_end(void)
{
	struct dev_batch *batch = this_cpu_ptr(&dev_batches);
	struct netdev_queue *txq;
	struct dev_queue *q;

	batch->on = false;
	while ((q = batch->first)) {
		batch->first = q->next;
		txq = dev_txq(q);
		if (!txq)
			continue;
		__netif_tx_lock(txq, smp_processor_id());
		q->batched = false;
		dev_flush(q);
		__netif_tx_unlock(txq);
	}
}

/*
 * Stop the device's queue. The period of DEV_PATIENCE runs on across stops, so that a
 * guest that adds a single buffer now and then does not delay packets for longer than
 * one that adds none.
 */
static void dev_stop_queue(struct dev_queue *q, struct netdev_queue *txq)
{
	netif_tx_stop_queue(txq);
	if (q->served >= DEV_SERVED ||
	    time_after(jiffies, q->woken + DEV_PATIENCE)) {
		q->starved = jiffies;
		q->served = 0;
	}
	if (!timer_pending(&q->timer))
		mod_timer(&q->timer, q->starved + DEV_PATIENCE);
}

/*
 * Deliver a packet. Returns 0 if it was delivered, 1 if it was dropped and counted, as
 * it does not fit the driver's buffers or offloads, -EBUSY if the queue was stopped, or
 * another errno if the caller must drop it.
 */
static int dev_deliver(struct dev_queue *q, struct netdev_queue *txq,
		       struct sk_buff *skb)
{
	int ret;

	if (unlikely(!q->rx))
		return -ENETDOWN;
	if (unlikely(q->held || q->unpinned || READ_ONCE(q->exec->dead))) {
		if (q->dead)
			return -ENOBUFS;
		dev_stop_queue(q, txq);
		return -EBUSY;
	}
	ret = bell_backend_net_deliver(q->rx, skb);
	if (likely(ret >= 0))
		return ret;
	if (ret == -ENOBUFS && !q->dead) {
		/*
		 * Stop first, then ask for a kick: the kick wakes the queue, so it must
		 * not come before the stop.
		 */
		dev_stop_queue(q, txq);
		ret = bell_backend_net_deliver(q->rx, skb);
		if (ret >= 0)
			netif_tx_start_queue(txq);
		else if (ret == -ENOBUFS)
			ret = -EBUSY;
	}
	if (ret == -EAGAIN) {
		dev_stop_queue(q, txq);
		q->unpinned = true;
		bell_exec_ask_worker(q->exec);
		ret = -EBUSY;
	}
	return ret;
}

/*
 * Stop the queue when its last buffer was taken, unless the guest adds one meanwhile.
 */
static void dev_stop_dry(struct dev_queue *q, struct netdev_queue *txq)
{
	if (q->dead || !bell_backend_net_dry(q->rx))
		return;
	dev_stop_queue(q, txq);
	if (!bell_backend_net_ask_kick(q->rx))
		netif_tx_start_queue(txq);
}

static void dev_show_guest(struct dev_queue *q, struct netdev_queue *txq)
{
	struct dev_batch *batch = this_cpu_ptr(&dev_batches);

	if (netif_tx_queue_stopped(txq)) {
		dev_flush(q);
	} else if (batch->on) {
		if (q->batched)
			return;
		q->batched = true;
		q->next = batch->first;
		batch->first = q;
	} else if (!netdev_xmit_more()) {
		dev_flush(q);
	}
}

static void dev_drop(struct net_device *dev, struct sk_buff *skb)
{
	dev_core_stats_tx_dropped_inc(dev);
	kfree_skb(skb);
}

static netdev_tx_t dev_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	u16 index = skb_get_queue_mapping(skb);
	struct dev_queue *q = &bell_port_dev_card(dev)->queue[index];
	struct netdev_queue *txq = netdev_get_tx_queue(dev, index);
	int ret;

	ret = dev_deliver(q, txq, skb);
	if (unlikely(ret < 0)) {
		dev_flush(q);
		if (ret == -EBUSY)
			return NETDEV_TX_BUSY;
		if (q->rx)
			bell_backend_net_drop_dead(q->rx);
		dev_drop(dev, skb);
		return NETDEV_TX_OK;
	}
	q->served++;
	dev_stop_dry(q, txq);
	dev_show_guest(q, txq);
	if (unlikely(ret)) {
		dev_drop(dev, skb);
		return NETDEV_TX_OK;
	}
	skb_tx_timestamp(skb);
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	napi_consume_skb(skb, 1);
	return NETDEV_TX_OK;
}

/*
 * DEV_PATIENCE is over. If the queue is still stopped, consider the guest dead, and
 * wake the queue so that its packets are dropped.
 */
static void dev_timeout(struct timer_list *timer)
{
	struct dev_queue *q = container_of(timer, struct dev_queue, timer);
	struct netdev_queue *txq;

	rcu_read_lock_bh();
	txq = dev_txq(q);
	if (!txq)
		goto out;
	__netif_tx_lock(txq, smp_processor_id());
	if (netif_tx_queue_stopped(txq) && q->rx && !q->dead) {
		if (time_before(jiffies, q->starved + DEV_PATIENCE)) {
			mod_timer(&q->timer, q->starved + DEV_PATIENCE);
		} else {
			q->dead = true;
			netif_tx_wake_queue(txq);
		}
	}
	__netif_tx_unlock(txq);
out:
	rcu_read_unlock_bh();
}

/* --- start, stop and pass of the receiving queue --- */

/*
 * The pass of the receiving queue: the guest has kicked, or the worker must pin a page.
 */
static enum bell_pass dev_receive(struct bell_port *port, struct bell_run *run)
{
	struct dev_queue *q = dev_queue_of(port);
	enum bell_pass how = BELL_PASS_DONE;
	struct netdev_queue *txq;

	rcu_read_lock_bh();
	txq = dev_txq(q);
	if (txq) {
		__netif_tx_lock(txq, smp_processor_id());
		if (q->unpinned) {
			how = BELL_PASS_PUNT;
			if (run->may_sleep) {
				q->held = true;
				q->unpinned = false;
			}
		} else {
			q->held = false;
			/* A kick without new buffers does not wake the queue. */
			if (bell_backend_net_has_more(q->rx)) {
				if (q->dead)
					q->served = DEV_SERVED;
				q->dead = false;
				q->woken = jiffies;
				netif_tx_wake_queue(txq);
			}
		}
		__netif_tx_unlock(txq);
	}
	rcu_read_unlock_bh();
	return how;
}

/*
 * Wait for a sender that began to deliver before the queue was shut: taking the lock is
 * enough.
 */
static void dev_settle(struct bell_port *port)
{
	struct dev_queue *q = dev_queue_of(port);
	struct netdev_queue *txq;

	rcu_read_lock_bh();
	txq = dev_txq(q);
	if (txq) {
		__netif_tx_lock(txq, smp_processor_id());
		__netif_tx_unlock(txq);
	}
	rcu_read_unlock_bh();
}

/*
 * Set the number of the device's queues in use: up to the last pair whose receiving
 * queue runs.
 */
static int dev_set_queues(struct dev_card *card, struct net_device *dev)
{
	u32 i, n = 0;
	int ret;

	ASSERT_RTNL();
	for (i = 0; i < card->n; i++) {
		if (card->queue[i].rx)
			n = i + 1;
	}
	ret = netif_set_real_num_tx_queues(dev, max(n, 1U));
	if (n && !ret)
		netif_carrier_on(dev);
	else if (!n)
		netif_carrier_off(dev);
	return ret;
}

static void dev_set_rx(struct dev_queue *q, struct net_device *dev,
		       struct bell_net_rx *rx, struct bell_exec *exec)
{
	struct netdev_queue *txq = netdev_get_tx_queue(dev, q->index);

	__netif_tx_lock_bh(txq);
	q->rx = rx;
	q->exec = exec;
	q->unpinned = false;
	q->held = false;
	q->dead = false;
	q->served = DEV_SERVED;
	__netif_tx_unlock_bh(txq);
}

static int dev_start(struct bell_port *port, struct bell_net_rx *rx,
		     struct bell_exec *exec)
{
	struct dev_queue *q = dev_queue_of(port);
	struct net_device *dev;
	int ret = 0;

	rtnl_lock();
	dev = rtnl_dereference(q->card->dev);
	if (dev) {
		/*
		 * First, so that no packet needs an offload that the guest does not
		 * accept.
		 */
		q->card->offloads = bell_backend_net_offloads(rx);
		netdev_update_features(dev);
		dev_set_rx(q, dev, rx, exec);
		ret = dev_set_queues(q->card, dev);
		if (ret)
			dev_set_rx(q, dev, NULL, NULL);
	}
	rtnl_unlock();
	return ret;
}

static void dev_stop(struct bell_port *port)
{
	struct dev_queue *q = dev_queue_of(port);
	struct net_device *dev;

	rtnl_lock();
	dev = rtnl_dereference(q->card->dev);
	if (dev) {
		dev_set_rx(q, dev, NULL, NULL);
		dev_set_queues(q->card, dev);
		/* Wake the queue, so that packets in its qdisc are dropped. */
		netif_tx_wake_queue(netdev_get_tx_queue(dev, q->index));
	}
	rtnl_unlock();
	timer_delete_sync(&q->timer);
}

/* --- frames of the guest --- */

/* Pass a frame of the guest to the host's network stack, as received on the device. */
static void dev_rx(struct net_device *dev, struct sk_buff *skb, u16 queue,
		   const struct virtio_net_hdr *hdr)
{
	u32 len = skb->len;

	skb->dev = dev;
	if (virtio_net_hdr_to_skb(skb, hdr, true)) {
		DEV_STATS_INC(dev, rx_frame_errors);
		kfree_skb(skb);
		return;
	}
	skb->protocol = eth_type_trans(skb, dev);
	skb_reset_network_header(skb);
	skb_probe_transport_header(skb);
	skb_record_rx_queue(skb, queue);
	dev_sw_netstats_rx_add(dev, len);
	netif_receive_skb(skb);
}

static void dev_rx_frame(struct net_device *dev,
			 const struct bell_port_frame *frame, u16 queue)
{
	struct sk_buff *skb;

	skb = napi_build_skb(frame->buf, BELL_PORT_BUFLEN(frame->len));
	if (!skb) {
		page_frag_free(frame->buf);
		dev_core_stats_rx_dropped_inc(dev);
		return;
	}
	skb_reserve(skb, BELL_PORT_HEADROOM);
	__skb_put(skb, frame->len);
	dev_rx(dev, skb, queue, &frame->hdr);
}

static int dev_send(struct bell_port *port, const struct bell_port_frame *frame,
		    unsigned int n, u32 hdr_len)
{
	struct dev_queue *q = dev_queue_of(port);
	struct net_device *dev;
	unsigned int i;
	int ret = 0;

	rcu_read_lock_bh();
	dev = rcu_dereference_bh(q->card->dev);
	if (!dev || !(dev->flags & IFF_UP)) {
		ret = bell_backend_net_drop_frames(frame, n, -ENETDOWN);
	} else {
		this_cpu_write(dev_batches.on, bell_bh_off_keeps_cpu());
		for (i = 0; i < n; i++)
			dev_rx_frame(dev, &frame[i], q->index);
		dev_batch_end();
	}
	rcu_read_unlock_bh();
	return ret;
}

static struct sk_buff *dev_large_skb(struct iov_iter *iter, bool may_sleep)
{
	gfp_t gfp = (may_sleep ? GFP_KERNEL : GFP_NOWAIT) | __GFP_NOWARN;
	size_t len = iov_iter_count(iter), linear = min(len, DEV_LINEAR);
	struct sk_buff *skb;
	int ret;

	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear,
				   len - linear, PAGE_ALLOC_COSTLY_ORDER, &ret,
				   gfp);
	if (!skb)
		return ERR_PTR(-EAGAIN);
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len += len - linear;
	ret = skb_copy_datagram_from_iter(skb, 0, iter, len);
	if (!ret)
		return skb;
	kfree_skb(skb);
	return ERR_PTR(ret);
}

static int dev_send_large(struct bell_port *port, struct iov_iter *iter,
			  u32 hdr_len, bool may_sleep)
{
	struct dev_queue *q = dev_queue_of(port);
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct net_device *dev;
	struct sk_buff *skb;

	if (!copy_from_iter_full(&hdr, hdr_len, iter))
		return -EINVAL;
	skb = dev_large_skb(iter, may_sleep);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	rcu_read_lock_bh();
	dev = rcu_dereference_bh(q->card->dev);
	if (!dev || !(dev->flags & IFF_UP)) {
		rcu_read_unlock_bh();
		kfree_skb(skb);
		return -ENETDOWN;
	}
	dev_rx(dev, skb, q->index, &hdr.hdr);
	rcu_read_unlock_bh();
	return 0;
}

/* --- the network device --- */

static int dev_up(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	return 0;
}

static int dev_down(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	return 0;
}

static netdev_features_t dev_fix_features(struct net_device *dev,
					  netdev_features_t features)
{
	return features & (~DEV_OFFLOADS | bell_port_dev_card(dev)->offloads);
}

/*
 * The device is being unregistered, by dev_port_close() or with its network namespace.
 * Under the RTNL.
 */
static void dev_uninit(struct net_device *dev)
{
	RCU_INIT_POINTER(bell_port_dev_card(dev)->dev, NULL);
}

static const struct net_device_ops dev_ops = {
	.ndo_uninit		= dev_uninit,
	.ndo_open		= dev_up,
	.ndo_stop		= dev_down,
	.ndo_start_xmit		= dev_start_xmit,
	.ndo_fix_features	= dev_fix_features,
	.ndo_get_stats64	= dev_get_tstats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

/*
 * 'ip link' shows devices of this kind. Without alloc(), setup() and dellink() it can
 * neither add nor delete them.
 */
static struct rtnl_link_ops dev_link_ops = {
	.kind	= "doorbell",
};

static void dev_free(struct net_device *dev)
{
	kref_put(&bell_port_dev_card(dev)->ref, dev_card_free);
}

static void dev_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &dev_ops;
	dev->ethtool_ops = &bell_port_dev_ethtool_ops;
	dev->rtnl_link_ops = &dev_link_ops;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_DISABLE_NETPOLL;
	/* dev_start_xmit() may write a checksum into the packet. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->hw_features = DEV_FEATURES;
	dev->vlan_features = DEV_FEATURES & ~(NETIF_F_HW_VLAN_CTAG_TX |
					      NETIF_F_HW_VLAN_STAG_TX);
	/*
	 * dev_fix_features() removes offloads that the guest does not accept; without a
	 * guest, all of DEV_OFFLOADS.
	 */
	dev->features = DEV_FEATURES;
	dev->max_mtu = ETH_MAX_MTU;
	dev->needs_free_netdev = true;
}

static const struct bell_port_ops dev_port_ops;

static void dev_init_queues(struct dev_card *card,
			    const struct bell_net_stats **stats)
{
	u32 i;

	for (i = 0; i < card->n; i++) {
		card->queue[i].port.ops = &dev_port_ops;
		card->queue[i].port.stats = stats[i];
		card->queue[i].card = card;
		card->queue[i].index = i;
		timer_setup(&card->queue[i].timer, dev_timeout, 0);
	}
}

static int dev_register(struct dev_card *card,
			struct vhost_doorbell_net_dev *cfg, u16 mtu)
{
	struct net_device *dev;
	struct dev_priv *priv;
	int ret;

	dev = alloc_netdev_mqs(sizeof(*priv), cfg->name, NET_NAME_USER,
			       dev_setup, card->n, card->n);
	if (!dev)
		return -ENOMEM;
	priv = netdev_priv(dev);
	priv->card = card;
	dev_net_set(dev, current->nsproxy->net_ns);
	if (is_zero_ether_addr(cfg->mac))
		eth_hw_addr_random(dev);
	else
		eth_hw_addr_set(dev, cfg->mac);
	netif_carrier_off(dev);
	if (mtu)
		dev->mtu = mtu;

	rtnl_lock();
	RCU_INIT_POINTER(card->dev, dev);
	ret = register_netdevice(dev);
	if (!ret) {
		/* A reference for the device; dev_free() puts it. */
		kref_get(&card->ref);
		dev->priv_destructor = dev_free;
		netif_set_real_num_tx_queues(dev, 1);
		cfg->ifindex = dev->ifindex;
		strscpy(cfg->name, dev->name, sizeof(cfg->name));
	}
	rtnl_unlock();
	if (ret) {
		RCU_INIT_POINTER(card->dev, NULL);
		free_netdev(dev);
	}
	return ret;
}

static void dev_show(struct bell_port *port, struct seq_file *m)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = rcu_dereference(dev_queue_of(port)->card->dev);
	seq_printf(m, "dev %s", dev ? dev->name : "-");
	rcu_read_unlock();
}

/*
 * Close one pair's port. The first call unregisters the device, which has the queues of
 * all pairs.
 */
static void dev_port_close(struct bell_port *port)
{
	struct dev_card *card = dev_queue_of(port)->card;
	struct net_device *dev;

	rtnl_lock();
	dev = rtnl_dereference(card->dev);
	if (dev)
		unregister_netdevice(dev);
	rtnl_unlock();
	kref_put(&card->ref, dev_card_free);
}

static const struct bell_port_ops dev_port_ops = {
	.shared = true,
	.send = dev_send,
	.send_large = dev_send_large,
	.start = dev_start,
	.stop = dev_stop,
	.receive = dev_receive,
	.settle = dev_settle,
	.show = dev_show,
	.close = dev_port_close,
};

static bool dev_name_fits(const struct vhost_doorbell_net_dev *cfg)
{
	const char *percent;

	if (strnlen(cfg->name, sizeof(cfg->name)) == sizeof(cfg->name))
		return false;
	percent = strchr(cfg->name, '%');
	return dev_valid_name(cfg->name) &&
	       (!percent || (percent[1] == 'd' && !strchr(percent + 1, '%')));
}

/**
 * bell_port_dev_create() - make a network device and a port for each of its queues
 * @cfg: the caller has checked flags and reserved fields; out: name and ifindex
 * @mtu: MTU of the device in bytes; 0: that of Ethernet
 * @stats: counters of each pair
 * @port: out: the ports
 * @n: number of pairs
 *
 * Context: Process context.
 * Return: 0, or an errno as Documentation/uapi.rst lists for VHOST_DOORBELL_SET_NET_DEV.
 */
int bell_port_dev_create(struct vhost_doorbell_net_dev *cfg, u16 mtu,
			 const struct bell_net_stats **stats,
			 struct bell_port **port, u32 n)
{
	struct dev_card *card;
	int ret;
	u32 i;

	if (!dev_name_fits(cfg) ||
	    (!is_zero_ether_addr(cfg->mac) && !is_valid_ether_addr(cfg->mac)))
		return -EINVAL;
	if (!ns_capable(current->nsproxy->net_ns->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	card = kvzalloc(struct_size(card, queue, n), GFP_KERNEL_ACCOUNT);
	if (!card)
		return -ENOMEM;
	kref_init(&card->ref);
	card->n = n;
	dev_init_queues(card, stats);
	ret = dev_register(card, cfg, mtu);
	if (ret) {
		kref_put(&card->ref, dev_card_free);
		return ret;
	}
	for (i = 0; i < n; i++) {
		if (i)
			kref_get(&card->ref);
		port[i] = &card->queue[i].port;
	}
	return 0;
}

/**
 * bell_port_init() - register the kind of network device that 'ip link' shows
 *
 * Return: 0 or what rtnl_link_register() returns.
 */
int bell_port_init(void)
{
	return rtnl_link_register(&dev_link_ops);
}

/** bell_port_exit() - undo bell_port_init(), when no card is left */
void bell_port_exit(void)
{
	rtnl_link_unregister(&dev_link_ops);
}
