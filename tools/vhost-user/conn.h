/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conn - vhost-user messages over a stream socket, with their descriptors
 *
 * Never blocks: a message may come in pieces, vu_conn_recv() keeps them. It
 * reads to the end of one message and no further, so that the descriptors
 * found on the way belong to that message.
 */
#ifndef TOOLS_VHOST_USER_CONN_H
#define TOOLS_VHOST_USER_CONN_H

#include "msg.h"

struct vu_conn {
	int	      sock;		/* owned */
	size_t	      have;		/* bytes of the next message */
	uint8_t	      header[VU_HEADER_SIZE];
	struct vu_msg msg;
};

/* Takes @sock. */
void vu_conn_init(struct vu_conn *c, int sock);
/* Closes the socket and the descriptors of an incomplete message. */
void vu_conn_close(struct vu_conn *c);
/*
 * Ends the connection of a socket that accept() gave, and makes *@sock -1. Does not
 * wait, whatever the peer has put into its queue.
 */
void vu_conn_drop(int *sock);

/*
 * Gives the next message and, with it, its descriptors. Returns 0, -EAGAIN if
 * there is no whole message yet, -ECONNRESET at the end of the stream, or why
 * the stream is of no more use; then only vu_conn_close() is left.
 */
int vu_conn_recv(struct vu_conn *c, struct vu_msg *msg);

/*
 * Sends a message without descriptors. Fails with -EAGAIN if the peer did not
 * read its answers until the socket was full; the stream is of no more use.
 */
int vu_conn_send(int sock, const struct vu_msg *msg);

#endif
