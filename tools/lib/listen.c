// SPDX-License-Identifier: GPL-2.0
#include "listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"

static int listen_address(struct sockaddr_un *a, const char *path)
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

/* Removes the file if it is a socket on which no process listens. */
static int listen_remove_stale(const struct sockaddr_un *a)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (lstat(a->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	/* A socket of another type: a live server gets no connection from it. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)a, sizeof(*a)) ||
	    errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(a->sun_path) ? -errno : 0;
}

static int listen_bind(int fd, const struct sockaddr_un *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)a;
	int ret;

	if (!bind(fd, sa, sizeof(*a)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	ret = listen_remove_stale(a);
	if (ret)
		return ret;
	return bind(fd, sa, sizeof(*a)) ? -errno : 0;
}

int listen_open(struct listen *l, const char *path, int backlog)
{
	_cleanup_fd_ int fd = -1;
	struct sockaddr_un a;
	struct stat st;
	int ret;

	ret = listen_address(&a, path);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = listen_bind(fd, &a);
	if (ret)
		return ret;
	if (stat(path, &st) || listen(fd, backlog)) {
		ret = -errno;
		unlink(path);
		return ret;
	}
	l->path = path;
	l->path_dev = st.st_dev;
	l->path_ino = st.st_ino;
	l->sock = steal_fd(&fd);
	return 0;
}

int listen_connect(const char *path)
{
	_cleanup_fd_ int fd = -1;
	struct sockaddr_un a;
	int ret;

	ret = listen_address(&a, path);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)))
		return -errno;
	return steal_fd(&fd);
}

void listen_remove(struct listen *l)
{
	struct stat st;

	/* Another server may have replaced the file. */
	if (l->path && !lstat(l->path, &st) && st.st_dev == l->path_dev &&
	    st.st_ino == l->path_ino)
		unlink(l->path);
	l->path = NULL;
}

void listen_close(struct listen *l)
{
	listen_remove(l);
	fd_close(&l->sock);
}
