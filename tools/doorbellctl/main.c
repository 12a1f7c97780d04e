// SPDX-License-Identifier: GPL-2.0
/*
 * doorbellctl - look at the vhost-doorbell devices of this machine
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "scan.h"
#include "version.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	TAKES_ID	= 1 << 0,
	TAKES_TIME	= 1 << 1,
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
	{ "doctor", cmd_doctor, 0,        "",     "is this machine fit? if not, what to do" },
};

enum { OPT_PROC = 256, OPT_JSON, OPT_COUNT, OPT_INTERVAL, OPT_VERSION };

static const struct option longopts[] = {
	{ "json",	no_argument,		NULL, OPT_JSON },
	{ "count",	required_argument,	NULL, OPT_COUNT },
	{ "interval",	required_argument,	NULL, OPT_INTERVAL },
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
		"  --json              for programs: JSON\n"
		"  --count N           watch: stop after N lines of each device\n"
		"  --interval SECONDS  watch: time between two lines (1)\n"
		"  --proc DIR          where procfs is mounted (/proc)\n"
		"  -h, --help          print this\n"
		"  --version           print the version\n");
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

int ctl_scan(const struct ctl_options *o, struct scan *scan)
{
	int ret = scan_run(o->proc, scan);

	if (ret)
		return ret;
	if (scan->num_hidden && geteuid())
		fprintf(stderr,
			"doorbellctl: %zu processes of other users not looked at, root can\n",
			scan->num_hidden);
	if (scan->num_bad)
		fprintf(stderr,
			"doorbellctl: %zu devices left out: not this version's fdinfo\n",
			scan->num_bad);
	return 0;
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

/* The status to exit with, or -1: go on. */
static int parse_options(int argc, char **argv, struct ctl_options *o,
			 bool *timed)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", longopts, NULL)) != -1) {
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
			*timed = true;
			if (parse_count(optarg, &o->count) || !o->count)
				return complain("--count", "a number from 1 on is wanted");
			break;
		case OPT_INTERVAL:
			*timed = true;
			if (parse_interval(optarg, &o->interval))
				return complain("--interval", "0.01 to 86400 seconds are possible");
			break;
		default:
			return CTL_USAGE;
		}
	}
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
	struct ctl_options o = { .proc = "/proc", .interval = 1 };
	const struct subcommand *sub;
	bool timed = false;
	int ret = parse_options(argc, argv, &o, &timed);

	if (ret >= 0)
		return ret;
	if (optind == argc) {
		usage(stderr);
		return CTL_USAGE;
	}
	sub = find_subcommand(argv[optind]);
	if (!sub)
		return complain(argv[optind], "no such subcommand, see --help");
	if (timed && !(sub->takes & TAKES_TIME))
		return complain(sub->name, "--count and --interval are for watch");
	if (++optind < argc && sub->takes & TAKES_ID) {
		if (parse_count(argv[optind], &o.id))
			return complain(argv[optind], "not a device id, see list");
		o.has_id = true;
		optind++;
	}
	if (optind < argc)
		return complain(argv[optind], "one argument too many");
	return sub->fn(&o);
}
