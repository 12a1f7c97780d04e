/* SPDX-License-Identifier: GPL-2.0 */
/*
 * feature - the feature bits of a virtio-blk or virtio-net device, by the names of
 * the virtio spec without their prefixes
 */
#ifndef TOOLS_LIB_FEATURE_H
#define TOOLS_LIB_FEATURE_H

#include <stdint.h>

/* VIRTIO_F_NOTIFICATION_DATA, which is newer than some headers */
#define FEATURE_NOTIFICATION_DATA	38
/* VIRTIO_BLK_F_LIFETIME, which is in no header, and two that are newer */
#define FEATURE_LIFETIME		15
#define FEATURE_SECURE_ERASE		16
#define FEATURE_ZONED			17

/* Of a disk, and of a card. NULL: unknown. */
const char *feature_name(unsigned int bit);
const char *feature_net_name(unsigned int bit);

/*
 * Reads "NAME=on|off[,NAME=on|off]...", in letters of either case, and with what it
 * says changes those bits of *@bits that @may has. Returns 0, -EINVAL for what
 * is not of that form, -ENOENT for a name that is unknown, -EPERM for one that
 * is not in @may. *@at is then where in @list it went wrong.
 */
int feature_switch(uint64_t *bits, uint64_t may, const char *list,
		   const char **at);
int feature_net_switch(uint64_t *bits, uint64_t may, const char *list,
		       const char **at);

#endif
