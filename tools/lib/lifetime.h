/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lifetime - what a disk of flash memory says of its wear
 *
 * The block layer has no word for it; sysfs shows it of eMMC (pre_eol_info,
 * life_time) and of UFS (health_descriptor), at a device above the disk.
 */
#ifndef TOOLS_LIB_LIFETIME_H
#define TOOLS_LIB_LIFETIME_H

#include <stdint.h>

/* As virtio 1.3 has it in section 5.2.6, which is as the disks have it. */
struct lifetime {
	uint16_t	pre_eol_info;
	uint16_t	typ_a;
	uint16_t	typ_b;
};

/* Of an open block device or partition. -ENODATA: it does not say. */
int lifetime_read(struct lifetime *l, int fd);
/* The same, of the device at the directory @path or one of those above it. */
int lifetime_find(struct lifetime *l, const char *path);

#endif
