/* SPDX-License-Identifier: GPL-2.0 */
/* metrics - the parts of the subcommand metrics */
#ifndef DOORBELLCTL_METRICS_H
#define DOORBELLCTL_METRICS_H

#include <stdio.h>

struct ctl_options;
struct scan;

/* Writes the counters of all devices in OpenMetrics text format 1.0. */
void metrics_write(FILE *out, const struct scan *scan);
/* Writes @text to @out as an OpenMetrics label value, in quotes. */
void metrics_label(FILE *out, const char *text);
/* Serves the metrics to clients of @o's socket. Returns a CTL_* exit status. */
int metrics_serve(const struct ctl_options *o);

#endif
