// SPDX-License-Identifier: GPL-2.0
/*
 * The server: a second front end, one that sends nothing, one that sends descriptors
 * on which calls hang; and a server without free descriptors.
 */
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "peerfd.h"
#include "test_vu_server.h"

#define MEM_USER	0x7f0000000000ULL
#define MEM_SIZE	65536ULL
/* more notices than a channel has room for */
#define CHANNEL_LARGE	100

static void test_second(void)
{
	int a, b;

	setup(0);
	a = dial();
	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK(answers(a));
	for (int i = 0; i < 50; i++) {
		b = dial();
		CHECK(refused(b));
		close(b);
	}
	CHECK_EQ(said("refused a second front end (process "), 1);
	/* The first front end is not disturbed. */
	CHECK(answers(a));
	/*
	 * After a front end has disconnected the next one is served, however
	 * soon it connects.
	 */
	for (int i = 0; i < 200; i++) {
		close(a);
		a = dial();
		CHECK(answers(a));
		CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	}
	close(a);
	teardown();
}

static void test_silent(void)
{
	int a, b, c;

	/* A front end that sends nothing is closed when a second one waits. */
	setup(100);
	a = dial();
	b = dial();
	CHECK(answers(b));
	CHECK(refused(a));
	CHECK_EQ(said("the front end says nothing"), 1);
	/* While no other front end waits, one may be silent. */
	CHECK(answers(b));
	close(a);
	close(b);
	teardown();

	/*
	 * If the first one sends something in time, the second one is refused.
	 */
	setup(HANG_MS);
	a = dial();
	b = dial();
	CHECK_EQ(tell(b, VU_GET_FEATURES, NULL, 0), 0);
	CHECK(answers(a));
	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK(refused(b));
	close(b);
	close(a);

	/*
	 * A front end that waits may leave, and another one may take its place.
	 */
	a = dial();
	CHECK(answers(a));
	b = dial();
	close(b);
	c = dial();
	close(a);
	CHECK(answers(c));
	close(c);
	teardown();
}

static int64_t cpu_ms(void)
{
	struct timespec t;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &t))
		abort();
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/*
 * The process has no free descriptor: the loop waits without burning CPU, and
 * recovers.
 */
static void test_no_descriptors(void)
{
	struct rlimit old, low;
	int64_t before;
	int a;

	setup(0);
	a = dial();
	CHECK(answers(a));
	close(a);
	CHECK(says("front end has gone"));
	a = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = a + 1;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
	before = cpu_ms();
	{
		struct sockaddr_un to = { .sun_family = AF_UNIX };

		strcpy(to.sun_path, path);
		CHECK_EQ(connect(a, (struct sockaddr *)&to, sizeof(to)), 0);
	}
	for (int i = 0; i < HANG_MS && lseek(log_fd, 0, SEEK_END) < 1; i++)
		usleep(1000);
	CHECK(says("cannot accept a front end yet: Too many open files"));
	usleep(1500000);
	/* A busy loop would have used all of the time. */
	CHECK(cpu_ms() - before < 700);
	CHECK_EQ(said("cannot accept a front end yet"), 1);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK(answers(a));
	close(a);
	teardown();
}

/*
 * A message brings more descriptors than the process may open: the connection
 * ends, and nothing leaks.
 */
static void test_no_room_for_fds(void)
{
	uint64_t value = 0;
	struct rlimit old, low;
	int a, next;

	setup(0);
	a = dial();
	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK(answers(a));
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	next = fcntl(0, F_DUPFD_CLOEXEC, 0);
	close(next);
	low.rlim_cur = next;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
	CHECK_EQ(tell_fd(a, VU_SET_VRING_CALL, 0, &value, 8, resize_fd), 0);
	CHECK(refused(a));
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK(says("bad message: Too many open files"));
	close(a);
	a = dial();
	CHECK(answers(a));
	close(a);
	teardown();
}

/*
 * Connects a front end whose queue 0 is set up, but not enabled yet. *@backend
 * is its end of the back-end channel.
 */
static int running_front_end(int *backend)
{
	uint64_t pf = BIT(VU_PROTOCOL_F_CONFIG) | BIT(VU_PROTOCOL_F_BACKEND_REQ);
	int a = dial(), mem = test_memfd(MEM_SIZE), kick = eventfd(0, EFD_CLOEXEC);
	struct {
		uint32_t	 nregions, padding;
		struct vu_region r;
	} table = { 1, 0, { 0, MEM_SIZE, MEM_USER, 0 } };
	uint64_t queue = 0;
	int sv[2], small = 1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) ||
	    setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)))
		abort();
	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK_EQ(tell_u64(a, VU_SET_PROTOCOL_FEATURES, pf), 0);
	CHECK_EQ(tell_fd(a, VU_SET_BACKEND_REQ_FD, 0, NULL, 0, sv[1]), 0);
	CHECK_EQ(tell_u64(a, VU_SET_FEATURES, BIT(32) | BIT(30)), 0);
	CHECK_EQ(tell_fd(a, VU_SET_MEM_TABLE, 0, &table, sizeof(table), mem), 0);
	CHECK_EQ(tell_state(a, VU_SET_VRING_NUM, 0, 64), 0);
	CHECK_EQ(tell(a, VU_SET_VRING_ADDR, &(struct vu_addr){
		0, 0, MEM_USER, MEM_USER + 8192, MEM_USER + 4096, 0 }, 40), 0);
	CHECK(answers(a));
	*backend = sv[0];
	close(sv[1]);
	close(mem);
	CHECK_EQ(tell_fd(a, VU_SET_VRING_KICK, 0, &queue, 8, kick), 0);
	CHECK(answers(a));
	close(kick);
	return a;
}

static bool noticed(int backend)
{
	uint32_t notice[3];

	return readable(backend) &&
	       recv(backend, notice, sizeof(notice), MSG_WAITALL) == 12 &&
	       notice[0] == VU_BACKEND_CONFIG_CHANGE && !notice[2];
}

static bool quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Changes the size of the disk, and waits until the server has noticed */
static void change_size(int sock)
{
	fake.resized = true;
	eventfd_write(resize_fd, 1);
	for (int i = 0; i < HANG_MS && fake.resized; i++)
		usleep(1000);
	CHECK(answers(sock));
}

/* The notice is kept while no ring runs, and while the channel is full. */
static void test_resize(void)
{
	unsigned int n = 0;
	int a, backend;
	char junk[12];

	setup(0);
	a = running_front_end(&backend);
	change_size(a);
	CHECK_EQ(said("the disk has another size"), 1);
	CHECK(quiet(backend));
	CHECK_EQ(tell_state(a, VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK(noticed(backend));
	CHECK(answers(a));
	CHECK(quiet(backend));

	/* A channel that is not read holds a limited number of notices. */
	for (int i = 0; i < CHANNEL_LARGE; i++)
		change_size(a);
	CHECK_EQ(said("the disk has another size"), CHANNEL_LARGE + 1);
	while (recv(backend, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		n++;
	CHECK(n > 0 && n < CHANNEL_LARGE);
	CHECK(noticed(backend));
	close(backend);
	/*
	 * If the channel is closed the notice is lost; the connection goes on.
	 */
	change_size(a);
	CHECK(answers(a));
	CHECK_EQ(said("the disk's new size: Broken pipe"), 1);
	close(a);
	teardown();
}

/*
 * Files at the path of the socket: the socket of a dead server is replaced,
 * anything else is not.
 */
static void test_left_behind(void)
{
	struct vu_server dead = { .socket.sock = -1 }, live = { .socket.sock = -1 };
	int fd;

	setup(0);
	CHECK_EQ(vu_server_listen(&live, path), -EADDRINUSE);
	fd = dial();
	CHECK(answers(fd));
	close(fd);
	teardown();
	CHECK_EQ(access(path, F_OK), -1);

	/* A server that is killed leaves its socket behind. */
	CHECK_EQ(vu_server_listen(&dead, path), 0);
	fd_close(&dead.socket.sock);
	CHECK_EQ(access(path, F_OK), 0);
	CHECK_EQ(vu_server_listen(&live, path), 0);
	/*
	 * A server whose socket file was replaced does not delete the new file.
	 */
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(vu_server_listen(&dead, path), 0);
	vu_server_close(&live);
	CHECK_EQ(access(path, F_OK), 0);
	vu_server_close(&dead);
	CHECK_EQ(access(path, F_OK), -1);

	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK_EQ(vu_server_listen(&live, path), -EADDRINUSE);
	CHECK_EQ(unlink(path), 0);
	close(fd);
}

static void test_peerfd(void)
{
	int fds[2], fd = test_memfd(4096);
	char what[128];

	CHECK(vu_peerfd_is_memory(fd));
	vu_peerfd_close(&fd);
	CHECK_EQ(fd, -1);
	vu_peerfd_close(&fd);
	if (pipe2(fds, O_CLOEXEC))
		abort();
	CHECK(!vu_peerfd_is_memory(fds[0]));
	vu_peerfd_describe(fds[0], what, sizeof(what));
	CHECK(!strncmp(what, "no file but pipe:[", 18));
	vu_peerfd_close(&fds[0]);
	vu_peerfd_close(&fds[1]);
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	CHECK(!vu_peerfd_is_memory(fd));
	vu_peerfd_describe(fd, what, sizeof(what));
	CHECK(!strncmp(what, "a file on proc, /proc/", 22));
	/* A thread closes it, as close() might hang */
	vu_peerfd_close(&fd);
	CHECK_EQ(fd, -1);
	/* A long name is cut at the end of the buffer. */
	fd = open("/proc/self/task", O_RDONLY | O_CLOEXEC);
	vu_peerfd_describe(fd, what, 12);
	CHECK_EQ(strcmp(what, "a file on p"), 0);
	vu_peerfd_close(&fd);
}

/* Counts the messages WATCHDOG=1 that a server sends within @ms, up to @enough. */
static unsigned int alive(int notify, int64_t ms, unsigned int enough)
{
	int64_t until = loop_now() + ms;
	unsigned int n = 0;
	char said_so[64];
	ssize_t len;

	setup(0);
	while (n < enough && loop_now() < until) {
		len = recv(notify, said_so, sizeof(said_so), MSG_DONTWAIT);
		if (len < 0)
			usleep(1000);
		else if (len == 10 && !memcmp(said_so, "WATCHDOG=1", 10))
			n++;
	}
	teardown();
	return n;
}

/* Without a watchdog and without messages the server never wakes up. */
static void test_watchdog(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/test_vu_notify.%d",
		 getpid());
	CHECK_EQ(bind(notify, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	CHECK_EQ(alive(notify, 200, 1), 0);
	setenv("WATCHDOG_USEC", "40000", 1);
	/* One message is due each 20 ms; a busy machine may delay them. */
	CHECK_EQ(alive(notify, 20000, 5), 5);
	setenv("WATCHDOG_PID", "1", 1);
	CHECK_EQ(alive(notify, 200, 1), 0);
	setenv("WATCHDOG_PID", "", 1);
	setenv("WATCHDOG_USEC", "soon", 1);
	CHECK_EQ(alive(notify, 200, 1), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	unsetenv("NOTIFY_SOCKET");
	unlink(a.sun_path);
	close(notify);
}

static const struct test tests[] = {
	{ "a second front end is refused at once", test_second },
	{ "a silent front end makes room for one that waits", test_silent },
	{ "no descriptor left for accept()", test_no_descriptors },
	{ "no descriptor left for those of a message", test_no_room_for_fds },
	{ "another size is told when a ring runs, and not lost", test_resize },
	{ "a socket that was left behind", test_left_behind },
	{ "a watchdog is answered, if there is one", test_watchdog },
	{ "peerfd: kinds of descriptors", test_peerfd },
};

TEST_MAIN(tests)
