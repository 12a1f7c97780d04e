/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk_below - the disks below a block device
 *
 * Some drivers may sleep when a request is submitted (nbd, NVMe over TCP). A
 * device-mapper or md device above them hides that from the kernel module. sysfs shows
 * the disks below. disk_below.c names the drivers that never sleep; all others may.
 */
#ifndef TOOLS_LIB_DISK_BELOW_H
#define TOOLS_LIB_DISK_BELOW_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether no disk below sleeps when a request is submitted: below the open block device, or
 * below the file system of the open file (false if that lies on no single disk).
 */
bool disk_below_nowait(int fd);

/* The same with sysfs at @sys and procfs at @proc, for tests. */
bool disk_below_nowait_at(const char *sys, const char *proc, dev_t dev);

/* Whether the block device is set read-only. @fd may be open for writing all the same. */
bool disk_below_read_only(int fd);

#endif
