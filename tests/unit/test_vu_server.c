// SPDX-License-Identifier: GPL-2.0
/*
 * The loop: front ends that come second, say nothing, flood the log or send what
 * hangs; and what a loop does when it runs out of descriptors.
 *
 * The server runs in a thread of its own, with a fake device. Its log goes to a file.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "fd.h"
#include "limit.h"
#include "msg.h"
#include "peerfd.h"
#include "server.h"
#include "test_vu.h"
#include "test_vu_fake.h"

#define BIT(n)		(1ULL << (n))
#define MEM_USER	0x7f0000000000ULL
#define MEM_SIZE	65536ULL
#define CHANNEL_LARGE	100		/* notices, more than fit */
#define HANG_MS		60000		/* nothing takes that long */

static struct fake fake;
static struct vu_server server;
static pthread_t thread;
static int resize_fd, log_fd, stderr_fd;
static char path[64];

static bool take_resize(void *context)
{
	uint64_t v;

	(void)context;
	return read(resize_fd, &v, sizeof(v)) == sizeof(v);
}

static void *run(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)vu_server_run(&server);
}

static void setup(unsigned int silent_ms)
{
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	snprintf(path, sizeof(path), "/tmp/test_vu_server.%d", getpid());
	resize_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server = (struct vu_server){
		.stop = eventfd(0, EFD_CLOEXEC), .resize = resize_fd,
		.take_resize = take_resize, .dev = &fake.base,
		.silent_ms = silent_ms,
	};
	log_fd = test_memfd(0);
	stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(log_fd, STDERR_FILENO);
	if (vu_server_listen(&server, path) ||
	    pthread_create(&thread, NULL, run, NULL))
		abort();
}

/* It ends when it is told to, and well. */
static void teardown(void)
{
	void *ret;

	eventfd_write(server.stop, 1);
	pthread_join(thread, &ret);
	CHECK_EQ((intptr_t)ret, 0);
	vu_server_close(&server);
	dup2(stderr_fd, STDERR_FILENO);
	fd_close(&stderr_fd);
	fd_close(&log_fd);
	fd_close(&server.stop);
	fd_close(&resize_fd);
	CHECK_EQ(fake.abuse, 0);
	CHECK(!fake.open);
}

/* Lines of the log that have these words */
static unsigned int said(const char *words)
{
	static char text[1 << 20];
	unsigned int n = 0;
	ssize_t len = pread(log_fd, text, sizeof(text) - 1, 0);

	text[len < 0 ? 0 : len] = '\0';
	for (const char *at = text; (at = strstr(at, words)); at++)
		n++;
	return n;
}

static bool says(const char *words)
{
	for (int i = 0; i < HANG_MS && !said(words); i++)
		usleep(1000);
	return said(words);
}

static int dial(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	return fd;
}

static int tell_fd(int sock, uint32_t request, uint32_t flags,
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

static int tell(int sock, uint32_t request, const void *payload, uint32_t size)
{
	return tell_fd(sock, request, 0, payload, size, -1);
}

static int tell_u64(int sock, uint32_t request, uint64_t value)
{
	return tell(sock, request, &value, sizeof(value));
}

static int tell_state(int sock, uint32_t request, uint32_t index, uint32_t num)
{
	struct vu_state state = { index, num };

	return tell(sock, request, &state, sizeof(state));
}

/* Something to read, or the end, within a time that only a hang takes */
static bool readable(int sock)
{
	struct pollfd p = { sock, POLLIN, 0 };

	return poll(&p, 1, HANG_MS) == 1;
}

/* Is it served? Asks, and waits for the answer. */
static bool answers(int sock)
{
	uint32_t back[5];

	return !tell(sock, VU_GET_FEATURES, NULL, 0) && readable(sock) &&
	       recv(sock, back, sizeof(back), MSG_WAITALL) == sizeof(back) &&
	       back[0] == VU_GET_FEATURES;
}

/* Was it closed on us? */
static bool refused(int sock)
{
	char byte;

	return readable(sock) && recv(sock, &byte, 1, 0) <= 0;
}

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
	/* The first one has not noticed. */
	CHECK(answers(a));
	/* When it has gone, the next one is welcome, be it ever so quick. */
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

	/* One that says nothing has to go when another one waits. */
	setup(100);
	a = dial();
	b = dial();
	CHECK(answers(b));
	CHECK(refused(a));
	CHECK_EQ(said("the front end says nothing"), 1);
	/* As long as nobody waits it may be silent. */
	CHECK(answers(b));
	close(a);
	close(b);
	teardown();

	/* If it speaks in time the other one is refused. */
	setup(HANG_MS);
	a = dial();
	b = dial();
	CHECK_EQ(tell(b, VU_GET_FEATURES, NULL, 0), 0);
	CHECK(answers(a));
	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK(refused(b));
	close(b);
	close(a);

	/* One that waits may go, and be followed. */
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

/* No descriptor to be had: it waits, without burning CPU, and goes on. */
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
	/* A loop that does not wait would have used all of it. */
	CHECK(cpu_ms() - before < 700);
	CHECK_EQ(said("cannot accept a front end yet"), 1);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK(answers(a));
	close(a);
	teardown();
}

/* Descriptors of a message that find no room: the connection ends, nothing leaks. */
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

/* A refusal that the front end wants to hear of, again and again */
static void test_log_flood(void)
{
	uint64_t pf = BIT(VU_PROTOCOL_F_REPLY_ACK);
	struct vu_state bad = { 0, 3 };
	int a;

	setup(0);
	a = dial();
	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK_EQ(tell_u64(a, VU_SET_PROTOCOL_FEATURES, pf), 0);
	CHECK_EQ(tell_u64(a, VU_SET_FEATURES, BIT(32) | BIT(30)), 0);
	for (int i = 0; i < 2000; i++) {
		uint32_t back[5];

		CHECK_EQ(tell_fd(a, VU_SET_VRING_NUM, VU_FLAG_NEED_REPLY, &bad,
				 sizeof(bad), -1), 0);
		CHECK(readable(a) && recv(a, back, sizeof(back),
					  MSG_WAITALL) == sizeof(back));
		CHECK(back[3]);
	}
	CHECK(said("SET_VRING_NUM: ring size 3") > 0);
	CHECK(said("\n") < 100);
	CHECK(answers(a));
	close(a);
	teardown();

	/* The same by new connections */
	setup(0);
	for (int i = 0; i < 500; i++) {
		a = dial();
		CHECK_EQ(tell(a, 0, NULL, 0), 0);
		CHECK(refused(a));
		close(a);
	}
	CHECK(said("unknown message: request 0") > 0);
	CHECK(said("\n") < 200);
	teardown();
}

/* A front end whose queue 0 lacks its ENABLE; it hears of changes by *@backend. */
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

/* Another size, and the server has seen it */
static void change_size(int sock)
{
	fake.resized = true;
	eventfd_write(resize_fd, 1);
	for (int i = 0; i < HANG_MS && fake.resized; i++)
		usleep(1000);
	CHECK(answers(sock));
}

/* Kept while no ring runs, and while the channel is full. */
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

	/* Of a channel that is not read, only so many fit. */
	for (int i = 0; i < CHANNEL_LARGE; i++)
		change_size(a);
	while (recv(backend, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		n++;
	CHECK(n > 0 && n < CHANNEL_LARGE);
	CHECK(noticed(backend));
	close(backend);
	/* A channel that is gone costs the notice, and not the connection. */
	change_size(a);
	CHECK(answers(a));
	CHECK_EQ(said("the disk's new size: Broken pipe"), 1);
	close(a);
	teardown();
}

/* What is at the path before: a dead server's socket goes, all else stays. */
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

	/* As a server that was killed leaves it */
	CHECK_EQ(vu_server_listen(&dead, path), 0);
	fd_close(&dead.socket.sock);
	CHECK_EQ(access(path, F_OK), 0);
	CHECK_EQ(vu_server_listen(&live, path), 0);
	/* One whose file somebody has replaced leaves the other's alone. */
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

/* Buckets of tokens, with a clock of our own */
static void test_limit(void)
{
	struct vu_limit l = { .burst = 3, .refill_ms = 100 };
	unsigned int dropped = 9;

	for (int i = 0; i < 3; i++)
		CHECK(vu_limit_pass(&l, 1000000, &dropped) && !dropped);
	CHECK(!vu_limit_pass(&l, 1000000, &dropped));
	CHECK(!vu_limit_pass(&l, 1000099, &dropped));
	CHECK(vu_limit_pass(&l, 1000100, &dropped));
	CHECK_EQ(dropped, 2);
	CHECK(!vu_limit_pass(&l, 1000150, &dropped));
	CHECK(vu_limit_pass(&l, 1000200, &dropped));
	CHECK_EQ(dropped, 1);
	/* After a long time: all of it, and no more. */
	for (int i = 0; i < 3; i++)
		CHECK(vu_limit_pass(&l, 900000000, &dropped) && !dropped);
	CHECK(!vu_limit_pass(&l, 900000000, &dropped));
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
	/* By a thread, as it might hang */
	vu_peerfd_close(&fd);
	CHECK_EQ(fd, -1);
	/* Not even a long name goes beyond the buffer. */
	fd = open("/proc/self/task", O_RDONLY | O_CLOEXEC);
	vu_peerfd_describe(fd, what, 12);
	CHECK_EQ(strcmp(what, "a file on p"), 0);
	vu_peerfd_close(&fd);
}

static const struct test tests[] = {
	{ "a second front end is refused at once", test_second },
	{ "a silent front end makes room for one that waits", test_silent },
	{ "no descriptor left for accept()", test_no_descriptors },
	{ "no descriptor left for those of a message", test_no_room_for_fds },
	{ "refused messages do not flood the log", test_log_flood },
	{ "another size is told when a ring runs, and not lost", test_resize },
	{ "a socket that was left behind", test_left_behind },
	{ "limit: lines pass and are counted", test_limit },
	{ "peerfd: kinds of descriptors", test_peerfd },
};

TEST_MAIN(tests)
