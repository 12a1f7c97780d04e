/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk_below - what a block device is made of
 *
 * Some drivers sleep when they are given a request (nbd, NVMe over TCP), and a
 * device-mapper or md device above hides it from the kernel module. sysfs tells
 * what is below; drivers that are known not to sleep are named here, and all others
 * are taken to.
 */
#ifndef TOOLS_LIB_DISK_BELOW_H
#define TOOLS_LIB_DISK_BELOW_H

#include <stdbool.h>
#include <sys/types.h>

/* Does no disk that the open block device is made of sleep? */
bool disk_below_nowait(int fd);

/* The same with sysfs at @sys and procfs at @proc, for tests. */
bool disk_below_nowait_at(const char *sys, const char *proc, dev_t dev);

/* Is the open block device set read-only, however it was opened? */
bool disk_below_read_only(int fd);

#endif
