/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_device - a vhd_device that is a card, with a port
 *
 * A pair has its port from the start of the first of its queues to the stop of both,
 * and so with what SET_FEATURES said before. The queue of a pair that does not run is
 * detached from the tap, save the first: frames take the others.
 */
#ifndef TOOLS_NET_NET_DEVICE_H
#define TOOLS_NET_NET_DEVICE_H

#include "port.h"
#include "vhd_device.h"

/**
 * struct net_device - such a device
 * @vhd: the device; the session's is @vhd.base
 * @ops: those of @vhd, with what a port needs
 * @inner: those of @vhd
 * @port: open
 * @bridge: that a network device of the card's own joins; NULL: none
 * @mtu: for VIRTIO_NET_F_MTU; 0: not offered
 * @lost: called when a pair starts without @port, whose interface has gone
 * @running: bit N: queue N runs
 * @named: @port has its network device, which goes with @vhd.fd
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
 * The caller has filled @vhd but for what is here, @port, @bridge, @mtu and @lost.
 * Opens nothing.
 */
void net_device_init(struct net_device *d);
/*
 * Whether the module takes card and port: opens the device, gives each pair its port
 * for a moment, and closes the device. 0 or -errno; @port->error has words if it is
 * the port's fault.
 */
int net_device_probe(struct net_device *d);
/* The end: also of a network device of the card's own. */
void net_device_end(struct net_device *d);

#endif
