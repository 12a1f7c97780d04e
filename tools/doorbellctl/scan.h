/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scan - find devices and bells in use, by the open files of all processes
 *
 * A device is an open file, and so is a bell; they are listed only in /proc. A
 * file that several descriptors refer to (after fork, or stored by a service
 * manager) is found once, with all its holders.
 */
#ifndef DOORBELLCTL_SCAN_H
#define DOORBELLCTL_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fdinfo.h"

struct scan_holder {
	pid_t	pid;
	int	fd;
	char	comm[32];
};

struct scan_dev {
	struct fdinfo		 info;
	char			 tap[16];	/* tap that a holder has open, or "" */
	/*
	 * Instance of the daemon's unit, such as "vhost-doorbell-blk@NAME", or
	 * ""
	 */
	char			 unit[128];
	/* Path of the daemon's Unix socket, or "" */
	char			 socket[PATH_MAX];
	size_t			 num_holders;
	struct scan_holder	*holder;	/* the first one has the lowest pid above 1 */
};

struct scan_bell {
	struct fdinfo_bell	 info;
	size_t			 num_holders;
	struct scan_holder	*holder;	/* ordered as above */
};

struct scan {
	size_t		  num_devs;
	struct scan_dev	**dev;		/* by ascending id */
	size_t		  num_bells;
	struct scan_bell **bell;	/* by ascending id */
	size_t		  num_hidden;	/* processes that we may not inspect */
	size_t		  num_bad;	/* devices whose fdinfo cannot be parsed */
	size_t		  num_bad_bells;
};

/* @proc: where procfs is mounted. Returns 0 or -errno. */
int scan_run(const char *proc, struct scan *scan);
void scan_free(struct scan *scan);
/*
 * Finds a systemd instance in @text, the content of /proc/PID/cgroup: for
 * vhost-doorbell-blk@NAME.service writes "vhost-doorbell-blk@NAME" to @to; ""
 * if there is none or it does not fit.
 */
void scan_parse_unit(const char *text, char *to, size_t size);
/* Returns NULL if no device has this @id. */
struct scan_dev *scan_find(const struct scan *scan, uint64_t id);

#endif
