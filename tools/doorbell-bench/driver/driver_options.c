// SPDX-License-Identifier: GPL-2.0
/*
 * driver_options - options of both emulated drivers, for disks and for network cards
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "driver_options.h"
#include "optparse.h"

#define OPTPARSE_TYPE	struct driver_options

#define ANY UINT64_MAX

static int take_mem(struct optparse *p, void *base, char *value)
{
	static const char * const words[] = {
		[MEM_4K] = "4k", [MEM_SCATTERED] = "scattered",
		[MEM_THP] = "thp", [MEM_HUGETLB] = "hugetlb",
	};
	struct driver_options *o = base;

	if (!strncmp(value, "file:", 5) && value[5]) {
		o->mem_kind = MEM_FILE;
		o->mem_path = value + 5;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], value))
			continue;
		o->mem_kind = (enum mem_kind)i;
		return 0;
	}
	return optparse_refuse(p, "'%s' is not 4k, scattered, thp, hugetlb or file:PATH",
			       value);
}

static const struct optparse_row rows[] = {
	OPT_CHOICE("type", type, "blk|net", "kind of device: a disk or a card (blk)"),
	OPT_STRING("socket", socket, "PATH", "the back end's vhost-user socket"),
	OPT_SIZE("connect-timeout", connect_timeout, "SECONDS", 0, 600,
		 "wait for the socket to appear (10)"),
	OPT_CALL("mem", take_mem, "4k|scattered|thp|hugetlb|file:PATH",
		 "guest memory; a file only for a disk (4k)"),
	OPT_SIZE("regions", regions, "N", 1, MEM_MAX_REGIONS,
		 "guest memory regions, with holes between (2)"),
	OPT_FLAG("no-event-idx", no_event_idx, "do not negotiate EVENT_IDX"),
	OPT_FLAG("no-indirect", no_indirect, "do not negotiate INDIRECT_DESC"),
	OPT_FLAG("legacy", legacy, "do not negotiate VERSION_1"),
	OPT_FLAG("packed", packed, "packed rings, which the device must have"),
	OPT_FLAG("in-order", in_order, "negotiate IN_ORDER, and check the order"),
	OPT_SIZE("queue-size", queue_size, "N", 4, 32768,
		 "entries per queue, a power of 2 if split (128; of a card 256)"),
	OPT_SIZE("count", count, "N", 0, ANY, "stop after N requests or frames"),
	OPT_SIZE("seconds", seconds, "S", 0, 86400,
		 "stop after S seconds (10 if no --count)"),
	OPT_SIZE("seed", seed, "N", 0, ANY, "of all random choices (1)"),
	OPT_FLAG("verify", verify,
		 "write patterns, check every byte that is read or received"),
	OPT_SIZE("watchdog", watchdog, "SECONDS", 1, 3600,
		 "give up after that time without progress (60)"),
	OPT_STRING("hostile", hostile, "NAME|all|random|list",
		   "break the rules and check what happens"),
	OPT_FLAG("json", json, "print one JSON object"),
	OPT_FLAG("help", help, "print this", .letter = 'h'),
};

enum driver_type driver_options_type(int argc, char **argv)
{
	const char *type = optparse_peek(argc, argv, "type");

	return type && !strcmp(type, "net") ? DRIVER_NET : DRIVER_BLK;
}

int driver_options_run(struct driver_options *o, const struct optparse_table *own,
		       int argc, char **argv)
{
	const struct optparse_table tables[] = {
		{ rows, ARRAY_SIZE(rows), o }, *own,
	};
	struct optparse p = {
		.program = BENCH_PROGRAM,
		.table = tables,
		.num_tables = ARRAY_SIZE(tables),
	};

	return optparse_run(&p, argc, argv, NULL);
}

int driver_options_check(const struct driver_options *o)
{
	if (!o->packed && o->queue_size & (o->queue_size - 1))
		return bench_complain("--queue-size", "not a power of 2");
	if (o->packed && o->legacy)
		return bench_complain("--packed", "not for a legacy driver");
	return 0;
}

void driver_options_limit(struct driver_options *o)
{
	if (!o->count && !o->seconds)
		o->seconds = 10;
}

void driver_options_help(void)
{
	const struct optparse_table table = { rows, ARRAY_SIZE(rows), NULL };

	bench_options_help(&table);
}

void driver_options_help_own(const char *intro, const struct optparse_table *own)
{
	printf("\n%s:\n\n", intro);
	bench_options_help(own);
}
