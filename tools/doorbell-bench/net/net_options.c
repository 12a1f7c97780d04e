// SPDX-License-Identifier: GPL-2.0
/*
 * net_options - what the command line of `doorbell-bench emulate --type net` asks for
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "fe.h"
#include "net_frame.h"
#include "net_options.h"
#include "optparse.h"

#define FLAG(n, member, text) \
	{ n, OPT_FLAG, offsetof(struct net_options, member), NULL, text, 0, 0 }
#define NUMBER(n, member, a, lo, hi, text) \
	{ n, OPT_NUMBER, offsetof(struct net_options, member), a, text, lo, hi }
#define STRING(n, member, a, text) \
	{ n, OPT_STRING, offsetof(struct net_options, member), a, text, 0, 0 }
#define CHOICE(n, member, words, text) \
	{ n, OPT_CHOICE, offsetof(struct net_options, member), words, text, 0, 0 }

#define ANY UINT64_MAX

static const struct optparse descs[] = {
	STRING("type", type, "blk|net", "kind of device (blk)"),
	STRING("socket", socket, "PATH", "the back end's vhost-user socket"),
	NUMBER("connect-timeout", connect_timeout, "SECONDS", 0, 600,
	       "wait for the socket to appear (10)"),
	FLAG("vhost-net", vhost_net, "drive /dev/vhost-net on a tap"),
	FLAG("doorbell", doorbell, "drive /dev/vhost-doorbell"),
	STRING("tap", tap, "NAME|PATH",
	       "the tap, made if it is not there, or a macvtap's /dev/tapN"),
	STRING("dev", dev, "NAME",
	       "in place of a tap the card's own network device (doorbell)"),
	STRING("peer", peer, "NAME|PATH",
	       "tap, device or socket of the card that 'pass' sends to"),
	CHOICE("mode", mode, "auto|worker|inline|poll",
	       "how the queues are served (doorbell; auto)"),
	NUMBER("mtu", mtu, "BYTES", 0, 65535, "offered by the card (doorbell)"),
	NUMBER("pairs", pairs, "N", 1, NET_MAX_PAIRS,
	       "pairs of queues, one thread each (1)"),
	NUMBER("queue-size", queue_size, "N", 4, 32768,
	       "entries per queue, a power of 2 if split (256)"),
	STRING("mem", mem, "4k|scattered|thp|hugetlb", "guest memory (4k)"),
	NUMBER("regions", regions, "N", 1, FE_TABLE_MAX,
	       "guest memory regions, with holes between (2)"),
	FLAG("no-event-idx", no_event_idx, "do not negotiate EVENT_IDX"),
	FLAG("no-indirect", no_indirect, "do not negotiate INDIRECT_DESC"),
	FLAG("no-mrg", no_mrg, "do not negotiate MRG_RXBUF"),
	FLAG("no-guest-offloads", no_guest_offloads,
	     "do not negotiate GUEST_CSUM and GUEST_TSO"),
	FLAG("legacy", legacy, "do not negotiate VERSION_1"),
	FLAG("packed", packed, "packed rings, which the device must have"),
	FLAG("in-order", in_order, "negotiate IN_ORDER, and check the order"),
	CHOICE("load", load, "tx|rx|echo|pass",
	       "send, receive, answer, or send to another card (tx)"),
	CHOICE("host", host, "auto|none|packet|udp|sink",
	       "the other end: a raw or a UDP socket of ours (auto)"),
	STRING("host-if", host_if, "NAME",
	       "interface of the other end (the tap or device)"),
	FLAG("host-thread", host_thread,
	     "the other end does not wait for the driver"),
	NUMBER("batch", batch, "N", 1, 32768, "frames per kick (1)"),
	NUMBER("depth", depth, "N", 0, 32768,
	       "frames in flight, per sending queue (as --batch)"),
	NUMBER("size", size, "BYTES", 0, NET_MAX_FRAME,
	       "of a frame with its Ethernet header (64)"),
	NUMBER("min-size", min_size, "BYTES", 0, NET_MAX_FRAME,
	       "frames of random sizes from this on"),
	CHOICE("layout", layout, "together|header|split|indirect|random",
	       "how a frame is cut into descriptors (together)"),
	NUMBER("segs", segs, "N", 1, NET_MAX_SEGS - 3,
	       "most pieces of a frame (8)"),
	CHOICE("offload", offload, "none|csum|tso4|tso6",
	       "what the frames leave to the other end (none)"),
	NUMBER("mss", mss, "BYTES", 1, 65535, "of TSO (1448)"),
	NUMBER("buffer", buffer, "BYTES", 1, 1 << 20,
	       "bytes of a receive buffer (as the spec asks)"),
	NUMBER("refill", refill, "N", 1, 32768,
	       "give receive buffers back when N were used (1)"),
	CHOICE("wait", wait, "call|yield|spin",
	       "for the device: sleep, yield the CPU, or neither (call)"),
	NUMBER("count", count, "N", 0, ANY, "stop after N frames"),
	NUMBER("seconds", seconds, "S", 0, 86400,
	       "stop after S seconds (10 if no --count)"),
	FLAG("forever", forever, "until SIGINT or SIGTERM"),
	NUMBER("warm", warm, "N", 0, ANY, "frames before what is measured"),
	NUMBER("seed", seed, "N", 0, ANY, "of all random choices (1)"),
	STRING("setup", setup, "COMMAND",
	       "a shell command to run when the card is there"),
	FLAG("verify", verify, "check every byte of every frame"),
	NUMBER("lose", lose, "N", 0, ANY, "frames that may be lost (0; any with --host-thread)"),
	NUMBER("watchdog", watchdog, "SECONDS", 1, 3600,
	       "give up after that time without progress (60)"),
	STRING("count-file", count_file, "FILE",
	       "where an emulator counts instructions"),
	STRING("hostile", hostile, "NAME|all|random|list",
	       "break the rules and check what happens"),
	FLAG("json", json, "print one JSON object"),
	FLAG("help", help, "print this"),
};

bool net_options_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--type=net"))
			return true;
		if (!strcmp(argv[i], "--type") && i + 1 < argc &&
		    !strcmp(argv[i + 1], "net"))
			return true;
	}
	return false;
}

static int parse_mem(struct net_options *o)
{
	static const char * const words[] = {
		[MEM_4K] = "4k", [MEM_SCATTERED] = "scattered",
		[MEM_THP] = "thp", [MEM_HUGETLB] = "hugetlb",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], o->mem))
			continue;
		o->mem_kind = (enum mem_kind)i;
		return 0;
	}
	return optparse_complain("--mem", "bad value");
}

static int check_device(const struct net_options *o)
{
	if (!!o->socket + o->vhost_net + o->doorbell != 1)
		return optparse_complain("--socket, --vhost-net, --doorbell",
					 "one of them is needed");
	if (o->vhost_net && !o->tap)
		return optparse_complain("--vhost-net", "needs --tap");
	if (o->doorbell && !o->tap + !o->dev != 1)
		return optparse_complain("--doorbell", "needs --tap or --dev");
	if (o->dev && !o->doorbell)
		return optparse_complain("--dev", "needs --doorbell");
	if (!o->packed && o->queue_size & (o->queue_size - 1))
		return optparse_complain("--queue-size", "not a power of 2");
	if (o->packed && o->legacy)
		return optparse_complain("--packed", "not for a legacy driver");
	return 0;
}

static void choose_host(struct net_options *o)
{
	static const enum net_host_kind kinds[] = {
		[NET_LOAD_TX] = NET_HOST_NONE,
		[NET_LOAD_RX] = NET_HOST_PACKET,
		[NET_LOAD_ECHO] = NET_HOST_UDP,
		[NET_LOAD_PASS] = NET_HOST_NONE,
	};

	if (o->host != NET_HOST_AUTO)
		return;
	o->host = kinds[o->load];
	if (o->load == NET_LOAD_TX && o->verify)
		o->host = NET_HOST_PACKET;
}

static int check_load(struct net_options *o)
{
	if (!o->depth)
		o->depth = o->batch;
	if (o->depth < o->batch)
		return optparse_complain("--depth", "less than --batch");
	if (o->depth > o->queue_size)
		return optparse_complain("--depth", "more than the queue has");
	if (!o->size)
		o->size = 64;
	if (!o->min_size)
		o->min_size = o->size;
	if (o->min_size > o->size)
		return optparse_complain("--min-size", "more than --size");
	if (o->min_size < net_frame_least((enum net_offload)o->offload))
		return optparse_complain("--size", "too short for a frame of ours");
	if ((o->load == NET_LOAD_PASS) != !!o->peer)
		return optparse_complain("--peer", "goes with --load pass");
	choose_host(o);
	if (o->host == NET_HOST_UDP && o->offload != NET_OFFLOAD_NONE)
		return optparse_complain("--offload", "not with --host udp");
	if (o->host == NET_HOST_SINK &&
	    (o->load != NET_LOAD_TX || o->offload != NET_OFFLOAD_NONE))
		return optparse_complain("--host sink", "takes UDP only");
	if (o->load == NET_LOAD_PASS && o->host != NET_HOST_NONE)
		return optparse_complain("--host", "not with --load pass");
	if (o->load == NET_LOAD_ECHO &&
	    (o->host == NET_HOST_PACKET || o->offload != NET_OFFLOAD_NONE))
		return optparse_complain("--load echo", "answers UDP only");
	if (o->lose == NET_LOSE_AUTO && !o->host_thread)
		o->lose = 0;
	if (o->forever)
		o->seconds = ANY / 2000000000u;
	/* Every other run has an end. */
	if (!o->count && !o->seconds)
		o->seconds = 10;
	return 0;
}

int net_options_parse(struct net_options *o, int argc, char **argv)
{
	int ret;

	*o = (struct net_options){
		.connect_timeout = 10, .mem = "4k", .regions = 2, .pairs = 1,
		.queue_size = 256, .batch = 1, .segs = 8, .mss = 1448,
		.refill = 1, .seed = 1, .watchdog = 60, .lose = NET_LOSE_AUTO,
	};
	ret = optparse(descs, ARRAY_SIZE(descs), o, argc, argv);
	if (ret || o->help)
		return ret;
	if (o->hostile && !strcmp(o->hostile, "list"))
		return 0;
	ret = check_device(o);
	if (!ret)
		ret = parse_mem(o);
	return ret ? ret : check_load(o);
}

void net_options_help(void)
{
	printf("\nwith --type net:\n\n");
	optparse_help(descs, ARRAY_SIZE(descs));
}
