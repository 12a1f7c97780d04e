// SPDX-License-Identifier: GPL-2.0
/*
 * A server that connects to a listening front end: before the front end
 * listens, after it has gone, and while it accepts no connection.
 */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "fd.h"
#include "listen.h"
#include "log.h"
#include "msg.h"
#include "server.h"
#include "test_vu.h"
#include "test_vu_fake.h"

/* longer than any step takes, unless it hangs */
#define HANG_MS	60000

static struct fake fake;
static struct vu_server server;
static pthread_t thread;
static char path[64];

static void *run(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)vu_server_run(&server);
}

static void setup(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	snprintf(path, sizeof(path), "/tmp/test_vu_connect.%d", getpid());
	unlink(path);
	server = (struct vu_server){
		.socket.sock = -1, .stop = eventfd(0, EFD_CLOEXEC),
		.dev = &fake.base,
	};
	vu_server_connect(&server, path);
	if (pthread_create(&thread, NULL, run, NULL))
		abort();
}

static void teardown(void)
{
	void *ret;

	eventfd_write(server.stop, 1);
	pthread_join(thread, &ret);
	CHECK_EQ((intptr_t)ret, 0);
	vu_server_close(&server);
	fd_close(&server.stop);
	CHECK_EQ(fake.abuse, 0);
	CHECK(!fake.open);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

/* Accepts the next connection, and checks that the server answers on it */
static int take(struct listen *l)
{
	uint32_t ask[3] = { VU_GET_FEATURES, VU_VERSION, 0 }, answer[5];
	int sock;

	CHECK(readable(l->sock, HANG_MS));
	sock = accept4(l->sock, NULL, NULL, SOCK_CLOEXEC);
	CHECK(sock >= 0);
	CHECK_EQ(send(sock, ask, sizeof(ask), MSG_NOSIGNAL), sizeof(ask));
	CHECK(readable(sock, HANG_MS));
	CHECK_EQ(recv(sock, answer, sizeof(answer), MSG_WAITALL),
		 sizeof(answer));
	CHECK_EQ(answer[0], VU_GET_FEATURES);
	return sock;
}

static void test_comes_and_goes(void)
{
	struct listen l;
	int64_t began;
	int sock;

	setup();
	/* The front end listens after a while. */
	usleep(1200000);
	CHECK_EQ(listen_open(&l, path, 1), 0);
	sock = take(&l);
	/* The server makes one connection only, however long it lasts */
	CHECK(!readable(l.sock, 1500));
	/*
	 * The front end closes the connection and listens on: the server
	 * connects again, soon but not at once.
	 */
	began = now_ms();
	fd_close(&sock);
	sock = take(&l);
	CHECK(now_ms() - began > 500);
	/* The front end's socket file is removed and made again. */
	fd_close(&sock);
	listen_close(&l);
	usleep(1200000);
	CHECK_EQ(listen_open(&l, path, 1), 0);
	sock = take(&l);
	fd_close(&sock);
	listen_close(&l);
	teardown();
}

/*
 * The queue of the listening socket is full: the server must not block in
 * connect().
 */
static void test_busy(void)
{
	int other[2], sock;
	struct listen l;

	CHECK_EQ(listen_open(&l, "/tmp/test_vu_connect.busy", 0), 0);
	other[0] = listen_connect("/tmp/test_vu_connect.busy");
	other[1] = listen_connect("/tmp/test_vu_connect.busy");
	CHECK(other[0] >= 0);
	CHECK_EQ(other[1], -EAGAIN);
	fd_close(&other[0]);
	listen_close(&l);
	CHECK_EQ(listen_connect("/tmp/test_vu_connect.busy"), -ENOENT);
	CHECK_EQ(listen_connect(""), -EINVAL);

	setup();
	CHECK_EQ(listen_open(&l, path, 0), 0);
	sock = take(&l);
	/* A signal ends the server while it is connected. */
	teardown();
	CHECK(readable(sock, HANG_MS));
	fd_close(&sock);
	listen_close(&l);
	/*
	 * A signal ends the server while it waits for the next attempt to
	 * connect.
	 */
	setup();
	usleep(100000);
	teardown();
}

static const struct test tests[] = {
	{ "a front end that listens comes, goes and comes back", test_comes_and_goes },
	{ "one that is busy, and the end", test_busy },
};

int main(void)
{
	log_level = LOG_LEVEL_ERR;
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
