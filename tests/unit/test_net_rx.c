// SPDX-License-Identifier: GPL-2.0
/* backend_net_rx.c: from the port into the driver's buffers. */
#include <stdlib.h>

#include "net_rx.h"

#define TSO		(F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6))

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
		/* The byte behind the frame is untouched. */
		CHECK_EQ(*(u8 *)ring_at(BUF(0) + hdr_len + 100), 0xaa);
		CHECK_EQ(net_stats().rx_packets, 1);
		CHECK_EQ(net_stats().rx_bytes, 100);
		net_end();
		world_reset();
	}
}

/* --- mergeable buffers --- */

/*
 * Uses @n buffers once, which pins their pages; the driver wants a signal for
 * each.
 */
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
	/*
	 * Four frames in 4, 1, 1 and 2 buffers, published at once and with one
	 * signal
	 */
	CHECK_EQ(used(), 20 + 8);
	CHECK_EQ(world_signals(r->call), 1);
	CHECK_EQ(net_stats().rx_batches, 1);
	CHECK_EQ(bell_backend_net_places(port.rx), 8);
	CHECK_EQ(bell_backend_net_places(port.rx), 0);
	CHECK_EQ(used_len(20), 300);
	CHECK_EQ(used_len(23), 112);
	for (u32 i = 0; i < 4; i++)
		check_frame(12, i);
	CHECK_EQ(net_stats().rx_packets, 4);
	CHECK_EQ(net_stats().rx_bytes, 1000 + 50 + 288 + 289);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	net_end();
}

/* num_buffers is split over two pieces, also over two pages */
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
			/* The header crosses the end of a page. */
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

/* More than 255 buffers, so that num_buffers needs both of its bytes. */
static void test_many_buffers(void)
{
	begin_with(1024, MRG);
	for (u32 i = 0; i < 700; i++)
		put(&(struct bell_seg){ BUF(i % RX_NUM) + i * 16, 16 }, 1, 0);
	arrive(9000);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(used(), 564);
	check_frame(12, 0);
	CHECK_EQ(le16toh(got_hdr->num_buffers), 564);
	net_end();
}

/* Frames of random sizes into random buffers, some of them of one byte */
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

			/*
			 * Large enough for a header and, if buffers are not
			 * merged, for the whole frame
			 */
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
			/*
			 * Without merging, a frame that was too long was
			 * dropped.
			 */
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
		arrive(101);		/* too long for the first buffer */
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

/*
 * The frame is longer than the whole ring: it is dropped, as waiting cannot
 * help.
 */
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
	/* A frame that just fits into the ring */
	post(100);
	arrive(800 - 12);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().rx_drop_long, 1);
	check_frame(12, 2);
	CHECK_EQ(used(), 9);
	net_end();
}

/* --- packet metadata: VLAN tag, GSO, checksum; XDP buffers --- */

static void test_vlan(void)
{
	static const u32 sizes[] = { 2000, 13, 23, 24, 25, 26, 27, 28, 29, 30 };

	for (u32 i = 0; i < 10; i++) {
		begin(MRG | F(GUEST_CSUM));
		/* The tag ends up in one buffer, or crosses into the second */
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
	/* A frame that is too short to hold a VLAN tag */
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
		int type;		/* -1: the frame is dropped */
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
		/* The module never computes the checksum of a large frame. */
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

/*
 * A packet that cannot be read is dropped, though its last bytes can be. The driver's
 * buffers stay in the ring, also one that begins and ends in different spans of memory.
 */
static void test_unreadable(void)
{
	static const u32 bytes_of_first_span[] = { 800, 900, 2000 };

	for (u32 i = 0; i < 3; i++) {
		begin(MRG);
		put(&(struct bell_seg){
			RING_DATA + (2 << 20) - bytes_of_first_span[i], 2000,
		}, 1, 0);
		arrive(1000)->unreadable = 700;
		arrive(1000);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.next, 2);
		CHECK_EQ(net_stats().rx_drop_long, 1);
		CHECK_EQ(net_stats().rx_packets, 1);
		CHECK_EQ(used(), 1);
		check_frame(12, 1);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		net_end();
		world_reset();
	}
}

/* Frames that arrive as XDP buffers, as after an XDP redirect */
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

/* --- packed rings --- */

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
		/* The driver is asked for a kick behind these buffers. */
		CHECK_EQ(le16toh(p.device->flags), P_DESC);
		CHECK_EQ(le16toh(p.device->off_wrap), place_word(behind));
		packed_post(2, 300);
		packed_post(3, 300);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_packed(12, 0, 2);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	}
	/* The frame is longer than the whole ring. */
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

/*
 * Indirect chains: few entries may hold many pieces. The ring may still get
 * larger chains, so the frame waits.
 */
static void test_packed_indirect(void)
{
	net_init(4, true, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(MRG);
	for (u16 id = 0; id < 3; id++) {
		struct vring_packed_desc *table = ring_at(RING_TABLE + id * 256);

		for (u32 i = 0; i < 8; i++)
			table[i] = (struct vring_packed_desc){
				.addr = htole64(BUF(id) + 20 * i),
				.len = htole32(20), .flags = htole16(D_WRITE),
			};
	}
	for (u16 id = 0; id < 2; id++)
		packed_add(&p, &(struct pd){ RING_TABLE + id * 256, 128,
					     D_INDIRECT, id }, 1);
	port.nskb = 0;
	port.next = 0;
	arrive(400);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().rx_drop_long, 0);
	CHECK_EQ(port.next, 0);
	packed_add(&p, &(struct pd){ RING_TABLE + 512, 128, D_INDIRECT, 2 }, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	check_packed(12, 0, 1);
	net_end();
}

/* The functions that a port calls before it delivers a frame itself */
static void test_ask(void)
{
	begin(MRG | TSO | F(GUEST_ECN));
	CHECK(bell_backend_net_dry(port.rx));
	CHECK(bell_backend_net_ask_kick(port.rx));
	CHECK_EQ(ring_avail_event(r), 0);
	post(1000);
	CHECK(!bell_backend_net_dry(port.rx));
	/* A buffer is there, so no kick is asked for. */
	CHECK(!bell_backend_net_ask_kick(port.rx));
	CHECK_EQ(bell_backend_net_offloads(port.rx),
		 NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN);
	bell_backend_net_drop_dead(port.rx);
	bell_backend_net_hooked(port.rx);
	++*bell_backend_net_polls(port.rx);
	CHECK_EQ(net_stats().rx_drop_dead, 1);
	CHECK_EQ(net_stats().rx_hooks, 1);
	CHECK_EQ(net_stats().rx_polls, 1);
	net_end();
	begin(MRG | F(GUEST_ECN) | F(GUEST_CSUM));
	CHECK_EQ(bell_backend_net_offloads(port.rx), NETIF_F_HW_CSUM);
	net_end();
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
	{ "net rx: the tag of a VLAN", test_vlan },
	{ "net rx: offloads, agreed on or not", test_offloads },
	{ "net rx: checksums", test_checksums },
	{ "net rx: a packet that cannot be read", test_unreadable },
	{ "net rx: what is no packet", test_raw },
	{ "net rx: packed ring", test_packed },
	{ "net rx: packed ring, indirect", test_packed_indirect },
	{ "net rx: what a port may ask", test_ask },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
