/* SPDX-License-Identifier: GPL-2.0 */
/* ctl - options and helpers for all subcommands of doorbellctl */
#ifndef DOORBELLCTL_CTL_H
#define DOORBELLCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_PROGRAM	"doorbellctl"

#define CTL_OK		0
#define CTL_FAILED	1
#define CTL_USAGE	2
#define CTL_NO_DEVICE	3	/* no device has this name, or several have */

struct ctl_options {
	const char	*proc;
	bool		 json;
	bool		 all;
	const char	*device;	/* name of a device; NULL: all devices */
	uint64_t	 count;		/* number of outputs; 0: until killed */
	uint64_t	 interval;	/* in nanoseconds */
	const char	*sort;		/* column of top; NULL: the default */
	/* Socket of the subcommand metrics; NULL: standard output */
	const char	*socket;
	const char	*ivshmem_socket; /* NULL: list bells instead of serving new ones */
	unsigned int	 vectors;
	uint32_t	 mode;		/* enum vhost_doorbell_bell_mode */
	uint64_t	 shm_size;	/* in bytes */
	bool		 watch;
	int		 num_settings;
	char		**setting;	/* "NAME=VALUE" */
};

struct json;
struct scan;
struct scan_dev;

/* Each prints its result and returns a CTL_* exit status. */
int cmd_list(const struct ctl_options *o);
int cmd_show(const struct ctl_options *o);
int cmd_top(const struct ctl_options *o);
int cmd_latency(const struct ctl_options *o);
int cmd_watch(const struct ctl_options *o);
int cmd_events(const struct ctl_options *o);
int cmd_metrics(const struct ctl_options *o);
int cmd_resize(const struct ctl_options *o);
int cmd_set(const struct ctl_options *o);
int cmd_bell(const struct ctl_options *o);
int cmd_doctor(const struct ctl_options *o);

/*
 * Prints "doorbellctl: @what: strerror(-@err)" on stderr. Returns CTL_FAILED.
 */
int ctl_fail(const char *what, int err);
/* Prints "doorbellctl: @what: @why" on stderr. Returns CTL_USAGE. */
int ctl_complain(const char *what, const char *why);
/*
 * Returns CTL_FAILED if not all output was written, for example to a full disk.
 */
int ctl_finish(void);
/* Ends @j, which writes to standard output. Returns as ctl_finish(). */
int ctl_end_json(struct json *j);
/* Sleeps for @o's interval. */
void ctl_wait(const struct ctl_options *o);

/* As scan_run(). Reports on stderr the devices that it could not examine. */
int ctl_scan(const struct ctl_options *o, struct scan *scan);
/* As ctl_scan(). Reports on stderr the bells that it could not examine. */
int ctl_scan_bells(const struct ctl_options *o, struct scan *scan);

#endif
