/* SPDX-License-Identifier: GPL-2.0 */
/* port_dev_priv - shared by port_dev.c and port_dev_ethtool.c only */
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

	/* All members from here on: under the transmit lock of the device's queue */

	struct bell_net_rx	*rx;		/* NULL unless the guest's queue runs */
	struct bell_exec	*exec;
	bool			 unpinned;	/* the worker must pin a page */
	bool			 held;		/* the worker is pinning */
	/*
	 * The guest took fewer than DEV_SERVED frames in DEV_PATIENCE: drop its packets
	 */
	bool			 dead;
	/* When the present period of DEV_PATIENCE began, in jiffies */
	unsigned long		 starved;
	u32			 served;	/* frames delivered since then */
	/* When a pass last woke the queue, in jiffies */
	unsigned long		 woken;
	/*
	 * True while this queue is in its CPU's list (struct dev_batch): frames were
	 * delivered that the guest has not been shown yet. @next is the next queue in
	 * that list.
	 */
	bool			 batched;
	struct dev_queue	*next;
};

struct dev_card {
	struct kref		 ref;
	struct net_device __rcu	*dev;		/* written under the RTNL */
	/* Offloads that the guest accepts; written under the RTNL */
	netdev_features_t	 offloads;
	u32			 n;
	struct dev_queue	 queue[];
};

/* Private data of the net_device */
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
