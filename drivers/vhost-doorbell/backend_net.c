// SPDX-License-Identifier: GPL-2.0
/*
 * backend_net - a virtio-net card (virtio 1.3, section 5.1)
 *
 * Queue 2N receives for the guest and queue 2N + 1 sends for it; the control queue
 * is the VMM's. Each pair has a port (port.h).
 */
#include <linux/err.h>
#include <linux/nospec.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vhost.h>
#include <linux/vmalloc.h>

#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "backend_net.h"
#include "backend_net_priv.h"
#include "port.h"

#define NET_FEATURES	(BIT_ULL(VIRTIO_NET_F_CSUM) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_ECN) | \
			 BIT_ULL(VIRTIO_NET_F_HOST_TSO4) | \
			 BIT_ULL(VIRTIO_NET_F_HOST_TSO6) | \
			 BIT_ULL(VIRTIO_NET_F_HOST_ECN) | \
			 BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_ANNOUNCE))

/*
 * Default budget of an inline pass, in chains. It is large, as sending many frames
 * takes less time than waking the worker.
 */
#define NET_BUDGET	256

static struct bell_net *net_of(struct bell_backend *be)
{
	return container_of(be, struct bell_net, be);
}

static bool net_sends(const struct bell_vq *vq)
{
	return vq->index & 1;
}

static void net_get_config(struct bell_backend *be, u32 offset, void *buf,
			   u32 size)
{
	struct bell_net *net = net_of(be);
	struct virtio_net_config c = {
		.status = (__force __virtio16)cpu_to_le16(VIRTIO_NET_S_LINK_UP),
		.max_virtqueue_pairs = (__force __virtio16)
			cpu_to_le16(net->num_pairs),
		.mtu = (__force __virtio16)cpu_to_le16(net->mtu),
	};

	if (offset < sizeof(c))
		memcpy(buf, (u8 *)&c + offset,
		       min_t(u32, size, sizeof(c) - offset));
}

static int net_set_config(struct bell_backend *be, u32 offset, const void *buf,
			  u32 size)
{
	return -EPERM;
}

static void net_set_features(struct bell_backend *be, u64 features)
{
}

static int net_resize(struct bell_backend *be, u64 *sectors)
{
	return -ENXIO;
}

static enum bell_pass net_pass(struct bell_exec *exec, struct bell_run *run)
{
	struct bell_vq *vq = exec->vq;

	return net_sends(vq) ? bell_backend_net_tx_pass(vq->priv, run) :
			       bell_backend_net_rx_pass(vq->priv, run);
}

static bool net_pending(struct bell_exec *exec)
{
	struct bell_vq *vq = exec->vq;

	/*
	 * False for a port that pushes frames: there only the holder of the port's lock
	 * may look at the ring.
	 */
	return (net_sends(vq) || bell_backend_net_rx_pending(vq->priv)) &&
	       bell_vq_pending(vq);
}

static void net_settle(struct bell_exec *exec)
{
	struct bell_vq *vq = exec->vq;

	if (!net_sends(vq))
		bell_backend_net_rx_settle(vq->priv);
}

static int net_start_queue(struct bell_backend *be, struct bell_exec *exec,
			   u64 features)
{
	struct bell_vq *vq = exec->vq;
	struct bell_net_pair *pair = &net_of(be)->pair[vq->index / 2];

	vq->priv = pair;
	return net_sends(vq) ?
	       bell_backend_net_tx_start(pair, exec, features) :
	       bell_backend_net_rx_start(pair, exec, features);
}

static void net_stop_queue(struct bell_backend *be, struct bell_exec *exec)
{
	struct bell_vq *vq = exec->vq;

	if (net_sends(vq))
		bell_backend_net_tx_stop(vq->priv);
	else
		bell_backend_net_rx_stop(vq->priv);
	vq->priv = NULL;
}

static void net_show_pair(struct bell_net *net, u32 i, struct seq_file *m)
{
	struct vhost_doorbell_net_stats st = { .pair = i };

	bell_backend_net_get_stats(&net->be, &st);
	seq_printf(m, "pair%u:\trx_packets=%llu rx_bytes=%llu rx_batches=%llu",
		   i, st.rx_packets, st.rx_bytes, st.rx_batches);
	seq_printf(m, " rx_hooks=%llu rx_polls=%llu rx_punts=%llu rx_dry=%llu",
		   st.rx_hooks, st.rx_polls, st.rx_punts, st.rx_dry);
	seq_printf(m, " rx_drop_long=%llu rx_drop_offload=%llu rx_drop_dead=%llu",
		   st.rx_drop_long, st.rx_drop_offload, st.rx_drop_dead);
	seq_printf(m, " tx_packets=%llu tx_bytes=%llu tx_batches=%llu",
		   st.tx_packets, st.tx_bytes, st.tx_batches);
	seq_printf(m, " tx_large=%llu tx_drop_bad=%llu tx_drop_port=%llu tx_drop_down=%llu\n",
		   st.tx_large, st.tx_drop_bad, st.tx_drop_port,
		   st.tx_drop_down);
}

static void net_show(struct bell_backend *be, struct seq_file *m)
{
	struct bell_net *net = net_of(be);
	u32 i;

	seq_printf(m, "pairs:\t%u\nmtu:\t%u\nport:\t", net->num_pairs, net->mtu);
	if (net->pair[0].port)
		net->pair[0].port->ops->show(net->pair[0].port, m);
	else
		seq_puts(m, "none");
	seq_putc(m, '\n');
	for (i = 0; i < net->num_pairs; i++)
		net_show_pair(net, i, m);
}

/* bell_backend_net_close_port() - close a port that no pair uses any more; may be NULL */
void bell_backend_net_close_port(struct bell_port *port)
{
	if (port)
		port->ops->close(port);
}

static void net_destroy(struct bell_backend *be)
{
	struct bell_net *net = net_of(be);
	u32 i;

	for (i = 0; i < net->num_pairs; i++)
		bell_backend_net_close_port(net->pair[i].port);
	kvfree(net);
}

static const struct bell_backend_ops net_ops = {
	.name = "net",
	.exec = {
		.pass = net_pass,
		.pending = net_pending,
		.settle = net_settle,
	},
	.get_config = net_get_config,
	.set_config = net_set_config,
	.set_features = net_set_features,
	.resize = net_resize,
	.start_queue = net_start_queue,
	.stop_queue = net_stop_queue,
	.show = net_show,
	.destroy = net_destroy,
};

/**
 * bell_backend_net_create() - make a network card, with no port yet
 * @cfg: the caller has checked flags and reserved fields
 *
 * Context: Process context.
 * Return: the back end, or an ERR_PTR as Documentation/uapi.rst lists for
 * VHOST_DOORBELL_SET_NET.
 */
struct bell_backend *bell_backend_net_create(const struct vhost_doorbell_net *cfg)
{
	struct bell_net *net;

	if (!cfg->num_pairs || cfg->num_pairs > VHOST_DOORBELL_MAX_PAIRS ||
	    (cfg->mtu && (cfg->mtu < ETH_MIN_MTU || cfg->mtu > ETH_MAX_MTU)))
		return ERR_PTR(-EINVAL);
	net = kvzalloc(struct_size(net, pair, cfg->num_pairs),
		       GFP_KERNEL_ACCOUNT);
	if (!net)
		return ERR_PTR(-ENOMEM);
	net->be.ops = &net_ops;
	net->be.num_queues = 2 * cfg->num_pairs;
	net->be.kinds = BIT(BELL_KIND_FRAME);
	net->be.may_inline = true;
	net->be.completes_all = true;
	net->be.max_segs = BELL_NET_MAX_SEGS;
	net->be.budget = NET_BUDGET;
	net->be.features = NET_FEATURES;
	if (cfg->num_pairs > 1)
		net->be.features |= BIT_ULL(VIRTIO_NET_F_MQ);
	if (cfg->mtu)
		net->be.features |= BIT_ULL(VIRTIO_NET_F_MTU);
	net->num_pairs = cfg->num_pairs;
	net->mtu = cfg->mtu;
	return &net->be;
}

/* bell_backend_is_net() - true for a network card, false for a disk */
bool bell_backend_is_net(const struct bell_backend *be)
{
	return be->ops == &net_ops;
}

static struct bell_net_pair *net_pair(struct bell_net *net, u32 i)
{
	if (i >= net->num_pairs)
		return ERR_PTR(-ENOBUFS);
	return &net->pair[array_index_nospec(i, net->num_pairs)];
}

static bool net_runs(const struct bell_net *net)
{
	u32 i;

	for (i = 0; i < net->num_pairs; i++) {
		if (net->pair[i].rx || net->pair[i].tx)
			return true;
	}
	return false;
}

/**
 * bell_backend_net_set_port() - give a pair of queues a tap as its port, or take its port
 *	away
 * @be: a network card
 * @cfg: the caller has checked reserved fields
 * @old: out: the former port, which the caller closes; or NULL
 *
 * Context: Process context, in the process that has @cfg->fd open.
 * Return: 0, or an errno as Documentation/uapi.rst lists for
 * VHOST_DOORBELL_SET_NET_PORT.
 */
int bell_backend_net_set_port(struct bell_backend *be,
			      const struct vhost_doorbell_net_port *cfg,
			      struct bell_port **old)
{
	struct bell_net_pair *pair = net_pair(net_of(be), cfg->pair);
	struct bell_port *port = NULL;

	if (IS_ERR(pair))
		return PTR_ERR(pair);
	if (pair->rx || pair->tx ||
	    (pair->port && pair->port->ops->shared && net_runs(net_of(be))))
		return -EBUSY;
	if (cfg->fd != VHOST_FILE_UNBIND) {
		port = bell_port_tap_open(cfg->fd);
		if (IS_ERR(port))
			return PTR_ERR(port);
	}
	if (port)
		port->stats = &pair->stats;
	*old = pair->port;
	pair->port = port;
	return 0;
}

/**
 * bell_backend_net_set_dev() - create a network device as the port of all pairs
 * @be: a network card
 * @cfg: the caller has checked flags and reserved fields; out: name and ifindex
 *
 * Context: Process context.
 * Return: 0, or an errno as Documentation/uapi.rst lists for VHOST_DOORBELL_SET_NET_DEV.
 */
int bell_backend_net_set_dev(struct bell_backend *be,
			     struct vhost_doorbell_net_dev *cfg)
{
	const struct bell_net_stats *stats[VHOST_DOORBELL_MAX_PAIRS];
	struct bell_port *port[VHOST_DOORBELL_MAX_PAIRS];
	struct bell_net *net = net_of(be);
	int ret;
	u32 i;

	if (net_runs(net))
		return -EBUSY;
	for (i = 0; i < net->num_pairs; i++) {
		if (net->pair[i].port)
			return -EBUSY;
		stats[i] = &net->pair[i].stats;
	}
	ret = bell_port_dev_create(cfg, net->mtu, stats, port,
				   net->num_pairs);
	if (ret)
		return ret;
	for (i = 0; i < net->num_pairs; i++)
		net->pair[i].port = port[i];
	return 0;
}

/**
 * bell_backend_net_get_stats() - counters of one pair
 * @be: a network card
 * @st: in: @st->pair; out: everything
 *
 * Context: Process context.
 * Return: 0, or -ENOBUFS if there is no such pair.
 */
int bell_backend_net_get_stats(struct bell_backend *be,
			       struct vhost_doorbell_net_stats *st)
{
	struct bell_net_pair *pair = net_pair(net_of(be), st->pair);
	const struct bell_net_stats *s;

	if (IS_ERR(pair))
		return PTR_ERR(pair);
	s = &pair->stats;
	*st = (struct vhost_doorbell_net_stats){
		.pair = st->pair,
		.rx_packets = READ_ONCE(s->rx_packets),
		.rx_bytes = READ_ONCE(s->rx_bytes),
		.rx_batches = READ_ONCE(s->rx_batches),
		.rx_hooks = READ_ONCE(s->rx_hooks),
		.rx_polls = READ_ONCE(s->rx_polls),
		.rx_punts = READ_ONCE(s->rx_punts),
		.rx_dry = READ_ONCE(s->rx_dry),
		.rx_drop_long = READ_ONCE(s->rx_drop_long),
		.rx_drop_offload = READ_ONCE(s->rx_drop_offload),
		.rx_drop_dead = READ_ONCE(s->rx_drop_dead),
		.tx_packets = READ_ONCE(s->tx_packets),
		.tx_bytes = READ_ONCE(s->tx_bytes),
		.tx_batches = READ_ONCE(s->tx_batches),
		.tx_large = READ_ONCE(s->tx_large),
		.tx_drop_bad = READ_ONCE(s->tx_drop_bad),
		.tx_drop_port = READ_ONCE(s->tx_drop_port),
		.tx_drop_down = READ_ONCE(s->tx_drop_down),
	};
	return 0;
}
