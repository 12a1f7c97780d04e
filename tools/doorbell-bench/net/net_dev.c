// SPDX-License-Identifier: GPL-2.0
/* net_dev - a virtio-net device: negotiates features, chooses the transport */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "net_dev.h"
#include "net_tap.h"

#define BIT(n)	(1ull << (n))

#define NET_DEV_TAKES							\
	(NET_DEV_OFFLOADS | BIT(VIRTIO_NET_F_MRG_RXBUF) |		\
	 BIT(VIRTIO_NET_F_MTU) | BIT(VIRTIO_NET_F_MQ) |			\
	 BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ANY_LAYOUT) |		\
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) |				\
	 BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_F_RING_PACKED) |	\
	 BIT(VIRTIO_F_IN_ORDER) | FE_F_PROTOCOL_FEATURES)

static uint64_t refused(const struct net_options *o)
{
	uint64_t bits = 0;

	if (o->common.no_event_idx)
		bits |= BIT(VIRTIO_RING_F_EVENT_IDX);
	if (o->common.no_indirect)
		bits |= BIT(VIRTIO_RING_F_INDIRECT_DESC);
	if (o->no_mrg)
		bits |= BIT(VIRTIO_NET_F_MRG_RXBUF);
	if (o->no_guest_offloads)
		bits |= BIT(VIRTIO_NET_F_GUEST_CSUM) |
			BIT(VIRTIO_NET_F_GUEST_TSO4) |
			BIT(VIRTIO_NET_F_GUEST_TSO6) |
			BIT(VIRTIO_NET_F_GUEST_ECN);
	if (o->common.legacy)
		bits |= BIT(VIRTIO_F_VERSION_1);
	if (!o->common.packed)
		bits |= BIT(VIRTIO_F_RING_PACKED);
	if (!o->common.in_order)
		bits |= BIT(VIRTIO_F_IN_ORDER);
	if (o->pairs == 1)
		bits |= BIT(VIRTIO_NET_F_MQ);
	return bits;
}

static uint64_t needed(const struct net_options *o)
{
	bool tx = o->load == NET_LOAD_TX || o->load == NET_LOAD_PASS;
	bool rx = o->load == NET_LOAD_RX || o->load == NET_LOAD_PASS;
	uint64_t bits = 0;

	if (o->common.packed)
		bits |= BIT(VIRTIO_F_RING_PACKED);
	if (o->common.in_order)
		bits |= BIT(VIRTIO_F_IN_ORDER);
	if (o->layout == NET_LAYOUT_INDIRECT)
		bits |= BIT(VIRTIO_RING_F_INDIRECT_DESC);
	if (tx && o->offload != NET_OFFLOAD_NONE)
		bits |= BIT(VIRTIO_NET_F_CSUM);
	if (tx && o->offload == NET_OFFLOAD_TSO4)
		bits |= BIT(VIRTIO_NET_F_HOST_TSO4);
	if (tx && o->offload == NET_OFFLOAD_TSO6)
		bits |= BIT(VIRTIO_NET_F_HOST_TSO6);
	if (rx && o->offload == NET_OFFLOAD_TSO4)
		bits |= BIT(VIRTIO_NET_F_GUEST_TSO4);
	if (rx && o->offload == NET_OFFLOAD_TSO6)
		bits |= BIT(VIRTIO_NET_F_GUEST_TSO6);
	return bits;
}

static int agree(struct net_dev *d)
{
	const struct net_options *o = d->o;
	bool any = o->layout != NET_LAYOUT_HEADER;

	d->features = d->offered & NET_DEV_TAKES & ~refused(o);
	d->hlen = net_header_size(d->features);
	if (needed(o) & ~d->features) {
		d->what = "a feature that is not offered";
		return -EOPNOTSUPP;
	}
	if (any && !net_dev_has(d, VIRTIO_F_VERSION_1) &&
	    !net_dev_has(d, VIRTIO_F_ANY_LAYOUT)) {
		d->what = "a legacy device has only the layout 'header'";
		return -EOPNOTSUPP;
	}
	return 0;
}

int net_dev_open(struct net_dev *d, const struct net_options *o,
		 const char *name)
{
	int ret;

	*d = (struct net_dev){
		.o = o, .name = name, .pairs = (unsigned int)o->pairs,
		.fe = { .sock = -1 },
		.ops = o->common.socket ? &net_dev_socket_ops :
		       o->vhost_net ? &net_dev_vhost_ops : &net_dev_doorbell_ops,
	};
	for (unsigned int i = 0; i < NET_MAX_PAIRS; i++)
		d->fd[i] = d->tap[i] = -1;
	ret = d->ops->open(d);
	if (!ret)
		ret = agree(d);
	if (ret)
		net_dev_close(d);
	return ret;
}

int net_dev_setup(struct net_dev *d, const struct mem *mem)
{
	return d->ops->setup(d, mem);
}

int net_dev_start(struct net_dev *d, unsigned int queue, const struct ring *r,
		  unsigned int base)
{
	return d->ops->start(d, queue, r, base);
}

int net_dev_stop(struct net_dev *d, unsigned int queue, unsigned int *base)
{
	return d->ops->stop(d, queue, base);
}

void net_dev_close(struct net_dev *d)
{
	if (d->ops)
		d->ops->close(d);
	d->ops = NULL;
}
