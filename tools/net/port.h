/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port - the host's end of a card: a tap, a macvtap, or a network device of the card's
 * own
 *
 * Functions return 0 or -errno.
 */
#ifndef TOOLS_NET_PORT_H
#define TOOLS_NET_PORT_H

#include <linux/vhost_doorbell.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "link.h"

struct fdstore;

enum port_kind {
	PORT_TAP,		/* a tap that exists */
	PORT_TAP_CREATE,	/* a tap that the program makes */
	PORT_TAP_FD,		/* queues of a tap, opened by another program */
	PORT_MACVTAP,
	PORT_DEV,		/* a network device that the module makes */
};

/**
 * struct port - the port of a card
 * @kind: kind of the port
 * @name: name of the network interface
 * @pairs: number of its queues, one for each pair of the card
 * @fd: descriptor of each queue, owned; -1: none, as for PORT_DEV
 * @multi: queues can be attached and detached
 * @attached: bit N: queue N is attached
 * @given: bit N: the module has queue N
 * @features: negotiated features of virtio-net
 * @error: the last error in words, or NULL
 */
struct port {
	enum port_kind	kind;
	char		name[IFNAMSIZ];
	unsigned int	pairs;
	int		fd[VHOST_DOORBELL_MAX_PAIRS];
	bool		multi;
	uint32_t	attached;
	uint32_t	given;
	uint64_t	features;
	const char     *error;
};

/*
 * Opens @pairs queues of the port that @kind and @name say. For PORT_TAP_FD the caller
 * has set @fd, and @name is set here. For PORT_DEV nothing is opened.
 */
int port_open(struct port *p);
void port_close(struct port *p);
/*
 * Takes the descriptors that port_keep() of an earlier process has stored. Returns false,
 * and takes none, if there are not as many as the port has pairs.
 */
bool port_inherit(struct port *p, struct fdstore *store);
/* Has the keeper hold the descriptors of the port. 0 or -errno. */
int port_keep(const struct port *p, struct fdstore *store);

/*
 * For an interface that this program has made: sets the MTU, adds the interface to
 * @bridge unless that is NULL, and sets it up.
 */
int port_bring_up(struct port *p, const char *bridge, unsigned int mtu);

/*
 * Gives queue @i of the port, set up for p->features, to pair @i of the open device
 * @dev. If the interface was deleted it is opened again by its name; -ENOLINK if that
 * fails.
 */
int port_give(struct port *p, int dev, unsigned int i);
/*
 * Takes queue @i back from the module. Its frames are dropped or take another
 * queue.
 */
int port_take(struct port *p, int dev, unsigned int i);

#endif
