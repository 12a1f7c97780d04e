// SPDX-License-Identifier: GPL-2.0
/*
 * test_ctl_stop_watch - a thread speaks for a program whose call takes long
 *
 * The process that is watched is a child, as what it does at a signal is to end.
 * TAP on stdout, exit 0 or 1.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "stop_watch.h"
#include "test_ctl.h"

#define GAVE_UP		42

static void give_up(void *context)
{
	_exit(*(int *)context);
}

/*
 * A process that is in a call for as long as it lives; before, it was in many that
 * were short, with the signal there already, which was for the program then.
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
	   strstr(said, "the disk has not completed"),
	   "a call that takes long is spoken of");
	ok(!waitpid(pid, &status, WNOHANG), "and waits on");
	ok(write(stop[1], "x", 1) == 1 && waitpid(pid, &status, 0) == pid &&
	   WIFEXITED(status) && WEXITSTATUS(status) == GAVE_UP,
	   "a signal ends it");
	fd_close(&stop[0]);
	fd_close(&stop[1]);
	fd_close(&err[0]);
}

static void test_in_flight(void)
{
	_cleanup_fd_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned long long n;

	ok(stop_watch_in_flight(fd, &n) < 0, "a file that is no device");
	ok(stop_watch_in_flight(-1, &n) < 0, "none");
}

int main(void)
{
	test_gives_up();
	test_in_flight();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
