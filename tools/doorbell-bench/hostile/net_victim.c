// SPDX-License-Identifier: GPL-2.0
/* net_victim - a network card, attacked on one queue of its first pair */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_run.h"
#include "net_tap.h"
#include "net_victim.h"
#include "quick.h"

#define REGION		(1u << 20)
#define FRAME_ROOM	(1u << 17)
#define TIMEOUT		10000	/* ms; long, as emulated machines are slow */
/*
 * Most frames to skip before ours: foreign frames, and frames left from an
 * attack.
 */
#define STRANGERS	2000

static unsigned int attacked(const struct net_victim *n)
{
	return n->rx ? 0 : 1;
}

static struct ring *ring_of(struct net_victim *n, unsigned int pair, bool rx)
{
	if (pair)
		return &n->witness[rx ? 0 : 1];
	return &n->v.ring[rx == n->rx ? 0 : 1];
}

static int create_ring(struct net_victim *n, struct ring *r, unsigned int region)
{
	int ret = ring_create(r, &n->v.mem, &(struct ring_config){
		.num = VICTIM_NUM, .packed = n->o->common.packed, .region = region,
	});

	if (!ret)
		r->event_idx = net_dev_has(&n->dev, VIRTIO_RING_F_EVENT_IDX);
	return ret;
}

static int create_memory(struct net_victim *n)
{
	struct victim *v = &n->v;
	int ret = mem_create(&v->mem, n->o->common.mem_kind, NULL, 2, REGION);

	if (ret)
		return ret;
	v->guard = mem_alloc(&v->mem, VICTIM_GUARD, 4096, 1);
	memset(v->guard, 0x5a, VICTIM_GUARD);
	for (unsigned int i = 0; !ret && i < 2; i++)
		ret = create_ring(n, &v->ring[i], i);
	for (unsigned int i = 0; !ret && i < 2; i++)
		ret = create_ring(n, &n->witness[i], 1);
	if (ret)
		return ret;
	v->table_at = mem_alloc(&v->mem, VICTIM_TABLE * sizeof(*v->table), 16,
				0);
	v->desc = n->o->common.packed ? v->packed.desc : v->ring[0].split.desc;
	v->table = n->o->common.packed ? v->packed.table : v->table_at;
	n->hdr = mem_alloc(&v->mem, sizeof(*n->hdr), 16, 0);
	n->frame = mem_alloc(&v->mem, FRAME_ROOM, 4096, 0);
	n->frame_size = FRAME_ROOM;
	n->good = mem_alloc(&v->mem, NET_HDR_MRG + NET_VICTIM_BUFFER, 64, 1);
	return n->hdr && n->frame && n->good ? 0 : -ENOMEM;
}

static int create_hosts(struct net_victim *n)
{
	const char *ifname = n->o->host_if ? n->o->host_if : n->dev.ifname;
	int ret = *ifname ? 0 : -ENODEV;

	n->peer = (struct net_address){
		.mac = { 0x02, 0xd0, 0x0b, 0xe1, 0xff, 0xff },
		.ip = htonl(0xc6120001u), .port = NET_PORT_HOST,
	};
	n->self = net_run_guest(&n->dev, 0, n->peer.ip);
	for (unsigned int i = 0; !ret && i < 2; i++) {
		struct net_frame_rules out = {
			.size = NET_VICTIM_FRAME, .min_size = NET_VICTIM_FRAME,
			.from = n->peer, .to = n->self,
		};
		struct net_frame_rules in = out;

		in.from = n->self;
		in.to = n->peer;
		n->host[i] = (struct net_host){
			.kind = NET_HOST_PACKET, .stream = (uint16_t)i,
			.checked = true, .fd = -1, .in = in, .out = out,
		};
		ret = net_host_create(&n->host[i], ifname, true);
	}
	return ret;
}

static int start(struct net_victim *n)
{
	int ret = net_dev_setup(&n->dev, &n->v.mem);

	for (unsigned int q = 0; !ret && q < 2 + 2u * n->has_witness; q++) {
		struct ring *r = ring_of(n, q / 2, q % 2 == 0);

		ret = net_dev_start(&n->dev, q, r, ring_base(r));
	}
	return ret;
}

int net_victim_open(struct net_victim *n, const struct net_options *o, bool rx)
{
	int ret;

	memset(n, 0, sizeof(*n));
	n->o = o;
	n->rx = rx;
	n->has_witness = o->pairs > 1;
	n->v.mem.fd = -1;
	for (unsigned int i = 0; i < 2; i++) {
		n->v.ring[i].kick = n->witness[i].kick = -1;
		n->host[i].fd = -1;
	}
	ret = net_dev_open(&n->dev, o, o->common.socket ? o->common.socket :
			   o->dev ? o->dev : o->tap);
	if (!ret)
		ret = create_memory(n);
	if (!ret)
		ret = create_hosts(n);
	if (!ret)
		ret = start(n);
	if (!ret)
		ret = net_victim_restart(n);
	if (ret) {
		net_say(n->dev.what ? n->dev.what : "card", strerror(-ret), 0);
		net_victim_close(n);
	}
	return ret;
}

void net_victim_close(struct net_victim *n)
{
	net_dev_close(&n->dev);
	for (unsigned int i = 0; i < 2; i++) {
		if (n->v.ring[i].kick >= 0)
			ring_destroy(&n->v.ring[i]);
		if (n->witness[i].kick >= 0)
			ring_destroy(&n->witness[i]);
		net_host_destroy(&n->host[i]);
	}
	mem_destroy(&n->v.mem);
}

static void make_frame(struct net_victim *n, unsigned int pair,
		       struct virtio_net_hdr *hdr, uint8_t *frame)
{
	struct net_tag tag = { (uint16_t)pair, ++n->seq };

	net_frame_make(&n->host[pair].in, tag, hdr, frame);
}

static void craft(struct net_victim *n, struct vring_desc *d)
{
	struct victim *v = &n->v;
	uint16_t write = n->rx ? VRING_DESC_F_WRITE : 0;

	memset(n->hdr, 0, sizeof(*n->hdr));
	make_frame(n, 0, (void *)n->hdr, n->frame);
	d[0] = (struct vring_desc){ victim_gpa(v, n->hdr), n->dev.hlen,
				    VRING_DESC_F_NEXT | write, 1 };
	d[1] = (struct vring_desc){ victim_gpa(v, n->frame),
				    n->rx ? NET_VICTIM_BUFFER :
					    NET_VICTIM_FRAME, write, 0 };
	if (ring_is_packed(&v->ring[0]))
		v->packed.id = 0;
	else
		v->ring[0].split.avail->ring[0] = 0;
	v->avail_idx = 1;
}

void net_victim_direct(struct net_victim *n)
{
	craft(n, n->v.desc);
}

void net_victim_indirect(struct net_victim *n)
{
	struct victim *v = &n->v;

	craft(n, v->table);
	v->desc[0] = (struct vring_desc){ victim_gpa(v, v->table_at),
					  2 * sizeof(*v->table),
					  VRING_DESC_F_INDIRECT, 0 };
}

void net_victim_buffers(struct net_victim *n, unsigned int count, uint32_t len)
{
	struct victim *v = &n->v;

	craft(n, v->desc);
	/* A packed ring gets the same number of these buffers. */
	for (unsigned int i = 0; i < count; i++) {
		v->desc[i] = (struct vring_desc){
			victim_gpa(v, n->frame + i * 4096), len,
			n->rx ? VRING_DESC_F_WRITE : 0, 0,
		};
		if (!ring_is_packed(&v->ring[0]))
			v->ring[0].split.avail->ring[i] = (uint16_t)i;
	}
	v->avail_idx = (uint16_t)count;
}

void net_victim_incoming(struct net_victim *n, unsigned int count,
			 uint32_t size)
{
	struct net_host *h = &n->host[0];

	h->out.size = h->out.min_size = size;
	while (count--)
		if (net_host_send(h, ++n->seq))
			break;
	h->out.size = h->out.min_size = NET_VICTIM_FRAME;
}

bool net_victim_arrived(struct net_victim *n, int timeout_ms)
{
	struct net_got got;

	while (!net_host_receive(&n->host[0], &got, false, timeout_ms))
		if (!got.wrong && got.tag.seq == n->seq)
			return true;
	return false;
}

bool net_victim_gone(const struct net_victim *n)
{
	return n->dev.fe.sock >= 0 && fe_gone(&n->dev.fe);
}

int net_victim_restart(struct net_victim *n)
{
	struct victim *v = &n->v;
	unsigned int base;
	int ret = net_dev_stop(&n->dev, attacked(n), &base);

	if (!ret)
		ret = victim_reset(v);
	if (ret)
		return ret;
	v->avail_idx = 0;
	return net_dev_start(&n->dev, attacked(n), &v->ring[0],
			     ring_base(&v->ring[0]));
}

int net_victim_sends(struct net_victim *n, unsigned int pair)
{
	struct ring *r = ring_of(n, pair, false);
	struct net_host *h = &n->host[pair];
	struct ring_shape shape = { 0 };
	struct ring_seg seg[2] = {
		{ .gpa = victim_gpa(&n->v, n->good), .len = n->dev.hlen },
		{ .gpa = victim_gpa(&n->v, n->good + n->dev.hlen),
		  .len = NET_VICTIM_FRAME },
	};
	struct net_got got;
	int ret;

	memset(n->good, 0, n->dev.hlen);
	make_frame(n, pair, (void *)n->good, n->good + n->dev.hlen);
	ret = ring_add(r, seg, 2, shape, 0);
	if (ret)
		return ret;
	ring_publish(r);
	ret = quick_pop(r, TIMEOUT);
	while (!ret) {
		ret = net_host_receive(h, &got, true, TIMEOUT);
		/*
		 * Skip frames with another number: they are left from an
		 * attack.
		 */
		if (!ret && got.tag.seq == n->seq)
			return got.wrong ? -EILSEQ : 0;
	}
	return ret == -EAGAIN ? -ENOMSG : ret;
}

int net_victim_receives(struct net_victim *n, unsigned int pair)
{
	struct ring *r = ring_of(n, pair, true);
	struct net_host *h = &n->host[pair];
	uint8_t *frame = n->good + n->dev.hlen;
	struct ring_seg seg = { victim_gpa(&n->v, n->good),
				n->dev.hlen + NET_VICTIM_BUFFER, true };
	struct ring_shape shape = { 0 };
	uint64_t end = bench_now_ns() + TIMEOUT * 1000000ull;
	uint64_t first = n->seq + 1;
	bool posted = false;
	struct net_tag tag;
	int ret = 0;

	/*
	 * Post a buffer first: a port may drop frames for a driver that had no
	 * buffers for long. The port may take a moment to notice the buffer, so
	 * send more than one frame. Frames that the attack left in the port
	 * arrive before these.
	 */
	for (unsigned int i = 0; i < STRANGERS && bench_now_ns() < end; i++) {
		if (!posted)
			ret = ring_add(r, &seg, 1, shape, 0);
		if (ret)
			break;
		ring_publish(r);
		if (posted || i % 64 == 0)
			ret = net_host_send(h, ++n->seq);
		if (ret && ret != -EAGAIN)
			break;
		ret = quick_pop(r, TIMEOUT / 10);
		posted = ret == -ETIMEDOUT;
		if (posted)
			ret = 0;
		if (ret)
			break;
		if (posted || !net_frame_tag(&h->out, frame, NET_VICTIM_FRAME,
					     &tag) || tag.stream != pair)
			continue;
		if (tag.seq >= first)
			return net_frame_check(&h->out, &tag, NULL, frame,
					       NET_VICTIM_FRAME) ? -EILSEQ : 0;
	}
	return ret ? ret : -ENOMSG;
}
