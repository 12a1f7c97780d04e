// SPDX-License-Identifier: GPL-2.0
/* victim - a device attacked on queue 0, with queue 1 as the witness */
#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "run.h"
#include "victim.h"

#define VICTIM_REGION	(1u << 19)
#define VICTIM_TIMEOUT	10000	/* ms; long, as emulated machines are slow */

static int victim_memory(struct victim *v, const struct options *o)
{
	size_t punch = mem_punch_size(o->common.mem_kind);
	int ret;

	/*
	 * Data areas are whole units of mem_punch(), which are large with huge
	 * pages.
	 */
	ret = mem_create(&v->mem, o->common.mem_kind, o->common.mem_path, 2,
			 VICTIM_REGION + 2 * punch);
	if (ret)
		return ret;
	v->guard = mem_alloc(&v->mem, VICTIM_GUARD, 4096, 1);
	memset(v->guard, 0x5a, VICTIM_GUARD);
	for (unsigned int i = 0; i < 2; i++) {
		ret = ring_create(&v->ring[i], &v->mem, &(struct ring_config){
			.num = VICTIM_NUM, .packed = o->common.packed, .region = i,
			.seed = i,
		});
		if (ret)
			return ret;
		v->ring[i].event_idx = dev_has(&v->dev,
					       VIRTIO_RING_F_EVENT_IDX);
		ret = quick_create(&v->quick[i], &v->ring[i], i);
		if (ret)
			return ret;
	}
	/* The header of quick_io() lies in the other region, which is fine. */
	v->table_at = mem_alloc(&v->mem, VICTIM_TABLE * sizeof(*v->table), 16,
				0);
	v->desc = o->common.packed ? v->packed.desc : v->ring[0].split.desc;
	v->table = o->common.packed ? v->packed.table : v->table_at;
	v->header = mem_alloc(&v->mem, sizeof(*v->header), 16, 0);
	v->status = mem_alloc(&v->mem, 16, 16, 0);
	v->data = mem_alloc(&v->mem, VICTIM_DATA, 4096, 0);
	return 0;
}

/* Writes data that are not zero to the end of the disk and keeps a copy. */
static int victim_reference(struct victim *v)
{
	unsigned int q = v->has_witness;
	uint8_t *data = quick_data(&v->quick[q]);
	uint64_t rng = 1;
	int ret;

	v->witness_sector = v->capacity - QUICK_BYTES / 512;
	v->witness_sector -= v->witness_sector % (QUICK_BYTES / 512);
	for (unsigned int i = 0; i < QUICK_BYTES; i++)
		data[i] = (uint8_t)bench_random(&rng);
	if (!v->read_only) {
		ret = quick_io(&v->quick[q], VIRTIO_BLK_T_OUT,
			       v->witness_sector, QUICK_BYTES, VICTIM_TIMEOUT);
		if (ret)
			return ret < 0 ? ret : -EIO;
	}
	ret = quick_io(&v->quick[q], VIRTIO_BLK_T_IN, v->witness_sector,
		       QUICK_BYTES, VICTIM_TIMEOUT);
	if (ret)
		return ret < 0 ? ret : -EIO;
	memcpy(v->reference, data, QUICK_BYTES);
	return 0;
}

static int victim_start(struct victim *v)
{
	int ret = dev_setup(&v->dev, &v->wish, &v->mem);

	for (unsigned int i = 0; !ret && i <= v->has_witness; i++)
		ret = dev_queue_start(&v->dev, i, &v->ring[i],
				      ring_base(&v->ring[i]));
	return ret;
}

int victim_open(struct victim *v, const struct options *o, bool no_indirect)
{
	int ret;

	memset(v, 0, sizeof(*v));
	v->mem.fd = -1;
	v->dev.fe.sock = -1;
	for (unsigned int i = 0; i < 2; i++)
		v->ring[i].kick = v->ring[i].call = v->ring[i].err = -1;
	v->wish = run_wish(o);
	if (no_indirect)
		v->wish.refuse |= 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	ret = dev_open(&v->dev, &v->wish);
	if (ret)
		return ret;
	v->capacity = v->dev.config.capacity;
	v->read_only = dev_has(&v->dev, VIRTIO_BLK_F_RO);
	v->has_witness = v->dev.max_queues > 1 && v->dev.config.num_queues > 1;
	if (v->capacity < 4 * QUICK_BYTES / 512)
		ret = -ENOSPC;
	if (!ret)
		ret = victim_memory(v, o);
	if (!ret)
		ret = victim_start(v);
	if (!ret)
		ret = victim_reference(v);
	if (!ret)
		ret = victim_restart(v);
	if (ret)
		victim_close(v);
	return ret;
}

void victim_close(struct victim *v)
{
	for (unsigned int i = 0; i < 2; i++) {
		quick_destroy(&v->quick[i]);
		if (v->ring[i].kick >= 0)
			ring_destroy(&v->ring[i]);
		v->ring[i].kick = -1;
	}
	dev_close(&v->dev);
	mem_destroy(&v->mem);
}

uint64_t victim_gpa(const struct victim *v, const void *ptr)
{
	return mem_gpa(&v->mem, ptr);
}

uint64_t victim_end(const struct victim *v)
{
	return v->mem.region[0].gpa + v->mem.region[0].size;
}

static void craft(struct victim *v, struct vring_desc *d, uint32_t type,
		  uint64_t sector, uint32_t len)
{
	uint16_t write = type == VIRTIO_BLK_T_OUT ? 0 : VRING_DESC_F_WRITE;

	*v->header = (struct virtio_blk_outhdr){ .type = type,
						 .sector = sector };
	memset(v->data, 0xee, VICTIM_DATA);
	*v->status = 0xff;
	d[0] = (struct vring_desc){ victim_gpa(v, v->header),
				    sizeof(*v->header), VRING_DESC_F_NEXT, 1 };
	d[1] = (struct vring_desc){ victim_gpa(v, v->data), len,
				    VRING_DESC_F_NEXT | write, 2 };
	d[2] = (struct vring_desc){ victim_gpa(v, v->status), 1,
				    VRING_DESC_F_WRITE, 0 };
	if (ring_is_packed(&v->ring[0]))
		v->packed.id = 0;
	else
		v->ring[0].split.avail->ring[0] = 0;
	v->avail_idx = 1;
}

void victim_direct(struct victim *v, uint32_t type, uint64_t sector,
		   uint32_t len)
{
	craft(v, v->desc, type, sector, len);
}

void victim_indirect(struct victim *v, uint32_t type, uint64_t sector,
		     uint32_t len)
{
	craft(v, v->table, type, sector, len);
	v->desc[0] = (struct vring_desc){ victim_gpa(v, v->table_at),
					  3 * sizeof(*v->table),
					  VRING_DESC_F_INDIRECT, 0 };
}

bool victim_broken(const struct victim *v)
{
	struct pollfd p = { .fd = v->ring[0].err, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

enum victim_outcome victim_wait(struct victim *v, unsigned int used,
				unsigned int timeout_ms)
{
	uint64_t end = bench_now_ns() + timeout_ms * 1000000ull;
	struct pollfd p[3] = {
		{ .fd = v->ring[0].call, .events = POLLIN },
		{ .fd = v->ring[0].err, .events = POLLIN },
		{ .fd = v->dev.fe.sock, .events = POLLIN },
	};

	for (;;) {
		uint64_t count;

		if (victim_broken(v))
			return VICTIM_BROKEN;
		if (victim_used(v) == used)
			return VICTIM_COMPLETED;
		if (fe_gone(&v->dev.fe))
			return VICTIM_GONE;
		if (bench_now_ns() >= end)
			return VICTIM_NOTHING;
		/* Interrupts may be off in this ring, so look every 20 ms. */
		poll(p, 3, 20);
		if (read(p[0].fd, &count, sizeof(count)) < 0)
			continue;
	}
}

int victim_reset(struct victim *v)
{
	uint64_t count;

	/* EAGAIN: the queue was not broken. */
	if (read(v->ring[0].err, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	ring_reset(&v->ring[0], 0);
	memset(&v->packed, 0, sizeof(v->packed));
	return 0;
}

int victim_restart(struct victim *v)
{
	unsigned int base;
	int ret = dev_queue_stop(&v->dev, 0, &base);

	if (!ret)
		ret = victim_reset(v);
	if (ret)
		return ret;
	ret = dev_queue_start(&v->dev, 0, &v->ring[0], ring_base(&v->ring[0]));
	if (!ret)
		ring_kick(&v->ring[0]);
	return ret;
}

int victim_serves(struct victim *v, unsigned int queue)
{
	struct quick *q = &v->quick[queue];
	int ret;

	memset(quick_data(q), 0xee, QUICK_BYTES);
	ret = quick_io(q, VIRTIO_BLK_T_IN, v->witness_sector, QUICK_BYTES,
		       VICTIM_TIMEOUT);
	if (ret)
		return ret < 0 ? ret : -EIO;
	return memcmp(quick_data(q), v->reference, QUICK_BYTES) ? -EILSEQ : 0;
}

bool victim_guard_intact(const struct victim *v)
{
	for (unsigned int i = 0; i < VICTIM_GUARD; i++)
		if (v->guard[i] != 0x5a)
			return false;
	return true;
}
