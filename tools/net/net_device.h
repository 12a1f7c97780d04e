/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_device - a vhd_device that is a card, with a port
 *
 * A pair gets its port when its first queue starts, so after SET_FEATURES, and loses it
 * when both queues have stopped. If a pair does not run its queue of the tap is detached,
 * and frames take the other queues; the first pair's queue always stays attached.
 */
#ifndef TOOLS_NET_NET_DEVICE_H
#define TOOLS_NET_NET_DEVICE_H

#include "port.h"
#include "vhd_device.h"

/**
 * struct net_device - a card with its port
 * @vhd: the device; the session uses @vhd.base
 * @ops: the calls that the session uses; they handle @port and call @inner
 * @inner: the calls of @vhd
 * @port: the port, open
 * @bridge: bridge that a network device of the card's own joins; NULL: none
 * @mtu: for VIRTIO_NET_F_MTU; 0: not offered
 * @lost: called when a pair starts without @port, as its interface was deleted
 * @running: bit N: queue N runs
 * @named: the network device of @port exists; it ends when @vhd.fd is closed
 */
struct net_device {
	struct vhd_device	    vhd;
	struct vu_device_ops	    ops;
	const struct vu_device_ops *inner;
	struct port		   *port;
	const char		   *bridge;
	unsigned int		    mtu;
	void			  (*lost)(const struct port *port);
	uint64_t		    running;
	bool			    named;
};

/*
 * Sets up @ops and @vhd. The caller has set @port, @bridge, @mtu, @lost, and the
 * members of @vhd that vhd_device_init() does not set. Opens nothing.
 */
void net_device_init(struct net_device *d);
/*
 * Checks that the module accepts card and port: opens the device, gives each pair its
 * port for a moment, and closes the device. Returns 0 or -errno; if the port is at
 * fault, @port->error says why.
 */
int net_device_probe(struct net_device *d);
/* Closes the device, and with it a network device of the card's own. */
void net_device_end(struct net_device *d);

#endif
