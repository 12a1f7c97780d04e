// SPDX-License-Identifier: GPL-2.0
/*
 * ring - the driver's side of one virtqueue, split or packed
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "ring.h"
#include "ring_format.h"

/* Bytes of a split ring; a packed ring needs less. */
size_t ring_bytes(unsigned int num)
{
	return num * sizeof(struct vring_desc) +
	       num * sizeof(struct vring_used_elem) +
	       sizeof(uint16_t) * (6 + num) + 64;
}

int ring_create(struct ring *r, struct mem *mem, const struct ring_config *cfg)
{
	int ret;

	memset(r, 0, sizeof(*r));
	r->format = cfg->packed ? &ring_packed_format : &ring_split_format;
	r->mem = mem;
	r->num = (uint16_t)cfg->num;
	r->on_empty = cfg->on_empty;
	r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->token = calloc(cfg->num, sizeof(*r->token));
	ret = r->format->create(r, cfg->region);
	if (!ret && cfg->in_order) {
		r->order = calloc(cfg->num, sizeof(*r->order));
		ret = r->order ? 0 : -ENOMEM;
	}
	if (ret || !r->token || r->kick < 0 || r->call < 0 || r->err < 0) {
		ring_destroy(r);
		return -ENOMEM;
	}
	ring_reset(r, cfg->seed);
	return 0;
}

void ring_destroy(struct ring *r)
{
	if (r->format)
		r->format->destroy(r);
	r->format = NULL;
	free(r->token);
	free(r->order);
	r->token = NULL;
	r->order = NULL;
	close(r->kick);
	close(r->call);
	close(r->err);
	r->kick = -1;
	r->call = -1;
	r->err = -1;
}

bool ring_is_packed(const struct ring *r)
{
	return r->format == &ring_packed_format;
}

void ring_reset(struct ring *r, uint64_t seed)
{
	uint32_t *order = r->token;

	for (unsigned int i = 0; i < r->num; i++) {
		unsigned int j = (unsigned int)(bench_random(&seed) % (i + 1));

		order[i] = order[j];
		order[j] = i;
	}
	r->format->reset(r, order);
	for (unsigned int i = 0; i < r->num; i++)
		r->token[i] = RING_NO_TOKEN;
	r->num_free = r->num;
	r->order_put = 0;
	r->order_get = 0;
	if (r->on_empty)
		r->format->disarm(r);
}

int ring_add(struct ring *r, const struct ring_seg *seg, unsigned int nseg,
	     struct ring_shape shape, uint32_t token)
{
	unsigned int need = shape.table ? shape.direct + 1 : nseg;
	uint16_t id;

	if (need > r->num_free)
		return -ENOSPC;
	if (!shape.table)
		shape.direct = nseg;
	r->num_free = (uint16_t)(r->num_free - need);
	id = r->format->add(r, seg, nseg, shape);
	r->token[id] = token;
	if (r->order)
		r->order[r->order_put++ % r->num] = id;
	return 0;
}

void ring_kick(const struct ring *r)
{
	const uint64_t one = 1;

	/*
	 * EAGAIN: the eventfd's counter is full, so the device was kicked
	 * already.
	 */
	if (write(r->kick, &one, sizeof(one)) < 0)
		return;
}

void ring_publish(struct ring *r)
{
	if (!r->format->publish(r))
		return;
	r->kicks++;
	ring_kick(r);
}

int ring_pop(struct ring *r, uint32_t *token, uint32_t *len)
{
	uint32_t id;

	if (!r->format->is_used(r))
		return -EAGAIN;
	id = r->format->peek(r, len);
	if (id >= r->num || r->token[id] == RING_NO_TOKEN)
		return -EPROTO;
	if (r->order && r->order[r->order_get++ % r->num] != id)
		return -EPROTO;
	*token = r->token[id];
	r->format->free(r, (uint16_t)id);
	r->token[id] = RING_NO_TOKEN;
	return 0;
}

bool ring_is_used(const struct ring *r)
{
	return r->format->is_used(r);
}

bool ring_arm(struct ring *r)
{
	if (!r->on_empty)
		r->format->arm(r);
	/*
	 * Pairs with the device's barrier between writing a used entry and
	 * reading whether the driver wants an interrupt.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return r->format->is_used(r);
}

void ring_disarm(struct ring *r)
{
	r->format->disarm(r);
}

unsigned int ring_base(const struct ring *r)
{
	return r->format->base(r);
}

struct fe_vring_addr ring_addr(const struct ring *r)
{
	return r->format->addr(r);
}

void ring_print(const struct ring *r, FILE *to)
{
	r->format->print(r, to);
}
