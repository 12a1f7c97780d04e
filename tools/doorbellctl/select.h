/* SPDX-License-Identifier: GPL-2.0 */
/* select - the devices that the command line names */
#ifndef DOORBELLCTL_SELECT_H
#define DOORBELLCTL_SELECT_H

#include <stddef.h>
#include <sys/types.h>

struct ctl_options;
struct scan;
struct scan_dev;

struct selection {
	struct scan_dev	**dev;	/* points into the scan, or to @one */
	size_t		  num;
	/* The device that the user named; otherwise unused */
	struct scan_dev	 *one;
};

/* Returns how many devices have @name; *@one is the last of them. */
size_t select_find(const char *name, const struct scan *scan,
		   struct scan_dev **one);
/*
 * Selects the device that @o names, or all devices. Names of a device are its
 * number, the path of its disk (any path to the same file), the path of its
 * daemon's socket, and the instance of its systemd unit. Prints errors on
 * stderr; returns a CTL_* exit status.
 */
int select_devices(const struct ctl_options *o, const struct scan *scan,
		   struct selection *s);
/*
 * Scans, then selects as select_devices(). On success the caller calls
 * scan_free().
 */
int select_scan(const struct ctl_options *o, struct scan *scan,
		struct selection *s);

/*
 * Calls @fn for each selected device. @fn returns a CTL_* exit status and, on
 * failure, writes the reason to @why. Prints the results on stderr or, with -j,
 * as JSON. Returns CTL_OK, or CTL_FAILED if any call failed.
 */
int select_each(const struct ctl_options *o,
		int (*fn)(const struct ctl_options *o,
			  const struct scan_dev *dev, char *why, size_t size));

#endif
