// SPDX-License-Identifier: GPL-2.0
/*
 * bell - list the bells in use, one per line; or serve new ones, see
 * bell_serve.c
 */
#include "bell.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "scan.h"
#include "vhd.h"

static void json_bell(struct json *j, const struct scan_bell *bell)
{
	json_object(j, NULL);
	json_u64(j, "id", bell->info.id);
	json_i64(j, "pid", bell->holder->pid);
	json_str(j, "command", bell->holder->comm);
	json_str(j, "mode", vhd_bell_mode_name(bell->info.mode));
	for (const struct fdinfo_field *f = fdinfo_bell_fields; f->name; f++)
		json_u64(j, f->name, fdinfo_get(f, &bell->info.stats));
	describe_json_holders(j, bell->holder, bell->num_holders);
	json_object_end(j);
}

static int bell_json(const struct scan *scan)
{
	struct json j;
	int ret;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "bells");
	for (size_t i = 0; i < scan->num_bells; i++)
		json_bell(&j, scan->bell[i]);
	json_array_end(&j);
	json_object_end(&j);
	ret = json_end(&j);
	return ret ? ctl_fail("standard output", ret) : CTL_OK;
}

static int bell_text(const struct scan *scan)
{
	printf("%-5s %-8s %-16s %-6s %5s %12s %12s %9s\n", "ID", "PID",
	       "COMMAND", "MODE", "WIRES", "COUNT", "RINGS", "MEAN-US");
	for (size_t i = 0; i < scan->num_bells; i++) {
		const struct scan_bell *bell = scan->bell[i];
		const struct vhost_doorbell_bell_stats *st = &bell->info.stats;
		char comm[sizeof(bell->holder->comm)], mean[32] = "-";

		if (st->samples)
			snprintf(mean, sizeof(mean), "%.3f",
				 (double)st->sum_ns / st->samples / 1000);
		printf("%-5" PRIu64 " %-8d %-16s %-6s %5" PRIu64 " %12" PRIu64
		       " %12" PRIu64 " %9s\n",
		       bell->info.id, (int)bell->holder->pid,
		       describe_text(bell->holder->comm, comm, sizeof(comm)),
		       vhd_bell_mode_name(bell->info.mode), (uint64_t)st->wires,
		       (uint64_t)st->count, (uint64_t)st->rings, mean);
	}
	return ctl_finish();
}

int cmd_bell(const struct ctl_options *o)
{
	struct scan scan;
	int ret;

	if (o->ivshmem_socket)
		return bell_serve(o);
	ret = ctl_scan_bells(o, &scan);
	if (ret)
		return ctl_fail(o->proc, ret);
	ret = o->json ? bell_json(&scan) : bell_text(&scan);
	scan_free(&scan);
	return ret;
}
