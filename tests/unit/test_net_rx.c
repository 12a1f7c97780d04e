// SPDX-License-Identifier: GPL-2.0
/* backend_net_rx.c: from the port into the driver's buffers. */
#include <stdlib.h>

#include "net.h"
#include "tap.h"

#define NUM		64U
#define MAX_FRAME	66000
#define MRG		(V1 | F(MRG_RXBUF))
#define TSO		(F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6))
/* Buffer @n, far from all others */
#define BUF(n)		(RING_DATA + (u64)(n) * 0x11000)

static u8 data[FRAMES][MAX_FRAME];
static struct sk_buff skb[FRAMES];
static u16 next_desc, seen;
static u32 next_buf;

static void begin_with(u32 num, u64 features)
{
	net_init(num, false, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(features);
	next_desc = seen = 0;
	next_buf = 0;
}

static void begin(u64 features)
{
	begin_with(NUM, features);
}

static u16 put(const struct bell_seg *seg, u32 n, u32 nout)
{
	u16 head = next_desc % r->cfg.num;

	for (u32 i = 0; i < n; i++, next_desc++)
		ring_put_desc(&r->desc[next_desc % r->cfg.num], seg[i].addr,
			      seg[i].len, (i + 1 < n ? D_NEXT : 0) |
			      (i < nout ? 0 : D_WRITE),
			      (next_desc + 1) % r->cfg.num);
	ring_add(r, head);
	return head;
}

/* A buffer of one piece */
static void post(u32 len)
{
	u64 gpa = BUF(next_buf++ % NUM);

	memset(ring_at(gpa), 0xaa, len);
	put(&(struct bell_seg){ gpa, len }, 1, 0);
}

/* A frame at the port, the end of which lies elsewhere */
static struct sk_buff *arrive(u32 len)
{
	u32 n = port.nskb++;

	for (u32 i = 0; i < len; i++)
		data[n][i] = n * 31 + i * 7 + i / 256;
	skb[n] = (struct sk_buff){
		.len = len, .data_len = len / 3, .data = data[n],
		.more = data[n] + len - len / 3,
	};
	port.skb[n] = &skb[n];
	return &skb[n];
}

static u16 used(void)
{
	return le16toh(r->used->idx);
}

static u32 used_len(u16 n)
{
	return le32toh(r->used->ring[n % r->cfg.num].len);
}

/* What the driver finds in the next used buffers: its length, 0 if there is none */
static u32 read_buf(u8 *to)
{
	u16 i;
	u32 len, left;

	if (seen == used())
		return 0;
	i = le32toh(r->used->ring[seen % r->cfg.num].id);
	len = left = used_len(seen++);
	for (;; i = le16toh(r->desc[i].next)) {
		u32 l = le32toh(r->desc[i].len);

		l = l < left ? l : left;
		for (u32 k = 0; k < l; k++)
			*to++ = *(u8 *)ring_at(le64toh(r->desc[i].addr) + k);
		left -= l;
		if (!left || !(le16toh(r->desc[i].flags) & D_NEXT))
			break;
	}
	CHECK_EQ(left, 0);
	return len;
}

static u8 got[MAX_FRAME];
static const struct virtio_net_hdr_mrg_rxbuf *got_hdr = (void *)got;

/* As a driver does it: the first buffer's header says how many there are. */
static u32 read_frame(u32 hdr_len)
{
	u32 len = read_buf(got), n = 1;

	if (len && hdr_len == 12)
		n = le16toh(got_hdr->num_buffers);
	while (len && --n)
		len += read_buf(got + len);
	return len;
}

static void check_frame(u32 hdr_len, u32 n)
{
	CHECK_EQ(read_frame(hdr_len), hdr_len + skb[n].len);
	for (u32 i = 0; i < skb[n].len && !tap_bad; i++)
		CHECK_EQ(got[hdr_len + i], data[n][i]);
}

static void test_headers(void)
{
	static const u64 features[] = { 0, F(GUEST_CSUM), V1, F(MRG_RXBUF), MRG };

	for (u32 i = 0; i < 5; i++) {
		u32 hdr_len = i < 2 ? 10 : 12;

		begin(features[i]);
		post(2000);
		arrive(100);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(used_len(0), hdr_len + 100);
		check_frame(hdr_len, 0);
		for (u32 k = 0; k < hdr_len; k++)
			CHECK_EQ(got[k], k == 10);
		/* And nothing behind it */
		CHECK_EQ(*(u8 *)ring_at(BUF(0) + hdr_len + 100), 0xaa);
		CHECK_EQ(net_stats().rx_packets, 1);
		CHECK_EQ(net_stats().rx_bytes, 100);
		net_end();
		world_reset();
	}
}

/* --- buffers that are merged --- */

/* Once used, the first @n buffers are pinned; their driver wants to be told. */
static void pin_buffers(u32 n)
{
	struct bell_chain chain;
	u8 byte = 0;

	for (u32 i = 0; i < n; i++) {
		post(300);
		CHECK_EQ(ring_take(r, &chain), 1);
		CHECK_EQ(bell_gmem_write(r->gm, BUF(i), &byte, 1, true), 0);
		bell_vq_complete(&r->vq, &(struct bell_done){
			.head = chain.head, .epoch = chain.epoch,
		});
	}
	seen = n;
	next_buf = 0;
	*ring_used_event(r) = htole16(n);
	r->call = world_eventfd();
	bell_callfd_set(&r->vq.call, r->call);
}

static void test_merged(void)
{
	begin(MRG);
	pin_buffers(20);
	for (u32 i = 0; i < 20; i++)
		post(300);
	port.nskb = 0;
	port.next = 0;
	arrive(1000);
	arrive(50);
	arrive(288);
	arrive(289);
	CHECK_EQ(net_pass(false), BELL_PASS_DONE);
	/* 4, 1, 1 and 2 buffers, shown at once and with one signal */
	CHECK_EQ(used(), 20 + 8);
	CHECK_EQ(world_signals(r->call), 1);
	CHECK_EQ(net_stats().rx_batches, 1);
	CHECK_EQ(used_len(20), 300);
	CHECK_EQ(used_len(23), 112);
	for (u32 i = 0; i < 4; i++)
		check_frame(12, i);
	CHECK_EQ(net_stats().rx_packets, 4);
	CHECK_EQ(net_stats().rx_bytes, 1000 + 50 + 288 + 289);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	net_end();
}

/* The two bytes of num_buffers in any two pieces, also of two pages */
static void test_num_buffers_in_pieces(void)
{
	for (u32 cut = 1; cut <= 13; cut++) {
		for (u32 second = 1; second <= 3; second++) {
			u64 gpa = BUF(0) + PAGE_SIZE - cut;
			struct bell_seg seg[] = {
				{ BUF(8), cut }, { BUF(9), second },
				{ BUF(10), 40 },
			};

			begin(MRG);
			put(seg, 3, 0);
			next_buf = 20;
			for (u32 i = 0; i < 300; i++)
				if (i < 50)
					post(70);
			arrive(2600);
			CHECK_EQ(net_pass(true), BELL_PASS_DONE);
			check_frame(12, 0);
			CHECK_EQ(le16toh(got_hdr->num_buffers), used());
			/* Over the end of a page */
			put(&(struct bell_seg){ gpa, 60 }, 1, 0);
			net_end();
			world_reset();

			begin(MRG);
			put(&(struct bell_seg){ gpa, 60 }, 1, 0);
			for (u32 i = 0; i < 5; i++)
				post(100);
			arrive(300);
			CHECK_EQ(net_pass(true), BELL_PASS_DONE);
			check_frame(12, 0);
			CHECK_EQ(le16toh(got_hdr->num_buffers), 4);
			net_end();
			world_reset();
		}
	}
}

/* More than 255 buffers: both bytes of the number count. */
static void test_many_buffers(void)
{
	begin_with(1024, MRG);
	for (u32 i = 0; i < 700; i++)
		put(&(struct bell_seg){ BUF(i % NUM) + i * 16, 16 }, 1, 0);
	arrive(9000);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(used(), 564);
	check_frame(12, 0);
	CHECK_EQ(le16toh(got_hdr->num_buffers), 564);
	net_end();
}

/* Any frames into any buffers, those of one byte included */
static void test_any_layout(void)
{
	for (u32 seed = 0; seed < 300 && !tap_bad; seed++) {
		u32 hdr_len = seed % 3 ? 12 : 10, frames = 0, posts = 0;
		u64 features = seed % 3 == 2 ? MRG : seed % 3 ? V1 : 0;

		srand(seed);
		begin_with(1024, features);
		for (u32 i = 0; i < 60; i++) {
			struct bell_seg seg[30];
			u32 n = 0, len = 0;

			/* Big enough for a header, and without merging for all */
			while (len < (seed % 3 == 2 ? 12 : 1600) || rand() % 3) {
				u32 l = rand() % 4 ? 1 + rand() % 200 :
					1 + rand() % 5;

				if (n == 20 || seed % 3 != 2)
					l = 1 + rand() % 3000;
				if (n == 29)
					break;
				seg[n].addr = BUF(i) + n * 0x900 +
					      rand() % 100;
				seg[n++].len = l < 0x700 ? l : 0x700;
				len += seg[n - 1].len;
			}
			if (posts + n > 1000 || len < 12)
				break;
			posts += n;
			put(seg, n, 0);
		}
		for (u32 i = 0; i < 5; i++)
			arrive(14 + rand() % 1500);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		for (; frames < port.next && !tap_bad; frames++) {
			/* It may have been too long, if nothing is merged. */
			if (seed % 3 == 2 || !net_stats().rx_drop_long)
				check_frame(hdr_len, frames);
		}
		CHECK(frames > 0);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		if (tap_bad)
			printf("# seed %u\n", seed);
		net_end();
		world_reset();
	}
}

/* --- buffers that are not merged --- */

static void test_not_merged(void)
{
	static const u64 features[] = { V1, 0 };

	for (u32 i = 0; i < 2; i++) {
		u32 hdr_len = i ? 10 : 12;

		begin(features[i]);
		post(hdr_len + 100);
		post(hdr_len + 65535);
		arrive(101);		/* too long for the first one */
		arrive(100);
		arrive(65535);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.next, 3);
		CHECK_EQ(net_stats().rx_drop_long, 1);
		CHECK_EQ(net_stats().rx_packets, 2);
		check_frame(hdr_len, 1);
		check_frame(hdr_len, 2);
		CHECK_EQ(used(), 2);
		net_end();
		world_reset();
	}
}

/* All of the ring is not enough: it is no use to wait. */
static void test_longer_than_ring(void)
{
	begin_with(8, MRG);
	for (u32 i = 0; i < 8; i++)
		post(100);
	arrive(1000);
	arrive(60);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().rx_drop_long, 1);
	CHECK_EQ(port.next, 2);
	check_frame(12, 1);
	CHECK_EQ(used(), 1);
	/* What the ring just holds */
	post(100);
	arrive(800 - 12);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().rx_drop_long, 1);
	check_frame(12, 2);
	CHECK_EQ(used(), 9);
	net_end();
}

/* --- a ring that is dry --- */

/* Would a driver kick that adds the @nth buffer? */
static bool kicks(u16 nth)
{
	if (r->cfg.event_idx)
		return ring_avail_event(r) == nth;
	return !(le16toh(r->used->flags) & VRING_USED_F_NO_NOTIFY);
}

static void test_dry(void)
{
	for (u32 i = 0; i < 2; i++) {
		net_init(NUM, false, false);
		r->cfg.event_idx = !i;
		CHECK_EQ(net_set_port(PORT_FD), 0);
		net_start(MRG);
		next_desc = seen = next_buf = 0;

		post(300);
		post(300);
		arrive(1000);
		arrive(50);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(net_stats().rx_dry, 1);
		CHECK_EQ(port.next, 0);
		CHECK_EQ(used(), 0);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		/* Behind the two that were not enough */
		CHECK(kicks(2));
		CHECK(!r->cfg.event_idx || !kicks(0));
		post(300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(net_stats().rx_dry, 2);
		CHECK(kicks(3));
		post(300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_frame(12, 0);
		CHECK_EQ(port.next, 1);
		CHECK_EQ(net_stats().rx_dry, 3);
		CHECK(kicks(4));
		post(300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_frame(12, 1);
		net_end();
		world_reset();
	}
}

/* Buffers come while we ask for a kick: nobody waits for another. */
static void post_more(void)
{
	world.on_barrier = NULL;
	post(1000);
	post(1000);
}

static void test_dry_race(void)
{
	begin(MRG);
	post(20);
	arrive(1500);
	world.on_barrier = post_more;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.next, 1);
	check_frame(12, 0);
	CHECK_EQ(net_stats().rx_dry, 0);
	net_end();
}

/* Frames that fit are delivered, though the next one must wait. */
static void test_dry_after_some(void)
{
	begin(MRG);
	for (u32 i = 0; i < 3; i++)
		post(300);
	arrive(100);
	arrive(100);
	arrive(600);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.next, 2);
	CHECK_EQ(used(), 2);
	check_frame(12, 0);
	check_frame(12, 1);
	CHECK(be->ops->exec.pending(&exec));
	post(300);
	post(300);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 2);
	CHECK(!be->ops->exec.pending(&exec));
	net_end();
}

/* --- what the packet says --- */

static void test_vlan(void)
{
	static const u32 sizes[] = { 2000, 13, 23, 24, 25, 26, 27, 28, 29, 30 };

	for (u32 i = 0; i < 10; i++) {
		begin(MRG | F(GUEST_CSUM));
		/* The tag in one buffer, or in two */
		post(sizes[i]);
		post(2000);
		arrive(100)->vlan_present = true;
		skb[0].vlan_proto = htobe16(0x8100);
		skb[0].vlan_tci = 0x6123;
		skb[0].ip_summed = CHECKSUM_PARTIAL;
		skb[0].csum_start = 34;
		skb[0].csum_offset = 16;
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(read_frame(12), 12 + 104);
		CHECK(!memcmp(got + 12, data[0], 12));
		CHECK(!memcmp(got + 24, "\x81\x00\x61\x23", 4));
		CHECK(!memcmp(got + 28, data[0] + 12, 88));
		CHECK_EQ(got_hdr->hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		CHECK_EQ(le16toh(got_hdr->hdr.csum_start), 38);
		CHECK_EQ(le16toh(got_hdr->hdr.csum_offset), 16);
		CHECK_EQ(net_stats().rx_bytes, 104);
		net_end();
		world_reset();
	}
	/* Too short to have had one */
	begin(MRG);
	post(200);
	arrive(13)->vlan_present = true;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().rx_drop_offload, 1);
	net_end();
}

static void test_offloads(void)
{
	static const struct {
		u64 features;
		u32 gso;
		int type;		/* or -1: dropped */
	} rows[] = {
		{ 0, SKB_GSO_TCPV4, -1 },
		{ F(GUEST_CSUM), SKB_GSO_TCPV4, -1 },
		{ F(GUEST_CSUM) | F(GUEST_TSO6), SKB_GSO_TCPV4, -1 },
		{ F(GUEST_CSUM) | F(GUEST_TSO4), SKB_GSO_TCPV4,
		  VIRTIO_NET_HDR_GSO_TCPV4 },
		{ F(GUEST_CSUM) | F(GUEST_TSO4), SKB_GSO_TCPV6, -1 },
		{ TSO, SKB_GSO_TCPV6, VIRTIO_NET_HDR_GSO_TCPV6 },
		{ TSO, SKB_GSO_TCPV4 | SKB_GSO_TCP_ECN, -1 },
		{ TSO | F(GUEST_ECN), SKB_GSO_TCPV4 | SKB_GSO_TCP_ECN,
		  VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN },
		{ TSO | F(GUEST_ECN), SKB_GSO_TCPV6, VIRTIO_NET_HDR_GSO_TCPV6 },
		{ TSO | F(GUEST_ECN), SKB_GSO_SCTP, -1 },
	};

	for (u32 i = 0; i < 10; i++) {
		begin(MRG | rows[i].features);
		post(50000);
		arrive(40000)->gso_size = 1448;
		skb[0].gso_type = rows[i].gso;
		skb[0].ip_summed = CHECKSUM_PARTIAL;
		skb[0].csum_start = 34;
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.next, 1);
		CHECK_EQ(net_stats().rx_drop_offload, rows[i].type < 0);
		if (rows[i].type < 0) {
			CHECK_EQ(used(), 0);
		} else {
			check_frame(12, 0);
			CHECK_EQ(got_hdr->hdr.gso_type, rows[i].type);
			CHECK_EQ(le16toh(got_hdr->hdr.gso_size), 1448);
			CHECK_EQ(got_hdr->hdr.flags,
				 VIRTIO_NET_HDR_F_NEEDS_CSUM);
		}
		/* Of a large one nobody computes it. */
		CHECK_EQ(skb[0].helped, 0);
		net_end();
		world_reset();
	}
}

static void test_checksums(void)
{
	begin(MRG);
	for (u32 i = 0; i < 8; i++)
		post(2000);
	arrive(100)->ip_summed = CHECKSUM_PARTIAL;
	arrive(100)->ip_summed = CHECKSUM_PARTIAL;
	skb[1].help = -EINVAL;
	arrive(100)->ip_summed = CHECKSUM_UNNECESSARY;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(skb[0].helped, 1);
	check_frame(12, 0);
	CHECK_EQ(got_hdr->hdr.flags, 0);
	CHECK_EQ(net_stats().rx_drop_offload, 1);
	check_frame(12, 2);
	CHECK_EQ(got_hdr->hdr.flags, 0);
	net_end();
	begin(MRG | F(GUEST_CSUM));
	for (u32 i = 0; i < 8; i++)
		post(2000);
	arrive(100)->ip_summed = CHECKSUM_PARTIAL;
	arrive(100)->ip_summed = CHECKSUM_UNNECESSARY;
	arrive(100)->ip_summed = CHECKSUM_NONE;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(skb[0].helped, 0);
	check_frame(12, 0);
	CHECK_EQ(got_hdr->hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	check_frame(12, 1);
	CHECK_EQ(got_hdr->hdr.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	check_frame(12, 2);
	CHECK_EQ(got_hdr->hdr.flags, 0);
	net_end();
}

/* As it comes from a redirected XDP buffer */
static void test_raw(void)
{
	begin(MRG);
	for (u32 i = 0; i < 4; i++)
		post(300);
	port.raw = true;
	arrive(1000)->data_len = 0;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	CHECK_EQ(le16toh(got_hdr->num_buffers), 4);
	CHECK_EQ(net_stats().rx_bytes, 1000);
	net_end();
}

/* --- what breaks the queue --- */

static void check_broken(void)
{
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK(r->vq.broken);
	CHECK_EQ(world_signals(r->err), 1);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	net_end();
	world_reset();
}

/* The frame before is the guest's, the others stay with the port. */
static void begin_bad(u64 features)
{
	begin(features);
	post(2000);
	arrive(100);
	arrive(1000);
}

static void check_bad(void)
{
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK_EQ(port.next, 1);
	CHECK_EQ(used(), 1);
	check_broken();
}

static void test_no_room_for_header(void)
{
	static const u64 features[] = { MRG, V1, 0 };

	for (u32 i = 0; i < 3; i++) {
		begin_bad(features[i]);
		post(1);
		post(2000);
		check_bad();
		begin_bad(features[i]);
		post(i < 2 ? 11 : 9);
		post(2000);
		check_bad();
	}
	/* Just the header, or one byte more, will do; so do small ones behind. */
	begin_bad(MRG);
	post(12);
	post(1);
	post(1);
	post(2000);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	check_frame(12, 1);
	CHECK_EQ(used(), 5);
	net_end();
}

static void test_readable(void)
{
	begin_bad(MRG);
	put((struct bell_seg[]){ { BUF(3), 12 }, { BUF(4), 2000 } }, 2, 1);
	check_bad();
	begin_bad(MRG);
	put(&(struct bell_seg){ BUF(3), 2000 }, 1, 1);
	check_bad();
	/* The second of those that are merged */
	begin_bad(MRG);
	post(500);
	put(&(struct bell_seg){ BUF(3), 2000 }, 1, 1);
	check_bad();
}

static void test_not_in_memory(void)
{
	static const struct bell_seg seg[] = {
		{ RING_END, 2000 }, { RING_END - 5, 2000 },
		{ RING_END - 100, 2000 }, { ~0ULL - 100, 2000 },
	};

	for (u32 i = 0; i < 4; i++) {
		begin_bad(MRG);
		put(&seg[i], 1, 0);
		check_bad();
		begin_bad(MRG);
		post(500);
		put(&seg[i], 1, 0);
		check_bad();
	}
	/* What is not in memory and not needed harms nobody. */
	begin_bad(MRG);
	put(&(struct bell_seg){ RING_END - 1500, 1U << 31 }, 1, 0);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.next, 2);
	CHECK(!r->vq.broken);
	net_end();
}

/* --- what has to wait --- */

static void test_punt(void)
{
	begin(MRG);
	for (u32 i = 0; i < 12; i++)
		post(5000);
	arrive(100);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_stats().rx_punts, 1);
	CHECK_EQ(r->vq.stats.punts, 1);
	CHECK_EQ(port.next, 0);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	/* A long one over pages of several buffers, and one behind it */
	arrive(20000);
	arrive(60);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(port.next, 1);
	CHECK_EQ(used(), 1);
	CHECK_EQ(net_stats().rx_punts, 3);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 1);
	check_frame(12, 2);
	/* By the worker nothing is punted. */
	CHECK_EQ(net_stats().rx_punts, 3);
	net_end();
}

/* Some that need no pin come before one that does. */
static void test_punt_after_some(void)
{
	begin(MRG);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	next_buf = 0;
	post(1000);
	post(1000);
	arrive(100);
	arrive(100);
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(port.next, 2);
	check_frame(12, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 2);
	net_end();
}

/* A pin of the worker's that cannot be, for a while */
static void test_pin_fails(void)
{
	begin(MRG);
	post(1000);
	arrive(100);
	world.pin_error = -EAGAIN;
	CHECK_EQ(net_pass(true), BELL_PASS_PUNT);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(port.next, 0);
	world.pin_error = 0;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	/* A page that the process does not have */
	world_unmap(BUF(1) >> PAGE_SHIFT, 2);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK(r->vq.broken);
	net_end();
}

static void test_pin_budget(void)
{
	begin(MRG);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass_of(true, 1), BELL_PASS_MORE);
	CHECK_EQ(port.next, 0);
	CHECK_EQ(net_pass_of(true, 1), BELL_PASS_MORE);
	CHECK_EQ(net_pass_of(true, 3), BELL_PASS_DONE);
	check_frame(12, 0);
	net_end();
}

static void test_owner_died(void)
{
	begin(MRG);
	post(1000);
	post(1000);
	arrive(100);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_frame(12, 0);
	arrive(100);
	world.mm.users = 0;
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK(r->vq.parked);
	CHECK(!r->vq.broken);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(port.next, 1);
	world.mm.users = 1;
	net_end();
}

/* --- packed --- */

static void check_packed(u32 hdr_len, u32 n, u32 each)
{
	u32 at = 0, nbuf = 0;

	do {
		const struct vring_packed_desc *d = &p.desc[p.seen.at];
		u64 gpa;
		u32 len;
		u16 id;

		CHECK(packed_is_used(&p));
		gpa = BUF(le16toh(d->id));
		packed_see(&p, &id, &len, each);
		memcpy(got + at, ring_at(gpa), len);
		at += len;
	} while (++nbuf < le16toh(got_hdr->num_buffers) && !tap_bad);
	CHECK_EQ(at, hdr_len + skb[n].len);
	CHECK(!memcmp(got + hdr_len, data[n], skb[n].len));
}

static void packed_post(u16 id, u32 len)
{
	packed_add(&p, (struct pd[]){
		{ BUF(id), 20, D_WRITE | D_NEXT, id },
		{ BUF(id) + 20, len - 20, D_WRITE, id },
	}, 2);
}

static void test_packed(void)
{
	net_init(16, true, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(MRG);
	for (u32 round = 0; round < 30; round++) {
		struct place behind = place_go(p.next, 4, 16);

		packed_post(0, 300);
		packed_post(1, 300);
		port.nskb = port.next = 0;
		arrive(1000);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK(!packed_is_used(&p));
		/* A kick for what comes behind these */
		CHECK_EQ(le16toh(p.device->flags), P_DESC);
		CHECK_EQ(le16toh(p.device->off_wrap), place_word(behind));
		packed_post(2, 300);
		packed_post(3, 300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_packed(12, 0, 2);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	}
	/* All of the ring is not enough. */
	for (u16 i = 0; i < 8; i++)
		packed_post(i, 100);
	port.nskb = port.next = 0;
	arrive(1000);
	arrive(60);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().rx_drop_long, 1);
	check_packed(12, 1, 2);
	net_end();
}

/* --- the rest --- */

static void test_no_port(void)
{
	net_init(NUM, false, false);
	net_start(MRG);
	next_desc = next_buf = 0;
	post(1000);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK(!be->ops->exec.pending(&exec));
	CHECK_EQ(used(), 0);
	net_end();
}

static void test_start_fails(void)
{
	net_init(NUM, false, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	ring_start(r);
	for (u32 nth = 1; nth < 3; nth++) {
		world.fail_alloc = nth;
		CHECK_EQ(be->ops->start_queue(be, &exec, MRG), -ENOMEM);
		CHECK_EQ(port.starts, 0);
	}
	world.fail_alloc = 0;
	port.start_ret = -EBUSY;
	CHECK_EQ(be->ops->start_queue(be, &exec, MRG), -EBUSY);
	port.start_ret = 0;
	/* A queue that did not start keeps no port. */
	CHECK_EQ(net_set_port(-1), 0);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	CHECK_EQ(be->ops->start_queue(be, &exec, MRG), 0);
	CHECK(exec.auto_inline);
	net_end();
}

static void test_set_port(void)
{
	struct vhost_doorbell_net_port cfg = { .pair = 2, .fd = PORT_FD };

	net_init(NUM, false, false);
	CHECK_EQ(bell_backend_net_set_port(be, &cfg), -ENOBUFS);
	cfg.pair = -1U;
	CHECK_EQ(bell_backend_net_set_port(be, &cfg), -ENOBUFS);
	CHECK_EQ(net_set_port(-1), 0);
	CHECK_EQ(net_set_port(3), -EBADF);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	/* A wrong one leaves the good one; another takes its place. */
	CHECK_EQ(net_set_port(-2), -EBADF);
	CHECK_EQ(port.closes, 0);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	CHECK_EQ(port.opens, 2);
	CHECK_EQ(port.closes, 1);
	net_start(MRG);
	CHECK_EQ(net_set_port(PORT_FD), -EBUSY);
	CHECK_EQ(net_set_port(-1), -EBUSY);
	/* The other pair's queues do not run. */
	cfg.pair = 0;
	cfg.fd = -1;
	CHECK_EQ(bell_backend_net_set_port(be, &cfg), 0);
	net_end();
}

static void test_create(void)
{
	static const struct {
		u32 pairs, mtu;
		int ret;
	} rows[] = {
		{ 0, 0, -EINVAL }, { 33, 0, -EINVAL }, { -1U, 0, -EINVAL },
		{ 1, 67, -EINVAL }, { 1, 65536, -EINVAL }, { 1, 1, -EINVAL },
		{ 1, -1U, -EINVAL }, { 1, 68, 0 }, { 32, 65535, 0 }, { 1, 0, 0 },
	};

	for (u32 i = 0; i < 10; i++) {
		struct vhost_doorbell_net cfg = {
			.num_pairs = rows[i].pairs, .mtu = rows[i].mtu,
		};
		struct vhost_doorbell_net_stats st = { .pair = rows[i].pairs };
		struct virtio_net_config c;
		u8 beyond[16] = { };

		be = bell_backend_net_create(&cfg);
		CHECK_EQ(IS_ERR(be) ? PTR_ERR(be) : 0, rows[i].ret);
		if (IS_ERR(be))
			continue;
		CHECK(bell_backend_is_net(be));
		CHECK_EQ(be->num_queues, 2 * rows[i].pairs);
		CHECK_EQ(!!(be->features & F(MQ)), rows[i].pairs > 1);
		CHECK_EQ(!!(be->features & F(MTU)), rows[i].mtu > 0);
		/* The VMM's own */
		CHECK(!(be->features & (F(MAC) | F(STATUS) | F(CTRL_VQ))));
		be->ops->get_config(be, 0, &c, sizeof(c));
		CHECK_EQ(le16toh(c.mtu), rows[i].mtu);
		CHECK_EQ(le16toh(c.max_virtqueue_pairs), rows[i].pairs);
		be->ops->get_config(be, sizeof(c), beyond, 16);
		be->ops->get_config(be, sizeof(c) - 1, beyond, 16);
		be->ops->get_config(be, -1U, beyond, 16);
		CHECK_EQ(be->ops->set_config(be, 0, beyond, 1), -EPERM);
		CHECK_EQ(bell_backend_net_get_stats(be, &st), -ENOBUFS);
		be->ops->show(be, NULL);
		be->ops->destroy(be);
	}
	world.fail_alloc = 1;
	CHECK_EQ(PTR_ERR(bell_backend_net_create(&net_cfg)), -ENOMEM);
}

static const struct tap_test tests[] = {
	{ "net rx: headers of 10 and 12 bytes", test_headers },
	{ "net rx: merged buffers", test_merged },
	{ "net rx: the number of buffers in pieces",
	  test_num_buffers_in_pieces },
	{ "net rx: hundreds of buffers", test_many_buffers },
	{ "net rx: any layout", test_any_layout },
	{ "net rx: big and small buffers, not merged", test_not_merged },
	{ "net rx: longer than all of the ring", test_longer_than_ring },
	{ "net rx: dry, and filled again", test_dry },
	{ "net rx: filled while we ask for a kick", test_dry_race },
	{ "net rx: dry after some", test_dry_after_some },
	{ "net rx: the tag of a VLAN", test_vlan },
	{ "net rx: offloads, agreed on or not", test_offloads },
	{ "net rx: checksums", test_checksums },
	{ "net rx: what is no packet", test_raw },
	{ "net rx: a buffer shorter than the header", test_no_room_for_header },
	{ "net rx: a readable piece", test_readable },
	{ "net rx: what is not in memory", test_not_in_memory },
	{ "net rx: pages that are not pinned", test_punt },
	{ "net rx: pages that are not pinned, after some",
	  test_punt_after_some },
	{ "net rx: pages that cannot be pinned", test_pin_fails },
	{ "net rx: pins and the budget", test_pin_budget },
	{ "net rx: the owner died", test_owner_died },
	{ "net rx: packed ring", test_packed },
	{ "net rx: no port", test_no_port },
	{ "net rx: a start that fails", test_start_fails },
	{ "net: ports of pairs", test_set_port },
	{ "net: cards, and what they offer", test_create },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
