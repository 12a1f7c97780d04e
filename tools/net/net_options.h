/* SPDX-License-Identifier: GPL-2.0 */
/* net_options - the command line of vhost-doorbell-net */
#ifndef TOOLS_NET_NET_OPTIONS_H
#define TOOLS_NET_NET_OPTIONS_H

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "common_options.h"
#include "feature.h"
#include "port.h"

/*
 * Features that --features may switch; those in NET_FEATURES_OFF are off by
 * default, for the reasons in blk_options.h.
 */
#define NET_FEATURES_OFF	(BIT(VIRTIO_F_IN_ORDER) | \
				 BIT(FEATURE_NOTIFICATION_DATA))
#define NET_FEATURES_ON		(BIT(VIRTIO_NET_F_CSUM) | \
				 BIT(VIRTIO_NET_F_GUEST_CSUM) | \
				 BIT(VIRTIO_NET_F_GUEST_TSO4) | \
				 BIT(VIRTIO_NET_F_GUEST_TSO6) | \
				 BIT(VIRTIO_NET_F_GUEST_ECN) | \
				 BIT(VIRTIO_NET_F_HOST_TSO4) | \
				 BIT(VIRTIO_NET_F_HOST_TSO6) | \
				 BIT(VIRTIO_NET_F_HOST_ECN) | \
				 BIT(VIRTIO_NET_F_MRG_RXBUF) | \
				 BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | \
				 BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | \
				 BIT(VIRTIO_F_ANY_LAYOUT) | \
				 BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
				 BIT(VIRTIO_RING_F_EVENT_IDX) | \
				 BIT(VIRTIO_F_VERSION_1) | \
				 BIT(VIRTIO_F_RING_PACKED) | \
				 BIT(VIRTIO_F_RING_RESET))
/*
 * Features that --no-guest-offload switches off: a guest that loads XDP
 * programs must not have them.
 */
#define NET_FEATURES_GUEST_OFFLOAD (BIT(VIRTIO_NET_F_GUEST_CSUM) | \
				 BIT(VIRTIO_NET_F_GUEST_TSO4) | \
				 BIT(VIRTIO_NET_F_GUEST_TSO6) | \
				 BIT(VIRTIO_NET_F_GUEST_ECN))

struct net_options {
	struct common_options common;
	enum port_kind kind;
	const char  *name;	/* name of the interface; NULL: not given */
	const char  *bridge;
	unsigned int queues;	/* pairs; 0: not given */
	unsigned int num_fds;
	int	     fd[VHOST_DOORBELL_MAX_PAIRS];
	unsigned int mtu;	/* 0: not given */
	uint64_t     features;	/* the switchable features that are on */
	bool	     no_guest_offload;
	/* Number of options that name a port; exactly one is needed */
	unsigned int ports;
};

/* As blk_options_parse(). */
bool net_options_parse(struct net_options *o, int argc, char **argv, int *status);

#endif
