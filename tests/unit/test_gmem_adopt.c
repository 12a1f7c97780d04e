// SPDX-License-Identifier: GPL-2.0
/*
 * gmem*.c and vq.c: another process adopts the device. Its table replaces that of an owner
 * that has died; each is accounted to its own address space.
 */
#include <linux/sched/mm.h>

#include "dirty.h"
#include "gmem_find.h"

#define HEIR_AT		2048UL		/* user page where the heir has guest memory */

static u64 uaddr(unsigned long n)
{
	return WORLD_UADDR + n * PAGE_SIZE;
}

/* --- where the same memory is --- */

static void test_move(void)
{
	static const struct {
		const char *what;
		u64 from, to;
		int ret;
	} rows[] = {
		{ "the first byte", 0, 64 * PAGE_SIZE, 0 },
		{ "the last byte of a region", 4 * PAGE_SIZE - 1,
		  68 * PAGE_SIZE - 1, 0 },
		{ "the first byte of the next", 8 * PAGE_SIZE, 96 * PAGE_SIZE,
		  0 },
		{ "where the new table has one region for two",
		  16 * PAGE_SIZE + 3, 128 * PAGE_SIZE + 3, 0 },
		{ "and its second", 20 * PAGE_SIZE, 130 * PAGE_SIZE, 0 },
		{ "not in the old table", 4 * PAGE_SIZE, 0, -EFAULT },
		{ "before the old table", -1ULL, 0, -EFAULT },
		{ "not in the new table", 32 * PAGE_SIZE, 0, -EFAULT },
	};
	const struct vhost_memory_region old_r[] = {
		region(0, 0, 4), region(1ULL << 32, 8, 4),
		region(1ULL << 40, 16, 2),
		region((1ULL << 40) + 2 * PAGE_SIZE, 20, 2),
		region(1ULL << 41, 32, 1),
	}, new_r[] = {
		region(0, 64, 4), region(1ULL << 32, 96, 4),
		region(1ULL << 40, 128, 4),
	};
	struct bell_gmem *new;

	world_map(0, 256, 0);
	bell_gmem_init();
	gm = create(old_r, 5, NULL);
	current->mm = &world.heir;
	new = bell_gmem_create(&world.heir, new_r, 3, gm);
	CHECK(!IS_ERR(new));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		u64 at = WORLD_UADDR + rows[i].from;

		if (bell_gmem_move_uaddr(gm, new, &at) == rows[i].ret &&
		    at == WORLD_UADDR + (rows[i].ret ? rows[i].from : rows[i].to))
			continue;
		printf("# %s: %#llx\n", rows[i].what, (long long)at);
		tap_bad = true;
	}
	bell_gmem_revert(new, gm);
	CHECK_EQ(world.heir.pinned_vm.counter, 0);
	current->mm = &world.mm;
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

/* --- accounting --- */

/* A table of @count pages that the owner has, and one that the heir has in its place */
static void old_begin(unsigned long count, unsigned long limit)
{
	struct vhost_memory_region r = region(GPA, 0, count);

	world_map(0, 4096, 0);
	world.mm.limit = limit;
	bell_gmem_init();
	gm = create(&r, 1, NULL);
	if (IS_ERR(gm))
		shim_die("create: %ld", PTR_ERR(gm));
	bell_gmem_user_init(&user);
}

static struct bell_gmem *heirs(unsigned long count)
{
	struct vhost_memory_region r = region(GPA, 0, count);

	return bell_gmem_create(&world.heir, &r, 1, gm);
}

static void adopted(struct bell_gmem *new)
{
	bell_gmem_take_stats(new, gm);
	bell_gmem_replaced(new, gm);
	gm = new;
}

static void old_end(void)
{
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

static void test_exact(void)
{
	struct bell_gmem_map ring = {};
	struct bell_gmem *new;

	old_begin(100, 100);
	CHECK_EQ(bell_gmem_map(gm, uaddr(3), 4 * PAGE_SIZE, &ring), 0);
	for (unsigned long n = 10; n < 50; n++)
		CHECK_EQ(find_page(n, MAY_PIN), n);
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	world_exit_mm();
	current->mm = &world.heir;
	world.heir.limit = 99;
	CHECK_EQ(PTR_ERR(heirs(100)), -ENOMEM);
	CHECK_EQ(world.heir.pinned_vm.counter, 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	CHECK_EQ(find_page(10, PINNED_NOW), 10);
	world.heir.limit = 100;
	new = heirs(100);
	CHECK(!IS_ERR(new));
	CHECK_EQ(world.heir.pinned_vm.counter, 100);
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	/* Reverted: nothing has changed. */
	bell_gmem_revert(new, gm);
	CHECK_EQ(world.heir.pinned_vm.counter, 0);
	CHECK_EQ(world.mm.pinned_vm.counter, 100);
	CHECK_EQ(find_page(51, MAY_PIN), 51);
	adopted(heirs(100));
	CHECK_EQ(world.heir.pinned_vm.counter, 100);
	CHECK_EQ(world.mm.pinned_vm.counter, 0);
	/* Only the ring is still pinned, in place of 4 pages of data. */
	CHECK_EQ(world.pins, 4);
	CHECK_EQ(find_page(10, PINNED_NOW), -EAGAIN);
	for (unsigned long n = 4; n < 100; n++)
		CHECK_EQ(find_page(n, MAY_PIN), n);
	CHECK_EQ(world.pins, 100);
	CHECK_EQ(find_page(0, MAY_PIN), -EAGAIN);
	world_run_work();
	CHECK_EQ(find_page(0, MAY_PIN), 0);
	bell_gmem_unmap(gm, &ring);
	CHECK_EQ(world.heir.pinned_vm.counter, 100);
	old_end();
	current->mm = &world.mm;
}

/* With room for the rings, they are accounted in addition, as when a queue starts. */
static void test_rings(void)
{
	static const struct { unsigned long limit, want; } rows[] = {
		{ 1000, 108 }, { 108, 108 }, { 107, 100 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bell_gmem_map ring[2] = {};

		old_begin(100, 1000);
		CHECK_EQ(bell_gmem_map(gm, uaddr(3), 4 * PAGE_SIZE, &ring[0]), 0);
		CHECK_EQ(bell_gmem_map(gm, uaddr(9), 4 * PAGE_SIZE, &ring[1]), 0);
		CHECK_EQ(world.mm.pinned_vm.counter, 108);
		current->mm = &world.heir;
		world.heir.limit = rows[i].limit;
		adopted(heirs(100));
		CHECK_EQ(world.mm.pinned_vm.counter, 0);
		CHECK_EQ(world.heir.pinned_vm.counter, rows[i].want);
		bell_gmem_unmap(gm, &ring[0]);
		CHECK_EQ(world.heir.pinned_vm.counter,
			 rows[i].want > 104 ? 104 : 100);
		bell_gmem_unmap(gm, &ring[1]);
		CHECK_EQ(world.heir.pinned_vm.counter, 100);
		CHECK_EQ(world.pins, 0);
		old_end();
		current->mm = &world.mm;
		world_reset();
	}
}

/* A larger or smaller table; no room for rings; and each allocation fails once. */
static void test_other_tables(void)
{
	struct bell_gmem_map ring = {};
	struct bell_gmem *new;
	unsigned int nth = 0;

	old_begin(100, 1000);
	CHECK_EQ(bell_gmem_map(gm, uaddr(3), 4 * PAGE_SIZE, &ring), 0);
	current->mm = &world.heir;
	world.heir.limit = 4;
	CHECK_EQ(PTR_ERR(heirs(4)), -ENOMEM);
	CHECK_EQ(world.heir.pinned_vm.counter, 0);
	world.heir.limit = 1000;
	do {
		world.fail_alloc = ++nth;
		new = heirs(50);
		if (!IS_ERR(new))
			break;
		CHECK_EQ(PTR_ERR(new), -ENOMEM);
		CHECK_EQ(world.heir.pinned_vm.counter, 0);
		CHECK_EQ(world.mm.pinned_vm.counter, 104);
	} while (nth < 20);
	CHECK_EQ(nth, 4);
	world.fail_alloc = 0;
	adopted(new);
	CHECK_EQ(world.heir.pinned_vm.counter, 54);
	world_unmap(0, 1);
	current->mm = &world.mm;
	world.mm.limit = 1000;
	CHECK_EQ(PTR_ERR(create(&(struct vhost_memory_region){
		.guest_phys_addr = GPA, .memory_size = 200 * PAGE_SIZE,
		.userspace_addr = uaddr(0) }, 1, gm)), -EFAULT);
	CHECK_EQ(world.mm.pinned_vm.counter, 0);
	CHECK_EQ(world.heir.pinned_vm.counter, 54);
	bell_gmem_unmap(gm, &ring);
	old_end();
}

/* --- a queue and the dirty log --- */

static struct ring r;

static void test_queue(void)
{
	const struct vhost_memory_region at = {
		.memory_size = RING_END, .userspace_addr = uaddr(HEIR_AT),
	};
	struct bell_vq_config cfg;
	struct bell_gmem *new;
	struct bell_chain chain;

	ring_begin(&r, 16);
	dirty_start(&r);
	ring_put_desc(&r.desc[0], RING_DATA, 16, D_WRITE, 0);
	ring_add(&r, 0);
	CHECK_EQ(ring_serve(&r), 1);
	world_exit_mm();
	world_map(HEIR_AT, RING_PAGES, 0);
	current->mm = &world.heir;
	new = bell_gmem_create(&world.heir, &at, 1, r.gm);
	CHECK(!IS_ERR(new));
	cfg = r.cfg;
	CHECK(!bell_gmem_move_uaddr(r.gm, new, &cfg.desc_uaddr));
	CHECK(!bell_gmem_move_uaddr(r.gm, new, &cfg.avail_uaddr));
	CHECK(!bell_gmem_move_uaddr(r.gm, new, &cfg.used_uaddr));
	CHECK_EQ(cfg.used_uaddr, uaddr(HEIR_AT) + RING_USED);
	CHECK(bell_vq_covered(&cfg, new));
	bell_vq_move(&r.vq, &cfg);
	bell_vq_set_gmem(&r.vq, new);
	bell_gmem_take_stats(new, r.gm);
	bell_gmem_replaced(new, r.gm);
	r.gm = new;
	CHECK_EQ(world.mm.pinned_vm.counter, 0);
	/* The ring is where it was, and what it writes is logged in the same bitmap. */
	ring_add(&r, 0);
	dirty_sync();
	CHECK_EQ(ring_take(&r, &chain), 1);
	ring_complete(&r, 0, chain.epoch, 16);
	CHECK_EQ(dirty_missed(), 0);
	CHECK(dirty_test(RING_USED >> PAGE_SHIFT));
	CHECK(dirty_test(RING_DATA >> PAGE_SHIFT));
	dirty_stop(&r);
	ring_end(&r);
	CHECK_EQ(world.heir.pinned_vm.counter, 0);
	current->mm = &world.mm;
}

static const struct tap_test tests[] = {
	{ "adopt: addresses of the same memory", test_move },
	{ "adopt: a limit of the guest's size is enough", test_exact },
	{ "adopt: rings are accounted again", test_rings },
	{ "adopt: other tables, and failures", test_other_tables },
	{ "adopt: a queue and its dirty log", test_queue },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
