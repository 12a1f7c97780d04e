// SPDX-License-Identifier: GPL-2.0
/*
 * options - the command line of `doorbell-bench emulate` for a disk
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "fe.h"
#include "feature.h"
#include "net_options.h"
#include "options.h"
#include "optparse.h"

#define OPTPARSE_TYPE	struct options

#define ANY UINT64_MAX

static int take_features(struct optparse *p, void *base, char *value)
{
	struct options *o = base;
	uint64_t wanted = ~0ull;
	const char *at;
	int ret = feature_switch(&wanted, ~0ull, value, &at);

	if (!ret)
		o->refuse = ~wanted;
	return feature_refuse(p, ret, at);
}

static const struct optparse_row rows[] = {
	OPT_FLAG("mem-slots", mem_slots, "send regions one by one (ADD_MEM_REG)"),
	OPT_FLAG("log", log, "have the device log what it writes, as in a migration"),
	OPT_FLAG("notify-on-empty", on_empty,
		 "negotiate NOTIFY_ON_EMPTY, and ask for no other interrupt"),
	OPT_CALL("features", take_features, "NAME=off[,...]",
		 "do not negotiate these, by the virtio spec's names"),
	OPT_FLAG("writethrough", writethrough,
		 "negotiate CONFIG_WCE, and switch the write cache off"),
	OPT_SIZE("reset-every", reset_every, "N", 0, ANY,
		 "reset a queue after every N requests (RING_RESET)"),
	OPT_SIZE("queues", queues, "N", 1, OPTIONS_MAX_QUEUES,
		 "queues, one thread each (1)"),
	OPT_CHOICE("rw", rw, "read|write|randread|randwrite|randrw",
		   "kind of load (randread)"),
	OPT_SIZE("mix", mix, "PERCENT", 0, 100, "reads in randrw (50)"),
	OPT_SIZE("bs", bs, "BYTES", 512, 1 << 30, "request size (4k)"),
	OPT_FLAG("any-length", any_length,
		 "break SIZE_MAX and what SEG_MAX makes of it"),
	OPT_SIZE("depth", depth, "N", 1, 32768,
		 "requests in flight, per queue (1)"),
	OPT_SIZE("flush-every", flush_every, "N", 0, ANY,
		 "flush after every N writes"),
	OPT_SIZE("offset", offset, "BYTES", 0, ANY,
		 "first byte of the disk to use"),
	OPT_SIZE("size", size, "BYTES", 0, ANY, "bytes of the disk to use (all)"),
	OPT_CHOICE("layout", layout, "normal|split|oneseg|random",
		   "how a request is cut into descriptors"),
	OPT_FLAG("mixed-indirect", mixed_indirect,
		 "with random: some chains end in an indirect table"),
	OPT_SIZE("segs", segs, "N", 1, 1024, "most data pieces of a request (8)"),
	OPT_SIZE("align", align, "BYTES", 0, 4095,
		 "offset of data in its page (0)"),
	OPT_SIZE("punch", punch, "N", 0, ANY,
		 "give back a buffer's pages before every Nth request"),
	OPT_SIZE("noise", noise, "N", 0, 64, "threads that only ring the bell"),
	OPT_FLAG("spin", spin, "poll the used ring, never sleep"),
	OPT_FLAG("verify-only", verify_only,
		 "only check what --verify wrote before"),
	OPT_SIZE("verify-seed", verify_seed, "N", 0, ANY, "of the patterns (1)"),
	OPT_STRING("state", state, "FILE", "keep what was written, between runs"),
	OPT_STRING("marks", marks, "NAME",
		   "mark stable writes in the log of this dm-log-writes device"),
	OPT_FLAG("expect-disconnect", expect_disconnect,
		 "the back end must go away during the run"),
	OPT_SIZE("reconnect", reconnect, "SECONDS", 0, 600,
		 "go on when the back end comes back in time"),
	OPT_CHOICE("restore", restore, "disconnect|connect",
		   "when to read the used index that the ring goes on at"),
	OPT_FLAG("requeue", requeue,
		 "after a reconnect offer unfinished requests again"),
	OPT_FLAG("get-id", get_id, "print the disk's serial"),
	OPT_STRING("ask", ask, "COMMAND[;COMMAND]...",
		   "send single requests, print what comes of each"),
	OPT_FLAG("config", config, "print features and config space"),
	OPT_FLAG("read-only-expected", read_only_expected,
		 "the disk must refuse writes"),
};

static int check(struct options *o)
{
	if (o->common.hostile && !strcmp(o->common.hostile, "list"))
		return 0;
	if (!o->common.socket)
		return bench_complain("--socket", "is missing");
	if (driver_options_check(&o->common))
		return -EINVAL;
	if (o->on_empty && (o->common.packed || !o->common.legacy || o->spin))
		return bench_complain("--notify-on-empty",
				      "needs --legacy, and no --spin");
	/* In a packed ring used entries overwrite available ones. */
	if (o->common.packed && (o->reconnect || o->requeue))
		return bench_complain("--packed",
				      "the next back end could not go on from the ring: no --reconnect or --requeue");
	if (o->bs % 512)
		return bench_complain("--bs", "not a multiple of 512");
	if (o->common.regions > FE_TABLE_MAX && !o->mem_slots)
		return bench_complain("--regions", "more than 8 need --mem-slots");
	if (o->verify_only && !o->state && !o->size)
		return bench_complain("--verify-only", "needs --size or --state");
	if (o->verify_only)
		o->common.verify = true;
	if (o->state && !o->common.verify)
		return bench_complain("--state", "needs --verify or --verify-only");
	if (o->marks && !o->common.verify)
		return bench_complain("--marks", "needs --verify");
	driver_options_limit(&o->common);
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	const struct optparse_table own = { rows, ARRAY_SIZE(rows), o };
	int ret;

	*o = (struct options){
		.common = { DRIVER_OPTIONS_DEFAULT, .queue_size = 128 },
		.queues = 1, .rw = RW_RANDREAD, .mix = 50, .bs = 4096,
		.depth = 1, .segs = 8, .verify_seed = 1,
	};
	ret = driver_options_run(&o->common, &own, argc, argv);
	if (ret || o->common.help)
		return ret;
	return check(o);
}

void options_help(void)
{
	const struct optparse_table own = { rows, ARRAY_SIZE(rows), NULL };

	printf("usage: doorbell-bench emulate --socket=PATH [OPTION]...\n\n");
	driver_options_help();
	driver_options_help_own("Disks", &own);
	net_options_help();
	printf("\nNumbers take k, M, G, T (powers of 1024).\n"
	       "Exit status: 0 no error, 1 errors found, 2 usage.\n");
}
