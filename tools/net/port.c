// SPDX-License-Identifier: GPL-2.0
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fd.h"
#include "fdstore.h"
#include "tuntap.h"
#include "vhd.h"

static int port_fail(struct port *p, int err, const char *words)
{
	p->error = words;
	return err;
}

static int open_queue(struct port *p, unsigned int i)
{
	if (p->kind == PORT_MACVTAP)
		return tuntap_open_macvtap(p->name, p->multi);
	if (p->kind == PORT_TAP_CREATE && !i)
		return tuntap_create(p->name, p->multi);
	return i ? tuntap_open_next(p->name) : tuntap_open(p->name, &p->multi);
}

static const char *open_error(const struct port *p, int err)
{
	switch (err) {
	case -EEXIST:
		return "exists already; without ',create' it is used as it is";
	case -ENODEV:
		return p->kind == PORT_TAP ?
		       "no such interface; with ',create' it is made" :
		       "no such interface";
	case -EBUSY:
		return "all its queues are in use by other programs";
	case -EINVAL:
		return p->kind == PORT_MACVTAP ? "not a macvtap of this network namespace" :
					      "not a tap";
	case -EACCES:
		return p->kind == PORT_MACVTAP ?
		       "no permission for /dev/tapN of its index" :
		       "no permission for /dev/net/tun";
	case -ENOENT:
		return "no /dev/net/tun; modprobe tun";
	case -EPERM:
		return p->kind == PORT_TAP ?
		       "not this user's: ip tuntap add user USER, or CAP_NET_ADMIN" :
		       "this takes CAP_NET_ADMIN";
	}
	return NULL;
}

static int open_queues(struct port *p)
{
	for (unsigned int i = 0; i < p->pairs; i++) {
		int fd = open_queue(p, i);

		if (fd < 0)
			return port_fail(p, fd, open_error(p, fd));
		p->fd[i] = fd;
		p->attached |= 1u << i;
		if (p->pairs > 1 && !p->multi)
			return port_fail(p, -EINVAL, "has one queue only: ip "
					 "tuntap add ... multi_queue");
	}
	return 0;
}

/*
 * Checks the descriptors of PORT_TAP_FD: all must be queues of one interface.
 */
static int look_at_queues(struct port *p)
{
	struct tuntap_info info;

	for (unsigned int i = 0; i < p->pairs; i++) {
		int ret = tuntap_get_info(p->fd[i], &info);

		if (ret)
			return port_fail(p, ret, ret == -EPROTO ?
					 "a descriptor has no virtio header (IFF_VNET_HDR)" :
					 "a descriptor is no attached tap");
		if (i && strcmp(info.name, p->name))
			return port_fail(p, -EINVAL,
					 "the descriptors are of several interfaces");
		strcpy(p->name, info.name);
		p->multi = info.multi;
		p->attached |= 1u << i;
	}
	return 0;
}

int port_open(struct port *p)
{
	int ret;

	p->error = NULL;
	if (p->kind == PORT_DEV)
		return 0;
	if (p->kind == PORT_TAP_FD)
		return look_at_queues(p);
	p->multi = p->pairs > 1;
	ret = open_queues(p);
	if (ret)
		port_close(p);
	return ret;
}

static void port_store_name(unsigned int i, char name[FDSTORE_NAME])
{
	snprintf(name, FDSTORE_NAME, "port-%u", i);
}

bool port_inherit(struct port *p, struct fdstore *store)
{
	char name[FDSTORE_NAME];
	struct tuntap_info info;
	unsigned int n = 0;

	/* The settings may have changed: the store says what the card has. */
	for (; n < VHOST_DOORBELL_MAX_PAIRS; n++) {
		port_store_name(n, name);
		if (fdstore_get(store, name) < 0)
			break;
	}
	if (!n) {
		/* The device has it, and port_open() has nothing to do. */
		p->kind = PORT_DEV;
		return true;
	}
	p->pairs = n;
	if (p->kind == PORT_DEV)
		p->kind = PORT_TAP;
	for (unsigned int i = 0; i < p->pairs; i++) {
		port_store_name(i, name);
		fd_close(&p->fd[i]);
		p->fd[i] = fdstore_take(store, name);
		/* A queue that is detached, or whose interface has gone, does not answer. */
		if (tuntap_get_info(p->fd[i], &info))
			continue;
		p->attached |= 1u << i;
		p->multi = info.multi;
		strcpy(p->name, info.name);
	}
	return true;
}

int port_keep(const struct port *p, struct fdstore *store)
{
	char name[FDSTORE_NAME];
	int ret = 0;

	for (unsigned int i = 0; i < p->pairs && !ret && p->kind != PORT_DEV; i++) {
		port_store_name(i, name);
		ret = fdstore_put(store, name, p->fd[i]);
	}
	return ret;
}

void port_close(struct port *p)
{
	for (unsigned int i = 0; i < VHOST_DOORBELL_MAX_PAIRS; i++)
		fd_close(&p->fd[i]);
	p->attached = 0;
	p->given = 0;
}

int port_bring_up(struct port *p, const char *bridge, unsigned int mtu)
{
	int ret = 0;

	/*
	 * Set the MTU before joining: a bridge takes the least MTU of its
	 * ports.
	 */
	if (mtu)
		ret = link_set_mtu(p->name, mtu);
	if (ret)
		return port_fail(p, ret, "cannot have this MTU");
	if (bridge)
		ret = link_join_bridge(p->name, bridge);
	if (ret)
		return port_fail(p, ret, "cannot join the bridge");
	ret = link_set_up(p->name);
	return ret ? port_fail(p, ret, "cannot be brought up") : 0;
}

static const char *give_error(int err)
{
	switch (err) {
	case -EBUSY:
		return "another card receives from it";
	case -EINVAL:
		return "not a port that the module takes";
	}
	return "cannot be given to the module";
}

/*
 * Opens the queue again if its interface was deleted and another one has that
 * name now.
 */
static int find_queue(struct port *p, unsigned int i)
{
	struct tuntap_info info;
	int fd;

	if (!tuntap_get_info(p->fd[i], &info))
		return 0;
	if (p->kind == PORT_TAP || p->kind == PORT_MACVTAP) {
		fd = open_queue(p, i);
		if (fd >= 0) {
			fd_close(&p->fd[i]);
			p->fd[i] = fd;
			p->attached |= 1u << i;
			return 0;
		}
	}
	return port_fail(p, -ENOLINK, "the interface has gone");
}

int port_give(struct port *p, int dev, unsigned int i)
{
	uint32_t bit = 1u << i;
	int ret;

	if (p->kind == PORT_DEV || p->given & bit)
		return 0;
	ret = find_queue(p, i);
	if (ret)
		return ret;
	if (!(p->attached & bit)) {
		ret = tuntap_set_queue(p->fd[i], true);
		if (ret)
			return port_fail(p, ret, "cannot attach a queue");
		p->attached |= bit;
	}
	ret = tuntap_agree(p->fd[i], p->features);
	if (ret)
		return port_fail(p, ret, "cannot set header and offloads");
	ret = vhd_set_net_port(dev, i, p->fd[i]);
	if (ret)
		return port_fail(p, ret, give_error(ret));
	p->given |= bit;
	return 0;
}

int port_take(struct port *p, int dev, unsigned int i)
{
	uint32_t bit = 1u << i;
	int ret;

	if (!(p->given & bit))
		return 0;
	ret = vhd_set_net_port(dev, i, -1);
	if (ret)
		return ret;
	p->given &= ~bit;
	/*
	 * Detach the queue: a tap spreads frames over all attached queues. One
	 * queue must stay.
	 */
	if (i && p->multi && !tuntap_set_queue(p->fd[i], false))
		p->attached &= ~bit;
	return 0;
}
