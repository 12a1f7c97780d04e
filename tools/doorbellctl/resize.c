// SPDX-License-Identifier: GPL-2.0
/*
 * resize - have guests learn the size that their disks have now
 *
 * Only a device's owner may look at its disk again: the daemon does, on SIGHUP.
 * Whatever else holds a device would be ended by that signal.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "ctl.h"
#include "fd.h"
#include "scan.h"

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
	/* An upgraded one has " (deleted)" behind it. */
	return name && !strncmp(name + 1, DAEMON, strlen(DAEMON)) &&
	       (!name[1 + strlen(DAEMON)] || name[1 + strlen(DAEMON)] == ' ');
}

/* By a descriptor: it must be the process that was looked at. */
static int ask(const struct ctl_options *o, pid_t pid)
{
	_cleanup_fd_ int fd = pidfd_open(pid, 0);

	if (fd < 0)
		return -errno;
	if (!is_daemon(o, pid))
		return -ESRCH;
	return pidfd_send_signal(fd, SIGHUP, NULL, 0) ? -errno : 0;
}

static int resize(const struct ctl_options *o, const struct scan_dev *dev)
{
	int ret = -ESRCH;

	/* Of all devices, those that can have a size are meant. */
	if (fdinfo_is_net(&dev->info) && !o->has_id)
		return CTL_OK;
	for (size_t i = 0; i < dev->num_holders && ret; i++)
		ret = ask(o, dev->holder[i].pid);
	if (!ret)
		return CTL_OK;
	fprintf(stderr, "doorbellctl: device %" PRIu64 ": %s\n", dev->info.id,
		ret == -ESRCH ? "no " DAEMON " has it" : strerror(-ret));
	return CTL_FAILED;
}

int cmd_resize(const struct ctl_options *o)
{
	return ctl_each(o, resize);
}
