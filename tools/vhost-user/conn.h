/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conn - vhost-user messages over a stream socket, with their descriptors
 *
 * Never blocks: vu_conn_recv() keeps the pieces of an incomplete message. It never
 * reads past the end of a message, so the descriptors that it receives belong to that
 * message.
 */
#ifndef TOOLS_VHOST_USER_CONN_H
#define TOOLS_VHOST_USER_CONN_H

#include "msg.h"

struct vu_conn {
	int	      sock;		/* owned */
	size_t	      have;		/* bytes received of the next message */
	bool	      partial;		/* vu_conn_peek() found a part of a message */
	uint8_t	      header[VU_HEADER_SIZE];
	struct vu_msg msg;
};

/* Takes ownership of @sock. */
void vu_conn_init(struct vu_conn *c, int sock);
/* Closes the socket and the descriptors of an incomplete message. */
void vu_conn_close(struct vu_conn *c);
/*
 * Ends the connection of a socket from accept(), and sets *@sock to -1. Never waits,
 * whatever descriptors the peer has put into the socket's queue.
 */
void vu_conn_drop(int *sock);
/*
 * The peer can send no more on @sock, and what it has sent is dropped: then the last close()
 * of the socket does not wait, in whatever process it is. Returns 0 or -errno; @sock must be
 * a connected stream socket.
 */
int vu_conn_deafen(int sock);

/*
 * Gives the next message and its descriptors to the caller. Returns 0, -EAGAIN if the
 * message is not complete yet, or -ECONNRESET at the end of the stream. After any other
 * error the stream is unusable: the caller calls vu_conn_close().
 */
int vu_conn_recv(struct vu_conn *c, struct vu_msg *msg);

/*
 * As vu_conn_recv(), but leaves the message in the socket, where the next process finds it
 * if this one dies; its descriptors are copies.
 */
int vu_conn_peek(struct vu_conn *c, struct vu_msg *msg);
/*
 * Takes from the socket what vu_conn_peek() has returned last, in this process or in an
 * earlier one; nothing if that was done already.
 */
int vu_conn_consume(struct vu_conn *c);

/*
 * Sends a message and its descriptors, and closes these. Returns -EAGAIN if the socket is
 * full, because the peer does not read its replies. After an error the stream is unusable.
 */
int vu_conn_send(int sock, struct vu_msg *msg);

#endif
