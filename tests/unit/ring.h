/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - a guest with one virtqueue, for tests of the code that serves it
 *
 * Guest memory begins at guest address 0. Guest page N is user page N and RAM
 * page N until a test moves it.
 */
#ifndef TESTS_UNIT_RING_H
#define TESTS_UNIT_RING_H

#include <linux/err.h>
#include <linux/vhost_types.h>

#include "vq.h"
#include "world.h"

#define RING_PAGES	4096UL		/* of guest memory */
#define RING_DESC	0x10000ULL
#define RING_AVAIL	0xa0000ULL
#define RING_USED	0xc0000ULL
/* Guest address for an indirect table */
#define RING_TABLE	0x200000ULL
#define RING_DATA	0x400000ULL	/* data: from here to the end of memory */
#define RING_END	(RING_PAGES * PAGE_SIZE)

#define D_NEXT		VRING_DESC_F_NEXT
#define D_WRITE		VRING_DESC_F_WRITE
#define D_INDIRECT	VRING_DESC_F_INDIRECT

struct ring {
	struct bell_vq		 vq;
	struct bell_vq_config	 cfg;
	struct bell_vq_signal_config signal;
	struct bell_gmem	*gm;
	struct vring_desc	*desc;
	struct vring_avail	*avail;
	struct vring_used	*used;
	int			 call, err;
};

/* Bytes of guest memory that the module is told of */
static u64 ring_bytes = RING_END;

static inline void *ring_at(u64 gpa)
{
	return world_ram(gpa >> PAGE_SHIFT) + gpa % PAGE_SIZE;
}

static inline struct bell_gmem *ring_gmem(struct bell_gmem *old)
{
	struct vhost_memory_region r = {
		.userspace_addr = WORLD_UADDR,
		.memory_size = ring_bytes,
	};

	return bell_gmem_create(&world.mm, &r, 1, old);
}

/* Set up guest memory, eventfds and a queue; do not start the queue. */
static inline void ring_init(struct ring *r, u32 num)
{
	memset(r, 0, sizeof(*r));
	world_map(0, RING_PAGES, 0);
	if (bell_gmem_init())
		shim_die("no cache");
	r->gm = ring_gmem(NULL);
	if (IS_ERR(r->gm))
		shim_die("no guest memory: %ld", PTR_ERR(r->gm));
	r->cfg = (struct bell_vq_config){
		.desc_uaddr = WORLD_UADDR + RING_DESC,
		.avail_uaddr = WORLD_UADDR + RING_AVAIL,
		.used_uaddr = WORLD_UADDR + RING_USED,
		.num = num,
		.event_idx = true,
		.indirect = true,
	};
	r->desc = ring_at(RING_DESC);
	r->avail = ring_at(RING_AVAIL);
	r->used = ring_at(RING_USED);
	memset(r->desc, 0, num * sizeof(*r->desc));
	memset(r->avail, 0, 6 + num * 2);
	memset(r->used, 0, 6 + num * sizeof(*r->used->ring));
	r->call = world_eventfd();
	r->err = world_eventfd();
	bell_vq_init(&r->vq, 1, 2, &r->signal);
	bell_callfd_set(&r->vq.call, r->call);
	bell_callfd_set(&r->vq.err, r->err);
}

/* Start the queue from r->cfg, with both indexes at @cfg.base. */
static inline void ring_start(struct ring *r)
{
	int ret;

	r->avail->idx = htole16(r->cfg.base);
	r->used->idx = htole16(r->cfg.base);
	ret = bell_vq_start(&r->vq, r->gm, &r->cfg);
	if (ret)
		shim_die("the queue does not start: %d", ret);
}

static inline void ring_begin(struct ring *r, u32 num)
{
	ring_init(r, num);
	ring_start(r);
}

static inline void ring_free(struct ring *r)
{
	bell_callfd_clear(&r->vq.call);
	bell_callfd_clear(&r->vq.err);
	bell_gmem_destroy(r->gm);
	bell_gmem_exit();
}

static inline void ring_end(struct ring *r)
{
	bell_vq_stop(&r->vq);
	ring_free(r);
}

static inline void ring_put_desc(struct vring_desc *d, u64 addr, u32 len,
				 u16 flags, u16 next)
{
	d->addr = htole64(addr);
	d->len = htole32(len);
	d->flags = htole16(flags);
	d->next = htole16(next);
}

static inline __virtio16 *ring_used_event(struct ring *r)
{
	return &r->avail->ring[r->cfg.num];
}

static inline u16 ring_avail_event(struct ring *r)
{
	__virtio16 event;

	memcpy(&event, &r->used->ring[r->cfg.num], sizeof(event));
	return le16toh(event);
}

/* Make a chain available. */
static inline void ring_add(struct ring *r, u16 head)
{
	u16 idx = le16toh(r->avail->idx);

	r->avail->ring[idx % r->cfg.num] = htole16(head);
	__atomic_store_n(&r->avail->idx, htole16(idx + 1), __ATOMIC_RELEASE);
}

/* Make a chain of one writable piece available. */
static inline void ring_add_simple(struct ring *r, u16 head)
{
	ring_put_desc(&r->desc[head], RING_DATA + head * 16, 16, D_WRITE, 0);
	ring_add(r, head);
}

static inline void ring_complete(struct ring *r, u16 head, u8 epoch, u32 len)
{
	struct bell_done done = { .head = head, .epoch = epoch, .len = len };

	bell_vq_complete(&r->vq, &done);
}

static inline int ring_take(struct ring *r, struct bell_chain *chain)
{
	return bell_vq_take(&r->vq, true, chain);
}

/* Take a chain and complete it. */
static inline int ring_serve(struct ring *r)
{
	struct bell_chain chain;
	int ret = ring_take(r, &chain);

	if (ret == 1)
		ring_complete(r, chain.head, chain.epoch, 1);
	return ret;
}

#endif
