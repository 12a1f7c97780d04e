// SPDX-License-Identifier: GPL-2.0
/* vhd_watch.c: each call of a device that may wait for the disk is watched. */
#include <errno.h>
#include <fcntl.h>

#include "test_vu.h"
#include "vhd_watch.h"

static struct vhd_watch watch;
static unsigned int calls, watched;

/*
 * The inner device's calls all lead here; the caller must get the result of
 * this.
 */
static int called(void)
{
	calls++;
	watched += watch.stops.waiting;
	return -EIO;
}

static int inner_open(struct vu_device *dev)
{
	(void)dev;
	return called();
}

static void inner_close(struct vu_device *dev)
{
	(void)dev;
	called();
}

static int inner_set_mem_table(struct vu_device *dev,
			       const struct vhost_memory *mem)
{
	(void)dev, (void)mem;
	return called();
}

static int inner_set_config(struct vu_device *dev, uint32_t offset,
			    const void *data, uint32_t size)
{
	(void)dev, (void)offset, (void)data, (void)size;
	return called();
}

static int inner_set_base(struct vu_device *dev, uint32_t q, uint32_t base)
{
	(void)dev, (void)q, (void)base;
	return called();
}

static int inner_get_base(struct vu_device *dev, uint32_t q, uint32_t *base)
{
	(void)dev, (void)q, (void)base;
	return called();
}

static int inner_set_run(struct vu_device *dev, uint32_t q, bool run)
{
	(void)dev, (void)q, (void)run;
	return called();
}

static const struct vu_device_ops inner_ops = {
	.open = inner_open,
	.close = inner_close,
	.set_mem_table = inner_set_mem_table,
	.set_config = inner_set_config,
	.set_vring_base = inner_set_base,
	.get_vring_base = inner_get_base,
	.set_run = inner_set_run,
};

static void give_up(void *context)
{
	(void)context;
}

static void test_all(void)
{
	struct vu_device *dev = &watch.vhd.base;
	int stop[2];
	uint32_t base;

	if (pipe2(stop, O_CLOEXEC))
		abort();
	watch.stops = (struct stop_watch){ .stop = stop[0], .give_up = give_up };
	watch.vhd.fd = -1;
	dev->ops = &inner_ops;
	vhd_watch_init(&watch);
	CHECK_EQ(stop_watch_start(&watch.stops), 0);
	CHECK_EQ(dev->ops->open(dev), -EIO);
	CHECK_EQ(dev->ops->set_mem_table(dev, NULL), -EIO);
	CHECK_EQ(dev->ops->set_config(dev, 0, "", 1), -EIO);
	CHECK_EQ(dev->ops->set_vring_base(dev, 0, 0), -EIO);
	CHECK_EQ(dev->ops->get_vring_base(dev, 0, &base), -EIO);
	CHECK_EQ(dev->ops->set_run(dev, 0, false), -EIO);
	dev->ops->close(dev);
	CHECK_EQ(calls, 7);
	CHECK_EQ(watched, calls);
	CHECK(!watch.stops.waiting);
	close(watch.stops.timer);
	close(stop[0]);
	close(stop[1]);
}

static const struct test tests[] = {
	{ "calls that wait for the disk are watched", test_all },
};

TEST_MAIN(tests)
