// SPDX-License-Identifier: GPL-2.0
/*
 * set - change how the queues of running devices are served
 *
 * By the device's own descriptor, borrowed from the process that has it: that
 * takes the right to trace it (see ptrace(2)), which root has.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "ctl.h"
#include "describe.h"
#include "fd.h"
#include "scan.h"
#include "vhd.h"

/* The numbers of struct vhost_doorbell_exec, and what they may be */
static const struct {
	const char	*name;
	size_t		 offset;
	uint32_t	 max;
	uint32_t	 min;
} numbers[] = {
	{ "inline-max", offsetof(struct vhost_doorbell_exec, inline_max), 65535, 1 },
	{ "budget", offsetof(struct vhost_doorbell_exec, budget), 65535, 1 },
	{ "poll-us", offsetof(struct vhost_doorbell_exec, poll_us),
	  VHOST_DOORBELL_MAX_POLL_US, 1 },
	{ "poll-share", offsetof(struct vhost_doorbell_exec, poll_share), 100, 1 },
	{ "coalesce-us", offsetof(struct vhost_doorbell_exec, coalesce_us),
	  VHOST_DOORBELL_MAX_COALESCE_US, 0 },
	{ "coalesce-count", offsetof(struct vhost_doorbell_exec, coalesce_count),
	  65535, 1 },
};

static int set_number(struct vhost_doorbell_exec *e, const char *name,
		      size_t n, const char *value)
{
	unsigned long long v;
	char *end;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strlen(numbers[i].name) != n ||
		    strncmp(numbers[i].name, name, n))
			continue;
		errno = 0;
		v = strtoull(value, &end, 10);
		if (errno || *end || *value < '0' || *value > '9' ||
		    v < numbers[i].min || v > numbers[i].max)
			return -ERANGE;
		*(uint32_t *)((char *)e + numbers[i].offset) = v;
		return 0;
	}
	return -ENOENT;
}

/* "NAME=VALUE" */
static int apply(struct vhost_doorbell_exec *e, const char *setting)
{
	size_t n = strcspn(setting, "=");
	const char *value = setting + n + 1;
	int mode;

	if (!setting[n])
		return -EINVAL;
	if (n != strlen("mode") || strncmp(setting, "mode", n))
		return set_number(e, setting, n, value);
	mode = vhd_mode_parse(value);
	if (mode < 0)
		return -ERANGE;
	e->mode = mode;
	return 0;
}

static int check(const struct ctl_options *o)
{
	struct vhost_doorbell_exec unused;
	const char *why;

	if (!o->num_settings) {
		fprintf(stderr, "doorbellctl: set: NAME=VALUE is missing\n");
		return CTL_USAGE;
	}
	for (int i = 0; i < o->num_settings; i++) {
		switch (apply(&unused, o->setting[i])) {
		case 0:
			continue;
		case -ERANGE:
			why = "not a value of this";
			break;
		case -ENOENT:
			why = "no setting has this name, see doorbellctl(1)";
			break;
		default:
			why = "not NAME=VALUE";
			break;
		}
		fprintf(stderr, "doorbellctl: %s: %s\n", o->setting[i], why);
		return CTL_USAGE;
	}
	return CTL_OK;
}

/* It must be the device that was looked at. */
static int borrow(const struct scan_holder *holder, uint64_t id, int *fd)
{
	_cleanup_fd_ int pidfd = pidfd_open(holder->pid, 0);
	struct vhost_doorbell_info info;
	int ret;

	if (pidfd < 0)
		return -errno;
	*fd = pidfd_getfd(pidfd, holder->fd, 0);
	if (*fd < 0)
		return -errno;
	ret = vhd_get_info(*fd, &info);
	return ret ? ret : info.device_id == id ? 0 : -ESRCH;
}

static int set_one(const struct ctl_options *o, const struct scan_dev *dev)
{
	struct vhost_doorbell_exec e;
	_cleanup_fd_ int fd = -1;
	const char *hint = "";
	char activity[64];
	int ret;

	/* The calls would wait for the disk, too. */
	if (dev->info.activity == FDINFO_STOPPING) {
		describe_activity(&dev->info, activity, sizeof(activity));
		fprintf(stderr, "doorbellctl: device %" PRIu64 ": %s\n",
			dev->info.id, activity);
		return CTL_FAILED;
	}
	ret = borrow(&dev->holder[0], dev->info.id, &fd);
	if (!ret)
		ret = vhd_get_exec(fd, &e);
	for (int i = 0; !ret && i < o->num_settings; i++)
		ret = apply(&e, o->setting[i]);
	if (!ret) {
		ret = vhd_set_exec(fd, &e);
		if (ret == -EPERM && e.mode == VHOST_DOORBELL_MODE_POLL)
			hint = " (mode=poll needs CAP_SYS_NICE)";
	}
	if (!ret)
		return CTL_OK;
	fprintf(stderr, "doorbellctl: device %" PRIu64 ": %s%s\n", dev->info.id,
		strerror(-ret), hint);
	return CTL_FAILED;
}

int cmd_set(const struct ctl_options *o)
{
	int ret = check(o);

	return ret ? ret : ctl_each(o, set_one);
}
