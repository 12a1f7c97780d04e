/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk_lock - QEMU's image locks, on files and on block devices
 *
 * QEMU and its tools lock single bytes of an image by open file description
 * locks: byte 100 + n says "this program uses permission n", byte 200 + n says "no other
 * program may use permission n". All are read locks. A program takes its bytes first and
 * then tests the bytes that would exclude it: of two that start at once both may fail,
 * but never both succeed.
 *
 * We take the locks of QEMU's virtio-blk with a raw image: readers share the image, a
 * writer excludes readers and writers. A lock on all bytes from 300 on excludes programs
 * that lock the whole file.
 *
 * The kernel keeps the locks in the inode of the path. For a block device that is the
 * inode of its node: locks through two nodes of one device do not see each other.
 */
#ifndef TOOLS_LIB_DISK_LOCK_H
#define TOOLS_LIB_DISK_LOCK_H

#include <stdbool.h>

/*
 * Locks @fd as long as its open file description lasts. Returns 0, -EAGAIN if another
 * program excludes us, or the -errno of a file system without locks. After an error some
 * locks may be held: the caller closes @fd.
 */
int disk_lock_take(int fd, bool read_only);

#endif
