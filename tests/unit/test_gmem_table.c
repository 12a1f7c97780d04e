// SPDX-License-Identifier: GPL-2.0
/*
 * gmem.c and gmem_map.c: how a table is accounted to its owner, and how rings
 * are mapped.
 */
#include <linux/rcupdate.h>

#include "gmem_table.h"

/* --- invalid regions --- */

static const struct bad_table {
	const char *rule;
	struct vhost_memory_region r[2];
	unsigned int n;
	long error;
} bad_tables[] = {
#define R(g, u, s, f)	{ .guest_phys_addr = (g), .userspace_addr = (u), \
			  .memory_size = (s), .flags_padding = (f) }
#define U		WORLD_UADDR
	{ "no region at all", {}, 0, -EINVAL },
	{ "regions side by side, in the wrong order",
	  { R(0x2000, U, 0x1000, 0), R(0, U + 0x1000, 0x2000, 0) }, 2, 0 },
	{ "two regions on the same user memory",
	  { R(0x2000, U, 0x2000, 0), R(0, U, 0x2000, 0) }, 2, 0 },
	{ "size is zero", { R(0, U, 0, 0) }, 1, -EINVAL },
	{ "guest address is not on a page", { R(0x10, U, 0x1000, 0) }, 1,
	  -EINVAL },
	{ "user address is not on a page", { R(0, U + 1, 0x1000, 0) }, 1,
	  -EINVAL },
	{ "size is not whole pages", { R(0, U, 0x1801, 0) }, 1, 0 },
	{ "size is less than a page", { R(0, U, 1, 0) }, 1, 0 },
	{ "a region begins where another ends within a page",
	  { R(0, U, 0x1800, 0), R(0x1800, U + 0x2000, 0x800, 0) }, 2, -EINVAL },
	{ "regions overlap by a part of a page",
	  { R(0, U, 0x1001, 0), R(0x1000, U + 0x4000, 0x1000, 0) }, 2,
	  -EINVAL },
	{ "a part of a page beyond the user's addresses",
	  { R(0, TASK_SIZE - 0x1000, 0x1001, 0) }, 1, -EINVAL },
	{ "a region ends with the user's addresses, no memory there",
	  { R(0, TASK_SIZE - 0x1000, 0x1000, 0) }, 1, -EFAULT },
	{ "padding is not zero", { R(0, U, 0x1000, 1) }, 1, -EINVAL },
	{ "guest addresses wrap", { R(~0xfffULL, U, 0x2000, 0) }, 1, -EINVAL },
	{ "guest addresses end at 2^64", { R(~0xfffULL, U, 0x1000, 0) }, 1,
	  -EINVAL },
	{ "user addresses wrap", { R(0, ~0xfffULL, 0x2000, 0) }, 1, -EINVAL },
	{ "user addresses are not the user's", { R(0, TASK_SIZE, 0x1000, 0) },
	  1, -EINVAL },
	{ "size is everything", { R(0, 0, ~0xfffULL, 0) }, 1, -EINVAL },
	{ "regions overlap by a page",
	  { R(0x1000, U, 0x2000, 0), R(0x2000, U + 0x4000, 0x1000, 0) }, 2,
	  -EINVAL },
	{ "regions overlap by a page, the later first",
	  { R(0x2000, U, 0x1000, 0), R(0x1000, U + 0x4000, 0x2000, 0) }, 2,
	  -EINVAL },
	{ "the same region twice", { R(0, U, 0x1000, 0), R(0, U, 0x1000, 0) },
	  2, -EINVAL },
	{ "memory that is not there",
	  { R(0, U, 0x1000, 0), R(0x1000, U + 0x10000000, 0x1000, 0) }, 2,
	  -EFAULT },
#undef U
#undef R
};

static void test_bad_tables(void)
{
	for (size_t i = 0; i < sizeof(bad_tables) / sizeof(*bad_tables); i++) {
		const struct bad_table *t = &bad_tables[i];
		char name[100];

		tap_begin();
		world_map(0, 16, 0);
		bell_gmem_init();
		gm = create(t->r, t->n, NULL);
		CHECK_EQ(IS_ERR(gm) ? PTR_ERR(gm) : 0, t->error);
		if (!IS_ERR(gm))
			bell_gmem_destroy(gm);
		bell_gmem_exit();
		snprintf(name, sizeof(name), "gmem table: %s", t->rule);
		tap_end(name);
	}
}

/* --- accounting to RLIMIT_MEMLOCK --- */

/*
 * Each page counts as a whole, also if only a part of it belongs to the guest.
 */
static void test_memlock_partial(void)
{
	struct vhost_memory_region r[2] = {
		region(0, 0, 1), region(0x10000, 8, 1),
	};

	world_map(0, 16, 0);
	world.mm.limit = 3;
	bell_gmem_init();
	r[0].memory_size = 1;
	r[1].memory_size = PAGE_SIZE + 1;
	gm = create(r, 2, NULL);
	CHECK(!IS_ERR(gm));
	CHECK_EQ(world.mm.pinned_vm.counter, 3);
	bell_gmem_destroy(gm);
	r[0].memory_size = PAGE_SIZE + 1;
	CHECK_EQ(PTR_ERR(create(r, 2, NULL)), -ENOMEM);
	bell_gmem_exit();
}

static struct bell_gmem *sized(unsigned long count, struct bell_gmem *old)
{
	struct vhost_memory_region r = region(GPA, 0, count);

	return create(&r, 1, old);
}

static void memlock_begin(unsigned long limit)
{
	world_map(0, 4096, 0);
	world.mm.limit = limit;
	bell_gmem_init();
}

static void test_memlock_limit(void)
{
	memlock_begin(100);
	CHECK_EQ(PTR_ERR(sized(101, NULL)), -ENOMEM);
	CHECK_EQ(world.mm.pinned_vm.counter, 0);
	gm = sized(100, NULL);
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

/*
 * Replaces a table of @from pages by one of @to pages; the account never falls
 * below the pins.
 */
static void check_replace(unsigned long from, unsigned long to, bool revert)
{
	struct bell_gmem *old, *new;

	memlock_begin(1000);
	old = sized(from, NULL);
	new = sized(to, old);
	CHECK_EQ(world.mm.pinned_vm.counter, max(from, to));
	if (revert) {
		bell_gmem_revert(new, old);
		CHECK_EQ(world.mm.pinned_vm.counter, from);
		new = sized(to, old);
	}
	bell_gmem_take_stats(new, old);
	bell_gmem_replaced(new, old);
	CHECK_EQ(world.mm.pinned_vm.counter, to);
	/* Replace it by a table of the old size. */
	old = new;
	new = sized(from, old);
	bell_gmem_take_stats(new, old);
	bell_gmem_replaced(new, old);
	CHECK_EQ(world.mm.pinned_vm.counter, from);
	bell_gmem_destroy(new);
	bell_gmem_exit();
}

static void test_memlock_grow(void)
{
	check_replace(50, 70, false);
}

static void test_memlock_shrink(void)
{
	check_replace(70, 50, false);
}

static void test_memlock_revert_grow(void)
{
	check_replace(50, 70, true);
}

static void test_memlock_revert_shrink(void)
{
	check_replace(70, 50, true);
}

static void test_memlock_replace_fails(void)
{
	struct bell_gmem *old, *new;

	memlock_begin(100);
	old = sized(60, NULL);
	CHECK_EQ(PTR_ERR(sized(101, old)), -ENOMEM);
	CHECK_EQ(world.mm.pinned_vm.counter, 60);
	/*
	 * The old table's account is used: 60 and 100 pages are not added up.
	 */
	new = sized(100, old);
	CHECK(!IS_ERR(new));
	bell_gmem_revert(new, old);
	CHECK_EQ(world.mm.pinned_vm.counter, 60);
	new = sized(60, old);
	bell_gmem_take_stats(new, old);
	bell_gmem_replaced(new, old);
	old = new;
	CHECK_EQ(world.mm.pinned_vm.counter, 60);
	/*
	 * A late failure: the table was accounted for, then its first page
	 * cannot be pinned.
	 */
	world_unmap(0, 1);
	CHECK_EQ(PTR_ERR(sized(80, old)), -EFAULT);
	CHECK_EQ(world.mm.pinned_vm.counter, 60);
	CHECK_EQ(PTR_ERR(sized(20, old)), -EFAULT);
	CHECK_EQ(world.mm.pinned_vm.counter, 60);
	bell_gmem_destroy(old);
	bell_gmem_exit();
}

/* Each allocation fails once, with and without an old table. */
static void test_create_no_memory(void)
{
	struct vhost_memory_region r[3] = {
		region(0, 0, 8), region(0x100000, 8, 600), region(GPA, 700, 1),
	};
	struct bell_gmem *old = NULL;

	memlock_begin(10000);
	for (int pass = 0; pass < 2; pass++) {
		unsigned long had = world.mm.pinned_vm.counter;
		unsigned int nth = 1;

		for (;; nth++) {
			world.fail_alloc = nth;
			gm = create(r, 3, old);
			if (!IS_ERR(gm))
				break;
			CHECK_EQ(PTR_ERR(gm), -ENOMEM);
			CHECK_EQ(world.mm.pinned_vm.counter, had);
		}
		/*
		 * 8 allocations: the table, and for each region an array of
		 * leaves and a notifier.
		 */
		CHECK_EQ(nth, 8);
		world.fail_alloc = 0;
		bell_gmem_take_stats(gm, old);
		bell_gmem_replaced(gm, old);
		old = gm;
	}
	bell_gmem_destroy(old);
	bell_gmem_exit();
}

/* --- mapping of rings --- */

static u64 uaddr(unsigned long n)
{
	return WORLD_UADDR + n * PAGE_SIZE;
}

static void test_covers(void)
{
	begin(4, 8);
	CHECK(bell_gmem_covers(gm, uaddr(4), 8 * PAGE_SIZE));
	CHECK(!bell_gmem_covers(gm, uaddr(4), 8 * PAGE_SIZE + 1));
	CHECK(!bell_gmem_covers(gm, uaddr(4) - 1, 1));
	CHECK(bell_gmem_covers(gm, uaddr(12) - 1, 1));
	CHECK(!bell_gmem_covers(gm, uaddr(12) - 1, 2));
	CHECK(!bell_gmem_covers(gm, uaddr(12), 1));
	CHECK(!bell_gmem_covers(gm, uaddr(5), ~0UL));
	CHECK(!bell_gmem_covers(gm, ~0ULL, 2));
	end();
}

static void test_covers_bytes(void)
{
	struct vhost_memory_region r = region(GPA, 4, 1);
	struct bell_gmem_map map = {};

	world_map(0, 16, 0);
	bell_gmem_init();
	r.memory_size = PAGE_SIZE + 100;
	gm = create(&r, 1, NULL);
	CHECK(bell_gmem_covers(gm, uaddr(5) + 36, 64));
	CHECK(!bell_gmem_covers(gm, uaddr(5) + 36, 65));
	CHECK_EQ(bell_gmem_map(gm, uaddr(5), 101, &map), -EFAULT);
	CHECK_EQ(bell_gmem_map(gm, uaddr(5), 100, &map), 0);
	bell_gmem_unmap(gm, &map);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

static void test_map_contiguous(void)
{
	struct bell_gmem_map map = {};

	begin(0, 16);
	CHECK_EQ(bell_gmem_map(gm, uaddr(2) + 64, 2 * PAGE_SIZE, &map), 0);
	CHECK(!map.vmap);
	CHECK_EQ(map.npages, 3);
	memset(map.addr, 0x11, 2 * PAGE_SIZE);
	CHECK_EQ(*(u8 *)(world_ram(2) + 63), 0);
	CHECK_EQ(*(u8 *)(world_ram(2) + 64), 0x11);
	CHECK_EQ(*(u8 *)(world_ram(4) + 63), 0x11);
	/* The mapping of a ring survives a change of the memory below. */
	world_punch(0, 16);
	world_run_work();
	memset(map.addr, 0, 2 * PAGE_SIZE);
	bell_gmem_unmap(gm, &map);
	bell_gmem_unmap(gm, &map);
	end();
}

static void test_map_scattered(void)
{
	struct bell_gmem_map map = {};

	begin(0, 16);
	world_map(2, 1, 300);
	world_map(3, 1, 200);
	world.pin_max = 1;
	CHECK_EQ(bell_gmem_map(gm, uaddr(2) + 2048, PAGE_SIZE, &map), 0);
	CHECK(map.vmap);
	memset(map.addr, 0x22, PAGE_SIZE);
	CHECK_EQ(*(u8 *)(world_ram(300) + 4095), 0x22);
	CHECK_EQ(*(u8 *)(world_ram(200) + 2047), 0x22);
	CHECK_EQ(*(u8 *)(world_ram(200) + 2048), 0);
	memset(map.addr, 0, PAGE_SIZE);
	bell_gmem_unmap(gm, &map);
	end();
}

static void test_map_fails(void)
{
	struct bell_gmem_map map = {};

	begin(0, 16);
	CHECK_EQ(bell_gmem_map(gm, uaddr(15), PAGE_SIZE + 1, &map), -EFAULT);
	CHECK_EQ(bell_gmem_map(gm, uaddr(20), 1, &map), -EFAULT);
	world_unmap(5, 1);
	CHECK_EQ(bell_gmem_map(gm, uaddr(3), 4 * PAGE_SIZE, &map), -EFAULT);
	CHECK_EQ(world.pins, 0);
	world.fail_alloc = 1;
	CHECK_EQ(bell_gmem_map(gm, uaddr(0), 1, &map), -ENOMEM);
	world_map(1, 1, 100);
	world.fail_alloc = 2;
	CHECK_EQ(bell_gmem_map(gm, uaddr(0), PAGE_SIZE + 1, &map), -ENOMEM);
	CHECK_EQ(world.pins, 0);
	bell_gmem_unmap(gm, &map);
	end();
}

/* --- accounting of rings --- */

static struct bell_gmem_map maps[64];

static int map_ring(unsigned int i, unsigned long n, unsigned long count)
{
	return bell_gmem_map(gm, uaddr(n), count * PAGE_SIZE, &maps[i]);
}

static void unmap_rings(void)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		bell_gmem_unmap(gm, &maps[i]);
}

/*
 * Reads all pages as the guest's requests do; each page takes a few attempts.
 */
static void read_all(unsigned long count)
{
	struct bell_gmem_span s;

	for (unsigned long n = 0; n < count; n++) {
		int ret, tries = 0;

		while ((ret = bell_gmem_span(gm, GPA + n * PAGE_SIZE, 1, true,
					     &s)) == -EAGAIN && ++tries < 3)
			world_run_work();
		CHECK_EQ(ret, 0);
		CHECK_EQ(page_to_pfn(s.page), n);
		CHECK(world.pins <= (long)world.mm.pinned_vm.counter);
	}
}

static void test_rings_accounted(void)
{
	memlock_begin(1000);
	gm = sized(100, NULL);
	CHECK_EQ(map_ring(0, 3, 4), 0);
	CHECK_EQ(map_ring(1, 50, 1), 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 105);
	read_all(100);
	CHECK_EQ(world.pins, 105);
	bell_gmem_unmap(gm, &maps[0]);
	CHECK_EQ(world.mm.pinned_vm.counter, 101);
	CHECK_EQ(map_ring(0, 3, 3), 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 104);
	CHECK_EQ(map_ring(2, 3, 3), 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 107);
	read_all(100);
	unmap_rings();
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	CHECK_EQ(world.pins, 100);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

/* A limit of exactly the guest's size is enough, and no more is pinned. */
static void test_rings_exact_limit(void)
{
	memlock_begin(2000);
	gm = sized(2000, NULL);
	CHECK_EQ(map_ring(0, 3, 4), 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 2000);
	for (int i = 0; i < 3; i++)
		read_all(2000);
	/* A ring starts when all pages are pinned for data. */
	CHECK_EQ(map_ring(1, 1000, 3), 0);
	CHECK(world.pins <= 2000);
	read_all(2000);
	unmap_rings();
	for (int i = 0; i < 2; i++)
		read_all(2000);
	CHECK_EQ(world.pins, 2000);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

/* Rings at the same addresses; their pages are replaced in between. */
static void test_rings_same_place(void)
{
	unsigned int n;
	int ret = 0;

	memlock_begin(100);
	gm = sized(100, NULL);
	for (n = 0; n < 64; n++) {
		ret = map_ring(n, 10, 9);
		if (ret)
			break;
		world_move(10, 9, 200 + n * 9);
	}
	CHECK_EQ(ret, -ENOMEM);
	CHECK_EQ(n, 11);
	CHECK_EQ(world.pins, 99);
	/* The account may not be used up by rings alone. */
	CHECK_EQ(map_ring(n, 20, 1), -ENOMEM);
	unmap_rings();
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

static void kill_us(void)
{
	current->killed = true;
}

/*
 * A request keeps stale pages: mapping a ring waits for it, but not for ever.
 */
static void test_rings_wait(void)
{
	unsigned int stay;

	memlock_begin(100);
	gm = sized(100, NULL);
	bell_gmem_user_init(&user);
	bell_gmem_add_user(gm, &user);
	stay = bell_gmem_user_enter(&user);
	read_all(100);
	CHECK_EQ(map_ring(0, 0, 1), -ENOMEM);
	CHECK_EQ(world.pins, 100);
	world.on_wait = kill_us;
	CHECK_EQ(map_ring(0, 0, 1), -EINTR);
	world.on_wait = NULL;
	current->killed = false;
	rcu_read_lock();
	bell_gmem_user_leave(&user, stay, 1);
	rcu_read_unlock();
	CHECK_EQ(map_ring(0, 0, 1), 0);
	bell_gmem_del_user(gm, &user);
	read_all(100);
	unmap_rings();
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

/*
 * A larger table needs the whole limit: it takes the pages that rings were
 * accounted for, and rings then replace data pages.
 */
static void test_rings_grow(void)
{
	struct bell_gmem *new;

	memlock_begin(200);
	gm = sized(100, NULL);
	CHECK_EQ(map_ring(0, 3, 4), 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 104);
	CHECK_EQ(PTR_ERR(sized(201, gm)), -ENOMEM);
	CHECK_EQ(world.mm.pinned_vm.counter, 104);
	new = sized(150, gm);
	bell_gmem_take_stats(new, gm);
	bell_gmem_replaced(new, gm);
	gm = new;
	CHECK_EQ(world.mm.pinned_vm.counter, 154);
	read_all(150);
	CHECK_EQ(world.pins, 154);
	new = sized(200, gm);
	bell_gmem_take_stats(new, gm);
	bell_gmem_replaced(new, gm);
	gm = new;
	CHECK_EQ(world.mm.pinned_vm.counter, 200);
	read_all(200);
	unmap_rings();
	read_all(200);
	CHECK_EQ(world.pins, 200);
	/* A table must have more pages than its rings. */
	CHECK_EQ(map_ring(0, 3, 50), 0);
	CHECK_EQ(PTR_ERR(sized(50, gm)), -ENOMEM);
	new = sized(51, gm);
	CHECK(!IS_ERR(new));
	bell_gmem_revert(new, gm);
	read_all(200);
	unmap_rings();
	CHECK_EQ(world.mm.pinned_vm.counter, 200);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

static const struct tap_test tests[] = {
	{ "gmem memlock: the limit", test_memlock_limit },
	{ "gmem memlock: parts of pages", test_memlock_partial },
	{ "gmem memlock: a larger table", test_memlock_grow },
	{ "gmem memlock: a smaller table", test_memlock_shrink },
	{ "gmem memlock: a larger table, reverted", test_memlock_revert_grow },
	{ "gmem memlock: a smaller table, reverted",
	  test_memlock_revert_shrink },
	{ "gmem memlock: tables that fail", test_memlock_replace_fails },
	{ "gmem: each allocation of a table fails", test_create_no_memory },
	{ "gmem ring: what is covered", test_covers },
	{ "gmem ring: what is covered, in bytes", test_covers_bytes },
	{ "gmem ring: pages side by side", test_map_contiguous },
	{ "gmem ring: scattered pages", test_map_scattered },
	{ "gmem ring: accounted in addition to the table",
	  test_rings_accounted },
	{ "gmem ring: a limit of the guest's size is enough",
	  test_rings_exact_limit },
	{ "gmem ring: many in one place, pages given away",
	  test_rings_same_place },
	{ "gmem ring: waits for stale pages", test_rings_wait },
	{ "gmem ring: the table comes first", test_rings_grow },
	{ "gmem ring: failures leave nothing", test_map_fails },
};

int main(void)
{
	test_bad_tables();
	TAP_RUN(tests);
	return tap_done();
}
