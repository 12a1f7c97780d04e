// SPDX-License-Identifier: GPL-2.0
/*
 * test_ctl_stop_watch - a thread reports and exits for a program that hangs in
 * a call
 *
 * The watched process is a child of the test, as a signal ends it. TAP on
 * stdout, exit 0 or 1.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "notify.h"
#include "stop_watch.h"
#include "test_ctl.h"

#define GAVE_UP		42

static int status_fd;	/* what the service manager hears */

static void give_up(void *context)
{
	_exit(*(int *)context);
}

/*
 * Starts a process that enters one call and never leaves it. Before that it
 * made many short calls with the signal pending: during those the watch must
 * not end it.
 */
static pid_t start_waiting(int stop, int err)
{
	static int status = GAVE_UP;
	static struct stop_watch w;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	dup2(err, STDERR_FILENO);
	w = (struct stop_watch){
		.stop = stop, .give_up = give_up, .context = &status,
		.disk = "/dev/slow",
	};
	if (stop_watch_start(&w))
		_exit(1);
	for (int i = 0; i < 1000; i++) {
		stop_watch_begin(&w, -1);
		stop_watch_end(&w);
	}
	stop_watch_begin(&w, -1);
	for (;;)
		pause();
}

/* A call that was late and ends is spoken of, too. */
static void test_answers(void)
{
	static struct stop_watch w = { .stop = -1 };
	char said[256] = "";
	int err[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	if (pipe2(err, O_CLOEXEC) || stop_watch_start(&w))
		return;
	dup2(err[1], STDERR_FILENO);
	stop_watch_begin(&w, -1);
	usleep(2500000);
	stop_watch_end(&w);
	stop_watch_begin(&w, -1);
	stop_watch_end(&w);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(err[0], said, sizeof(said) - 1);
	ok(n > 0 && strstr(said, "the disk has not completed"), "a call is late");
	ok(strstr(said, "the disk has answered after 2 s") ||
	   strstr(said, "the disk has answered after 3 s"), "it ends: %s", said);
	n = recv(status_fd, said, sizeof(said) - 1, MSG_DONTWAIT);
	ok(n > 0 && strstr(said, "has not completed"), "so says the status");
	n = recv(status_fd, said, sizeof(said) - 1, MSG_DONTWAIT);
	said[n < 0 ? 0 : n] = '\0';
	ok(!strcmp(said, "STATUS=The disk answers again"), "and so later: %s", said);
	ok(recv(status_fd, said, sizeof(said) - 1, MSG_DONTWAIT) < 0,
	   "a short call is not spoken of");
	fd_close(&err[0]);
	fd_close(&err[1]);
}

static void test_gives_up(void)
{
	char said[256] = "";
	int stop[2], err[2], status;
	pid_t pid;

	if (pipe2(stop, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return;
	pid = start_waiting(stop[0], err[1]);
	fd_close(&err[1]);
	ok(read(err[0], said, sizeof(said) - 1) > 0 &&
	   strstr(said, "that /dev/slow has not completed, for 2 s"),
	   "a call that takes long is spoken of: %s", said);
	/* A moment after the log */
	ok(recv(status_fd, said, sizeof(said) - 1, 0) > 0 &&
	   !strncmp(said, "STATUS=", 7) && strstr(said, "/dev/slow has not completed"),
	   "the service manager hears it, too");
	ok(!waitpid(pid, &status, WNOHANG), "and waits on");
	ok(write(stop[1], "x", 1) == 1 && waitpid(pid, &status, 0) == pid &&
	   WIFEXITED(status) && WEXITSTATUS(status) == GAVE_UP,
	   "a signal ends it");
	fd_close(&stop[0]);
	fd_close(&stop[1]);
	fd_close(&err[0]);
}

static int reads(const char *text, struct stop_watch_seen *seen)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	int ret = f ? stop_watch_read(f, seen) : -1;

	if (f)
		fclose(f);
	return ret;
}

static void test_in_flight(void)
{
	struct stop_watch_seen seen;
	char many[8192] = "";

	ok(reads("pos:\t0\nflags:\t02\n", &seen) < 0, "a file that is no device");
	ok(!reads("queue0:\tstate=stopping in_flight=0\n", &seen) && !seen.requests &&
	   !*seen.queues, "no request");
	ok(!reads("disk:\t/dev/x in_flight=9\n"
		  "queue0:\tstate=stopping size=128 in_flight=2 held=5\n"
		  "queue1:\tstate=running size=128 in_flight=0\n"
		  "queue12:\tstate=stopping size=128 in_flight=13\n"
		  "queuex:\tin_flight=7\nqueue3:\tin_flight=x\n", &seen) &&
	   seen.requests == 15 && !strcmp(seen.queues, "queue 0: 2, queue 12: 13"),
	   "those of each queue: %s", seen.queues);
	for (int i = 0; i < 64; i++)
		sprintf(many + strlen(many), "queue%d: in_flight=32768\n", i);
	ok(!reads(many, &seen) && seen.requests == 64 * 32768 && seen.more &&
	   !strcmp(seen.queues + strlen(seen.queues) - 10, "32768, ...") &&
	   strlen(seen.queues) > 130, "of many queues the first: %s", seen.queues);
}

int main(void)
{
	const struct timeval patience = { .tv_sec = 10 };
	char address[32];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return 1;
	status_fd = pair[0];
	setsockopt(status_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	snprintf(address, sizeof(address), NOTIFY_BY_FD "%d", pair[1]);
	setenv("NOTIFY_SOCKET", address, 1);
	test_answers();
	test_gives_up();
	test_in_flight();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
