/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fe - the front end's side of the vhost-user socket
 *
 * One function per message, named as in the vhost-user specification. All
 * return 0 or -errno: -ECONNRESET when the back end closed the connection,
 * -EPROTO for a reply that breaks the protocol, -EIO when the back end refused
 * a message (seen only with REPLY_ACK), -ETIMEDOUT when there is no reply.
 */
#ifndef FE_H
#define FE_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

#define FE_F_PROTOCOL_FEATURES		(1ull << 30)

#define FE_PROTOCOL_MQ			(1ull << 0)
#define FE_PROTOCOL_LOG_SHMFD		(1ull << 1)
#define FE_PROTOCOL_REPLY_ACK		(1ull << 3)
#define FE_PROTOCOL_CONFIG		(1ull << 9)
#define FE_PROTOCOL_RESET_DEVICE	(1ull << 13)
#define FE_PROTOCOL_MEM_SLOTS		(1ull << 15)
#define FE_PROTOCOL_STATUS		(1ull << 16)

#define FE_CONFIG_MAX			256
#define FE_TABLE_MAX			8	/* regions in SET_MEM_TABLE */

enum fe_request {
	FE_GET_FEATURES			= 1,
	FE_SET_FEATURES			= 2,
	FE_SET_OWNER			= 3,
	FE_SET_MEM_TABLE		= 5,
	FE_SET_LOG_BASE			= 6,
	FE_SET_VRING_NUM		= 8,
	FE_SET_VRING_ADDR		= 9,
	FE_SET_VRING_BASE		= 10,
	FE_GET_VRING_BASE		= 11,
	FE_SET_VRING_KICK		= 12,
	FE_SET_VRING_CALL		= 13,
	FE_SET_VRING_ERR		= 14,
	FE_GET_PROTOCOL_FEATURES	= 15,
	FE_SET_PROTOCOL_FEATURES	= 16,
	FE_GET_QUEUE_NUM		= 17,
	FE_SET_VRING_ENABLE		= 18,
	FE_GET_CONFIG			= 24,
	FE_SET_CONFIG			= 25,
	FE_RESET_DEVICE			= 34,
	FE_GET_MAX_MEM_SLOTS		= 36,
	FE_ADD_MEM_REG			= 37,
	FE_SET_STATUS			= 39,
	FE_GET_STATUS			= 40,
};

struct fe {
	int		sock;
	bool		reply_ack;	/* REPLY_ACK was negotiated */
	enum fe_request	last;		/* the last message, for error texts */
};

/* Addresses of one ring, in this process. */
struct fe_vring_addr {
	uint64_t	desc;
	uint64_t	used;
	uint64_t	avail;
};

int fe_connect(struct fe *fe, const char *path, unsigned int timeout_ms);
void fe_close(struct fe *fe);
/*
 * A back end sends only replies, so if the socket is readable now, the back end
 * has closed it.
 */
bool fe_gone(const struct fe *fe);
const char *fe_name(enum fe_request request);

/* Sends a message without payload; its reply is a number. */
int fe_get(struct fe *fe, enum fe_request request, uint64_t *value);
/* Send a message: without payload, with a number, with a queue and a number. */
int fe_send(struct fe *fe, enum fe_request request);
int fe_set(struct fe *fe, enum fe_request request, uint64_t value);
int fe_set_vring(struct fe *fe, enum fe_request request, unsigned int queue,
		 unsigned int value);
/* Sends SET_VRING_KICK, _CALL or _ERR. The caller keeps @fd. */
int fe_set_vring_fd(struct fe *fe, enum fe_request request,
		    unsigned int queue, int fd);
int fe_set_vring_addr(struct fe *fe, unsigned int queue,
		      const struct fe_vring_addr *addr);
int fe_get_vring_base(struct fe *fe, unsigned int queue, unsigned int *base);
int fe_set_mem_table(struct fe *fe, const struct mem *mem);
int fe_add_mem_regs(struct fe *fe, const struct mem *mem);
/* Shares @size bytes of @fd as the dirty log. The caller keeps @fd. */
int fe_set_log_base(struct fe *fe, int fd, uint64_t size);
int fe_get_config(struct fe *fe, void *config, uint32_t size);
/* Writes one byte of the config space. */
int fe_set_config(struct fe *fe, uint32_t offset, uint8_t value);

#endif
