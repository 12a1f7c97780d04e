// SPDX-License-Identifier: GPL-2.0
/* metrics - all counters as OpenMetrics text, once or for clients of a socket */
#include "metrics.h"

#include "ctl.h"
#include "scan.h"

int cmd_metrics(const struct ctl_options *o)
{
	struct scan scan;
	int ret;

	if (o->json && o->socket)
		return ctl_complain("metrics",
				    "--socket serves OpenMetrics only: leave out --json");
	if (o->json)
		return cmd_show(o);
	if (o->socket)
		return metrics_serve(o);
	ret = ctl_scan(o, &scan);
	if (ret)
		return ctl_fail(o->proc, ret);
	metrics_write(stdout, &scan);
	scan_free(&scan);
	return ctl_finish();
}
