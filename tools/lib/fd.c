// SPDX-License-Identifier: GPL-2.0
#include "fd.h"

#include <errno.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void fd_cleanup(int *fd)
{
	fd_close(fd);
}

int steal_fd(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}
