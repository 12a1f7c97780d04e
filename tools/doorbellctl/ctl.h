/* SPDX-License-Identifier: GPL-2.0 */
/* ctl - what the subcommands of doorbellctl share */
#ifndef DOORBELLCTL_CTL_H
#define DOORBELLCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#define CTL_OK		0
#define CTL_FAILED	1
#define CTL_USAGE	2

struct ctl_options {
	const char	*proc;
	bool		 json;
	bool		 has_id;
	uint64_t	 id;
	uint64_t	 count;		/* 0: no end */
	double		 interval;	/* in seconds */
	const char	*ivshmem_socket; /* NULL: serve no bells, list them */
	unsigned int	 vectors;
	uint32_t	 mode;		/* enum vhost_doorbell_bell_mode */
	uint64_t	 shm_size;	/* in bytes */
	bool		 watch;
	int		 num_settings;
	char		**setting;	/* "NAME=VALUE" */
};

struct scan;
struct scan_dev;

/* Each prints what it has to say and returns a CTL_* exit status. */
int cmd_list(const struct ctl_options *o);
int cmd_show(const struct ctl_options *o);
int cmd_watch(const struct ctl_options *o);
int cmd_resize(const struct ctl_options *o);
int cmd_set(const struct ctl_options *o);
int cmd_bell(const struct ctl_options *o);
int cmd_doctor(const struct ctl_options *o);

/* Complains on stderr: "doorbellctl: @what: strerror(-@err)". CTL_FAILED. */
int ctl_fail(const char *what, int err);
/* CTL_FAILED if standard output took not all of it: a full disk is no ok. */
int ctl_finish(void);
/* As scan_run(), and says on stderr what devices could not be looked at. */
int ctl_scan(const struct ctl_options *o, struct scan *scan);
/* The same for bells. */
int ctl_scan_bells(const struct ctl_options *o, struct scan *scan);
/*
 * Calls @fn for the device that is asked for, or for each. CTL_OK, or what of
 * @fn's exit statuses was not.
 */
int ctl_each(const struct ctl_options *o,
	     int (*fn)(const struct ctl_options *o,
		       const struct scan_dev *dev));

#endif
