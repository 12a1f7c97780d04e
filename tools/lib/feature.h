/* SPDX-License-Identifier: GPL-2.0 */
/*
 * feature - the feature bits of a virtio-blk or virtio-net device, by the names of
 * the virtio spec without their prefixes
 */
#ifndef TOOLS_LIB_FEATURE_H
#define TOOLS_LIB_FEATURE_H

#include <stdint.h>

struct optparse;

/* VIRTIO_F_NOTIFICATION_DATA; older headers lack it. */
#define FEATURE_NOTIFICATION_DATA	38
/* VIRTIO_BLK_F_LIFETIME, which no header has, and two that older headers lack */
#define FEATURE_LIFETIME		15
#define FEATURE_SECURE_ERASE		16
#define FEATURE_ZONED			17

/*
 * Return the name of a feature of a disk, or of a card; NULL if the bit is
 * unknown.
 */
const char *feature_name(unsigned int bit);
const char *feature_net_name(unsigned int bit);

/*
 * Changes the bits of *@bits that @list names: "NAME=on|off[,NAME=on|off]...", in letters
 * of either case. Returns 0, -EINVAL for another form, -ENOENT for an unknown name,
 * -EPERM for a feature that is not in @may. After an error *@at is its place in @list.
 */
int feature_switch(uint64_t *bits, uint64_t may, const char *list,
		   const char **at);
int feature_net_switch(uint64_t *bits, uint64_t may, const char *list,
		       const char **at);
/*
 * Prints why a feature was not switched: the option that is being read got @ret and @at of
 * feature_switch(). Returns 0 if @ret is 0, else -EINVAL.
 */
int feature_refuse(const struct optparse *p, int ret, const char *at);

#endif
