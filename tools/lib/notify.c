// SPDX-License-Identifier: GPL-2.0
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"
#include "number.h"

/*
 * Sends on the descriptor that "fd:N" names: the parent of --keep has no address, so that
 * no other program can fill its queue.
 */
static int send_to_parent(const char *number, const struct msghdr *hdr, int flags)
{
	uint64_t fd;

	if (number_decimal(number, INT32_MAX, &fd))
		return -EINVAL;
	return sendmsg((int)fd, hdr, flags) < 0 ? -errno : 0;
}

static int send_to(const char *path, struct msghdr *hdr, int flags)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = -1;
	size_t n = strlen(path);

	if (!strncmp(path, NOTIFY_BY_FD, strlen(NOTIFY_BY_FD)))
		return send_to_parent(path + strlen(NOTIFY_BY_FD), hdr, flags);
	if ((*path != '/' && *path != '@') || n >= sizeof(a.sun_path))
		return -EINVAL;
	memcpy(a.sun_path, path, n);
	/* An abstract name begins with a zero byte. */
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	hdr->msg_name = &a;
	hdr->msg_namelen = offsetof(struct sockaddr_un, sun_path) + n;
	return sendmsg(fd, hdr, flags) < 0 ? -errno : 0;
}

int notify_send(const char *state, bool wait)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct iovec iov = { (void *)state, strlen(state) };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!path)
		return 0;
	return send_to(path, &hdr, (wait ? 0 : MSG_DONTWAIT) | MSG_NOSIGNAL);
}

int notify_send_fd(const char *state, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	union {
		char space[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)state, strlen(state) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};

	if (!path)
		return 0;
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return send_to(path, &hdr, MSG_NOSIGNAL);
}

int notify_barrier(int ms)
{
	struct pollfd p = { .fd = -1 };
	int pair[2], ret;

	if (!notify_is_heard())
		return 0;
	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	ret = notify_send_fd("BARRIER=1", pair[1]);
	fd_close(&pair[1]);
	/* The service manager closes its end when it comes to this message. */
	p.fd = pair[0];
	if (!ret)
		ret = poll(&p, 1, ms);
	fd_close(&pair[0]);
	return ret < 0 ? ret : ret ? 0 : -ETIMEDOUT;
}

bool notify_is_heard(void)
{
	return getenv("NOTIFY_SOCKET");
}

int64_t notify_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us, id;

	/* A parent that is watched may have left the variables. */
	if (!usec || number_decimal(usec, INT64_MAX, &us))
		return 0;
	if (pid && (number_decimal(pid, INT32_MAX, &id) || (pid_t)id != getpid()))
		return 0;
	return us >= 2000 ? (int64_t)(us / 1000 / 2) : 0;
}
