// SPDX-License-Identifier: GPL-2.0
#include "common_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "log.h"
#include "version.h"
#include "vhd.h"

#define QUEUE_SIZE_MAX	1024u	/* of QEMU's virtio devices */

static const struct option common[] = {
	{ "socket-path",	required_argument, NULL, OPT_SOCKET_PATH },
	{ "fd",			required_argument, NULL, OPT_FD },
	{ "connect",		required_argument, NULL, OPT_CONNECT },
	{ "features",		required_argument, NULL, OPT_FEATURES },
	{ "queue-size",		required_argument, NULL, OPT_QUEUE_SIZE },
	{ "mode",		required_argument, NULL, OPT_MODE },
	{ "poll-us",		required_argument, NULL, OPT_POLL_US },
	{ "poll-share",		required_argument, NULL, OPT_POLL_SHARE },
	{ "coalesce-us",	required_argument, NULL, OPT_COALESCE_US },
	{ "coalesce-count",	required_argument, NULL, OPT_COALESCE_COUNT },
	{ "cpus",		required_argument, NULL, OPT_CPUS },
	{ "device",		required_argument, NULL, OPT_DEVICE },
	{ "verbose",		no_argument, NULL, OPT_VERBOSE },
	{ "print-capabilities",	no_argument, NULL, OPT_PRINT_CAPABILITIES },
	{ "help",		no_argument, NULL, OPT_HELP },
	{ "version",		no_argument, NULL, OPT_VERSION },
};

#define NUM_COMMON	(sizeof(common) / sizeof(common[0]))
#define MAX_OWN		16

static void say_where_help_is(const char *program)
{
	fprintf(stderr, "Try '%s --help'.\n", program);
}

int common_options_usage(const char *program, const char *fmt, const char *arg)
{
	fprintf(stderr, "%s: ", program);
	fprintf(stderr, fmt, arg);
	fprintf(stderr, "\n");
	say_where_help_is(program);
	return EXIT_USAGE;
}

bool common_options_number(const char *text, unsigned int min, unsigned int max,
			   unsigned int *value)
{
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*value = v;
	return true;
}

static int take_queue_size(struct common_options *o, const char *arg)
{
	char fmt[80];

	if (common_options_number(arg, o->queue_size_min, QUEUE_SIZE_MAX,
				  &o->queue_size) &&
	    !(o->queue_size & (o->queue_size - 1)))
		return 0;
	snprintf(fmt, sizeof(fmt),
		 "--queue-size: not a power of 2 from %u to %u: %%s",
		 o->queue_size_min, QUEUE_SIZE_MAX);
	return common_options_usage(o->program, fmt, arg);
}

/* How the queues are served. NULL, or what is wrong with @arg. */
static const char *take_exec(struct vhost_doorbell_exec *e, int opt,
			     const char *arg)
{
	int mode;

	switch (opt) {
	case OPT_MODE:
		mode = vhd_mode_parse(arg);
		if (mode < 0)
			return "--mode: not auto, worker, inline or poll: %s";
		e->mode = mode;
		return NULL;
	case OPT_POLL_US:
		return common_options_number(arg, 1, VHOST_DOORBELL_MAX_POLL_US,
					     &e->poll_us) ? NULL :
		       "--poll-us: not from 1 to 10000: %s";
	case OPT_POLL_SHARE:
		return common_options_number(arg, 1, 100, &e->poll_share) ?
		       NULL : "--poll-share: not from 1 to 100: %s";
	case OPT_COALESCE_US:
		return common_options_number(arg, 0,
					     VHOST_DOORBELL_MAX_COALESCE_US,
					     &e->coalesce_us) ? NULL :
		       "--coalesce-us: not from 0 to 10000: %s";
	default:
		return common_options_number(arg, 1, 65535,
					     &e->coalesce_count) ? NULL :
		       "--coalesce-count: not from 1 to 65535: %s";
	}
}

int common_options_features(const char *program, int ret, const char *at)
{
	const char *fmt;

	switch (ret) {
	case 0:
		return 0;
	case -ENOENT:
		fmt = "--features: unknown: %s";
		break;
	case -EPERM:
		fmt = "--features: cannot be switched: %s";
		break;
	default:
		fmt = "--features: not NAME=on or NAME=off: %s";
	}
	return common_options_usage(program, fmt, at);
}

static int next_option(int argc, char **argv, const struct option *own, size_t n)
{
	struct option all[MAX_OWN + NUM_COMMON + 1] = { 0 };

	if (n > MAX_OWN)
		abort();
	memcpy(all, own, n * sizeof(*own));
	memcpy(all + n, common, sizeof(common));
	return getopt_long(argc, argv, "", all, NULL);
}

int common_options_parse(const char *program, int argc, char **argv,
			 const struct option *own, size_t n,
			 int (*take)(void *options, int opt, char *arg),
			 void *options)
{
	int opt, ret;

	while ((opt = next_option(argc, argv, own, n)) >= 0) {
		ret = take(options, opt, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return common_options_usage(program, "unexpected argument: %s",
					    argv[optind]);
	return 0;
}

int common_options_take(struct common_options *o, int opt, const char *arg)
{
	const char *wrong = NULL;
	unsigned int value = 0;

	switch (opt) {
	case OPT_SOCKET_PATH:
		o->socket_path = arg;
		return 0;
	case OPT_CONNECT:
		o->connect = arg;
		return 0;
	case OPT_FD:
		if (!common_options_number(arg, 0, INT32_MAX, &value))
			wrong = "--fd: not a descriptor: %s";
		o->fd = value;
		break;
	case OPT_QUEUE_SIZE:
		return take_queue_size(o, arg);
	case OPT_CPUS:
		if (cpus_parse(arg, &o->cpus))
			wrong = "--cpus: not a list of CPUs: %s";
		o->pin_cpus = true;
		break;
	case OPT_DEVICE:
		o->device = arg;
		return 0;
	case OPT_VERBOSE:
		log_level = LOG_LEVEL_DEBUG;
		return 0;
	case OPT_MODE:
	case OPT_POLL_US:
	case OPT_POLL_SHARE:
	case OPT_COALESCE_US:
	case OPT_COALESCE_COUNT:
		wrong = take_exec(&o->exec, opt, arg);
		break;
	default:
		/* getopt has said what is wrong. */
		say_where_help_is(o->program);
		return EXIT_USAGE;
	}
	return wrong ? common_options_usage(o->program, wrong, arg) : 0;
}

int common_options_check(const struct common_options *o)
{
	int ways = !!o->socket_path + !!o->connect + (o->fd >= 0);

	return ways == 1 ? 0 :
	       common_options_usage(o->program, "give one of --socket-path, "
				    "--connect and %s", "--fd");
}

bool common_options_ending(int argc, char **argv, const char *program,
			   const char *usage_text, int (*capabilities)(void),
			   int *status)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--print-capabilities")) {
			*status = capabilities();
			return true;
		}
		if (!strcmp(argv[i], "--help"))
			printf("%s", usage_text);
		else if (!strcmp(argv[i], "--version"))
			printf("%s " VHOST_DOORBELL_VERSION "\n", program);
		else
			continue;
		*status = fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
		return true;
	}
	return false;
}
