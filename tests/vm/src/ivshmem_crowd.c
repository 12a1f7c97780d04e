// SPDX-License-Identifier: GPL-2.0
/*
 * ivshmem_crowd SOCKET VECTORS N - clients of an ivshmem server, to which
 * guests are connected, too: N clients come and go, some of them misbehave;
 * then a normal client must be served
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "args.h"
#include "tap.h"

#define DEAF_MAX	8

static int dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval t = { .tv_sec = 20 * tap_factor() };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0);
	MUST(strlen(path) < sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	MUST(!connect(fd, (struct sockaddr *)&a, sizeof(a)));
	MUST(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	return fd;
}

/* Receives a number. Its descriptor is closed unless @fd is set. */
static bool take(int sock, int64_t *value, int *fd)
{
	char space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = value, .iov_len = sizeof(*value) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *cm;
	int got = -1;

	if (recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC) != sizeof(*value))
		return false;
	cm = CMSG_FIRSTHDR(&hdr);
	if (cm)
		memcpy(&got, CMSG_DATA(cm), sizeof(got));
	if (fd)
		*fd = got;
	else if (got >= 0)
		close(got);
	return true;
}

/*
 * Receives what a new client gets, up to its own last vector: version, ID,
 * memory and peers.
 */
static bool hello(int sock, unsigned int vectors, int64_t *id)
{
	unsigned int own = 0;
	int64_t value;

	if (!take(sock, &value, NULL) || value || !take(sock, id, NULL))
		return false;
	while (own < vectors) {
		if (!take(sock, &value, NULL))
			return false;
		own += value == *id;
	}
	return true;
}

static bool is_closed(int sock)
{
	int64_t value;

	while (take(sock, &value, NULL))
		;
	return errno != EAGAIN;
}

/*
 * One client of the crowd: it sends garbage, leaves early, leaves at once, or
 * behaves.
 */
static bool one(const char *path, unsigned int vectors, int i)
{
	int64_t id;
	int sock = dial(path);
	bool good = true;

	switch (i % 4) {
	case 0:
		good = send(sock, path, strlen(path), MSG_NOSIGNAL) < 0 ||
		       is_closed(sock);
		break;
	case 1:
		take(sock, &id, NULL);
		break;
	case 2:
		break;
	default:
		good = hello(sock, vectors, &id) && id > 0 && id < 65536;
	}
	close(sock);
	return good;
}

int main(int argc, char **argv)
{
	int deaf[DEAF_MAX], sock, n, bad = 0;
	unsigned int vectors;
	int64_t id, value;

	tap_begin(120);
	MUST(argc == 4);
	vectors = arg_number("VECTORS", argv[2], INT32_MAX);
	n = arg_number("N", argv[3], INT32_MAX);
	for (int i = 0; i < DEAF_MAX; i++)
		deaf[i] = dial(argv[1]);
	for (int i = 0; i < n; i++)
		bad += !one(argv[1], vectors, i);
	ok(!bad, "%d clients came and went, %d not as expected", n, bad);
	sock = dial(argv[1]);
	ok(hello(sock, vectors, &id), "one that behaves is served");
	for (int i = 0; i < DEAF_MAX; i++)
		close(deaf[i]);
	/*
	 * The closed clients connected first, so the server sends their
	 * departures to this client.
	 */
	for (n = 0; n < DEAF_MAX && take(sock, &value, NULL); n++)
		if (value == id)
			break;
	ok(n == DEAF_MAX, "and told of those who leave");
	close(sock);
	return tap_end();
}
