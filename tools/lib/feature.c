// SPDX-License-Identifier: GPL-2.0
#include "feature.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Of the virtio spec and vhost.h; by number where a header may lack it. */
static const char * const names[] = {
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
	[VIRTIO_F_NOTIFY_ON_EMPTY]	= "NOTIFY_ON_EMPTY",
	[26]				= "LOG_ALL",
	[VIRTIO_F_ANY_LAYOUT]		= "ANY_LAYOUT",
	[VIRTIO_RING_F_INDIRECT_DESC]	= "INDIRECT_DESC",
	[VIRTIO_RING_F_EVENT_IDX]	= "EVENT_IDX",
	[30]				= "PROTOCOL_FEATURES",
	[VIRTIO_F_VERSION_1]		= "VERSION_1",
	[VIRTIO_F_ACCESS_PLATFORM]	= "ACCESS_PLATFORM",
	[VIRTIO_F_RING_PACKED]		= "RING_PACKED",
	[VIRTIO_F_IN_ORDER]		= "IN_ORDER",
	[FEATURE_NOTIFICATION_DATA]	= "NOTIFICATION_DATA",
	[VIRTIO_F_RING_RESET]		= "RING_RESET",
};

const char *feature_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(names) ? names[bit] : NULL;
}

static uint64_t feature_find(const char *name, size_t n)
{
	for (unsigned int bit = 0; bit < ARRAY_SIZE(names); bit++)
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

int feature_switch(uint64_t *bits, uint64_t may, const char *list,
		   const char **at)
{
	uint64_t changed = *bits, bit;
	bool on;

	for (;; list++) {
		size_t n = strcspn(list, "=,"), end = strcspn(list, ",");

		*at = list;
		if (list[n] != '=' || parse_on(list + n + 1, end - n - 1, &on))
			return -EINVAL;
		bit = feature_find(list, n);
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
