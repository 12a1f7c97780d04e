// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include "ctl.h"
#include "ivshmem.h"
#include "optparse.h"
#include "vhd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SECOND		1000000000ull
#define SHM_SIZE_MIN	4096
#define SHM_SIZE_MAX	(1ull << 40)

#define OPTPARSE_TYPE	struct ctl_options

static const struct optparse_row rows[] = {
	OPT_FLAG("all", all, "all devices", .letter = 'a', .group = TAKES_ALL),
	OPT_NUMBER("count", count, "N", 1, UINT64_MAX, "stop after N intervals",
		   .letter = 'n', .group = TAKES_TIME),
	OPT_SECONDS("interval", interval, SECOND / 100, 86400 * SECOND,
		    "time between two looks (1)",
		    .letter = 'i', .group = TAKES_TIME),
	OPT_STRING("sort", sort, "COLUMN",
		   "id, requests, bytes, latency, p99, flight, errors (requests)",
		   .letter = 's', .group = TAKES_SORT),
	OPT_STRING("socket", socket, "PATH",
		   "serve on this Unix socket, until SIGTERM", .group = TAKES_SOCKET),
	OPT_STRING("ivshmem-socket", ivshmem_socket, "PATH",
		   "serve bells to QEMU on this socket", .group = TAKES_IVSHMEM),
	OPT_NUMBER("vectors", vectors, "N", 1, IVSHMEM_MAX_VECTORS,
		   "so many bells, 1 to 256 (1)", .group = TAKES_BELLS),
	OPT_CHOICE("mode", mode, VHD_BELL_MODE_WORDS, "of those (hook)",
		   .group = TAKES_BELLS),
	OPT_SIZE("shm-size", shm_size, "BYTES", SHM_SIZE_MIN, SHM_SIZE_MAX,
		 "shared memory, a power of 2, perhaps with k, M or G (4k)",
		 .power_of_2 = true, .group = TAKES_BELLS),
	OPT_FLAG("watch", watch, "print counters that move", .group = TAKES_BELLS),
	OPT_FLAG("json", json, "for programs: JSON", .letter = 'j'),
	OPT_STRING("proc", proc, "DIR", "where procfs is mounted (/proc)"),
};

#undef OPTPARSE_TYPE
#define OPTPARSE_TYPE	struct options_given

static const struct optparse_row general[] = {
	OPT_FLAG("help", help, "print this", .letter = 'h'),
	OPT_FLAG("version", version, "print the version", .letter = 'V'),
};

int options_parse(int argc, char **argv, struct ctl_options *o,
		  struct options_given *given)
{
	const struct optparse_table tables[] = {
		{ rows, ARRAY_SIZE(rows), o },
		{ general, ARRAY_SIZE(general), given },
	};
	struct optparse p = {
		.program = CTL_PROGRAM,
		.table = tables,
		.num_tables = ARRAY_SIZE(tables),
	};
	int ret = optparse_run(&p, argc, argv, &given->first);

	given->takes = p.given;
	return ret ? CTL_USAGE : CTL_OK;
}

const char *options_name(unsigned int takes)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].group & takes)
			return rows[i].name;
	return "?";
}

void options_help(FILE *to, unsigned int takes)
{
	const struct optparse_table tables[] = {
		{ rows, ARRAY_SIZE(rows), NULL },
		{ general, ARRAY_SIZE(general), NULL },
	};
	const struct optparse p = {
		.table = tables, .num_tables = ARRAY_SIZE(tables),
	};

	optparse_help(&p, to, takes);
}
