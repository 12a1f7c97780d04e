// SPDX-License-Identifier: GPL-2.0
/*
 * set - change how the queues of running devices are served
 *
 * It uses the device's own descriptor, taken from the process that holds it.
 * That requires the right to trace the process (see ptrace(2)), which root has.
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
#include "optparse.h"
#include "scan.h"
#include "select.h"
#include "vhd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define OPTPARSE_TYPE	struct vhost_doorbell_exec

static const struct optparse_row settings[] = {
	OPT_CHOICE("mode", mode, VHD_MODE_WORDS, NULL),
	OPT_NUMBER("inline-max", inline_max, "N", 1, 65535, NULL),
	OPT_NUMBER("budget", budget, "N", 1, 65535, NULL),
	OPT_NUMBER("poll-us", poll_us, "N", 1, VHOST_DOORBELL_MAX_POLL_US, NULL),
	OPT_NUMBER("poll-share", poll_share, "PERCENT", 1, 100, NULL),
	OPT_NUMBER("coalesce-us", coalesce_us, "N", 0,
		   VHOST_DOORBELL_MAX_COALESCE_US, NULL),
	OPT_NUMBER("coalesce-count", coalesce_count, "N", 1, 65535, NULL),
};

/*
 * Applies a setting "NAME=VALUE" to @e. Returns 0, or -EINVAL after a message.
 */
static int apply(struct vhost_doorbell_exec *e, char *setting)
{
	const struct optparse_table table = { settings, ARRAY_SIZE(settings), e };
	struct optparse p = {
		.program = CTL_PROGRAM, .table = &table, .num_tables = 1,
	};
	char *equals = strchr(setting, '=');
	int ret;

	if (!equals)
		return optparse_complain(p.program, setting, "not NAME=VALUE");
	*equals = '\0';
	ret = optparse_set(&p, setting, equals + 1);
	*equals = '=';
	return ret;
}

static int check(const struct ctl_options *o)
{
	struct vhost_doorbell_exec unused;

	if (!o->num_settings)
		return ctl_complain("set", "NAME=VALUE is missing");
	if (!o->device && !o->all)
		return ctl_complain("set", "name a device (see list), or give --all");
	if (o->device && o->all)
		return ctl_complain("set", "a device or --all, not both");
	for (int i = 0; i < o->num_settings; i++)
		if (apply(&unused, o->setting[i]))
			return CTL_USAGE;
	return CTL_OK;
}

/*
 * Takes the holder's descriptor as *@fd, and checks that it still is device
 * @id.
 */
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

static int set_one(const struct ctl_options *o, const struct scan_dev *dev,
		   char *why, size_t size)
{
	struct vhost_doorbell_exec e;
	_cleanup_fd_ int fd = -1;
	const char *hint = "";
	int ret;

	/* While the device stops, these calls would wait for the disk, too. */
	if (dev->info.activity == FDINFO_STOPPING) {
		describe_activity(&dev->info, why, size);
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
	snprintf(why, size, "%s%s", strerror(-ret), hint);
	return ret ? CTL_FAILED : CTL_OK;
}

int cmd_set(const struct ctl_options *o)
{
	int ret = check(o);

	return ret ? ret : select_each(o, set_one);
}
