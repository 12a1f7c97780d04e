// SPDX-License-Identifier: GPL-2.0
/*
 * doorbellctl - look at and tend the vhost-doorbell devices of this machine
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ivshmem.h"
#include "scan.h"
#include "version.h"
#include "vhd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SHM_SIZE_MIN	4096ull
#define SHM_SIZE_MAX	(1ull << 40)

enum {
	TAKES_ID	= 1 << 0,
	TAKES_TIME	= 1 << 1,
	TAKES_SOCKET	= 1 << 2,
	TAKES_BELLS	= 1 << 3,
	TAKES_SETTINGS	= 1 << 4,
};

struct subcommand {
	const char	*name;
	int		(*fn)(const struct ctl_options *o);
	unsigned int	 takes;
	const char	*args;
	const char	*help;
};

static const struct subcommand subcommands[] = {
	{ "list",   cmd_list,   0,        "",     "the devices in use, one per line" },
	{ "show",   cmd_show,   TAKES_ID, "[ID]", "all that is known of each device" },
	{ "watch",  cmd_watch,  TAKES_ID | TAKES_TIME,
	  "[ID]", "rates of each device, every second" },
	{ "resize", cmd_resize, TAKES_ID, "[ID]", "tell guests the size of their disks now" },
	{ "set",    cmd_set,    TAKES_ID | TAKES_SETTINGS,
	  "[ID] NAME=VALUE...",
	  "how queues are served, such as mode=worker" },
	{ "bell",   cmd_bell,   TAKES_SOCKET | TAKES_BELLS,
	  "",     "the bells in use, or some for QEMU's ivshmem-doorbell" },
	{ "doctor", cmd_doctor, 0,        "",     "is this machine fit? if not, what to do" },
};

enum {
	OPT_PROC = 256,
	OPT_JSON,
	OPT_COUNT,
	OPT_INTERVAL,
	OPT_IVSHMEM_SOCKET,
	OPT_VECTORS,
	OPT_MODE,
	OPT_SHM_SIZE,
	OPT_WATCH,
	OPT_VERSION,
};

static const struct option longopts[] = {
	{ "json",	no_argument,		NULL, OPT_JSON },
	{ "count",	required_argument,	NULL, OPT_COUNT },
	{ "interval",	required_argument,	NULL, OPT_INTERVAL },
	{ "ivshmem-socket", required_argument,	NULL, OPT_IVSHMEM_SOCKET },
	{ "vectors",	required_argument,	NULL, OPT_VECTORS },
	{ "mode",	required_argument,	NULL, OPT_MODE },
	{ "shm-size",	required_argument,	NULL, OPT_SHM_SIZE },
	{ "watch",	no_argument,		NULL, OPT_WATCH },
	{ "proc",	required_argument,	NULL, OPT_PROC },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fprintf(to, "usage: doorbellctl [OPTION]... SUBCOMMAND [ID]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(to, "  %-6s %-5s %s\n", subcommands[i].name,
			subcommands[i].args, subcommands[i].help);
	fprintf(to,
		"\n"
		"  --json                 for programs: JSON\n"
		"  --count N              watch: stop after N lines of each device\n"
		"  --interval SECONDS     watch: time between two lines (1)\n"
		"  --ivshmem-socket PATH  bell: serve bells to QEMU on this socket\n"
		"  --vectors N            so many bells, 1 to 256 (1)\n"
		"  --mode MODE            of those: hook, worker or inline (hook)\n"
		"  --shm-size BYTES       shared memory, a power of 2 (4096)\n"
		"  --watch                print counters that move\n"
		"  --proc DIR             where procfs is mounted (/proc)\n"
		"  -h, --help             print this\n"
		"  --version              print the version\n");
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "doorbellctl: %s: %s\n", what, why);
	return CTL_USAGE;
}

int ctl_fail(const char *what, int err)
{
	fprintf(stderr, "doorbellctl: %s: %s\n", what, strerror(-err));
	return CTL_FAILED;
}

int ctl_finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		return ctl_fail("standard output", -errno);
	return CTL_OK;
}

/* @num of @scan: how many @what could not be understood. */
static int scan_all(const struct ctl_options *o, struct scan *scan,
		    const size_t *num, const char *what)
{
	int ret = scan_run(o->proc, scan);

	if (ret)
		return ret;
	if (scan->num_hidden && geteuid())
		fprintf(stderr,
			"doorbellctl: %zu processes of other users not looked at, root can\n",
			scan->num_hidden);
	if (*num)
		fprintf(stderr,
			"doorbellctl: %zu %s left out: not this version's fdinfo\n",
			*num, what);
	return 0;
}

int ctl_scan(const struct ctl_options *o, struct scan *scan)
{
	return scan_all(o, scan, &scan->num_bad, "devices");
}

int ctl_scan_bells(const struct ctl_options *o, struct scan *scan)
{
	return scan_all(o, scan, &scan->num_bad_bells, "bells");
}

int ctl_each(const struct ctl_options *o,
	     int (*fn)(const struct ctl_options *o,
		       const struct scan_dev *dev))
{
	struct scan scan;
	int ret = ctl_scan(o, &scan);

	if (ret)
		return ctl_fail(o->proc, ret);
	if (o->has_id && !scan_find(&scan, o->id)) {
		fprintf(stderr, "doorbellctl: no device %" PRIu64 "\n", o->id);
		ret = CTL_FAILED;
	}
	for (size_t i = 0; i < scan.num_devs; i++)
		if (!o->has_id || scan.dev[i]->info.id == o->id)
			ret |= fn(o, scan.dev[i]);
	scan_free(&scan);
	return ret;
}

static int parse_count(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno || *end || *text < '0' || *text > '9' ? -EINVAL : 0;
}

static int parse_interval(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end == text || *end || !(*value >= 0.01 && *value <= 86400) ?
	       -EINVAL : 0;
}

/* As below; @given gets a TAKES_* bit. */
static int parse_time(int c, struct ctl_options *o, unsigned int *given)
{
	*given |= TAKES_TIME;
	if (c == OPT_COUNT) {
		if (parse_count(optarg, &o->count) || !o->count)
			return complain("--count", "a number from 1 on is wanted");
	} else if (parse_interval(optarg, &o->interval)) {
		return complain("--interval", "0.01 to 86400 seconds are possible");
	}
	return -1;
}

static int parse_bells(int c, struct ctl_options *o, unsigned int *given)
{
	uint64_t number;
	int mode;

	*given |= TAKES_BELLS;
	switch (c) {
	case OPT_VECTORS:
		if (parse_count(optarg, &number) || !number ||
		    number > IVSHMEM_MAX_VECTORS)
			return complain("--vectors", "1 to 256 are possible");
		o->vectors = number;
		return -1;
	case OPT_MODE:
		mode = vhd_bell_mode_parse(optarg);
		if (mode < 0)
			return complain("--mode", "hook, worker and inline are possible");
		o->mode = mode;
		return -1;
	case OPT_SHM_SIZE:
		if (parse_count(optarg, &number) || number < SHM_SIZE_MIN ||
		    number > SHM_SIZE_MAX || number & (number - 1))
			return complain("--shm-size", "a power of 2 from 4096 to 2^40 is wanted");
		o->shm_size = number;
		return -1;
	case OPT_WATCH:
		o->watch = true;
		return -1;
	}
	return CTL_USAGE;
}

/* The status to exit with, or -1: go on. @given gets TAKES_* bits. */
static int parse_options(int argc, char **argv, struct ctl_options *o,
			 unsigned int *given)
{
	int c, ret = -1;

	while (ret < 0 && (c = getopt_long(argc, argv, "h", longopts,
					   NULL)) != -1) {
		switch (c) {
		case 'h':
			usage(stdout);
			return ctl_finish();
		case OPT_VERSION:
			printf("doorbellctl %s\n", VHOST_DOORBELL_VERSION);
			return ctl_finish();
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_PROC:
			o->proc = optarg;
			break;
		case OPT_COUNT:
		case OPT_INTERVAL:
			ret = parse_time(c, o, given);
			break;
		case OPT_IVSHMEM_SOCKET:
			*given |= TAKES_SOCKET;
			o->ivshmem_socket = optarg;
			break;
		default:
			ret = parse_bells(c, o, given);
		}
	}
	return ret;
}

static int check_given(const struct subcommand *sub, unsigned int given)
{
	unsigned int excess = given & ~sub->takes;

	if (excess & TAKES_TIME)
		return complain(sub->name, "--count and --interval are for watch");
	if (excess & TAKES_SOCKET)
		return complain(sub->name, "--ivshmem-socket is for bell");
	if (given & TAKES_BELLS && !(given & TAKES_SOCKET))
		return complain(sub->name,
				"--vectors, --mode, --shm-size and --watch go with --ivshmem-socket");
	return -1;
}

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct ctl_options o = {
		.proc = "/proc",
		.interval = 1,
		.vectors = 1,
		.mode = VHOST_DOORBELL_BELL_HOOK,
		.shm_size = SHM_SIZE_MIN,
	};
	const struct subcommand *sub;
	unsigned int given = 0;
	int ret = parse_options(argc, argv, &o, &given);

	if (ret >= 0)
		return ret;
	if (optind == argc) {
		usage(stderr);
		return CTL_USAGE;
	}
	sub = find_subcommand(argv[optind]);
	if (!sub)
		return complain(argv[optind], "no such subcommand, see --help");
	ret = check_given(sub, given);
	if (ret >= 0)
		return ret;
	if (++optind < argc && sub->takes & TAKES_ID &&
	    !(sub->takes & TAKES_SETTINGS && strchr(argv[optind], '='))) {
		if (parse_count(argv[optind], &o.id))
			return complain(argv[optind], "not a device id, see list");
		o.has_id = true;
		optind++;
	}
	if (sub->takes & TAKES_SETTINGS) {
		o.num_settings = argc - optind;
		o.setting = argv + optind;
		return sub->fn(&o);
	}
	if (optind < argc)
		return complain(argv[optind], "one argument too many");
	return sub->fn(&o);
}
