// SPDX-License-Identifier: GPL-2.0
/*
 * net_run - one run of a load on a network card
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "link.h"
#include "net_run.h"
#include "net_tap.h"
#include "net_watch.h"

/* Limit of guest memory for the receive buffers of a lane. */
#define RX_BYTES	(64u << 20)
/* Size of a buffer that is merged with others, as Linux drivers choose it. */
#define MERGED_BUFFER	1536u
#define SMALL_FRAME	1518u

int net_say(const char *what, const char *why, int ret)
{
	fprintf(stderr, "doorbell-bench: %s: %s\n", what, why);
	return ret;
}

static int say_dev(const struct net_dev *d, int ret)
{
	if (ret)
		net_say(d->what ? d->what : d->name, strerror(-ret), ret);
	return ret;
}

/*
 * The address of emulated guest @n. A macvtap passes only frames to its own
 * address, so the guest must use that one.
 */
struct net_address net_run_guest(const struct net_dev *dev, unsigned int n,
				 uint32_t host_ip)
{
	struct net_address a = {
		.mac = { 0x02, 0xd0, 0x0b, 0xe1, 0x10, (uint8_t)n },
		.ip = htonl(ntohl(host_ip) + 1 + n), .port = NET_PORT_GUEST,
	};
	struct link_info link;

	if (dev->tap[0] >= 0 && *dev->name == '/' &&
	    !link_get(dev->ifname, &link))
		memcpy(a.mac, link.mac, sizeof(a.mac));
	return a;
}

static int open_cards(struct net_run *r)
{
	const struct net_options *o = r->o;
	const char *name[2] = { o->common.socket ? o->common.socket : o->dev ? o->dev : o->tap,
				o->peer };
	int ret = 0;

	while (!ret && r->ncards < 1 + !!o->peer) {
		struct net_card *c = &r->card[r->ncards];

		ret = net_dev_open(&c->dev, o, name[r->ncards]);
		r->ncards++;
		say_dev(&c->dev, ret);
	}
	return ret;
}

/* Finds the host's interface and its address. */
static int find_host(struct net_run *r)
{
	const char *name = r->o->host_if ? r->o->host_if :
					   r->card[0].dev.ifname;
	bool udp = r->o->host == NET_HOST_UDP || r->o->host == NET_HOST_SINK;
	struct link_info link;
	int ret = 0;

	/* Default: an address that no host has. */
	r->host = (struct net_address){
		.mac = { 0x02, 0xd0, 0x0b, 0xe1, 0xff, 0xff },
		.ip = htonl(0xc6120001u), .port = NET_PORT_HOST,
	};
	if (r->o->host != NET_HOST_NONE && !*name)
		return net_say("--host-if", "is missing", -EINVAL);
	if (strlen(name) >= sizeof(r->host_if))
		return net_say(name, strerror(ENAMETOOLONG), -ENAMETOOLONG);
	strcpy(r->host_if, name);
	if (udp) {
		ret = net_if_address(name, &r->host.ip);
		if (!ret)
			ret = link_get(name, &link);
		if (!ret)
			memcpy(r->host.mac, link.mac, sizeof(r->host.mac));
	}
	if (ret)
		return net_say(name, strerror(-ret), ret);
	for (unsigned int i = 0; i < r->ncards; i++)
		r->card[i].self = net_run_guest(&r->card[i].dev, i, r->host.ip);
	if (udp)
		ret = net_if_neighbour(name, r->card[0].self.ip,
				       r->card[0].self.mac);
	return ret ? net_say("SIOCSARP", strerror(-ret), ret) : 0;
}

static struct net_frame_rules frame_rules(const struct net_options *o)
{
	return (struct net_frame_rules){
		.offload = (enum net_offload)o->offload,
		.size = (uint32_t)o->size, .min_size = (uint32_t)o->min_size,
		.mss = (uint32_t)o->mss, .seed = o->common.seed,
	};
}

/* The size of receive buffers that the spec asks for with these features. */
static uint32_t buffer_size(const struct net_options *o,
			    const struct net_dev *d)
{
	uint64_t large = 1ull << VIRTIO_NET_F_GUEST_TSO4 |
			 1ull << VIRTIO_NET_F_GUEST_TSO6;
	uint32_t frame = SMALL_FRAME;

	if (o->buffer)
		return (uint32_t)o->buffer;
	if (net_dev_has(d, VIRTIO_NET_F_MRG_RXBUF))
		return MERGED_BUFFER;
	if (d->features & large)
		frame = NET_MAX_FRAME;
	else if (o->size > frame)
		frame = (uint32_t)o->size;
	return frame + d->hlen;
}

static struct net_slot_rules slot_rules(const struct net_options *o,
					const struct net_dev *d, bool in)
{
	return (struct net_slot_rules){
		.layout = (enum net_layout)o->layout, .hlen = d->hlen,
		.segs = (unsigned int)o->segs, .in = in,
		.indirect = net_dev_has(d, VIRTIO_RING_F_INDIRECT_DESC),
	};
}

static void plan_lane(struct net_run *r, struct net_lane *l)
{
	const struct net_options *o = r->o;
	const struct net_card *sends = &r->card[0];
	const struct net_card *receives = &r->card[r->ncards - 1];
	uint32_t most;

	l->o = o;
	l->gate = &r->gate;
	l->check = r->check;
	l->lockstep = o->pairs == 1 && !o->host_thread &&
		      (o->host != NET_HOST_NONE || o->load == NET_LOAD_TX ||
		       o->load == NET_LOAD_PASS);
	l->mrg = net_dev_has(&receives->dev, VIRTIO_NET_F_MRG_RXBUF);
	l->hlen = receives->dev.hlen;
	l->self = receives->self;
	l->frames = frame_rules(o);
	l->tx.rules = slot_rules(o, &sends->dev, false);
	l->rx.rules = slot_rules(o, &receives->dev, true);
	l->rx.size = buffer_size(o, &receives->dev);
	most = RX_BYTES / l->rx.size;
	l->rx.nslots = o->common.queue_size < most ? (uint32_t)o->common.queue_size : most;
}

static void plan_streams(struct net_run *r, struct net_lane *l)
{
	const struct net_options *o = r->o;
	struct net_frame_rules in = frame_rules(o), out = frame_rules(o);
	const struct net_card *guest = &r->card[0];

	in.from = guest->self;
	in.to = r->host;
	out.from = r->host;
	out.to = guest->self;
	if (o->load == NET_LOAD_PASS)
		in.to = r->card[1].self;
	l->frames = o->load == NET_LOAD_RX ? out : in;
	l->host = (struct net_host){
		.kind = (enum net_host_kind)o->host, .fd = -1,
		.stream = (uint16_t)l->index, .checked = o->common.verify,
		.in = in, .out = out,
	};
}

static int create_lanes(struct net_run *r)
{
	const struct net_options *o = r->o;
	unsigned int n = (unsigned int)o->pairs;

	r->lane = calloc(n, sizeof(*r->lane));
	r->check = calloc(n, sizeof(*r->check));
	if (!r->lane || !r->check)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		struct net_lane *l = &r->lane[r->nlanes++];

		net_check_init(&r->check[i]);
		l->index = i;
		plan_lane(r, l);
		plan_streams(r, l);
		l->target = o->common.count ? o->common.count * (i + 1) / n -
			    o->common.count * i / n : UINT64_MAX;
		l->warm = o->warm / n;
	}
	return 0;
}

static int create_rings(struct net_run *r, struct net_card *c, unsigned int n)
{
	const struct net_options *o = r->o;
	int ret = 0;

	while (!ret && c->nrings < 2 * o->pairs) {
		struct ring *q = &c->ring[c->nrings];

		ret = ring_create(q, &r->mem, &(struct ring_config){
			.num = (unsigned int)o->common.queue_size,
			.packed = o->common.packed, .in_order = o->common.in_order,
			.region = n + c->nrings, .seed = o->common.seed + c->nrings,
		});
		if (ret)
			break;
		q->event_idx = net_dev_has(&c->dev, VIRTIO_RING_F_EVENT_IDX);
		c->nrings++;
	}
	return ret;
}

static int create_memory(struct net_run *r)
{
	const struct net_options *o = r->o;
	size_t rings = r->ncards * 2 * o->pairs *
		       (ring_bytes((unsigned int)o->common.queue_size) + 64);
	size_t all = rings + 65536, one = 1 << 18;
	int ret;

	for (unsigned int i = 0; i < r->nlanes; i++) {
		struct net_lane *l = &r->lane[i];

		/* net_lane_bytes() reads only the number of entries. */
		l->tx.ring = &(struct ring){ .num = (uint16_t)o->common.queue_size };
		all += net_lane_bytes(l);
		l->tx.ring = NULL;
	}
	one += rings / (r->ncards * 2 * o->pairs) +
	       net_slot_bytes(&r->lane[0].rx.rules, r->lane[0].rx.size);
	/* A piece lies in one region, so each region may waste one piece. */
	ret = mem_create(&r->mem, o->common.mem_kind, NULL, (unsigned int)o->common.regions,
			 all / o->common.regions + 2 * one);
	for (unsigned int i = 0; !ret && i < r->ncards; i++)
		ret = create_rings(r, &r->card[i], i);
	for (unsigned int i = 0; !ret && i < r->nlanes; i++) {
		struct net_lane *l = &r->lane[i];

		l->tx.ring = &r->card[0].ring[2 * i + 1];
		l->rx.ring = &r->card[r->ncards - 1].ring[2 * i];
		ret = net_lane_create(l);
	}
	return ret ? net_say("guest memory", strerror(-ret), ret) : 0;
}

static int start_cards(struct net_run *r)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < r->ncards; i++) {
		struct net_card *c = &r->card[i];

		ret = net_dev_setup(&c->dev, &r->mem);
		while (!ret && c->started < c->nrings) {
			struct ring *q = &c->ring[c->started];

			ret = net_dev_start(&c->dev, c->started, q,
					    ring_base(q));
			c->started += !ret;
		}
		say_dev(&c->dev, ret);
	}
	return ret;
}

static int start_hosts(struct net_run *r)
{
	bool receives = net_lane_host_receives(r->o);
	int ret = 0;

	if (r->o->setup && system(r->o->setup))
		return net_say("--setup", "the command failed", -EINVAL);
	/*
	 * Create these sockets only now: a UDP socket needs its address to
	 * exist, and --setup may have moved it.
	 */
	for (unsigned int i = 0; !ret && r->o->host != NET_HOST_NONE &&
	     i < r->nlanes; i++)
		ret = net_host_create(&r->lane[i].host, r->host_if, receives);
	if (ret)
		return net_say(r->host_if, strerror(-ret), ret);
	for (unsigned int i = 0; !ret && i < r->ncards; i++)
		ret = net_lane_announce(&r->card[i].ring[1], &r->card[i].self,
					r->card[i].dev.hlen);
	return ret ? net_say("first frame", strerror(-ret), ret) : 0;
}

static int stop_card(struct net_run *r, struct net_card *c)
{
	unsigned int base;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < c->started; i++) {
		struct ring *q = &c->ring[i];

		ret = net_dev_stop(&c->dev, i, &base);
		/*
		 * Check only sending queues: a receiving queue still holds
		 * buffers.
		 */
		if (ret || i % 2 == 0 || q->num_free != q->num ||
		    base == ring_base(q))
			continue;
		/*
		 * DPDK gives only one half of the base, as both halves are
		 * equal.
		 */
		if (r->o->common.socket && base == (ring_base(q) & 0xffff))
			continue;
		fprintf(stderr, "doorbell-bench: queue %u: stopped at %u, "
			"should be %u\n", i, base, ring_base(q));
		r->errors++;
	}
	c->started = 0;
	return say_dev(&c->dev, ret);
}

static int work(struct net_run *r)
{
	struct net_watch w;
	unsigned int n = 0;
	int ret = net_watch_begin(&w);

	while (!ret && n < r->nlanes) {
		ret = net_lane_start(&r->lane[n]);
		n += !ret;
	}
	/* The started lanes would wait for the others for ever. */
	if (ret) {
		net_say("thread", strerror(-ret), ret);
		_exit(BENCH_FAILED);
	}
	net_watch(&w, r);
	for (unsigned int i = 0; i < n; i++)
		net_lane_join(&r->lane[i]);
	net_watch_end(&w);
	return 0;
}

int net_run(struct net_run *r, const struct net_options *o)
{
	int ret;

	*r = (struct net_run){ .o = o, .mem = { .fd = -1 } };
	r->gate.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->gate.event < 0)
		return net_say("eventfd", strerror(errno), -errno);
	ret = open_cards(r);
	if (!ret)
		ret = find_host(r);
	if (!ret)
		ret = create_lanes(r);
	if (!ret)
		ret = create_memory(r);
	if (!ret)
		ret = start_cards(r);
	if (!ret)
		ret = start_hosts(r);
	if (!ret)
		ret = work(r);
	for (unsigned int i = 0; !ret && i < r->ncards; i++)
		ret = stop_card(r, &r->card[i]);
	return ret;
}

void net_run_destroy(struct net_run *r)
{
	for (unsigned int i = 0; i < r->ncards; i++)
		net_dev_close(&r->card[i].dev);
	for (unsigned int i = 0; i < r->nlanes; i++)
		net_lane_destroy(&r->lane[i]);
	for (unsigned int i = 0; i < r->ncards; i++)
		while (r->card[i].nrings)
			ring_destroy(&r->card[i].ring[--r->card[i].nrings]);
	free(r->lane);
	free(r->check);
	mem_destroy(&r->mem);
	close(r->gate.event);
}
