/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_dev - a virtio-net device: at the other end of a vhost-user socket, or of
 *	/dev/vhost-net or /dev/vhost-doorbell
 *
 * Queue 2N receives, queue 2N + 1 sends. All return 0 or -errno.
 *
 * Context: any thread, one at a time.
 */
#ifndef NET_DEV_H
#define NET_DEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "fe.h"
#include "mem.h"
#include "net_options.h"
#include "ring.h"

struct net_dev;

struct net_dev_ops {
	/* Leaves what it offers in @d->offered; sets @d->ifname if it knows. */
	int	(*open)(struct net_dev *d);
	/* @d->features are agreed on. */
	int	(*setup)(struct net_dev *d, const struct mem *mem);
	int	(*start)(struct net_dev *d, unsigned int queue,
			 const struct ring *r, unsigned int base);
	int	(*stop)(struct net_dev *d, unsigned int queue,
			unsigned int *base);
	void	(*close)(struct net_dev *d);
};

struct net_dev {
	const struct net_dev_ops	*ops;
	const struct net_options	*o;
	const char			*name;	/* socket, tap or device */
	uint64_t			offered;
	uint64_t			features;
	unsigned int			pairs;
	unsigned int			hlen;	/* of the virtio header */
	char				ifname[IFNAMSIZ];	/* or empty */
	const char			*what;	/* failed last */

	struct fe			fe;	/* vhost-user only */
	int				fd[NET_MAX_PAIRS];
	int				tap[NET_MAX_PAIRS];
};

extern const struct net_dev_ops net_dev_socket_ops;
extern const struct net_dev_ops net_dev_vhost_ops;
extern const struct net_dev_ops net_dev_doorbell_ops;

/* Opens the device that @o asks for by @name, and agrees on features. */
int net_dev_open(struct net_dev *d, const struct net_options *o,
		 const char *name);
/* After that queues can be started. */
int net_dev_setup(struct net_dev *d, const struct mem *mem);
int net_dev_start(struct net_dev *d, unsigned int queue, const struct ring *r,
		  unsigned int base);
int net_dev_stop(struct net_dev *d, unsigned int queue, unsigned int *base);
void net_dev_close(struct net_dev *d);

/* For net_dev_*.c: what of features a transport leaves to the driver. */
#define NET_DEV_OFFLOADS						\
	(1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_GUEST_CSUM |	\
	 1ull << VIRTIO_NET_F_HOST_TSO4 | 1ull << VIRTIO_NET_F_HOST_TSO6 | \
	 1ull << VIRTIO_NET_F_HOST_ECN | 1ull << VIRTIO_NET_F_GUEST_TSO4 | \
	 1ull << VIRTIO_NET_F_GUEST_TSO6 | 1ull << VIRTIO_NET_F_GUEST_ECN)

static inline bool net_dev_has(const struct net_dev *d, unsigned int feature)
{
	return d->features >> feature & 1;
}

#endif
