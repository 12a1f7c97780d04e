/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fd - file descriptors with one owner
 *
 * A variable with _cleanup_fd_ closes its descriptor when it goes out of scope;
 * steal_fd() moves the descriptor to its next owner.
 */
#ifndef TOOLS_LIB_FD_H
#define TOOLS_LIB_FD_H

#define _cleanup_fd_ __attribute__((cleanup(fd_cleanup)))

/* Closes *@fd unless it is negative, and makes it -1; keeps errno. */
void fd_close(int *fd);
void fd_cleanup(int *fd);
/* Returns *@fd and sets it to -1. */
int steal_fd(int *fd);

#endif
