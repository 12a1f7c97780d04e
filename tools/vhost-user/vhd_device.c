// SPDX-License-Identifier: GPL-2.0
#include "vhd_device.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cgroup.h"
#include "fd.h"
#include "vhd.h"

/* Of a packed ring that is new: both counters are set, and zero. */
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
	/* The disk turned out to be read-only: there is nothing to choose. */
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
	struct vhd_device *d = to_vhd(dev);
	struct vhost_doorbell_stats stats;
	int ret;

	ret = vhd_set_run(d->fd, q, run);
	if (ret || !run)
		return ret;
	/*
	 * The new worker has our nice value and CPUs, but a kernel thread does
	 * not inherit a cgroup. Who may not move it can do without.
	 */
	if (!vhd_get_stats(d->fd, q, &stats) && stats.worker_pid)
		cgroup_adopt(stats.worker_pid);
	return 0;
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
	.get_features = device_get_features,
	.set_features = device_set_features,
	.set_mem_table = device_set_mem_table,
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
