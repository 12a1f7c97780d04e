// SPDX-License-Identifier: GPL-2.0
/*
 * session_ring - handlers of messages about rings; start, stop and parking of rings
 */
#include "session_priv.h"

#include <errno.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>

#include "fd.h"
#include "keep.h"
#include "peerfd.h"

#define RING_MAX_SIZE	32768
/* Base of a new packed ring: both wrap counters are set. */
#define RING_PACKED_BASE	0x80008000u

static int ring_take_fd(struct vu_msg *m)
{
	return m->nfds ? steal_fd(&m->fds[0]) : -1;
}

static void ring_drop_kick(struct vu_queue *q)
{
	vu_peerfd_close(&q->kick);
	q->kick_id = (struct vu_fd_id){ 0 };
}

static struct vu_queue *ring_find(struct vu_session *s, uint32_t index)
{
	if (index >= s->num_queues) {
		vu_session_fail(s, 0, "queue %u of %u", index, s->num_queues);
		return NULL;
	}
	s->at_queue = index;
	return &s->queue[index];
}

/* A split ring has event index words, a packed ring two event areas of 4 bytes. */
static int ring_translate(const struct vu_session *s,
			  const struct vu_queue *q,
			  struct vhost_vring_addr *addr)
{
	uint64_t avail_len = vu_session_is_packed(s) ? 4 : 6 + 2ULL * q->num;
	uint64_t used_len = vu_session_is_packed(s) ? 4 : 6 + 8ULL * q->num;
	uint64_t desc, avail, used;
	int ret;

	ret = vu_memtable_translate(s->mem, q->addr.desc, 16ULL * q->num,
				    &desc);
	if (!ret)
		ret = vu_memtable_translate(s->mem, q->addr.avail, avail_len,
					    &avail);
	if (!ret)
		ret = vu_memtable_translate(s->mem, q->addr.used, used_len,
					    &used);
	if (ret)
		return ret;
	addr->desc_user_addr = desc;
	addr->avail_user_addr = avail;
	addr->used_user_addr = used;
	return 0;
}

/*
 * For a packed ring QEMU sends the avail index and, in the upper half, the used index.
 * DPDK's drivers send the avail index only, with nothing in flight: both are the same.
 *
 * If a back end was killed, the front end does not know where it was: what QEMU sends is
 * where that back end began. Only the in-flight region says.
 */
static uint32_t ring_base(const struct vu_session *s, const struct vu_queue *q)
{
	uint32_t base;

	if (vu_session_is_packed(s) && !q->ran &&
	    vu_inflight_base(s, q - s->queue, &base))
		return base;
	if (!vu_session_is_packed(s) || q->base > UINT16_MAX)
		return q->base;
	return q->base | q->base << 16;
}

static int ring_activate(struct vu_session *s, bool active)
{
	int ret = 0;

	if (s->active == active)
		return 0;
	if (s->dev->ops->activate)
		ret = s->dev->ops->activate(s->dev, active);
	if (!ret)
		s->active = active;
	return ret;
}

static int ring_start(struct vu_session *s, unsigned int i)
{
	struct vhost_vring_addr addr = { .index = i };
	struct vu_queue *q = &s->queue[i];
	uint32_t base;
	int ret;

	ret = ring_translate(s, q, &addr);
	if (ret)
		return vu_session_fail(s, ret, "ring outside of guest memory");
	ret = s->dev->ops->set_vring_num(s->dev, i, q->num);
	if (ret)
		return vu_session_fail(s, ret, "ring size %u", q->num);
	ret = s->dev->ops->set_vring_addr(s->dev, &addr);
	if (ret)
		return vu_session_fail(s, ret, "ring addresses");
	if (!q->ran)
		vu_inflight_wait(s, i);
	base = ring_base(s, q);
	ret = s->dev->ops->set_vring_base(s->dev, i, base);
	if (ret)
		return vu_session_fail(s, ret, "ring base %u", base);
	ret = vu_inflight_use(s, i);
	if (ret)
		return vu_session_fail(s, ret, "in-flight region");
	ret = s->dev->ops->set_vring_call(s->dev, i, q->call);
	if (ret)
		return vu_session_fail(s, ret, "call eventfd");
	ret = s->dev->ops->set_vring_err(s->dev, i, q->err);
	if (ret)
		return vu_session_fail(s, ret, "error eventfd");
	ret = s->dev->ops->set_vring_kick(s->dev, i, q->kick);
	if (ret)
		return vu_session_fail(s, ret, "kick eventfd");
	ret = ring_activate(s, true);
	if (ret)
		return vu_session_fail(s, ret, "the disk is in use");
	ret = s->dev->ops->set_run(s->dev, i, true);
	if (ret)
		return vu_session_fail(s, ret, "start%s",
				       vu_inflight_words(ret));
	q->running = true;
	q->ran = true;
	q->fresh = !base || base == RING_PACKED_BASE;
	q->kicked = false;
	s->wanted++;
	return 0;
}

int vu_ring_stop(struct vu_session *s, unsigned int i)
{
	struct vu_queue *q = &s->queue[i];
	int ret;

	if (!q->running)
		return 0;
	ret = s->dev->ops->set_run(s->dev, i, false);
	if (ret)
		return vu_session_fail(s, ret, "stop");
	q->running = false;
	ret = s->dev->ops->get_vring_base(s->dev, i, &q->base);
	if (ret)
		return vu_session_fail(s, ret, "ring base");
	return 0;
}

/*
 * Stops a ring as the front end asks for it. It may save the guest or move it to another
 * host, with the base and without the in-flight region: no request may stay there.
 */
static int ring_end(struct vu_session *s, unsigned int i)
{
	int ret;

	s->dev->end_held = true;
	ret = vu_ring_stop(s, i);
	s->dev->end_held = false;
	return ret;
}

int vu_ring_stop_all(struct vu_session *s)
{
	int ret = 0;

	for (unsigned int i = 0; i < s->num_queues; i++) {
		int err = vu_ring_stop(s, i);

		if (err && !ret)
			ret = err;
	}
	return ret;
}

/* Without the protocol features front ends send no SET_VRING_ENABLE. */
static bool ring_wanted(const struct vu_session *s, const struct vu_queue *q)
{
	if (!q->started)
		return false;
	return q->enabled || !(s->features & VU_BIT(VU_F_PROTOCOL_FEATURES));
}

/* Starts, stops or parks one queue, as the front end has asked. */
static int ring_update(struct vu_session *s, unsigned int i)
{
	struct vu_queue *q = &s->queue[i];
	struct vhost_vring_addr addr;

	if (!ring_wanted(s, q))
		return ring_end(s, i);
	if (q->running)
		return 0;
	if (!q->num || !q->has_addr)
		return vu_session_fail(s, -ENXIO, "ring has no %s",
				       q->num ? "addresses" : "size");
	/* Parked: the front end has not added the memory of the ring yet. */
	if (ring_translate(s, q, &addr)) {
		s->wanted++;
		return 0;
	}
	return ring_start(s, i);
}

int vu_ring_apply_features(struct vu_session *s)
{
	/*
	 * Without bit 30 a ring that runs counts as enabled; it stays so when
	 * the bit is set.
	 */
	for (unsigned int i = 0; i < s->num_queues; i++)
		if (s->queue[i].running)
			s->queue[i].enabled = true;
	return vu_ring_unpark(s);
}

int vu_ring_unpark(struct vu_session *s)
{
	struct vhost_vring_addr addr;

	for (unsigned int i = 0; i < s->num_queues; i++) {
		struct vu_queue *q = &s->queue[i];
		int ret;

		if (q->running || !ring_wanted(s, q) || !q->num ||
		    !q->has_addr)
			continue;
		if (ring_translate(s, q, &addr)) {
			s->wanted++;
			continue;
		}
		ret = ring_start(s, i);
		if (ret) {
			s->at_queue = i;
			return ret;
		}
	}
	return 0;
}

/*
 * Resets the rings, except for settings that front ends rely on. Memory, call and error
 * eventfds stay: QEMU does not send them again after a reset. The base stays: to pause,
 * QEMU 7.2 writes status 0 first and then reads the base, to resume there. Features
 * stay until the next SET_FEATURES.
 */
int vu_ring_reset_all(struct vu_session *s)
{
	int ret;

	s->dev->end_held = true;
	ret = vu_ring_stop_all(s);
	s->dev->end_held = false;
	for (unsigned int i = 0; i < s->num_queues; i++) {
		struct vu_queue *q = &s->queue[i];

		/* A ring that failed to stop keeps its settings. */
		if (q->running)
			continue;
		q->num = 0;
		q->has_addr = false;
		q->started = false;
		q->enabled = false;
		ring_drop_kick(q);
	}
	return ret;
}

/*
 * Is the ring parked? The front end has started it, but it does not run: its memory is
 * missing.
 */
static bool ring_is_parked(const struct vu_session *s, const struct vu_queue *q)
{
	return !q->running && q->num && q->has_addr && ring_wanted(s, q);
}

/* One request of any queue proves that this process sees the guest's rings. */
static bool ring_any_served(struct vu_session *s)
{
	uint64_t kicks, requests;

	for (unsigned int i = 0; i < s->num_queues; i++)
		if (s->queue[i].running &&
		    !s->dev->ops->progress(s->dev, i, &kicks, &requests) &&
		    requests)
			return true;
	return false;
}

int vu_ring_watch(struct vu_session *s, bool *again)
{
	*again = false;
	for (unsigned int i = 0; i < s->num_queues; i++) {
		s->at_queue = i;
		if (ring_is_parked(s, &s->queue[i]))
			return vu_session_fail(s, -EFAULT,
					       "the ring is not in the memory "
					       "that the front end shares (%u "
					       "regions, %llu KiB)", s->mem->n,
					       vu_memtable_bytes(s->mem) /
					       1024ULL);
	}
	if (ring_any_served(s))
		return 0;
	for (unsigned int i = 0; i < s->num_queues; i++) {
		struct vu_queue *q = &s->queue[i];
		uint64_t kicks, requests;

		s->at_queue = i;
		/* A receive queue takes no request until a frame arrives. */
		if (vu_session_is_net(s) && !(i & 1))
			continue;
		if (!q->running || !q->fresh ||
		    s->dev->ops->progress(s->dev, i, &kicks, &requests))
			continue;
		/* The worker may be about to look: report the second time. */
		if (kicks && q->kicked)
			return vu_session_fail(s, -EFAULT,
					       "the guest kicks, but its ring is "
					       "empty as seen from here");
		q->kicked = kicks;
		*again = true;
	}
	return 0;
}

int vu_ring_set_num(struct vu_session *s, struct vu_msg *m,
		    struct vu_msg *reply)
{
	uint32_t num = m->payload.state.num;
	struct vu_queue *q;

	(void)reply;
	q = ring_find(s, m->payload.state.index);
	if (!q)
		return -EINVAL;
	if (q->running)
		return -EBUSY;
	if (!num || num > RING_MAX_SIZE ||
	    (!vu_session_is_packed(s) && (num & (num - 1))))
		return vu_session_fail(s, -EINVAL, "ring size %u", num);
	q->num = num;
	return 0;
}

int vu_ring_set_addr(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	const struct vu_addr *a = &m->payload.addr;
	struct vu_queue *q;

	(void)reply;
	q = ring_find(s, a->index);
	if (!q)
		return -EINVAL;
	/* With a log, every write to it is logged, whatever the flag says. */
	if (a->flags & ~(s->log_offered ? VU_ADDR_F_LOG : 0))
		return vu_session_fail(s, -EINVAL, "flags 0x%x", a->flags);
	if (q->running && (a->desc != q->addr.desc ||
			   a->avail != q->addr.avail ||
			   a->used != q->addr.used))
		return -EBUSY;
	q->addr = *a;
	q->has_addr = true;
	return 0;
}

int vu_ring_set_base(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	struct vu_queue *q;

	(void)reply;
	q = ring_find(s, m->payload.state.index);
	if (!q)
		return -EINVAL;
	if (q->running)
		return -EBUSY;
	/* The base of a packed ring has an upper half, which the device checks. */
	if (!vu_session_is_packed(s) && m->payload.state.num > UINT16_MAX)
		return vu_session_fail(s, -EINVAL, "ring base %u",
				       m->payload.state.num);
	q->base = m->payload.state.num;
	return 0;
}

/*
 * A guest that moves to another VMM stops its last queue while the log is on. If it does
 * not go after all, the next start of a queue takes the disk back.
 */
static int ring_leave(struct vu_session *s)
{
	if (!vu_log_is_on(s))
		return 0;
	for (unsigned int i = 0; i < s->num_queues; i++)
		if (s->queue[i].running)
			return 0;
	return ring_activate(s, false);
}

int vu_ring_get_base(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	uint32_t index = m->payload.state.index;
	struct vu_queue *q;
	int ret;

	q = ring_find(s, index);
	if (!q)
		return -EINVAL;
	ret = ring_end(s, index);
	if (ret)
		return ret;
	q->started = false;
	ring_drop_kick(q);
	ret = ring_leave(s);
	if (ret)
		return vu_session_fail(s, ret, "to give the disk up");
	vu_msg_reply_state(reply, m, index, q->base);
	return 0;
}

int vu_ring_set_enable(struct vu_session *s, struct vu_msg *m,
		       struct vu_msg *reply)
{
	struct vu_queue *q;

	(void)reply;
	/* Before SET_FEATURES this only stores the state. */
	if (s->state == VU_NEGOTIATED &&
	    !(s->features & VU_BIT(VU_F_PROTOCOL_FEATURES)))
		return vu_session_fail(s, -EPROTO, "features lack bit 30");
	q = ring_find(s, m->payload.state.index);
	if (!q || m->payload.state.num > 1)
		return -EINVAL;
	q->enabled = m->payload.state.num;
	return ring_update(s, s->at_queue);
}

/* Finds the queue, and checks that the message has the descriptor that it announces. */
static int ring_check_fd(struct vu_session *s, const struct vu_msg *m)
{
	uint64_t v = m->payload.u64;
	unsigned int want = v & VU_VRING_NOFD ? 0 : 1;

	if (v & ~(uint64_t)(VU_VRING_INDEX_MASK | VU_VRING_NOFD))
		return vu_session_fail(s, -EINVAL, "0x%llx",
				       (unsigned long long)v);
	if (m->nfds != want)
		return vu_session_fail(s, -EBADMSG, "%u descriptors, not %u",
				       m->nfds, want);
	return ring_find(s, v & VU_VRING_INDEX_MASK) ? 0 : -EINVAL;
}

int vu_ring_set_kick(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	struct vu_queue *q;
	int ret;

	(void)reply;
	ret = ring_check_fd(s, m);
	if (ret)
		return ret;
	q = &s->queue[s->at_queue];
	if (!m->nfds)
		return vu_session_fail(s, -EOPNOTSUPP, "cannot poll");
	ret = vu_ring_stop(s, s->at_queue);
	if (ret)
		return ret;
	ret = vu_keep_fd(s->keep, m->fds[0], &q->kick_id);
	if (ret)
		return ret;
	vu_peerfd_close(&q->kick);
	q->kick = ring_take_fd(m);
	q->started = true;
	return ring_update(s, s->at_queue);
}

/* A running queue takes the new eventfd before the old one is closed. */
static int ring_set_fd(struct vu_session *s, struct vu_msg *m,
		       int *slot, struct vu_fd_id *id,
		       int (*set)(struct vu_device *, uint32_t, int))
{
	int ret = vu_keep_fd(s->keep, m->nfds ? m->fds[0] : -1, id);

	if (ret)
		return ret;
	if (s->queue[s->at_queue].running) {
		ret = set(s->dev, s->at_queue, m->nfds ? m->fds[0] : -1);
		if (ret)
			return ret;
	}
	vu_peerfd_close(slot);
	*slot = ring_take_fd(m);
	return 0;
}

int vu_ring_set_call(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	struct vu_queue *q;
	int ret;

	(void)reply;
	ret = ring_check_fd(s, m);
	if (ret)
		return ret;
	q = &s->queue[s->at_queue];
	return ring_set_fd(s, m, &q->call, &q->call_id, s->dev->ops->set_vring_call);
}

int vu_ring_set_err(struct vu_session *s, struct vu_msg *m,
		    struct vu_msg *reply)
{
	struct vu_queue *q;
	int ret;

	(void)reply;
	ret = ring_check_fd(s, m);
	if (ret)
		return ret;
	q = &s->queue[s->at_queue];
	return ring_set_fd(s, m, &q->err, &q->err_id, s->dev->ops->set_vring_err);
}
