// SPDX-License-Identifier: GPL-2.0
#include "blk_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROGRAM		"vhost-doorbell-blk"

#define QUEUE_SIZE_MIN	4u

enum {
	OPT_BLK_FILE = OPT_OWN,
	OPT_FORMAT,
	OPT_LOCKING,
	OPT_READ_ONLY,
	OPT_QUEUES,
	OPT_SERIAL,
};

static const struct option own_options[] = {
	{ "blk-file",		required_argument, NULL, OPT_BLK_FILE },
	{ "format",		required_argument, NULL, OPT_FORMAT },
	{ "locking",		required_argument, NULL, OPT_LOCKING },
	{ "read-only",		no_argument, NULL, OPT_READ_ONLY },
	{ "queues",		required_argument, NULL, OPT_QUEUES },
	{ "serial",		required_argument, NULL, OPT_SERIAL },
};

static const char usage_text[] =
"Usage: " PROGRAM " --blk-file=PATH\n"
"           {--socket-path=PATH | --fd=N | --connect=PATH} [OPTION]...\n"
"\n"
"Offers a block device or file to a virtual machine over vhost-user-blk;\n"
"the host kernel serves the requests itself (vhost_doorbell module).\n"
"\n"
COMMON_USAGE_SOCKET
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
COMMON_USAGE_END;

static int usage(const char *fmt, const char *arg)
{
	return common_options_usage(PROGRAM, fmt, arg);
}

static int parse_features(struct blk_options *o, const char *arg)
{
	const char *at;
	int ret;

	feature_switch(&o->asked, FEATURES_ON | FEATURES_OFF, arg, &at);
	ret = feature_switch(&o->features, FEATURES_ON | FEATURES_OFF, arg, &at);
	return common_options_features(PROGRAM, ret, at);
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

static int parse_one(void *options, int opt, char *arg)
{
	struct blk_options *o = options;

	switch (opt) {
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
	case OPT_QUEUES:
		if (!common_options_number(arg, 1, VHOST_DOORBELL_MAX_QUEUES,
					   &o->queues))
			return usage("--queues: not from 1 to 64: %s", arg);
		return 0;
	case OPT_SERIAL:
		if (strlen(arg) > VHOST_DOORBELL_BLK_SERIAL_LEN)
			return usage("--serial: longer than 20 bytes: %s", arg);
		o->serial = arg;
		return 0;
	default:
		return common_options_take(&o->common, opt, arg);
	}
}

static int check_options(const struct blk_options *o)
{
	if (!o->blk_file)
		return usage("%s is missing", "--blk-file");
	return common_options_check(&o->common);
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

static int parse_all(struct blk_options *o, int argc, char **argv)
{
	int ret;

	*o = (struct blk_options){
		.common = {
			.program = PROGRAM,
			.queue_size_min = QUEUE_SIZE_MIN,
			.queue_size = 128,
			.fd = -1,
			.exec.mode = VHOST_DOORBELL_MODE_AUTO,
		},
		.queues = VHOST_DOORBELL_MAX_QUEUES,
		.features = FEATURES_ON,
	};
	ret = common_options_parse(PROGRAM, argc, argv, own_options,
				   ARRAY_SIZE(own_options), parse_one, o);
	return ret ? ret : check_options(o);
}

bool blk_options_parse(struct blk_options *o, int argc, char **argv, int *status)
{
	if (common_options_ending(argc, argv, PROGRAM, usage_text,
				  print_capabilities, status))
		return false;
	*status = parse_all(o, argc, argv);
	return !*status;
}
