// SPDX-License-Identifier: GPL-2.0
/*
 * The parent of --keep, and what a worker finds in its store. The workers are this program,
 * which the parent starts with the name of the test and the number of a file in memory that
 * all share.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon.h"
#include "disk.h"
#include "fd.h"
#include "fdstore.h"
#include "keep.h"
#include "keeper.h"
#include "loop.h"
#include "notify.h"
#include "number.h"
#include "test_vu.h"

/* What the processes share */
struct shared {
	unsigned int workers;	/* that were started */
	unsigned int num;	/* descriptors that the last one got */
	int	     result;
	int64_t	     took;
};

static struct shared *shared;
static char *self;

static void die(void)
{
	kill(getpid(), SIGKILL);
}

/* Stores what main() opens before its server does, and dies then. */
static int store_disk(struct fdstore *store, const char *path)
{
	struct disk d;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    disk_open(&d, path, false, DISK_LOCKING_ON) || disk_claim(&d) ||
	    fdstore_put(store, VU_KEEP_FRONT, pair[0]) ||
	    fdstore_put(store, "disk", d.fd) || fdstore_put(store, "claim", d.claim))
		return EXIT_FAILURE;
	die();
	return EXIT_FAILURE;
}

static int worker_unfinished(struct fdstore *store, const char *path)
{
	struct disk d;

	if (shared->workers == 1)
		return store_disk(store, path);
	shared->num = store->num;
	shared->result = disk_open(&d, path, false, DISK_LOCKING_ON);
	if (!shared->result)
		shared->result = disk_claim(&d);
	if (!fdstore_has(store, VU_KEEP_FRONT))
		return EXIT_FAILURE;
	/* Else the parent would try again. */
	fdstore_clear(store, VU_KEEP_FRONT);
	return 7;
}

/* A socket whose last close() waits for 3 seconds: its data is not read. */
static int lingering(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { 1, 3 };
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const char data[4096];
	socklen_t len = sizeof(a);

	if (bind(listening, (struct sockaddr *)&a, len) || listen(listening, 1) ||
	    getsockname(listening, (struct sockaddr *)&a, &len) ||
	    connect(sock, (struct sockaddr *)&a, len) ||
	    setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		return -1;
	while (send(sock, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	return sock;
}

static int queue_fd(int to, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = { .align = { CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { "x", 1 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };

	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return sendmsg(to, &hdr, 0) == 1 ? 0 : -errno;
}

/* The parent gets the last copy of a connection in whose queue such a socket is. */
static int worker_lingering(struct fdstore *store, const char *path)
{
	int64_t begin;
	int pair[2], sock = lingering();

	(void)path;
	if (sock < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    queue_fd(pair[0], sock) || fdstore_put(store, VU_KEEP_FRONT, pair[1]) ||
	    notify_barrier(5000))
		return EXIT_FAILURE;
	close(sock);
	close(pair[1]);
	begin = loop_now();
	fdstore_remove(store, VU_KEEP_FRONT);
	shared->result = notify_barrier(10000);
	shared->took = loop_now() - begin;
	return 7;
}

/* The first one fails with a session in its store, the second one has the means again. */
static int worker_fails(struct fdstore *store, const char *path)
{
	(void)path;
	if (shared->workers == 1) {
		if (fdstore_put(store, VU_KEEP_FRONT, STDIN_FILENO))
			return 8;
		return EXIT_FAILURE;
	}
	shared->result = fdstore_has(store, VU_KEEP_FRONT);
	fdstore_remove(store, VU_KEEP_FRONT);
	return 7;
}

/* Wrong settings end a unit for good, but not while a session is held. */
static int worker_settings(struct fdstore *store, const char *path)
{
	(void)path;
	shared->result = daemon_options_status(store, 2);
	if (fdstore_put(store, VU_KEEP_FRONT, STDIN_FILENO) ||
	    fdstore_put(store, VU_KEEP_STATE, STDIN_FILENO) ||
	    fdstore_put(store, VU_KEEP_DEVICE, STDIN_FILENO))
		return EXIT_FAILURE;
	shared->took = daemon_options_status(store, 2);
	fdstore_clear(store, VU_KEEP_FRONT);
	return 7;
}

#define CRASHES		9
/* Milliseconds of the pauses after these: 1, 2, 4, ... */
#define CRASHES_TAKE	((1 << CRASHES) - 1)

/* Dies at once, again and again */
static int worker_crashes(struct fdstore *store, const char *path)
{
	(void)path;
	if (shared->workers == 1) {
		shared->took = loop_now();
		if (fdstore_put(store, VU_KEEP_FRONT, STDIN_FILENO))
			return EXIT_FAILURE;
	}
	if (shared->workers <= CRASHES)
		die();
	shared->took = loop_now() - shared->took;
	shared->num = store->num;
	fdstore_clear(store, VU_KEEP_FRONT);
	return 7;
}

/* The first one has the parent replace it, the second one has it end. */
static int worker_signals(struct fdstore *store, const char *path)
{
	(void)path;
	if (shared->workers == 1) {
		if (fdstore_put(store, VU_KEEP_FRONT, STDIN_FILENO))
			return EXIT_FAILURE;
		kill(getppid(), SIGHUP);
	} else {
		shared->num = store->num;
		kill(getppid(), SIGTERM);
	}
	/* The parent ends it by SIGTERM, which it must not have blocked. */
	sleep(10);
	shared->result = -1;
	return EXIT_FAILURE;
}

/* A child of the worker has its descriptors, but is not heard. */
static int worker_child(struct fdstore *store, const char *path)
{
	pid_t pid;

	(void)path;
	if (shared->workers > 1) {
		shared->num = store->num;
		shared->result = daemon_resumes(store) && !fdstore_has(store, "child");
		fdstore_clear(store, VU_KEEP_FRONT);
		return 7;
	}
	pid = fork();
	if (!pid)
		_exit(fdstore_put(store, "child", STDIN_FILENO) ? 1 : 0);
	/* All of a session, or the next worker would drop the rest. */
	if (waitpid(pid, &shared->result, 0) != pid || shared->result ||
	    fdstore_put(store, VU_KEEP_FRONT, STDIN_FILENO) ||
	    fdstore_put(store, VU_KEEP_STATE, STDIN_FILENO) ||
	    fdstore_put(store, VU_KEEP_DEVICE, STDIN_FILENO))
		return EXIT_FAILURE;
	die();
	return EXIT_FAILURE;
}

static const struct worker {
	const char *name;
	int	  (*run)(struct fdstore *store, const char *path);
} workers[] = {
	{ "unfinished", worker_unfinished },
	{ "lingering", worker_lingering },
	{ "fails", worker_fails },
	{ "settings", worker_settings },
	{ "crashes", worker_crashes },
	{ "signals", worker_signals },
	{ "child", worker_child },
};

static int be_worker(const struct worker *w, int fd, const char *path)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return EXIT_FAILURE;
	shared->workers++;
	return w->run(daemon_begin_keep(), path);
}

/* Runs a parent with workers of this name. Returns its exit status. */
static int run(const char *name, const char *path)
{
	int fd = memfd_create("shared", 0), status;
	char number[16];
	char *argv[] = { self, (char *)name, number, (char *)path, NULL };
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	if (ftruncate(fd, sizeof(*shared)))
		abort();
	if (shared)
		munmap(shared, sizeof(*shared));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		_exit(keeper_run(argv, -1));
	}
	close(fd);
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What a killed process stored of a session that had not begun is not in the way. */
static void test_unfinished(void)
{
	char path[] = "/tmp/test_vu_keeper.XXXXXX";
	int fd = mkstemp(path);

	CHECK(!ftruncate(fd, 4096));
	CHECK_EQ(run("unfinished", path), 7);
	CHECK_EQ(shared->workers, 2);
	CHECK_EQ(shared->num, 1);
	CHECK_EQ(shared->result, 0);
	unlink(path);
	close(fd);
}

/* The parent hears its worker while a close() waits. */
static void test_lingering(void)
{
	CHECK_EQ(run("lingering", "-"), 7);
	CHECK_EQ(shared->result, 0);
	CHECK(shared->took < 2000);
	printf("# the parent took %lld ms\n", (long long)shared->took);
}

static void test_fails(void)
{
	CHECK_EQ(run("fails", "-"), 7);
	CHECK_EQ(shared->workers, 2);
	CHECK_EQ(shared->result, 1);
}

static void test_settings(void)
{
	CHECK_EQ(run("settings", "-"), 7);
	CHECK_EQ(shared->result, 2);
	CHECK_EQ(shared->took, 1);
}

static void test_crashes(void)
{
	CHECK_EQ(run("crashes", "-"), 7);
	CHECK_EQ(shared->workers, CRASHES + 1);
	CHECK_EQ(shared->num, 1);
	CHECK(shared->took >= CRASHES_TAKE);
	printf("# %d crashes took %lld ms\n", CRASHES, (long long)shared->took);
}

static void test_signals(void)
{
	CHECK_EQ(run("signals", "-"), EXIT_SUCCESS);
	CHECK_EQ(shared->workers, 2);
	CHECK_EQ(shared->num, 1);
	CHECK_EQ(shared->result, 0);
}

static void test_child(void)
{
	CHECK_EQ(run("child", "-"), 7);
	CHECK_EQ(shared->workers, 2);
	CHECK_EQ(shared->num, 3);
	CHECK_EQ(shared->result, 1);
}

static const struct test tests[] = {
	{ "a worker that fails while a front end is held", test_fails },
	{ "wrong settings while a front end is held", test_settings },
	{ "a close() that waits does not stop the parent", test_lingering },
	{ "workers that die at once", test_crashes },
	{ "SIGHUP replaces the worker, SIGTERM ends both", test_signals },
	{ "a child of the worker is not heard", test_child },
	{ "what was left of a session that had not begun", test_unfinished },
};

int main(int argc, char **argv)
{
	uint64_t fd;

	self = argv[0];
	if (argc < 4 || number_decimal(argv[2], INT32_MAX, &fd))
		return test_main(tests, sizeof(tests) / sizeof(*tests));
	for (size_t i = 0; i < sizeof(workers) / sizeof(*workers); i++)
		if (!strcmp(argv[1], workers[i].name))
			return be_worker(&workers[i], fd, argv[3]);
	return EXIT_FAILURE;
}
