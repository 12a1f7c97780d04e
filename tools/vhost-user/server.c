// SPDX-License-Identifier: GPL-2.0
/*
 * server - serve one front end at a time, on an event loop. Only two calls wait: the
 * loop's poll(), and the device's when a session ends.
 */
#include "server_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "device.h"
#include "fd.h"
#include "keep.h"
#include "notify.h"
#include "peerfd.h"

/*
 * Milliseconds after which a silent front end must leave if another one waits
 */
#define SERVER_SILENT	5000
/*
 * Milliseconds until an action is tried again that failed for lack of resources
 */
#define SERVER_RETRY	1000
/* Milliseconds until the service manager is told whether a front end is connected */
#define SERVER_STATUS	1000
/*
 * Descriptors that the keeper takes at once, which are enough for a large guest, and
 * milliseconds for each one after these
 */
#define SERVER_STORES		1024
#define SERVER_STORES_REFILL	10
/* Milliseconds until the rest of a message is looked for that has arrived in part */
#define SERVER_REST	20
/*
 * Milliseconds until the first check of a session's rings, and longest time
 * between two checks
 */
#define SERVER_WATCH	2000
#define SERVER_WATCH_MAX	64000

int vu_server_listen(struct vu_server *s, const char *path)
{
	int ret = listen_open(&s->socket, path, LISTEN_BACKLOG);

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

static void server_log_dropped(struct vu_server *s)
{
	if (s->dropped)
		log_warn("%u messages suppressed", s->dropped);
	s->dropped = 0;
}

void vu_server_log(struct vu_server *s, struct vu_limit *own, enum log_level level,
		   const char *fmt, ...)
{
	int64_t now = loop_now();
	char text[768];
	va_list ap;

	if (!vu_limit_ready(own, now) || !vu_limit_ready(&s->all, now)) {
		s->dropped++;
		return;
	}
	vu_limit_take(own);
	if (own != &s->all)
		vu_limit_take(&s->all);
	server_log_dropped(s);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_print(level, "%s", text);
}

/*
 * A second after a change, so that front ends that come and go do not keep the service
 * manager busy.
 */
static void server_status(void *data)
{
	struct vu_server *s = data;

	if (s->serving == s->told_serving)
		return;
	s->told_serving = s->serving;
	notify_send(s->serving ? "STATUS=A front end is connected" :
				 "STATUS=No front end is connected", false);
}

static void server_tell_status(struct vu_server *s)
{
	if (notify_is_heard() && !s->status.set)
		loop_set_timer(&s->loop, &s->status, SERVER_STATUS);
}

static void server_end(struct vu_server *s)
{
	if (!s->serving)
		return;
	loop_stop_timer(&s->loop, &s->watch);
	loop_stop_timer(&s->loop, &s->notice);
	loop_stop_timer(&s->loop, &s->rest_of_msg);
	loop_stop_timer(&s->loop, &s->sweep);
	loop_remove(&s->loop, s->conn.sock);
	/* For good, before the store is emptied: a next process must not serve it again. */
	shutdown(s->conn.sock, SHUT_RDWR);
	/*
	 * Before we close our own: the last close() of the connection may wait, that of
	 * memory takes long, and that of the device ends the accounting of locked memory.
	 */
	vu_server_keep_end(s);
	vu_session_close(&s->session);
	vu_conn_close(&s->conn);
	s->serving = false;
	server_tell_status(s);
	if (s->dropped && vu_limit_ready(&s->all, loop_now())) {
		vu_limit_take(&s->all);
		server_log_dropped(s);
	}
}

/*
 * A part of a message that was only looked at stays in the socket, and poll() would find
 * it at once: look again after a while.
 */
static void server_await_rest(struct vu_server *s)
{
	if (!s->session.keep || !s->conn.partial)
		return;
	loop_pause(&s->loop, s->conn.sock, true);
	loop_set_timer(&s->loop, &s->rest_of_msg, SERVER_REST);
}

/*
 * Receives and handles one message, if it has arrived in full. An error ends
 * the connection.
 */
static int server_step(struct vu_server *s)
{
	struct vu_msg m, reply;
	const char *error;
	int ret, err;

	ret = vu_server_keep_recv(s, &m);
	if (ret == -EAGAIN) {
		server_await_rest(s);
		return 0;
	}
	if (ret == -ECONNRESET) {
		vu_server_log(s, &s->all, LOG_LEVEL_INFO, "front end has gone");
		return ret;
	}
	if (ret) {
		vu_server_log(s, &s->errors, LOG_LEVEL_ERR, "bad message: %s",
			      strerror(-ret));
		return ret;
	}
	log_debug("%s, %u bytes, %u descriptors, flags 0x%x",
		  vu_msg_name(m.request) ? vu_msg_name(m.request) : "unknown",
		  m.size, m.nfds, m.flags);
	ret = vu_session_handle(&s->session, &m, &reply);
	error = vu_session_error(&s->session);
	if (*error)
		vu_server_log(s, &s->errors, LOG_LEVEL_ERR, "%s%s", error,
			      ret ? "; closing the connection" : "");
	/* If the front end is served no longer, the next process finds that, too. */
	if (!ret || reply.request)
		vu_server_keep_handled(s, reply.request);
	if (reply.request) {
		err = vu_conn_send(s->conn.sock, &reply);
		if (err)
			vu_server_log(s, &s->errors, LOG_LEVEL_ERR, "reply: %s",
				      strerror(-err));
		if (!ret)
			ret = err;
	}
	return ret ? ret : vu_server_keep_done(s);
}

static void server_settle(void *data);

static void server_ready(void *data, short events)
{
	struct vu_server *s = data;

	(void)events;
	if (server_step(s))
		server_end(s);
	server_settle(s);
}

static void server_rest(void *data)
{
	struct vu_server *s = data;

	loop_pause(&s->loop, s->conn.sock, false);
	server_ready(s, 0);
}

static void server_serve(struct vu_server *s)
{
	s->serving = true;
	server_tell_status(s);
	s->watched = 0;
	s->errors = (struct vu_limit){ .burst = 10, .refill_ms = 5000 };
}

/*
 * Begins a session with @sock, which it owns from now on; if that fails, closes
 * @sock.
 */
static void server_begin(struct vu_server *s, int sock)
{
	int ret;

	vu_conn_init(&s->conn, sock);
	ret = loop_add(&s->loop, sock, POLLIN | POLLRDHUP, server_ready, s);
	if (!ret)
		ret = vu_session_open(&s->session, s->dev);
	if (ret) {
		vu_server_log(s, &s->all, LOG_LEVEL_ERR,
			      "cannot set up a device: %s", strerror(-ret));
		loop_remove(&s->loop, sock);
		vu_conn_close(&s->conn);
		return;
	}
	ret = vu_server_keep_begin(s);
	if (ret)
		vu_server_log(s, &s->all, LOG_LEVEL_WARN, "cannot be kept, so the front end "
			      "notices when this process ends: %s", strerror(-ret));
	vu_server_log(s, &s->all, LOG_LEVEL_INFO, "front end connected");
	server_serve(s);
}

/* Goes on with the front end of the last process, if there is one. */
static void server_resume(struct vu_server *s)
{
	int ret = vu_server_keep_resume(s);

	s->resumed = ret != -ENOENT;
	if (s->unread >= 0)
		server_begin(s, steal_fd(&s->unread));
	if (ret)
		return;
	ret = loop_add(&s->loop, s->conn.sock, POLLIN | POLLRDHUP, server_ready, s);
	server_serve(s);
	if (ret)
		server_end(s);
	else if (s->dev->type == VU_DEVICE_BLK)
		/* It may have another size since the last process looked. */
		vu_server_resize(s);
}

/* If the disk has a new size and the front end was not told yet, tells it. */
static void server_notify(struct vu_server *s)
{
	struct vu_msg notice;
	int ret;

	if (!s->serving || s->notice.set ||
	    !vu_session_notice(&s->session, &notice))
		return;
	ret = vu_conn_send(s->session.backend, &notice);
	if (ret == -EAGAIN || ret == -ENOBUFS || ret == -ENOMEM) {
		loop_set_timer(&s->loop, &s->notice, SERVER_RETRY);
		return;
	}
	if (ret)
		vu_server_log(s, &s->errors, LOG_LEVEL_ERR,
			      "the disk's new size: %s", strerror(-ret));
	vu_session_noticed(&s->session, ret);
}

/*
 * Reads the size of the disk again. Without a session this is not needed: the next
 * front end gets a new device.
 */
void vu_server_resize(struct vu_server *s)
{
	bool changed;
	int ret;

	if (!s->serving)
		return;
	ret = vu_session_resize(&s->session, &changed);
	if (ret)
		vu_server_log(s, &s->errors, LOG_LEVEL_ERR,
			      "the disk's new size: %s", strerror(-ret));
	else if (changed)
		log_info("the disk has another size");
	server_settle(s);
}

/* Checks the rings, each time after twice the time, until SERVER_WATCH_MAX. */
static void server_watch(void *data)
{
	struct vu_server *s = data;
	bool again = vu_session_watch(&s->session);
	const char *error = vu_session_error(&s->session);

	if (*error)
		vu_server_log(s, &s->errors, LOG_LEVEL_WARN, "%s", error);
	s->watch_wait *= 2;
	if (again && s->watch_wait <= SERVER_WATCH_MAX)
		loop_set_timer(&s->loop, &s->watch, s->watch_wait);
}

/*
 * Begins the checks of the rings again if a ring was started after the last
 * check.
 */
static void server_begin_watch(struct vu_server *s)
{
	if (!s->serving || s->session.wanted == s->watched)
		return;
	s->watched = s->session.wanted;
	s->watch_wait = SERVER_WATCH;
	loop_set_timer(&s->loop, &s->watch, s->watch_wait);
}

static int server_take_waiting(struct vu_server *s)
{
	loop_stop_timer(&s->loop, &s->silent);
	loop_remove(&s->loop, s->waiting);
	return steal_fd(&s->waiting);
}

/*
 * Refuses the front end that waits by closing its connection at once. Otherwise its VMM
 * would wait for an answer, and its guest with it.
 */
static void server_refuse(struct vu_server *s)
{
	int sock = server_take_waiting(s);
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		peer.pid = 0;
	vu_server_log(s, &s->refused, LOG_LEVEL_WARN, "refused a second front end "
		      "(process %d): the device is in use by another one", peer.pid);
	vu_conn_drop(&sock);
}

static void server_waiting_left(void *data, short events)
{
	struct vu_server *s = data;
	int sock = server_take_waiting(s);

	(void)events;
	vu_conn_drop(&sock);
	server_settle(s);
}

/*
 * Has the front end closed its end? Messages that it sent before may still be
 * unread.
 */
static bool server_is_left(const struct vu_server *s)
{
	struct pollfd p = { s->conn.sock, POLLRDHUP, 0 };

	return poll(&p, 1, 0) > 0;
}

/* Serves or refuses the front end that waits, or lets it wait. */
static void server_admit(struct vu_server *s)
{
	if (s->waiting < 0)
		return;
	if (!s->serving)
		server_begin(s, server_take_waiting(s));
	else if (s->session.state != VU_NEW && !server_is_left(s))
		server_refuse(s);
}

/*
 * Called at the end of every callback: takes the next steps that the state
 * allows.
 */
static void server_settle(void *data)
{
	struct vu_server *s = data;

	/*
	 * A front end that waits is not served: it would get what the old one had, such
	 * as another disk than the settings name by now.
	 */
	if (s->resumed && !s->serving && s->renews && (s->listening || s->connect)) {
		s->again = true;
		loop_end(&s->loop, 0);
		return;
	}
	server_admit(s);
	server_begin_watch(s);
	server_notify(s);
	vu_server_keep_update(s);
	if (s->listening)
		loop_pause(&s->loop, s->socket.sock,
			   s->waiting >= 0 || s->rest.set);
	else if (s->serving)
		return;
	else if (!s->connect)
		loop_end(&s->loop, 0);
	else if (!s->dial.set)
		loop_set_timer(&s->loop, &s->dial, SERVER_RETRY);
}

static void server_silent(void *data)
{
	struct vu_server *s = data;

	if (s->session.state == VU_NEW) {
		vu_server_log(s, &s->all, LOG_LEVEL_WARN,
			      "the front end says nothing, and another one waits: "
			      "closing the connection");
		server_end(s);
	}
	server_settle(s);
}

/*
 * Handles an error of accept(): our socket is sound, and the cause concerns one
 * caller or passes.
 */
static void server_accept_failed(struct vu_server *s, int err)
{
	switch (err) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EPERM:
		return;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		vu_server_log(s, &s->failed, LOG_LEVEL_ERR,
			      "cannot accept a front end yet: %s", strerror(err));
		loop_set_timer(&s->loop, &s->rest, SERVER_RETRY);
		return;
	}
	loop_end(&s->loop, -err);
}

static void server_accept(void *data, short events)
{
	struct vu_server *s = data;

	(void)events;
	s->waiting = accept4(s->socket.sock, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (s->waiting < 0) {
		server_accept_failed(s, errno);
	} else {
		loop_add(&s->loop, s->waiting, POLLRDHUP, server_waiting_left, s);
		loop_set_timer(&s->loop, &s->silent,
			       s->silent_ms ? s->silent_ms : SERVER_SILENT);
	}
	server_settle(s);
}

/*
 * Connects to the listening front end; tries again later if it is not there yet
 * or is busy.
 */
static void server_dial(void *data)
{
	struct vu_server *s = data;
	int sock = listen_connect(s->connect);

	if (sock >= 0)
		server_begin(s, sock);
	else if (sock != s->absent)
		vu_server_log(s, &s->all, LOG_LEVEL_INFO,
			      "%s: %s; trying again every second", s->connect,
			      strerror(-sock));
	s->absent = sock < 0 ? sock : 0;
	server_settle(s);
}

static void server_alive(void *data)
{
	struct vu_server *s = data;

	notify_send("WATCHDOG=1", false);
	loop_set_timer(&s->loop, &s->alive, notify_watchdog());
}

static void server_stop(void *data, short events)
{
	struct vu_server *s = data;

	(void)events;
	loop_end(&s->loop, 0);
}

static int server_start(struct vu_server *s)
{
	int ret;

	s->waiting = -1;
	s->unread = -1;
	s->rest_of_msg = (struct loop_timer){ .expired = server_rest, .data = s };
	s->sweep = (struct loop_timer){ .expired = vu_server_keep_sweep, .data = s };
	s->silent = (struct loop_timer){ .expired = server_silent, .data = s };
	s->rest = (struct loop_timer){ .expired = server_settle, .data = s };
	s->dial = (struct loop_timer){ .expired = server_dial, .data = s };
	s->notice = (struct loop_timer){ .expired = server_settle, .data = s };
	s->watch = (struct loop_timer){ .expired = server_watch, .data = s };
	s->status = (struct loop_timer){ .expired = server_status, .data = s };
	s->alive = (struct loop_timer){ .expired = server_alive, .data = s };
	s->all = (struct vu_limit){ .burst = 60, .refill_ms = 5000 };
	s->refused = (struct vu_limit){ .burst = 1, .refill_ms = 60000 };
	s->failed = (struct vu_limit){ .burst = 1, .refill_ms = 60000 };
	s->stores = (struct vu_limit){ .burst = SERVER_STORES,
				       .refill_ms = SERVER_STORES_REFILL };
	ret = loop_add(&s->loop, s->stop, POLLIN, server_stop, s);
	if (!ret && s->listening)
		ret = loop_add(&s->loop, s->socket.sock, POLLIN, server_accept, s);
	return ret;
}

int vu_server_run(struct vu_server *s)
{
	int ret = server_start(s);

	if (ret)
		return ret;
	/* Without it the service manager would end us. */
	ret = notify_send("READY=1\nSTATUS=No front end is connected", true);
	if (ret)
		log_warn("the service manager: %s", strerror(-ret));
	if (notify_watchdog())
		loop_set_timer(&s->loop, &s->alive, notify_watchdog());
	server_resume(s);
	if (s->serving && !s->listening)
		fd_close(&s->socket.sock);
	else if (s->connect)
		loop_set_timer(&s->loop, &s->dial, 0);
	else if (!s->listening && s->socket.sock >= 0)
		server_begin(s, steal_fd(&s->socket.sock));
	server_settle(s);
	ret = loop_run(&s->loop);
	if (!ret && s->serving && s->session.keep) {
		log_info("leaves the front end to the next process");
		return 0;
	}
	if (!s->again)
		notify_send("STOPPING=1", false);
	server_end(s);
	server_log_dropped(s);
	vu_conn_drop(&s->waiting);
	return ret;
}

void vu_server_close(struct vu_server *s)
{
	bool own = s->socket.path;

	/* The next program gets it. */
	if (s->again && !own)
		return;
	listen_remove(&s->socket);
	/*
	 * Connections in the queue of our own socket end here; their queues may
	 * hold descriptors whose close() hangs. An inherited socket stays open
	 * for the next process that systemd starts.
	 */
	if (own && s->socket.sock >= 0)
		shutdown(s->socket.sock, SHUT_RDWR);
	vu_peerfd_close(&s->socket.sock);
}
