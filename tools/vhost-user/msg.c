// SPDX-License-Identifier: GPL-2.0
#include "msg.h"

#include <errno.h>
#include <string.h>

/* The payloads have no padding, so the union has the layout of the wire. */
_Static_assert(sizeof(struct vu_state) == 8, "wire layout");
_Static_assert(sizeof(struct vu_addr) == 40, "wire layout");
_Static_assert(sizeof(struct vu_memory) == 264, "wire layout");
_Static_assert(sizeof(struct vu_mem_reg) == 40, "wire layout");
_Static_assert(sizeof(struct vu_log_base) == 16, "wire layout");
_Static_assert(sizeof(struct vu_inflight_desc) == 24, "wire layout");
_Static_assert(offsetof(struct vu_inflight_desc, padding) == 20, "wire layout");
_Static_assert(sizeof(struct vu_config) == 268, "wire layout");
_Static_assert(offsetof(struct vu_config, data) == 12, "wire layout");

static const char * const vu_msg_names[VU_NR_REQUESTS] = {
	[VU_GET_FEATURES]	   = "GET_FEATURES",
	[VU_SET_FEATURES]	   = "SET_FEATURES",
	[VU_SET_OWNER]		   = "SET_OWNER",
	[VU_RESET_OWNER]	   = "RESET_OWNER",
	[VU_SET_MEM_TABLE]	   = "SET_MEM_TABLE",
	[VU_SET_LOG_BASE]	   = "SET_LOG_BASE",
	[VU_SET_LOG_FD]		   = "SET_LOG_FD",
	[VU_SET_VRING_NUM]	   = "SET_VRING_NUM",
	[VU_SET_VRING_ADDR]	   = "SET_VRING_ADDR",
	[VU_SET_VRING_BASE]	   = "SET_VRING_BASE",
	[VU_GET_VRING_BASE]	   = "GET_VRING_BASE",
	[VU_SET_VRING_KICK]	   = "SET_VRING_KICK",
	[VU_SET_VRING_CALL]	   = "SET_VRING_CALL",
	[VU_SET_VRING_ERR]	   = "SET_VRING_ERR",
	[VU_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
	[VU_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[VU_GET_QUEUE_NUM]	   = "GET_QUEUE_NUM",
	[VU_SET_VRING_ENABLE]	   = "SET_VRING_ENABLE",
	[VU_SEND_RARP]		   = "SEND_RARP",
	[VU_NET_SET_MTU]	   = "NET_SET_MTU",
	[VU_SET_BACKEND_REQ_FD]	   = "SET_BACKEND_REQ_FD",
	[VU_GET_CONFIG]		   = "GET_CONFIG",
	[VU_SET_CONFIG]		   = "SET_CONFIG",
	[VU_GET_INFLIGHT_FD]	   = "GET_INFLIGHT_FD",
	[VU_SET_INFLIGHT_FD]	   = "SET_INFLIGHT_FD",
	[VU_RESET_DEVICE]	   = "RESET_DEVICE",
	[VU_GET_MAX_MEM_SLOTS]	   = "GET_MAX_MEM_SLOTS",
	[VU_ADD_MEM_REG]	   = "ADD_MEM_REG",
	[VU_REM_MEM_REG]	   = "REM_MEM_REG",
	[VU_SET_STATUS]		   = "SET_STATUS",
	[VU_GET_STATUS]		   = "GET_STATUS",
};

void vu_msg_init(struct vu_msg *m)
{
	memset(m, 0, sizeof(*m));
	for (unsigned int i = 0; i < VU_MAX_FDS; i++)
		m->fds[i] = -1;
}

int vu_msg_read_header(struct vu_msg *m, const void *buf)
{
	uint32_t word[3];

	memcpy(word, buf, sizeof(word));
	m->request = word[0];
	m->flags = word[1];
	m->size = word[2];
	if ((m->flags & VU_FLAG_VERSION_MASK) != VU_VERSION)
		return -EPROTO;
	/* The back end sends no requests on this socket, so a reply is an error. */
	if (m->flags & VU_FLAG_REPLY)
		return -EPROTO;
	if (m->size > VU_MAX_PAYLOAD)
		return -EMSGSIZE;
	return 0;
}

void vu_msg_write_header(const struct vu_msg *m, void *buf)
{
	const uint32_t word[3] = { m->request, m->flags, m->size };

	memcpy(buf, word, sizeof(word));
}

/* The size that the payload's own length field implies; 0: an invalid one. */
static size_t vu_msg_expected_size(const struct vu_msg *m,
				   enum vu_payload kind)
{
	switch (kind) {
	case VU_PAYLOAD_NONE:
		return 0;
	case VU_PAYLOAD_U64:
		return sizeof(m->payload.u64);
	case VU_PAYLOAD_STATE:
		return sizeof(m->payload.state);
	case VU_PAYLOAD_ADDR:
		return sizeof(m->payload.addr);
	case VU_PAYLOAD_LOG:
		return sizeof(m->payload.log);
	case VU_PAYLOAD_INFLIGHT:
		/* The specification's structure has no padding, QEMU's has. */
		return m->size == offsetof(struct vu_inflight_desc, padding) ?
		       m->size : sizeof(m->payload.inflight);
	case VU_PAYLOAD_MEM_REG:
		return sizeof(m->payload.mem_reg);
	case VU_PAYLOAD_MEMORY:
		if (m->size < offsetof(struct vu_memory, regions) ||
		    m->payload.memory.nregions > VU_MAX_TABLE)
			return 0;
		return offsetof(struct vu_memory, regions) +
		       m->payload.memory.nregions * sizeof(struct vu_region);
	case VU_PAYLOAD_CONFIG:
		if (m->size < offsetof(struct vu_config, data) ||
		    m->payload.config.size > VU_MAX_CONFIG)
			return 0;
		return offsetof(struct vu_config, data) +
		       m->payload.config.size;
	}
	return 0;
}

int vu_msg_check(const struct vu_msg *m, enum vu_payload kind)
{
	size_t size = vu_msg_expected_size(m, kind);

	if (kind != VU_PAYLOAD_NONE && !size)
		return -EBADMSG;
	/* SPDK always sends a buffer for the largest config space. */
	if (kind == VU_PAYLOAD_CONFIG ? m->size > sizeof(m->payload.config) :
					m->size != size)
		return -EBADMSG;
	return m->size < size ? -EBADMSG : 0;
}

static void vu_msg_reply(struct vu_msg *reply, const struct vu_msg *m,
			 uint32_t size)
{
	vu_msg_init(reply);
	reply->request = m->request;
	reply->flags = VU_VERSION | VU_FLAG_REPLY;
	reply->size = size;
}

void vu_msg_reply_u64(struct vu_msg *reply, const struct vu_msg *m,
		      uint64_t value)
{
	vu_msg_reply(reply, m, sizeof(reply->payload.u64));
	reply->payload.u64 = value;
}

void vu_msg_reply_state(struct vu_msg *reply, const struct vu_msg *m,
			uint32_t index, uint32_t num)
{
	vu_msg_reply(reply, m, sizeof(reply->payload.state));
	reply->payload.state.index = index;
	reply->payload.state.num = num;
}

void vu_msg_reply_inflight(struct vu_msg *reply, const struct vu_msg *m,
			   uint64_t size, int fd)
{
	/* With padding if the request has it. */
	vu_msg_reply(reply, m, m->size);
	reply->payload.inflight.size = size;
	reply->payload.inflight.num_queues = m->payload.inflight.num_queues;
	reply->payload.inflight.queue_size = m->payload.inflight.queue_size;
	reply->fds[0] = fd;
	reply->nfds = 1;
}

void vu_msg_reply_config(struct vu_msg *reply, const struct vu_msg *m,
			 const void *data, uint32_t size)
{
	uint32_t all = offsetof(struct vu_config, data) + size;

	if (!size || size > VU_MAX_CONFIG) {
		vu_msg_reply(reply, m, 0);
		return;
	}
	/* The reply has the size of the request, which may be larger than needed. */
	vu_msg_reply(reply, m, m->size > all ? m->size : all);
	reply->payload.config.offset = m->payload.config.offset;
	reply->payload.config.size = size;
	reply->payload.config.flags = m->payload.config.flags;
	memcpy(reply->payload.config.data, data, size);
}

const char *vu_msg_name(uint32_t request)
{
	return request < VU_NR_REQUESTS ? vu_msg_names[request] : NULL;
}
