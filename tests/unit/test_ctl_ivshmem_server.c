// SPDX-License-Identifier: GPL-2.0
/*
 * An ivshmem server and its clients over a real socket, among them clients that
 * misbehave.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "fd.h"
#include "ivshmem_server.h"
#include "log.h"
#include "test_vu.h"

#define VECTORS	4

static char path[] = "/tmp/test_ctl_ivshmem.XXXXXX";
static struct ivshmem_server server;
static int host[IVSHMEM_MAX_VECTORS], num_vectors;
static pthread_t thread;
static int result;

static void *serve(void *unused)
{
	(void)unused;
	result = ivshmem_server_run(&server);
	return NULL;
}

static void start(int vectors)
{
	num_vectors = vectors;
	memset(&server, 0, sizeof(server));
	for (int i = 0; i < vectors; i++)
		host[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server.also = -1;
	server.stop = eventfd(0, EFD_CLOEXEC);
	if (listen_open(&server.socket, path, 16) ||
	    ivshmem_init(&server.table, vectors, test_memfd(4096), host) ||
	    pthread_create(&thread, NULL, serve, NULL))
		abort();
}

static void stop(void)
{
	struct stat st;

	eventfd_write(server.stop, 1);
	pthread_join(thread, NULL);
	CHECK_EQ(result, 0);
	CHECK_EQ(server.num_clients, 0);
	CHECK_EQ(server.table.num_peers, 0);
	listen_close(&server.socket);
	CHECK(lstat(path, &st) && errno == ENOENT);
	close(server.table.shm);
	ivshmem_free(&server.table);
	close(server.stop);
	for (int i = 0; i < num_vectors; i++)
		close(host[i]);
}

static int dial(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval t = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	/*
	 * If the server sends nothing, the test fails after this timeout
	 * instead of hanging.
	 */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	return fd;
}

/*
 * Receives one message; *@fd is its descriptor or -1. Returns the number of
 * bytes.
 */
static int take(int sock, int64_t *value, int *fd)
{
	char space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = value, .iov_len = sizeof(*value) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	int n = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cm = n > 0 ? CMSG_FIRSTHDR(&hdr) : NULL;

	*fd = -1;
	if (cm)
		memcpy(fd, CMSG_DATA(cm), sizeof(*fd));
	return n;
}

struct client {
	int	sock;
	int64_t	id;
	int	host[VECTORS];	/* the host's eventfds as the client received them */
	int	own[VECTORS];
};

static void take_peer(struct client *c, int64_t id, int *eventfd)
{
	int64_t value;
	int fd;

	for (int i = 0; i < VECTORS; i++) {
		CHECK_EQ(take(c->sock, &value, &fd), 8);
		CHECK(value == id && fd >= 0);
		if (eventfd)
			eventfd[i] = fd;
		else
			fd_close(&fd);
	}
}

/*
 * Connects, and receives the messages for a new client; @others peers are there
 * already.
 */
static void come(struct client *c, int others)
{
	int64_t value, id;
	int fd;

	c->sock = dial();
	CHECK_EQ(take(c->sock, &value, &fd), 8);
	CHECK(value == 0 && fd < 0);
	CHECK_EQ(take(c->sock, &c->id, &fd), 8);
	CHECK(c->id > 0 && c->id < 65536 && fd < 0);
	CHECK_EQ(take(c->sock, &value, &fd), 8);
	CHECK(value == -1 && fd >= 0);
	fd_close(&fd);
	take_peer(c, IVSHMEM_HOST_ID, c->host);
	while (others--) {
		CHECK_EQ(take(c->sock, &id, &fd), 8);
		CHECK(id > 0 && id != c->id && fd >= 0);
		fd_close(&fd);
		for (int i = 1; i < VECTORS; i++) {
			CHECK_EQ(take(c->sock, &value, &fd), 8);
			CHECK(value == id && fd >= 0);
			fd_close(&fd);
		}
	}
	take_peer(c, c->id, c->own);
}

static void go(struct client *c)
{
	close(c->sock);
	for (int i = 0; i < VECTORS; i++) {
		close(c->host[i]);
		close(c->own[i]);
	}
}

/* Has the server closed its end? */
static bool is_closed(int sock)
{
	int64_t value;
	int fd, n;

	while ((n = take(sock, &value, &fd)) > 0)
		fd_close(&fd);
	return !n || errno == ECONNRESET;
}

static void test_clients(void)
{
	struct client a, b;
	eventfd_t count;
	int64_t value;
	int fd;

	start(VECTORS);
	come(&a, 0);
	come(&b, 1);
	CHECK(a.id != b.id);
	/* Each client rings the host on each vector. */
	for (int i = 0; i < VECTORS; i++) {
		eventfd_write(a.host[i], 10 + i);
		eventfd_write(b.host[i], 100);
		CHECK(!eventfd_read(host[i], &count) && count == 110u + i);
	}
	/* The first client hears of the second one and can ring it. */
	for (int i = 0; i < VECTORS; i++) {
		CHECK_EQ(take(a.sock, &value, &fd), 8);
		CHECK(value == b.id && fd >= 0);
		eventfd_write(fd, 7 + i);
		CHECK(!eventfd_read(b.own[i], &count) && count == 7u + i);
		fd_close(&fd);
	}
	value = b.id;
	go(&b);
	CHECK_EQ(take(a.sock, &b.id, &fd), 8);
	CHECK(b.id == value && fd < 0);
	/* A client that connects again gets another ID. */
	come(&b, 1);
	CHECK(b.id != value && b.id != a.id);
	go(&b);
	go(&a);
	stop();
}

static void test_talks(void)
{
	static const char garbage[5000] = "GET / HTTP/1.1\r\n";
	struct client a, b;
	int sock;

	start(VECTORS);
	come(&a, 0);
	/* Clients send one byte or much, before and after they have read. */
	for (int i = 0; i < 4; i++) {
		sock = dial();
		CHECK(send(sock, garbage, i & 1 ? sizeof(garbage) : 1,
			   MSG_NOSIGNAL) > 0);
		CHECK(is_closed(sock));
		close(sock);
	}
	CHECK(send(a.sock, garbage, 1, MSG_NOSIGNAL) == 1);
	CHECK(is_closed(a.sock));
	come(&b, 0);
	go(&b);
	go(&a);
	stop();
}

static void test_hangs_up(void)
{
	struct client a;
	int socks[200];

	start(VECTORS);
	/* More clients than the server takes, all of which leave at once. */
	for (int i = 0; i < 200; i++) {
		socks[i] = dial();
		if (i & 1)
			shutdown(socks[i], SHUT_RD);
		if (i % 16 == 15)
			for (int k = i - 15; k <= i; k++)
				close(socks[k]);
	}
	for (int i = 192; i < 200; i++)
		close(socks[i]);
	/*
	 * The server has noticed the last of them only when it refuses or
	 * serves these.
	 */
	for (int i = 0; i < 100; i++) {
		a.sock = dial();
		shutdown(a.sock, SHUT_WR);
		CHECK(is_closed(a.sock));
		close(a.sock);
	}
	come(&a, 0);
	go(&a);
	stop();
}

/* Receives up to @n messages of any content; returns how many came. */
static int drain(int sock, int n)
{
	int64_t value;
	int fd, i;

	for (i = 0; i < n && take(sock, &value, &fd) == 8; i++)
		fd_close(&fd);
	return i;
}

/*
 * A client does not read, while the server has more messages for it than its
 * socket takes.
 */
static void test_deaf(void)
{
	const int vectors = 32, hello = 3 + 2 * vectors;
	int deaf, other, late;

	start(vectors);
	deaf = dial();
	other = dial();
	CHECK_EQ(drain(other, hello + vectors), hello + vectors);
	late = dial();
	CHECK_EQ(drain(late, hello + 2 * vectors), hello + 2 * vectors);
	close(other);
	CHECK_EQ(drain(late, 1), 1);
	/*
	 * The server must not send it the peers that connected and left
	 * meanwhile.
	 */
	CHECK_EQ(drain(deaf, hello + vectors), hello + vectors);
	close(late);
	CHECK_EQ(drain(deaf, 1), 1);
	close(deaf);
	stop();
}

static void test_full(void)
{
	int socks[IVSHMEM_MAX_PEERS], n = ivshmem_max_peers(32), sock;

	start(32);
	for (int i = 0; i < n; i++) {
		socks[i] = dial();
		CHECK_EQ(drain(socks[i], 3), 3);
	}
	sock = dial();
	CHECK(is_closed(sock));
	close(sock);
	for (int i = 0; i < n; i++)
		close(socks[i]);
	/*
	 * The server notices one after another that they left; then there is
	 * room again.
	 */
	for (int i = 0; i < n; i++) {
		sock = dial();
		drain(sock, 3);
		close(sock);
	}
	sock = dial();
	CHECK_EQ(drain(sock, 3 + 64), 3 + 64);
	close(sock);
	stop();
}

static double cpu_ms(void)
{
	struct timespec t;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &t))
		abort();
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void test_no_descriptors(void)
{
	struct rlimit old, limit;
	struct client a;
	double before;
	int sock;

	start(VECTORS);
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	/*
	 * Descriptors for one more socket: the client's end takes it, so
	 * accept() fails.
	 */
	sock = dup(server.stop);
	close(sock);
	limit.rlim_cur = sock + 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	sock = dial();
	usleep(100000);
	before = cpu_ms();
	usleep(500000);
	CHECK(cpu_ms() - before < 100);
	setrlimit(RLIMIT_NOFILE, &old);
	/* The server tries again by itself. */
	CHECK_EQ(drain(sock, 3 + 2 * VECTORS), 3 + 2 * VECTORS);
	close(sock);
	come(&a, 0);
	go(&a);
	stop();
}

static int also_fails(void *context)
{
	eventfd_t count;

	return eventfd_read(*(int *)context, &count) ? -errno : -ENOSPC;
}

static void test_also(void)
{
	int fd = eventfd(0, EFD_CLOEXEC), sock;

	start(VECTORS);
	/*
	 * Restart the server as start() does, but with an additional descriptor
	 * to poll.
	 */
	eventfd_write(server.stop, 1);
	pthread_join(thread, NULL);
	CHECK_EQ(result, 0);
	eventfd_read(server.stop, &(eventfd_t){ 0 });
	server.also = fd;
	server.on_also = also_fails;
	server.context = &fd;
	pthread_create(&thread, NULL, serve, NULL);
	sock = dial();
	CHECK_EQ(drain(sock, 3), 3);
	eventfd_write(fd, 1);
	pthread_join(thread, NULL);
	CHECK_EQ(result, -ENOSPC);
	CHECK(is_closed(sock));
	close(sock);
	pthread_create(&thread, NULL, serve, NULL);
	stop();
	close(fd);
}

static const struct test tests[] = {
	{ "clients ring the host and each other, and go", test_clients },
	{ "clients that talk", test_talks },
	{ "clients that hang up early", test_hangs_up },
	{ "a client that does not listen", test_deaf },
	{ "more clients than there can be", test_full },
	{ "no descriptors are left: it waits, and sleeps", test_no_descriptors },
	{ "what is waited for besides ends it", test_also },
};

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		abort();
	close(fd);
	unlink(path);
	log_level = LOG_LEVEL_ERR;
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
