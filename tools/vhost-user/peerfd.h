/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peerfd - descriptors from a front end: using one may hang the user
 *
 * A front end can send a file on FUSE whose server does not answer. Then fstat(),
 * fstatfs(), mmap() and close() wait in the kernel, and no signal ends the wait.
 * Or it sends a TCP socket that lingers, or a Unix socket that has one in its queue:
 * then close() waits. The functions here never wait.
 */
#ifndef TOOLS_VHOST_USER_PEERFD_H
#define TOOLS_VHOST_USER_PEERFD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether @fd is a file in memory: memfd, tmpfs or hugetlbfs. The kernel answers
 * without asking a file system. Such a file does not hang anybody.
 */
bool vu_peerfd_is_memory(int fd);

/* Whether @fd is a Unix socket. */
bool vu_peerfd_is_unix(int fd);

/* Writes what @fd is to @buf, such as "a file on ext4, /srv/ram". */
void vu_peerfd_describe(int fd, char *buf, size_t size);

/*
 * Closes *@fd unless it is negative, and makes it -1. The close() of a descriptor
 * that may hang is left to another thread. There are at most 16 of these; while each
 * of them waits, further descriptors stay open.
 */
void vu_peerfd_close(int *fd);

/*
 * Whether @n more descriptors can be open. What the kernel cannot give us of a
 * message, it closes in the thread that receives.
 */
bool vu_peerfd_has_room(unsigned int n);

#endif
