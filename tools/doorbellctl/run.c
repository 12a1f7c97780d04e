// SPDX-License-Identifier: GPL-2.0
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"

static void run_child(int out, const char *const argv[])
{
	const char *path = getenv("PATH");
	char *more;
	int null = open("/dev/null", O_RDWR);

	/* modinfo may be in /sbin, which a user's PATH may lack. */
	if (asprintf(&more, "%s:/usr/sbin:/sbin", path ? path : "/usr/bin") > 0)
		setenv("PATH", more, 1);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(null, 2) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int run_start(struct run *run, const char *const argv[])
{
	_cleanup_fd_ int reader = -1;
	_cleanup_fd_ int writer = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	reader = ends[0];
	writer = ends[1];
	run->out = fdopen(reader, "r");
	if (!run->out)
		return -errno;
	steal_fd(&reader);
	run->pid = fork();
	if (run->pid < 0) {
		fclose(run->out);
		return -errno;
	}
	if (!run->pid)
		run_child(writer, argv);
	return 0;
}

int run_end(struct run *run)
{
	char rest[4096];
	int status;

	/*
	 * Read the rest of the output: otherwise SIGPIPE would kill the
	 * program.
	 */
	while (fread(rest, 1, sizeof(rest), run->out) == sizeof(rest))
		;
	fclose(run->out);
	if (waitpid(run->pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}
