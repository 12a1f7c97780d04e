/* SPDX-License-Identifier: GPL-2.0 */
/* server_priv - shared by server.c and server_keep.c */
#ifndef TOOLS_VHOST_USER_SERVER_PRIV_H
#define TOOLS_VHOST_USER_SERVER_PRIV_H

#include "log.h"
#include "server.h"

/*
 * Prints a line that a front end can cause any number of times. @s->all limits all such
 * lines, and @own, if not NULL, lines of this kind.
 */
void vu_server_log(struct vu_server *s, struct vu_limit *own, enum log_level level,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Without a keeper all but vu_server_keep_recv() do nothing. */

/* The session has just begun: stores its descriptors and its state. 0 or -errno. */
int vu_server_keep_begin(struct vu_server *s);
/* The session has ended: the keeper drops all that it holds. */
void vu_server_keep_end(struct vu_server *s);
/*
 * Receives the next message, and looks at it only until vu_server_keep_done(). As
 * vu_conn_recv().
 */
int vu_server_keep_recv(struct vu_server *s, struct vu_msg *m);
/* The message was handled; @replies: and the reply is about to be sent. */
void vu_server_keep_handled(struct vu_server *s, bool replies);
/* The reply was sent. 0 or -errno. */
int vu_server_keep_done(struct vu_server *s);
/* Callback of the timer @sweep */
void vu_server_keep_sweep(void *data);
/* Commits what has changed without a message. */
void vu_server_keep_update(struct vu_server *s);
/*
 * Takes over the front end that an earlier process has left. Returns 0, and s->conn and
 * s->session are open; -ENOENT: there is none; or -errno after a message, and the front
 * end's connection is closed.
 */
int vu_server_keep_resume(struct vu_server *s);

#endif
