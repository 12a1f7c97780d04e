// SPDX-License-Identifier: GPL-2.0
/*
 * server - the loop. Nothing in it waits but poll(), for messages and for the
 * times below, and the device while a session ends.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "conn.h"
#include "fd.h"
#include "limit.h"
#include "log.h"
#include "peerfd.h"
#include "session.h"

#define SERVER_BACKLOG	4

/* Milliseconds: until a silent front end must go, if another one waits */
#define SERVER_SILENT	5000
/* until something that failed for want of resources is tried again */
#define SERVER_RETRY	1000
/* until the rings of a session are looked at, at first and at last */
#define SERVER_WATCH	2000
#define SERVER_WATCH_MAX	64000

#define SERVER_NEVER	INT64_MAX

/* What vu_server_run() works with. Times are of CLOCK_MONOTONIC. */
struct server_loop {
	struct vu_server *s;
	bool		  serving;	/* @conn and @session are open */
	struct vu_conn	  conn;
	struct vu_session session;
	int		  waiting;	/* the next front end, owned; -1: none */
	int64_t		  silent_until;	/* then @waiting is served */
	int64_t		  accept_at;
	int64_t		  connect_at;	/* when to try @connect */
	int		  absent;	/* why the last try failed */
	int64_t		  notice_at;
	int64_t		  watch_at;
	int64_t		  watch_wait;
	unsigned int	  watched;	/* session.wanted of then */
	struct vu_limit	  events;	/* lines about connections */
	struct vu_limit	  refused;
	struct vu_limit	  failed;	/* accept() */
	struct vu_limit	  errors;	/* lines about messages */
};

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

void vu_server_connect(struct vu_server *s, const char *path)
{
	s->socket.path = NULL;
	s->socket.sock = -1;
	s->connect = path;
}

static int64_t server_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* A line that front ends can cause as often as they like */
__attribute__((format(printf, 3, 4)))
static void server_log(struct vu_limit *limit, enum log_level level,
		       const char *fmt, ...)
{
	unsigned int dropped;
	char text[768];
	va_list ap;

	if (!vu_limit_pass(limit, server_now(), &dropped))
		return;
	if (dropped)
		log_print(level, "%u messages like the next were not shown",
			  dropped);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_print(level, "%s", text);
}

/* Takes @sock. The session may not come about. */
static void server_begin(struct server_loop *l, int sock)
{
	int ret;

	vu_conn_init(&l->conn, sock);
	ret = vu_session_open(&l->session, l->s->dev);
	if (ret) {
		server_log(&l->events, LOG_LEVEL_ERR,
			   "cannot set up a device: %s", strerror(-ret));
		vu_conn_close(&l->conn);
		return;
	}
	server_log(&l->events, LOG_LEVEL_INFO, "front end connected");
	l->serving = true;
	l->notice_at = 0;
	l->watch_at = SERVER_NEVER;
	l->watched = 0;
}

static void server_end(struct server_loop *l)
{
	if (!l->serving)
		return;
	vu_session_close(&l->session);
	vu_conn_close(&l->conn);
	l->serving = false;
	l->connect_at = server_now() + SERVER_RETRY;
}

/* Tells the front end of another size, if it is due. */
static void server_notify(struct server_loop *l)
{
	struct vu_msg notice;
	int ret;

	if (!l->serving || !vu_session_notice(&l->session, &notice) ||
	    server_now() < l->notice_at)
		return;
	ret = vu_conn_send(l->session.backend, &notice);
	if (ret == -EAGAIN || ret == -ENOBUFS || ret == -ENOMEM) {
		l->notice_at = server_now() + SERVER_RETRY;
		return;
	}
	if (ret)
		server_log(&l->errors, LOG_LEVEL_ERR,
			   "the disk's new size: %s", strerror(-ret));
	vu_session_noticed(&l->session, ret);
}

/* Without a front end there is nothing to do: the next one gets a new device. */
static void server_resize(struct server_loop *l)
{
	bool changed;
	int ret;

	if (!l->s->take_resize(l->s->context) || !l->serving)
		return;
	ret = vu_session_resize(&l->session, &changed);
	if (ret)
		server_log(&l->errors, LOG_LEVEL_ERR,
			   "the disk's new size: %s", strerror(-ret));
	else if (changed)
		log_info("the disk has another size");
}

/* Each start of a ring begins the looks anew; they become rare, and then end. */
static void server_watch(struct server_loop *l)
{
	const char *error;
	bool again;

	if (l->serving && l->session.wanted != l->watched) {
		l->watched = l->session.wanted;
		l->watch_wait = SERVER_WATCH;
		l->watch_at = server_now() + l->watch_wait;
	}
	if (!l->serving || server_now() < l->watch_at)
		return;
	again = vu_session_watch(&l->session);
	error = vu_session_error(&l->session);
	if (*error)
		server_log(&l->errors, LOG_LEVEL_WARN, "%s", error);
	l->watch_wait *= 2;
	l->watch_at = again && l->watch_wait <= SERVER_WATCH_MAX ?
		      server_now() + l->watch_wait : SERVER_NEVER;
}

/* One message, if a whole one is there. An error ends the connection. */
static int server_step(struct server_loop *l)
{
	struct vu_msg m, reply;
	const char *error;
	int ret, err;

	ret = vu_conn_recv(&l->conn, &m);
	if (ret == -EAGAIN)
		return 0;
	if (ret == -ECONNRESET) {
		server_log(&l->events, LOG_LEVEL_INFO, "front end has gone");
		return ret;
	}
	if (ret) {
		server_log(&l->errors, LOG_LEVEL_ERR, "bad message: %s",
			   strerror(-ret));
		return ret;
	}
	log_debug("%s, %u bytes, %u descriptors, flags 0x%x",
		  vu_msg_name(m.request) ? vu_msg_name(m.request) : "unknown",
		  m.size, m.nfds, m.flags);
	ret = vu_session_handle(&l->session, &m, &reply);
	error = vu_session_error(&l->session);
	if (*error)
		server_log(&l->errors, LOG_LEVEL_ERR, "%s%s", error,
			   ret ? "; closing the connection" : "");
	if (reply.request) {
		err = vu_conn_send(l->conn.sock, &reply);
		if (err)
			server_log(&l->errors, LOG_LEVEL_ERR, "reply: %s",
				   strerror(-err));
		if (!ret)
			ret = err;
	}
	return ret;
}

/* Its VMM would wait for an answer, with all that it does: say no at once. */
static void server_refuse(struct server_loop *l, int *sock)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(*sock, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		peer.pid = 0;
	server_log(&l->refused, LOG_LEVEL_WARN, "refused a second front end "
		   "(process %d): the device is in use by another one", peer.pid);
	vu_conn_drop(sock);
}

/* Who connects is served, refused, or waits until the one before it speaks. */
static void server_admit(struct server_loop *l, int sock)
{
	if (!l->serving) {
		server_begin(l, sock);
	} else if (l->session.state != VU_NEW) {
		server_refuse(l, &sock);
	} else {
		l->waiting = sock;
		l->silent_until = server_now() + (l->s->silent_ms ?
						  l->s->silent_ms :
						  SERVER_SILENT);
	}
}

/* The failure is of one caller, or passes, and our socket is sound. */
static int server_accept_failed(struct server_loop *l, int err)
{
	switch (err) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EPERM:
		return 0;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		server_log(&l->failed, LOG_LEVEL_ERR,
			   "cannot accept a front end yet: %s", strerror(err));
		l->accept_at = server_now() + SERVER_RETRY;
		return 0;
	}
	return -err;
}

static int server_accept(struct server_loop *l)
{
	int sock = accept4(l->s->socket.sock, NULL, NULL,
			   SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0)
		return server_accept_failed(l, errno);
	server_admit(l, sock);
	return 0;
}

/* The front end that listens may not be there yet, or may be busy. */
static void server_connect(struct server_loop *l)
{
	int sock;

	if (!l->s->connect || l->serving || server_now() < l->connect_at)
		return;
	l->connect_at = server_now() + SERVER_RETRY;
	sock = listen_connect(l->s->connect);
	if (sock >= 0) {
		l->absent = 0;
		server_begin(l, sock);
		return;
	}
	if (sock != l->absent)
		server_log(&l->events, LOG_LEVEL_INFO,
			   "%s: %s; trying again every second", l->s->connect,
			   strerror(-sock));
	l->absent = sock;
}

/* The one that waits: its turn, or not any more? */
static void server_settle(struct server_loop *l)
{
	if (l->waiting < 0)
		return;
	if (l->serving && l->session.state == VU_NEW) {
		if (server_now() < l->silent_until)
			return;
		server_log(&l->events, LOG_LEVEL_WARN,
			   "the front end says nothing, and another one waits: "
			   "closing the connection");
		server_end(l);
	}
	if (l->serving)
		server_refuse(l, &l->waiting);
	else
		server_begin(l, steal_fd(&l->waiting));
}

static int64_t server_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until the loop has something to do, for poll(); -1: never */
static int server_timeout(const struct server_loop *l)
{
	int64_t at = SERVER_NEVER, left;
	struct vu_msg notice;

	if (l->accept_at)
		at = l->accept_at;
	if (l->waiting >= 0)
		at = server_sooner(at, l->silent_until);
	if (l->s->connect && !l->serving)
		at = server_sooner(at, l->connect_at);
	if (l->serving)
		at = server_sooner(at, l->watch_at);
	if (l->serving && vu_session_notice(&l->session, &notice))
		at = server_sooner(at, l->notice_at);
	if (at == SERVER_NEVER)
		return -1;
	left = at - server_now();
	return left < 0 ? 0 : left > SERVER_WATCH_MAX ? SERVER_WATCH_MAX : left;
}

enum { POLL_STOP, POLL_RESIZE, POLL_LISTEN, POLL_WAITING, POLL_CONN, POLL_NR };

/*
 * poll() looks in this order. A front end that has gone before another one
 * connected is therefore seen to have gone: the other one is not refused.
 */
static int server_poll(const struct server_loop *l, struct pollfd *p)
{
	bool accepts = l->s->listening && l->waiting < 0 && !l->accept_at;

	p[POLL_STOP] = (struct pollfd){ l->s->stop, POLLIN, 0 };
	p[POLL_RESIZE] = (struct pollfd){ l->s->resize, POLLIN, 0 };
	p[POLL_LISTEN] = (struct pollfd){
		accepts ? l->s->socket.sock : -1, POLLIN, 0 };
	p[POLL_WAITING] = (struct pollfd){ l->waiting, POLLRDHUP, 0 };
	p[POLL_CONN] = (struct pollfd){
		l->serving ? l->conn.sock : -1, POLLIN | POLLRDHUP, 0 };
	return poll(p, POLL_NR, server_timeout(l)) < 0 ? -errno : 0;
}

/* One turn of the loop. -ECANCELED when the end is wanted. */
static int server_turn(struct server_loop *l)
{
	struct pollfd p[POLL_NR];
	int ret = server_poll(l, p);

	if (ret)
		return ret == -EINTR ? 0 : ret;
	if (p[POLL_STOP].revents)
		return -ECANCELED;
	if (p[POLL_RESIZE].revents)
		server_resize(l);
	if (p[POLL_WAITING].revents)
		vu_conn_drop(&l->waiting);
	if (p[POLL_CONN].revents && server_step(l))
		server_end(l);
	if (l->accept_at && server_now() >= l->accept_at)
		l->accept_at = 0;
	/* Of one that has gone, what it sent before is still to be read. */
	if (p[POLL_LISTEN].revents &&
	    !(l->serving && p[POLL_CONN].revents & ~POLLIN))
		ret = server_accept(l);
	server_settle(l);
	server_connect(l);
	server_watch(l);
	server_notify(l);
	return ret;
}

int vu_server_run(struct vu_server *s)
{
	struct server_loop l = {
		.s = s,
		.waiting = -1,
		.events = { .burst = 20, .refill_ms = 5000 },
		.refused = { .burst = 1, .refill_ms = 60000 },
		.failed = { .burst = 1, .refill_ms = 60000 },
		.errors = { .burst = 10, .refill_ms = 5000 },
	};
	int ret = 0;

	if (!s->listening && !s->connect)
		server_begin(&l, steal_fd(&s->socket.sock));
	while (!ret && (s->listening || s->connect || l.serving))
		ret = server_turn(&l);
	server_end(&l);
	vu_conn_drop(&l.waiting);
	return ret == -ECANCELED ? 0 : ret;
}

void vu_server_close(struct vu_server *s)
{
	listen_remove(&s->socket);
	/* In its queue are connections, and in theirs may be what hangs. */
	if (s->listening && s->socket.sock >= 0)
		shutdown(s->socket.sock, SHUT_RDWR);
	vu_peerfd_close(&s->socket.sock);
}
