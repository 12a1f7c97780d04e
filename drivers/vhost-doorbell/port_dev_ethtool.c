// SPDX-License-Identifier: GPL-2.0
/*
 * port_dev_ethtool - ethtool operations of a card's own network device
 *
 * Context: under the RTNL.
 */
#include <linux/compiler.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/string.h>

#include "port_dev_priv.h"
#include "stats.h"

static void dev_get_drvinfo(struct net_device *dev,
			    struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "vhost-doorbell", sizeof(info->driver));
	strscpy(info->version, BELL_VERSION, sizeof(info->version));
}

/*
 * Names and directions are those of struct vhost_doorbell_net_stats: rx is what the
 * guest receives.
 */
#define DEV_STAT(name)	{ #name, offsetof(struct bell_net_stats, name) }

static const struct {
	const char	*name;
	size_t		 offset;
} dev_stats[] = {
	DEV_STAT(rx_packets),
	DEV_STAT(rx_bytes),
	DEV_STAT(rx_batches),
	DEV_STAT(rx_dry),
	DEV_STAT(rx_drop_long),
	DEV_STAT(rx_drop_offload),
	DEV_STAT(rx_drop_dead),
	DEV_STAT(tx_packets),
	DEV_STAT(tx_bytes),
	DEV_STAT(tx_batches),
	DEV_STAT(tx_large),
	DEV_STAT(tx_drop_bad),
	DEV_STAT(tx_drop_port),
	DEV_STAT(tx_drop_down),
};

static int dev_get_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return bell_port_dev_card(dev)->n * ARRAY_SIZE(dev_stats);
}

static void dev_get_strings(struct net_device *dev, u32 set, u8 *to)
{
	u32 i, k;

	if (set != ETH_SS_STATS)
		return;
	for (i = 0; i < bell_port_dev_card(dev)->n; i++) {
		for (k = 0; k < ARRAY_SIZE(dev_stats); k++)
			ethtool_sprintf(&to, "pair%u_%s", i, dev_stats[k].name);
	}
}

static void dev_read_stats(struct net_device *dev, struct ethtool_stats *st,
			   u64 *to)
{
	struct dev_card *card = bell_port_dev_card(dev);
	u32 i, k;

	for (i = 0; i < card->n; i++) {
		const void *stats = card->queue[i].port.stats;

		for (k = 0; k < ARRAY_SIZE(dev_stats); k++)
			*to++ = READ_ONCE(*(const u64 *)(stats +
							 dev_stats[k].offset));
	}
}

const struct ethtool_ops bell_port_dev_ethtool_ops = {
	.get_sset_count		= dev_get_sset_count,
	.get_strings		= dev_get_strings,
	.get_ethtool_stats	= dev_read_stats,
	.get_drvinfo		= dev_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
};
