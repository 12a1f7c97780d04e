// SPDX-License-Identifier: GPL-2.0
/*
 * resize - have guests learn the current size of their disks
 *
 * Only a device's owner may read the size of its disk again. The daemon does so
 * on SIGHUP. Any other process that holds the device would be killed by that
 * signal.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "ctl.h"
#include "fd.h"
#include "scan.h"
#include "select.h"

#define DAEMON	"vhost-doorbell-blk"

static bool is_daemon(const struct ctl_options *o, pid_t pid)
{
	char path[PATH_MAX], exe[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%d/exe", o->proc, (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return false;
	exe[n] = 0;
	name = strrchr(exe, '/');
	/* After an upgrade the path ends in " (deleted)". */
	return name && !strncmp(name + 1, DAEMON, strlen(DAEMON)) &&
	       (!name[1 + strlen(DAEMON)] || name[1 + strlen(DAEMON)] == ' ');
}

static pid_t parent_of(const struct ctl_options *o, pid_t pid)
{
	char path[PATH_MAX], line[128];
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d/status", o->proc, (int)pid);
	f = fopen(path, "re");
	while (f && !parent && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) != 1)
			parent = 0;
	if (f)
		fclose(f);
	return parent;
}

/* The parent of --keep replaces its worker at SIGHUP, and reads no size. */
static bool is_parent(const struct ctl_options *o, const struct scan_dev *dev, pid_t pid)
{
	for (size_t i = 0; i < dev->num_holders; i++)
		if (dev->holder[i].pid != pid && parent_of(o, dev->holder[i].pid) == pid)
			return true;
	return false;
}

/*
 * Signals through a pidfd, so that the signal reaches the process that was
 * checked.
 */
static int ask(const struct ctl_options *o, pid_t pid)
{
	_cleanup_fd_ int fd = pidfd_open(pid, 0);

	if (fd < 0)
		return -errno;
	if (!is_daemon(o, pid))
		return -ESRCH;
	return pidfd_send_signal(fd, SIGHUP, NULL, 0) ? -errno : 0;
}

static int resize(const struct ctl_options *o, const struct scan_dev *dev,
		  char *why, size_t size)
{
	int ret = -ESRCH;

	/* Without a named device, skip those that have no size. */
	if (fdinfo_is_net(&dev->info) && !o->device)
		return CTL_OK;
	for (size_t i = 0; i < dev->num_holders && ret; i++)
		if (!is_parent(o, dev, dev->holder[i].pid))
			ret = ask(o, dev->holder[i].pid);
	snprintf(why, size, "%s",
		 ret == -ESRCH ? "no " DAEMON " has it" : strerror(-ret));
	return ret ? CTL_FAILED : CTL_OK;
}

int cmd_resize(const struct ctl_options *o)
{
	return select_each(o, resize);
}
