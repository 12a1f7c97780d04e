// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: which tables are accepted, how rings are found in them, and
 * when a ring waits for its memory.
 */
#include "test_vu_front.h"

static void test_memory_replaced(void)
{
	struct fake_queue *q = &fake.queue[0];

	begin(RUNNING);
	CHECK_EQ(fake.regions, 2);
	CHECK_EQ(send_table(3), 0);
	CHECK_EQ(fake.regions, 3);
	CHECK(q->running && q->starts == 2 && q->base == 12);
	CHECK_EQ(q->addr.desc_user_addr, session.mem->region[0].addr);
	/*
	 * A table without its memory parks the ring; the next table that has it
	 * resumes the ring.
	 */
	CHECK_EQ(send_table(0), 0);
	CHECK(!q->running);
	CHECK_EQ(send_table(1), 0);
	CHECK(q->running && q->starts == 3 && q->base == 17);
	/* The kernel refuses the table: the old one stays in use. */
	fake.mem_ret = -ENOMEM;
	CHECK_EQ(send_table(4), -ENOMEM);
	CHECK_EQ(session.mem->n, 1);
	CHECK(q->running && q->base == 22);
	end();
}

static void test_memory_slots(void)
{
	struct fake_queue *q = &fake.queue[0];

	begin(RUNNING);
	for (unsigned int i = 2; i < 509; i++)
		CHECK_EQ(send_region(VU_ADD_MEM_REG, region(i), true), 0);
	CHECK_EQ(fake.regions, 509);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(509), true), -ENOSPC);
	CHECK_EQ(q->starts, 1);

	CHECK_EQ(send_region(VU_REM_MEM_REG, region(1), false), 0);
	CHECK_EQ(send_region(VU_REM_MEM_REG, region(1), false), -ENOENT);
	/*
	 * A removal with a descriptor, as some front ends send it: the
	 * descriptor is closed and ignored.
	 */
	CHECK_EQ(send_region(VU_REM_MEM_REG, region(5), true), 0);
	CHECK_EQ(fake.regions, 507);
	CHECK_EQ(q->starts, 1);

	/* The region that holds the ring is removed and added again. */
	fake.mem_ret = -EIO;
	CHECK_EQ(send_region(VU_REM_MEM_REG, region(0), false), -EIO);
	CHECK(q->running && q->starts == 2);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(1), true), -EIO);
	fake.mem_ret = 0;
	CHECK_EQ(send_region(VU_REM_MEM_REG, region(0), false), 0);
	CHECK(!q->running);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(1), true), 0);
	CHECK(!q->running);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(0), true), 0);
	CHECK(q->running && q->starts == 3 && q->base == 17);
	end();
}

static void test_bad_regions(void)
{
	static const struct {
		const char	*rule;
		struct vu_region r;
		int		 ret;
	} rows[] = {
		{ "empty", { 0, 0, MEM_USER, 0 }, -EINVAL },
		{ "address", { 1, PAGE, MEM_USER, 0 }, -EINVAL },
		{ "user address", { 0, PAGE, MEM_USER + 8, 0 }, -EINVAL },
		{ "offset", { 0, PAGE, MEM_USER, 512 }, -EINVAL },
		{ "wraps", { -PAGE, 2 * PAGE, MEM_USER, 0 }, -EINVAL },
		{ "user wraps", { 0, 2 * PAGE, -PAGE, 0 }, -EINVAL },
		{ "offset wraps", { 0, 2 * PAGE, MEM_USER, -PAGE }, -EINVAL },
		{ "huge", { 0, -PAGE, PAGE, 0 }, -EINVAL },
		{ "past the file", { 0, MEM_SIZE + 2 * PAGE, MEM_USER, 0 },
		  -EINVAL },
		{ "offset past the file", { 0, PAGE, MEM_USER,
					    MEM_SIZE + PAGE }, -EINVAL },
	};

	begin(FROM_FEATURES);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (send_region(VU_ADD_MEM_REG, rows[i].r, true) == rows[i].ret)
			continue;
		printf("# %s\n", rows[i].rule);
		CHECK(false);
	}
	CHECK_EQ(fake.regions, 0);
	/* A region may be the last page of the address space. */
	CHECK_EQ(send_region(VU_ADD_MEM_REG, (struct vu_region){
		-PAGE, PAGE, -PAGE, 0 }, true), 0);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, (struct vu_region){
		-PAGE, PAGE, MEM_USER, 0 }, true), -EEXIST);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(3), true), 0);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(3), true), -EEXIST);
	/*
	 * Two guest ranges may share one user range, but not the other way
	 * round.
	 */
	CHECK_EQ(send_region(VU_ADD_MEM_REG, (struct vu_region){
		0, PAGE, region(3).user_addr + PAGE, 0 }, true), 0);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, (struct vu_region){
		region(3).gpa + PAGE, PAGE, MEM_USER, 0 }, true), -EEXIST);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(4), false), -EBADMSG);
	end();
}

static int read_only_memfd(size_t size)
{
	int fd = test_memfd(size), ret;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	return ret;
}

static void test_bad_memory_fds(void)
{
	struct vu_mem_reg reg = { .region = region(0) };
	struct vu_memory mem = { .nregions = 2 };
	int fds[2], sv[2];

	begin(RUNNING);
	/* If one region of a table is bad the table changes nothing. */
	mem.regions[0] = region(0);
	mem.regions[1] = region(0);
	fds[0] = test_memfd(MEM_SIZE + PAGE);
	fds[1] = test_memfd(MEM_SIZE + PAGE);
	CHECK_EQ(send_msg(VU_SET_MEM_TABLE, &mem, 72, 2, fds), -EEXIST);
	CHECK(session.mem->n == 2 && fake.queue[0].starts == 1);
	/* Fewer descriptors than regions, and more. */
	fds[0] = test_memfd(MEM_SIZE + PAGE);
	CHECK_EQ(send_msg(VU_SET_MEM_TABLE, &mem, 72, 1, fds), -EBADMSG);
	mem.nregions = 0;
	fds[0] = test_memfd(PAGE);
	CHECK_EQ(send_msg(VU_SET_MEM_TABLE, &mem, 8, 1, fds), -EBADMSG);
	end();

	begin(FROM_FEATURES);
	if (pipe2(sv, O_CLOEXEC))
		abort();
	CHECK_EQ(send_msg(VU_ADD_MEM_REG, &reg, 40, 1, &sv[0]), -EOPNOTSUPP);
	close(sv[1]);
	CHECK(said("guest memory is no file but pipe:"));
	fds[0] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	CHECK_EQ(send_msg(VU_ADD_MEM_REG, &reg, 40, 1, fds), -EOPNOTSUPP);
	fds[0] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(send_msg(VU_ADD_MEM_REG, &reg, 40, 1, fds), -EOPNOTSUPP);
	CHECK(said("guest memory is a file on proc, /proc/") &&
	      said("memory-backend-memfd,share=on"));
	fds[0] = read_only_memfd(MEM_SIZE + PAGE);
	CHECK_EQ(send_msg(VU_ADD_MEM_REG, &reg, 40, 1, fds), -EACCES);
	CHECK_EQ(fake.regions, 0);
	end();
}

/* A ring parks while its memory is missing, even if other memory is there. */
static void test_park(void)
{
	const struct fake_queue *q = &fake.queue[0];

	begin(FROM_FEATURES);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(1), true), 0);
	start_queue(0);
	CHECK(!q->running);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(0), true), 0);
	CHECK(q->running && q->base == 7);
	end();
}

/* The same memory at two guest addresses */
static void test_alias(void)
{
	const struct fake_queue *q = &fake.queue[0];
	struct vu_region low = region(0), high = region(4);

	high.user_addr = low.user_addr;
	begin(FROM_FEATURES);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, low, true), 0);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, high, true), 0);
	CHECK_EQ(fake.regions, 2);
	start_queue(0);
	CHECK(q->running);
	/* One range is removed: the ring is found in the other range. */
	CHECK_EQ(send_region(VU_REM_MEM_REG, low, false), 0);
	CHECK(q->running && q->starts == 2);
	CHECK_EQ(q->addr.desc_user_addr, session.mem->region[0].addr);
	/* A shorter region, which begins before the ring and ends within it */
	low.size = 2 * PAGE;
	CHECK_EQ(send_region(VU_ADD_MEM_REG, low, true), 0);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(send_addr(0, MEM_USER + 2 * PAGE - 64), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK(q->running);
	/* Guest addresses of regions must not overlap. */
	high.user_addr += 64 * MEM_SIZE;
	CHECK_EQ(send_region(VU_ADD_MEM_REG, high, true), -EEXIST);
	end();
}

/*
 * If a guest hangs because its memory is not shared, the session must report
 * it.
 */
static void test_watch(void)
{
	begin(FROM_FEATURES);
	CHECK_EQ(session.wanted, 0);
	start_queue(0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0), 0);
	CHECK(session.wanted > 0);
	CHECK(!vu_session_watch(&session));
	CHECK(said("queue 0: the ring is not in the memory") &&
	      said("(0 regions") && said("memory-backend-memfd") &&
	      said("share=on"));
	/*
	 * The memory is added: the ring is no longer parked, and the guest has
	 * not kicked yet.
	 */
	CHECK_EQ(send_table(1), 0);
	CHECK(fake.queue[0].running);
	CHECK(vu_session_watch(&session) && !*vu_session_error(&session));
	/*
	 * After a kick the session looks twice before it reports: the first
	 * kick may be new.
	 */
	fake.queue[0].kicks = 1;
	CHECK(vu_session_watch(&session) && !*vu_session_error(&session));
	CHECK(!vu_session_watch(&session));
	CHECK(said("queue 0: the guest kicks, but its ring is empty") &&
	      said("share=on"));
	/* One served request of any queue proves that the memory is shared. */
	fake.queue[0].requests = 1;
	CHECK(!vu_session_watch(&session) && !*vu_session_error(&session));
	end();

	/* Half of the memory: the ring of queue 1 is not in it. */
	begin(FROM_MEMORY);
	start_queue(0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 1, 128), 0);
	CHECK_EQ(send_addr(1, MEM_USER + 8 * MEM_SIZE), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 1, 1), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 1), 0);
	CHECK(!vu_session_watch(&session));
	CHECK(said("queue 1: the ring is not") && said("(2 regions, 128 KiB)"));
	/* A region is removed together with its ring */
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 1, 0), 0);
	session.wanted = 0;
	CHECK_EQ(send_region(VU_REM_MEM_REG, region(0), false), 0);
	CHECK_EQ(session.wanted, 1);
	CHECK(!vu_session_watch(&session) && said("queue 0: the ring is not"));
	end();

	/*
	 * A ring that resumes after another process served it is known to work.
	 */
	begin(RUNNING);
	fake.queue[0].kicks = 9;
	CHECK(!vu_session_watch(&session) && !*vu_session_error(&session));
	end();
}

static const struct test tests[] = {
	{ "SET_MEM_TABLE replaces under a running queue", test_memory_replaced },
	{ "memory slots: 509, a ring parked and unparked", test_memory_slots },
	{ "regions that cannot be", test_bad_regions },
	{ "memory descriptors that cannot be", test_bad_memory_fds },
	{ "memory that is not shared is noticed", test_watch },
	{ "a ring whose memory is not there parks", test_park },
	{ "two guest ranges over one user range", test_alias },
};

TEST_MAIN(tests)
