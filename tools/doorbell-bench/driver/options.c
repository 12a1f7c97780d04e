// SPDX-License-Identifier: GPL-2.0
/*
 * options - what the command line of `doorbell-bench emulate` asks for
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

#define FLAG(n, member, text) \
	{ n, OPT_FLAG, offsetof(struct options, member), NULL, text, 0, 0 }
#define NUMBER(n, member, a, lo, hi, text) \
	{ n, OPT_NUMBER, offsetof(struct options, member), a, text, lo, hi }
#define STRING(n, member, a, text) \
	{ n, OPT_STRING, offsetof(struct options, member), a, text, 0, 0 }
#define CHOICE(n, member, words, text) \
	{ n, OPT_CHOICE, offsetof(struct options, member), words, text, 0, 0 }

#define ANY UINT64_MAX

static const struct optparse descs[] = {
	CHOICE("type", type, "blk", "kind of device: blk, or net (see below)"),
	STRING("socket", socket, "PATH", "the back end's vhost-user socket"),
	NUMBER("connect-timeout", connect_timeout, "SECONDS", 0, 600,
	       "wait for the socket to appear (10)"),
	STRING("mem", mem, "4k|scattered|thp|hugetlb|file:PATH",
	       "guest memory (4k)"),
	NUMBER("regions", regions, "N", 1, MEM_MAX_REGIONS,
	       "guest memory regions, with holes between (2)"),
	FLAG("mem-slots", mem_slots, "send regions one by one (ADD_MEM_REG)"),
	FLAG("no-event-idx", no_event_idx, "do not negotiate EVENT_IDX"),
	FLAG("no-indirect", no_indirect, "do not negotiate INDIRECT_DESC"),
	FLAG("legacy", legacy, "do not negotiate VERSION_1"),
	FLAG("packed", packed, "packed rings, which the device must have"),
	FLAG("in-order", in_order, "negotiate IN_ORDER, and check the order"),
	FLAG("notify-on-empty", on_empty,
	     "negotiate NOTIFY_ON_EMPTY, and ask for no other interrupt"),
	STRING("features", features, "NAME=off[,...]",
	       "do not negotiate these, by the virtio spec's names"),
	NUMBER("reset-every", reset_every, "N", 0, ANY,
	       "reset a queue after every N requests (RING_RESET)"),
	NUMBER("queue-size", queue_size, "N", 4, 32768,
	       "entries per queue, a power of 2 if split (128)"),
	NUMBER("queues", queues, "N", 1, OPTIONS_MAX_QUEUES,
	       "queues, one thread each (1)"),
	CHOICE("rw", rw, "read|write|randread|randwrite|randrw",
	       "kind of load (randread)"),
	NUMBER("mix", mix, "PERCENT", 0, 100, "reads in randrw (50)"),
	NUMBER("bs", bs, "BYTES", 512, 1 << 30, "request size (4k)"),
	FLAG("any-length", any_length,
	     "break SIZE_MAX and what SEG_MAX makes of it"),
	NUMBER("depth", depth, "N", 1, 32768,
	       "requests in flight, per queue (1)"),
	NUMBER("flush-every", flush_every, "N", 0, ANY,
	       "flush after every N writes"),
	NUMBER("count", count, "N", 0, ANY, "stop after N requests"),
	NUMBER("seconds", seconds, "S", 0, 86400,
	       "stop after S seconds (10 if no --count)"),
	NUMBER("offset", offset, "BYTES", 0, ANY,
	       "first byte of the disk to use"),
	NUMBER("size", size, "BYTES", 0, ANY, "bytes of the disk to use (all)"),
	CHOICE("layout", layout, "normal|split|oneseg|random",
	       "how a request is cut into descriptors"),
	FLAG("mixed-indirect", mixed_indirect,
	     "with random: some chains end in an indirect table"),
	NUMBER("segs", segs, "N", 1, 1024, "most data pieces of a request (8)"),
	NUMBER("align", align, "BYTES", 0, 4095,
	       "offset of data in its page (0)"),
	NUMBER("punch", punch, "N", 0, ANY,
	       "give back a buffer's pages before every Nth request"),
	NUMBER("noise", noise, "N", 0, 64, "threads that only ring the bell"),
	NUMBER("seed", seed, "N", 0, ANY, "of all random choices (1)"),
	FLAG("spin", spin, "poll the used ring, never sleep"),
	FLAG("verify", verify, "write patterns, check all that is read"),
	FLAG("verify-only", verify_only,
	     "only check what --verify wrote before"),
	NUMBER("verify-seed", verify_seed, "N", 0, ANY, "of the patterns (1)"),
	STRING("state", state, "FILE", "keep what was written, between runs"),
	FLAG("expect-disconnect", expect_disconnect,
	     "the back end must go away during the run"),
	NUMBER("reconnect", reconnect, "SECONDS", 0, 600,
	       "go on when the back end comes back in time"),
	CHOICE("restore", restore, "disconnect|connect",
	       "when to read the used index that the ring goes on at"),
	FLAG("requeue", requeue,
	     "after a reconnect offer unfinished requests again"),
	NUMBER("watchdog", watchdog, "SECONDS", 1, 3600,
	       "give up after that time without progress (60)"),
	FLAG("get-id", get_id, "print the disk's serial"),
	STRING("ask", ask, "COMMAND[;COMMAND]...",
	       "send single requests, print what comes of each"),
	FLAG("config", config, "print features and config space"),
	STRING("hostile", hostile, "NAME|all|random|list",
	       "break the rules and check what happens"),
	FLAG("read-only-expected", read_only_expected,
	     "the disk must refuse writes"),
	FLAG("json", json, "print one JSON object"),
	FLAG("help", help, "print this"),
};

static int parse_mem(struct options *o)
{
	if (!strncmp(o->mem, "file:", 5)) {
		o->mem_kind = MEM_FILE;
		o->mem_path = o->mem + 5;
		return *o->mem_path ? 0 : optparse_complain("--mem", "no path");
	}
	if (!strcmp(o->mem, "4k"))
		o->mem_kind = MEM_4K;
	else if (!strcmp(o->mem, "scattered"))
		o->mem_kind = MEM_SCATTERED;
	else if (!strcmp(o->mem, "thp"))
		o->mem_kind = MEM_THP;
	else if (!strcmp(o->mem, "hugetlb"))
		o->mem_kind = MEM_HUGETLB;
	else
		return optparse_complain("--mem", "bad value");
	return 0;
}

static int parse_features(struct options *o)
{
	uint64_t wanted = ~0ull;
	const char *at;

	if (feature_switch(&wanted, ~0ull, o->features, &at))
		return optparse_complain("--features", at);
	o->refuse = ~wanted;
	return 0;
}

static int check(struct options *o)
{
	if (o->hostile && !strcmp(o->hostile, "list"))
		return 0;
	if (!o->socket)
		return optparse_complain("--socket", "is missing");
	if (o->features && parse_features(o))
		return -EINVAL;
	if (!o->packed && o->queue_size & (o->queue_size - 1))
		return optparse_complain("--queue-size", "not a power of 2");
	if (o->on_empty && (o->packed || !o->legacy || o->spin))
		return optparse_complain("--notify-on-empty",
					 "needs --legacy, and no --spin");
	if (o->packed && o->legacy)
		return optparse_complain("--packed", "not for a legacy driver");
	/* What is used is written over what was available. */
	if (o->packed && (o->reconnect || o->requeue))
		return optparse_complain("--packed",
					 "the next back end could not go on from the ring: no --reconnect or --requeue");
	if (o->bs % 512)
		return optparse_complain("--bs", "not a multiple of 512");
	if (o->regions > FE_TABLE_MAX && !o->mem_slots)
		return optparse_complain("--regions", "more than 8 need --mem-slots");
	if (o->verify_only && !o->state && !o->size)
		return optparse_complain("--verify-only", "needs --size or --state");
	if (o->verify_only)
		o->verify = true;
	if (o->state && !o->verify)
		return optparse_complain("--state", "needs --verify or --verify-only");
	/* Every run has an end. */
	if (!o->count && !o->seconds)
		o->seconds = 10;
	return parse_mem(o);
}

int options_parse(struct options *o, int argc, char **argv)
{
	int ret;

	*o = (struct options){
		.connect_timeout = 10, .mem = "4k", .regions = 2,
		.queue_size = 128, .queues = 1, .rw = RW_RANDREAD, .mix = 50,
		.bs = 4096, .depth = 1, .segs = 8, .seed = 1,
		.verify_seed = 1, .watchdog = 60,
	};
	ret = optparse(descs, ARRAY_SIZE(descs), o, argc, argv);
	if (ret || o->help)
		return ret;
	return check(o);
}

void options_help(void)
{
	printf("usage: doorbell-bench emulate --socket PATH [OPTION]...\n\n");
	optparse_help(descs, ARRAY_SIZE(descs));
	net_options_help();
	printf("\nNumbers take k, M, G, T (powers of 1024).\n"
	       "Exit status: 0 no error, 1 errors found, 2 usage.\n");
}
