// SPDX-License-Identifier: GPL-2.0
/*
 * session_keep - a session outlives its process: it writes down what the next process must
 * know, and takes over what the last one left
 */
#include "session_priv.h"

#include <errno.h>
#include <linux/vhost_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "keep.h"
#include "peerfd.h"

_Static_assert(VU_STATE_QUEUES == VU_MAX_QUEUES, "the state has room for all queues");

static void keep_save_queues(const struct vu_session *s, struct vu_saved *to)
{
	to->num_queues = s->num_queues;
	for (unsigned int i = 0; i < s->num_queues; i++) {
		const struct vu_queue *q = &s->queue[i];

		to->queue[i] = (struct vu_state_queue){
			.num = q->num,
			.base = q->base,
			.addr = q->addr,
			.has_addr = q->has_addr,
			.started = q->started,
			.enabled = q->enabled,
			.running = q->running,
			.fresh = q->fresh,
			.ran = q->ran,
			.kick = q->kick_id,
			.call = q->call_id,
			.err = q->err_id,
		};
	}
}

static void keep_save_memory(const struct vu_session *s, struct vu_saved *to)
{
	/* Without those of keep_add_next() */
	to->num_regions = s->mem->n - s->num_added;
	for (unsigned int i = 0; i < to->num_regions; i++) {
		const struct vu_memtable_region *r = &s->mem->region[i];

		to->region[i] = (struct vu_state_region){
			.region = {
				.gpa = r->gpa,
				.size = r->size,
				.user_addr = r->user_addr,
				.mmap_offset = r->mmap_offset,
			},
			.fd = r->fd,
		};
	}
}

void vu_session_commit(struct vu_session *s, uint32_t phase)
{
	struct vu_saved *to = vu_state_next(&s->keep->map);

	to->phase = phase;
	to->state = s->state;
	to->device_features = s->device_features;
	to->features = s->features;
	to->protocol_features = s->protocol_features;
	to->log = (struct vu_log_base){ s->log.size, s->log.offset };
	to->log_fd = s->log.fd;
	to->logs = s->logs;
	vu_inflight_save(s, &to->inflight);
	to->active = s->active;
	to->status = s->status;
	to->resized = s->resized;
	to->backend = s->backend_id;
	keep_save_queues(s, to);
	keep_save_memory(s, to);
	s->dev->ops->save(s->dev, to->device);
	vu_state_commit(&s->keep->map);
}

static int keep_lost(struct vu_session *s, const char *what, int err)
{
	return vu_session_fail(s, err, "%s that the last process left", what);
}

static int keep_load_memory(struct vu_session *s, const struct vu_saved *from)
{
	int ret;

	for (unsigned int i = 0; i < from->num_regions; i++) {
		const struct vu_state_region *r = &from->region[i];
		_cleanup_fd_ int fd = vu_keep_find(s->keep, &r->fd);

		ret = fd < 0 ? -ENOENT : vu_memtable_add(s->mem, &r->region, fd);
		if (ret)
			return keep_lost(s, "guest memory", ret);
		s->mem->region[i].fd = r->fd;
	}
	ret = vu_log_load(s, &from->log, &from->log_fd);
	return ret ? ret : vu_inflight_load(s, &from->inflight);
}

static void keep_load_queues(struct vu_session *s, const struct vu_saved *from)
{
	for (unsigned int i = 0; i < from->num_queues; i++) {
		const struct vu_state_queue *f = &from->queue[i];
		struct vu_queue *q = &s->queue[i];

		q->num = f->num;
		q->base = f->base;
		q->addr = f->addr;
		q->has_addr = f->has_addr;
		q->started = f->started;
		q->enabled = f->enabled;
		q->running = f->running;
		q->fresh = f->fresh;
		q->ran = f->ran;
		q->kick_id = f->kick;
		q->call_id = f->call;
		q->err_id = f->err;
		q->kick = vu_keep_find(s->keep, &f->kick);
		q->call = vu_keep_find(s->keep, &f->call);
		q->err = vu_keep_find(s->keep, &f->err);
	}
}

static int keep_load(struct vu_session *s, const struct vu_saved *from)
{
	s->state = from->state;
	s->device_features = from->device_features;
	s->features = from->features;
	s->protocol_features = from->protocol_features;
	s->logs = from->logs;
	s->active = from->active;
	s->status = from->status;
	s->resized = from->resized;
	s->num_queues = from->num_queues;
	s->backend_id = from->backend;
	s->backend = vu_keep_find(s->keep, &from->backend);
	keep_load_queues(s, from);
	return keep_load_memory(s, from);
}

/*
 * Adds the regions of @m that the table has room for: the last process may have given them
 * to the device, whose rings may be in them.
 */
static void keep_add_next(struct vu_memtable *t, const struct vu_msg *m)
{
	const struct vu_region *r = NULL;
	unsigned int n = 0;

	if (m && m->request == VU_SET_MEM_TABLE && m->nfds <= VU_MAX_TABLE) {
		r = m->payload.memory.regions;
		n = m->nfds;
	} else if (m && m->request == VU_ADD_MEM_REG && m->nfds == 1) {
		r = &m->payload.mem_reg.region;
		n = 1;
	}
	for (unsigned int i = 0; i < n; i++)
		vu_memtable_add(t, &r[i], m->fds[i]);
}

static int keep_adopt_device(struct vu_session *s, const struct vu_saved *from,
			     const struct vu_msg *next)
{
	int fd = fdstore_take(s->keep->store, VU_KEEP_DEVICE);
	unsigned int own = s->mem->n;
	struct vhost_memory *mem;
	int ret;

	keep_add_next(s->mem, next);
	mem = vu_memtable_to_vhost(s->mem);
	ret = mem ? s->dev->ops->adopt(s->dev, fd, mem, from->device) : -ENOMEM;
	free(mem);
	/* What was added stays mapped until keep_restore() has set the session's table. */
	if (ret) {
		fd_close(&fd);
		return vu_session_fail(s, ret, "the device");
	}
	s->num_added = s->mem->n - own;
	return 0;
}

/* The queue stops, wherever the last process left it, and the session has its base. */
static int keep_stop(struct vu_session *s, unsigned int i)
{
	struct vu_queue *q = &s->queue[i];
	bool running, ran = q->running;
	int ret = s->dev->ops->running(s->dev, i, &running);

	if (!ret && running)
		ret = s->dev->ops->set_run(s->dev, i, false);
	q->running = false;
	if (!ret && (running || ran))
		ret = s->dev->ops->get_vring_base(s->dev, i, &q->base);
	return ret;
}

/* Gives the device the session's table: it may have that of the next message. */
static int keep_set_table(struct vu_session *s)
{
	struct vu_memtable_region r;
	struct vhost_memory *mem;
	int ret;

	s->mem->n -= s->num_added;
	mem = vu_memtable_to_vhost(s->mem);
	ret = mem ? s->dev->ops->set_mem_table(s->dev, mem) : -ENOMEM;
	free(mem);
	s->mem->n += s->num_added;
	while (s->num_added) {
		r = vu_memtable_take(s->mem, s->mem->n - 1);
		vu_memtable_unmap(&r);
		s->num_added--;
	}
	return ret;
}

/*
 * The last process died while it handled a message, of which the device may have seen a
 * part: stops all queues, sets everything as the session has it, and starts them again.
 */
static int keep_restore(struct vu_session *s)
{
	uint64_t served = s->device_features | s->dev->accepted;
	int ret = 0;

	for (unsigned int i = 0; i < s->num_queues && !ret; i++)
		ret = keep_stop(s, i);
	/* If this process dies here, the next one does not find the bases in the device. */
	if (!ret)
		vu_session_commit(s, VU_PHASE_HANDLING);
	if (!ret)
		ret = keep_set_table(s);
	/* The last process may have given the disk up before it died. */
	if (!ret && s->active && s->dev->ops->activate)
		ret = s->dev->ops->activate(s->dev, true);
	if (!ret && s->state == VU_NEGOTIATED)
		ret = s->dev->ops->set_features(s->dev, s->features & served);
	/* A table set from nothing, or to nothing, has no log. */
	s->logs = false;
	if (!ret && s->mem->n && s->log_offered)
		ret = s->dev->ops->set_log(s->dev, 0, 0);
	if (!ret)
		ret = vu_log_apply(s);
	return ret ? ret : vu_ring_unpark(s);
}

static int keep_note(struct vu_session *s, int err)
{
	if (err)
		snprintf(s->error, sizeof(s->error), "%s%s%s", s->detail,
			 *s->detail ? ": " : "", strerror(-err));
	return err;
}

int vu_session_adopt(struct vu_session *s, struct vu_device *dev, struct vu_keep *keep,
		     const struct vu_msg *next)
{
	const struct vu_saved *from = vu_state_valid(&keep->map);
	int ret = vu_session_init(s, dev);

	if (ret)
		return ret;
	s->keep = keep;
	ret = keep_load(s, from);
	if (!ret)
		ret = keep_adopt_device(s, from, next);
	if (ret) {
		vu_session_free(s);
		return keep_note(s, ret);
	}
	vu_session_offer(s);
	s->num_queues = from->num_queues;
	if (next)
		ret = keep_restore(s);
	if (ret)
		vu_session_close(s);
	return keep_note(s, ret);
}
