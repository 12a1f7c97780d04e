// SPDX-License-Identifier: GPL-2.0
/* backend_net_tx.c: from the ring to the port. */
#include <stdlib.h>

#include "net.h"
#include "tap.h"

#define NUM		256U
#define DATA		RING_DATA
/*
 * The longest frame that fits into one page, with the room before and behind it
 */
#define SMALL_MAX	(PAGE_SIZE - sizeof(struct skb_shared_info) - \
			 BELL_PORT_HEADROOM)
#define LONGEST		(65535 + 18)

static u16 next_desc;

static void begin_with(u32 num, u64 features, bool with_port)
{
	net_init(num, false, true);
	if (with_port)
		CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(features);
	next_desc = 0;
}

static void begin(void)
{
	begin_with(NUM, V1, true);
}

/* Adds a chain; returns its head. */
static u16 put(const struct bell_seg *seg, u32 n, u32 nout)
{
	u16 head = next_desc;

	for (u32 i = 0; i < n; i++, next_desc++)
		ring_put_desc(&r->desc[next_desc % r->cfg.num], seg[i].addr,
			      seg[i].len, (i + 1 < n ? D_NEXT : 0) |
			      (i < nout ? 0 : D_WRITE),
			      (next_desc + 1) % r->cfg.num);
	ring_add(r, head % r->cfg.num);
	return head;
}

static u8 byte_at(u32 seed, u32 i)
{
	return seed * 31 + i * 7 + i / 256;
}

/*
 * Fills @total bytes at @gpa, header and frame, with a pattern made from @seed.
 */
static void fill(u64 gpa, u32 total, u32 seed)
{
	for (u32 i = 0; i < total; i++)
		*(u8 *)ring_at(gpa + i) = byte_at(seed, i);
}

static void put_frame(u32 hdr_len, u32 len, u32 seed)
{
	u64 gpa = DATA + (seed % 64) * 0x20000;

	fill(gpa, hdr_len + len, seed);
	put(&(struct bell_seg){ gpa, hdr_len + len }, 1, 1);
}

static void check_sent(u32 nth, u32 hdr_len, u32 len, u32 seed)
{
	const struct sent *s = &port.sent[nth];

	CHECK_EQ(s->len, len);
	/*
	 * A small frame is sent with a header of 10 bytes, without num_buffers.
	 */
	for (u32 i = 0; i < (s->large ? hdr_len : 10); i++)
		CHECK_EQ(s->hdr[i], byte_at(seed, i));
	for (u32 i = 0; i < len && !tap_bad; i++)
		CHECK_EQ(s->data[i], byte_at(seed, hdr_len + i));
}

static u16 used(void)
{
	return le16toh(r->used->idx);
}

static void test_headers(void)
{
	static const struct {
		u64 features;
		u32 len;
	} rows[] = {
		{ 0, 10 }, { F(CSUM), 10 }, { V1, 12 }, { F(MRG_RXBUF), 12 },
		{ V1 | F(MRG_RXBUF), 12 },
	};

	for (u32 i = 0; i < 5; i++) {
		begin_with(NUM, rows[i].features, true);
		put_frame(rows[i].len, 100, i);
		put_frame(rows[i].len, 60000, i + 1);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.nsent, 2);
		check_sent(0, rows[i].len, 100, i);
		check_sent(1, rows[i].len, 60000, i + 1);
		CHECK_EQ(port.hdr_len, rows[i].len);
		CHECK(!port.sent[0].large && port.sent[1].large);
		CHECK_EQ(used(), 2);
		CHECK_EQ(le32toh(r->used->ring[1].len), 0);
		net_end();
		world_reset();
	}
}

/* Sizes around the largest frame that fits into a page, and at both limits */
static void test_sizes(void)
{
	static const struct {
		u32 len;
		bool sent, large;
	} rows[] = {
		{ 0, false, false }, { 13, false, false }, { 14, true, false },
		{ SMALL_MAX, true, false }, { SMALL_MAX + 1, true, true },
		{ LONGEST, true, true }, { LONGEST + 1, false, false },
	};
	u32 n = 0;

	begin();
	CHECK_EQ(BELL_PORT_BUFLEN(SMALL_MAX), PAGE_SIZE);
	for (u32 i = 0; i < 7; i++) {
		put_frame(12, rows[i].len, i);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(used(), i + 1);
		if (rows[i].sent) {
			check_sent(n, 12, rows[i].len, i);
			CHECK_EQ(port.sent[n].large, rows[i].large);
			n++;
		}
		CHECK_EQ(port.nsent, n);
	}
	CHECK_EQ(net_stats().tx_drop_bad, 3);
	CHECK_EQ(net_stats().tx_packets, 4);
	CHECK_EQ(net_stats().tx_large, 2);
	CHECK_EQ(net_stats().tx_bytes, 14 + SMALL_MAX + SMALL_MAX + 1 + LONGEST);
	/* Shorter than a header */
	put(&(struct bell_seg){ DATA, 1 }, 1, 1);
	/* A length that overflows 32 bits */
	put((struct bell_seg[]){ { DATA, -1U }, { DATA, 100 } }, 2, 2);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().tx_drop_bad, 5);
	CHECK(!r->vq.broken);
	net_end();
}

/* Header and data in pieces of any size, which cross pages */
static void test_layouts(void)
{
	static const u32 lens[] = { 14, 60, 1500, SMALL_MAX, 5000, 60000 };

	for (u32 seed = 0; seed < 400 && !tap_bad; seed++) {
		u32 hdr_len = seed & 1 ? 12 : 10, len = lens[seed % 6];
		u32 left = hdr_len + len, n = 0, from = 0;
		u64 gpa = DATA + rand() % PAGE_SIZE;
		struct bell_seg seg[200];

		srand(seed);
		begin_with(NUM, seed & 1 ? V1 : 0, true);
		for (; left; n++) {
			u32 most = rand() % 2 ? 16 : left > 30000 ? 30000 : left;
			u32 l = n == 150 ? left : 1 + rand() % most;

			l = l < left ? l : left;
			for (u32 i = 0; i < l; i++)
				*(u8 *)ring_at(gpa + i) =
					byte_at(seed, from + i);
			seg[n] = (struct bell_seg){ gpa, l };
			gpa += l + rand() % 5000;
			from += l;
			left -= l;
		}
		put(seg, n, n);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.nsent, 1);
		check_sent(0, hdr_len, len, seed);
		CHECK_EQ(used(), 1);
		if (tap_bad)
			printf("# seed %u, %u pieces\n", seed, n);
		net_end();
		world_reset();
	}
}

/* A large frame with too many pieces is dropped; the next one is sent */
static void test_too_many_pieces(void)
{
	static struct bell_seg seg[1300];

	begin_with(2048, V1, true);
	for (u32 i = 0; i < 1300; i++)
		seg[i] = (struct bell_seg){ DATA + 32 * i, 4 };
	put(seg, 1300, 1300);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 0);
	CHECK_EQ(net_stats().tx_drop_bad, 1);
	CHECK_EQ(used(), 1);
	/* The header of the frame does not count. */
	seg[0].len = 12;
	put(seg, 1025, 1025);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	put(seg, 1026, 1026);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 1);
	CHECK_EQ(port.sent[0].len, 4096);
	CHECK_EQ(net_stats().tx_drop_bad, 2);
	CHECK_EQ(used(), 3);
	/* A small frame may have any number of pieces. */
	for (u32 i = 0; i < 1300; i++)
		seg[i].len = 1;
	put(seg, 700, 700);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 2);
	CHECK_EQ(port.sent[1].len, 688);
	net_end();
}

/*
 * Batches of 64 frames with one publication each; large frames keep their place
 */
static void test_batches(void)
{
	begin();
	for (u32 i = 0; i < 150; i++)
		put_frame(12, 60 + i, i);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 150);
	CHECK_EQ(port.longest, 64);
	CHECK_EQ(port.calls, 3);
	for (u32 i = 0; i < 150; i++)
		CHECK_EQ(port.sent[i].len, 60 + i);
	CHECK_EQ(net_stats().tx_batches, 3);
	CHECK_EQ(used(), 150);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	for (u32 i = 0; i < 6; i++)
		put_frame(12, i == 3 ? 9000 : 100 + i, i);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.calls, 6);
	for (u32 i = 0; i < 6; i++) {
		CHECK_EQ(port.sent[150 + i].len, i == 3 ? 9000 : 100 + i);
		CHECK_EQ(port.sent[150 + i].calls, 4 + (i >= 3) + (i > 3));
	}
	CHECK_EQ(r->vq.stats.bytes_written, net_stats().tx_bytes + 156 * 12);
	net_end();
}

static void test_budget(void)
{
	begin();
	/*
	 * All frames lie in one page, so that the first pass pins the pages of
	 * all.
	 */
	for (u32 i = 0; i < 10; i++)
		put_frame(12, 60, 1);
	CHECK_EQ(net_pass_of(true, 4), BELL_PASS_MORE);
	CHECK_EQ(port.nsent, 4);
	CHECK_EQ(used(), 4);
	CHECK_EQ(net_pass_of(false, 3), BELL_PASS_MORE);
	CHECK_EQ(port.nsent, 7);
	CHECK_EQ(r->vq.stats.punts, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(used(), 10);
	/* The driver is asked to kick for the next frame. */
	CHECK_EQ(ring_avail_event(r), 10);
	net_end();
}

/* The driver need not kick while the queue is served, and must kick after that. */
static void test_kicks(void)
{
	net_init(NUM, false, true);
	r->cfg.event_idx = false;
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(V1);
	next_desc = 0;
	for (u32 i = 0; i < 3; i++) {
		port.used_flags = 0;
		put_frame(12, 60, 1);
		CHECK_EQ(net_pass(!i), BELL_PASS_DONE);
		CHECK_EQ(port.nsent, i + 1);
		CHECK_EQ(port.used_flags, VRING_USED_F_NO_NOTIFY);
		CHECK_EQ(le16toh(r->used->flags), 0);
	}
	CHECK_EQ(r->vq.stats.worker_passes, 1);
	CHECK_EQ(r->vq.stats.inline_passes, 2);
	net_end();
}

static void test_dead(void)
{
	begin();
	put_frame(12, 60, 1);
	exec.dead = true;
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK_EQ(port.nsent, 0);
	exec.dead = false;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 1);
	net_end();
}

/* --- violations that break the queue; frames before them are sent --- */

static void check_broken(void)
{
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK(r->vq.broken);
	CHECK_EQ(port.nsent, 2);
	CHECK_EQ(used(), 2);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(world_signals(r->err), 1);
	CHECK_EQ(net_pass(true), BELL_PASS_STOP);
	CHECK_EQ(port.nsent, 2);
	net_end();
}

static void begin_bad(void)
{
	begin();
	put_frame(12, 60, 1);
	put_frame(12, 61, 2);
}

static void test_writable(void)
{
	begin_bad();
	put((struct bell_seg[]){ { DATA, 100 }, { DATA + 500, 1 } }, 2, 1);
	check_broken();
	begin_bad();
	put(&(struct bell_seg){ DATA, 100 }, 1, 0);
	check_broken();
}

static void test_not_in_memory(void)
{
	static const struct bell_seg seg[][2] = {
		{ { RING_END, 12 }, { DATA, 100 } },
		{ { RING_END - 4, 12 }, { DATA, 100 } },
		{ { DATA, 12 }, { RING_END - 4, 100 } },
		{ { DATA, 12 }, { RING_END - 4, 5000 } },
		{ { DATA, 12 }, { ~0ULL - 50, 100 } },
		{ { DATA, 12 }, { ~0ULL - 50, 10000 } },
		{ { ~0ULL - 4, 12 }, { DATA, 100 } },
	};

	static const struct bell_seg one[] = {
		{ RING_END, 100 }, { RING_END - 4, 100 }, { ~0ULL - 50, 100 },
		{ RING_END - 4, 9000 }, { ~0ULL - 50, 9000 },
	};

	for (u32 i = 0; i < 7; i++) {
		begin_bad();
		put(seg[i], 2, 2);
		check_broken();
		world_reset();
	}
	for (u32 i = 0; i < 5; i++) {
		begin_bad();
		put(&one[i], 1, 1);
		check_broken();
		world_reset();
	}
}

/* --- frames that wait: for a pin, for memory, for the port --- */

/* Pages that are not pinned: the worker pins them. */
static void test_punt(void)
{
	for (u32 large = 0; large < 2; large++) {
		begin();
		put_frame(12, 60, 1);
		CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
		CHECK_EQ(r->vq.stats.punts, 1);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		/* The first two are pinned, the third is not. */
		put_frame(12, 61, 1);
		put_frame(12, 62, 1);
		put_frame(12, large ? 40000 : 63, 2);
		put_frame(12, 64, 1);
		CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
		CHECK_EQ(port.nsent, 3);
		CHECK_EQ(used(), 3);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
		CHECK_EQ(port.nsent, 3);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.nsent, 5);
		CHECK_EQ(port.sent[3].len, large ? 40000 : 63);
		CHECK_EQ(port.sent[4].len, 64);
		CHECK_EQ(r->vq.stats.punts, 3);
		/* Now all pages are pinned, and the ringing thread can send. */
		put_frame(12, large ? 40000 : 63, 2);
		CHECK_EQ(net_pass(false), BELL_PASS_DONE);
		net_end();
		world_reset();
	}
}

static void test_owner_died(void)
{
	begin();
	put_frame(12, 60, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	put_frame(12, 60, 1);
	put_frame(12, 60, 2);
	world_exit_mm();
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 3);
	net_end();
}

/* For a while there is no memory for the third frame. */
static void test_no_memory(void)
{
	for (u32 large = 0; large < 2; large++) {
		begin();
		for (u32 i = 0; i < 30; i++)
			put_frame(12, large ? 40000 : 3000, i);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		for (u32 i = 0; i < 30; i++)
			put_frame(12, large && i % 2 ? 40000 : 3000 + i, i);
		port.nsent = 0;
		port.holds = true;
		world.fail_alloc = 1;
		CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
		CHECK(port.nsent > 0 && port.nsent < 30);
		CHECK_EQ(used(), 30 + port.nsent);
		world.fail_alloc = 1;
		CHECK_EQ(net_pass(true), BELL_PASS_PUNT);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		CHECK_EQ(port.nsent, 30);
		for (u32 i = 0; i < 30; i++)
			CHECK_EQ(port.sent[i].len,
				 large && i % 2 ? 40000 : 3000 + i);
		CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
		net_end();
		world_reset();
	}
}

/* The port has no room for a large frame: the frames behind it wait, too. */
static void test_port_full(void)
{
	begin();
	put_frame(12, 100, 1);
	put_frame(12, 9000, 2);
	put_frame(12, 101, 3);
	port.large_ret = -EAGAIN;
	CHECK_EQ(net_pass(false), BELL_PASS_PUNT);
	CHECK_EQ(net_pass(true), BELL_PASS_PUNT);
	CHECK_EQ(port.nsent, 1);
	CHECK_EQ(used(), 1);
	port.large_ret = 0;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(port.nsent, 3);
	check_sent(1, 12, 9000, 2);
	check_sent(2, 12, 101, 3);
	CHECK_EQ(net_stats().tx_packets, 3);
	net_end();
}

/* --- frames that are dropped --- */

static void test_no_port(void)
{
	begin_with(NUM, V1, false);
	for (u32 i = 0; i < 70; i++)
		put_frame(12, 60, i);
	put_frame(12, 9000, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(used(), 71);
	CHECK_EQ(net_stats().tx_drop_port, 71);
	CHECK_EQ(net_stats().tx_packets, 0);
	CHECK_EQ(net_stats().tx_batches, 0);
	net_end();
}

static void test_port_down(void)
{
	begin();
	for (u32 i = 0; i < 3; i++)
		put_frame(12, 60, i);
	put_frame(12, 9000, 1);
	put_frame(12, 60, 1);
	port.send_ret = -ENETDOWN;
	port.large_ret = -ENETDOWN;
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(used(), 5);
	CHECK_EQ(port.refused, 5);
	CHECK_EQ(net_stats().tx_drop_down, 5);
	port.send_ret = 0;
	port.large_ret = -EINVAL;
	put_frame(12, 9000, 1);
	put_frame(12, 60, 1);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK_EQ(net_stats().tx_drop_port, 1);
	CHECK_EQ(net_stats().tx_packets, 1);
	net_end();
}

static void test_packed(void)
{
	net_init(8, true, true);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(V1);
	for (u32 round = 0; round < 20; round++) {
		u16 id;
		u32 len;

		fill(DATA, 12 + 100, round);
		packed_add(&p, (struct pd[]){ { DATA, 12, D_NEXT, 3 },
					      { DATA + 12, 60, D_NEXT, 3 },
					      { DATA + 72, 40, 0, 3 } }, 3);
		CHECK_EQ(net_pass(true), BELL_PASS_DONE);
		check_sent(round, 12, 100, round);
		CHECK(packed_is_used(&p));
		packed_see(&p, &id, &len, 3);
		CHECK_EQ(id, 3);
		CHECK_EQ(len, 0);
	}
	net_end();
}

static void test_start_no_memory(void)
{
	net_init(NUM, false, true);
	ring_start(r);
	for (u32 nth = 1;; nth++) {
		world.fail_alloc = nth;
		if (!be->ops->start_queue(be, &exec, V1)) {
			CHECK_EQ(nth, 3);
			break;
		}
	}
	world.fail_alloc = 0;
	net_end();
}

static const struct tap_test tests[] = {
	{ "net tx: headers of 10 and 12 bytes", test_headers },
	{ "net tx: too short, small, large, too long", test_sizes },
	{ "net tx: any layout", test_layouts },
	{ "net tx: too many pieces", test_too_many_pieces },
	{ "net tx: batches, in order", test_batches },
	{ "net tx: budget", test_budget },
	{ "net tx: kicks off during a pass", test_kicks },
	{ "net tx: the queue is stopped", test_dead },
	{ "net tx: a writable piece", test_writable },
	{ "net tx: what is not in memory", test_not_in_memory },
	{ "net tx: pages that are not pinned", test_punt },
	{ "net tx: the owner died", test_owner_died },
	{ "net tx: no memory", test_no_memory },
	{ "net tx: the port has no room", test_port_full },
	{ "net tx: no port", test_no_port },
	{ "net tx: the port is down, or refuses", test_port_down },
	{ "net tx: packed ring", test_packed },
	{ "net tx: each allocation of a start fails", test_start_no_memory },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
