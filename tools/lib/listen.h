/* SPDX-License-Identifier: GPL-2.0 */
/*
 * listen - a server's Unix socket and its file, and connections to one
 *
 * The socket is a stream, O_CLOEXEC and O_NONBLOCK.
 */
#ifndef TOOLS_LIB_LISTEN_H
#define TOOLS_LIB_LISTEN_H

#include <sys/types.h>

struct listen {
	int		 sock;		/* owned; -1: closed */
	const char	*path;		/* of our file, or NULL */
	dev_t		 path_dev;
	ino_t		 path_ino;
};

/*
 * Makes and listens on a socket at @path, which must outlive it. A socket file
 * that nobody listens on is replaced; -EADDRINUSE if somebody does, or if it is
 * no socket. Returns 0 or -errno.
 */
int listen_open(struct listen *l, const char *path, int backlog);
/*
 * Connects to the socket of a server at @path. Returns the descriptor, O_CLOEXEC and
 * O_NONBLOCK, or -errno; -EAGAIN if the server has a full queue.
 */
int listen_connect(const char *path);
/* Removes the socket's file if it is still ours. */
void listen_remove(struct listen *l);
/* Closes the socket and removes its file if it is still ours. */
void listen_close(struct listen *l);

#endif
