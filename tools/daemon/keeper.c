// SPDX-License-Identifier: GPL-2.0
#include "keeper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "activation.h"
#include "fd.h"
#include "fdstore.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "number.h"
#include "peerfd.h"

/* Files of the worker beside those that are stored */
#define KEEPER_FILES	(2 * FDSTORE_MAX + 1024)
/* Milliseconds: a worker that lived longer is replaced at once */
#define KEEPER_STEADY	10000
/* Milliseconds: the longest pause before a new worker */
#define KEEPER_PAUSE	5000

struct keeper_fd {
	char name[FDSTORE_NAME];
	int  fd;
};

struct keeper {
	char	       **argv;
	char		 program[PATH_MAX];
	int		 listening;
	sigset_t	 signals;	/* of the worker */
	int		 signal;	/* descriptor */
	int		 notify;	/* our end; the worker's messages */
	pid_t		 worker;	/* 0: none */
	int64_t		 started;	/* when, as loop_now() */
	int64_t		 pause;		/* before the next worker, in ms */
	bool		 stopping;
	bool		 replacing;
	unsigned int	 num;
	struct keeper_fd held[FDSTORE_MAX];
};

bool keeper_has_us(void)
{
	const char *pid = getenv("LISTEN_PID");
	uint64_t p;

	return getenv(ACTIVATION_FIRST) && pid &&
	       !number_decimal(pid, INT32_MAX, &p) && (pid_t)p == getpid();
}

/* --- what the worker sends --- */

static void keeper_drop(struct keeper *k, const char *name)
{
	for (unsigned int i = 0; i < k->num; i++) {
		if (strcmp(k->held[i].name, name))
			continue;
		/* The socket's receive queue may hold descriptors whose close() hangs. */
		if (vu_peerfd_is_unix(k->held[i].fd))
			vu_peerfd_close(&k->held[i].fd);
		else
			fd_close(&k->held[i].fd);
		k->held[i] = k->held[--k->num];
		return;
	}
}

static void keeper_hold(struct keeper *k, const char *name, int *fd)
{
	keeper_drop(k, name);
	if (*fd < 0 || k->num == FDSTORE_MAX)
		return;
	strcpy(k->held[k->num].name, name);
	k->held[k->num++].fd = steal_fd(fd);
}

/* Handles the text of one message; @fd came with it. */
static void keeper_obey(struct keeper *k, char *text, int *fd)
{
	bool store = false, drop = false, barrier = false;
	char *copy = strdup(text), *rest = text, *line;
	const char *name = NULL;

	while ((line = strsep(&rest, "\n"))) {
		store |= !strcmp(line, "FDSTORE=1");
		drop |= !strcmp(line, "FDSTOREREMOVE=1");
		/* The worker waits until the caller closes @fd. */
		barrier |= !strcmp(line, "BARRIER=1");
		if (!strncmp(line, "FDNAME=", strlen("FDNAME=")))
			name = line + strlen("FDNAME=");
	}
	if (!store && !drop && !barrier && copy)
		notify_send(copy, false);
	else if (name && *name && strlen(name) < FDSTORE_NAME && store)
		keeper_hold(k, name, fd);
	else if (name && drop)
		keeper_drop(k, name);
	free(copy);
}

/* One message. Returns false if there is none. */
static bool keeper_hear(struct keeper *k)
{
	union {
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	char text[512];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	_cleanup_fd_ int fd = -1;
	struct ucred from = { 0 };
	ssize_t n;

	n = recvmsg(k->notify, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&hdr); c; c = CMSG_NXTHDR(&hdr, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(fd)))
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		else if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&from, CMSG_DATA(c), sizeof(from));
	}
	text[n] = '\0';
	if (from.pid == k->worker && !(hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		keeper_obey(k, text, &fd);
	return true;
}

/* --- the worker --- */

/*
 * Copies what is passed to descriptors in a row that are free in this process, which is
 * the child: an option such as --tap-fd=3 names an inherited one. Returns the first.
 */
static int keeper_pass(struct keeper *k, unsigned int *count)
{
	unsigned int n = 0, first = 64;
	int source[FDSTORE_MAX + 1];

	if (k->listening >= 0)
		source[n++] = k->listening;
	for (unsigned int i = 0; i < k->num; i++)
		source[n++] = k->held[i].fd;
	for (unsigned int i = 0; i < n; i++) {
		int fd = fcntl(source[i], F_DUPFD, first + i);

		if (fd < 0)
			return -errno;
		if ((unsigned int)fd == first + i)
			continue;
		/* That one was taken: begin again behind it. */
		close(fd);
		while (i)
			close(first + --i);
		first = fd + 1;
		i = -1;
	}
	*count = n;
	return first;
}

static void set_number(const char *name, const char *before, long number)
{
	char text[40];

	snprintf(text, sizeof(text), "%s%ld", before, number);
	setenv(name, text, 1);
}

static int keeper_set_names(const struct keeper *k)
{
	size_t size = (k->num + 1) * (FDSTORE_NAME + 1);
	char *names = calloc(1, size), *at = names;

	if (!names)
		return -ENOMEM;
	if (k->listening >= 0)
		at = stpcpy(at, "socket:");
	for (unsigned int i = 0; i < k->num; i++)
		at += sprintf(at, "%s:", k->held[i].name);
	if (at > names)
		at[-1] = '\0';
	setenv("LISTEN_FDNAMES", names, 1);
	free(names);
	return 0;
}

/* In the child. Returns only if it fails. */
static int keeper_exec(struct keeper *k, int notify)
{
	unsigned int n;
	int first, ret;

	sigprocmask(SIG_SETMASK, &k->signals, NULL);
	first = keeper_pass(k, &n);
	if (first < 0)
		return first;
	ret = keeper_set_names(k);
	if (ret)
		return ret;
	set_number(ACTIVATION_FIRST, "", first);
	set_number("LISTEN_PID", "", getpid());
	set_number("LISTEN_FDS", "", n);
	set_number("FDSTORE", "", FDSTORE_MAX);
	set_number("NOTIFY_SOCKET", NOTIFY_BY_FD, notify);
	if (getenv("WATCHDOG_PID"))
		set_number("WATCHDOG_PID", "", getpid());
	/* By its path: after an upgrade that is the new program. */
	execv(k->program, k->argv);
	execv("/proc/self/exe", k->argv);
	return -errno;
}

static int keeper_start(struct keeper *k)
{
	int pair[2], on = 1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	if (setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)))
		pid = -1;
	else
		pid = fork();
	if (pid < 0) {
		int ret = -errno;

		close(pair[0]);
		close(pair[1]);
		return ret;
	}
	if (!pid) {
		fcntl(pair[1], F_SETFD, 0);
		log_err("starting the worker: %s", strerror(-keeper_exec(k, pair[1])));
		_exit(EXIT_FAILURE);
	}
	close(pair[1]);
	k->worker = pid;
	k->notify = pair[0];
	k->started = loop_now();
	k->replacing = false;
	return 0;
}

static void keeper_set_pause(struct keeper *k, bool none)
{
	if (none)
		k->pause = 0;
	else
		k->pause = k->pause ? 2 * k->pause : 1;
	if (k->pause > KEEPER_PAUSE)
		k->pause = KEEPER_PAUSE;
}

/*
 * The worker has ended. Returns its exit status, -1 if there is to be a new one, after
 * k->pause.
 */
static int keeper_bury(struct keeper *k, int status)
{
	int64_t lived = loop_now() - k->started;
	unsigned int before = k->num;

	/* What it sent last is in the queue. */
	while (keeper_hear(k))
		;
	fd_close(&k->notify);
	k->worker = 0;
	if (k->stopping)
		return EXIT_SUCCESS;
	/* While a front end waits, what made the worker fail may pass. */
	if (WIFEXITED(status) && !k->replacing && (!WEXITSTATUS(status) || !k->num))
		return WEXITSTATUS(status);
	keeper_set_pause(k, lived >= KEEPER_STEADY || k->replacing);
	if (WIFSIGNALED(status))
		log_warn("the worker died by signal %d (%s); a new one takes over %u descriptors",
			 WTERMSIG(status), strsignal(WTERMSIG(status)), before);
	else
		log_info("a new worker takes over %u descriptors", k->num);
	return -1;
}

static void keeper_take_signal(struct keeper *k)
{
	struct signalfd_siginfo info;

	if (read(k->signal, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
		k->stopping = true;
	else if (info.ssi_signo == SIGHUP)
		k->replacing = true;
	else
		return;
	/* It leaves all that is stored. */
	if (k->worker)
		kill(k->worker, SIGTERM);
}

/* Waits for a message, a signal, or the end of the pause. */
static void keeper_wait(struct keeper *k, int64_t ms)
{
	struct pollfd p[] = {
		{ .fd = k->signal, .events = POLLIN },
		{ .fd = k->notify, .events = POLLIN },
	};

	if (poll(p, 2, ms) <= 0)
		return;
	if (p[0].revents)
		keeper_take_signal(k);
	if (p[1].revents)
		keeper_hear(k);
}

static int keeper_loop(struct keeper *k)
{
	int status, ret;

	for (;;) {
		int64_t due = k->started + k->pause, left;

		if (!k->worker && k->stopping)
			return EXIT_SUCCESS;
		if (!k->worker && loop_now() >= due) {
			ret = keeper_start(k);
			if (ret) {
				log_err("starting the worker: %s", strerror(-ret));
				if (!k->num)
					return EXIT_FAILURE;
				/* A front end waits: try again. */
				keeper_set_pause(k, false);
				k->started = loop_now();
				continue;
			}
		}
		left = due - loop_now();
		keeper_wait(k, k->worker ? -1 : left > 0 ? left : 0);
		if (k->worker && waitpid(k->worker, &status, WNOHANG) == k->worker) {
			ret = keeper_bury(k, status);
			if (ret >= 0)
				return ret;
			k->started = loop_now();
		}
	}
}

static void keeper_raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= KEEPER_FILES)
		return;
	files.rlim_cur = files.rlim_max < KEEPER_FILES ? files.rlim_max : KEEPER_FILES;
	setrlimit(RLIMIT_NOFILE, &files);
}

int keeper_run(char **argv, int listening)
{
	static struct keeper k;
	sigset_t set;
	ssize_t n;
	int ret;

	k.argv = argv;
	k.listening = listening;
	k.notify = -1;
	n = readlink("/proc/self/exe", k.program, sizeof(k.program) - 1);
	k.program[n < 0 ? 0 : n] = '\0';
	keeper_raise_limit();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &k.signals);
	k.signal = signalfd(-1, &set, SFD_CLOEXEC);
	if (k.signal < 0) {
		log_err("signalfd: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	ret = keeper_loop(&k);
	/* The device first: then the kernel does not use the guest's memory any more. */
	keeper_drop(&k, FDSTORE_PREFIX "device");
	while (k.num)
		keeper_drop(&k, k.held[0].name);
	fd_close(&k.notify);
	fd_close(&k.signal);
	fd_close(&k.listening);
	return ret;
}
