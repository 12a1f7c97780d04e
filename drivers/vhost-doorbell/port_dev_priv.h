/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port_dev_priv - what the parts of port_dev share
 */
#ifndef BELL_PORT_DEV_PRIV_H
#define BELL_PORT_DEV_PRIV_H

#include <linux/ethtool.h>
#include <linux/kref.h>
#include <linux/netdevice.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "port.h"

struct dev_card;

struct dev_queue {
	struct bell_port	 port;
	struct dev_card		*card;
	u16			 index;
	struct timer_list	 timer;

	/* Under the transmit lock of the device's queue. */
	struct bell_net_rx	*rx;		/* while the guest's queue runs */
	struct bell_exec	*exec;
	bool			 unpinned;	/* the worker is to pin */
	bool			 held;		/* it does */
	bool			 dead;		/* took too few in DEV_PATIENCE */
	/* Since when it adds too few of them, in jiffies, and frames since then. */
	unsigned long		 starved;
	u32			 served;
	unsigned long		 woken;		/* when last, in jiffies */
	/* Delivered in a batch of this CPU, and not yet shown to the guest. */
	bool			 batched;
	struct dev_queue	*next;
};

struct dev_card {
	struct kref		 ref;
	struct net_device __rcu	*dev;		/* changes under the RTNL */
	netdev_features_t	 offloads;	/* the guest's; the same */
	u32			 n;
	struct dev_queue	 queue[];
};

/* What the device has of its own. */
struct dev_priv {
	struct dev_card		*card;
};

static inline struct dev_card *bell_port_dev_card(struct net_device *dev)
{
	struct dev_priv *priv = netdev_priv(dev);

	return priv->card;
}

extern const struct ethtool_ops bell_port_dev_ethtool_ops;

#endif
