/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lifetime - the wear that a flash disk reports
 *
 * The block layer does not pass it on. sysfs has it for eMMC (pre_eol_info, life_time)
 * and for UFS (health_descriptor), in a parent device of the disk.
 */
#ifndef TOOLS_LIB_LIFETIME_H
#define TOOLS_LIB_LIFETIME_H

#include <stdint.h>

/* Values as in virtio 1.3, section 5.2.6, and as the disks report them. */
struct lifetime {
	uint16_t	pre_eol_info;
	uint16_t	typ_a;
	uint16_t	typ_b;
};

/*
 * Reads the lifetime of an open block device or partition. -ENODATA: it reports
 * none.
 */
int lifetime_read(struct lifetime *l, int fd);
/* The same for the sysfs directory @path or one of its parents. */
int lifetime_find(struct lifetime *l, const char *path);

#endif
