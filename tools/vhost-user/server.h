/* SPDX-License-Identifier: GPL-2.0 */
/*
 * server - the socket and the loop: one front end at a time
 *
 * While queues run the loop sleeps: no system call is made for I/O. Another front end
 * that connects meanwhile is refused: its connection is closed. As long as the first
 * has not sent SET_OWNER the other one waits, and after some seconds takes its place.
 *
 * If the front end listens, the server connects to it, and again after each connection.
 */
#ifndef TOOLS_VHOST_USER_SERVER_H
#define TOOLS_VHOST_USER_SERVER_H

#include <stdbool.h>

#include "conn.h"
#include "keep.h"
#include "limit.h"
#include "listen.h"
#include "loop.h"
#include "session.h"

struct vu_device;

/**
 * struct vu_server - a server for one front end at a time
 * @loop: the program may add descriptors and timers before vu_server_run()
 * @socket: where front ends connect
 * @listening: @socket listens; if not, it is connected, or @connect is set
 * @connect: path of the socket where the front end listens; NULL: none
 * @stop: descriptor that becomes readable when the server has to end
 * @dev: the device
 * @keep: @keep.store is where sessions are kept for the next process; NULL: they end
 *	with this one
 * @renews: after a session of an earlier process vu_server_run() returns 0 with @again
 *	set, as the settings may have changed since; the caller then calls
 *	daemon_begin_again()
 * @again: see @renews
 * @silent_ms: how long a front end without SET_OWNER keeps its place when another
 *	one waits; 0: the usual time
 */
struct vu_server {
	struct loop	  loop;
	struct listen	  socket;
	bool		  listening;
	const char	 *connect;
	int		  stop;
	struct vu_device *dev;
	struct vu_keep	  keep;
	bool		  renews;
	bool		  again;
	unsigned int	  silent_ms;

	/* Private members: */
	bool		  resumed;	/* an earlier process left a session */
	bool		  serving;	/* @conn and @session are open */
	bool		  told_serving;	/* what the service manager was told of it */
	struct vu_conn	  conn;
	struct vu_session session;
	int		  unread;	/* a front end that an earlier process left; -1 */
	int		  waiting;	/* the next front end, owned; -1: none */
	/* Why the last try to connect failed (errno) */
	int		  absent;
	unsigned int	  watched;	/* session.wanted when @watch was set */
	/* ms until the next check of the rings */
	int64_t		  watch_wait;
	/* Expires: @waiting is served instead of the silent front end */
	struct loop_timer silent;
	/* Expires: looks for the rest of a message, or for the next one */
	struct loop_timer rest_of_msg;
	/* Expires: removes from the store what the session has no longer */
	struct loop_timer sweep;
	struct loop_timer rest;		/* expires: accept() is called again */
	/* Expires: tries to connect to @connect */
	struct loop_timer dial;
	/* Expires: tries to send the notice of a new size again */
	struct loop_timer notice;
	struct loop_timer watch;	/* expires: checks the rings */
	/* Expires: tells the service manager of @serving */
	struct loop_timer status;
	/* Expires: sends WATCHDOG=1 to the service manager */
	struct loop_timer alive;
	/* Limit of all lines that front ends can cause */
	struct vu_limit	  all;
	/* Limit of those about this connection */
	struct vu_limit	  errors;
	/* Limit of those about refused front ends */
	struct vu_limit	  refused;
	/* Limit of those about failures of accept() */
	struct vu_limit	  failed;
	/* Limit of descriptors that a front end has the keeper take */
	struct vu_limit	  stores;
	/* Lines suppressed since the last one */
	unsigned int	  dropped;
};

/* As listen_open(). */
int vu_server_listen(struct vu_server *s, const char *path);
/*
 * Serves on the inherited descriptor @fd, which it owns from now on: a listening
 * socket, or a connected one, which then is the only connection.
 */
int vu_server_inherit(struct vu_server *s, int fd);

/*
 * Connects to @path, which must outlive it, as soon as a front end listens there, and
 * again after each connection.
 */
void vu_server_connect(struct vu_server *s, const char *path);

/*
 * Serves until @stop is readable, or until the only connection has ended. Logs errors
 * of front ends. Returns 0 or -errno.
 */
int vu_server_run(struct vu_server *s);

/* The disk may have another size: to be called by callbacks of the loop. */
void vu_server_resize(struct vu_server *s);

/* As listen_close(), but does not wait. */
void vu_server_close(struct vu_server *s);

#endif
