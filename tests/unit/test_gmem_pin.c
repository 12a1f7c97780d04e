// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_pin.c: pages that move while they are pinned, errors, and the limit on
 * pins.
 */
#include "gmem_priv.h"
#include "gmem_find.h"

static unsigned int stay;

static unsigned int moves;

static void move_after_pin(void)
{
	if (!--moves)
		world.on_pin = NULL;
	world_move(3, 1, 40 + moves);
}

/* The page moves after it was pinned and before it is in the table. */
static void test_retry(void)
{
	begin(0, 16);
	moves = 3;
	world.on_pin = move_after_pin;
	CHECK_EQ(find_page(3, MAY_PIN), 40);
	CHECK_EQ(pinned(), 1);
	CHECK_EQ(world_page_pins(3) + world_page_pins(41) +
		 world_page_pins(42), 0);
	end();
}

static void test_retry_folio(void)
{
	begin(0, 2 * LEAF);
	world_set_folio(512, 9);
	find_page(530, MAY_PIN);
	world_move(3, 1, 40);
	world_map(3, 1, 600);
	moves = 2;
	world.on_pin = move_after_pin;
	CHECK_EQ(find_page(3, MAY_PIN), 40);
	end();
}

static void punch_after_pin(void)
{
	world.on_pin = NULL;
	world_punch(3, 1);
}

/* A process that is killed stops pinning, even if its pages keep moving. */
static void move_until_killed(void)
{
	world_move(3, 1, 40 + moves % 2);
	if (++moves == 10)
		current->killed = true;
}

static void test_killed(void)
{
	begin(0, 16);
	moves = 0;
	world.on_pin = move_until_killed;
	CHECK_EQ(find_page(3, MAY_PIN), -EAGAIN);
	CHECK_EQ(moves, 10);
	world.on_pin = NULL;
	current->killed = false;
	CHECK_EQ(pinned(), 0);
	end();
}

/*
 * Stale pages count against the limit: no more is pinned than is accounted for.
 */
static void test_held(void)
{
	begin(0, 4);
	stay = bell_gmem_user_enter(&user);
	for (unsigned int i = 0; i < 4; i++) {
		CHECK_EQ(find_page(i, MAY_PIN), i);
		if (i % 2)
			world_move(0, 4, 0);
	}
	CHECK_EQ(world.pins, 4);
	CHECK_EQ(find_page(0, MAY_PIN), -EAGAIN);
	leave(&user, stay);
	world_run_work();
	CHECK_EQ(find_page(0, MAY_PIN), 0);
	CHECK_EQ(pinned(), 1);
	/* With the limit reached, look-ups of pinned pages still succeed. */
	pin_all(4);
	pin_all(4);
	end();
}

/* A ring takes the place of a data page. A pin beyond the limit evicts a leaf. */
static void test_evict(void)
{
	struct bell_gmem_map ring = {};
	unsigned int full = 0;

	world.mm.limit = 2 * LEAF;
	begin(0, 2 * LEAF);
	CHECK_EQ(bell_gmem_map(gm, WORLD_UADDR, PAGE_SIZE, &ring), 0);
	for (unsigned long n = 0; n < 6 * LEAF; n++) {
		unsigned long page = n % (2 * LEAF);

		if (find_page(page, MAY_PIN) == -EAGAIN) {
			full++;
			CHECK(world_run_work());
		}
		CHECK_EQ(find_page(page, MAY_PIN), page);
		CHECK(world.pins <= (long)(2 * LEAF));
	}
	CHECK(full >= 3);
	bell_gmem_unmap(gm, &ring);
	end();
}

/*
 * bell_gmem_stay_blocks(): is it this request that keeps other pages from being
 * pinned?
 */
static void test_blocks(void)
{
	unsigned int later;

	begin(0, 4);
	stay = bell_gmem_user_enter(&user);
	pin_all(2);
	world_move(0, 4, 0);
	CHECK(flush_work(&gm->reap.work));
	pin_all(2);
	/* The limit is reached, but no pin has failed yet. */
	CHECK_EQ(world.pins, 4);
	CHECK(!bell_gmem_stay_blocks(gm, &user, stay));
	CHECK_EQ(find_page(2, MAY_PIN), -EAGAIN);
	CHECK(bell_gmem_stay_blocks(gm, &user, stay));
	/* This request began later, so no stale page waits for it. */
	later = bell_gmem_user_enter(&user);
	CHECK(later != stay);
	CHECK(!bell_gmem_stay_blocks(gm, &user, later));
	leave(&user, stay);
	CHECK(flush_work(&gm->reap.work));
	CHECK_EQ(world.pins, 2);
	CHECK(!bell_gmem_stay_blocks(gm, &user, later));
	CHECK_EQ(find_page(2, MAY_PIN), 2);
	/* A stale page waits for it now, but the limit is not reached. */
	world_move(0, 1, 0);
	CHECK(flush_work(&gm->reap.work));
	CHECK(!bell_gmem_stay_blocks(gm, &user, later));
	pin_all(1);
	CHECK_EQ(world.pins, 4);
	CHECK(!bell_gmem_stay_blocks(gm, &user, later));
	leave(&user, later);
	world_run_work();
	end();
}

/* The other pages of a pinned folio count as held, too. */
static void test_held_folio(void)
{
	begin(0, 1024);
	world_set_folio(512, 9);
	stay = bell_gmem_user_enter(&user);
	pin_all(513);
	CHECK_EQ(world.pins, 1024);
	world_move(512, 512, 512);
	/*
	 * 512 pages are stale, so there is room for single pages but not for a
	 * folio.
	 */
	world_punch(511, 1);
	CHECK_EQ(find_page(600, MAY_PIN), -EAGAIN);
	CHECK_EQ(world.pins, 1024);
	leave(&user, stay);
	world_run_work();
	stay = bell_gmem_user_enter(&user);
	/* Of the 1024 pages one moves 513 times during one request. */
	for (unsigned int k = 0; k < 513; k++) {
		CHECK_EQ(find_page(5, MAY_PIN), 5);
		world_move(5, 1, 5);
	}
	CHECK_EQ(world.pins, 513);
	CHECK_EQ(find_page(600, MAY_PIN), 600);
	CHECK_EQ(world.pins, 514);
	CHECK_EQ(find_page(601, MAY_PIN), 601);
	CHECK_EQ(world.pins, 515);
	leave(&user, stay);
	world_run_work();
	CHECK_EQ(find_page(700, MAY_PIN), 700);
	CHECK_EQ(pinned(), 512);
	end();
}

/*
 * A temporary error has the caller try again; a permanent one ends the request.
 */
static void test_errors(void)
{
	static const struct { int error, want; } rows[] = {
		{ -EAGAIN, -EAGAIN }, { -EBUSY, -EAGAIN },
		{ -EINTR, -EAGAIN }, { -ENOMEM, -EAGAIN },
		{ -EFAULT, -EFAULT }, { -EHWPOISON, -EFAULT },
		{ -EOPNOTSUPP, -EFAULT }, { -EINVAL, -EFAULT },
		{ -EPERM, -EFAULT }, { -ENODEV, -EFAULT },
	};

	begin(0, 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		world.pin_error = rows[i].error;
		world.pin_calls = 0;
		CHECK_EQ(find_page(3, MAY_PIN), rows[i].want);
		CHECK_EQ(world.pin_calls, 1);
	}
	world.pin_error = 0;
	CHECK_EQ(find_page(3, MAY_PIN), 3);
	CHECK_EQ(pinned(), 1);
	end();
}

static void test_retry_gone(void)
{
	begin(0, 16);
	world.on_pin = punch_after_pin;
	CHECK_EQ(find_page(3, MAY_PIN), -EFAULT);
	CHECK_EQ(pinned(), 0);
	end();
}

static const struct tap_test tests[] = {
	{ "gmem: a page moves while it is pinned", test_retry },
	{ "gmem: a page of a folio moves while it is pinned",
	  test_retry_folio },
	{ "gmem: a page goes while it is pinned", test_retry_gone },
	{ "gmem: killed while pages keep moving", test_killed },
	{ "gmem: stale pages count as held", test_held },
	{ "gmem: a pin beyond the limit makes room", test_evict },
	{ "gmem: which stay keeps pages from being pinned", test_blocks },
	{ "gmem: the rest of a folio counts as held", test_held_folio },
	{ "gmem: which errors of pinning are final", test_errors },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
