// SPDX-License-Identifier: GPL-2.0
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"
#define CGROUP_PATH_MAX	4096

/* The line "0::/path" of /proc/self/cgroup is the one of version 2. */
static int cgroup_self(char *path, size_t size)
{
	char line[CGROUP_PATH_MAX];
	int ret = -ENOENT;
	FILE *f;

	f = fopen("/proc/self/cgroup", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::/", 4))
			continue;
		line[strcspn(line, "\n")] = '\0';
		ret = 0;
		if (snprintf(path, size, "%s", line + 3) >= (int)size)
			ret = -ENAMETOOLONG;
		break;
	}
	fclose(f);
	return ret;
}

static int cgroup_write(const char *path, const char *file, pid_t pid)
{
	char name[CGROUP_PATH_MAX + 64], text[32];
	_cleanup_fd_ int fd = -1;
	int len;

	snprintf(name, sizeof(name), CGROUP_ROOT "%s/%s", path, file);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%d\n", (int)pid);
	return write(fd, text, len) < 0 ? -errno : 0;
}

int cgroup_adopt(pid_t pid)
{
	char path[CGROUP_PATH_MAX];
	int ret;

	ret = cgroup_self(path, sizeof(path));
	/* In the root cgroup there is nothing to gain: the thread is there. */
	if (ret || !strcmp(path, "/"))
		return ret;
	/* A threaded cgroup takes no whole processes, others no threads. */
	ret = cgroup_write(path, "cgroup.procs", pid);
	if (ret == -EOPNOTSUPP)
		ret = cgroup_write(path, "cgroup.threads", pid);
	return ret;
}
