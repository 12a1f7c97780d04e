// SPDX-License-Identifier: GPL-2.0
/* session_inflight.c: the region is made, kept by the front end, and given back. */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "test_vu_front.h"

#define PF_INFLIGHT	BIT(12)		/* in PF_ALL */
#define SIZE		1024U		/* for 3 queues of 4 entries, and more */

static int region_fd;		/* the one sent last; the test's own */

static int send_desc(uint32_t request, struct vu_inflight_desc d, uint32_t size,
		     int fd)
{
	return send_msg(request, &d, size, fd >= 0, &fd);
}

static int get(uint16_t queues, uint16_t entries, uint32_t size)
{
	struct vu_inflight_desc d = {
		.num_queues = queues, .queue_size = entries,
	};

	return send_desc(VU_GET_INFLIGHT_FD, d, size, -1);
}

static int set(uint64_t size, uint64_t offset, uint16_t queues, uint16_t entries)
{
	struct vu_inflight_desc d = { size, offset, queues, entries, 0 };

	return send_desc(VU_SET_INFLIGHT_FD, d, sizeof(d), dup(region_fd));
}

static void begin_region(uint64_t features)
{
	begin(FROM_PF);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30) | features), 0);
	CHECK_EQ(send_table(2), 0);
	region_fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (region_fd < 0 || ftruncate(region_fd, 2 * PAGE))
		abort();
}

static void end_region(void)
{
	end();
	fd_close(&region_fd);
}

/* The front end has got a region of @size bytes, whose seals keep it from being cut. */
static void check_reply(uint64_t size, uint32_t payload)
{
	int fd = reply.fds[0];
	struct stat st;

	CHECK_EQ(reply.request, VU_GET_INFLIGHT_FD);
	CHECK_EQ(reply.size, payload);
	CHECK_EQ(reply.nfds, 1);
	CHECK_EQ(reply.payload.inflight.size, size);
	CHECK_EQ(reply.payload.inflight.offset, 0);
	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK_EQ(st.st_size, size);
	CHECK_EQ(st.st_blocks, 0);
	CHECK(ftruncate(fd, size - 1) && errno == EPERM);
	CHECK(ftruncate(fd, size + 1) && errno == EPERM);
	fd_close(&fd);
}

static void test_get(void)
{
	begin_region(0);
	CHECK_EQ(get(1, 128, 24), 0);
	check_reply(16 + 1024 * 16 + 48, 24);
	CHECK_EQ(reply.payload.inflight.num_queues, 1);
	CHECK_EQ(reply.payload.inflight.queue_size, 128);
	CHECK_EQ(get(64, 32768, 20), 0);
	check_reply(64 * (16 + 32768 * 16 + 48ULL), 20);
	CHECK_EQ(get(0, 128, 24), -EINVAL);
	CHECK(said("0 queues"));
	CHECK_EQ(get(65, 128, 24), -EINVAL);
	end_region();

	begin_region(FAKE_PACKED);
	CHECK_EQ(get(2, 2000, 24), 0);
	check_reply(2 * (32 + 2000 * 32 + 32), 24);
	CHECK_EQ(get(2, 0, 24), -EINVAL);
	CHECK_EQ(get(2, 32769, 24), -EINVAL);
	CHECK(said("queues of 32769 entries"));
	end_region();
}

static void test_sizes(void)
{
	struct vu_inflight_desc d = { .num_queues = 1, .queue_size = 4 };

	for (uint32_t size = 0; size <= 32; size++) {
		if (size == 20 || size == 24)
			continue;
		begin_region(0);
		CHECK_EQ(send_msg(VU_GET_INFLIGHT_FD, (char[32]){ 0 }, size, 0,
				  NULL), -EBADMSG);
		end_region();
	}
	begin_region(0);
	d.size = SIZE;
	CHECK_EQ(send_desc(VU_SET_INFLIGHT_FD, d, 20, dup(region_fd)), 0);
	CHECK_EQ(send_desc(VU_SET_INFLIGHT_FD, d, 24, -1), -EBADMSG);
	end_region();
}

static void test_offered(void)
{
	static struct vu_device_ops without;

	begin(FROM_NEW);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK(reply.payload.u64 & PF_INFLIGHT);
	end();

	begin(FROM_NEW);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL & ~PF_INFLIGHT), 0);
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)), 0);
	CHECK_EQ(get(1, 128, 24), -EPROTO);
	end();

	/* Not for a card: frames are not sent again. */
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	fake.base.type = VU_DEVICE_NET;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK(!(reply.payload.u64 & PF_INFLIGHT));
	end();

	without = fake_ops;
	without.set_inflight = NULL;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &without;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK(!(reply.payload.u64 & PF_INFLIGHT));
	end();
}

static void test_set_bad(void)
{
	int fd;

	begin_region(0);
	CHECK_EQ(set(SIZE, 0, 3, 4), 0);
	CHECK_EQ(set(3 * 128 - 1, 0, 3, 4), -EINVAL);
	CHECK(said("383 bytes for 3 queues of 4 entries"));
	CHECK_EQ(set(3 * 128, 0, 3, 4), 0);
	CHECK_EQ(set(SIZE, 4, 3, 4), -EINVAL);
	CHECK_EQ(set(SIZE, 2 * PAGE - SIZE, 3, 4), 0);
	CHECK_EQ(set(SIZE, 2 * PAGE - SIZE + 8, 3, 4), -EINVAL);
	CHECK(said("of a file of 8192"));
	CHECK_EQ(set(SIZE, ~7ULL, 3, 4), -EINVAL);
	CHECK_EQ(set(~0ULL, 0, 3, 4), -EINVAL);
	CHECK_EQ(set(SIZE, 0, 0, 4), -EINVAL);
	CHECK_EQ(set(SIZE, 0, 3, 0), -EINVAL);
	fd = eventfd(0, EFD_CLOEXEC);
	CHECK_EQ(send_desc(VU_SET_INFLIGHT_FD,
			   (struct vu_inflight_desc){ SIZE, 0, 3, 4, 0 }, 24, fd),
		 -EOPNOTSUPP);
	CHECK(said("not of a memfd"));
	/* A file that cannot be written to */
	CHECK_EQ(fcntl(region_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	CHECK(set(SIZE, 0, 3, 4) < 0);
	end_region();
}

/* Is the part that queue @q was given at @offset of the region? */
static bool is_at(uint32_t q, uint64_t offset)
{
	uint8_t *to = (void *)(uintptr_t)fake.queue[q].inflight_addr, byte = 0;

	*to = 0x5a + q;
	return pread(region_fd, &byte, 1, offset) == 1 && byte == 0x5a + q;
}

static void test_use(void)
{
	begin_region(0);
	CHECK_EQ(set(SIZE, 0, 1, 4), 0);
	CHECK_EQ(set(SIZE, PAGE + 8, 2, 4), 0);
	for (uint32_t q = 0; q < 3; q++)
		start_queue(q);
	/* Parts are as large as the region allows. */
	CHECK_EQ(fake.queue[0].inflight_size, SIZE / 2);
	CHECK(is_at(0, PAGE + 8) && is_at(1, PAGE + 8 + SIZE / 2));
	/* The region has no part for this one. */
	CHECK_EQ(fake.queue[2].inflight_size, 0);
	/* A split ring begins where the front end says. */
	CHECK_EQ(fake.queue[0].base, 7);
	end_region();
}

/* The header of a packed ring's part */
static void write_header(uint64_t offset, uint16_t version, uint16_t used,
			 bool wrap)
{
	uint8_t h[32] = { 0 };

	memcpy(h + 8, &version, 2);
	/* The new index and the old one */
	memcpy(h + 16, &(uint16_t){ used + 1 }, 2);
	memcpy(h + 18, &used, 2);
	h[21] = wrap;
	if (pwrite(region_fd, h, sizeof(h), offset) != sizeof(h))
		abort();
}

static void test_packed_base(void)
{
	begin_region(FAKE_PACKED);
	CHECK_EQ(set(2 * PAGE, 0, 2, 120), 0);
	write_header(0, 1, 5, true);
	write_header(PAGE, 0, 9, true);
	start_queue(0);
	start_queue(1);
	CHECK_EQ(fake.queue[0].base, 0x80058005);
	CHECK(!session.queue[0].fresh);
	/* This part was not used yet: the front end knows the place. */
	CHECK_EQ(fake.queue[1].base, 0x00070007);
	/* From now on it knows the other one, too, as it stops the queue itself. */
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	start_queue(0);
	CHECK_EQ(fake.queue[0].base, 0x00070007);
	end_region();
}

/*
 * A front end that stops a queue may save the guest without the region: what is held must
 * end. If it is gone it comes back to the region.
 */
static void test_stops(void)
{
	begin_region(0);
	CHECK_EQ(set(2 * PAGE, 0, 2, 120), 0);
	start_queue(0);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	CHECK(fake.queue[0].ended);
	start_queue(0);
	CHECK(!fake.queue[0].ended);
	/* QEMU disables a queue first. */
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(fake.queue[0].ended);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK(fake.queue[0].running);
	end_region();
	CHECK(!fake.queue[0].running && !fake.queue[0].ended);
}

/* The old device still runs: wait for it, but not for ever. */
static void test_wait(void)
{
	begin_region(FAKE_PACKED);
	CHECK_EQ(set(2 * PAGE, 0, 2, 120), 0);
	write_header(0, 0xffff, 5, true);
	fake.run_ret = -EBUSY;
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 100), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), -EBUSY);
	CHECK(said("another device still serves the ring"));
	CHECK_EQ(session.inflight.waited, 300);
	fake.run_ret = -EBADMSG;
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), -EBADMSG);
	CHECK(said("the in-flight region contradicts itself"));
	fake.run_ret = -EOPNOTSUPP;
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), -EOPNOTSUPP);
	CHECK(said("another back end has left requests of a packed ring"));
	fake.run_ret = 0;
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	end_region();
}

/* The front end makes the file shorter after it was mapped. */
static void test_truncated(void)
{
	begin_region(FAKE_PACKED);
	CHECK_EQ(set(2 * PAGE, 0, 2, 120), 0);
	if (ftruncate(region_fd, 0))
		abort();
	start_queue(0);
	CHECK_EQ(fake.queue[0].base, 0x00070007);
	end_region();
}

static const struct test tests[] = {
	{ "in-flight: offered for disks", test_offered },
	{ "in-flight: a region of a fixed size", test_get },
	{ "in-flight: payloads with padding and without", test_sizes },
	{ "in-flight: regions that cannot be", test_set_bad },
	{ "in-flight: each queue has its part", test_use },
	{ "in-flight: where a packed ring goes on", test_packed_base },
	{ "in-flight: wait for a device that is being closed", test_wait },
	{ "in-flight: a region that was truncated", test_truncated },
	{ "in-flight: stops that leave nothing there", test_stops },
};

TEST_MAIN(tests)
