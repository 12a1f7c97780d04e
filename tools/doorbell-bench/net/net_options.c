// SPDX-License-Identifier: GPL-2.0
/*
 * net_options - the command line of `doorbell-bench emulate --type net`
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

#define OPTPARSE_TYPE	struct net_options

#define ANY UINT64_MAX

static const struct optparse_row rows[] = {
	OPT_FLAG("vhost-net", vhost_net, "drive /dev/vhost-net on a tap"),
	OPT_FLAG("doorbell", doorbell, "drive /dev/vhost-doorbell"),
	OPT_STRING("tap", tap, "NAME|PATH",
		   "the tap, made if it is not there, or a macvtap's /dev/tapN"),
	OPT_STRING("dev", dev, "NAME",
		   "in place of a tap the card's own network device (doorbell)"),
	OPT_STRING("peer", peer, "NAME|PATH",
		   "tap, device or socket of the card that 'pass' sends to"),
	OPT_CHOICE("mode", mode, "auto|worker|inline|poll",
		   "how the queues are served (doorbell; auto)"),
	OPT_SIZE("mtu", mtu, "BYTES", 0, 65535, "offered by the card (doorbell)"),
	OPT_SIZE("pairs", pairs, "N", 1, NET_MAX_PAIRS,
		 "pairs of queues, one thread each (1)"),
	OPT_FLAG("no-mrg", no_mrg, "do not negotiate MRG_RXBUF"),
	OPT_FLAG("no-guest-offloads", no_guest_offloads,
		 "do not negotiate GUEST_CSUM and GUEST_TSO"),
	OPT_CHOICE("load", load, "tx|rx|echo|pass",
		   "send, receive, answer, or send to another card (tx)"),
	OPT_CHOICE("host", host, "auto|none|packet|udp|sink",
		   "the other end: a raw or a UDP socket of ours (auto)"),
	OPT_STRING("host-if", host_if, "NAME",
		   "interface of the other end (the tap or device)"),
	OPT_FLAG("host-thread", host_thread,
		 "the other end does not wait for the driver"),
	OPT_SIZE("batch", batch, "N", 1, 32768, "frames per kick (1)"),
	OPT_SIZE("depth", depth, "N", 0, 32768,
		 "frames in flight, per sending queue (as --batch)"),
	OPT_SIZE("size", size, "BYTES", 0, NET_MAX_FRAME,
		 "of a frame with its Ethernet header (64)"),
	OPT_SIZE("min-size", min_size, "BYTES", 0, NET_MAX_FRAME,
		 "frames of random sizes from this on"),
	OPT_CHOICE("layout", layout, "together|header|split|indirect|random",
		   "how a frame is cut into descriptors (together)"),
	OPT_SIZE("segs", segs, "N", 1, NET_MAX_SEGS - 3,
		 "most pieces of a frame (8)"),
	OPT_CHOICE("offload", offload, "none|csum|tso4|tso6",
		   "what the frames leave to the other end (none)"),
	OPT_SIZE("mss", mss, "BYTES", 1, 65535, "of TSO (1448)"),
	OPT_SIZE("buffer", buffer, "BYTES", 1, 1 << 20,
		 "bytes of a receive buffer (as the spec asks)"),
	OPT_SIZE("refill", refill, "N", 1, 32768,
		 "give receive buffers back when N were used (1)"),
	OPT_CHOICE("wait", wait, "call|yield|spin",
		   "for the device: sleep, yield the CPU, or neither (call)"),
	OPT_FLAG("forever", forever, "until SIGINT or SIGTERM"),
	OPT_SIZE("warm", warm, "N", 0, ANY, "frames before what is measured"),
	OPT_STRING("setup", setup, "COMMAND",
		   "a shell command to run when the card is there"),
	OPT_SIZE("lose", lose, "N", 0, ANY, "frames that may be lost (0; any with --host-thread)"),
	OPT_STRING("count-file", count_file, "FILE",
		   "where an emulator counts instructions"),
};

static int check_device(const struct net_options *o)
{
	if (!!o->common.socket + o->vhost_net + o->doorbell != 1)
		return bench_complain("--socket, --vhost-net, --doorbell",
				      "one of them is needed");
	if (o->vhost_net && !o->tap)
		return bench_complain("--vhost-net", "needs --tap");
	if (o->doorbell && !o->tap + !o->dev != 1)
		return bench_complain("--doorbell", "needs --tap or --dev");
	if (o->dev && !o->doorbell)
		return bench_complain("--dev", "needs --doorbell");
	if (o->common.mem_kind == MEM_FILE)
		return bench_complain("--mem", "a file is for disks only");
	if (o->common.regions > FE_TABLE_MAX)
		return bench_complain("--regions", "more than 8 are for disks only");
	return driver_options_check(&o->common);
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
	if (o->load == NET_LOAD_TX && o->common.verify)
		o->host = NET_HOST_PACKET;
}

static int check_load(struct net_options *o)
{
	if (!o->depth)
		o->depth = o->batch;
	if (o->depth < o->batch)
		return bench_complain("--depth", "less than --batch");
	if (o->depth > o->common.queue_size)
		return bench_complain("--depth", "more than the queue has");
	if (!o->size)
		o->size = 64;
	if (!o->min_size)
		o->min_size = o->size;
	if (o->min_size > o->size)
		return bench_complain("--min-size", "more than --size");
	if (o->min_size < net_frame_least((enum net_offload)o->offload))
		return bench_complain("--size", "too short for a frame of ours");
	if ((o->load == NET_LOAD_PASS) != !!o->peer)
		return bench_complain("--peer", "goes with --load pass");
	choose_host(o);
	if (o->host == NET_HOST_UDP && o->offload != NET_OFFLOAD_NONE)
		return bench_complain("--offload", "not with --host udp");
	if (o->host == NET_HOST_SINK &&
	    (o->load != NET_LOAD_TX || o->offload != NET_OFFLOAD_NONE))
		return bench_complain("--host sink", "takes UDP only");
	if (o->load == NET_LOAD_PASS && o->host != NET_HOST_NONE)
		return bench_complain("--host", "not with --load pass");
	if (o->load == NET_LOAD_ECHO &&
	    (o->host == NET_HOST_PACKET || o->offload != NET_OFFLOAD_NONE))
		return bench_complain("--load echo", "answers UDP only");
	if (o->lose == NET_LOSE_AUTO && !o->host_thread)
		o->lose = 0;
	if (o->forever)
		o->common.seconds = ANY / 2000000000u;
	driver_options_limit(&o->common);
	return 0;
}

int net_options_parse(struct net_options *o, int argc, char **argv)
{
	const struct optparse_table own = { rows, ARRAY_SIZE(rows), o };
	int ret;

	*o = (struct net_options){
		.common = { DRIVER_OPTIONS_DEFAULT, .queue_size = 256 },
		.pairs = 1, .batch = 1, .segs = 8, .mss = 1448, .refill = 1,
		.lose = NET_LOSE_AUTO,
	};
	ret = driver_options_run(&o->common, &own, argc, argv);
	if (ret || o->common.help)
		return ret;
	if (o->common.hostile && !strcmp(o->common.hostile, "list"))
		return 0;
	ret = check_device(o);
	return ret ? ret : check_load(o);
}

void net_options_help(void)
{
	const struct optparse_table own = { rows, ARRAY_SIZE(rows), NULL };

	driver_options_help_own("Network cards", &own);
}
