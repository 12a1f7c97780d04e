// SPDX-License-Identifier: GPL-2.0
#include "feature.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "optparse.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Names of the virtio spec and vhost.h. Bits that a header may lack are given
 * by number.
 */
#define TRANSPORT_NAMES							\
	[VIRTIO_F_NOTIFY_ON_EMPTY]	= "NOTIFY_ON_EMPTY",		\
	[26]				= "LOG_ALL",			\
	[VIRTIO_F_ANY_LAYOUT]		= "ANY_LAYOUT",			\
	[VIRTIO_RING_F_INDIRECT_DESC]	= "INDIRECT_DESC",		\
	[VIRTIO_RING_F_EVENT_IDX]	= "EVENT_IDX",			\
	[30]				= "PROTOCOL_FEATURES",		\
	[VIRTIO_F_VERSION_1]		= "VERSION_1",			\
	[VIRTIO_F_ACCESS_PLATFORM]	= "ACCESS_PLATFORM",		\
	[VIRTIO_F_RING_PACKED]		= "RING_PACKED",		\
	[VIRTIO_F_IN_ORDER]		= "IN_ORDER",			\
	[FEATURE_NOTIFICATION_DATA]	= "NOTIFICATION_DATA",		\
	[VIRTIO_F_RING_RESET]		= "RING_RESET"

static const char * const blk_names[64] = {
	[VIRTIO_BLK_F_SIZE_MAX]		= "SIZE_MAX",
	[VIRTIO_BLK_F_SEG_MAX]		= "SEG_MAX",
	[VIRTIO_BLK_F_GEOMETRY]		= "GEOMETRY",
	[VIRTIO_BLK_F_RO]		= "RO",
	[VIRTIO_BLK_F_BLK_SIZE]		= "BLK_SIZE",
	[VIRTIO_BLK_F_FLUSH]		= "FLUSH",
	[VIRTIO_BLK_F_TOPOLOGY]		= "TOPOLOGY",
	[VIRTIO_BLK_F_CONFIG_WCE]	= "CONFIG_WCE",
	[VIRTIO_BLK_F_MQ]		= "MQ",
	[VIRTIO_BLK_F_DISCARD]		= "DISCARD",
	[VIRTIO_BLK_F_WRITE_ZEROES]	= "WRITE_ZEROES",
	[FEATURE_LIFETIME]		= "LIFETIME",
	[FEATURE_SECURE_ERASE]		= "SECURE_ERASE",
	[FEATURE_ZONED]			= "ZONED",
	TRANSPORT_NAMES,
};

static const char * const net_names[64] = {
	[VIRTIO_NET_F_CSUM]		= "CSUM",
	[VIRTIO_NET_F_GUEST_CSUM]	= "GUEST_CSUM",
	[VIRTIO_NET_F_CTRL_GUEST_OFFLOADS] = "CTRL_GUEST_OFFLOADS",
	[VIRTIO_NET_F_MTU]		= "MTU",
	[VIRTIO_NET_F_MAC]		= "MAC",
	[VIRTIO_NET_F_GUEST_TSO4]	= "GUEST_TSO4",
	[VIRTIO_NET_F_GUEST_TSO6]	= "GUEST_TSO6",
	[VIRTIO_NET_F_GUEST_ECN]	= "GUEST_ECN",
	[VIRTIO_NET_F_GUEST_UFO]	= "GUEST_UFO",
	[VIRTIO_NET_F_HOST_TSO4]	= "HOST_TSO4",
	[VIRTIO_NET_F_HOST_TSO6]	= "HOST_TSO6",
	[VIRTIO_NET_F_HOST_ECN]		= "HOST_ECN",
	[VIRTIO_NET_F_HOST_UFO]		= "HOST_UFO",
	[VIRTIO_NET_F_MRG_RXBUF]	= "MRG_RXBUF",
	[VIRTIO_NET_F_STATUS]		= "STATUS",
	[VIRTIO_NET_F_CTRL_VQ]		= "CTRL_VQ",
	[VIRTIO_NET_F_CTRL_RX]		= "CTRL_RX",
	[VIRTIO_NET_F_CTRL_VLAN]	= "CTRL_VLAN",
	[VIRTIO_NET_F_CTRL_RX_EXTRA]	= "CTRL_RX_EXTRA",
	[VIRTIO_NET_F_GUEST_ANNOUNCE]	= "GUEST_ANNOUNCE",
	[VIRTIO_NET_F_MQ]		= "MQ",
	[VIRTIO_NET_F_CTRL_MAC_ADDR]	= "CTRL_MAC_ADDR",
	[VIRTIO_NET_F_STANDBY]		= "STANDBY",
	[VIRTIO_NET_F_SPEED_DUPLEX]	= "SPEED_DUPLEX",
	TRANSPORT_NAMES,
};

const char *feature_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(blk_names) ? blk_names[bit] : NULL;
}

const char *feature_net_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(net_names) ? net_names[bit] : NULL;
}

static uint64_t feature_find(const char * const *names, const char *name,
			     size_t n)
{
	for (unsigned int bit = 0; bit < 64; bit++)
		if (names[bit] && strlen(names[bit]) == n &&
		    !strncasecmp(names[bit], name, n))
			return 1ull << bit;
	return 0;
}

static int parse_on(const char *word, size_t n, bool *on)
{
	*on = n == 2 && !strncmp(word, "on", n);
	return *on || (n == 3 && !strncmp(word, "off", n)) ? 0 : -EINVAL;
}

static int switch_by_name(const char * const *names, uint64_t *bits, uint64_t may,
			  const char *list, const char **at)
{
	uint64_t changed = *bits, bit;
	bool on;

	for (;; list++) {
		size_t n = strcspn(list, "=,"), end = strcspn(list, ",");

		*at = list;
		if (list[n] != '=' || parse_on(list + n + 1, end - n - 1, &on))
			return -EINVAL;
		bit = feature_find(names, list, n);
		if (!bit)
			return -ENOENT;
		if (!(bit & may))
			return -EPERM;
		changed = on ? changed | bit : changed & ~bit;
		list += end;
		if (!*list)
			break;
	}
	*bits = changed;
	return 0;
}

int feature_switch(uint64_t *bits, uint64_t may, const char *list,
		   const char **at)
{
	return switch_by_name(blk_names, bits, may, list, at);
}

int feature_net_switch(uint64_t *bits, uint64_t may, const char *list,
		       const char **at)
{
	return switch_by_name(net_names, bits, may, list, at);
}

int feature_refuse(const struct optparse *p, int ret, const char *at)
{
	const char *why;

	switch (ret) {
	case 0:
		return 0;
	case -ENOENT:
		why = "is not a feature";
		break;
	case -EPERM:
		why = "cannot be switched";
		break;
	default:
		why = "is not NAME=on or NAME=off";
	}
	return optparse_refuse(p, "'%.*s' %s", (int)strcspn(at, ","), at, why);
}
