// SPDX-License-Identifier: GPL-2.0
/*
 * vq_inflight.c: what a stop writes into the in-flight region, what a start takes from it,
 * and regions of hostile front ends. The layouts are written from the vhost-user
 * specification alone.
 */
#include "order.h"
#include "packed.h"
#include "tap.h"

#define NUM	8U
#define REGION	0x300000ULL	/* in guest memory, for want of other memory */
#define RUNNING	0xffff
/* Where order.h records an access of the region of a split ring */
#define S_AT(member)	(REGION + offsetof(struct split, member))

struct sdesc {
	u8	inflight, padding[5];
	u16	next;
	u64	counter;
};

struct split {
	u64	features;
	u16	version, desc_num, last_batch_head, used_idx;
	struct sdesc desc[NUM];
};

struct pdesc {
	u8	inflight, padding;
	u16	next, last, num;
	u64	counter;
	u16	id, flags;
	u32	len;
	u64	addr;
};

struct pregion {
	u64	features;
	u16	version, desc_num, free_head, old_free_head;
	u16	used_idx, old_used_idx;
	u8	used_wrap, old_used_wrap;
	u8	padding[10];
	struct pdesc desc[NUM];
};

static struct packed p;
static struct ring *const r = &p.r;
static struct split *s;
static struct pregion *pr;

static void init(bool packed)
{
	if (packed) {
		packed_init(&p, NUM);
	} else {
		memset(&p, 0, sizeof(p));
		ring_init(r, NUM);
	}
	s = ring_at(REGION);
	pr = ring_at(REGION);
	memset(s, 0, PAGE_SIZE);
	r->cfg.inflight_uaddr = WORLD_UADDR + REGION;
	r->cfg.inflight_size = packed ? sizeof(*pr) : sizeof(*s);
}

static int start(void)
{
	return bell_vq_start(&r->vq, r->gm, &r->cfg);
}

static u32 stop(void)
{
	u32 base = bell_vq_stop(&r->vq);

	CHECK(!r->vq.inflight);
	return base;
}

static struct bell_done take(u16 head)
{
	struct bell_chain chain;

	CHECK_EQ(ring_take(r, &chain), 1);
	CHECK_EQ(chain.head, head);
	return (struct bell_done){ .head = head, .epoch = chain.epoch };
}

static void check_nothing_to_take(void)
{
	struct bell_chain chain;

	CHECK_EQ(ring_take(r, &chain), 0);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
}

static void test_split(void)
{
	struct bell_done done[3];

	init(false);
	r->cfg.base = 65534;
	ring_start(r);
	CHECK_EQ(s->version, RUNNING);
	for (u16 i = 0; i < 3; i++)
		ring_add_simple(r, i);
	for (u16 i = 0; i < 3; i++)
		done[i] = take(i);
	bell_vq_complete(&r->vq, &done[2]);
	bell_vq_complete(&r->vq, &done[0]);
	bell_vq_complete(&r->vq, &done[1]);
	/* One more is left in the ring. */
	ring_add_simple(r, 3);
	CHECK_EQ(stop(), 1);
	CHECK_EQ(s->version, 1);
	CHECK_EQ(s->features, 0);
	CHECK_EQ(s->desc_num, NUM);
	CHECK_EQ(s->used_idx, 1);
	for (u16 i = 0; i < NUM; i++)
		CHECK_EQ(s->desc[i].inflight, 0);

	/* The next start goes on behind it, though its caller's base is an old one. */
	r->cfg.base = 65534;
	CHECK_EQ(start(), 0);
	done[0] = take(3);
	bell_vq_complete(&r->vq, &done[0]);
	check_nothing_to_take();
	CHECK_EQ(stop(), 2);
	CHECK_EQ(s->used_idx, 2);
	ring_free(r);
}

static void test_packed(void)
{
	struct place from = { .at = 6, .wrap = true };
	struct pd chain[2] = {
		{ RING_DATA, 16, D_NEXT, 5 }, { RING_DATA + 64, 16, D_WRITE, 5 },
	};
	struct bell_done done[3];
	u16 id;
	u32 len;

	init(true);
	packed_start_at(&p, from);
	CHECK_EQ(pr->version, RUNNING);
	packed_add_simple(&p, 0);
	packed_add(&p, chain, 2);
	packed_add_simple(&p, 2);
	done[0] = take(0);
	done[1] = take(5);
	done[2] = take(2);
	bell_vq_complete(&r->vq, &done[2]);
	bell_vq_complete(&r->vq, &done[1]);
	bell_vq_complete(&r->vq, &done[0]);
	CHECK_EQ(stop(), 0x00020002);
	CHECK_EQ(pr->version, 1);
	CHECK_EQ(pr->desc_num, NUM);
	CHECK_EQ(pr->used_idx, 2);
	CHECK_EQ(pr->old_used_idx, 2);
	CHECK_EQ(pr->used_wrap, 0);
	CHECK_EQ(pr->old_used_wrap, 0);
	CHECK_EQ(pr->free_head, 0);
	CHECK_EQ(pr->old_free_head, 0);
	for (u16 i = 0; i < NUM; i++) {
		CHECK_EQ(pr->desc[i].inflight, 0);
		CHECK_EQ(pr->desc[i].next, i + 1);
	}

	/* A new back end goes on from there. */
	packed_see(&p, &id, &len, 1);
	packed_see(&p, &id, &len, 2);
	packed_see(&p, &id, &len, 1);
	r->cfg.base = 0x00020002;
	CHECK_EQ(start(), 0);
	packed_add_simple(&p, 4);
	done[0] = take(4);
	bell_vq_complete(&r->vq, &done[0]);
	CHECK(packed_is_used(&p));
	check_nothing_to_take();
	CHECK_EQ(stop(), 0x00030003);
	/* Front ends set their own place after a reset of the ring. */
	packed_start(&p);
	CHECK_EQ(r->vq.used_idx, 0);
	CHECK(r->vq.used_wrap);
	stop();
	ring_free(r);
}

/* A back end that ended while it put entries: they count if the ring has the first. */
static void test_packed_torn(void)
{
	init(true);
	packed_start_at(&p, (struct place){ .at = 3, .wrap = true });
	stop();
	pr->old_used_idx = 3;
	pr->used_idx = 1;
	pr->used_wrap = 0;
	r->cfg.base = 0x80038003;
	p.desc[3].flags = htole16(P_AVAIL | P_USED);
	CHECK_EQ(start(), 0);
	CHECK_EQ(r->vq.last_avail, 1);
	CHECK_EQ(r->vq.used_idx, 1);
	CHECK(!r->vq.used_wrap && !r->vq.avail_wrap);
	stop();

	pr->old_used_idx = 3;
	pr->old_used_wrap = 1;
	p.desc[3].flags = htole16(P_AVAIL);
	CHECK_EQ(start(), -EBADMSG);
	CHECK_EQ(pr->version, 1);
	ring_free(r);
}

static void test_put_back(void)
{
	struct bell_done done[4];
	struct bell_chain chain;

	init(false);
	ring_start(r);
	CHECK(bell_vq_inflight_keeps(&r->vq));
	for (u16 i = 0; i < 4; i++)
		ring_add_simple(r, i);
	for (u16 i = 0; i < 4; i++)
		done[i] = take(i);
	bell_vq_complete(&r->vq, &done[1]);
	bell_vq_inflight_put_back(&r->vq, 2, done[2].epoch);
	bell_vq_inflight_put_back(&r->vq, 0, done[0].epoch);
	CHECK(bell_vq_inflight_waits(&r->vq));
	/* After a pause they come first. */
	done[2] = take(2);
	CHECK(bell_vq_inflight_waits(&r->vq));
	ring_add_simple(r, 5);
	/* One that cannot be served now, as backend_blk.c does */
	CHECK_EQ(ring_take(r, &chain), 1);
	CHECK_EQ(chain.head, 0);
	CHECK(!bell_vq_inflight_waits(&r->vq));
	bell_vq_untake(&r->vq, &chain);
	CHECK(bell_vq_inflight_waits(&r->vq));
	bell_vq_inflight_put_back(&r->vq, 3, done[3].epoch);
	bell_vq_complete(&r->vq, &done[2]);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	CHECK_EQ(r->vq.stats.requests, 2);
	CHECK_EQ(stop(), 4);
	CHECK_EQ(s->used_idx, 2);
	CHECK_EQ(le16toh(r->used->idx), 2);
	for (u16 i = 0; i < NUM; i++)
		CHECK_EQ(s->desc[i].inflight, i == 0 || i == 3);
	CHECK(s->desc[0].counter < s->desc[3].counter);

	/* As QEMU after a crash: the base is the used index. */
	r->cfg.base = 2;
	CHECK_EQ(start(), 0);
	done[0] = take(0);
	/* A stop before the second one was taken again keeps it. */
	bell_vq_complete(&r->vq, &done[0]);
	CHECK_EQ(stop(), 4);
	CHECK_EQ(s->desc[0].inflight, 0);
	CHECK_EQ(s->desc[3].inflight, 1);
	r->cfg.base = 4;
	CHECK_EQ(start(), 0);
	done[3] = take(3);
	done[1] = take(5);
	bell_vq_complete(&r->vq, &done[1]);
	bell_vq_complete(&r->vq, &done[3]);
	check_nothing_to_take();
	CHECK_EQ(stop(), 5);
	CHECK_EQ(le16toh(r->used->idx), 5);
	ring_free(r);
}

static void test_not_kept(void)
{
	init(true);
	packed_start(&p);
	CHECK(!bell_vq_inflight_keeps(&r->vq));
	packed_end(&p);

	init(false);
	r->cfg.in_order = true;
	ring_start(r);
	CHECK(!bell_vq_inflight_keeps(&r->vq));
	ring_end(r);

	init(false);
	r->cfg.inflight_uaddr = 0;
	r->cfg.inflight_size = 0;
	ring_start(r);
	CHECK(!bell_vq_inflight_keeps(&r->vq));
	ring_end(r);
}

/* A region of another back end: the order is that of the counters. */
static void foreign(void)
{
	static const u16 heads[] = { 6, 1, 4 };

	init(false);
	s->version = 1;
	s->desc_num = NUM;
	s->used_idx = 10;
	for (u32 i = 0; i < 3; i++) {
		u16 head = heads[i];

		s->desc[head].inflight = 1;
		s->desc[head].counter = 1000 + i;
		ring_put_desc(&r->desc[head], RING_DATA + head * 16, 16, D_WRITE, 0);
	}
	r->used->idx = htole16(10);
	r->avail->idx = htole16(13);
	r->cfg.base = 10;
}

static void test_foreign(void)
{
	struct bell_done done[3];

	foreign();
	CHECK_EQ(start(), 0);
	done[0] = take(6);
	done[1] = take(1);
	done[2] = take(4);
	bell_vq_complete_n(&r->vq, done, 3);
	check_nothing_to_take();
	CHECK_EQ(stop(), 13);
	CHECK_EQ(s->used_idx, 13);
	ring_free(r);

	/* It ended after it had put two into the used ring. */
	foreign();
	r->used->idx = htole16(12);
	r->cfg.base = 12;
	s->last_batch_head = 4;
	s->desc[4].next = 6;
	CHECK_EQ(start(), 0);
	done[0] = take(1);
	bell_vq_complete(&r->vq, &done[0]);
	check_nothing_to_take();
	CHECK_EQ(stop(), 13);
	ring_free(r);
}

/* Heads in another back end's list are clamped; the stop writes the version last. */
static void test_order(void)
{
	foreign();
	r->used->idx = htole16(12);
	r->cfg.base = 12;
	s->last_batch_head = 4;
	s->desc[4].next = 6;
	order_start();
	CHECK_EQ(start(), 0);
	CHECK(ORDER({ SHIM_READ, S_AT(last_batch_head) }, { SHIM_NOSPEC },
		    { SHIM_READ, S_AT(desc[4].next) }, { SHIM_NOSPEC },
		    { SHIM_READ, S_AT(desc[6].next) }));
	order_start();
	stop();
	CHECK(ORDER({ SHIM_RELEASE, S_AT(version) }));
	ring_free(r);
}

/* The stop reads the number of chains taken again while the runner changes it. */
static void test_waits(void)
{
	struct bell_chain chain;
	u64 next;

	foreign();
	CHECK_EQ(start(), 0);
	order_start();
	CHECK(bell_vq_inflight_waits(&r->vq));
	next = order_record[order_n - 1].at;
	CHECK(ORDER({ SHIM_READ, ORDER_AT(&r->vq.broken) }, { SHIM_READ, next }));
	order_start();
	CHECK_EQ(ring_take(r, &chain), 1);
	CHECK(ORDER({ SHIM_WRITE, next }));
	order_start();
	bell_vq_untake(&r->vq, &chain);
	CHECK(ORDER({ SHIM_WRITE, next }));
	stop();
	ring_free(r);
}

/* The queue breaks at a chain of the region, and that chain stays there. */
static void test_foreign_breaks(void)
{
	struct bell_chain chain;

	foreign();
	ring_put_desc(&r->desc[6], RING_DATA, 0, D_WRITE, 0);
	CHECK_EQ(start(), 0);
	CHECK_EQ(ring_take(r, &chain), -EPROTO);
	CHECK_EQ(ring_take(r, &chain), -EPROTO);
	CHECK(r->vq.broken);
	/* A stop must not wait for it. */
	CHECK(!bell_vq_inflight_waits(&r->vq));
	CHECK_EQ(stop(), 13);
	CHECK(s->desc[6].inflight && s->desc[1].inflight && s->desc[4].inflight);
	ring_free(r);
}

static void bad_version(void)	{ s->version = 2; }
static void bad_running(void)	{ s->version = RUNNING; }
static void bad_size(void)	{ r->cfg.inflight_size--; }
static void bad_batch(void)	{ s->used_idx = 11; }
static void bad_head(void)	{ s->used_idx = 9; s->last_batch_head = NUM; }
static void bad_next(void)	{ s->used_idx = 8; s->desc[0].next = 60000; }
static void bad_place(void)	{ r->cfg.inflight_uaddr = WORLD_UADDR - 4096; }

static const struct {
	const char *name;
	void (*make)(void);
	int err;
} bads[] = {
	{ "a version that nobody knows", bad_version, -EBADMSG },
	{ "another queue runs with it", bad_running, -EBUSY },
	{ "too small", bad_size, -EINVAL },
	{ "a batch longer than the ring", bad_batch, -EBADMSG },
	{ "the batch begins past the ring", bad_head, -EBADMSG },
	{ "the batch goes on past the ring", bad_next, -EBADMSG },
	{ "where no memory is", bad_place, -EFAULT },
};

static void test_hostile(void)
{
	struct bell_chain chain;
	u16 version;

	for (u32 i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
		foreign();
		bads[i].make();
		version = s->version;
		CHECK_EQ(start(), bads[i].err);
		CHECK(!r->vq.inflight);
		CHECK_EQ(s->version, version);
		ring_free(r);
	}

	/* A list that loops ends all the same; all in flight, and all heads taken. */
	foreign();
	s->used_idx = 10 - NUM;
	s->last_batch_head = 3;
	s->desc[3].next = 3;
	for (u16 i = 0; i < NUM; i++) {
		s->desc[i].inflight = 255;
		s->desc[i].counter = ~0ULL;
		ring_put_desc(&r->desc[i], RING_DATA, 16, D_WRITE, 0);
	}
	CHECK_EQ(start(), 0);
	for (u16 i = 0; i < NUM - 1; i++)
		CHECK_EQ(ring_take(r, &chain), 1);
	for (u16 i = 0; i < NUM; i++) {
		if (i != 3)
			ring_complete(r, i, chain.epoch, 0);
	}
	stop();
	ring_free(r);
}

static void test_hostile_packed(void)
{
	init(true);
	pr->version = 1;
	pr->used_wrap = pr->old_used_wrap = 1;
	r->cfg.base = 0x80008000;
	pr->desc[NUM - 1].inflight = 1;
	CHECK_EQ(start(), -EOPNOTSUPP);
	pr->desc[NUM - 1].inflight = 0;
	pr->used_idx = NUM;
	CHECK_EQ(start(), -EBADMSG);
	pr->used_idx = 0;
	pr->old_used_idx = NUM;
	CHECK_EQ(start(), -EBADMSG);
	CHECK_EQ(pr->version, 1);
	pr->old_used_idx = 0;
	CHECK_EQ(start(), 0);
	stop();
	ring_free(r);
}

static const struct tap_test tests[] = {
	{ "in-flight region: a split ring", test_split },
	{ "in-flight region: a packed ring", test_packed },
	{ "in-flight region: a packed ring, torn", test_packed_torn },
	{ "in-flight region: put back", test_put_back },
	{ "in-flight region: what is not kept", test_not_kept },
	{ "in-flight region: of another back end", test_foreign },
	{ "in-flight region: the order of accesses", test_order },
	{ "in-flight region: is there a chain to take again?", test_waits },
	{ "in-flight region: a chain that breaks the queue", test_foreign_breaks },
	{ "in-flight region: hostile", test_hostile },
	{ "in-flight region: hostile, packed", test_hostile_packed },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
