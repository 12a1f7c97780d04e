// SPDX-License-Identifier: GPL-2.0
/* session_log.c: a front end begins, moves and ends the dirty log. */
#include <sys/mman.h>

#include "test_vu_front.h"

#define LOG_ALL		BIT(26)
#define PF_LOG		BIT(1)		/* in PF_ALL */
#define LOG_SIZE	8192ULL
#define FEATURES	(FAKE_FEATURES | BIT(30))

static int log_fd;		/* the one sent last; the test's own */

static int send_log_of(uint64_t size, uint64_t offset, int fd)
{
	struct vu_log_base log = { .size = size, .offset = offset };

	return send_msg(VU_SET_LOG_BASE, &log, sizeof(log), fd >= 0, &fd);
}

static void close_log(void)
{
	if (log_fd > 0)
		close(log_fd);
	log_fd = 0;
}

static int send_log(uint64_t size)
{
	close_log();
	log_fd = test_memfd(size + PAGE);
	return send_log_of(size, 64, dup(log_fd));
}

/* Does the device's log lie in the memory that was sent last? */
static bool log_is_shared(void)
{
	uint8_t *to = (void *)(uintptr_t)fake.log_addr, byte = 0;

	if (!fake.log_size)
		return false;
	*to = 0x5a;
	return pread(log_fd, &byte, 1, 64) == 1 && byte == 0x5a;
}

static void end_log(void)
{
	end();
	close_log();
}

static int send_addr_logged(uint32_t q)
{
	struct vu_addr addr = {
		.index = q, .flags = 1,
		.desc = MEM_USER + q * 3 * PAGE,
		.avail = MEM_USER + q * 3 * PAGE + PAGE,
		.used = MEM_USER + q * 3 * PAGE + 2 * PAGE,
		.log = 2 * PAGE,
	};

	return send_msg(VU_SET_VRING_ADDR, &addr, sizeof(addr), 0, NULL);
}

static void test_offered(void)
{
	static struct vu_device_ops without;

	begin(FROM_NEW);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK(reply.payload.u64 & LOG_ALL);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK(reply.payload.u64 & PF_LOG);
	end_log();

	without = fake_ops;
	without.set_log = NULL;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &without;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK(!(reply.payload.u64 & LOG_ALL));
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK(!(reply.payload.u64 & PF_LOG));
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(send_addr_logged(0), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL & ~PF_LOG), 0);
	CHECK_EQ(send_log(LOG_SIZE), -EPROTO);
	end_log();
}

/* The order of QEMU, while rings run */
static void test_running(void)
{
	struct fake_queue *q = &fake.queue[0];

	begin(RUNNING);
	need_reply = true;
	CHECK_EQ(send_log(LOG_SIZE), 0);
	CHECK_EQ(reply.request, VU_SET_LOG_BASE);
	CHECK_EQ(reply.size, 8);
	CHECK_EQ(reply.payload.u64, 0);
	CHECK_EQ(fake.logs, 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	CHECK_EQ(reply.payload.u64, 0);
	CHECK(log_is_shared());
	CHECK_EQ(fake.log_size, LOG_SIZE);
	CHECK_EQ(send_addr_logged(0), 0);
	CHECK_EQ(reply.payload.u64, 0);
	/* Nothing was stopped for it, and the device has not seen the feature. */
	CHECK(q->running && q->starts == 1);
	CHECK_EQ(fake.features, FAKE_FEATURES);
	/* A larger one, for memory that is added */
	CHECK_EQ(send_log(2 * LOG_SIZE), 0);
	CHECK(log_is_shared());
	CHECK_EQ(fake.log_size, 2 * LOG_SIZE);
	CHECK_EQ(fake.logs, 2);
	/* The end */
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(fake.logs, 3);
	CHECK_EQ(fake.log_size, 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK(q->running && q->starts == 1);
	/* And again: not with the old map, which may be too small by now */
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	CHECK_EQ(fake.log_size, 0);
	CHECK_EQ(send_log(LOG_SIZE), 0);
	CHECK(log_is_shared());
	end_log();
}

/* A device that starts while the log is on: features and addresses come first. */
static void test_start(void)
{
	begin(FROM_PF);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	CHECK_EQ(send_table(2), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 7), 0);
	CHECK_EQ(send_addr_logged(0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(fake.logs, 0);
	CHECK_EQ(send_log(LOG_SIZE), 0);
	CHECK(log_is_shared());
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK(fake.queue[0].running);
	end_log();

	/* Before there is memory */
	begin(FROM_PF);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	CHECK_EQ(send_log(LOG_SIZE), 0);
	CHECK_EQ(fake.logs, 0);
	CHECK_EQ(send_table(2), 0);
	CHECK(log_is_shared());
	CHECK_EQ(send_table(0), 0);
	CHECK_EQ(fake.log_size, 0);
	CHECK_EQ(send_table(1), 0);
	CHECK(log_is_shared());
	end_log();
}

static void test_bad(void)
{
	static const struct {
		uint64_t size, offset;
	} rows[] = {
		{ 0, 0 }, { 4, 0 }, { 8, 4 }, { LOG_SIZE + 1, 0 },
		{ LOG_SIZE + 8, 0 }, { LOG_SIZE, 8 }, { 8, LOG_SIZE },
		{ 8, -8ULL }, { -8ULL, 16 }, { (256ULL << 20) + 8, 0 },
	};
	int pipes[2];

	begin(RUNNING);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_EQ(send_log_of(rows[i].size, rows[i].offset,
				     test_memfd(LOG_SIZE)), -EINVAL);
		CHECK(!reply.request);
	}
	CHECK_EQ(send_log_of(LOG_SIZE, 0, -1), -EBADMSG);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(send_log_of(LOG_SIZE, 0, pipes[0]), -EOPNOTSUPP);
	close(pipes[1]);
	CHECK_EQ(fake.logs, 0);
	/* What the device refuses leaves the log as it was. */
	CHECK_EQ(send_log(LOG_SIZE), 0);
	fake.log_ret = -ENOMEM;
	CHECK_EQ(send_log_of(2 * LOG_SIZE, 0, test_memfd(2 * LOG_SIZE)), -ENOMEM);
	CHECK(said("log of 16384 bytes"));
	CHECK(log_is_shared());
	CHECK_EQ(fake.log_size, LOG_SIZE);
	CHECK_EQ(session.log.addr, fake.log_addr);
	end_log();
}

/* The device has the new table although it cannot log: so the session has it, too. */
static void test_table_without_log(void)
{
	begin(RUNNING);
	CHECK_EQ(send_log(LOG_SIZE), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	CHECK_EQ(send_table(0), 0);
	fake.log_ret = -ENOMEM;
	CHECK_EQ(send_table(2), -ENOMEM);
	CHECK_EQ(session.mem->n, 2);
	CHECK(!session.logs);
	end_log();
}

/* A bitmap that shrinks while it is mapped, and one that cannot be written to */
static void test_truncated(void)
{
	begin(RUNNING);
	CHECK_EQ(send_log(LOG_SIZE), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES | LOG_ALL), 0);
	CHECK_EQ(ftruncate(log_fd, 0), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	end_log();

	begin(RUNNING);
	log_fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK_EQ(ftruncate(log_fd, LOG_SIZE), 0);
	CHECK_EQ(fcntl(log_fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	CHECK_EQ(send_log_of(LOG_SIZE, 0, log_fd), -EPERM);
	log_fd = 0;
	end_log();
}

static const struct test tests[] = {
	{ "dirty log: offered where the device has one", test_offered },
	{ "dirty log: while rings run", test_running },
	{ "dirty log: a device starts with it", test_start },
	{ "dirty log: maps that cannot be", test_bad },
	{ "dirty log: a new table, but no log", test_table_without_log },
	{ "dirty log: truncated and sealed", test_truncated },
};

TEST_MAIN(tests)
