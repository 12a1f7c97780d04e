/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peerfd - descriptors from a front end: a system call on one may hang
 *
 * A front end can send a file on FUSE whose server does not answer. Then fstat(),
 * fstatfs(), mmap() and close() wait in the kernel, and no signal ends the wait. It can
 * also send a TCP socket that lingers, or a Unix socket that has one in its queue: then
 * close() waits. The functions here never wait.
 */
#ifndef TOOLS_VHOST_USER_PEERFD_H
#define TOOLS_VHOST_USER_PEERFD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether @fd is a file in memory: memfd, tmpfs or hugetlbfs. The kernel answers this
 * without asking a file system, and no system call on such a file hangs.
 */
bool vu_peerfd_is_memory(int fd);

/* Whether @fd is a Unix socket. */
bool vu_peerfd_is_unix(int fd);

/* Writes a description of @fd to @buf, such as "a file on ext4, /srv/ram". */
void vu_peerfd_describe(int fd, char *buf, size_t size);

/*
 * Closes *@fd unless it is negative, and sets it to -1. Another thread calls close() for
 * a descriptor that may hang. There are at most 16 such threads; while all of them wait,
 * further descriptors stay open.
 */
void vu_peerfd_close(int *fd);

/*
 * Whether this process can open @n more descriptors. The kernel closes descriptors of a
 * message that exceed the limit in the receiving thread.
 */
bool vu_peerfd_has_room(unsigned int n);

#endif
