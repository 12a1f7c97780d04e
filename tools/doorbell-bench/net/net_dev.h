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
	/*
	 * Opens the device. Stores the offered features in @d->offered, and, if
	 * known, the name of the host's interface in @d->ifname.
	 */
	int	(*open)(struct net_dev *d);
	/*
	 * Gives the device the negotiated features (@d->features) and the
	 * guest's memory.
	 */
	int	(*setup)(struct net_dev *d, const struct mem *mem);
	/* Starts a queue at position @base of its ring. */
	int	(*start)(struct net_dev *d, unsigned int queue,
			 const struct ring *r, unsigned int base);
	/* Stops a queue; *@base is its position. */
	int	(*stop)(struct net_dev *d, unsigned int queue,
			unsigned int *base);
	void	(*close)(struct net_dev *d);
};

struct net_dev {
	const struct net_dev_ops	*ops;
	const struct net_options	*o;
	const char			*name;	/* socket, tap or device */
	uint64_t			offered;
	/* Features that the device offers */
	uint64_t			features;
	/* Features that were negotiated */
	unsigned int			pairs;
	unsigned int			hlen;	/* bytes of the virtio header */
	/* Host's interface, or an empty string */
	char				ifname[IFNAMSIZ];
	const char			*what;	/* the call that failed last */

	/* Used by net_dev_socket.c only */
	struct fe			fe;
	int				fd[NET_MAX_PAIRS];
	int				tap[NET_MAX_PAIRS];
};

extern const struct net_dev_ops net_dev_socket_ops;
extern const struct net_dev_ops net_dev_vhost_ops;
extern const struct net_dev_ops net_dev_doorbell_ops;

/* Opens the device @name, of the kind that @o says, and negotiates features. */
int net_dev_open(struct net_dev *d, const struct net_options *o,
		 const char *name);
/* Calls setup() of the device; after that queues can be started. */
int net_dev_setup(struct net_dev *d, const struct mem *mem);
int net_dev_start(struct net_dev *d, unsigned int queue, const struct ring *r,
		  unsigned int base);
int net_dev_stop(struct net_dev *d, unsigned int queue, unsigned int *base);
void net_dev_close(struct net_dev *d);

/*
 * For net_dev_*.c: offload features, which depend on the options of the driver
 * only.
 */
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
