// SPDX-License-Identifier: GPL-2.0
/*
 * net_dev_socket - a virtio-net device at the other end of a vhost-user socket
 */
#include <errno.h>

#include "net_dev.h"

static int socket_protocol(struct net_dev *d)
{
	uint64_t offered, protocol, pairs = 1;
	int ret;

	if (!(d->offered & FE_F_PROTOCOL_FEATURES))
		return d->pairs > 1 ? -EPROTONOSUPPORT : 0;
	ret = fe_get(&d->fe, FE_GET_PROTOCOL_FEATURES, &offered);
	if (ret)
		return ret;
	protocol = offered & (FE_PROTOCOL_MQ | FE_PROTOCOL_REPLY_ACK);
	ret = fe_set(&d->fe, FE_SET_PROTOCOL_FEATURES, protocol);
	if (ret)
		return ret;
	d->fe.reply_ack = protocol & FE_PROTOCOL_REPLY_ACK;
	if (protocol & FE_PROTOCOL_MQ)
		ret = fe_get(&d->fe, FE_GET_QUEUE_NUM, &pairs);
	if (!ret && pairs < d->pairs) {
		d->what = "--pairs: the device has fewer";
		return -ENOTSUP;
	}
	return ret;
}

/*
 * Sets the text of an error. A message that failed is named by its request;
 * other errors have set @d->what already.
 */
static int say(struct net_dev *d, int ret)
{
	if (ret && !d->what)
		d->what = fe_name(d->fe.last);
	return ret;
}

static int socket_open(struct net_dev *d)
{
	int ret = fe_connect(&d->fe, d->name,
			     (unsigned int)d->o->common.connect_timeout * 1000);

	if (!ret)
		ret = fe_get(&d->fe, FE_GET_FEATURES, &d->offered);
	if (!ret)
		ret = socket_protocol(d);
	if (!ret)
		ret = fe_send(&d->fe, FE_SET_OWNER);
	return say(d, ret);
}

static int socket_setup(struct net_dev *d, const struct mem *mem)
{
	int ret = fe_set(&d->fe, FE_SET_FEATURES, d->features);

	if (!ret)
		ret = fe_set_mem_table(&d->fe, mem);
	return say(d, ret);
}

static int socket_start(struct net_dev *d, unsigned int queue,
			const struct ring *r, unsigned int base)
{
	struct fe_vring_addr addr = ring_addr(r);
	struct fe *fe = &d->fe;
	int ret = fe_set_vring(fe, FE_SET_VRING_NUM, queue, r->num);

	if (!ret)
		ret = fe_set_vring(fe, FE_SET_VRING_BASE, queue, base);
	if (!ret)
		ret = fe_set_vring_addr(fe, queue, &addr);
	if (!ret)
		ret = fe_set_vring_fd(fe, FE_SET_VRING_KICK, queue, r->kick);
	if (!ret)
		ret = fe_set_vring_fd(fe, FE_SET_VRING_ERR, queue, r->err);
	if (!ret)
		ret = fe_set_vring_fd(fe, FE_SET_VRING_CALL, queue, r->call);
	if (!ret && d->features & FE_F_PROTOCOL_FEATURES)
		ret = fe_set_vring(fe, FE_SET_VRING_ENABLE, queue, 1);
	return say(d, ret);
}

static int socket_stop(struct net_dev *d, unsigned int queue, unsigned int *base)
{
	return say(d, fe_get_vring_base(&d->fe, queue, base));
}

static void socket_close(struct net_dev *d)
{
	fe_close(&d->fe);
}

const struct net_dev_ops net_dev_socket_ops = {
	.open = socket_open,
	.setup = socket_setup,
	.start = socket_start,
	.stop = socket_stop,
	.close = socket_close,
};
