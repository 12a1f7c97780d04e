/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port - what a card is plugged into on the host: a tap, a macvtap, or a network
 * device of its own
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

enum port_kind {
	PORT_TAP,		/* that exists */
	PORT_TAP_CREATE,
	PORT_TAP_FD,		/* descriptors from another program */
	PORT_MACVTAP,
	PORT_DEV,		/* a network device that the module makes */
};

/**
 * struct port - such a port
 * @kind: of these
 * @name: of the network interface
 * @pairs: queues that it has, one for each pair of the card
 * @fd: of each queue, owned; -1: none, as of PORT_DEV
 * @multi: queues can be attached and detached
 * @attached: bit N: queue N is
 * @given: bit N: the module has it
 * @features: of virtio-net, agreed on
 * @error: what went wrong, in words, or NULL
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
 * Opens as many queues as @pairs says, of what @kind and @name say; of PORT_TAP_FD the
 * caller has filled @fd, and @name is found. Of PORT_DEV there is nothing to open.
 */
int port_open(struct port *p);
void port_close(struct port *p);

/* Of one that the program makes: joins @bridge if not NULL, and has it up. */
int port_bring_up(struct port *p, const char *bridge, unsigned int mtu);

/*
 * Gives the module the device @dev's port for pair @i, set up for p->features. An
 * interface that has gone is opened again by its name; -ENOLINK if that fails.
 */
int port_give(struct port *p, int dev, unsigned int i);
/* Takes it back; frames for it are dropped or take another queue. */
int port_take(struct port *p, int dev, unsigned int i);

#endif
