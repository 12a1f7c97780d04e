/* SPDX-License-Identifier: GPL-2.0 */
/*
 * server - the socket and the loop: one front end at a time
 *
 * While queues run the loop sleeps in poll(): no system call is made for I/O.
 * Another front end that connects meanwhile is refused: its connection is closed.
 * As long as the first has not sent SET_OWNER the other one waits, and after some
 * seconds takes its place.
 *
 * A front end that listens itself is connected to, again and again.
 */
#ifndef TOOLS_VHOST_USER_SERVER_H
#define TOOLS_VHOST_USER_SERVER_H

#include <stdbool.h>

#include "listen.h"

struct vu_device;

/**
 * struct vu_server - a socket, and what is behind it
 * @socket: where front ends connect
 * @listening: else @socket is connected, or there is @connect
 * @connect: path of the socket where the front end listens; NULL: none
 * @stop: readable: end
 * @resize: readable: the disk may have another size; -1: none
 * @take_resize: empties @resize; false if it was about something else
 * @context: for @take_resize
 * @dev: the device
 * @silent_ms: how long a front end without SET_OWNER keeps its place when another
 *	one waits; 0: the usual time
 */
struct vu_server {
	struct listen	  socket;
	bool		  listening;
	const char	 *connect;
	int		  stop;
	int		  resize;
	bool		(*take_resize)(void *context);
	void		 *context;
	struct vu_device *dev;
	unsigned int	  silent_ms;
};

/* As listen_open(). */
int vu_server_listen(struct vu_server *s, const char *path);
/*
 * Serves on @fd, inherited: a listening socket, or one that is connected
 * already, which is then the only connection. Takes @fd.
 */
int vu_server_inherit(struct vu_server *s, int fd);

/*
 * Connects to @path, which must outlive it, as soon as a front end listens there, and
 * again after each connection.
 */
void vu_server_connect(struct vu_server *s, const char *path);

/*
 * Serves until @stop is readable or an only connection has ended. Logs what
 * front ends do wrong. Returns 0 or -errno.
 */
int vu_server_run(struct vu_server *s);

/* As listen_close(), but does not wait. */
void vu_server_close(struct vu_server *s);

#endif
