/* SPDX-License-Identifier: GPL-2.0 */
/* moment - the state of the devices at one time, and rates between two moments */
#ifndef DOORBELLCTL_MOMENT_H
#define DOORBELLCTL_MOMENT_H

#include <stdint.h>
#include <time.h>

#include "scan.h"
#include "select.h"

struct ctl_options;

struct moment {
	struct scan		 scan;
	struct selection	 selection;
	struct timespec		 time;	/* CLOCK_MONOTONIC */
};

/*
 * Looks at the devices that @o names. On failure it prints the reason on stderr
 * and returns a CTL_* exit status. On success the caller calls moment_free().
 */
int moment_take(const struct ctl_options *o, struct moment *m);
void moment_free(struct moment *m);
/* Device @i of those that @o names */
const struct scan_dev *moment_dev(const struct moment *m, size_t i);
/* Seconds between two moments */
double moment_elapsed(const struct moment *from, const struct moment *to);
/*
 * The rate per second. 0 if the counter fell: another device has got the
 * number.
 */
double moment_rate(uint64_t before, uint64_t now, double seconds);

#endif
