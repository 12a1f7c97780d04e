/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_options - the command line of `doorbell-bench emulate --type net`
 */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "driver_options.h"

#define NET_MAX_PAIRS	32
#define NET_MAX_FRAME	65549	/* an Ethernet header and 65535 bytes */
#define NET_FRAME_SLACK	64	/* bytes that VLAN tags may add to a frame */
#define NET_MAX_SEGS	64	/* pieces of a frame's buffer */
#define NET_LOSE_AUTO	UINT64_MAX

enum net_load {
	NET_LOAD_TX,
	NET_LOAD_RX,
	NET_LOAD_ECHO,
	NET_LOAD_PASS,
};

enum net_layout {
	NET_LAYOUT_TOGETHER,	/* header and frame in one descriptor */
	NET_LAYOUT_HEADER,	/* the header in a descriptor of its own */
	NET_LAYOUT_SPLIT,	/* pieces of any size */
	NET_LAYOUT_INDIRECT,	/* header and frame in an indirect table */
	NET_LAYOUT_RANDOM,	/* any of these for each frame */
};

enum net_offload {
	NET_OFFLOAD_NONE,
	NET_OFFLOAD_CSUM,
	NET_OFFLOAD_TSO4,
	NET_OFFLOAD_TSO6,
};

enum net_host_kind {
	NET_HOST_AUTO,
	NET_HOST_NONE,
	NET_HOST_PACKET,
	NET_HOST_UDP,
	NET_HOST_SINK,	/* UDP; reads when the load is over */
};

enum net_wait {
	NET_WAIT_CALL,
	NET_WAIT_YIELD,
	NET_WAIT_SPIN,
};

/* All numbers are 64 bits wide so that one table can describe them. */
struct net_options {
	struct driver_options common;

	/* Options of the device and its driver */
	bool		vhost_net;
	bool		doorbell;
	const char	*tap;
	const char	*dev;
	const char	*peer;
	uint64_t	mode;			/* enum vhost_doorbell_mode */
	uint64_t	mtu;
	uint64_t	pairs;
	bool		no_mrg;
	bool		no_guest_offloads;

	/* Options of the load */
	uint64_t	load;			/* enum net_load */
	uint64_t	host;			/* enum net_host_kind */
	const char	*host_if;
	bool		host_thread;
	uint64_t	batch;
	uint64_t	depth;
	uint64_t	size;
	uint64_t	min_size;
	uint64_t	layout;			/* enum net_layout */
	uint64_t	segs;
	uint64_t	offload;		/* enum net_offload */
	uint64_t	mss;
	uint64_t	buffer;
	uint64_t	refill;
	uint64_t	wait;			/* enum net_wait */
	bool		forever;
	uint64_t	warm;
	const char	*setup;

	/* Options of checks */
	uint64_t	lose;			/* frames that may be lost */
	const char	*count_file;
};

/* Does the other end take frames from the guest while the load runs? */
static inline bool net_options_host_reads(const struct net_options *o)
{
	return o->host == NET_HOST_PACKET || o->host == NET_HOST_UDP;
}

/* Fills @o. Returns 0, or -EINVAL after a message on stderr. */
int net_options_parse(struct net_options *o, int argc, char **argv);
void net_options_help(void);

#endif
