// SPDX-License-Identifier: GPL-2.0
/*
 * doorbellctl - inspect and adjust the vhost-doorbell devices of this machine
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "json.h"
#include "options.h"
#include "optparse.h"
#include "scan.h"
#include "version.h"
#include "vhd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SECOND	1000000000ull

struct subcommand {
	const char	*name;
	int		(*fn)(const struct ctl_options *o);
	unsigned int	 takes;
	const char	*args;
	const char	*help;
};

static const struct subcommand subcommands[] = {
	{ "list", cmd_list, 0, "", "the devices in use, one per line" },
	{ "show", cmd_show, TAKES_DEVICE, "[DEVICE]",
	  "all that is known of each device" },
	{ "top", cmd_top, TAKES_DEVICE | TAKES_TIME | TAKES_SORT, "[DEVICE]",
	  "the queues, the busiest first, every second" },
	{ "latency", cmd_latency, TAKES_DEVICE, "[DEVICE]",
	  "how long requests take, by queue and kind" },
	{ "events", cmd_events, TAKES_DEVICE | TAKES_TIME, "[DEVICE]",
	  "what happens to devices, one per line" },
	{ "metrics", cmd_metrics, TAKES_SOCKET, "",
	  "all counters as OpenMetrics text" },
	{ "watch", cmd_watch, TAKES_DEVICE | TAKES_TIME, "[DEVICE]",
	  "rates of each device, every second" },
	{ "resize", cmd_resize, TAKES_DEVICE, "[DEVICE]",
	  "tell guests the size of their disks now" },
	{ "set", cmd_set, TAKES_DEVICE | TAKES_SETTINGS | TAKES_ALL,
	  "DEVICE|--all NAME=VALUE...",
	  "how queues are served, such as mode=worker" },
	{ "bell", cmd_bell, TAKES_IVSHMEM | TAKES_BELLS, "",
	  "the bells in use, or some for QEMU's ivshmem-doorbell" },
	{ "doctor", cmd_doctor, 0, "", "is this machine fit? if not, what to do" },
};

static void usage(FILE *to)
{
	fprintf(to, "usage: doorbellctl [OPTION]... SUBCOMMAND [DEVICE]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(to, "  %-8s %s\n", subcommands[i].name,
			subcommands[i].help);
	fprintf(to, "  %-8s %s\n\n", "help", "help SUBCOMMAND: its options");
	options_help(to, 0);
	fprintf(to,
		"\n"
		"A DEVICE is named by its number, its disk, its daemon's socket, or the\n"
		"instance of its systemd unit.\n");
}

static void usage_of(const struct subcommand *sub, FILE *to)
{
	fprintf(to, "usage: doorbellctl [OPTION]... %s%s%s\n\n%s\n\n",
		sub->name, *sub->args ? " " : "", sub->args, sub->help);
	options_help(to, sub->takes);
}

int ctl_complain(const char *what, const char *why)
{
	optparse_complain(CTL_PROGRAM, what, why);
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

int ctl_end_json(struct json *j)
{
	int ret = json_end(j);

	return ret ? ctl_fail("standard output", ret) : CTL_OK;
}

void ctl_wait(const struct ctl_options *o)
{
	struct timespec t = {
		.tv_sec = (time_t)(o->interval / SECOND),
		.tv_nsec = (long)(o->interval % SECOND),
	};

	nanosleep(&t, NULL);
}

/*
 * Scans. @num points to a member of @scan, the number of unparsable items;
 * @what is their name.
 */
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

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

static int check_given(const struct subcommand *sub, unsigned int given)
{
	unsigned int excess = given & ~sub->takes;

	if (excess) {
		fprintf(stderr, "doorbellctl: %s has no --%s, see help %s\n",
			sub->name, options_name(excess), sub->name);
		return CTL_USAGE;
	}
	if (given & TAKES_BELLS && !(given & TAKES_IVSHMEM))
		return ctl_complain(sub->name,
				    "--vectors, --mode, --shm-size and --watch go with --ivshmem-socket");
	return CTL_OK;
}

/*
 * Is @arg "NAME=VALUE" and not a device? A path that contains '=' must begin
 * with "/" or ".".
 */
static bool is_setting(const struct subcommand *sub, const char *arg)
{
	return sub->takes & TAKES_SETTINGS && *arg != '/' && *arg != '.' &&
	       strchr(arg, '=');
}

static int run(const struct subcommand *sub, struct ctl_options *o, int argc,
	       char **argv)
{
	if (argc && sub->takes & TAKES_DEVICE && !is_setting(sub, *argv)) {
		if (!**argv)
			return ctl_complain(sub->name, "the name of a device is empty");
		o->device = *argv++;
		argc--;
	}
	if (sub->takes & TAKES_SETTINGS) {
		o->num_settings = argc;
		o->setting = argv;
	} else if (argc) {
		return ctl_complain(*argv, "unexpected argument");
	}
	return sub->fn(o);
}

/*
 * "help [SUBCOMMAND]", "--help [SUBCOMMAND]" and "SUBCOMMAND --help" print the
 * same.
 */
static int help(const char *name)
{
	const struct subcommand *sub = name ? find_subcommand(name) : NULL;

	if (name && !sub)
		return ctl_complain(name, "no such subcommand, see --help");
	if (sub)
		usage_of(sub, stdout);
	else
		usage(stdout);
	return ctl_finish();
}

int main(int argc, char **argv)
{
	struct ctl_options o = {
		.proc = "/proc",
		.interval = SECOND,
		.vectors = 1,
		.mode = VHOST_DOORBELL_BELL_HOOK,
		.shm_size = 4096,
	};
	struct options_given given = { 0 };
	const struct subcommand *sub;
	int ret = options_parse(argc, argv, &o, &given);

	if (ret)
		return ret;
	argv += given.first;
	argc -= given.first;
	if (given.version) {
		printf("doorbellctl %s\n", VHOST_DOORBELL_VERSION);
		return ctl_finish();
	}
	if (argc && !strcmp(*argv, "help")) {
		given.help = true;
		argv++;
		argc--;
	}
	if (given.help)
		return help(argc ? *argv : NULL);
	if (!argc) {
		usage(stderr);
		return CTL_USAGE;
	}
	sub = find_subcommand(*argv);
	if (!sub)
		return ctl_complain(*argv, "no such subcommand, see --help");
	ret = check_given(sub, given.takes);
	return ret ? ret : run(sub, &o, argc - 1, argv + 1);
}
