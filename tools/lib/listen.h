/* SPDX-License-Identifier: GPL-2.0 */
/*
 * listen - a server's Unix socket and its file, and connections to one
 *
 * The socket is a stream, O_CLOEXEC and O_NONBLOCK.
 */
#ifndef TOOLS_LIB_LISTEN_H
#define TOOLS_LIB_LISTEN_H

#include <sys/types.h>

#define LISTEN_BACKLOG	4

struct listen {
	int		 sock;		/* owned; -1: closed */
	const char	*path;		/* path of the socket file, or NULL */
	dev_t		 path_dev;
	ino_t		 path_ino;
};

/*
 * Creates a socket file at @path, which must outlive @l, and listens on it. Replaces a
 * socket file on which no process listens. Returns 0, -EADDRINUSE if a process does
 * listen or if the file is no socket, or another -errno.
 */
int listen_open(struct listen *l, const char *path, int backlog);
/*
 * Connects to the socket of a server at @path. Returns the descriptor, O_CLOEXEC and
 * O_NONBLOCK, or -errno; -EAGAIN if the queue of the server is full.
 */
int listen_connect(const char *path);
/* Removes the socket file, unless another file has its path now. */
void listen_remove(struct listen *l);
/* As listen_remove(), and closes the socket. */
void listen_close(struct listen *l);

#endif
