/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_vu_fake - a device for sessions that records the calls it gets
 *
 * It holds the session to the rules of the kernel module: a queue is wired only
 * while it is stopped, and started only when it is wired. @abuse counts
 * violations.
 */
#ifndef TESTS_UNIT_TEST_VU_FAKE_H
#define TESTS_UNIT_TEST_VU_FAKE_H

#include <errno.h>
#include <linux/vhost_types.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "fd.h"
#include "keep.h"

#define FAKE_QUEUES	4
#define FAKE_REGIONS	16
#define FAKE_FEATURES	((1ULL << 32) | (1ULL << 29) | (1ULL << 28) | 0x244)
#define FAKE_PACKED	(1ULL << 34)
#define FAKE_OFFERED	(FAKE_FEATURES | FAKE_PACKED)

struct fake_queue {
	uint32_t		num;
	uint32_t		base;
	struct vhost_vring_addr addr;
	int			kick, call, err;
	bool			running;
	bool			ended;		/* the last stop had end_held set */
	unsigned int		starts;
	uint64_t		inflight_addr, inflight_size;
	uint64_t		inflight_pinned;	/* size, at the last start */
	uint64_t		kicks, requests;	/* results of progress() */
};

struct fake {
	struct vu_device  base;
	struct fake_queue queue[FAKE_QUEUES];
	uint64_t	  features;
	unsigned int	  regions;
	struct vhost_memory_region region[FAKE_REGIONS];
	unsigned int	  adopts;
	int		  fd;		/* stands for the device, for the keeper */
	unsigned int	  calls;
	unsigned int	  abuse;
	bool		  open;
	bool		  resized;	/* result of the next resize() */
	uint64_t	  offered;	/* features to offer; 0: FAKE_OFFERED */
	uint64_t	  log_addr, log_size;
	unsigned int	  logs;		/* calls of set_log() */
	unsigned int	  mtu;
	uint8_t		  mac[VU_MAC_LEN];
	unsigned int	  rarps;
	/* Results of the calls. */
	int		  log_ret, mem_ret, run_ret, config_ret, open_ret, net_ret;
};

/* A place where a test that traces system calls can kill the process */
static inline void fake_step(void)
{
	syscall(SYS_getppid);
}

static inline struct fake_queue *fake_queue(struct vu_device *dev, uint32_t q)
{
	struct fake *f = (struct fake *)dev;

	fake_step();
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
	f->fd = -1;
	f->open = true;
	f->features = 0;
	f->regions = 0;
	dev->num_queues = FAKE_QUEUES;
	dev->max_regions = 512;
	return 0;
}

static void fake_close(struct vu_device *dev)
{
	struct fake *f = (struct fake *)dev;

	fake_step();
	f->open = false;
	fd_close(&f->fd);
}

static inline uint64_t fake_offered(const struct fake *f)
{
	return f->offered ? f->offered : FAKE_OFFERED;
}

static int fake_get_features(struct vu_device *dev, uint64_t *features)
{
	struct fake *f = (struct fake *)dev;

	/* Bits that the session must not offer: VHOST_F_LOG_ALL and bit 30. */
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

	fake_step();
	f->calls++;
	if (f->mem_ret)
		return f->mem_ret;
	f->regions = mem->nregions;
	for (unsigned int i = 0; i < f->regions && i < FAKE_REGIONS; i++)
		f->region[i] = mem->regions[i];
	if (!f->regions)
		f->log_size = 0;
	return 0;
}

/* The address of the same byte in the new table; 0: it is not there. */
static inline uint64_t fake_move(const struct fake *f, const struct vhost_memory *new,
				 uint64_t addr)
{
	for (unsigned int i = 0; i < f->regions; i++) {
		const struct vhost_memory_region *r = &f->region[i];
		uint64_t gpa = addr - r->userspace_addr + r->guest_phys_addr;

		if (addr - r->userspace_addr >= r->memory_size)
			continue;
		for (unsigned int j = 0; j < new->nregions; j++) {
			const struct vhost_memory_region *n = &new->regions[j];

			if (gpa - n->guest_phys_addr < n->memory_size)
				return gpa - n->guest_phys_addr + n->userspace_addr;
		}
	}
	return 0;
}

/* As VHOST_DOORBELL_ADOPT */
static int fake_adopt(struct vu_device *dev, int fd, const struct vhost_memory *mem,
		      const uint8_t *saved)
{
	struct fake *f = (struct fake *)dev;

	(void)saved;
	fake_step();
	if (!f->open || fd < 0)
		f->abuse++;
	if (!mem->nregions && f->regions)
		return -EINVAL;
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		if (f->queue[i].running &&
		    !fake_move(f, mem, f->queue[i].addr.desc_user_addr))
			return -EBUSY;
	for (unsigned int i = 0; i < FAKE_QUEUES; i++) {
		f->queue[i].addr.desc_user_addr =
			fake_move(f, mem, f->queue[i].addr.desc_user_addr);
		f->queue[i].inflight_addr = 0;
		f->queue[i].inflight_size = 0;
	}
	f->regions = mem->nregions;
	for (unsigned int i = 0; i < f->regions && i < FAKE_REGIONS; i++)
		f->region[i] = mem->regions[i];
	f->fd = fd;
	f->adopts++;
	fake_step();
	return 0;
}

static int fake_keep(struct vu_device *dev, struct fdstore *store)
{
	struct fake *f = (struct fake *)dev;

	f->fd = eventfd(0, EFD_CLOEXEC);
	return fdstore_put(store, VU_KEEP_DEVICE, f->fd);
}

static void fake_save(struct vu_device *dev, uint8_t *to)
{
	(void)dev;
	to[0] = 0x5a;
}

static int fake_running(struct vu_device *dev, uint32_t q, bool *running)
{
	*running = fake_queue(dev, q)->running;
	return 0;
}

static int fake_set_inflight(struct vu_device *dev, uint32_t q, uint64_t addr,
			     uint64_t size)
{
	struct fake_queue *fq = fake_stopped(dev, q);

	if (!size != !addr || addr % 8)
		((struct fake *)dev)->abuse++;
	fq->inflight_addr = addr;
	fq->inflight_size = size;
	return 0;
}

static int fake_set_log(struct vu_device *dev, uint64_t addr, uint64_t size)
{
	struct fake *f = (struct fake *)dev;

	fake_step();
	f->calls++;
	f->logs++;
	if (!f->regions || !size != !addr)
		f->abuse++;
	if (f->log_ret)
		return f->log_ret;
	f->log_addr = addr;
	f->log_size = size;
	fake_step();
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
	fq->ended = !run && dev->end_held;
	if (run)
		fq->inflight_pinned = fq->inflight_size;
	fake_step();
	fq->starts += run;
	/*
	 * Pretend that the queue served 5 requests. The high half of the base
	 * belongs to packed rings.
	 */
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
	.keep = fake_keep,
	.save = fake_save,
	.adopt = fake_adopt,
	.running = fake_running,
	.get_features = fake_get_features,
	.set_features = fake_set_features,
	.set_mem_table = fake_set_mem_table,
	.set_log = fake_set_log,
	.set_inflight = fake_set_inflight,
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
