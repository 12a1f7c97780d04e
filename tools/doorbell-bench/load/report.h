/* SPDX-License-Identifier: GPL-2.0 */
/* report - print the results of a run, for people or as JSON */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "hist.h"
#include "run.h"

struct report {
	struct lane_stats	sum;
	struct hist		hist;
	double			seconds;
	double			iops;
	double			bytes_per_second;
	uint64_t		errors;
};

void report_make(struct report *p, const struct run *r);
void report_print(const struct report *p, const struct run *r);
bool report_good(const struct report *p);

#endif
