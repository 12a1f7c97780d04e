// SPDX-License-Identifier: GPL-2.0
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "fd.h"
#include "log.h"
#include "session.h"

#define SERVER_BACKLOG	4

int vu_server_listen(struct vu_server *s, const char *path)
{
	int ret = listen_open(&s->socket, path, SERVER_BACKLOG);

	if (!ret)
		s->listening = true;
	return ret;
}

int vu_server_inherit(struct vu_server *s, int fd)
{
	int listening, flags;
	socklen_t len = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len))
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	s->socket.path = NULL;
	s->socket.sock = fd;
	s->listening = listening;
	return 0;
}

/* Without a front end there is nothing to do: the next one gets a new device. */
static void server_resize(const struct vu_server *s, struct vu_session *session)
{
	struct vu_msg notice;
	int ret;

	if (!s->take_resize(s->context) || !session)
		return;
	ret = vu_session_resize(session, &notice);
	if (!ret && notice.request) {
		log_info("the disk has another size");
		ret = vu_conn_send(session->backend, &notice);
	}
	if (ret)
		log_err("the disk's new size: %s", strerror(-ret));
}

/*
 * Sleeps until @fd is readable (0) or the end is wanted (-ECANCELED). @session:
 * NULL if there is none.
 */
static int server_wait(const struct vu_server *s, struct vu_session *session,
		       int fd)
{
	struct pollfd p[] = {
		{ .fd = s->stop, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = s->resize, .events = POLLIN },
	};

	do {
		if (poll(p, 3, -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (p[0].revents)
			return -ECANCELED;
		if (p[2].revents)
			server_resize(s, session);
	} while (!p[1].revents);
	return 0;
}

/* One message, if a whole one is there. */
static int server_step(struct vu_conn *c, struct vu_session *session)
{
	struct vu_msg m, reply;
	const char *error;
	int ret, err;

	ret = vu_conn_recv(c, &m);
	if (ret == -EAGAIN)
		return 0;
	if (ret == -ECONNRESET) {
		log_info("front end has gone");
		return ret;
	}
	if (ret) {
		log_err("bad message: %s", strerror(-ret));
		return ret;
	}
	log_debug("%s, %u bytes, %u descriptors, flags 0x%x",
		  vu_msg_name(m.request) ? vu_msg_name(m.request) : "unknown",
		  m.size, m.nfds, m.flags);
	ret = vu_session_handle(session, &m, &reply);
	error = vu_session_error(session);
	if (*error)
		log_err("%s%s", error, ret ? "; closing the connection" : "");
	if (reply.request) {
		err = vu_conn_send(c->sock, &reply);
		if (err)
			log_err("reply: %s", strerror(-err));
		if (!ret)
			ret = err;
	}
	return ret;
}

/* Takes @sock. -ECANCELED when the end is wanted, else 0. */
static int server_serve(const struct vu_server *s, int sock)
{
	static struct vu_session session;
	struct vu_conn c;
	int ret;

	vu_conn_init(&c, sock);
	ret = vu_session_open(&session, s->dev);
	if (ret) {
		log_err("cannot set up a device: %s", strerror(-ret));
		vu_conn_close(&c);
		return 0;
	}
	log_info("front end connected");
	do {
		ret = server_wait(s, &session, c.sock);
		if (!ret)
			ret = server_step(&c, &session);
	} while (!ret);
	vu_session_close(&session);
	vu_conn_close(&c);
	return ret == -ECANCELED ? ret : 0;
}

/* Whether the failure is of one caller and not of our socket. */
static bool server_accept_again(int err)
{
	return err == EAGAIN || err == EINTR || err == ECONNABORTED ||
	       err == EPERM;
}

int vu_server_run(struct vu_server *s)
{
	int ret, sock;

	if (!s->listening) {
		ret = server_serve(s, steal_fd(&s->socket.sock));
		return ret == -ECANCELED ? 0 : ret;
	}
	do {
		ret = server_wait(s, NULL, s->socket.sock);
		if (ret)
			break;
		sock = accept4(s->socket.sock, NULL, NULL,
			       SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (sock >= 0)
			ret = server_serve(s, sock);
		else if (!server_accept_again(errno))
			ret = -errno;
	} while (!ret);
	return ret == -ECANCELED ? 0 : ret;
}

void vu_server_close(struct vu_server *s)
{
	listen_close(&s->socket);
}
