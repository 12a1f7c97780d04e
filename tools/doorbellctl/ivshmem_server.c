// SPDX-License-Identifier: GPL-2.0
#include "ivshmem_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"

/* Pause before the next accept() when descriptors or memory run out. */
#define REST_MS		1000

enum { P_STOP, P_SOCKET, P_ALSO, P_CLIENTS };

static void close_eventfds(int *eventfd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(eventfd[i]);
	free(eventfd);
}

static int *open_eventfds(unsigned int n)
{
	int *eventfds = calloc(n, sizeof(*eventfds));
	int err;

	if (!eventfds)
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (eventfds[i] < 0) {
			err = errno;
			close_eventfds(eventfds, i);
			errno = err;
			return NULL;
		}
	}
	return eventfds;
}

/*
 * Keep few messages in the socket: their descriptors count against our limit
 * until the client reads them, and a client that does not read must not use
 * that limit up.
 */
static void limit_flight(int sock)
{
	int least = 1;

	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
}

/* Takes ownership of @sock. */
static int client_add(struct ivshmem_server *s, int sock)
{
	struct ivshmem_client c = { .sock = sock };
	int ret;

	c.eventfd = open_eventfds(s->table.vectors);
	ret = c.eventfd ? ivshmem_join(&s->table, c.eventfd, &c.peer) : -errno;
	if (ret) {
		log_warn("a client is turned away: %s", strerror(-ret));
		if (c.eventfd)
			close_eventfds(c.eventfd, s->table.vectors);
		vu_conn_drop(&sock);
		return ret;
	}
	limit_flight(sock);
	s->client[s->num_clients++] = c;
	log_info("client %u has come", c.peer->id);
	return 0;
}

static void client_drop(struct ivshmem_server *s, unsigned int i)
{
	struct ivshmem_client *c = &s->client[i];

	/*
	 * Leave before the eventfds are closed: messages with them may still be
	 * queued for other clients.
	 */
	ivshmem_leave(&s->table, c->peer);
	close_eventfds(c->eventfd, s->table.vectors);
	vu_conn_drop(&c->sock);
	*c = s->client[--s->num_clients];
}

/* Returns 0, -EAGAIN if the socket is full, or another -errno. */
static int client_send(int sock, const struct ivshmem_msg *msg)
{
	union {
		char		space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} control = { 0 };
	uint8_t bytes[IVSHMEM_MSG_LEN];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm = &control.align;
	ssize_t n;

	ivshmem_encode(msg->value, bytes);
	if (msg->fd >= 0) {
		hdr.msg_control = control.space;
		hdr.msg_controllen = sizeof(control.space);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &msg->fd, sizeof(int));
	}
	n = sendmsg(sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	/*
	 * The message is so short that a stream socket takes all of it or
	 * nothing.
	 */
	return n == sizeof(bytes) ? 0 : -EIO;
}

static void client_flush(struct ivshmem_client *c)
{
	const struct ivshmem_msg *msg;
	int ret = 0;

	while (!ret && (msg = ivshmem_next(c->peer))) {
		ret = client_send(c->sock, msg);
		if (!ret)
			ivshmem_told(c->peer);
	}
	if (!ret || ret == -EAGAIN)
		return;
	if (ret == -EPIPE || ret == -ECONNRESET)
		log_info("client %u has gone", c->peer->id);
	else
		log_err("client %u: %s; closing the connection", c->peer->id,
			strerror(-ret));
	c->peer->broken = true;
}

/*
 * A client sends nothing, so input is the end of the connection or an error. It
 * is left unread: reading would receive descriptors, and closing them might
 * block.
 */
static void client_hear(struct ivshmem_client *c)
{
	int unread;
	ssize_t n;
	char byte;

	if (!ioctl(c->sock, FIONREAD, &unread) && unread > 0)
		n = unread;
	else
		n = recv(c->sock, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		log_err("client %u talks; closing the connection", c->peer->id);
	else
		log_info("client %u has gone", c->peer->id);
	c->peer->broken = true;
}

/*
 * Sends all messages that the clients' sockets take, and removes broken
 * clients.
 */
static void settle(struct ivshmem_server *s)
{
	bool again;

	do {
		again = false;
		for (unsigned int i = 0; i < s->num_clients; i++)
			if (!s->client[i].peer->broken)
				client_flush(&s->client[i]);
		for (unsigned int i = s->num_clients; i-- > 0; ) {
			if (!s->client[i].peer->broken)
				continue;
			client_drop(s, i);
			again = true;
		}
	} while (again);
}

static bool lacks_resources(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM ||
	       err == -ENOBUFS;
}

/* Returns true if the server shall accept no client for a while. */
static bool accept_client(struct ivshmem_server *s)
{
	int sock = accept4(s->socket.sock, NULL, NULL,
			   SOCK_CLOEXEC | SOCK_NONBLOCK);
	int ret;

	if (sock >= 0) {
		ret = client_add(s, sock);
	} else {
		ret = -errno;
		if (lacks_resources(ret))
			log_err("accept: %s", strerror(-ret));
	}
	return lacks_resources(ret);
}

static unsigned int fill(const struct ivshmem_server *s, struct pollfd *p,
			 bool resting)
{
	p[P_STOP] = (struct pollfd){ .fd = s->stop, .events = POLLIN };
	p[P_SOCKET] = (struct pollfd){
		.fd = resting ? -1 : s->socket.sock,
		.events = POLLIN,
	};
	p[P_ALSO] = (struct pollfd){ .fd = s->also, .events = POLLIN };
	for (unsigned int i = 0; i < s->num_clients; i++) {
		const struct ivshmem_client *c = &s->client[i];

		p[P_CLIENTS + i] = (struct pollfd){
			.fd = c->sock,
			.events = POLLIN | (ivshmem_next(c->peer) ? POLLOUT : 0),
		};
	}
	return P_CLIENTS + s->num_clients;
}

static int serve(struct ivshmem_server *s)
{
	struct pollfd p[P_CLIENTS + IVSHMEM_MAX_PEERS];
	bool resting = false;
	unsigned int n;
	int ret;

	while (1) {
		n = fill(s, p, resting);
		if (poll(p, n, resting ? REST_MS : -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (p[P_STOP].revents)
			return 0;
		ret = p[P_ALSO].revents ? s->on_also(s->context) : 0;
		if (ret)
			return ret;
		for (unsigned int i = P_CLIENTS; i < n; i++)
			if (p[i].revents & ~POLLOUT)
				client_hear(&s->client[i - P_CLIENTS]);
		/*
		 * Send first, so that a new client does not hear of clients
		 * that have left.
		 */
		settle(s);
		resting = p[P_SOCKET].revents && accept_client(s);
		settle(s);
	}
}

int ivshmem_server_run(struct ivshmem_server *s)
{
	int ret = serve(s);

	while (s->num_clients)
		client_drop(s, s->num_clients - 1);
	return ret;
}
