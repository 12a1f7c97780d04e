// SPDX-License-Identifier: GPL-2.0
/*
 * session - the table of handlers, and handlers of messages about the whole device
 */
#include "session_priv.h"

#include <errno.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "fd.h"
#include "keep.h"
#include "peerfd.h"

#define SESSION_PROTOCOL_ALL					\
	(VU_BIT(VU_PROTOCOL_F_MQ) |				\
	 VU_BIT(VU_PROTOCOL_F_REPLY_ACK) |			\
	 VU_BIT(VU_PROTOCOL_F_RESET_DEVICE) |			\
	 VU_BIT(VU_PROTOCOL_F_CONFIGURE_MEM_SLOTS) |		\
	 VU_BIT(VU_PROTOCOL_F_STATUS))

#define SESSION_PROTOCOL_BLK					\
	(VU_BIT(VU_PROTOCOL_F_BACKEND_REQ) |			\
	 VU_BIT(VU_PROTOCOL_F_CONFIG))

/*
 * QEMU also passes on features that the guest negotiated with QEMU's own transport.
 * These two need no code here: the module takes any layout of a request, and the reset
 * of one queue comes as GET_VRING_BASE.
 */
#define SESSION_IGNORED_FEATURES \
	(VU_BIT(VIRTIO_F_ANY_LAYOUT) | VU_BIT(VIRTIO_F_RING_RESET))

/**
 * struct session_row - the rules for one request
 * @handle: called when the message complies with the other members
 * @payload: kind of the payload, which gives its size
 * @max_fds: maximum number of descriptors; more close the connection
 * @state: the least state of the session
 * @needs: protocol features that must be negotiated
 * @answers: has a reply of its own. The front end would wait forever for a missing one,
 *	so a failure closes the connection
 * @optional: a failure that cannot be reported leaves the connection open
 */
struct session_row {
	vu_handler	     *handle;
	enum vu_payload	      payload;
	unsigned int	      max_fds;
	enum vu_session_state state;
	uint64_t	      needs;
	bool		      answers;
	bool		      optional;
};

int vu_session_fail(struct vu_session *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->detail, sizeof(s->detail), fmt, ap);
	va_end(ap);
	return err;
}

static uint64_t session_log_feature(const struct vu_session *s)
{
	return s->log_offered ? VU_BIT(VHOST_F_LOG_ALL) : 0;
}

static int get_features(struct vu_session *s, struct vu_msg *m,
			struct vu_msg *reply)
{
	vu_msg_reply_u64(reply, m,
			 s->device_features | session_log_feature(s) |
			 VU_BIT(VU_F_PROTOCOL_FEATURES));
	return 0;
}

/*
 * Features that a front end may set though the device does not offer them. They are not
 * passed to the device.
 */
static uint64_t session_ignored(const struct vu_session *s)
{
	return VU_BIT(VU_F_PROTOCOL_FEATURES) | SESSION_IGNORED_FEATURES |
	       session_log_feature(s) |
	       (vu_session_is_net(s) ? vu_net_ignored_features() : 0);
}

static int set_features(struct vu_session *s, struct vu_msg *m,
			struct vu_msg *reply)
{
	uint64_t served = s->device_features | s->dev->accepted;
	uint64_t known = served | session_ignored(s);
	uint64_t features = m->payload.u64;
	int ret;

	(void)reply;
	if (features & ~known)
		return vu_session_fail(s, -EINVAL, "0x%llx were not offered",
				       (unsigned long long)(features & ~known));
	/* The device refuses to change its features while a queue runs. */
	if (s->state < VU_NEGOTIATED || (features ^ s->features) & served) {
		ret = s->dev->ops->set_features(s->dev, features & served);
		if (ret)
			return vu_session_fail(s, ret, "0x%llx of 0x%llx",
					       (unsigned long long)features,
					       (unsigned long long)served);
	}
	s->features = features;
	s->state = VU_NEGOTIATED;
	ret = vu_log_apply(s);
	return ret ? ret : vu_ring_apply_features(s);
}

static int get_protocol_features(struct vu_session *s, struct vu_msg *m,
				 struct vu_msg *reply)
{
	vu_msg_reply_u64(reply, m, s->offered_protocol);
	return 0;
}

static int set_protocol_features(struct vu_session *s, struct vu_msg *m,
				 struct vu_msg *reply)
{
	uint64_t other = m->payload.u64 & ~s->offered_protocol;

	(void)reply;
	if (other)
		return vu_session_fail(s, -EINVAL, "0x%llx were not offered",
				       (unsigned long long)other);
	s->protocol_features = m->payload.u64;
	return 0;
}

static int set_owner(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	(void)m, (void)reply;
	/*
	 * Some front ends send SET_OWNER again, as after RESET_OWNER: do not go
	 * back to VU_OWNED.
	 */
	if (s->state == VU_NEW)
		s->state = VU_OWNED;
	return 0;
}

static int reset_device(struct vu_session *s, struct vu_msg *m,
			struct vu_msg *reply)
{
	(void)m, (void)reply;
	s->status = 0;
	return vu_ring_reset_all(s);
}

static int get_status(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply)
{
	vu_msg_reply_u64(reply, m, s->status);
	return 0;
}

static int set_status(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply)
{
	(void)reply;
	if (m->payload.u64 > UINT8_MAX)
		return -EINVAL;
	s->status = m->payload.u64;
	/* The driver resets the device by writing 0. */
	return s->status ? 0 : vu_ring_reset_all(s);
}

static int get_queue_num(struct vu_session *s, struct vu_msg *m,
			 struct vu_msg *reply)
{
	/* The number of a card is in pairs of queues. */
	vu_msg_reply_u64(reply, m, vu_session_is_net(s) ? s->num_queues / 2 :
							  s->num_queues);
	return 0;
}

static int set_backend_req_fd(struct vu_session *s, struct vu_msg *m,
			      struct vu_msg *reply)
{
	int ret;

	(void)reply;
	if (m->nfds != 1)
		return vu_session_fail(s, -EINVAL, "no descriptor");
	/* send() to another kind of file, or its close(), may wait. */
	if (!vu_peerfd_is_unix(m->fds[0]))
		return vu_session_fail(s, -EINVAL, "not a Unix socket");
	s->backend_id = (struct vu_fd_id){ 0 };
	/*
	 * We read nothing from it. The keeper gets it only if its own close() cannot hang; if
	 * not, the next process does not have it.
	 */
	if (s->keep && !vu_conn_deafen(m->fds[0])) {
		ret = vu_keep_sock(s->keep, m->fds[0], &s->backend_id);
		if (ret)
			return ret;
	}
	vu_peerfd_close(&s->backend);
	s->backend = steal_fd(&m->fds[0]);
	return 0;
}

/*
 * Front ends of rust-vmm, such as cloud-hypervisor, add to an offset in the config
 * space the offset of that space in virtio-mmio. Valid offsets are smaller than this.
 */
#define SESSION_MMIO_CONFIG	0x100

_Static_assert(SESSION_MMIO_CONFIG >= VU_MAX_CONFIG, "no offset is ambiguous");

static int session_check_config(const struct vu_config *c, uint32_t *offset)
{
	*offset = c->offset;
	if (*offset >= SESSION_MMIO_CONFIG)
		*offset -= SESSION_MMIO_CONFIG;
	if (!c->size || c->size > VU_MAX_CONFIG ||
	    *offset > VU_MAX_CONFIG - c->size)
		return -EINVAL;
	return 0;
}

static int get_config(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply)
{
	const struct vu_config *c = &m->payload.config;
	uint8_t data[VU_MAX_CONFIG] = { 0 };
	uint32_t offset;
	int ret;

	ret = session_check_config(c, &offset);
	if (!ret)
		ret = s->dev->ops->get_config(s->dev, offset, data, c->size);
	/* The protocol reports a failure by a reply without payload. */
	vu_msg_reply_config(reply, m, data, ret ? 0 : c->size);
	return ret;
}

static int set_config(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply)
{
	const struct vu_config *c = &m->payload.config;
	uint32_t offset;
	int ret;

	(void)reply;
	ret = session_check_config(c, &offset);
	if (ret)
		return ret;
	if (c->flags & ~VU_CONFIG_F_MIGRATION)
		return -EINVAL;
	return s->dev->ops->set_config(s->dev, offset, c->data, c->size);
}

static const struct session_row session_rows[VU_NR_REQUESTS] = {
	[VU_GET_FEATURES] = { get_features, VU_PAYLOAD_NONE,
		.answers = true },
	[VU_SET_FEATURES] = { set_features, VU_PAYLOAD_U64,
		.state = VU_OWNED },
	[VU_SET_OWNER] = { set_owner, VU_PAYLOAD_NONE },
	[VU_RESET_OWNER] = { reset_device, VU_PAYLOAD_NONE,
		.state = VU_OWNED },
	[VU_SET_MEM_TABLE] = { vu_memory_set_table, VU_PAYLOAD_MEMORY,
		.max_fds = VU_MAX_TABLE, .state = VU_NEGOTIATED },
	[VU_SET_LOG_BASE] = { vu_log_set_base, VU_PAYLOAD_LOG,
		.max_fds = 1, .state = VU_OWNED,
		.needs = VU_BIT(VU_PROTOCOL_F_LOG_SHMFD), .answers = true },
	[VU_SET_LOG_FD] = { vu_log_set_fd, VU_PAYLOAD_NONE, .max_fds = 1,
		.state = VU_OWNED,
		.needs = VU_BIT(VU_PROTOCOL_F_LOG_SHMFD) },
	[VU_SET_VRING_NUM] = { vu_ring_set_num, VU_PAYLOAD_STATE,
		.state = VU_NEGOTIATED },
	[VU_SET_VRING_ADDR] = { vu_ring_set_addr, VU_PAYLOAD_ADDR,
		.state = VU_NEGOTIATED },
	[VU_SET_VRING_BASE] = { vu_ring_set_base, VU_PAYLOAD_STATE,
		.state = VU_NEGOTIATED },
	[VU_GET_VRING_BASE] = { vu_ring_get_base, VU_PAYLOAD_STATE,
		.state = VU_OWNED, .answers = true },
	[VU_SET_VRING_KICK] = { vu_ring_set_kick, VU_PAYLOAD_U64,
		.max_fds = 1, .state = VU_NEGOTIATED },
	[VU_SET_VRING_CALL] = { vu_ring_set_call, VU_PAYLOAD_U64,
		.max_fds = 1, .state = VU_OWNED },
	[VU_SET_VRING_ERR] = { vu_ring_set_err, VU_PAYLOAD_U64,
		.max_fds = 1, .state = VU_OWNED },
	[VU_GET_PROTOCOL_FEATURES] = { get_protocol_features,
		VU_PAYLOAD_NONE, .answers = true },
	[VU_SET_PROTOCOL_FEATURES] = { set_protocol_features,
		VU_PAYLOAD_U64 },
	[VU_GET_QUEUE_NUM] = { get_queue_num, VU_PAYLOAD_NONE,
		.answers = true },
	/* QEMU's card enables its pairs before the first SET_FEATURES. */
	[VU_SET_VRING_ENABLE] = { vu_ring_set_enable, VU_PAYLOAD_STATE,
		.state = VU_OWNED },
	[VU_SEND_RARP] = { vu_net_send_rarp, VU_PAYLOAD_U64, .state = VU_OWNED,
		.needs = VU_BIT(VU_PROTOCOL_F_RARP), .optional = true },
	[VU_NET_SET_MTU] = { vu_net_set_mtu, VU_PAYLOAD_U64, .state = VU_OWNED,
		.needs = VU_BIT(VU_PROTOCOL_F_NET_MTU), .optional = true },
	[VU_SET_BACKEND_REQ_FD] = { set_backend_req_fd, VU_PAYLOAD_NONE,
		.max_fds = 1,
		.needs = VU_BIT(VU_PROTOCOL_F_BACKEND_REQ) },
	[VU_GET_CONFIG] = { get_config, VU_PAYLOAD_CONFIG,
		.needs = VU_BIT(VU_PROTOCOL_F_CONFIG), .answers = true },
	[VU_SET_CONFIG] = { set_config, VU_PAYLOAD_CONFIG,
		.state = VU_OWNED, .needs = VU_BIT(VU_PROTOCOL_F_CONFIG),
		.optional = true },
	[VU_GET_INFLIGHT_FD] = { vu_inflight_get, VU_PAYLOAD_INFLIGHT,
		.state = VU_NEGOTIATED,
		.needs = VU_BIT(VU_PROTOCOL_F_INFLIGHT_SHMFD),
		.answers = true },
	[VU_SET_INFLIGHT_FD] = { vu_inflight_set, VU_PAYLOAD_INFLIGHT,
		.max_fds = 1, .state = VU_NEGOTIATED,
		.needs = VU_BIT(VU_PROTOCOL_F_INFLIGHT_SHMFD) },
	[VU_RESET_DEVICE] = { reset_device, VU_PAYLOAD_NONE,
		.state = VU_OWNED,
		.needs = VU_BIT(VU_PROTOCOL_F_RESET_DEVICE) },
	[VU_GET_MAX_MEM_SLOTS] = { vu_memory_get_max_slots, VU_PAYLOAD_NONE,
		.needs = VU_BIT(VU_PROTOCOL_F_CONFIGURE_MEM_SLOTS),
		.answers = true },
	[VU_ADD_MEM_REG] = { vu_memory_add, VU_PAYLOAD_MEM_REG,
		.max_fds = 1, .state = VU_NEGOTIATED,
		.needs = VU_BIT(VU_PROTOCOL_F_CONFIGURE_MEM_SLOTS) },
	/* The protocol allows a descriptor, which we close. */
	[VU_REM_MEM_REG] = { vu_memory_remove, VU_PAYLOAD_MEM_REG,
		.max_fds = 1, .state = VU_NEGOTIATED,
		.needs = VU_BIT(VU_PROTOCOL_F_CONFIGURE_MEM_SLOTS) },
	[VU_SET_STATUS] = { set_status, VU_PAYLOAD_U64,
		.state = VU_OWNED, .needs = VU_BIT(VU_PROTOCOL_F_STATUS) },
	[VU_GET_STATUS] = { get_status, VU_PAYLOAD_NONE,
		.needs = VU_BIT(VU_PROTOCOL_F_STATUS), .answers = true },
};

static const struct session_row *session_find_row(const struct vu_msg *m)
{
	if (m->request >= VU_NR_REQUESTS || !session_rows[m->request].handle)
		return NULL;
	return &session_rows[m->request];
}

static int session_check(struct vu_session *s, const struct vu_msg *m,
			 const struct session_row *row)
{
	int ret;

	if (!row)
		return vu_session_fail(s, -EOPNOTSUPP, "request %u",
				       m->request);
	ret = vu_msg_check(m, row->payload);
	if (ret)
		return vu_session_fail(s, ret, "payload of %u bytes", m->size);
	if (m->nfds > row->max_fds)
		return vu_session_fail(s, -EBADMSG, "%u descriptors, not %u",
				       m->nfds, row->max_fds);
	if (s->state < row->state)
		return vu_session_fail(s, -EPROTO, "comes before %s",
				       s->state == VU_NEW ? "SET_OWNER" :
							    "SET_FEATURES");
	if ((s->protocol_features & row->needs) != row->needs)
		return vu_session_fail(s, -EPROTO, "feature not negotiated");
	return 0;
}

static void session_note(struct vu_session *s, const struct vu_msg *m, int err)
{
	const char *name = vu_msg_name(m->request);
	char queue[24] = "";

	if (s->at_queue >= 0)
		snprintf(queue, sizeof(queue), "queue %d: ", s->at_queue);
	snprintf(s->error, sizeof(s->error), "%s%s: %s%s%s", queue,
		 name ? name : "unknown message", s->detail,
		 *s->detail ? ": " : "", strerror(-err));
}

int vu_session_handle(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply)
{
	const struct session_row *row = session_find_row(m);
	int fatal, ret;

	vu_msg_init(reply);
	s->at_queue = -1;
	s->detail[0] = '\0';
	s->error[0] = '\0';

	/* A front end that breaks the protocol is served no longer. */
	fatal = ret = session_check(s, m, row);
	if (!ret)
		ret = row->handle(s, m, reply);
	for (unsigned int i = 0; i < m->nfds; i++)
		vu_peerfd_close(&m->fds[i]);
	m->nfds = 0;
	if (ret)
		session_note(s, m, ret);
	if (fatal)
		return fatal;

	if (row->answers)
		return reply->request ? 0 : ret;
	if (s->protocol_features & VU_BIT(VU_PROTOCOL_F_REPLY_ACK) &&
	    m->flags & VU_FLAG_NEED_REPLY) {
		vu_msg_reply_u64(reply, m, -ret);
		return 0;
	}
	return row->optional ? 0 : ret;
}

int vu_session_resize(struct vu_session *s, bool *changed)
{
	int ret;

	*changed = false;
	ret = s->dev->ops->resize(s->dev, changed);
	if (!ret && *changed)
		s->resized = true;
	return ret;
}

bool vu_session_notice(const struct vu_session *s, struct vu_msg *notice)
{
	bool running = false;

	for (unsigned int i = 0; i < s->num_queues; i++)
		running |= s->queue[i].running;
	if (!s->resized || !running || s->backend < 0 ||
	    !(s->protocol_features & VU_BIT(VU_PROTOCOL_F_CONFIG)))
		return false;
	vu_msg_init(notice);
	notice->request = VU_BACKEND_CONFIG_CHANGE;
	notice->flags = VU_VERSION;
	return true;
}

void vu_session_noticed(struct vu_session *s, int err)
{
	if (!err)
		s->resized = false;
	else
		vu_peerfd_close(&s->backend);
	if (s->backend < 0)
		s->backend_id = (struct vu_fd_id){ 0 };
}

bool vu_session_watch(struct vu_session *s)
{
	bool again;

	s->at_queue = -1;
	s->detail[0] = '\0';
	s->error[0] = '\0';
	if (!vu_ring_watch(s, &again))
		return again;
	snprintf(s->error, sizeof(s->error), "queue %d: %s: no request can be "
		 "served. %s", s->at_queue, s->detail, VU_MEMORY_ADVICE);
	return false;
}

const char *vu_session_error(const struct vu_session *s)
{
	return s->error;
}

int vu_session_init(struct vu_session *s, struct vu_device *dev)
{
	memset(s, 0, sizeof(*s));
	for (unsigned int i = 0; i < VU_MAX_QUEUES; i++)
		s->queue[i].kick = s->queue[i].call = s->queue[i].err = -1;
	s->backend = -1;
	s->inflight.fd = -1;
	s->dev = dev;
	s->mem = calloc(1, sizeof(*s->mem));
	return s->mem ? 0 : -ENOMEM;
}

void vu_session_offer(struct vu_session *s)
{
	s->log_offered = s->dev->ops->set_log;
	s->offered_protocol = SESSION_PROTOCOL_ALL |
			      (s->log_offered ?
			       VU_BIT(VU_PROTOCOL_F_LOG_SHMFD) : 0) |
			      (s->dev->ops->set_inflight &&
			       !vu_session_is_net(s) ?
			       VU_BIT(VU_PROTOCOL_F_INFLIGHT_SHMFD) : 0) |
			      (vu_session_is_net(s) ? vu_net_protocol(s->dev) :
						      SESSION_PROTOCOL_BLK);
	s->num_queues = s->dev->num_queues;
	if (s->num_queues > VU_MAX_QUEUES)
		s->num_queues = VU_MAX_QUEUES;
}

int vu_session_open(struct vu_session *s, struct vu_device *dev)
{
	int ret = vu_session_init(s, dev);

	if (ret)
		return ret;
	ret = dev->ops->open(dev);
	if (ret)
		goto err_mem;
	ret = dev->ops->get_features(dev, &s->device_features);
	if (ret)
		goto err_dev;
	/* The session offers the dirty log, and vhost-user defines bit 30 itself. */
	s->device_features &= ~(VU_BIT(VHOST_F_LOG_ALL) |
				VU_BIT(VU_F_PROTOCOL_FEATURES));
	vu_session_offer(s);
	return 0;

err_dev:
	dev->ops->close(dev);
err_mem:
	free(s->mem);
	return ret;
}

void vu_session_free(struct vu_session *s)
{
	vu_memtable_clear(s->mem);
	free(s->mem);
	vu_log_close(s);
	vu_inflight_close(s);
	for (unsigned int i = 0; i < VU_MAX_QUEUES; i++) {
		vu_peerfd_close(&s->queue[i].kick);
		vu_peerfd_close(&s->queue[i].call);
		vu_peerfd_close(&s->queue[i].err);
	}
	vu_peerfd_close(&s->backend);
}

void vu_session_close(struct vu_session *s)
{
	/* 1. Stop the queues. close() stops those that fail here. */
	vu_ring_stop_all(s);
	/* 2. Close the device: then the kernel does not use the memory any more. */
	s->dev->ops->close(s->dev);
	/* 3. Unmap the memory and close the eventfds. */
	vu_session_free(s);
}
