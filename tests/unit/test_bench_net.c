// SPDX-License-Identifier: GPL-2.0
/*
 * test_bench_net - frames, streams and buffers of the emulated network driver
 *
 * TAP on stdout, exit 0 or 1.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "net_check.h"
#include "net_frame.h"
#include "net_slot.h"
#include "test_ctl.h"

#define ROOM	70000

static uint8_t frame[ROOM], other[ROOM];
static struct virtio_net_hdr hdr;

static struct net_frame_rules rules_of(enum net_offload offload, uint32_t min,
				       uint32_t size)
{
	return (struct net_frame_rules){
		.offload = offload, .min_size = min, .size = size,
		.mss = 1448, .seed = 7,
		.from = { { 2, 0, 0, 0, 0, 1 }, htonl(0xc6120002), 9000 },
		.to = { { 2, 0, 0, 0, 0, 2 }, htonl(0xc6120001), 7000 },
	};
}

static void test_round_trip(enum net_offload offload, const char *name)
{
	struct net_frame_rules r = rules_of(offload, net_frame_least(offload),
					    NET_MAX_FRAME);
	unsigned int bad = 0;

	for (uint64_t seq = 0; seq < 200; seq++) {
		struct net_tag tag = { 3, seq }, got;
		uint32_t len = net_frame_size(&r, seq);

		net_frame_make(&r, tag, &hdr, frame);
		if (!net_frame_tag(&r, frame, len, &got) || got.seq != seq ||
		    got.stream != 3 ||
		    net_frame_check(&r, &got, &hdr, frame, len))
			bad++;
	}
	ok(!bad, "%s: frames of any size are what they were", name);
}

static void test_wrong(void)
{
	struct net_frame_rules r = rules_of(NET_OFFLOAD_TSO4, 5000, 5000);
	struct net_tag tag = { 0, 9 };
	unsigned int found = 0;

	for (uint32_t at = net_frame_headers(r.offload) + 14; at < 5000; at++) {
		net_frame_make(&r, tag, &hdr, frame);
		frame[at] ^= 0x40;
		found += !!net_frame_check(&r, &tag, &hdr, frame, 5000);
	}
	ok(found == 5000 - net_frame_headers(r.offload) - 14,
	   "a changed byte is found wherever it is");
	net_frame_make(&r, tag, &hdr, frame);
	ok(net_frame_check(&r, &tag, &hdr, frame, 4999), "so is another length");
	hdr.gso_size = htole16(1447);
	ok(net_frame_check(&r, &tag, &hdr, frame, 5000),
	   "so is another segment size");
	net_frame_make(&r, tag, &hdr, frame);
	hdr.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	ok(net_frame_check(&r, &tag, &hdr, frame, 5000),
	   "so is a frame without its GSO");
	net_frame_make(&r, tag, &hdr, frame);
	hdr.csum_start = htole16(35);
	ok(net_frame_check(&r, &tag, &hdr, frame, 5000),
	   "so is another place of the checksum");
	net_frame_make(&r, tag, &hdr, frame);
	tag.seq++;
	ok(net_frame_check(&r, &tag, &hdr, frame, 5000),
	   "so is the data of another frame");
	ok(!net_frame_tag(&r, frame, 60, &tag), "a short frame has no tag");
	memset(frame, 0, sizeof(frame));
	ok(!net_frame_tag(&r, frame, 5000, &tag), "nor has one of others");
}

static void test_answer(void)
{
	struct net_frame_rules r = rules_of(NET_OFFLOAD_NONE, 100, 100);
	struct net_address self = r.to;
	struct net_tag tag = { 0, 1 };
	uint8_t *ip = frame + 14;

	net_frame_make(&r, tag, &hdr, frame);
	memcpy(other, frame, 100);
	ok(net_frame_answer(&self, frame, 100), "UDP is answered");
	ok(!memcmp(frame, other + 6, 6) && !memcmp(frame + 6, other, 6) &&
	   !memcmp(ip + 12, other + 30, 4) && !memcmp(ip + 16, other + 26, 4) &&
	   !memcmp(ip + 20, other + 36, 2) && !memcmp(ip + 22, other + 34, 2) &&
	   !memcmp(frame + 42, other + 42, 58), "from there to here");
	ok(!net_frame_answer(&self, frame, 100), "but not for another address");
	memcpy(frame, other, 100);
	ok(!net_frame_answer(&self, frame, 41), "nor a part of a frame");
	ip[9] = IPPROTO_TCP;
	ok(!net_frame_answer(&self, frame, 100), "nor TCP");

	net_frame_announce(&r.from, frame);
	memcpy(frame + 38, &self.ip, 4);
	ok(net_frame_answer(&self, frame, 60) && frame[21] == 2 &&
	   !memcmp(frame + 22, self.mac, 6) && !memcmp(frame + 28, &self.ip, 4) &&
	   !memcmp(frame + 32, r.from.mac, 6) &&
	   !memcmp(frame + 38, &r.from.ip, 4), "ARP is answered");
}

static void test_stream(void)
{
	static struct net_check c;

	net_check_init(&c);
	for (uint64_t i = 0; i < 100; i++)
		net_check_add(&c, i, 10);
	ok(c.seen == 100 && c.bytes == 1000 && !c.duplicates && !c.reordered,
	   "a stream in order");
	net_check_add(&c, 50, 10);
	net_check_add(&c, 99, 10);
	ok(c.seen == 100 && c.duplicates == 2, "what comes twice");
	net_check_add(&c, 105, 10);
	net_check_add(&c, 103, 10);
	net_check_add(&c, 103, 10);
	ok(c.seen == 102 && c.reordered == 1 && c.duplicates == 3,
	   "what is late, and what is late twice");
	/*
	 * A jump of a whole window; then one late frame near the new end of the
	 * window, and one near its old end.
	 */
	net_check_add(&c, 103 + NET_CHECK_WINDOW, 10);
	net_check_add(&c, 105 + NET_CHECK_WINDOW, 10);
	net_check_add(&c, 104 + NET_CHECK_WINDOW, 10);
	net_check_add(&c, 150, 10);
	ok(c.seen == 106 && c.reordered == 3 && c.duplicates == 3,
	   "a gap as long as the window");
	net_check_add(&c, 10 * (uint64_t)NET_CHECK_WINDOW, 10);
	net_check_add(&c, 200, 10);
	ok(c.seen == 107 && c.duplicates == 4, "what is older than that");
}

static const uint32_t lengths[] = { 1, 5, 12, 13, 76, 1514, 65000 };

static void test_slots(enum net_layout layout, const char *name)
{
	unsigned int bad = 0;
	struct net_end end = {
		.rules = { .layout = layout, .hlen = 12, .segs = 20,
			   .indirect = true },
	};
	struct mem mem;
	struct ring ring;

	if (mem_create(&mem, MEM_4K, NULL, 2, 1 << 20) ||
	    ring_create(&ring, &mem, &(struct ring_config){ .num = 64 }))
		exit(1);
	end.ring = &ring;
	if (net_end_create(&end, 4, 65012, 0))
		exit(1);
	for (uint32_t i = 0; i < ROOM; i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	for (unsigned int i = 0; i < 700; i++) {
		struct net_slot *s = &end.slot[i % 4];
		uint32_t len = lengths[i % 7], sum = 0;

		net_slot_cut(&end, s, len);
		for (unsigned int j = 0; j < s->n; j++)
			sum += s->seg[j].len;
		net_slot_put(s, 0, frame, len);
		memset(other, 0, len);
		/*
		 * Read the frame in two parts, whose border may lie in any
		 * piece.
		 */
		net_slot_get(s, 0, other, len / 3);
		net_slot_get(s, len / 3, other + len / 3, len - len / 3);
		bad += sum != len || s->n > 23 || memcmp(frame, other, len);
	}
	ok(!bad, "%s: what is put into pieces comes out of them", name);
	net_end_destroy(&end);
	ring_destroy(&ring);
	mem_destroy(&mem);
}

int main(void)
{
	test_round_trip(NET_OFFLOAD_NONE, "UDP");
	test_round_trip(NET_OFFLOAD_CSUM, "UDP without checksum");
	test_round_trip(NET_OFFLOAD_TSO4, "TSO4");
	test_round_trip(NET_OFFLOAD_TSO6, "TSO6");
	test_wrong();
	test_answer();
	test_stream();
	test_slots(NET_LAYOUT_TOGETHER, "together");
	test_slots(NET_LAYOUT_HEADER, "header");
	test_slots(NET_LAYOUT_SPLIT, "split");
	test_slots(NET_LAYOUT_INDIRECT, "indirect");
	test_slots(NET_LAYOUT_RANDOM, "random");
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
