// SPDX-License-Identifier: GPL-2.0
/*
 * net_hostile_rx - violations on a receiving queue
 *
 * A case starts from a valid buffer and changes one thing. After the buffer is
 * published four frames of 500 bytes arrive. If the buffer cannot hold a frame,
 * the back end may drop the frame and use nothing, or break the queue.
 */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_hostile.h"
#include "net_victim.h"

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
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

static void no_buffers(struct net_victim *n)
{
	direct(n);
	n->v.avail_idx = 0;
}

static void flood(struct net_victim *n)
{
	net_victim_incoming(n, 1500, 500);
}

static void kicks(struct net_victim *n)
{
	for (unsigned int i = 0; i < KICKS; i++)
		ring_kick(&n->v.ring[0]);
}

static void kicks_and_flood(struct net_victim *n)
{
	for (unsigned int i = 0; i < 100; i++) {
		net_victim_incoming(n, 5, 500);
		for (unsigned int j = 0; j < KICKS / 100; j++)
			ring_kick(&n->v.ring[0]);
	}
}

static void one_buffer(struct net_victim *n)
{
	direct(n);
}

static void buffers_of_1(struct net_victim *n)
{
	net_victim_buffers(n, VICTIM_NUM, 1);
}

static void buffers_of_5(struct net_victim *n)
{
	net_victim_buffers(n, VICTIM_NUM, 5);
}

/* Each buffer holds the header and one byte. */
static void buffers_of_13(struct net_victim *n)
{
	net_victim_buffers(n, VICTIM_NUM, 13);
}

/* All buffers together are shorter than a frame. */
static void buffers_of_20(struct net_victim *n)
{
	net_victim_buffers(n, VICTIM_NUM, 20);
}

static void header_only(struct net_victim *n)
{
	direct(n)[0].flags = WRITE;
}

static void all_readable(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[0].flags = NEXT;
	d[1].flags = 0;
}

static void readable_after(struct net_victim *n)
{
	direct(n)[1].flags = 0;
}

static void readable_before(struct net_victim *n)
{
	direct(n)[0].flags = NEXT;
}

static void readable_indirect(struct net_victim *n)
{
	table(n)[1].flags = 0;
}

static void zero_header(struct net_victim *n)
{
	direct(n)[0].len = 0;
}

static void zero_data(struct net_victim *n)
{
	direct(n)[1].len = 0;
}

static void header_nowhere(struct net_victim *n)
{
	direct(n)[0].addr = NOWHERE;
}

static void data_nowhere(struct net_victim *n)
{
	direct(n)[1].addr = NOWHERE;
}

static void data_in_hole(struct net_victim *n)
{
	direct(n)[1].addr = victim_end(&n->v);
}

static void data_over_end(struct net_victim *n)
{
	direct(n)[1].addr = victim_end(&n->v) - 100;
}

static void data_wraps(struct net_victim *n)
{
	direct(n)[1].addr = UINT64_MAX - 100;
}

static void data_4g(struct net_victim *n)
{
	direct(n)[1].len = UINT32_MAX;
}

/*
 * The buffer's data is the ring itself: the frame overwrites descriptors that
 * the device reads.
 */
static void data_in_ring(struct net_victim *n)
{
	struct vring_desc *d = direct(n);
	const struct ring *r = &n->v.ring[0];
	const void *at = ring_is_packed(r) ? (void *)r->packed.desc :
					     (void *)r->split.desc;

	d[0].addr = victim_gpa(&n->v, at);
	d[1].addr = d[0].addr + n->dev.hlen;
}

static void data_in_used(struct net_victim *n)
{
	struct vring_desc *d = direct(n);

	d[1].addr = victim_gpa(&n->v, n->v.ring[0].split.used);
}

static void same_memory(struct net_victim *n)
{
	struct victim *v = &n->v;

	net_victim_buffers(n, 4, NET_VICTIM_BUFFER);
	for (unsigned int i = 0; i < 4; i++)
		v->desc[i].addr = victim_gpa(v, n->frame);
}

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

/*
 * The available index jumps back and forth while frames arrive, so that buffers
 * vanish.
 */
static void idx_flickers(struct net_victim *n)
{
	volatile uint16_t *idx = &n->v.ring[0].split.avail->idx;

	for (unsigned int i = 0; i < 200; i++) {
		*idx = (uint16_t)(i % 2);
		net_victim_incoming(n, 1, 500);
		ring_kick(&n->v.ring[0]);
	}
}

static void id_out(struct net_victim *n)
{
	direct(n);
	n->v.packed.id = VICTIM_NUM;
}

static void table_nowhere(struct net_victim *n)
{
	table(n);
	n->v.desc[0].addr = NOWHERE;
}

static void table_odd(struct net_victim *n)
{
	table(n);
	n->v.desc[0].len--;
}

/* The buffer changes while the device writes a frame into it. */
static void data_changes(struct net_victim *n)
{
	for (unsigned int i = 0; i < KICKS; i++) {
		n->v.desc[1].addr = i % 2 ? NOWHERE :
				    victim_gpa(&n->v, n->frame);
		n->v.desc[1].len = i % 5 * 100;
		n->v.desc[1].flags = i % 7 ? WRITE : 0;
		n->hdr->num_buffers = (uint16_t)i;
		if (i % 500 == 0)
			net_victim_incoming(n, 1, 500);
	}
}

#define ANY		(NET_USED | NET_BROKEN | NET_IDLE)
#define NOT_USED	(NET_BROKEN | NET_IDLE)
#define CASE(n, e, fn)	{ n, e, 0, fn, NULL }
#define SPLIT(n, e, fn)	{ n, e, NET_SPLIT, fn, NULL }
#define TABLE(n, fn)	{ n, NET_BROKEN, NET_INDIRECT, fn, NULL }

static const struct net_case cases[] = {
	{ "no-buffers", NET_IDLE, 0, no_buffers, flood },
	{ "no-buffers-kicks", NET_IDLE, 0, no_buffers, kicks_and_flood },
	{ "kicks", NET_USED, 0, one_buffer, kicks },
	{ "one-buffer", NET_USED, 0, one_buffer, flood },
	CASE("buffers-of-1", ANY, buffers_of_1),
	CASE("buffers-of-5", ANY, buffers_of_5),
	CASE("buffers-of-13", ANY, buffers_of_13),
	CASE("buffers-of-20", ANY, buffers_of_20),
	CASE("header-only", ANY, header_only),
	CASE("all-readable", NOT_USED, all_readable),
	CASE("readable-after-writable", NET_BROKEN, readable_after),
	CASE("readable-before-writable", ANY, readable_before),
	TABLE("readable-indirect", readable_indirect),
	CASE("zero-length-header", NOT_USED, zero_header),
	CASE("zero-length-data", NOT_USED, zero_data),
	CASE("header-outside", ANY, header_nowhere),
	CASE("data-outside", ANY, data_nowhere),
	CASE("data-in-hole", ANY, data_in_hole),
	CASE("data-over-end", ANY, data_over_end),
	CASE("data-wraps", ANY, data_wraps),
	CASE("data-of-4g", ANY, data_4g),
	CASE("data-in-ring", ANY, data_in_ring),
	SPLIT("data-in-used-ring", ANY, data_in_used),
	/* In a packed ring all these buffers have the same id, too. */
	CASE("same-memory", NET_USED | NET_BROKEN, same_memory),
	SPLIT("loop-of-one", NET_BROKEN, loop_of_one),
	SPLIT("loop-to-head", NET_BROKEN, loop_to_head),
	SPLIT("next-out-of-range", NET_BROKEN, next_out),
	SPLIT("head-out-of-range", NET_BROKEN, head_out),
	SPLIT("head-twice", ANY, head_twice),
	SPLIT("idx-jump", NET_BROKEN, idx_jump),
	{ "idx-flickers", ANY, NET_SPLIT, one_buffer, idx_flickers },
	{ "id-out-of-range", NET_BROKEN, NET_PACKED, id_out, NULL },
	TABLE("table-outside", table_nowhere),
	TABLE("table-odd-length", table_odd),
	{ "changes-while-served", ANY, 0, one_buffer, data_changes },
};

struct net_set net_hostile_rx_cases(void)
{
	return (struct net_set){ "rx", cases, ARRAY_SIZE(cases) };
}
