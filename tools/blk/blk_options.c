// SPDX-License-Identifier: GPL-2.0
#include "blk_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "optparse.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROGRAM		"vhost-doorbell-blk"

/* Queue sizes that QEMU's device allows: it has no longer queues. */
#define QUEUE_SIZE_MIN	4
#define QUEUE_SIZE_MAX	1024

static int take_format(struct optparse *p, void *base, char *value)
{
	struct blk_options *o = base;

	if (strcmp(value, "raw"))
		return optparse_refuse(p, "'%s' is not raw, and only that is served",
				       value);
	o->raw = true;
	return 0;
}

static int take_features(struct optparse *p, void *base, char *value)
{
	struct blk_options *o = base;
	const char *at;
	int ret;

	feature_switch(&o->asked, FEATURES_ON | FEATURES_OFF, value, &at);
	ret = feature_switch(&o->features, FEATURES_ON | FEATURES_OFF, value, &at);
	return feature_refuse(p, ret, at);
}

#define OPTPARSE_TYPE	struct blk_options

/* The words of a choice are in the order of the values of its enum. */
static const struct optparse_row own_options[] = {
	OPT_STRING("blk-file", blk_file, "PATH",
		   "the disk: a block device or a regular file"),
	OPT_CALL("format", take_format, "raw",
		 "PATH is raw, whatever its content looks like"),
	OPT_CHOICE("locking", locking, "auto|on|off",
		   "lock PATH as QEMU does: where that can be done, or "
		   "always, or never (default auto)"),
	OPT_CHOICE("cache", cache, "auto|writeback|writethrough",
		   "the guest sees a volatile write cache and flushes it, or each "
		   "write is stable when it completes (default auto: a cache, "
		   "unless PATH is a block device without one)"),
	OPT_CHOICE("on-enospc", hold_nospc, "error|wait",
		   "when the disk has no room for a write: fail it, or let it "
		   "wait for room (default error)"),
	OPT_FLAG("incoming", incoming, "wait for a guest that comes from another VMM: the "
		 "disk may be in use until the guest runs here"),
	OPT_FLAG("read-only", read_only, "the guest may not write"),
	OPT_CALL("features", take_features, "NAME=on|off[,...]",
		 "virtio features to offer or not, such as discard=off"),
	OPT_NUMBER("queues", queues, "N", 1, VHOST_DOORBELL_MAX_QUEUES,
		   "queues offered, 1 to 64 (default 64)"),
	OPT_NUMBER("queue-size", common.queue_size, "N", QUEUE_SIZE_MIN,
		   QUEUE_SIZE_MAX,
		   "queue size told to QEMU, a power of 2, 4 to 1024 (default 128)",
		   .power_of_2 = true),
	OPT_STRING("serial", serial, "TEXT",
		   "serial number of the disk, at most 20 bytes",
		   .max = VHOST_DOORBELL_BLK_SERIAL_LEN),
};

static const char * const capabilities[] = { "read-only", "blk-file", NULL };

static const struct common_program program = {
	.name = PROGRAM,
	.intro =
"Usage: " PROGRAM " --blk-file=PATH\n"
"           {--socket-path=PATH | --fd=N | --connect=PATH} [OPTION]...\n"
"\n"
"Offers a block device or file to a virtual machine over vhost-user-blk;\n"
"the host kernel serves the requests itself (vhost_doorbell module).\n"
"\n",
	.rows = own_options,
	.num_rows = ARRAY_SIZE(own_options),
	.type = "block",
	.features = capabilities,
};

/* --cache is the feature FLUSH, with a name that tells what it means. */
static int apply_cache(struct blk_options *o)
{
	uint64_t flush = BIT(VIRTIO_BLK_F_FLUSH);
	bool on = o->cache == BLK_CACHE_WRITEBACK;

	if (o->cache == BLK_CACHE_AUTO)
		return 0;
	if (on ? !(o->features & flush) : !!(o->asked & flush))
		return common_options_usage(&program, "--cache",
					    on ? "writeback contradicts --features=flush=off" :
						 "writethrough contradicts --features=flush=on");
	if (on)
		o->asked |= flush;
	else
		o->features &= ~flush;
	return 0;
}

/* The specification wants FLUSH wherever CONFIG_WCE is (virtio 1.3, section 5.2.5.2). */
static int check_wce(const struct blk_options *o)
{
	if (!(o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE)) ||
	    o->features & BIT(VIRTIO_BLK_F_FLUSH))
		return 0;
	if (o->cache == BLK_CACHE_WRITETHROUGH)
		return common_options_usage(&program, "--cache",
					    "writethrough contradicts --features=config_wce=on");
	return common_options_usage(&program, "--features",
				    "config_wce=on needs flush");
}

static int check_options(struct blk_options *o)
{
	int ret;

	if (!o->blk_file)
		return common_options_usage(&program, "--blk-file", "is missing");
	ret = apply_cache(o);
	if (!ret)
		ret = check_wce(o);
	if (ret)
		return ret;
	return common_options_check(&program, &o->common);
}

bool blk_options_parse(struct blk_options *o, int argc, char **argv, int *status)
{
	*o = (struct blk_options){
		.common = {
			.queue_size = 128,
			.fd = -1,
			.exec.mode = VHOST_DOORBELL_MODE_AUTO,
		},
		.queues = VHOST_DOORBELL_MAX_QUEUES,
		.features = FEATURES_ON,
	};
	if (!common_options_parse(&program, &o->common, o, argc, argv, status))
		return false;
	*status = check_options(o);
	return !*status;
}
