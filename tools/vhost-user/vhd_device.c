// SPDX-License-Identifier: GPL-2.0
#include "vhd_device.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "keep.h"
#include "vhd.h"

/* A second in all */
#define ADOPT_TRIES	100
#define ADOPT_PAUSE_US	10000

/* Base of a new packed ring: both wrap counters are set, both indices are zero. */
#define PACKED_BASE	0x80008000u

static struct vhd_device *to_vhd(struct vu_device *dev)
{
	return (struct vhd_device *)((char *)dev -
				     offsetof(struct vhd_device, base));
}

static int device_setup(struct vhd_device *d, int fd)
{
	struct vhost_doorbell_info info;
	int ret;

	ret = vhd_get_info(fd, &info);
	if (ret)
		return ret;
	if (info.abi_version != VHOST_DOORBELL_ABI_VERSION)
		return -EPROTONOSUPPORT;
	ret = vhd_set_owner(fd);
	if (ret)
		return ret;
	ret = d->attach(fd, d->context);
	if (!ret && d->written.size)
		ret = vhd_set_config(fd, d->written.offset, d->written.data,
				     d->written.size);
	if (ret)
		return ret;
	ret = vhd_set_exec(fd, &d->exec);
	if (ret)
		return ret;
	if (d->base.type == VU_DEVICE_BLK)
		ret = vhd_resize(fd, &d->sectors);
	if (ret)
		return ret;
	d->base.num_queues = d->num_queues;
	d->base.max_regions = info.max_regions;
	return 0;
}

static int device_open(struct vu_device *dev)
{
	struct vhd_device *d = to_vhd(dev);
	_cleanup_fd_ int fd = -1;
	int ret;

	fd = vhd_dev_open(d->path);
	if (fd < 0)
		return fd;
	ret = device_setup(d, fd);
	if (ret)
		return ret;
	d->fd = steal_fd(&fd);
	return 0;
}

static int device_keep(struct vu_device *dev, struct fdstore *store)
{
	struct vhd_device *d = to_vhd(dev);
	int ret = d->keep ? d->keep(store, d->context) : 0;

	return ret ? ret : fdstore_put(store, VU_KEEP_DEVICE, d->fd);
}

_Static_assert(sizeof(struct vhd_saved) <= VU_STATE_DEVICE, "fits into the state");

static void device_save(struct vu_device *dev, uint8_t *to)
{
	const struct vhd_device *d = to_vhd(dev);
	const struct vhd_saved saved = {
		.sectors = d->sectors,
		.num_queues = d->base.num_queues,
		.began = d->began,
		.accepted = d->base.accepted,
		.written = d->written,
	};

	memcpy(to, &saved, sizeof(saved));
}

/* The address space of a killed process may end a moment after the process. */
static int adopt_patiently(int fd, const struct vhost_memory *mem)
{
	int tries = ADOPT_TRIES, ret;

	while ((ret = vhd_adopt(fd, mem)) == -EBUSY && --tries)
		usleep(ADOPT_PAUSE_US);
	return ret;
}

static int device_adopt(struct vu_device *dev, int fd, const struct vhost_memory *mem,
			const uint8_t *from)
{
	struct vhd_device *d = to_vhd(dev);
	struct vhost_doorbell_info info;
	struct vhd_saved saved;
	int ret;

	memcpy(&saved, from, sizeof(saved));
	ret = vhd_get_info(fd, &info);
	if (!ret && info.abi_version != VHOST_DOORBELL_ABI_VERSION)
		ret = -EPROTONOSUPPORT;
	if (!ret)
		ret = adopt_patiently(fd, mem);
	if (ret)
		return ret;
	d->fd = fd;
	d->sectors = saved.sectors;
	d->began = saved.began;
	d->written = saved.written;
	d->base.num_queues = saved.num_queues;
	/* This front end was offered them, whatever the settings say by now. */
	d->base.accepted |= saved.accepted;
	d->base.max_regions = info.max_regions;
	return 0;
}

static int device_running(struct vu_device *dev, uint32_t q, bool *running)
{
	struct vhost_doorbell_stats stats;
	int ret = vhd_get_stats(to_vhd(dev)->fd, q, &stats);

	*running = !ret && stats.state & VHOST_DOORBELL_QUEUE_RUNNING;
	return ret;
}

static void device_close(struct vu_device *dev)
{
	fd_close(&to_vhd(dev)->fd);
}

static int device_get_features(struct vu_device *dev, uint64_t *features)
{
	struct vhd_device *d = to_vhd(dev);
	int ret = vhd_get_features(d->fd, features);

	if (!ret)
		*features &= ~d->withheld;
	return ret;
}

static int device_set_features(struct vu_device *dev, uint64_t features)
{
	return vhd_set_features(to_vhd(dev)->fd, features);
}

static int device_set_mem_table(struct vu_device *dev,
				const struct vhost_memory *mem)
{
	return vhd_set_mem_table(to_vhd(dev)->fd, mem);
}

static int device_activate(struct vu_device *dev, bool active)
{
	struct vhd_device *d = to_vhd(dev);

	return d->claim ? d->claim(d->fd, d->context, active) : 0;
}

static int device_set_log(struct vu_device *dev, uint64_t addr, uint64_t size)
{
	return vhd_set_log(to_vhd(dev)->fd, addr, size);
}

static int device_set_inflight(struct vu_device *dev, uint32_t q,
			       uint64_t addr, uint64_t size)
{
	return vhd_set_inflight(to_vhd(dev)->fd, q, addr, size);
}

static int device_get_config(struct vu_device *dev, uint32_t offset,
			     void *data, uint32_t size)
{
	return vhd_get_config(to_vhd(dev)->fd, offset, data, size);
}

static int device_set_config(struct vu_device *dev, uint32_t offset,
			     const void *data, uint32_t size)
{
	struct vhd_device *d = to_vhd(dev);
	int ret = vhd_set_config(d->fd, offset, data, size);

	if (ret)
		return ret;
	d->written.offset = offset;
	d->written.size = size;
	memcpy(d->written.data, data, size);
	return 0;
}

static int device_resize(struct vu_device *dev, bool *changed)
{
	struct vhd_device *d = to_vhd(dev);
	uint64_t sectors;
	int ret = vhd_resize(d->fd, &sectors);

	if (ret)
		return ret;
	*changed = sectors != d->sectors;
	d->sectors = sectors;
	return 0;
}

static int device_set_vring_num(struct vu_device *dev, uint32_t q, uint32_t num)
{
	return vhd_set_vring_num(to_vhd(dev)->fd, q, num);
}

static int device_set_vring_addr(struct vu_device *dev,
				 const struct vhost_vring_addr *addr)
{
	return vhd_set_vring_addr(to_vhd(dev)->fd, addr);
}

static int device_set_vring_base(struct vu_device *dev, uint32_t q,
				 uint32_t base)
{
	struct vhd_device *d = to_vhd(dev);
	int ret = 0;

	if (!base || base == PACKED_BASE)
		d->began = true;
	else if (!d->began && !d->written.size && d->resumed)
		ret = device_set_config(dev, d->resumed->offset,
					d->resumed->data, d->resumed->size);
	/* A read-only disk has no cache mode to set. */
	if (ret == -EPERM)
		ret = 0;
	return ret ? ret : vhd_set_vring_base(d->fd, q, base);
}

static int device_get_vring_base(struct vu_device *dev, uint32_t q,
				 uint32_t *base)
{
	return vhd_get_vring_base(to_vhd(dev)->fd, q, base);
}

static int device_set_vring_kick(struct vu_device *dev, uint32_t q, int fd)
{
	return vhd_set_vring_kick(to_vhd(dev)->fd, q, fd);
}

static int device_set_vring_call(struct vu_device *dev, uint32_t q, int fd)
{
	return vhd_set_vring_call(to_vhd(dev)->fd, q, fd);
}

static int device_set_vring_err(struct vu_device *dev, uint32_t q, int fd)
{
	return vhd_set_vring_err(to_vhd(dev)->fd, q, fd);
}

static int device_set_run(struct vu_device *dev, uint32_t q, bool run)
{
	return vhd_set_run(to_vhd(dev)->fd, q, run,
			   !run && dev->end_held ?
			   VHOST_DOORBELL_RUN_F_END_HELD : 0);
}

static int device_progress(struct vu_device *dev, uint32_t q, uint64_t *kicks,
			   uint64_t *requests)
{
	struct vhost_doorbell_stats stats;
	int ret = vhd_get_stats(to_vhd(dev)->fd, q, &stats);

	if (ret)
		return ret;
	*kicks = stats.kicks;
	*requests = stats.requests;
	return 0;
}

static const struct vu_device_ops vhd_device_ops = {
	.open = device_open,
	.close = device_close,
	.keep = device_keep,
	.save = device_save,
	.adopt = device_adopt,
	.running = device_running,
	.get_features = device_get_features,
	.set_features = device_set_features,
	.set_mem_table = device_set_mem_table,
	.activate = device_activate,
	.set_log = device_set_log,
	.set_inflight = device_set_inflight,
	.get_config = device_get_config,
	.set_config = device_set_config,
	.resize = device_resize,
	.set_vring_num = device_set_vring_num,
	.set_vring_addr = device_set_vring_addr,
	.set_vring_base = device_set_vring_base,
	.get_vring_base = device_get_vring_base,
	.set_vring_kick = device_set_vring_kick,
	.set_vring_call = device_set_vring_call,
	.set_vring_err = device_set_vring_err,
	.set_run = device_set_run,
	.progress = device_progress,
};

void vhd_device_init(struct vhd_device *d)
{
	d->base.ops = &vhd_device_ops;
	d->fd = -1;
}
