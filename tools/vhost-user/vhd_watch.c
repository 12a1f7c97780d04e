// SPDX-License-Identifier: GPL-2.0
#include "vhd_watch.h"

#include <stddef.h>

static struct vhd_watch *to_watch(struct vu_device *dev)
{
	return (struct vhd_watch *)((char *)dev -
				    offsetof(struct vhd_watch, vhd.base));
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

void vhd_watch_init(struct vhd_watch *w)
{
	w->inner = w->vhd.base.ops;
	w->ops = *w->inner;
	w->ops.close = watch_close;
	w->ops.set_mem_table = watch_set_mem_table;
	w->ops.get_vring_base = watch_get_vring_base;
	w->ops.set_run = watch_set_run;
	w->vhd.base.ops = &w->ops;
}
