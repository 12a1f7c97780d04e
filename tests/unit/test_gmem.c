// SPDX-License-Identifier: GPL-2.0
/* gmem.c: which pages a look-up finds, and when pages are unpinned. */
#include <stdlib.h>

#include <linux/sched/mm.h>

#include "gmem_find.h"

/* --- regions of the table --- */

static void test_edges(void)
{
	struct vhost_memory_region r[3] = {
		region(0x10000, 8, 2), region(0x4000, 4, 2), region(0, 0, 1),
	};
	struct bell_gmem_stats st;

	world_map(0, 16, 100);
	bell_gmem_init();
	gm = create(r, 3, NULL);
	bell_gmem_user_init(&user);
	bell_gmem_add_user(gm, &user);
	CHECK_EQ(find(0, MAY_PIN), 100);
	CHECK_EQ(find(0xfff, MAY_PIN), 100);
	CHECK_EQ(find(0x1000, MAY_PIN), -EFAULT);
	CHECK_EQ(find(0x3fff, MAY_PIN), -EFAULT);
	CHECK_EQ(find(0x4000, MAY_PIN), 104);
	CHECK_EQ(find(0x5fff, MAY_PIN), 105);
	CHECK_EQ(find(0x6000, MAY_PIN), -EFAULT);
	CHECK_EQ(find(0xffff, MAY_PIN), -EFAULT);
	CHECK_EQ(find(0x10000, MAY_PIN), 108);
	CHECK_EQ(find(0x11fff, MAY_PIN), 109);
	CHECK_EQ(find(0x12000, MAY_PIN), -EFAULT);
	CHECK_EQ(find(~0ULL, MAY_PIN), -EFAULT);
	bell_gmem_get_stats(gm, &st);
	CHECK_EQ(st.regions, 3);
	CHECK_EQ(st.bytes, 5 * PAGE_SIZE);
	CHECK_EQ(st.pins, 5);
	end();
}

static void test_hint(void)
{
	struct vhost_memory_region r[3] = {
		region(0, 0, 1), region(0x2000, 2, 1), region(0x4000, 4, 1),
	};

	world_map(0, 16, 0);
	bell_gmem_init();
	gm = create(r, 3, NULL);
	bell_gmem_user_init(&user);
	bell_gmem_add_user(gm, &user);
	/*
	 * Look-ups of each region and each hole after each other, as the last
	 * hit is cached.
	 */
	for (unsigned int i = 0; i < 36; i++) {
		find(i / 6 * PAGE_SIZE, MAY_PIN);
		CHECK_EQ(find(i % 6 * PAGE_SIZE + 5, MAY_PIN),
			 i % 2 ? -EFAULT : (long)(i % 6));
	}
	end();
}

static void test_init_no_memory(void)
{
	world.fail_alloc = 1;
	CHECK_EQ(bell_gmem_init(), -ENOMEM);
	world.fail_alloc = 2;
	CHECK_EQ(bell_gmem_init(), -ENOMEM);
}

static void test_no_table(void)
{
	struct bell_gmem_stats st;

	bell_gmem_get_stats(NULL, &st);
	CHECK_EQ(st.bytes + st.regions + st.pinned, 0);
	bell_gmem_destroy(NULL);
	bell_gmem_replaced(NULL, NULL);
}

/* --- pinning on demand --- */

static void test_on_demand(void)
{
	begin(0, 16);
	CHECK_EQ(pinned(), 0);
	CHECK_EQ(find_page(3, PINNED_NOW), -EAGAIN);
	CHECK_EQ(find_page(3, MAY_PIN), 3);
	CHECK_EQ(find_page(3, PINNED_NOW), 3);
	CHECK_EQ(find_page(2, PINNED_NOW), -EAGAIN);
	CHECK_EQ(find_page(4, PINNED_NOW), -EAGAIN);
	CHECK_EQ(pinned(), 1);
	/* A second look-up pins nothing. */
	world.pin_calls = 0;
	CHECK_EQ(find_page(3, MAY_PIN), 3);
	CHECK_EQ(world.pin_calls, 0);
	end();
}

static void test_kthread(void)
{
	begin(0, 16);
	current->mm = NULL;
	CHECK_EQ(find_page(1, MAY_PIN), 1);
	CHECK(!current->mm);
	CHECK_EQ(world.mm.mm_users.counter, 1);
	current->mm = &world.mm;
	end();
}

static void test_unmapped(void)
{
	begin(0, 16);
	world_unmap(5, 1);
	CHECK_EQ(find_page(5, MAY_PIN), -EFAULT);
	CHECK_EQ(find_page(6, MAY_PIN), 6);
	end();
}

static void test_owner_gone(void)
{
	begin(0, 16);
	CHECK_EQ(find_page(1, MAY_PIN), 1);
	world_exit_mm();
	CHECK_EQ(find_page(1, PINNED_NOW), 1);
	CHECK_EQ(find_page(2, PINNED_NOW), -EAGAIN);
	CHECK_EQ(find_page(2, MAY_PIN), 2);
	CHECK_EQ(pinned(), 2);
	end();
}

/* The device was left before its disk answered, and has given the memory up. */
static void test_no_users(void)
{
	begin(0, 16);
	CHECK_EQ(find_page(1, MAY_PIN), 1);
	world_exit_mm();
	mmput(&world.mm);
	CHECK_EQ(find_page(1, PINNED_NOW), -EAGAIN);
	CHECK_EQ(find_page(2, MAY_PIN), -EAGAIN);
	world_run_work();
	CHECK_EQ(pinned(), 0);
	end();
}

static void test_out_of_memory(void)
{
	begin(0, 16);
	world.fail_alloc = 1;
	/* The guest is not at fault: the caller tries again. */
	CHECK_EQ(find_page(1, MAY_PIN), -EAGAIN);
	CHECK_EQ(find_page(1, MAY_PIN), 1);
	end();
}

/* --- spans: contiguous pieces --- */

static void check_span(u64 gpa, u64 len, unsigned long pfn, u32 want)
{
	struct bell_gmem_span s;

	CHECK_EQ(span(gpa, len, MAY_PIN, &s), 0);
	CHECK_EQ(page_to_pfn(s.page), pfn);
	CHECK_EQ(s.offset, gpa % PAGE_SIZE);
	CHECK_EQ(s.len, want);
}

static void test_merge(void)
{
	begin(0, 16);
	world_map(8, 4, 100);
	check_span(GPA, 3 * PAGE_SIZE, 0, PAGE_SIZE);
	pin_all(12);
	check_span(GPA, 1, 0, 1);
	check_span(GPA + 5, 3 * PAGE_SIZE, 0, 3 * PAGE_SIZE);
	check_span(GPA + 5, PAGE_SIZE - 5, 0, PAGE_SIZE - 5);
	/* The pages behind guest pages 7 and 8 are not adjacent. */
	check_span(GPA + 6 * PAGE_SIZE + 1, 1 << 20, 6, 2 * PAGE_SIZE - 1);
	/* Page 12 is not pinned. */
	check_span(GPA + 8 * PAGE_SIZE, 1 << 20, 100, 4 * PAGE_SIZE);
	/* Pages in descending order are not adjacent either. */
	world_map(12, 1, 51);
	world_map(13, 1, 50);
	find_page(12, MAY_PIN);
	find_page(13, MAY_PIN);
	check_span(GPA + 12 * PAGE_SIZE, 1 << 20, 51, PAGE_SIZE);
	end();
}

static void test_leaf_end(void)
{
	begin(LEAF - 4, 2 * LEAF);
	pin_all(2 * LEAF);
	check_span(GPA, 1 << 30, LEAF - 4, 4 * PAGE_SIZE);
	check_span(GPA + 4 * PAGE_SIZE, 1 << 30, LEAF, LEAF * PAGE_SIZE);
	check_span(GPA + (LEAF + 4) * PAGE_SIZE, ~0ULL, 2 * LEAF,
		   (LEAF - 4) * PAGE_SIZE);
	end();
}

static void test_region_end(void)
{
	struct vhost_memory_region r[2] = {
		region(GPA, 0, 4), region(GPA + 4 * PAGE_SIZE, 4, 4),
	};

	world_map(0, 16, 0);
	bell_gmem_init();
	gm = create(r, 2, NULL);
	bell_gmem_user_init(&user);
	bell_gmem_add_user(gm, &user);
	pin_all(8);
	check_span(GPA + PAGE_SIZE, 8 * PAGE_SIZE, 1, 3 * PAGE_SIZE);
	check_span(GPA + 4 * PAGE_SIZE, 8 * PAGE_SIZE, 4, 4 * PAGE_SIZE);
	end();
}

/* A region may end in the middle of a page. */
static void test_partial_page(void)
{
	struct vhost_memory_region r = region(GPA, 1, 4);
	struct bell_gmem_stats st;
	u8 byte;

	world_map(0, 16, 0);
	bell_gmem_init();
	r.memory_size = 3 * PAGE_SIZE + 100;
	gm = create(&r, 1, NULL);
	bell_gmem_user_init(&user);
	bell_gmem_add_user(gm, &user);
	bell_gmem_get_stats(gm, &st);
	CHECK_EQ(st.bytes, 3 * PAGE_SIZE + 100);
	/* Once without and once with the cached result of another look-up. */
	for (int i = 0; i < 2; i++) {
		check_span(GPA + 3 * PAGE_SIZE + 99, 1, 4, 1);
		check_span(GPA + 3 * PAGE_SIZE + 90, 4096, 4, 10);
		check_span(GPA + 3 * PAGE_SIZE, 101, 4, 100);
		CHECK_EQ(find(GPA + 3 * PAGE_SIZE + 100, MAY_PIN), -EFAULT);
		CHECK_EQ(find(GPA + 4 * PAGE_SIZE - 1, MAY_PIN), -EFAULT);
	}
	pin_all(3);
	check_span(GPA, ~0ULL, 1, 3 * PAGE_SIZE + 100);
	CHECK_EQ(bell_gmem_read(gm, GPA + 3 * PAGE_SIZE + 99, &byte, 1,
				PINNED_NOW), 0);
	CHECK_EQ(bell_gmem_write(gm, GPA + 3 * PAGE_SIZE + 100, &byte, 1,
				 MAY_PIN), -EFAULT);
	/* The notifier covers the partial page, too. */
	world_move(4, 1, 9);
	CHECK_EQ(find_page(3, PINNED_NOW), -EAGAIN);
	world_run_work();
	CHECK_EQ(find_page(3, MAY_PIN), 9);
	end();
}

static void test_folio_partial(void)
{
	struct vhost_memory_region r = region(GPA, 512, 4);

	world_map(0, 1024, 0);
	world_set_folio(512, 4);
	bell_gmem_init();
	r.memory_size = 3 * PAGE_SIZE + 1;
	gm = create(&r, 1, NULL);
	bell_gmem_user_init(&user);
	bell_gmem_add_user(gm, &user);
	CHECK_EQ(find_page(0, MAY_PIN), 512);
	CHECK_EQ(pinned(), 4);
	CHECK_EQ(world_page_pins(515), 1);
	end();
}

static void test_copy(void)
{
	u8 in[3 * 4096], out[sizeof(in)];
	unsigned long i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = i * 7 + i / 256;
	begin(LEAF - 2, 8);
	/* Pages that are not adjacent. */
	for (i = 0; i < 8; i++)
		world_map(LEAF - 2 + i, 1, 70 - i);
	CHECK_EQ(bell_gmem_write(gm, GPA + 100, in, sizeof(in), PINNED_NOW),
		 -EAGAIN);
	CHECK_EQ(bell_gmem_write(gm, GPA + 100, in, sizeof(in), MAY_PIN), 0);
	CHECK(!memcmp(world_ram(70) + 100, in, PAGE_SIZE - 100));
	CHECK(!memcmp(world_ram(69), in + PAGE_SIZE - 100, PAGE_SIZE));
	CHECK_EQ(bell_gmem_read(gm, GPA + 100, out, sizeof(out), PINNED_NOW),
		 0);
	CHECK(!memcmp(in, out, sizeof(in)));
	CHECK_EQ(bell_gmem_read(gm, GPA + 7 * PAGE_SIZE, out, PAGE_SIZE + 1,
				MAY_PIN), -EFAULT);
	CHECK_EQ(bell_gmem_read(gm, GPA, out, 0, PINNED_NOW), 0);
	end();
}

/* --- large folios --- */

static void test_folio(void)
{
	begin(0, 2 * LEAF);
	world_set_folio(512, 9);
	CHECK_EQ(find_page(512 + 77, MAY_PIN), 512 + 77);
	CHECK_EQ(pinned(), 512);
	CHECK_EQ(find_page(512, PINNED_NOW), 512);
	CHECK_EQ(find_page(1023, PINNED_NOW), 1023);
	CHECK_EQ(find_page(511, PINNED_NOW), -EAGAIN);
	check_span(GPA + 512 * PAGE_SIZE, ~0ULL, 512, 512 * PAGE_SIZE);
	end();
}

static void test_folio_in_leaf(void)
{
	begin(0, 3 * LEAF);
	/*
	 * The folio lies across two leaves: its pages 0 to 211 are in the first
	 * one.
	 */
	world_set_folio(1024, 9);
	world_map(300, 512, 1024);
	CHECK_EQ(find_page(511, MAY_PIN), 1024 + 211);
	CHECK_EQ(pinned(), 212);
	CHECK_EQ(find_page(300, PINNED_NOW), 1024);
	CHECK_EQ(find_page(299, PINNED_NOW), -EAGAIN);
	CHECK_EQ(find_page(512, PINNED_NOW), -EAGAIN);
	CHECK_EQ(find_page(512, MAY_PIN), 1024 + 212);
	CHECK_EQ(pinned(), 512);
	CHECK_EQ(find_page(811, PINNED_NOW), 1024 + 511);
	CHECK_EQ(find_page(812, PINNED_NOW), -EAGAIN);
	end();
}

static void test_folio_in_region(void)
{
	world_set_folio(512, 9);
	begin(600, 100);
	CHECK_EQ(find_page(10, MAY_PIN), 610);
	CHECK_EQ(pinned(), 100);
	CHECK_EQ(world_page_pins(599), 0);
	CHECK_EQ(world_page_pins(600), 1);
	CHECK_EQ(world_page_pins(699), 1);
	CHECK_EQ(world_page_pins(700), 0);
	end();
}

/* The neighbours in the folio are not mapped, or mapped to other pages. */
static void test_folio_torn(void)
{
	begin(0, 1024);
	world_set_folio(512, 9);
	world_unmap(512, 512);
	world_map(700, 1, 700);
	CHECK_EQ(find_page(700, MAY_PIN), 700);
	CHECK_EQ(pinned(), 1);
	/* The folio is mapped up to a hole behind the page. */
	world_map(512, 300, 512);
	CHECK_EQ(find_page(600, MAY_PIN), 600);
	CHECK_EQ(pinned(), 300);
	/* A hole lies in front of the page. */
	world_map(900, 10, 900);
	CHECK_EQ(find_page(905, MAY_PIN), 905);
	CHECK_EQ(pinned(), 301);
	end();
}

static void test_folio_elsewhere(void)
{
	begin(0, 1024);
	world_set_folio(512, 4);
	world_map(20, 1, 519);
	CHECK_EQ(find_page(20, MAY_PIN), 519);
	CHECK_EQ(find_page(21, MAY_PIN), 21);
	CHECK_EQ(find_page(13, MAY_PIN), 13);
	end();
}

static void test_folio_few_at_a_time(void)
{
	begin(0, 1024);
	world_set_folio(512, 9);
	world.pin_max = 10;
	CHECK_EQ(find_page(600, MAY_PIN), 600);
	CHECK_EQ(find_page(512, MAY_PIN), 512);
	CHECK_EQ(find_page(521, PINNED_NOW), 521);
	CHECK_EQ(find_page(600, PINNED_NOW), 600);
	CHECK_EQ(pinned(), 11);
	end();
}

/* --- invalidation --- */

static void test_exact_leaves(void)
{
	struct bell_gmem_stats st;

	begin(100, 4 * LEAF);
	for (unsigned long n = 0; n < 4 * LEAF; n += LEAF / 4)
		CHECK_EQ(find_page(n, MAY_PIN), 100 + n);
	CHECK_EQ(pinned(), 16);
	/* The last page of leaf 1 and the first of leaf 2. */
	world_move(2 * LEAF - 1, 2, 5000);
	bell_gmem_get_stats(gm, &st);
	CHECK_EQ(st.invalidations, 2);
	CHECK_EQ(st.pinned, 8);
	for (unsigned long n = 0; n < 4 * LEAF; n += LEAF / 4) {
		unsigned long leaf = (100 + n) / LEAF;

		CHECK_EQ(find_page(n, PINNED_NOW),
			 leaf == 1 || leaf == 2 ? -EAGAIN : (long)(100 + n));
	}
	CHECK_EQ(find_page(2 * LEAF - 101, MAY_PIN), 5000);
	CHECK_EQ(find_page(2 * LEAF - 100, MAY_PIN), 5001);
	CHECK(world_run_work());
	CHECK_EQ(pinned(), 10);
	/* No page of the table is hit: nothing is dropped. */
	world_move(0, 100, 0);
	world_move(100 + 4 * LEAF, 1, 0);
	CHECK(!world_run_work());
	CHECK_EQ(pinned(), 10);
	/* The range covers more than all regions, as when the process exits. */
	world_invalidate(0, ~0UL);
	world_run_work();
	CHECK_EQ(pinned(), 0);
	end();
}

/* An invalidation drops the lock after each leaf. */
static void test_drop_latency(void)
{
	unsigned int taken;

	begin(0, 15 * LEAF);
	for (unsigned long n = 0; n < 15 * LEAF; n += LEAF)
		CHECK_EQ(find_page(n, MAY_PIN), n);
	taken = world.spin_locks;
	world_invalidate(0, ~0UL);
	CHECK(world.spin_locks >= taken + 15);
	/* Nothing is left to drop: the lock is only taken for the notifier. */
	taken = world.spin_locks;
	world_invalidate(0, ~0UL);
	CHECK(world.spin_locks <= taken + 1);
	world_run_work();
	CHECK_EQ(pinned(), 0);
	end();
}

static unsigned int stay;
static struct bell_gmem_user *stayer;

/*
 * Called while the reaper waits: a new request begins, and then the old one
 * ends.
 */
static void come_and_leave(void)
{
	unsigned int later;

	world.on_wait = NULL;
	later = bell_gmem_user_enter(stayer);
	CHECK(later != stay);
	CHECK_EQ(world_page_pins(3), 1);
	leave(stayer, stay);
	/*
	 * The new request began after the page had left the table, so the page
	 * is unpinned nevertheless.
	 */
	stay = later;
}

static void test_epochs(void)
{
	struct bell_gmem_span s;

	begin(0, 16);
	stayer = &user;
	stay = bell_gmem_user_enter(&user);
	CHECK_EQ(span(GPA + 3 * PAGE_SIZE, 1, MAY_PIN, &s), 0);
	world_move(3, 1, 33);
	CHECK_EQ(world_page_pins(3), 1);
	CHECK_EQ(find_page(3, MAY_PIN), 33);
	/* The request of this test may still write to the page. */
	memset(page_address(s.page), 1, 1);
	world.on_wait = come_and_leave;
	CHECK(world_run_work());
	CHECK_EQ(world_page_pins(3), 0);
	CHECK_EQ(world_page_pins(33), 1);
	CHECK_EQ(bell_gmem_user_in_flight(&user), 1);
	leave(&user, stay);
	end();
}

static void go_and_leave(void)
{
	world.on_wait = NULL;
	world_punch(LEAF + 3, 1);
	leave(&user, stay);
}

/* A second page goes while the reaper waits with the first: both are released. */
static void test_go_meanwhile(void)
{
	begin(0, 2 * LEAF);
	stay = bell_gmem_user_enter(&user);
	CHECK_EQ(find_page(3, MAY_PIN), 3);
	CHECK_EQ(find_page(LEAF + 3, MAY_PIN), LEAF + 3);
	world_punch(3, 1);
	world.on_wait = go_and_leave;
	CHECK(world_run_work());
	CHECK_EQ(world.pins, 0);
	end();
}

/* A request of the second user keeps the page pinned. */
static void test_two_users(void)
{
	begin(0, 16);
	bell_gmem_add_user(gm, &user2);
	stayer = &user2;
	stay = bell_gmem_user_enter(&user2);
	CHECK_EQ(find_page(3, MAY_PIN), 3);
	world_punch(3, 1);
	world.on_wait = come_and_leave;
	world_run_work();
	CHECK_EQ(world_page_pins(3), 0);
	leave(&user2, stay);
	bell_gmem_del_user(gm, &user2);
	end();
}

/*
 * The epoch changes after the user has read it and before the user is counted
 * in it.
 */
static void turn_meanwhile(void)
{
	world.on_barrier = NULL;
	world_move(3, 1, 34);
	world.on_wait = NULL;
	/* Now the user is counted in the old epoch. */
	user.epoch = !user.epoch;
}

static void test_enter_race(void)
{
	unsigned int epoch;

	begin(0, 16);
	CHECK_EQ(find_page(3, MAY_PIN), 3);
	world.on_barrier = turn_meanwhile;
	epoch = bell_gmem_user_enter(&user);
	CHECK_EQ(epoch, user.epoch);
	CHECK_EQ(bell_gmem_user_stays(&user, !epoch), 0);
	CHECK_EQ(bell_gmem_user_stays(&user, epoch), 1);
	leave(&user, epoch);
	end();
}

static void leave_one(void)
{
	leave(&user, 0);
}

static void test_drain(void)
{
	begin(0, 16);
	CHECK(bell_gmem_user_drain(&user, 1));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(bell_gmem_user_enter(&user), 0);
	leave(&user, 0);
	leave(&user, 0);
	CHECK(!bell_gmem_user_drain(&user, 1));
	CHECK_EQ(bell_gmem_user_in_flight(&user), 1);
	world.on_wait = leave_one;
	CHECK(bell_gmem_user_drain(&user, 1));
	CHECK_EQ(bell_gmem_user_in_flight(&user), 0);
	end();
}

static void test_destroy_with_stale(void)
{
	begin(0, 2 * LEAF);
	find_page(3, MAY_PIN);
	find_page(LEAF + 3, MAY_PIN);
	world_punch(3, 1);
	/* The reaper has not run yet: destroying the table must wait for it. */
	end();
}

/* --- random operations, compared with a model --- */

#define MODEL_PAGES	(3 * LEAF)
#define MODEL_STAYS	8

static struct model_stay {
	bool		active;
	unsigned int	epoch;
	/* Address that the stay may still write to */
	void	       *at;
} stays[MODEL_STAYS];
static long model[MODEL_PAGES];

static void model_step(unsigned long n)
{
	unsigned long count = min(1UL + rand() % 40, MODEL_PAGES - n), pfn;
	struct model_stay *st = &stays[rand() % MODEL_STAYS];
	struct bell_gmem_span s;
	bool may_pin;
	int ret;

	switch (rand() % 8) {
	case 0:
		pfn = rand() % (WORLD_PAGES - count);
		world_move(100 + n, count, pfn);
		for (unsigned long i = 0; i < count; i++)
			model[n + i] = pfn + i;
		break;
	case 1:
		world_punch(100 + n, count);
		for (unsigned long i = 0; i < count; i++)
			model[n + i] = -EFAULT;
		break;
	case 2:
		if (st->active)
			leave(&user, st->epoch);
		*st = (struct model_stay){};
		break;
	default:
		if (!st->active)
			st->epoch = bell_gmem_user_enter(&user);
		st->active = true;
		may_pin = rand() % 2;
		ret = span(GPA + n * PAGE_SIZE, count * PAGE_SIZE, may_pin, &s);
		if (ret == -EAGAIN) {
			CHECK(!may_pin || world.pins >= (long)MODEL_PAGES);
			break;
		}
		CHECK_EQ(ret ? ret : (long)page_to_pfn(s.page), model[n]);
		if (ret)
			break;
		for (unsigned long i = 0; i < s.len / PAGE_SIZE; i++)
			CHECK_EQ(model[n + i], model[n] + i);
		st->at = page_address(s.page);
	}
}

static void leave_any(void)
{
	for (int i = 0; i < MODEL_STAYS; i++) {
		if (!stays[i].active)
			continue;
		leave(&user, stays[i].epoch);
		stays[i] = (struct model_stay){};
	}
}

static void test_model(void)
{
	unsigned long n;

	srand(1);
	begin(100, MODEL_PAGES);
	for (n = 2048; n < 6144; n += 512)
		world_set_folio(n, n % 1024 ? 9 : 4);
	for (n = 0; n < MODEL_PAGES; n++)
		model[n] = 100 + n;
	for (int i = 0; i < 30000 && !tap_bad; i++) {
		model_step(rand() % MODEL_PAGES);
		/*
		 * Until a stay ends its page must be pinned; else
		 * AddressSanitizer reports the write.
		 */
		for (int k = 0; k < MODEL_STAYS; k++) {
			if (stays[k].at)
				*(volatile u8 *)stays[k].at = k;
		}
		if (!(rand() % 64)) {
			world.on_wait = leave_any;
			world_run_work();
		}
	}
	leave_any();
	world_run_work();
	pinned();
	end();
}

static const struct tap_test tests[] = {
	{ "gmem: look-ups at the edges of regions", test_edges },
	{ "gmem: look-ups after others", test_hint },
	{ "gmem: no table", test_no_table },
	{ "gmem: no memory for what all share", test_init_no_memory },
	{ "gmem: pages are pinned at first use", test_on_demand },
	{ "gmem: a kernel thread borrows the owner's memory", test_kthread },
	{ "gmem: unmapped memory", test_unmapped },
	{ "gmem: the owner has died", test_owner_gone },
	{ "gmem: the owner's memory is given up", test_no_users },
	{ "gmem: no memory for a leaf", test_out_of_memory },
	{ "gmem: spans merge what lies side by side", test_merge },
	{ "gmem: spans end at a leaf's end", test_leaf_end },
	{ "gmem: spans end at a region's end", test_region_end },
	{ "gmem: a region ends within a page", test_partial_page },
	{ "gmem: a large folio, the region ends within a page",
	  test_folio_partial },
	{ "gmem: copies across pages, leaves and into nothing", test_copy },
	{ "gmem: a large folio is pinned at once", test_folio },
	{ "gmem: a large folio, within the leaf", test_folio_in_leaf },
	{ "gmem: a large folio, within the region", test_folio_in_region },
	{ "gmem: a large folio in pieces", test_folio_torn },
	{ "gmem: a page of a folio among others", test_folio_elsewhere },
	{ "gmem: a large folio, few pages at a time",
	  test_folio_few_at_a_time },
	{ "gmem: invalidation drops the leaves in range", test_exact_leaves },
	{ "gmem: invalidation takes the lock for each leaf",
	  test_drop_latency },
	{ "gmem: stale pages wait for the stays of their epoch", test_epochs },
	{ "gmem: a page goes while the reaper waits", test_go_meanwhile },
	{ "gmem: stale pages wait for each user", test_two_users },
	{ "gmem: the epoch turns while a stay begins", test_enter_race },
	{ "gmem: draining", test_drain },
	{ "gmem: destroyed with stale pages", test_destroy_with_stale },
	{ "gmem: 30000 random moves, look-ups and stays", test_model },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
