/* SPDX-License-Identifier: GPL-2.0 */
/*
 * msg - vhost-user messages: layout, checks, replies
 *
 * A codec over memory: it uses no file descriptor and keeps no state. The peer may be
 * hostile. A reader below that returns 0 has checked that the message has the size that
 * the protocol demands, and nothing else: the caller checks ranges and addresses.
 *
 * Numbers are in host byte order, as the protocol demands.
 */
#ifndef TOOLS_VHOST_USER_MSG_H
#define TOOLS_VHOST_USER_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vu_request {
	VU_GET_FEATURES			= 1,
	VU_SET_FEATURES			= 2,
	VU_SET_OWNER			= 3,
	VU_RESET_OWNER			= 4,
	VU_SET_MEM_TABLE		= 5,
	VU_SET_LOG_BASE			= 6,
	VU_SET_LOG_FD			= 7,
	VU_SET_VRING_NUM		= 8,
	VU_SET_VRING_ADDR		= 9,
	VU_SET_VRING_BASE		= 10,
	VU_GET_VRING_BASE		= 11,
	VU_SET_VRING_KICK		= 12,
	VU_SET_VRING_CALL		= 13,
	VU_SET_VRING_ERR		= 14,
	VU_GET_PROTOCOL_FEATURES	= 15,
	VU_SET_PROTOCOL_FEATURES	= 16,
	VU_GET_QUEUE_NUM		= 17,
	VU_SET_VRING_ENABLE		= 18,
	VU_SEND_RARP			= 19,
	VU_NET_SET_MTU			= 20,
	VU_SET_BACKEND_REQ_FD		= 21,
	VU_GET_CONFIG			= 24,
	VU_SET_CONFIG			= 25,
	VU_GET_INFLIGHT_FD		= 31,
	VU_SET_INFLIGHT_FD		= 32,
	VU_RESET_DEVICE			= 34,
	VU_GET_MAX_MEM_SLOTS		= 36,
	VU_ADD_MEM_REG			= 37,
	VU_REM_MEM_REG			= 38,
	VU_SET_STATUS			= 39,
	VU_GET_STATUS			= 40,
	VU_NR_REQUESTS,
};

/* Requests of the back end, on the socket of SET_BACKEND_REQ_FD. */
enum vu_backend_request {
	VU_BACKEND_CONFIG_CHANGE	= 2,
};

/* Bit of GET_FEATURES: the back end has protocol features. */
#define VU_F_PROTOCOL_FEATURES		30

#define VU_PROTOCOL_F_MQ		0
#define VU_PROTOCOL_F_LOG_SHMFD		1
#define VU_PROTOCOL_F_RARP		2
#define VU_PROTOCOL_F_REPLY_ACK		3
#define VU_PROTOCOL_F_NET_MTU		4
#define VU_PROTOCOL_F_BACKEND_REQ	5
#define VU_PROTOCOL_F_CONFIG		9
#define VU_PROTOCOL_F_INFLIGHT_SHMFD	12
#define VU_PROTOCOL_F_RESET_DEVICE	13
#define VU_PROTOCOL_F_CONFIGURE_MEM_SLOTS 15
#define VU_PROTOCOL_F_STATUS		16

#define VU_VERSION		0x1u
#define VU_FLAG_VERSION_MASK	0x3u
#define VU_FLAG_REPLY		(1u << 2)
#define VU_FLAG_NEED_REPLY	(1u << 3)

/* The u64 of SET_VRING_KICK, _CALL and _ERR. */
#define VU_VRING_INDEX_MASK	0xffu
#define VU_VRING_NOFD		(1u << 8)

#define VU_MAX_FDS		8	/* regions of one SET_MEM_TABLE */
#define VU_MAX_TABLE		8
#define VU_MAX_CONFIG		256
#define VU_HEADER_SIZE		12

/* Flag of vu_addr: writes to the used ring are logged. */
#define VU_ADDR_F_LOG		1u

struct vu_state {
	uint32_t index;
	uint32_t num;
};

struct vu_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vu_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user_addr;
	uint64_t mmap_offset;
};

struct vu_memory {
	uint32_t	 nregions;
	uint32_t	 padding;
	struct vu_region regions[VU_MAX_TABLE];
};

struct vu_log_base {
	uint64_t size;
	uint64_t offset;
};

struct vu_inflight_desc {
	uint64_t size;
	uint64_t offset;
	uint16_t num_queues;
	uint16_t queue_size;
	uint32_t padding;		/* QEMU sends it, others do not */
};

struct vu_mem_reg {
	uint64_t	 padding;
	struct vu_region region;
};

#define VU_CONFIG_F_MIGRATION	1u	/* vu_config.flags */

struct vu_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t	 data[VU_MAX_CONFIG];
};

/* The kinds of payload; each request has one. */
enum vu_payload {
	VU_PAYLOAD_NONE,
	VU_PAYLOAD_U64,
	VU_PAYLOAD_STATE,
	VU_PAYLOAD_ADDR,
	VU_PAYLOAD_MEMORY,
	VU_PAYLOAD_MEM_REG,
	VU_PAYLOAD_CONFIG,
	VU_PAYLOAD_LOG,
	VU_PAYLOAD_INFLIGHT,
};

struct vu_msg {
	uint32_t request;
	uint32_t flags;
	uint32_t size;			/* bytes of the payload */
	union {
		uint64_t	  u64;
		struct vu_state	  state;
		struct vu_addr	  addr;
		struct vu_memory  memory;
		struct vu_mem_reg mem_reg;
		struct vu_config  config;
		struct vu_log_base log;
		struct vu_inflight_desc inflight;
		uint8_t		  bytes[280];
	} payload;
	unsigned int nfds;
	int	     fds[VU_MAX_FDS];	/* owned by the owner of the message */
};

#define VU_MAX_PAYLOAD	sizeof(((struct vu_msg *)NULL)->payload)

/* A message with no payload, no descriptor and no request. */
void vu_msg_init(struct vu_msg *m);

/*
 * Reads the VU_HEADER_SIZE bytes at @buf into @m. Returns -EPROTO if they are
 * not the header of a request of protocol version 1, -EMSGSIZE if the payload
 * is larger than that of any message known here.
 */
int vu_msg_read_header(struct vu_msg *m, const void *buf);
/* Writes the header of @m to @buf. */
void vu_msg_write_header(const struct vu_msg *m, void *buf);

/*
 * Checks that the payload has the size of @kind, or, if it contains a count or a length,
 * the size that this implies. A config may be larger. Returns 0 or -EBADMSG.
 */
int vu_msg_check(const struct vu_msg *m, enum vu_payload kind);

/* Makes @reply the reply to @m. A config of @size 0 reports an error. */
void vu_msg_reply_u64(struct vu_msg *reply, const struct vu_msg *m,
		      uint64_t value);
void vu_msg_reply_state(struct vu_msg *reply, const struct vu_msg *m,
			uint32_t index, uint32_t num);
/* @fd becomes the reply's. */
void vu_msg_reply_inflight(struct vu_msg *reply, const struct vu_msg *m,
			   uint64_t size, int fd);
void vu_msg_reply_config(struct vu_msg *reply, const struct vu_msg *m,
			 const void *data, uint32_t size);

/* The name of a request known here, else NULL. */
const char *vu_msg_name(uint32_t request);

#endif
