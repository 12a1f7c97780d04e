/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_vu_server - run a server in a thread, and talk to it as front ends
 *
 * The server has a fake device. Its log goes to a file.
 */
#ifndef TESTS_UNIT_TEST_VU_SERVER_H
#define TESTS_UNIT_TEST_VU_SERVER_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fd.h"
#include "msg.h"
#include "server.h"
#include "test_vu.h"
#include "test_vu_fake.h"

#define BIT(n)		(1ULL << (n))
/* longer than any step takes, unless it hangs */
#define HANG_MS		60000

static struct fake fake;
static struct vu_server server;
static pthread_t thread;
static int resize_fd, log_fd, stderr_fd;
static char path[64];

static inline void on_resize(void *data, short events)
{
	uint64_t v;

	(void)data, (void)events;
	if (read(resize_fd, &v, sizeof(v)) == sizeof(v))
		vu_server_resize(&server);
}

static inline void *run(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)vu_server_run(&server);
}

static inline void setup(unsigned int silent_ms)
{
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	snprintf(path, sizeof(path), "/tmp/test_vu_server.%d", getpid());
	resize_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server = (struct vu_server){
		.stop = eventfd(0, EFD_CLOEXEC), .dev = &fake.base,
		.silent_ms = silent_ms,
	};
	CHECK_EQ(loop_add(&server.loop, resize_fd, POLLIN, on_resize, NULL), 0);
	log_fd = test_memfd(0);
	stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(log_fd, STDERR_FILENO);
	if (vu_server_listen(&server, path) ||
	    pthread_create(&thread, NULL, run, NULL))
		abort();
}

/* Ends the server by its stop descriptor, and checks that it returns 0. */
static inline void teardown_keep_log(void)
{
	void *ret;

	eventfd_write(server.stop, 1);
	pthread_join(thread, &ret);
	CHECK_EQ((intptr_t)ret, 0);
	vu_server_close(&server);
	dup2(stderr_fd, STDERR_FILENO);
	fd_close(&stderr_fd);
	fd_close(&server.stop);
	fd_close(&resize_fd);
	CHECK_EQ(fake.abuse, 0);
	CHECK(!fake.open);
}

static inline void close_log(void)
{
	fd_close(&log_fd);
}

static inline void teardown(void)
{
	teardown_keep_log();
	close_log();
}

/* Number of lines in the log that contain these words */
static inline unsigned int said(const char *words)
{
	static char text[1 << 20];
	unsigned int n = 0;
	ssize_t len = pread(log_fd, text, sizeof(text) - 1, 0);

	text[len < 0 ? 0 : len] = '\0';
	for (const char *at = text; (at = strstr(at, words)); at++)
		n++;
	return n;
}

static inline bool says(const char *words)
{
	for (int i = 0; i < HANG_MS && !said(words); i++)
		usleep(1000);
	return said(words);
}

static inline int dial(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	return fd;
}

static inline int tell_fd(int sock, uint32_t request, uint32_t flags,
		   const void *payload, uint32_t size, int fd)
{
	uint32_t header[3] = { request, VU_VERSION | flags, size };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov[2] = {
		{ header, sizeof(header) }, { (void *)payload, size },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd >= 0) {
		hdr.msg_control = control.space;
		hdr.msg_controllen = sizeof(control.space);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	return sendmsg(sock, &hdr, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static inline int tell(int sock, uint32_t request, const void *payload, uint32_t size)
{
	return tell_fd(sock, request, 0, payload, size, -1);
}

static inline int tell_u64(int sock, uint32_t request, uint64_t value)
{
	return tell(sock, request, &value, sizeof(value));
}

static inline int tell_state(int sock, uint32_t request, uint32_t index, uint32_t num)
{
	struct vu_state state = { index, num };

	return tell(sock, request, &state, sizeof(state));
}

/*
 * Waits until there is something to read, or the end of the connection; false
 * if that takes so long that the server hangs.
 */
static inline bool readable(int sock)
{
	struct pollfd p = { sock, POLLIN, 0 };

	return poll(&p, 1, HANG_MS) == 1;
}

/* Sends a request, and checks that the answer comes. */
static inline bool answers(int sock)
{
	uint32_t back[5];

	return !tell(sock, VU_GET_FEATURES, NULL, 0) && readable(sock) &&
	       recv(sock, back, sizeof(back), MSG_WAITALL) == sizeof(back) &&
	       back[0] == VU_GET_FEATURES;
}

/* Has the server closed the connection? */
static inline bool refused(int sock)
{
	char byte;

	return readable(sock) && recv(sock, &byte, 1, 0) <= 0;
}

#endif
