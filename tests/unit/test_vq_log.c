// SPDX-License-Identifier: GPL-2.0
/* vq_log.c and gmem_log.c: everything that a queue writes is in the dirty log. */
#include <stdlib.h>

#include "dirty.h"
#include "packed.h"

#define NUM	16U
#define STEPS	3000
#define MAX_SEG	4

static struct packed p;
static struct ring *const r = &p.r;

static void ring_make(bool packed, bool event_idx, bool in_order)
{
	if (packed) {
		packed_init(&p, NUM);
	} else {
		memset(&p, 0, sizeof(p));
		ring_init(r, NUM);
	}
	r->cfg.event_idx = event_idx;
	r->cfg.in_order = in_order;
}

static void ring_go(void)
{
	if (r->cfg.packed)
		packed_start(&p);
	else
		ring_start(r);
}

static u64 random_gpa(void)
{
	return RING_DATA + (u64)(rand() % 1000) * PAGE_SIZE + rand() % PAGE_SIZE;
}

/* --- a driver and a device at random --- */

static struct bell_done flying[NUM];
static u32 nr_flying;
static u16 free_ids[NUM];
static u32 nr_free;

static void add_split(u16 head, u32 n)
{
	for (u32 i = 0; i < n; i++)
		ring_put_desc(&r->desc[head + i], random_gpa(),
			      1 + rand() % 9000,
			      (i + 1 < n ? D_NEXT : 0) | (i ? D_WRITE : 0),
			      head + i + 1);
	ring_add(r, head);
}

static void add_packed(u16 id, u32 n)
{
	struct pd d[MAX_SEG];

	for (u32 i = 0; i < n; i++)
		d[i] = (struct pd){ random_gpa(), 1 + rand() % 9000,
				    (i + 1 < n ? D_NEXT : 0) |
				    (i ? D_WRITE : 0), id };
	packed_add(&p, d, n);
}

/* Four chains of up to four descriptors, each with its part of the ring. */
static void driver_adds(void)
{
	u16 id;

	if (!nr_free)
		return;
	id = free_ids[--nr_free];
	if (r->cfg.packed)
		add_packed(id, MAX_SEG);
	else
		add_split(id, 1 + rand() % MAX_SEG);
}

static void fill(struct bell_chain *chain, struct bell_done *done)
{
	struct bell_vq_cursor cur = { .seg = chain->seg + chain->nout };
	u64 room = chain->in_bytes;
	u32 len = room ? rand() % (room + 1) : 0;
	static u8 data[4 * 9000];
	u8 last = rand();

	for (u32 i = 0; i < len; i++)
		data[i] = rand();
	CHECK_EQ(bell_vq_chain_copy(&r->vq, &cur, data, len, true, true), 0);
	done->len = rand() % 2 ? len : 0;
	done->dirty = len;
	if (!room)
		return;
	done->dirty_last = true;
	cur = (struct bell_vq_cursor){ .seg = chain->seg + chain->nout };
	while (cur.seg != chain->seg + chain->nout + chain->nin - 1)
		cur.seg++;
	CHECK_EQ(bell_gmem_write(r->gm, cur.seg->addr + cur.seg->len - 1, &last, 1,
				 true), 0);
}

static void device_takes(void)
{
	struct bell_done *done = &flying[nr_flying];
	struct bell_chain chain;
	int ret = bell_vq_take(&r->vq, true, &chain);

	if (!ret)
		return;
	CHECK_EQ(ret, 1);
	if (!(rand() % 8)) {
		bell_vq_untake(&r->vq, &chain);
		return;
	}
	*done = (struct bell_done){ .head = chain.head, .epoch = chain.epoch };
	fill(&chain, done);
	nr_flying++;
}

static void device_completes(void)
{
	u32 n = 1 + rand() % 3;

	if (n > nr_flying)
		n = nr_flying;
	if (!n)
		return;
	for (u32 i = 0; i < n; i++)
		free_ids[nr_free++] = flying[i].head;
	bell_vq_complete_n(&r->vq, flying, n);
	memmove(flying, flying + n, (nr_flying -= n) * sizeof(*flying));
}

static void device_kicks(void)
{
	if (rand() % 2)
		bell_vq_enable_kick(&r->vq);
	else
		bell_vq_disable_kick(&r->vq);
}

static unsigned int run(bool log)
{
	unsigned int missed = 0;

	nr_flying = 0;
	nr_free = 0;
	for (u16 id = 0; id < NUM; id += MAX_SEG)
		free_ids[nr_free++] = id;
	ring_go();
	if (log)
		dirty_start(r);
	dirty_sync();
	for (u32 i = 0; i < STEPS; i++) {
		switch (rand() % 8) {
		case 0 ... 2:
			driver_adds();
			/* What the driver writes, KVM tells the VMM. */
			memcpy(dirty_copy + RING_DESC, ring_at(RING_DESC),
			       NUM * 16);
			memcpy(dirty_copy + RING_AVAIL, ring_at(RING_AVAIL),
			       PAGE_SIZE);
			break;
		case 3 ... 4:
			device_takes();
			break;
		case 5 ... 6:
			device_completes();
			/* Data counts from the completion on. */
			if (nr_flying)
				break;
			missed += dirty_missed();
			dirty_sync();
			break;
		default:
			device_kicks();
		}
	}
	while (nr_flying)
		device_completes();
	missed += dirty_missed();
	return missed;
}

static void test_random(bool packed, bool event_idx, bool in_order)
{
	srand(packed * 4 + event_idx * 2 + in_order);
	ring_make(packed, event_idx, in_order);
	CHECK_EQ(run(true), 0);
	ring_end(r);
}

/* The check sees what is not logged. */
static void test_random_unlogged(bool packed)
{
	ring_make(packed, true, false);
	world_map(DIRTY_PAGE, 1, DIRTY_PAGE);
	CHECK(run(false) > 100);
	ring_end(r);
}

/* --- each write by itself --- */

static bool only_page(u64 gpa)
{
	return dirty_logged() == 1 && dirty_test(gpa >> PAGE_SHIFT);
}

static void test_kicks(bool packed, bool event_idx)
{
	ring_make(packed, event_idx, false);
	ring_go();
	dirty_start(r);
	bell_vq_enable_kick(&r->vq);
	CHECK(only_page(RING_USED));
	dirty_sync();
	bell_vq_disable_kick(&r->vq);
	CHECK_EQ(dirty_missed(), 0);
	if (!event_idx)
		CHECK(only_page(RING_USED));
	ring_end(r);
}

/* A queue that logs, with one chain */
static void log_one(bool packed)
{
	ring_make(packed, true, false);
	ring_go();
	dirty_start(r);
	if (packed)
		packed_add_simple(&p, 3);
	else
		ring_add_simple(r, 3);
}

/* A start, a completion and a stop write to the ring only. */
static void test_ring(bool packed)
{
	u64 where = packed ? RING_DESC : RING_USED;

	log_one(packed);
	dirty_sync();
	CHECK_EQ(ring_serve(r), 1);
	CHECK(dirty_test(where >> PAGE_SHIFT));
	CHECK(dirty_test(RING_DATA >> PAGE_SHIFT));
	CHECK_EQ(dirty_logged(), 2);
	bell_vq_stop(&r->vq);
	r->cfg.base = packed ? packed_base(p.next, p.next) :
			       le16toh(r->avail->idx);
	dirty_sync();
	/* It goes on with the log of its table. */
	CHECK_EQ(bell_vq_start(&r->vq, r->gm, &r->cfg), 0);
	CHECK(only_page(RING_USED));
	if (packed)
		packed_add_simple(&p, 5);
	else
		ring_add_simple(r, 5);
	dirty_sync();
	CHECK_EQ(ring_serve(r), 1);
	CHECK(dirty_test(where >> PAGE_SHIFT));
	dirty_stop(r);
	dirty_sync();
	if (packed)
		packed_add_simple(&p, 6);
	else
		ring_add_simple(r, 6);
	CHECK_EQ(ring_serve(r), 1);
	CHECK_EQ(dirty_logged(), 0);
	ring_end(r);
}

/* The VMM reads and clears the log just before the driver can see an entry. */
static u64 release_gpa;

static void sync_before_release(enum shim_order what, const volatile void *at)
{
	if (what != SHIM_RELEASE || world_pfn_of(at) != (long)(release_gpa >> PAGE_SHIFT))
		return;
	world.on_order = NULL;
	dirty_sync();
}

static void test_sync_meanwhile(bool packed)
{
	struct bell_chain chain;

	release_gpa = packed ? RING_DESC : RING_USED;
	log_one(packed);
	CHECK_EQ(ring_take(r, &chain), 1);
	world.on_order = sync_before_release;
	ring_complete(r, chain.head, chain.epoch, 1);
	CHECK(!world.on_order);
	CHECK(only_page(release_gpa));
	CHECK_EQ(dirty_missed(), 0);
	ring_end(r);
}

/* The driver may change its descriptors meanwhile: it is what was taken that counts. */
static void test_changed(void)
{
	struct bell_chain chain;
	u64 gpa = RING_DATA + 7 * PAGE_SIZE;

	ring_make(false, true, false);
	ring_go();
	ring_put_desc(&r->desc[0], gpa, 100, D_WRITE, 0);
	ring_add(r, 0);
	dirty_start(r);
	CHECK_EQ(ring_take(r, &chain), 1);
	ring_put_desc(&r->desc[0], RING_DATA, 1, 0, 0);
	ring_complete(r, chain.head, chain.epoch, 100);
	CHECK(dirty_test(gpa >> PAGE_SHIFT));
	CHECK(!dirty_test(RING_DATA >> PAGE_SHIFT));
	ring_end(r);
}

/* Descriptors of 4 GiB, of which little was written, and beyond all memory */
static void test_hostile(void)
{
	struct bell_chain chain;
	struct bell_done done;

	ring_make(false, true, false);
	ring_go();
	ring_put_desc(&r->desc[0], RING_DATA, U32_MAX, D_WRITE | D_NEXT, 1);
	ring_put_desc(&r->desc[1], ~0ULL - 10, 100, D_WRITE | D_NEXT, 2);
	ring_put_desc(&r->desc[2], 1ULL << 60, U32_MAX, D_WRITE, 0);
	ring_add(r, 0);
	dirty_start(r);
	CHECK_EQ(ring_take(r, &chain), 1);
	done = (struct bell_done){ .head = chain.head, .epoch = chain.epoch,
				   .len = 1, .dirty_last = true };
	bell_vq_complete(&r->vq, &done);
	CHECK(dirty_test(RING_DATA >> PAGE_SHIFT));
	CHECK_EQ(dirty_logged(), 2);
	ring_add(r, 0);
	CHECK_EQ(ring_take(r, &chain), 1);
	done.epoch = chain.epoch;
	done.dirty = U32_MAX;
	bell_vq_complete(&r->vq, &done);
	CHECK_EQ(dirty_logged(), RING_PAGES - (RING_DATA >> PAGE_SHIFT) + 1);
	ring_end(r);
}

/* Makes @n pieces of one byte, each @step bytes after the one before, available. */
static void add_pieces(u16 head, u32 n, u32 step)
{
	struct vring_desc *table = ring_at(RING_TABLE + head * SZ_16K);

	for (u32 i = 0; i < n; i++)
		ring_put_desc(&table[i], RING_DATA + (u64)i * step, 1,
			      D_WRITE | (i + 1 < n ? D_NEXT : 0), i + 1);
	ring_put_desc(&r->desc[head], RING_TABLE + head * SZ_16K,
		      n * sizeof(*table), D_INDIRECT, 0);
	ring_add(r, head);
}

/* A ring full of the longest tables does not cost memory without end. */
static void test_much(void)
{
	struct bell_chain chain[64];
	u32 n = 0, i;
	int ret;

	memset(&p, 0, sizeof(p));
	ring_init(r, 64);
	ring_start(r);
	dirty_start(r);
	for (i = 0; i < 64; i++)
		add_pieces(i, 1022, 2);
	while ((ret = ring_take(r, &chain[n])) == 1)
		n++;
	CHECK_EQ(ret, -EAGAIN);
	/* 256 KiB and one more, of 16 bytes a piece */
	CHECK_EQ(n, SZ_256K / (1022 * 16) + 1);
	CHECK_EQ(bell_vq_in_flight(&r->vq), n);
	ring_complete(r, chain[0].head, chain[0].epoch, 1022);
	CHECK_EQ(ring_take(r, &chain[0]), 1);
	for (i = 0; i < n; i++)
		ring_complete(r, chain[i].head, chain[i].epoch, 1022);
	CHECK(dirty_test(RING_DATA >> PAGE_SHIFT));
	ring_end(r);

	/* Pieces that adjoin are one, so all fit. */
	ring_init(r, 64);
	ring_start(r);
	dirty_start(r);
	for (i = 0; i < 64; i++)
		add_pieces(i, 1022, 1);
	for (n = 0; n < 64; n++)
		CHECK_EQ(ring_take(r, &chain[n]), 1);
	for (n = 0; n < 64; n++)
		ring_complete(r, chain[n].head, chain[n].epoch, 1022);
	CHECK(dirty_test(RING_DATA >> PAGE_SHIFT));
	ring_end(r);
}

/* A chain that the device cannot write to needs no memory to be kept. */
static void test_readable(void)
{
	struct bell_chain chain;
	long before;

	ring_make(false, true, false);
	ring_go();
	dirty_start(r);
	ring_put_desc(&r->desc[0], RING_DATA, 16, 0, 0);
	ring_add(r, 0);
	before = world.allocated;
	CHECK_EQ(ring_take(r, &chain), 1);
	CHECK_EQ(world.allocated, before);
	ring_complete(r, chain.head, chain.epoch, 0);
	ring_end(r);
}

static void test_no_memory(void)
{
	struct bell_chain chain;

	ring_make(false, true, false);
	ring_go();
	dirty_start(r);
	ring_add_simple(r, 0);
	CHECK_EQ(ring_take(r, &chain), 1);
	bell_vq_untake(&r->vq, &chain);
	world.fail_alloc = 1;
	CHECK_EQ(bell_vq_take(&r->vq, true, &chain), -EAGAIN);
	CHECK_EQ(bell_vq_in_flight(&r->vq), 0);
	world.fail_alloc = 1;
	world.atomic++;
	CHECK_EQ(bell_vq_take(&r->vq, false, &chain), -EAGAIN);
	CHECK_EQ(bell_vq_take(&r->vq, false, &chain), 1);
	ring_complete(r, chain.head, chain.epoch, 1);
	world.atomic--;
	ring_end(r);

	/* Nor does a queue start without its part of a log that there is. */
	ring_make(false, true, false);
	ring_go();
	dirty_start(r);
	bell_vq_stop(&r->vq);
	world.fail_alloc = 1;
	CHECK_EQ(bell_vq_start(&r->vq, r->gm, &r->cfg), -ENOMEM);
	ring_free(r);
}

/* The bit is set when the byte is there. */
static void look(void)
{
	world.on_barrier = NULL;
	CHECK_EQ(dirty_logged(), 0);
	CHECK_EQ(*(u8 *)ring_at(RING_DATA), 0x5a);
}

static void test_after(void)
{
	u8 byte = 0x5a;

	ring_make(false, true, false);
	ring_go();
	dirty_start(r);
	CHECK_EQ(bell_gmem_write(r->gm, RING_DATA, &byte, 1, true), 0);
	world.on_barrier = look;
	bell_gmem_log_set(bell_gmem_get_log(r->gm), RING_DATA, 1);
	CHECK(!world.on_barrier);
	CHECK(only_page(RING_DATA));
	/* Over the end of a page */
	bell_gmem_log_set(bell_gmem_get_log(r->gm), RING_DATA + 2 * PAGE_SIZE - 1,
			  2);
	CHECK_EQ(dirty_logged(), 3);
	ring_end(r);
}

/* --- the log itself --- */

static long create_log(u64 uaddr, u64 size)
{
	struct bell_gmem_log *log = bell_gmem_log_create(r->gm, uaddr, size);

	if (IS_ERR(log))
		return PTR_ERR(log);
	bell_gmem_log_destroy(r->gm, log);
	return 0;
}

static void test_create(void)
{
	ring_make(false, true, false);
	ring_go();
	world_map(DIRTY_PAGE, 1, DIRTY_PAGE);
	world_unmap(DIRTY_PAGE + 1, 1);
	CHECK_EQ(create_log(DIRTY_UADDR, DIRTY_SIZE), 0);
	CHECK_EQ(create_log(DIRTY_UADDR + 8, DIRTY_SIZE), 0);
	CHECK_EQ(create_log(DIRTY_UADDR, 0), -EINVAL);
	CHECK_EQ(create_log(DIRTY_UADDR, DIRTY_SIZE - 8), -EINVAL);
	CHECK_EQ(create_log(DIRTY_UADDR, DIRTY_SIZE + 1), -EINVAL);
	CHECK_EQ(create_log(DIRTY_UADDR + 4, DIRTY_SIZE), -EINVAL);
	CHECK_EQ(create_log(DIRTY_UADDR, BELL_GMEM_LOG_MAX + 8), -EINVAL);
	CHECK_EQ(create_log(DIRTY_UADDR, PAGE_SIZE + 8), -EFAULT);
	CHECK_EQ(create_log(0, DIRTY_SIZE), -EFAULT);
	for (u32 i = 1; i < 3; i++) {
		world.fail_alloc = i;
		CHECK_EQ(create_log(DIRTY_UADDR, DIRTY_SIZE), -ENOMEM);
	}
	ring_end(r);
}

/* The bitmap is paid for, and can do with the pages of the table if it must. */
static void test_charge(void)
{
	struct bell_gmem *new;
	s64 before;

	ring_make(false, true, false);
	ring_go();
	before = world.mm.pinned_vm.counter;
	dirty_start(r);
	CHECK_EQ(world.mm.pinned_vm.counter, before + 1);
	CHECK_EQ(world_page_pins(DIRTY_PAGE), 1);
	/* Another table takes the log over. */
	new = ring_gmem(r->gm);
	CHECK(!IS_ERR(new));
	bell_vq_set_gmem(&r->vq, new);
	bell_gmem_replaced(new, r->gm);
	r->gm = new;
	CHECK_EQ(world_page_pins(DIRTY_PAGE), 1);
	CHECK_EQ(world.mm.pinned_vm.counter, before + 1);
	ring_add_simple(r, 1);
	dirty_sync();
	CHECK_EQ(ring_serve(r), 1);
	CHECK_EQ(dirty_missed(), 0);
	CHECK(dirty_logged());
	dirty_stop(r);
	CHECK_EQ(world_page_pins(DIRTY_PAGE), 0);
	CHECK_EQ(world.mm.pinned_vm.counter, before);
	world.mm.limit = before;
	CHECK_EQ(create_log(DIRTY_UADDR, DIRTY_SIZE), 0);
	ring_end(r);
}

static void test_covers(void)
{
	struct vhost_memory_region more[] = {
		{ .guest_phys_addr = 1ULL << 30, .memory_size = PAGE_SIZE,
		  .userspace_addr = WORLD_UADDR },
		{ .memory_size = RING_END, .userspace_addr = WORLD_UADDR },
	};
	struct bell_gmem *new;

	ring_make(false, true, false);
	ring_go();
	dirty_start(r);
	CHECK(bell_gmem_log_covers(bell_gmem_get_log(r->gm), r->gm));
	new = bell_gmem_create(&world.mm, more, 2, r->gm);
	CHECK(!IS_ERR(new));
	CHECK(!bell_gmem_log_covers(bell_gmem_get_log(r->gm), new));
	CHECK(bell_gmem_log_covers(NULL, new));
	bell_gmem_revert(new, r->gm);
	CHECK_EQ(world_page_pins(DIRTY_PAGE), 1);
	ring_end(r);
}

static void test_random_all(bool packed)
{
	for (u32 i = 0; i < 4 && !tap_bad; i++) {
		test_random(packed, i & 1, i & 2);
		world_reset();
	}
}

static void test_kicks_all(bool packed)
{
	test_kicks(packed, false);
	world_reset();
	test_kicks(packed, true);
}

static void both(void (*test)(bool packed), const char *name)
{
	char title[80];

	for (int packed = 0; packed < 2; packed++) {
		tap_begin();
		test(packed);
		snprintf(title, sizeof(title), "dirty log: %s ring: %s",
			 packed ? "packed" : "split", name);
		tap_end(title);
	}
}

#define TEST(f, name)							\
	do {								\
		tap_begin();						\
		f();							\
		tap_end("dirty log: " name);				\
	} while (0)

int main(void)
{
	TEST(test_create, "which bitmaps are taken");
	TEST(test_charge, "it is paid for, and goes from table to table");
	TEST(test_covers, "no table that it does not cover");
	TEST(test_after, "the bit comes after the byte");
	both(test_kicks_all, "what the driver is told of kicks");
	both(test_ring, "used ring, stop and start");
	both(test_sync_meanwhile, "the log is read meanwhile");
	both(test_random_all, "nothing is missed");
	both(test_random_unlogged, "the check sees what is missed");
	TEST(test_changed, "descriptors that the driver changes");
	TEST(test_hostile, "huge descriptors");
	TEST(test_much, "long chains cost no memory without end");
	TEST(test_no_memory, "no memory");
	TEST(test_readable, "a chain that is only read");
	return tap_done();
}
