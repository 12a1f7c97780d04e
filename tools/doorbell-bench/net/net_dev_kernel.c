// SPDX-License-Identifier: GPL-2.0
/*
 * net_dev_kernel - a virtio-net device served by the kernel, driven by ioctls
 *
 * A file of /dev/vhost-net is one pair of queues; a file of /dev/vhost-doorbell
 * is a whole card.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "link.h"
#include "net_dev.h"
#include "net_tap.h"
#include "tuntap.h"
#include "vhd.h"

#define VHOST_NET_PATH	"/dev/vhost-net"
/*
 * Features that vhost-net does not know, so they are not passed to it.
 * ANY_LAYOUT has the number of its VHOST_NET_F_VIRTIO_NET_HDR, with which it
 * would add headers that the tap adds already.
 */
#define VHOST_NET_NOT_ITS						\
	(NET_DEV_OFFLOADS | 1ull << VIRTIO_NET_F_MQ |			\
	 1ull << VIRTIO_F_ANY_LAYOUT)

static int failed(struct net_dev *d, const char *what, int ret)
{
	if (ret && !d->what)
		d->what = what;
	return ret;
}

static int call(struct net_dev *d, const char *what, int fd,
		unsigned long request, const void *arg)
{
	return failed(d, what, ioctl(fd, request, arg) < 0 ? -errno : 0);
}

#define CALL(d, fd, request, arg)	call(d, #request, fd, request, arg)

static int open_taps(struct net_dev *d)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < d->pairs; i++) {
		d->tap[i] = net_tap_open(d->name, d->pairs > 1);
		ret = d->tap[i] < 0 ? d->tap[i] : 0;
	}
	if (!ret)
		ret = net_tap_name(d->tap[0], d->ifname);
	if (!ret)
		ret = link_set_up(d->ifname);
	return failed(d, d->name, ret);
}

static int setup_taps(struct net_dev *d)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < d->pairs; i++)
		if (d->tap[i] >= 0)
			ret = tuntap_agree(d->tap[i], d->features);
	return failed(d, "TUNSETVNETHDRSZ, TUNSETOFFLOAD", ret);
}

static int set_mem_table(struct net_dev *d, int fd, const struct mem *mem)
{
	struct vhost_memory *table;
	int ret;

	table = calloc(1, sizeof(*table) +
		       mem->nregions * sizeof(table->regions[0]));
	if (!table)
		return -ENOMEM;
	table->nregions = mem->nregions;
	for (unsigned int i = 0; i < mem->nregions; i++)
		table->regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = mem->region[i].gpa,
			.memory_size = mem->region[i].size,
			.userspace_addr = (uintptr_t)mem->region[i].ptr,
		};
	ret = CALL(d, fd, VHOST_SET_MEM_TABLE, table);
	free(table);
	return ret;
}

/* Sets one ring up. @index is its number within the file @fd. */
static int set_ring(struct net_dev *d, int fd, unsigned int index,
		    const struct ring *r, unsigned int base)
{
	struct fe_vring_addr at = ring_addr(r);
	struct vhost_vring_state num = { index, r->num }, from = { index, base };
	struct vhost_vring_addr addr = {
		.index = index, .desc_user_addr = at.desc,
		.used_user_addr = at.used, .avail_user_addr = at.avail,
	};
	struct vhost_vring_file kick = { index, r->kick };
	struct vhost_vring_file signal = { index, r->call };
	struct vhost_vring_file err = { index, r->err };
	int ret = CALL(d, fd, VHOST_SET_VRING_NUM, &num);

	if (!ret)
		ret = CALL(d, fd, VHOST_SET_VRING_BASE, &from);
	if (!ret)
		ret = CALL(d, fd, VHOST_SET_VRING_ADDR, &addr);
	if (!ret)
		ret = CALL(d, fd, VHOST_SET_VRING_KICK, &kick);
	if (!ret)
		ret = CALL(d, fd, VHOST_SET_VRING_CALL, &signal);
	if (!ret)
		ret = CALL(d, fd, VHOST_SET_VRING_ERR, &err);
	return ret;
}

static int get_base(struct net_dev *d, int fd, unsigned int index,
		    unsigned int *base)
{
	struct vhost_vring_state state = { .index = index };
	int ret = CALL(d, fd, VHOST_GET_VRING_BASE, &state);

	*base = state.num;
	return ret;
}

static void kernel_close(struct net_dev *d)
{
	for (unsigned int i = 0; i < NET_MAX_PAIRS; i++) {
		if (d->fd[i] >= 0)
			close(d->fd[i]);
		if (d->tap[i] >= 0)
			close(d->tap[i]);
		d->fd[i] = d->tap[i] = -1;
	}
}

/* Operations of /dev/vhost-net */

static int vhost_open(struct net_dev *d)
{
	int ret = open_taps(d);

	for (unsigned int i = 0; !ret && i < d->pairs; i++) {
		d->fd[i] = open(VHOST_NET_PATH, O_RDWR | O_CLOEXEC);
		if (d->fd[i] < 0)
			return failed(d, VHOST_NET_PATH, -errno);
		ret = CALL(d, d->fd[i], VHOST_SET_OWNER, NULL);
	}
	if (!ret)
		ret = CALL(d, d->fd[0], VHOST_GET_FEATURES, &d->offered);
	/* The tap and the driver implement these features. */
	d->offered |= VHOST_NET_NOT_ITS;
	return ret;
}

static int vhost_setup(struct net_dev *d, const struct mem *mem)
{
	uint64_t features = d->features & ~VHOST_NET_NOT_ITS;
	int ret = setup_taps(d);

	for (unsigned int i = 0; !ret && i < d->pairs; i++) {
		ret = CALL(d, d->fd[i], VHOST_SET_FEATURES, &features);
		if (!ret)
			ret = set_mem_table(d, d->fd[i], mem);
	}
	return ret;
}

static int vhost_start(struct net_dev *d, unsigned int queue,
		       const struct ring *r, unsigned int base)
{
	struct vhost_vring_file file = { queue % 2, d->tap[queue / 2] };
	int fd = d->fd[queue / 2];
	int ret = set_ring(d, fd, queue % 2, r, base);

	return ret ? ret : CALL(d, fd, VHOST_NET_SET_BACKEND, &file);
}

static int vhost_stop(struct net_dev *d, unsigned int queue, unsigned int *base)
{
	struct vhost_vring_file file = { queue % 2, -1 };
	int fd = d->fd[queue / 2];
	int ret = CALL(d, fd, VHOST_NET_SET_BACKEND, &file);

	return ret ? ret : get_base(d, fd, queue % 2, base);
}

const struct net_dev_ops net_dev_vhost_ops = {
	.open = vhost_open,
	.setup = vhost_setup,
	.start = vhost_start,
	.stop = vhost_stop,
	.close = kernel_close,
};

/* Operations of /dev/vhost-doorbell */

static int doorbell_ports(struct net_dev *d)
{
	struct vhost_doorbell_net_dev own = { 0 };
	int ret = 0;

	for (unsigned int i = 0; d->o->tap && !ret && i < d->pairs; i++) {
		struct vhost_doorbell_net_port port = { .pair = i,
							.fd = d->tap[i] };

		ret = CALL(d, d->fd[0], VHOST_DOORBELL_SET_NET_PORT, &port);
	}
	if (d->o->tap)
		return ret;
	if (strlen(d->name) >= sizeof(own.name))
		return failed(d, d->name, -ENAMETOOLONG);
	strcpy(own.name, d->name);
	ret = CALL(d, d->fd[0], VHOST_DOORBELL_SET_NET_DEV, &own);
	if (ret)
		return ret;
	memcpy(d->ifname, own.name, sizeof(own.name));
	return failed(d, d->ifname, link_set_up(d->ifname));
}

static int doorbell_open(struct net_dev *d)
{
	struct vhost_doorbell_net net = { .num_pairs = d->pairs,
					  .mtu = (uint32_t)d->o->mtu };
	struct vhost_doorbell_exec exec = { 0 };
	int ret = d->o->tap ? open_taps(d) : 0;

	if (ret)
		return ret;
	d->fd[0] = vhd_dev_open(NULL);
	if (d->fd[0] < 0)
		return failed(d, VHD_DEV_PATH, d->fd[0]);
	ret = CALL(d, d->fd[0], VHOST_SET_OWNER, NULL);
	if (!ret)
		ret = CALL(d, d->fd[0], VHOST_DOORBELL_SET_NET, &net);
	if (!ret)
		ret = failed(d, "GET_EXEC", vhd_get_exec(d->fd[0], &exec));
	exec.mode = (uint32_t)d->o->mode;
	if (!ret)
		ret = CALL(d, d->fd[0], VHOST_DOORBELL_SET_EXEC, &exec);
	if (!ret)
		ret = CALL(d, d->fd[0], VHOST_GET_FEATURES, &d->offered);
	/*
	 * Make the card's network device now, so that the host's end has a
	 * name.
	 */
	if (!ret && d->o->dev)
		ret = doorbell_ports(d);
	return ret;
}

static int doorbell_setup(struct net_dev *d, const struct mem *mem)
{
	int ret = setup_taps(d);

	if (!ret)
		ret = CALL(d, d->fd[0], VHOST_SET_FEATURES, &d->features);
	if (!ret)
		ret = set_mem_table(d, d->fd[0], mem);
	if (!ret && d->o->tap)
		ret = doorbell_ports(d);
	return ret;
}

static int doorbell_run(struct net_dev *d, unsigned int queue, unsigned int run)
{
	struct vhost_doorbell_run arg = { .index = queue, .run = run };

	return CALL(d, d->fd[0], VHOST_DOORBELL_SET_RUN, &arg);
}

static int doorbell_start(struct net_dev *d, unsigned int queue,
			  const struct ring *r, unsigned int base)
{
	int ret = set_ring(d, d->fd[0], queue, r, base);

	return ret ? ret : doorbell_run(d, queue, 1);
}

static int doorbell_stop(struct net_dev *d, unsigned int queue,
			 unsigned int *base)
{
	int ret = doorbell_run(d, queue, 0);

	return ret ? ret : get_base(d, d->fd[0], queue, base);
}

const struct net_dev_ops net_dev_doorbell_ops = {
	.open = doorbell_open,
	.setup = doorbell_setup,
	.start = doorbell_start,
	.stop = doorbell_stop,
	.close = kernel_close,
};
