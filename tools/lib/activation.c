// SPDX-License-Identifier: GPL-2.0
#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "number.h"

/* first descriptor that the service manager passes (sd_listen_fds(3)) */
#define FIRST_FD	3

int activation_first(void)
{
	const char *first = getenv(ACTIVATION_FIRST);
	uint64_t n;

	return first && !number_decimal(first, INT32_MAX, &n) ? (int)n : FIRST_FD;
}

static int passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t p, n;
	int first;

	if (!pid || !fds)
		return -ENOENT;
	if (number_decimal(pid, INT32_MAX, &p) || number_decimal(fds, INT32_MAX, &n))
		return -EINVAL;
	/* A parent that was passed sockets may have left the variables. */
	if ((pid_t)p != getpid() || !n)
		return -ENOENT;
	if (n > 1)
		return -E2BIG;
	first = activation_first();
	return fcntl(first, F_SETFD, FD_CLOEXEC) ? -errno : first;
}

int activation_take(void)
{
	int ret = passed();

	unsetenv(ACTIVATION_FIRST);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ret;
}

static void set_number(const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	setenv(name, text, 1);
}

void activation_give(int fd, bool by_parent)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
	if (by_parent)
		set_number(ACTIVATION_FIRST, fd < 0 ? FIRST_FD : fd);
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", fd >= 0);
	setenv("LISTEN_FDNAMES", fd < 0 ? "" : "socket", 1);
}
