// SPDX-License-Identifier: GPL-2.0
#include "blk_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "json.h"
#include "log.h"
#include "version.h"
#include "vhd.h"

#define PROGRAM		"vhost-doorbell-blk"

#define EXIT_USAGE	2

#define QUEUE_SIZE_MIN	4u
#define QUEUE_SIZE_MAX	1024u	/* of QEMU's virtio devices */

enum {
	OPT_SOCKET_PATH = 256,
	OPT_FD,
	OPT_PRINT_CAPABILITIES,
	OPT_BLK_FILE,
	OPT_FORMAT,
	OPT_LOCKING,
	OPT_READ_ONLY,
	OPT_QUEUES,
	OPT_FEATURES,
	OPT_QUEUE_SIZE,
	OPT_SERIAL,
	OPT_MODE,
	OPT_POLL_US,
	OPT_POLL_SHARE,
	OPT_COALESCE_US,
	OPT_COALESCE_COUNT,
	OPT_CPUS,
	OPT_DEVICE,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "socket-path",	required_argument, NULL, OPT_SOCKET_PATH },
	{ "fd",			required_argument, NULL, OPT_FD },
	{ "print-capabilities",	no_argument, NULL, OPT_PRINT_CAPABILITIES },
	{ "blk-file",		required_argument, NULL, OPT_BLK_FILE },
	{ "format",		required_argument, NULL, OPT_FORMAT },
	{ "locking",		required_argument, NULL, OPT_LOCKING },
	{ "read-only",		no_argument, NULL, OPT_READ_ONLY },
	{ "features",		required_argument, NULL, OPT_FEATURES },
	{ "queues",		required_argument, NULL, OPT_QUEUES },
	{ "queue-size",		required_argument, NULL, OPT_QUEUE_SIZE },
	{ "serial",		required_argument, NULL, OPT_SERIAL },
	{ "mode",		required_argument, NULL, OPT_MODE },
	{ "poll-us",		required_argument, NULL, OPT_POLL_US },
	{ "poll-share",		required_argument, NULL, OPT_POLL_SHARE },
	{ "coalesce-us",	required_argument, NULL, OPT_COALESCE_US },
	{ "coalesce-count",	required_argument, NULL, OPT_COALESCE_COUNT },
	{ "cpus",		required_argument, NULL, OPT_CPUS },
	{ "device",		required_argument, NULL, OPT_DEVICE },
	{ "verbose",		no_argument, NULL, OPT_VERBOSE },
	{ "help",		no_argument, NULL, OPT_HELP },
	{ "version",		no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
"Usage: " PROGRAM " --blk-file=PATH {--socket-path=PATH | --fd=N} [OPTION]...\n"
"\n"
"Offers a block device or file to a virtual machine over vhost-user-blk;\n"
"the host kernel serves the requests itself (vhost_doorbell module).\n"
"\n"
"  --socket-path=PATH    make and listen on the vhost-user socket PATH\n"
"  --fd=N                use descriptor N, a listening or connected socket\n"
"  --blk-file=PATH       the disk: a block device or a regular file\n"
"  --format=raw          PATH is raw, whatever its content looks like\n"
"  --locking=auto|on|off lock PATH as QEMU does: where that can be done, or\n"
"                        always, or never (default auto)\n"
"  --read-only           the guest may not write\n"
"  --features=NAME=on|off[,...]\n"
"                        virtio features to offer or not, such as discard=off\n"
"  --queues=N            queues offered, 1 to 64 (default 64)\n"
"  --queue-size=N        queue size told to QEMU, a power of 2, 4 to 1024\n"
"                        (default 128)\n"
"  --serial=TEXT         serial number of the disk, at most 20 bytes\n"
"  --mode=MODE           auto, worker, inline or poll (default auto);\n"
"                        poll needs CAP_SYS_NICE\n"
"  --poll-us=N           poll: microseconds to look for more (default 50)\n"
"  --poll-share=PERCENT  poll: of a CPU, for each queue (default 50)\n"
"  --coalesce-us=N       microseconds that an interrupt may wait for more\n"
"                        completions (default 0)\n"
"  --coalesce-count=N    completions after which it waits no more (default 32)\n"
"  --cpus=LIST           CPUs of this process and of the kernel's worker\n"
"                        threads, such as 0-3,8\n"
"  --device=PATH         device node (default " VHD_DEV_PATH ")\n"
"  --verbose             log every vhost-user message\n"
"  --print-capabilities  print what this back end can do as JSON, and exit\n"
"  --help                print this text, and exit\n"
"  --version             print the version, and exit\n";

static int usage(const char *fmt, const char *arg)
{
	fprintf(stderr, PROGRAM ": ");
	fprintf(stderr, fmt, arg);
	fprintf(stderr, "\nTry '" PROGRAM " --help'.\n");
	return EXIT_USAGE;
}

static bool parse_number(const char *text, unsigned int min, unsigned int max,
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

static int parse_limits(struct blk_options *o, int opt, const char *arg)
{
	unsigned int value;
	int mode;

	switch (opt) {
	case OPT_FD:
		if (!parse_number(arg, 0, INT32_MAX, &value))
			return usage("--fd: not a descriptor: %s", arg);
		o->fd = value;
		return 0;
	case OPT_QUEUES:
		if (!parse_number(arg, 1, VHOST_DOORBELL_MAX_QUEUES,
				  &o->queues))
			return usage("--queues: not from 1 to 64: %s", arg);
		return 0;
	case OPT_QUEUE_SIZE:
		if (!parse_number(arg, QUEUE_SIZE_MIN, QUEUE_SIZE_MAX,
				  &o->queue_size) ||
		    o->queue_size & (o->queue_size - 1))
			return usage("--queue-size: not a power of 2 from 4 "
				     "to 1024: %s", arg);
		return 0;
	case OPT_SERIAL:
		if (strlen(arg) > VHOST_DOORBELL_BLK_SERIAL_LEN)
			return usage("--serial: longer than 20 bytes: %s", arg);
		o->serial = arg;
		return 0;
	case OPT_MODE:
		mode = vhd_mode_parse(arg);
		if (mode < 0)
			return usage("--mode: not auto, worker, inline or poll: %s",
				     arg);
		o->exec.mode = mode;
		return 0;
	case OPT_POLL_US:
		if (!parse_number(arg, 1, VHOST_DOORBELL_MAX_POLL_US,
				  &o->exec.poll_us))
			return usage("--poll-us: not from 1 to 10000: %s", arg);
		return 0;
	case OPT_POLL_SHARE:
		if (!parse_number(arg, 1, 100, &o->exec.poll_share))
			return usage("--poll-share: not from 1 to 100: %s", arg);
		return 0;
	case OPT_COALESCE_US:
		if (!parse_number(arg, 0, VHOST_DOORBELL_MAX_COALESCE_US,
				  &o->exec.coalesce_us))
			return usage("--coalesce-us: not from 0 to 10000: %s",
				     arg);
		return 0;
	case OPT_COALESCE_COUNT:
		if (!parse_number(arg, 1, 65535, &o->exec.coalesce_count))
			return usage("--coalesce-count: not from 1 to 65535: %s",
				     arg);
		return 0;
	case OPT_CPUS:
		if (cpus_parse(arg, &o->cpus))
			return usage("--cpus: not a list of CPUs: %s", arg);
		o->pin_cpus = true;
		return 0;
	}
	return EXIT_USAGE;
}

static int parse_features(struct blk_options *o, const char *arg)
{
	const char *at;

	feature_switch(&o->asked, FEATURES_ON | FEATURES_OFF, arg, &at);
	switch (feature_switch(&o->features, FEATURES_ON | FEATURES_OFF, arg,
			       &at)) {
	case 0:
		return 0;
	case -ENOENT:
		return usage("--features: unknown: %s", at);
	case -EPERM:
		return usage("--features: cannot be switched: %s", at);
	default:
		return usage("--features: not NAME=on or NAME=off: %s", at);
	}
}

static int parse_locking(struct blk_options *o, const char *arg)
{
	static const char * const words[] = {
		[DISK_LOCKING_AUTO] = "auto",
		[DISK_LOCKING_ON] = "on",
		[DISK_LOCKING_OFF] = "off",
	};

	for (int i = 0; i <= DISK_LOCKING_OFF; i++) {
		if (!strcmp(arg, words[i])) {
			o->locking = i;
			return 0;
		}
	}
	return usage("--locking: not auto, on or off: %s", arg);
}

static int parse_one(struct blk_options *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_SOCKET_PATH:
		o->socket_path = arg;
		return 0;
	case OPT_BLK_FILE:
		o->blk_file = arg;
		return 0;
	case OPT_FORMAT:
		if (strcmp(arg, "raw"))
			return usage("--format: only raw is served, not %s", arg);
		o->raw = true;
		return 0;
	case OPT_LOCKING:
		return parse_locking(o, arg);
	case OPT_READ_ONLY:
		o->read_only = true;
		return 0;
	case OPT_FEATURES:
		return parse_features(o, arg);
	case OPT_DEVICE:
		o->device = arg;
		return 0;
	case OPT_VERBOSE:
		log_level = LOG_LEVEL_DEBUG;
		return 0;
	case '?':
		/* getopt has said what is wrong. */
		fprintf(stderr, "Try '" PROGRAM " --help'.\n");
		return EXIT_USAGE;
	default:
		return parse_limits(o, opt, arg);
	}
}

static int check_options(const struct blk_options *o)
{
	if (!o->blk_file)
		return usage("%s is missing", "--blk-file");
	if (!o->socket_path == (o->fd < 0))
		return usage("give either --socket-path or %s", "--fd");
	return 0;
}

static int print_capabilities(void)
{
	struct json j;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "type", "block");
	json_array(&j, "features");
	json_str(&j, NULL, "read-only");
	json_str(&j, NULL, "blk-file");
	json_array_end(&j);
	json_object_end(&j);
	return json_end(&j) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The options that end the program ignore all others, valid or not. */
static bool parse_ending(int argc, char **argv, int *status)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--print-capabilities")) {
			*status = print_capabilities();
			return true;
		}
		if (!strcmp(argv[i], "--help") ||
		    !strcmp(argv[i], "--version")) {
			printf("%s", argv[i][2] == 'h' ? usage_text :
			       PROGRAM " " VHOST_DOORBELL_VERSION "\n");
			*status = fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
			return true;
		}
	}
	return false;
}

static int parse_all(struct blk_options *o, int argc, char **argv)
{
	int opt, ret;

	*o = (struct blk_options){
		.fd = -1,
		.queues = VHOST_DOORBELL_MAX_QUEUES,
		.queue_size = 128,
		.features = FEATURES_ON,
		.exec.mode = VHOST_DOORBELL_MODE_AUTO,
	};
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		ret = parse_one(o, opt, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return usage("unexpected argument: %s", argv[optind]);
	return check_options(o);
}

bool blk_options_parse(struct blk_options *o, int argc, char **argv, int *status)
{
	if (parse_ending(argc, argv, status))
		return false;
	*status = parse_all(o, argc, argv);
	return !*status;
}
