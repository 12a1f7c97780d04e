// SPDX-License-Identifier: GPL-2.0
/*
 * net_hostile_tx - violations on a sending queue: of ring, chain, header and
 * frame
 *
 * A case starts from a valid frame and changes one thing. If only the virtio
 * header is wrong, the chain must be used, whether or not the frame is sent.
 */
#include <endian.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "bench.h"
#include "net_hostile.h"
#include "net_victim.h"

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT
/* An address far from any guest memory. */
#define NOWHERE		0x7000000000000ull

#define KICKS		20000

static struct vring_desc *direct(struct net_victim *n)
{
	net_victim_direct(n);
	return n->v.desc;
}

static struct vring_desc *table(struct net_victim *n)
{
	net_victim_indirect(n);
	return n->v.table;
}

static struct virtio_net_hdr *header(struct net_victim *n)
{
	net_victim_direct(n);
	return (void *)n->hdr;
}

/* Cases: lengths of frames */

static void frame_of(struct net_victim *n, uint32_t len)
{
	direct(n)[1].len = len;
}

static void frame_1(struct net_victim *n)
{
	frame_of(n, 1);
}

static void frame_13(struct net_victim *n)
{
	frame_of(n, 13);
}

static void frame_14(struct net_victim *n)
{
	frame_of(n, 14);
}

static void frame_large(struct net_victim *n)
{
	frame_of(n, 65600);
}

static void frame_larger(struct net_victim *n)
{
	frame_of(n, n->frame_size);
}

/* The longest frame that the ring can hold: all descriptors name the same memory. */
static void frame_huge(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	for (uint16_t i = 1; i < VICTIM_NUM; i++)
		d[i] = (struct vring_desc){
			victim_gpa(&n->v, n->frame), n->frame_size,
			i + 1 < VICTIM_NUM ? NEXT : 0, (uint16_t)(i + 1),
		};
}

static void frame_4g(struct net_victim *n)
{
	frame_of(n, UINT32_MAX);
}

static void header_only(struct net_victim *n)
{
	direct(n)[0].flags = 0;
}

static void header_short(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[0].flags = 0;
	d[0].len = 5;
}

static void header_one(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[0].flags = 0;
	d[0].len = 1;
}

static void zero_header(struct net_victim *n)
{
	direct(n)[0].len = 0;
}

static void zero_frame(struct net_victim *n)
{
	frame_of(n, 0);
}

static void zero_indirect(struct net_victim *n)
{
	table(n)[1].len = 0;
}

/* Cases: readable and writable descriptors mixed up */

static void all_writable(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[0].flags |= WRITE;
	d[1].flags |= WRITE;
}

static void frame_writable(struct net_victim *n)
{
	direct(n)[1].flags |= WRITE;
}

static void header_writable(struct net_victim *n)
{
	direct(n)[0].flags |= WRITE;
}

static void frame_writable_indirect(struct net_victim *n)
{
	table(n)[1].flags |= WRITE;
}

/* Cases: addresses */

static void header_nowhere(struct net_victim *n)
{
	direct(n)[0].addr = NOWHERE;
}

static void frame_nowhere(struct net_victim *n)
{
	direct(n)[1].addr = NOWHERE;
}

static void frame_in_hole(struct net_victim *n)
{
	direct(n)[1].addr = victim_end(&n->v);
}

static void frame_over_end(struct net_victim *n)
{
	direct(n)[1].addr = victim_end(&n->v) - NET_VICTIM_FRAME / 2;
}

static void frame_wraps(struct net_victim *n)
{
	direct(n)[1].addr = UINT64_MAX - NET_VICTIM_FRAME / 2;
}

static void table_nowhere(struct net_victim *n)
{
	table(n);
	n->v.desc[0].addr = NOWHERE;
}

static void table_over_end(struct net_victim *n)
{
	table(n);
	n->v.desc[0].addr = victim_end(&n->v) - 16;
}

/* Cases: chains, indirect tables, indices */

static void loop_of_one(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[1].flags |= NEXT;
	d[1].next = 1;
}

static void loop_to_head(struct net_victim *n)
{
	direct(n)[0].next = 0;
}

static void next_out(struct net_victim *n)
{
	direct(n)[0].next = VICTIM_NUM;
}

static void head_out(struct net_victim *n)
{
	direct(n);
	n->v.ring[0].split.avail->ring[0] = VICTIM_NUM;
}

static void head_twice(struct net_victim *n)
{
	direct(n);
	n->v.ring[0].split.avail->ring[1] = 0;
	n->v.avail_idx = 2;
}

static void idx_jump(struct net_victim *n)
{
	direct(n);
	n->v.avail_idx = VICTIM_NUM + 1;
}

static void idx_back(struct net_victim *n)
{
	direct(n);
	n->v.avail_idx = 0xffff;
}

static void table_empty(struct net_victim *n)
{
	table(n);
	n->v.desc[0].len = 0;
}

static void table_odd(struct net_victim *n)
{
	table(n);
	n->v.desc[0].len--;
}

static void table_nested(struct net_victim *n)
{
	struct vring_desc *t = table(n);

	t[1] = (struct vring_desc){ victim_gpa(&n->v, n->v.table_at),
				    2 * sizeof(*t), INDIRECT, 0 };
}

static void table_next_out(struct net_victim *n)
{
	table(n)[0].next = 2;
}

static void id_out(struct net_victim *n)
{
	direct(n);
	n->v.packed.id = VICTIM_NUM;
}

static void endless(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[1].flags |= NEXT;
	d[1].next = 1;
}

/* Cases: virtio headers that do not fit the frame */

static void gso(struct net_victim *n, uint8_t type, uint16_t size)
{
	struct virtio_net_hdr *h = header(n);

	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = htole16(34);
	h->csum_offset = htole16(6);
	h->hdr_len = htole16(42);
	h->gso_type = type;
	h->gso_size = htole16(size);
}

static void gso_unknown(struct net_victim *n)
{
	gso(n, 0x7f, 20);
}

static void gso_zero(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 0);
}

static void gso_tcp_of_udp(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 20);
}

static void gso_of_one(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 1);
	/* Protocol TCP, so that the header passes more checks. */
	n->frame[23] = 6;
}

static void gso_six(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV6, 20);
}

static void gso_ufo(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_UDP, 24);
}

/* USO, an offload that was not negotiated */
static void gso_uso(struct net_victim *n)
{
	gso(n, 5, 20);
}

static void gso_ecn_only(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_ECN, 20);
}

static void gso_no_csum(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 20);
	n->hdr->hdr.flags = 0;
}

static void gso_size_max(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 0xffff);
}

static void gso_of_arp(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 20);
	n->frame[12] = 0x08;
	n->frame[13] = 0x06;
}

static void csum_beyond(struct net_victim *n)
{
	struct virtio_net_hdr *h = header(n);

	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = htole16(NET_VICTIM_FRAME + 1);
	h->csum_offset = htole16(6);
}

static void csum_at_end(struct net_victim *n)
{
	struct virtio_net_hdr *h = header(n);

	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = htole16(NET_VICTIM_FRAME - 1);
	h->csum_offset = htole16(0);
}

static void csum_max(struct net_victim *n)
{
	struct virtio_net_hdr *h = header(n);

	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = 0xffff;
	h->csum_offset = 0xffff;
}

static void hdr_len_max(struct net_victim *n)
{
	gso(n, VIRTIO_NET_HDR_GSO_TCPV4, 20);
	n->hdr->hdr.hdr_len = 0xffff;
	n->frame[23] = 6;
}

static void hdr_len_plain(struct net_victim *n)
{
	header(n)->hdr_len = 0xffff;
}

static void flags_all(struct net_victim *n)
{
	header(n)->flags = 0xff;
}

static void all_ones(struct net_victim *n)
{
	memset(header(n), 0xff, sizeof(*n->hdr));
}

static void num_buffers(struct net_victim *n)
{
	header(n);
	n->hdr->num_buffers = 0xffff;
}

/* A valid frame; the case that uses it only kicks in an odd way. */

static void good(struct net_victim *n)
{
	direct(n);
}

static void kicks(struct net_victim *n)
{
	for (unsigned int i = 0; i < KICKS; i++)
		ring_kick(&n->v.ring[0]);
}

static void nothing(struct net_victim *n)
{
	direct(n);
	n->v.avail_idx = 0;
}

/* The frame's memory changes while the device serves the frame, or later. */
static void frame_changes(struct net_victim *n)
{
	for (unsigned int i = 0; i < KICKS; i++) {
		n->v.desc[1].addr = i % 2 ? NOWHERE :
				    victim_gpa(&n->v, n->frame);
		n->v.desc[1].len = i % 3 * 60000;
		n->hdr->hdr.gso_type = (uint8_t)i;
		n->hdr->hdr.csum_start = (uint16_t)(i * 77);
		if (i % 64 == 0)
			ring_kick(&n->v.ring[0]);
	}
}

#define ANY		(NET_USED | NET_BROKEN)
#define NOT_SENT	(NET_DROPPED | NET_BROKEN)
#define CASE(n, e, fn)	{ n, e, 0, fn, NULL }
#define SPLIT(n, fn)	{ n, NET_BROKEN, NET_SPLIT, fn, NULL }
#define PACKED(n, fn)	{ n, NET_BROKEN, NET_PACKED, fn, NULL }
#define TABLE(n, e, fn)	{ n, e, NET_INDIRECT, fn, NULL }

static const struct net_case cases[] = {
	CASE("frame-of-1", NET_DROPPED, frame_1),
	CASE("frame-of-13", NET_DROPPED, frame_13),
	CASE("frame-of-14", NET_USED, frame_14),
	CASE("frame-of-64k", NOT_SENT, frame_large),
	CASE("frame-of-128k", NOT_SENT, frame_larger),
	CASE("frame-of-2m", NOT_SENT, frame_huge),
	CASE("frame-of-4g", NOT_SENT, frame_4g),
	CASE("header-only", NOT_SENT, header_only),
	CASE("header-short", NOT_SENT, header_short),
	CASE("header-of-1", NOT_SENT, header_one),
	CASE("zero-length-header", NOT_SENT, zero_header),
	CASE("zero-length-frame", NOT_SENT, zero_frame),
	TABLE("zero-length-indirect", NOT_SENT, zero_indirect),
	CASE("all-writable", NOT_SENT, all_writable),
	CASE("frame-writable", NOT_SENT, frame_writable),
	CASE("readable-after-writable", NET_BROKEN, header_writable),
	TABLE("frame-writable-indirect", NOT_SENT, frame_writable_indirect),
	CASE("header-outside", NOT_SENT, header_nowhere),
	CASE("frame-outside", NOT_SENT, frame_nowhere),
	CASE("frame-in-hole", NOT_SENT, frame_in_hole),
	CASE("frame-over-end", NOT_SENT, frame_over_end),
	CASE("frame-wraps", NOT_SENT, frame_wraps),
	TABLE("table-outside", NET_BROKEN, table_nowhere),
	TABLE("table-over-end", NET_BROKEN, table_over_end),
	TABLE("table-empty", NET_BROKEN, table_empty),
	TABLE("table-odd-length", NET_BROKEN, table_odd),
	TABLE("table-nested", NET_BROKEN, table_nested),
	{ "table-next-out", NET_BROKEN, NET_INDIRECT | NET_SPLIT,
	  table_next_out, NULL },
	SPLIT("loop-of-one", loop_of_one),
	SPLIT("loop-to-head", loop_to_head),
	SPLIT("next-out-of-range", next_out),
	SPLIT("head-out-of-range", head_out),
	{ "head-twice", ANY, NET_SPLIT, head_twice, NULL },
	SPLIT("idx-jump", idx_jump),
	SPLIT("idx-back", idx_back),
	PACKED("id-out-of-range", id_out),
	PACKED("chain-without-end", endless),
	CASE("gso-unknown", NET_DROPPED, gso_unknown),
	CASE("gso-size-0", NET_DROPPED, gso_zero),
	CASE("gso-tcp-of-udp", NET_USED, gso_tcp_of_udp),
	CASE("gso-size-1", NET_USED, gso_of_one),
	CASE("gso-tcp6-of-ipv4", NET_USED, gso_six),
	CASE("gso-ufo", NET_USED, gso_ufo),
	CASE("gso-uso", NET_USED, gso_uso),
	CASE("gso-ecn-only", NET_USED, gso_ecn_only),
	CASE("gso-without-csum", NET_USED, gso_no_csum),
	CASE("gso-size-max", NET_USED, gso_size_max),
	CASE("gso-of-arp", NET_USED, gso_of_arp),
	CASE("csum-beyond-frame", NET_DROPPED, csum_beyond),
	CASE("csum-at-end", NET_DROPPED, csum_at_end),
	CASE("csum-max", NET_DROPPED, csum_max),
	CASE("hdr-len-max", NET_USED, hdr_len_max),
	CASE("hdr-len-without-gso", NET_USED, hdr_len_plain),
	CASE("flags-all", NET_USED, flags_all),
	CASE("header-of-ones", NET_USED, all_ones),
	CASE("num-buffers", NET_USED, num_buffers),
	{ "kicks", NET_SENT, 0, good, kicks },
	{ "kicks-for-nothing", NET_IDLE, 0, nothing, kicks },
	{ "changes-while-served", ANY, 0, good, frame_changes },
};

struct net_set net_hostile_tx_cases(void)
{
	return (struct net_set){ "tx", cases, ARRAY_SIZE(cases) };
}
