// SPDX-License-Identifier: GPL-2.0
/*
 * The barriers of rings, epochs and the dirty log. Each test states the order that the
 * other side (driver, VMM, another context) relies on.
 */
#include "dirty.h"
#include "gmem_priv.h"
#include "gmem_user.h"
#include "order.h"
#include "packed.h"

#define NUM		8U
#define AVAIL_IDX	(RING_AVAIL + offsetof(struct vring_avail, idx))
#define AVAIL_FLAGS	(RING_AVAIL + offsetof(struct vring_avail, flags))
#define AVAIL_RING	(RING_AVAIL + offsetof(struct vring_avail, ring))
#define USED_EVENT	(AVAIL_RING + NUM * 2)
#define USED_IDX	(RING_USED + offsetof(struct vring_used, idx))
#define USED_FLAGS	(RING_USED + offsetof(struct vring_used, flags))
#define USED_RING	(RING_USED + offsetof(struct vring_used, ring))
#define AVAIL_EVENT	(USED_RING + NUM * sizeof(struct vring_used_elem))
/* The two words of a descriptor of a split ring, and of an entry of the table */
#define S_ADDR(n)	(RING_DESC + (n) * sizeof(struct vring_desc))
#define S_REST(n)	(S_ADDR(n) + sizeof(u64))
#define T_ADDR(n)	(RING_TABLE + (n) * sizeof(struct vring_desc))
#define T_REST(n)	(T_ADDR(n) + sizeof(u64))
/* Event areas and descriptors of a packed ring */
#define EVENT_OFF	offsetof(struct vring_packed_desc_event, off_wrap)
#define EVENT_FLAGS	offsetof(struct vring_packed_desc_event, flags)
#define P_AT(n, member)	(RING_DESC + (n) * sizeof(struct vring_packed_desc) + \
			 offsetof(struct vring_packed_desc, member))

static struct ring r;
static struct packed p;

/* Nothing of a chain is read before the index that publishes it. */
static void test_split_take(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 3);
	order_start();
	CHECK_EQ(ring_take(&r, &chain), 1);
	/* A head is clamped before it is an index of `taken` and of the descriptors. */
	CHECK(ORDER({ SHIM_ACQUIRE, AVAIL_IDX }, { SHIM_READ, AVAIL_RING },
		    { SHIM_NOSPEC }, { SHIM_READ, ORDER_AT(&r.vq.taken[3]) },
		    { SHIM_READ, S_ADDR(3) }, { SHIM_READ, S_REST(3) }));
	ring_complete(&r, chain.head, chain.epoch, 0);
	ring_end(&r);
}

/*
 * The driver sees the index after the entry; and this looks at the driver's wishes
 * after the index is visible.
 */
static void split_complete(bool event_idx)
{
	struct bell_chain chain;

	ring_init(&r, NUM);
	r.cfg.event_idx = event_idx;
	ring_start(&r);
	for (int i = 0; i < 2; i++) {
		ring_add_simple(&r, 3);
		CHECK_EQ(ring_take(&r, &chain), 1);
		order_start();
		ring_complete(&r, chain.head, chain.epoch, 5);
	}
	CHECK(ORDER({ SHIM_WRITE, USED_RING + sizeof(struct vring_used_elem) },
		    { SHIM_RELEASE, USED_IDX }, { SHIM_WRITE, USED_IDX },
		    { SHIM_MB }, { SHIM_READ, event_idx ? USED_EVENT : AVAIL_FLAGS }));
	ring_end(&r);
}

static void test_split_complete(void)
{
	split_complete(true);
	split_complete(false);
}

/* The index is read after the driver can see the request for a kick. */
static void split_enable_kick(bool event_idx)
{
	ring_init(&r, NUM);
	r.cfg.event_idx = event_idx;
	ring_start(&r);
	bell_vq_disable_kick(&r.vq);
	order_start();
	bell_vq_enable_kick(&r.vq);
	CHECK(ORDER({ SHIM_WRITE, event_idx ? AVAIL_EVENT : USED_FLAGS },
		    { SHIM_MB }, { SHIM_READ, AVAIL_IDX }));
	ring_end(&r);
}

static void test_split_enable_kick(void)
{
	split_enable_kick(true);
	split_enable_kick(false);
}

/* The guest's `next` is clamped before it is an index: of the ring, and of a table. */
static void test_split_next(void)
{
	struct vring_desc *table = ring_at(RING_TABLE);
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_put_desc(&r.desc[3], RING_DATA, 1, D_NEXT, 5);
	ring_put_desc(&r.desc[5], RING_TABLE, 48, D_INDIRECT, 0);
	ring_put_desc(&table[0], RING_DATA, 1, D_NEXT, 2);
	ring_put_desc(&table[2], RING_DATA, 1, D_WRITE, 0);
	ring_add(&r, 3);
	/* The page is pinned by the first take. */
	CHECK_EQ(ring_take(&r, &chain), 1);
	bell_vq_untake(&r.vq, &chain);
	order_start();
	CHECK_EQ(ring_take(&r, &chain), 1);
	/* Of the table first the page and then its length are clamped. */
	CHECK(ORDER({ SHIM_READ, S_REST(3) }, { SHIM_NOSPEC },
		    { SHIM_READ, S_ADDR(5) }, { SHIM_READ, S_REST(5) },
		    { SHIM_NOSPEC }, { SHIM_NOSPEC },
		    { SHIM_READ, T_ADDR(0) }, { SHIM_READ, T_REST(0) },
		    { SHIM_NOSPEC },
		    { SHIM_READ, T_ADDR(2) }, { SHIM_READ, T_REST(2) }));
	ring_complete(&r, chain.head, chain.epoch, 0);
	ring_end(&r);
}

static void test_packed_take(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	packed_add_simple(&p, 3);
	order_start();
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK(ORDER({ SHIM_ACQUIRE, P_AT(0, flags) }, { SHIM_READ, P_AT(0, addr) },
		    { SHIM_READ, P_AT(0, id) }, { SHIM_NOSPEC },
		    { SHIM_READ, ORDER_AT(&p.r.vq.taken[3]) }));
	ring_complete(&p.r, chain.head, chain.epoch, 0);
	packed_end(&p);
}

/* As test_split_next(); the index of a table is a counter with the guest's limit. */
static void test_packed_table(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	packed_put_desc(ring_at(T_ADDR(0)), &(struct pd){ RING_DATA, 1 }, 0);
	packed_put_desc(ring_at(T_ADDR(1)), &(struct pd){ RING_DATA, 1 }, 0);
	packed_add(&p, &(struct pd){ RING_TABLE, 32, D_INDIRECT, 3 }, 1);
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	bell_vq_untake(&p.r.vq, &chain);
	order_start();
	CHECK_EQ(ring_take(&p.r, &chain), 1);
	CHECK(ORDER({ SHIM_READ, P_AT(0, id) }, { SHIM_NOSPEC }, { SHIM_NOSPEC },
		    { SHIM_NOSPEC },
		    { SHIM_READ, T_ADDR(0) }, { SHIM_READ, T_REST(0) },
		    { SHIM_NOSPEC },
		    { SHIM_READ, T_ADDR(1) }, { SHIM_READ, T_REST(1) }));
	ring_complete(&p.r, chain.head, chain.epoch, 0);
	packed_end(&p);
}

/* Flags of the entry last; then the driver's flags, and the offset after them */
static void test_packed_complete(void)
{
	struct bell_chain chain;

	packed_begin(&p, NUM);
	for (int i = 0; i < 2; i++) {
		packed_add_simple(&p, 3);
		CHECK_EQ(ring_take(&p.r, &chain), 1);
		p.driver->flags = htole16(P_DESC);
		order_start();
		ring_complete(&p.r, chain.head, chain.epoch, 5);
	}
	CHECK(ORDER({ SHIM_WRITE, P_AT(1, id) }, { SHIM_WRITE, P_AT(1, len) },
		    { SHIM_RELEASE, P_AT(1, flags) }, { SHIM_WRITE, P_AT(1, flags) },
		    { SHIM_MB }, { SHIM_READ, RING_AVAIL + EVENT_FLAGS }, { SHIM_RMB },
		    { SHIM_READ, RING_AVAIL + EVENT_OFF }));
	packed_end(&p);
}

/* The offset before the flags that say it is valid; then look again */
static void test_packed_enable_kick(void)
{
	packed_begin(&p, NUM);
	bell_vq_disable_kick(&p.r.vq);
	order_start();
	bell_vq_enable_kick(&p.r.vq);
	CHECK(ORDER({ SHIM_WRITE, RING_USED + EVENT_OFF }, { SHIM_WMB },
		    { SHIM_WRITE, RING_USED + EVENT_FLAGS }, { SHIM_MB },
		    { SHIM_ACQUIRE, P_AT(0, flags) }));
	packed_end(&p);
}

/* A request counts itself, and looks whether the epoch turned meanwhile. */
static void test_user_enter(void)
{
	struct bell_gmem_user *user = &r.vq.user;
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 3);
	order_start();
	CHECK_EQ(ring_take(&r, &chain), 1);
	CHECK(ORDER({ SHIM_ACQUIRE, ORDER_AT(&user->epoch) },
		    { SHIM_WRITE, ORDER_AT(&user->entered[0]) }, { SHIM_MB },
		    { SHIM_ACQUIRE, ORDER_AT(&user->epoch) },
		    { SHIM_READ, S_ADDR(3) }));
	order_start();
	bell_vq_untake(&r.vq, &chain);
	CHECK(ORDER({ SHIM_RELEASE, ORDER_AT(&user->entered[0]) }));
	ring_end(&r);
}

/* All accesses of a request are before its count, and the waiter reads `left` first. */
static void test_user_leave(void)
{
	struct bell_gmem_user *user = &r.vq.user;
	struct bell_chain chain;

	ring_begin(&r, NUM);
	ring_add_simple(&r, 3);
	CHECK_EQ(ring_take(&r, &chain), 1);
	order_start();
	ring_complete(&r, chain.head, chain.epoch, 5);
	CHECK(ORDER({ SHIM_RELEASE, ORDER_AT(&user->left[0]) }, { SHIM_MB }));
	order_start();
	bell_gmem_user_turn(user);
	CHECK(ORDER({ SHIM_RELEASE, ORDER_AT(&user->epoch) }, { SHIM_MB }));
	order_start();
	CHECK(bell_gmem_user_turned(user));
	CHECK(ORDER({ SHIM_ACQUIRE, ORDER_AT(&user->left[0]) },
		    { SHIM_ACQUIRE, ORDER_AT(&user->entered[0]) }));
	ring_end(&r);
}

/* The bytes of a used entry are visible before the bit of their page is looked at. */
static void test_log(void)
{
	struct bell_chain chain;

	ring_begin(&r, NUM);
	dirty_start(&r);
	ring_add_simple(&r, 3);
	CHECK_EQ(ring_take(&r, &chain), 1);
	order_start();
	ring_complete(&r, chain.head, chain.epoch, 5);
	CHECK(ORDER({ SHIM_WRITE, USED_RING }, { SHIM_MB }, { SHIM_RELEASE, USED_IDX },
		    { SHIM_WRITE, USED_IDX }, { SHIM_MB }));
	dirty_stop(&r);
	ring_end(&r);
}

/* A page is found only after its leaf is filled: see bell_gmem_span(). */
static void test_pin(void)
{
	bool leaf = false, clamped = false;
	u8 byte;

	ring_begin(&r, NUM);
	order_start();
	CHECK(!bell_gmem_read(r.gm, RING_DATA, &byte, 1, true));
	world.on_order = NULL;
	for (size_t i = 0; i < order_n; i++) {
		leaf |= order_record[i].what == SHIM_RELEASE;
		clamped |= order_record[i].what == SHIM_NOSPEC;
	}
	CHECK(leaf);
	CHECK(clamped);
	ring_end(&r);
}

/* Pages may leave the table at any time: each pointer is read once, with READ_ONCE(). */
static void test_find(void)
{
	const size_t i = RING_DATA >> PAGE_SHIFT;
	const u32 lens[] = { 1, PAGE_SIZE };
	struct bell_gmem_span span;
	struct bell_gmem_leaf **at;
	u8 byte;

	ring_begin(&r, NUM);
	CHECK(!bell_gmem_read(r.gm, RING_DATA, &byte, 1, true));
	at = &r.gm->region[0].leaf[i >> GMEM_LEAF_SHIFT];
	for (int k = 0; k < 2; k++) {
		order_start();
		CHECK(!bell_gmem_span(r.gm, RING_DATA, lens[k], false, &span));
		CHECK(ORDER({ SHIM_READ, ORDER_AT(&r.gm->hint[0]) }, { SHIM_NOSPEC },
			    { SHIM_READ, ORDER_AT(at) },
			    { SHIM_READ, ORDER_AT(&(*at)->page[i & GMEM_LEAF_MASK]) }));
		/* No more accesses for a whole page than for one byte */
		CHECK_EQ(order_n, 4);
	}
	ring_end(&r);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "order: split ring: take", test_split_take },
		{ "order: split ring: the next of a chain", test_split_next },
		{ "order: split ring: complete", test_split_complete },
		{ "order: split ring: ask for a kick", test_split_enable_kick },
		{ "order: packed ring: take", test_packed_take },
		{ "order: packed ring: a table", test_packed_table },
		{ "order: packed ring: complete", test_packed_complete },
		{ "order: packed ring: ask for a kick", test_packed_enable_kick },
		{ "order: a request enters", test_user_enter },
		{ "order: a request leaves, the epoch turns", test_user_leave },
		{ "order: dirty log", test_log },
		{ "order: pin", test_pin },
		{ "order: find a page", test_find },
	};

	TAP_RUN(tests);
	return tap_done();
}
