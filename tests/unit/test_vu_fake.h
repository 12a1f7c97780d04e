/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_vu_fake - a device for sessions that only remembers what it was told
 *
 * It holds the session to the rules of the kernel module: a queue is wired only
 * while it is stopped and started only when it is wired. A break of them is
 * counted in @abuse.
 */
#ifndef TESTS_UNIT_TEST_VU_FAKE_H
#define TESTS_UNIT_TEST_VU_FAKE_H

#include <errno.h>
#include <linux/vhost_types.h>
#include <string.h>

#include "device.h"

#define FAKE_QUEUES	4
#define FAKE_FEATURES	((1ULL << 32) | (1ULL << 29) | (1ULL << 28) | 0x244)
#define FAKE_PACKED	(1ULL << 34)
#define FAKE_OFFERED	(FAKE_FEATURES | FAKE_PACKED)

struct fake_queue {
	uint32_t		num;
	uint32_t		base;
	struct vhost_vring_addr addr;
	int			kick, call, err;
	bool			running;
	unsigned int		starts;
	uint64_t		kicks, requests;	/* what progress() shall say */
};

struct fake {
	struct vu_device  base;
	struct fake_queue queue[FAKE_QUEUES];
	uint64_t	  features;
	unsigned int	  regions;
	unsigned int	  calls;
	unsigned int	  abuse;
	bool		  open;
	bool		  resized;	/* what resize() shall say, once */
	uint64_t	  offered;	/* 0: FAKE_OFFERED */
	unsigned int	  mtu;
	uint8_t		  mac[VU_MAC_LEN];
	unsigned int	  rarps;
	/* What calls shall return. */
	int		  mem_ret, run_ret, config_ret, open_ret, net_ret;
};

static inline struct fake_queue *fake_queue(struct vu_device *dev, uint32_t q)
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	if (!f->open || q >= FAKE_QUEUES)
		f->abuse++;
	return &f->queue[q % FAKE_QUEUES];
}

static inline struct fake_queue *fake_stopped(struct vu_device *dev, uint32_t q)
{
	struct fake_queue *fq = fake_queue(dev, q);

	if (fq->running)
		((struct fake *)dev)->abuse++;
	return fq;
}

static int fake_open(struct vu_device *dev)
{
	struct fake *f = (struct fake *)dev;

	if (f->open_ret)
		return f->open_ret;
	memset(f->queue, 0, sizeof(f->queue));
	f->open = true;
	f->features = 0;
	f->regions = 0;
	dev->num_queues = FAKE_QUEUES;
	dev->max_regions = 512;
	return 0;
}

static void fake_close(struct vu_device *dev)
{
	((struct fake *)dev)->open = false;
}

static inline uint64_t fake_offered(const struct fake *f)
{
	return f->offered ? f->offered : FAKE_OFFERED;
}

static int fake_get_features(struct vu_device *dev, uint64_t *features)
{
	struct fake *f = (struct fake *)dev;

	/* Bits that a session must not pass on: VHOST_F_LOG_ALL, and 30. */
	*features = fake_offered(f) | 1ULL << 26 | 1ULL << 30;
	return 0;
}

static int fake_set_features(struct vu_device *dev, uint64_t features)
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	if (features & ~(fake_offered(f) | dev->accepted))
		f->abuse++;
	f->features = features;
	return 0;
}

static int fake_set_mem_table(struct vu_device *dev,
			      const struct vhost_memory *mem)
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	if (f->mem_ret)
		return f->mem_ret;
	f->regions = mem->nregions;
	return 0;
}

static int fake_resize(struct vu_device *dev, bool *changed)
{
	struct fake *f = (struct fake *)dev;

	*changed = f->resized;
	f->resized = false;
	return f->config_ret;
}

static int fake_get_config(struct vu_device *dev, uint32_t offset, void *data,
			   uint32_t size)
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	if (offset + size > 256)
		f->abuse++;
	memset(data, 0x5a, size);
	return f->config_ret;
}

static int fake_set_config(struct vu_device *dev, uint32_t offset,
			   const void *data, uint32_t size)
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	(void)data;
	if (offset + size > 256)
		f->abuse++;
	return -EPERM;
}

static int fake_set_num(struct vu_device *dev, uint32_t q, uint32_t num)
{
	fake_stopped(dev, q)->num = num;
	return 0;
}

static int fake_set_addr(struct vu_device *dev,
			 const struct vhost_vring_addr *addr)
{
	fake_stopped(dev, addr->index)->addr = *addr;
	return 0;
}

static int fake_set_base(struct vu_device *dev, uint32_t q, uint32_t base)
{
	fake_stopped(dev, q)->base = base;
	return 0;
}

static int fake_get_base(struct vu_device *dev, uint32_t q, uint32_t *base)
{
	*base = fake_stopped(dev, q)->base;
	return 0;
}

static int fake_set_kick(struct vu_device *dev, uint32_t q, int fd)
{
	fake_stopped(dev, q)->kick = fd;
	return 0;
}

static int fake_set_call(struct vu_device *dev, uint32_t q, int fd)
{
	fake_queue(dev, q)->call = fd;
	return 0;
}

static int fake_set_err(struct vu_device *dev, uint32_t q, int fd)
{
	fake_queue(dev, q)->err = fd;
	return 0;
}

static int fake_set_run(struct vu_device *dev, uint32_t q, bool run)
{
	struct fake_queue *fq = fake_queue(dev, q);
	struct fake *f = (struct fake *)dev;

	if (fq->running == run)
		f->abuse++;
	if (run && (!fq->num || !fq->addr.desc_user_addr || fq->kick < 0))
		f->abuse++;
	if (f->run_ret)
		return f->run_ret;
	fq->running = run;
	fq->starts += run;
	/* As if the queue had done some work; the high half is a packed one's. */
	if (!run)
		fq->base = (fq->base & ~0xffffU) | ((fq->base + 5) & 0xffff);
	return 0;
}

static int fake_progress(struct vu_device *dev, uint32_t q, uint64_t *kicks,
			 uint64_t *requests)
{
	struct fake_queue *fq = fake_queue(dev, q);

	*kicks = fq->kicks;
	*requests = fq->requests;
	return 0;
}

static int fake_set_mtu(struct vu_device *dev, unsigned int mtu)
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	f->mtu = mtu;
	return f->net_ret;
}

static int fake_send_rarp(struct vu_device *dev, const uint8_t mac[VU_MAC_LEN])
{
	struct fake *f = (struct fake *)dev;

	f->calls++;
	f->rarps++;
	memcpy(f->mac, mac, VU_MAC_LEN);
	return f->net_ret;
}

static const struct vu_device_ops fake_ops = {
	.open = fake_open,
	.close = fake_close,
	.get_features = fake_get_features,
	.set_features = fake_set_features,
	.set_mem_table = fake_set_mem_table,
	.get_config = fake_get_config,
	.resize = fake_resize,
	.set_config = fake_set_config,
	.set_vring_num = fake_set_num,
	.set_vring_addr = fake_set_addr,
	.set_vring_base = fake_set_base,
	.get_vring_base = fake_get_base,
	.set_vring_kick = fake_set_kick,
	.set_vring_call = fake_set_call,
	.set_vring_err = fake_set_err,
	.set_run = fake_set_run,
	.progress = fake_progress,
	.set_mtu = fake_set_mtu,
	.send_rarp = fake_send_rarp,
};

#endif
