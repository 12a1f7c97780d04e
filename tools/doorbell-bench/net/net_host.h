/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_host - the other end of a card: a socket of the host's
 *
 * A raw socket on an interface sends and receives whole frames, a UDP socket what
 * the host's network stack makes of them. One of these belongs to one stream.
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
	bool			checked;	/* somebody looks at each byte */
	int			fd;
	struct net_frame_rules	out;		/* to the guest */
	struct net_frame_rules	in;		/* from the guest */

	/* Who sends. */
	uint8_t			*frame;		/* virtio header and frame */
	bool			made;
	/* Who receives. */
	uint8_t			*got;
};

/* A frame that was received. */
struct net_got {
	struct net_tag	tag;
	uint32_t	len;
	const char	*wrong;		/* or NULL */
};

/* @receives: frames from the guest are asked for. 0 or -errno. */
int net_host_create(struct net_host *h, const char *ifname, bool receives);
void net_host_destroy(struct net_host *h);

/* 0; -EAGAIN: no room now; or another -errno. */
int net_host_send(struct net_host *h, uint64_t seq);
/*
 * 0 and what came; -EAGAIN: nothing, after @timeout_ms. @check: every byte, else
 * only its number is looked at.
 */
int net_host_receive(struct net_host *h, struct net_got *got, bool check,
		     int timeout_ms);

#endif
