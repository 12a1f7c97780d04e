// SPDX-License-Identifier: GPL-2.0
/* emulate - play the guest's virtio-blk or virtio-net driver, without a VM */
#include <stdio.h>

#include "ask.h"
#include "bench.h"
#include "hostile.h"
#include "info.h"
#include "net_hostile.h"
#include "net_run.h"
#include "options.h"
#include "report.h"
#include "run.h"

static int emulate_load(const struct options *o)
{
	static struct report report;
	struct run run;
	int ret = run_load(&run, o);

	if (!ret) {
		report_make(&report, &run);
		report_print(&report, &run);
		if (!report_good(&report))
			ret = -1;
	}
	run_destroy(&run);
	return ret ? BENCH_FAILED : BENCH_OK;
}

static int emulate_net(int argc, char **argv)
{
	static struct net_run run;
	struct net_options o;
	int ret;

	if (net_options_parse(&o, argc, argv))
		return BENCH_USAGE;
	if (o.common.help) {
		options_help();
		return BENCH_OK;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (o.common.hostile)
		return net_hostile_run(&o) ? BENCH_FAILED : BENCH_OK;
	ret = net_run(&run, &o);
	if (!ret && !net_report(&run))
		ret = -1;
	net_run_destroy(&run);
	return ret ? BENCH_FAILED : BENCH_OK;
}

int cmd_emulate(int argc, char **argv)
{
	struct options o;
	int ret;

	if (driver_options_type(argc, argv) == DRIVER_NET)
		return emulate_net(argc, argv);
	if (options_parse(&o, argc, argv))
		return BENCH_USAGE;
	if (o.common.help) {
		options_help();
		return BENCH_OK;
	}
	/*
	 * Line-buffered, so that no line is lost if the caller kills us at a
	 * timeout.
	 */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (o.common.hostile)
		ret = hostile_run(&o);
	else if (o.config)
		ret = info_run(&o);
	else if (o.ask || o.get_id)
		ret = ask_run(&o, o.ask ? o.ask : "id");
	else
		return emulate_load(&o);
	return ret ? BENCH_FAILED : BENCH_OK;
}
