// SPDX-License-Identifier: GPL-2.0
#include "net_device.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <stddef.h>
#include <string.h>

#include "fd.h"
#include "state.h"
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
	/* Closing the device has detached the ports. */
	d->port->given = 0;
}

static int net_open(struct vu_device *dev)
{
	struct net_device *d = to_net(dev);
	int ret;

	/*
	 * The device is still open: its network device outlived the last front
	 * end.
	 */
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

/* The device stays open: remove the front end's eventfds and memory from it. */
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

/*
 * Keeps the device open if the card has a network device of its own: that has
 * addresses, or is in a bridge.
 */
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
	/*
	 * The interface was deleted, but the guest keeps its card: the module
	 * drops the frames that the guest sends.
	 */
	if (ret == -ENOLINK) {
		d->lost(d->port);
		ret = 0;
	}
	if (!ret)
		ret = d->inner->set_run(dev, q, run);
	if (!ret)
		d->running = run ? d->running | bit : d->running & ~bit;
	/*
	 * No queue of the pair runs, also if the start failed: take the port
	 * back.
	 */
	if (!(d->running & pair) && d->vhd.fd >= 0) {
		int err = port_take(d->port, d->vhd.fd, q / 2);

		if (!ret)
			ret = err;
	}
	return ret;
}

static int keep_net(struct fdstore *store, const void *context)
{
	const struct net_device *d = context;

	return port_keep(d->port, store);
}

/* What the card saves behind the device */
struct net_saved {
	uint64_t running;
	uint64_t features;
	uint32_t given;
	uint32_t named;
	char	 name[IFNAMSIZ];
};

#define NET_SAVED_AT	(VU_STATE_DEVICE - sizeof(struct net_saved))

_Static_assert(sizeof(struct vhd_saved) + sizeof(struct net_saved) <= VU_STATE_DEVICE,
	       "both fit into the state");

static void net_save(struct vu_device *dev, uint8_t *to)
{
	const struct net_device *d = to_net(dev);
	struct net_saved saved = {
		.running = d->running,
		.features = d->port->features,
		.given = d->port->given,
		.named = d->named,
	};

	memcpy(saved.name, d->port->name, sizeof(saved.name));
	d->inner->save(dev, to);
	memcpy(to + NET_SAVED_AT, &saved, sizeof(saved));
}

static int net_adopt(struct vu_device *dev, int fd, const struct vhost_memory *mem,
		     const uint8_t *from)
{
	struct net_device *d = to_net(dev);
	struct net_saved saved;
	int ret = d->inner->adopt(dev, fd, mem, from);

	if (ret)
		return ret;
	memcpy(&saved, from + NET_SAVED_AT, sizeof(saved));
	d->running = saved.running;
	d->named = saved.named;
	d->port->features = saved.features;
	d->port->given = saved.given;
	if (d->named)
		memcpy(d->port->name, saved.name, sizeof(saved.name));
	return 0;
}

/*
 * Also brings the port to a known state: the last process may have ended between the
 * calls of net_set_run().
 */
static int net_running(struct vu_device *dev, uint32_t q, bool *running)
{
	struct net_device *d = to_net(dev);
	uint64_t bit = 1ull << q, pair = 3ull << (q & ~1u);
	int ret = d->inner->running(dev, q, running);

	if (ret)
		return ret;
	d->running = *running ? d->running | bit : d->running & ~bit;
	if (d->running & pair || d->port->kind == PORT_DEV)
		return 0;
	d->port->given |= 1u << q / 2;
	return port_take(d->port, d->vhd.fd, q / 2);
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
	d->vhd.keep = keep_net;
	d->vhd.context = d;
	vhd_device_init(&d->vhd);
	d->inner = d->vhd.base.ops;
	d->ops = *d->inner;
	d->ops.open = net_open;
	d->ops.close = net_end_session;
	d->ops.save = net_save;
	d->ops.adopt = net_adopt;
	d->ops.running = net_running;
	d->ops.set_features = net_set_features;
	d->ops.set_run = net_set_run;
	d->ops.set_mtu = net_set_mtu;
	/*
	 * RARP frames need a tap: only the module can send through a network
	 * device of the card's own.
	 */
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
