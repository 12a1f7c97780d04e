/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scan - find devices and bells in use, by the files that processes have open
 *
 * A device is an open file, and so is a bell; there is no list of them but
 * /proc. One that several descriptors refer to (after fork, or kept by a
 * service manager too) is found once, with all its holders.
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
	char			 tap[16];	/* that a holder has open, or "" */
	size_t			 num_holders;
	struct scan_holder	*holder;	/* the first: of lowest pid > 1 */
};

struct scan_bell {
	struct fdinfo_bell	 info;
	size_t			 num_holders;
	struct scan_holder	*holder;	/* as above */
};

struct scan {
	size_t		  num_devs;
	struct scan_dev	**dev;		/* by ascending id */
	size_t		  num_bells;
	struct scan_bell **bell;	/* by ascending id */
	size_t		  num_hidden;	/* processes that we may not look at */
	size_t		  num_bad;	/* devices that cannot be understood */
	size_t		  num_bad_bells;
};

/* @proc: where procfs is mounted. Returns 0 or -errno. */
int scan_run(const char *proc, struct scan *scan);
void scan_free(struct scan *scan);
/* NULL if there is none with this @id. */
struct scan_dev *scan_find(const struct scan *scan, uint64_t id);

#endif
