// SPDX-License-Identifier: GPL-2.0
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conn.h"
#include "fd.h"
#include "log.h"
#include "session.h"

#define SERVER_BACKLOG	4

static int server_address(struct sockaddr_un *a, const char *path)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (!*path)
		return -EINVAL;
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	strcpy(a->sun_path, path);
	return 0;
}

/* Removes a socket file that a dead server has left, nothing else. */
static int server_remove_stale(const struct sockaddr_un *a)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (lstat(a->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	/* The wrong type, so that one that lives is not disturbed. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)a, sizeof(*a)) ||
	    errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(a->sun_path) ? -errno : 0;
}

static int server_bind(int fd, const struct sockaddr_un *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)a;
	int ret;

	if (!bind(fd, sa, sizeof(*a)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	ret = server_remove_stale(a);
	if (ret)
		return ret;
	return bind(fd, sa, sizeof(*a)) ? -errno : 0;
}

int vu_server_listen(struct vu_server *s, const char *path)
{
	_cleanup_fd_ int fd = -1;
	struct sockaddr_un a;
	struct stat st;
	int ret;

	ret = server_address(&a, path);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = server_bind(fd, &a);
	if (ret)
		return ret;
	if (stat(path, &st) || listen(fd, SERVER_BACKLOG)) {
		ret = -errno;
		unlink(path);
		return ret;
	}
	s->path = path;
	s->path_dev = st.st_dev;
	s->path_ino = st.st_ino;
	s->sock = steal_fd(&fd);
	s->listening = true;
	return 0;
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
	s->path = NULL;
	s->sock = fd;
	s->listening = listening;
	return 0;
}

/* Sleeps until @fd is readable (0) or the end is wanted (-ECANCELED). */
static int server_wait(const struct vu_server *s, int fd)
{
	struct pollfd p[] = {
		{ .fd = s->stop, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return p[0].revents ? -ECANCELED : 0;
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
		err = vu_conn_send(c, &reply);
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
		ret = server_wait(s, c.sock);
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
		ret = server_serve(s, steal_fd(&s->sock));
		return ret == -ECANCELED ? 0 : ret;
	}
	do {
		ret = server_wait(s, s->sock);
		if (ret)
			break;
		sock = accept4(s->sock, NULL, NULL,
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
	struct stat st;

	/* Somebody may have put another socket in its place. */
	if (s->path && !lstat(s->path, &st) && st.st_dev == s->path_dev &&
	    st.st_ino == s->path_ino)
		unlink(s->path);
	s->path = NULL;
	fd_close(&s->sock);
}
