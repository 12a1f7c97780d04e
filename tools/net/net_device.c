// SPDX-License-Identifier: GPL-2.0
#include "net_device.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <stddef.h>
#include <string.h>

#include "fd.h"
#include "tuntap.h"
#include "vhd.h"

static struct net_device *to_net(struct vu_device *dev)
{
	return (struct net_device *)((char *)dev -
				     offsetof(struct net_device, vhd.base));
}

static int attach_net(int fd, const void *context)
{
	const struct net_device *d = context;
	struct vhost_doorbell_net net = {
		.num_pairs = d->port->pairs,
		.mtu = d->mtu,
	};

	return vhd_set_net(fd, &net);
}

/* A network device of the card's own; the module completes its name. */
static int make_interface(struct net_device *d)
{
	struct vhost_doorbell_net_dev net_dev = { 0 };
	struct port *p = d->port;
	int ret;

	memcpy(net_dev.name, p->name, sizeof(net_dev.name));
	ret = vhd_set_net_dev(d->vhd.fd, &net_dev);
	if (ret) {
		p->error = ret == -EPERM ? "this takes CAP_NET_ADMIN" :
			   ret == -EEXIST ? "exists already" :
			   "cannot be made by the module";
		return ret;
	}
	memcpy(p->name, net_dev.name, sizeof(p->name));
	d->named = true;
	return port_bring_up(p, d->bridge, d->mtu);
}

static void net_close(struct vu_device *dev)
{
	struct net_device *d = to_net(dev);

	d->inner->close(dev);
	d->running = 0;
	d->named = false;
	/* The module forgot them with the device. */
	d->port->given = 0;
}

static int net_open(struct vu_device *dev)
{
	struct net_device *d = to_net(dev);
	int ret;

	/* Kept, as its network device is. */
	if (d->vhd.fd >= 0)
		return 0;
	ret = d->inner->open(dev);
	if (ret || d->port->kind != PORT_DEV)
		return ret;
	ret = make_interface(d);
	if (ret)
		net_close(dev);
	return ret;
}

/* Nothing of the front end is left in a device that is kept. */
static int forget_front_end(struct net_device *d)
{
	const struct vhost_memory none = { 0 };
	int ret;

	if (d->running)
		return -EBUSY;
	for (uint32_t q = 0; q < d->vhd.num_queues; q++) {
		ret = vhd_set_vring_kick(d->vhd.fd, q, -1);
		if (!ret)
			ret = vhd_set_vring_call(d->vhd.fd, q, -1);
		if (!ret)
			ret = vhd_set_vring_err(d->vhd.fd, q, -1);
		if (ret)
			return ret;
	}
	return vhd_set_mem_table(d->vhd.fd, &none);
}

/* A network device of its own outlives the front end: it has addresses, a bridge. */
static void net_end_session(struct vu_device *dev)
{
	struct net_device *d = to_net(dev);

	if (!d->named || forget_front_end(d))
		net_close(dev);
}

static int net_set_features(struct vu_device *dev, uint64_t features)
{
	struct net_device *d = to_net(dev);
	int ret = d->inner->set_features(dev, features);

	if (!ret)
		d->port->features = features;
	return ret;
}

static int net_set_run(struct vu_device *dev, uint32_t q, bool run)
{
	struct net_device *d = to_net(dev);
	uint64_t bit = 1ull << q, pair = 3ull << (q & ~1u);
	int ret = 0;

	if (run && !(d->running & pair))
		ret = port_give(d->port, d->vhd.fd, q / 2);
	/* The guest keeps its card: the module drops what it sends. */
	if (ret == -ENOLINK) {
		d->lost(d->port);
		ret = 0;
	}
	if (!ret)
		ret = d->inner->set_run(dev, q, run);
	if (!ret)
		d->running = run ? d->running | bit : d->running & ~bit;
	/* Also if the start failed. */
	if (!(d->running & pair) && d->vhd.fd >= 0) {
		int err = port_take(d->port, d->vhd.fd, q / 2);

		if (!ret)
			ret = err;
	}
	return ret;
}

static int net_set_mtu(struct vu_device *dev, unsigned int mtu)
{
	const struct net_device *d = to_net(dev);

	/* Without --mtu, frames may be as long as the port takes them. */
	return d->mtu && mtu > d->mtu ? -EINVAL : 0;
}

static int net_send_rarp(struct vu_device *dev, const uint8_t mac[VU_MAC_LEN])
{
	/* The first queue is always attached. */
	return tuntap_send_rarp(to_net(dev)->port->fd[0], mac);
}

void net_device_init(struct net_device *d)
{
	d->vhd.base.type = VU_DEVICE_NET;
	d->vhd.num_queues = 2 * d->port->pairs;
	d->vhd.attach = attach_net;
	d->vhd.context = d;
	vhd_device_init(&d->vhd);
	d->inner = d->vhd.base.ops;
	d->ops = *d->inner;
	d->ops.open = net_open;
	d->ops.close = net_end_session;
	d->ops.set_features = net_set_features;
	d->ops.set_run = net_set_run;
	d->ops.set_mtu = net_set_mtu;
	/* Into a network device of the card's own only the module can put frames. */
	if (d->port->kind != PORT_DEV)
		d->ops.send_rarp = net_send_rarp;
	d->vhd.base.ops = &d->ops;
}

int net_device_probe(struct net_device *d)
{
	struct vu_device *dev = &d->vhd.base;
	int ret = dev->ops->open(dev), err;

	if (ret)
		return ret;
	d->port->features = 1ull << VIRTIO_F_VERSION_1;
	for (unsigned int i = 0; i < d->port->pairs && !ret; i++) {
		ret = port_give(d->port, d->vhd.fd, i);
		err = port_take(d->port, d->vhd.fd, i);
		if (!ret)
			ret = err;
	}
	if (ret || !d->named)
		net_close(dev);
	return ret;
}

void net_device_end(struct net_device *d)
{
	if (d->vhd.fd >= 0)
		net_close(&d->vhd.base);
}
