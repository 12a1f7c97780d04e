// SPDX-License-Identifier: GPL-2.0
/* gmem.c and gmem_map.c: what a table costs its owner, and where rings are. */
#include "gmem_table.h"

/* --- regions --- */

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
	{ "size is not whole pages", { R(0, U, 0x1800, 0) }, 1, -EINVAL },
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

/* --- memlock --- */

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
	CHECK_EQ(world.mm.locked_vm, 0);
	gm = sized(100, NULL);
	CHECK_EQ(world.mm.locked_vm, 100);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

/* @from pages, replaced by @to pages: never less than is pinned. */
static void check_replace(unsigned long from, unsigned long to, bool revert)
{
	struct bell_gmem *old, *new;

	memlock_begin(1000);
	old = sized(from, NULL);
	new = sized(to, old);
	CHECK_EQ(world.mm.locked_vm, max(from, to));
	if (revert) {
		bell_gmem_revert(new, old);
		CHECK_EQ(world.mm.locked_vm, from);
		new = sized(to, old);
	}
	bell_gmem_replaced(new, old);
	CHECK_EQ(world.mm.locked_vm, to);
	/* And once more, the other way round. */
	old = new;
	new = sized(from, old);
	bell_gmem_replaced(new, old);
	CHECK_EQ(world.mm.locked_vm, from);
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
	CHECK_EQ(world.mm.locked_vm, 60);
	/* What it had counts: 60 and 100 are not added up. */
	new = sized(100, old);
	CHECK(!IS_ERR(new));
	bell_gmem_revert(new, old);
	CHECK_EQ(world.mm.locked_vm, 60);
	/* Failing late: accounted, then not to be pinned. */
	world_unmap(0, 1);
	CHECK_EQ(PTR_ERR(sized(80, old)), -EFAULT);
	CHECK_EQ(world.mm.locked_vm, 60);
	CHECK_EQ(PTR_ERR(sized(20, old)), -EFAULT);
	CHECK_EQ(world.mm.locked_vm, 60);
	bell_gmem_destroy(old);
	bell_gmem_exit();
}

/* Each allocation fails once, with and without a table to replace. */
static void test_create_no_memory(void)
{
	struct vhost_memory_region r[3] = {
		region(0, 0, 8), region(0x100000, 8, 600), region(GPA, 700, 1),
	};
	struct bell_gmem *old = NULL;

	memlock_begin(10000);
	for (int pass = 0; pass < 2; pass++) {
		unsigned long had = world.mm.locked_vm;
		unsigned int nth = 1;

		for (;; nth++) {
			world.fail_alloc = nth;
			gm = create(r, 3, old);
			if (!IS_ERR(gm))
				break;
			CHECK_EQ(PTR_ERR(gm), -ENOMEM);
			CHECK_EQ(world.mm.locked_vm, had);
		}
		/* The table, and a leaf array and a notifier per region. */
		CHECK_EQ(nth, 8);
		world.fail_alloc = 0;
		bell_gmem_replaced(gm, old);
		old = gm;
	}
	bell_gmem_destroy(old);
	bell_gmem_exit();
}

/* --- rings --- */

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
	/* Whatever happens to the memory. */
	world_punch(0, 16);
	world_run_work();
	memset(map.addr, 0, 2 * PAGE_SIZE);
	bell_gmem_unmap(&map);
	bell_gmem_unmap(&map);
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
	bell_gmem_unmap(&map);
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
	bell_gmem_unmap(&map);
	end();
}

static const struct tap_test tests[] = {
	{ "gmem memlock: the limit", test_memlock_limit },
	{ "gmem memlock: a larger table", test_memlock_grow },
	{ "gmem memlock: a smaller table", test_memlock_shrink },
	{ "gmem memlock: a larger table, reverted", test_memlock_revert_grow },
	{ "gmem memlock: a smaller table, reverted",
	  test_memlock_revert_shrink },
	{ "gmem memlock: tables that fail", test_memlock_replace_fails },
	{ "gmem: each allocation of a table fails", test_create_no_memory },
	{ "gmem ring: what is covered", test_covers },
	{ "gmem ring: pages side by side", test_map_contiguous },
	{ "gmem ring: scattered pages", test_map_scattered },
	{ "gmem ring: failures leave nothing", test_map_fails },
};

int main(void)
{
	test_bad_tables();
	TAP_RUN(tests);
	return tap_done();
}
