/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk_lock - QEMU's image locks, on files and on block devices
 *
 * QEMU and its tools lock single bytes of an image by open file description
 * locks: byte 100 + n says "I use permission n", byte 200 + n says "nobody else may
 * use permission n". All of these are read locks, so that a user first takes its
 * bytes and then tests those that would exclude it; two that start at once may both
 * fail, but never both succeed.
 *
 * The locks are those of QEMU's virtio-blk with a raw image: other readers are
 * welcome, a writer excludes other writers, and a reader excludes writers. Programs
 * that lock the whole file are excluded by a lock on all bytes from 300 on.
 *
 * The kernel keeps the locks with the inode of the path, which for a block device is
 * that of its node: two nodes of one device do not see each other's locks.
 */
#ifndef TOOLS_LIB_DISK_LOCK_H
#define TOOLS_LIB_DISK_LOCK_H

#include <stdbool.h>

/*
 * Locks @fd as long as its open file description lasts. Returns 0, -EAGAIN if
 * another program excludes us, or why the locks cannot be had here, as -errno.
 * After an error some of the locks may be held: close @fd.
 */
int disk_lock_take(int fd, bool read_only);

#endif
