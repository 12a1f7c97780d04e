// SPDX-License-Identifier: GPL-2.0
#include "vhd_watch.h"

#include <stddef.h>

static struct vhd_watch *to_watch(struct vu_device *dev)
{
	return (struct vhd_watch *)((char *)dev -
				    offsetof(struct vhd_watch, vhd.base));
}

/*
 * Opens a watched device. SET_BLK may wait until the page cache of the disk is
 * written back.
 */
static int watch_open(struct vu_device *dev)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->open(dev);
	stop_watch_end(&w->stops);
	return ret;
}

/* Taking a device over waits for what its queues do at the moment. */
static int watch_adopt(struct vu_device *dev, int fd, const struct vhost_memory *mem,
		       const uint8_t *saved)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, fd);
	ret = w->inner->adopt(dev, fd, mem, saved);
	stop_watch_end(&w->stops);
	return ret;
}

static void watch_close(struct vu_device *dev)
{
	struct vhd_watch *w = to_watch(dev);

	stop_watch_begin(&w->stops, w->vhd.fd);
	w->inner->close(dev);
	stop_watch_end(&w->stops);
}

static int watch_set_mem_table(struct vu_device *dev,
			       const struct vhost_memory *mem)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->set_mem_table(dev, mem);
	stop_watch_end(&w->stops);
	return ret;
}

/* Setting the cache to write-through waits for a flush. */
static int watch_set_config(struct vu_device *dev, uint32_t offset,
			    const void *data, uint32_t size)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->set_config(dev, offset, data, size);
	stop_watch_end(&w->stops);
	return ret;
}

/*
 * Setting the base may write to the config space, which waits as
 * watch_set_config() does.
 */
static int watch_set_vring_base(struct vu_device *dev, uint32_t q,
				uint32_t base)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->set_vring_base(dev, q, base);
	stop_watch_end(&w->stops);
	return ret;
}

static int watch_get_vring_base(struct vu_device *dev, uint32_t q,
				uint32_t *base)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->get_vring_base(dev, q, base);
	stop_watch_end(&w->stops);
	return ret;
}

static int watch_set_run(struct vu_device *dev, uint32_t q, bool run)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->set_run(dev, q, run);
	stop_watch_end(&w->stops);
	return ret;
}

static int watch_set_log(struct vu_device *dev, uint64_t addr, uint64_t size)
{
	struct vhd_watch *w = to_watch(dev);
	int ret;

	stop_watch_begin(&w->stops, w->vhd.fd);
	ret = w->inner->set_log(dev, addr, size);
	stop_watch_end(&w->stops);
	return ret;
}

void vhd_watch_init(struct vhd_watch *w)
{
	w->inner = w->vhd.base.ops;
	w->ops = *w->inner;
	w->ops.open = watch_open;
	w->ops.adopt = watch_adopt;
	w->ops.close = watch_close;
	w->ops.set_mem_table = watch_set_mem_table;
	w->ops.set_config = watch_set_config;
	w->ops.set_vring_base = watch_set_vring_base;
	w->ops.get_vring_base = watch_get_vring_base;
	w->ops.set_run = watch_set_run;
	w->ops.set_log = watch_set_log;
	w->vhd.base.ops = &w->ops;
}
