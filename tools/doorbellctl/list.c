// SPDX-License-Identifier: GPL-2.0
/* list - the devices in use, one per line */
#include <inttypes.h>
#include <stdio.h>

#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "scan.h"
#include "vhd.h"

static int list_json(const struct scan *scan)
{
	struct json j;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "devices");
	for (size_t i = 0; i < scan->num_devs; i++) {
		json_object(&j, NULL);
		describe_json_head(&j, scan->dev[i]);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	return ctl_end_json(&j);
}

static void list_one(const struct scan_dev *dev)
{
	const struct fdinfo *info = &dev->info;
	char comm[sizeof(dev->holder->comm)], text[PATH_MAX], activity[64];

	describe_activity(info, activity, sizeof(activity));
	printf("%-5" PRIu64 " %-8d %-16s ", info->id, (int)dev->holder->pid,
	       describe_text(dev->holder->comm, comm, sizeof(comm)));
	if (info->complete)
		printf("%-7s %6u %12" PRIu64 "  %s%s",
		       vhd_mode_name(info->exec.mode), info->num_queues,
		       fdinfo_sum(info, requests),
		       fdinfo_is_net(info) ?
		       describe_port(dev, text, sizeof(text)) :
		       *info->disk ? describe_text(info->disk, text,
						   sizeof(text)) : "-",
		       info->read_only ? " (read-only)" : "");
	else
		printf("%-7s %6s %12s  %s", "?", "?", "?", "?");
	printf("%s%s%s\n", *activity ? " (" : "", activity,
	       *activity ? ")" : "");
}

static int list_text(const struct scan *scan)
{
	printf("%-5s %-8s %-16s %-7s %6s %12s  %s\n", "ID", "PID", "COMMAND",
	       "MODE", "QUEUES", "REQUESTS", "DISK OR PORT");
	for (size_t i = 0; i < scan->num_devs; i++)
		list_one(scan->dev[i]);
	return ctl_finish();
}

int cmd_list(const struct ctl_options *o)
{
	struct scan scan;
	int ret = ctl_scan(o, &scan);

	if (ret)
		return ctl_fail(o->proc, ret);
	ret = o->json ? list_json(&scan) : list_text(&scan);
	scan_free(&scan);
	return ret;
}
