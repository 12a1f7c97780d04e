/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_host - the other end of a card: a socket in the host
 *
 * A raw socket on an interface sends and receives whole frames; a UDP socket
 * sends and receives payloads, with the host's network stack in between. A
 * socket belongs to one stream.
 *
 * Context: one thread sends and one receives.
 */
#ifndef NET_HOST_H
#define NET_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "net_frame.h"
#include "net_options.h"

struct net_host {
	/* Constant. */
	enum net_host_kind	kind;
	uint16_t		stream;
	/* Check each byte of received frames */
	bool			checked;
	int			fd;
	struct net_frame_rules	out;		/* frames to the guest */
	struct net_frame_rules	in;		/* frames from the guest */

	/* Used by the sending thread: */
	uint8_t			*frame;		/* virtio header and frame */
	bool			made;
	/* Used by the receiving thread: */
	uint8_t			*got;
};

/* A frame that was received. */
struct net_got {
	struct net_tag	tag;
	uint32_t	len;
	const char	*wrong;		/* the error in the frame, or NULL */
};

/*
 * @receives: the socket shall receive frames from the guest. Returns 0 or
 * -errno.
 */
int net_host_create(struct net_host *h, const char *ifname, bool receives);
void net_host_destroy(struct net_host *h);

/* Returns 0, -EAGAIN if there is no room now, or another -errno. */
int net_host_send(struct net_host *h, uint64_t seq);
/*
 * Returns 0 and a frame, or -EAGAIN if none came within @timeout_ms. With
 * @check each byte is checked, else only the number is read.
 */
int net_host_receive(struct net_host *h, struct net_got *got, bool check,
		     int timeout_ms);

#endif
