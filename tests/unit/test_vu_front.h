/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_vu_front - a front end that talks to one session on a fake device
 *
 * begin() brings the session into the state in which a test starts, send_*()
 * send messages, and end() closes it and checks that it broke no rule of the
 * kernel module.
 */
#ifndef TESTS_UNIT_TEST_VU_FRONT_H
#define TESTS_UNIT_TEST_VU_FRONT_H

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "fd.h"
#include "session.h"
#include "test_vu.h"
#include "test_vu_fake.h"

#define BIT(n)		(1ULL << (n))
#define PF_ALL		(BIT(0) | BIT(1) | BIT(3) | BIT(5) | BIT(9) | BIT(12) | BIT(13) | BIT(15) | BIT(16))
#define PAGE		4096ULL
#define MEM_USER	0x7f0000000000ULL
#define MEM_SIZE	(16 * PAGE)

static struct fake fake = { .base.ops = &fake_ops };
static struct vu_session session;
static struct vu_msg reply;
static bool need_reply;

/* The state in which a test starts. */
enum from { FROM_NEW, FROM_OWNER, FROM_PF, FROM_FEATURES, FROM_MEMORY, RUNNING };

static inline int send_msg(uint32_t request, const void *payload, uint32_t size,
		    unsigned int nfds, const int *fds)
{
	struct vu_msg m;

	vu_msg_init(&m);
	m.request = request;
	m.flags = VU_VERSION | (need_reply ? VU_FLAG_NEED_REPLY : 0);
	m.size = size;
	if (size)
		memcpy(m.payload.bytes, payload, size);
	m.nfds = nfds;
	if (nfds)
		memcpy(m.fds, fds, nfds * sizeof(int));
	return vu_session_handle(&session, &m, &reply);
}

/* A back-end channel whose other end is never read */
static inline int test_channel(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		abort();
	return fd;
}

/* Waits until another thread has closed the Unix socket @fd. */
static inline bool test_closed(int fd)
{
	for (int i = 0; i < 5000 && fcntl(fd, F_GETFD) >= 0; i++)
		usleep(1000);
	return fcntl(fd, F_GETFD) < 0;
}

static inline bool said(const char *words)
{
	return strstr(vu_session_error(&session), words);
}

static inline int send_none(uint32_t request)
{
	return send_msg(request, NULL, 0, 0, NULL);
}

static inline int send_u64(uint32_t request, uint64_t value)
{
	return send_msg(request, &value, sizeof(value), 0, NULL);
}

static inline int send_state(uint32_t request, uint32_t index, uint32_t num)
{
	struct vu_state state = { index, num };

	return send_msg(request, &state, sizeof(state), 0, NULL);
}

static inline int send_event(uint32_t request, uint64_t value)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	return send_msg(request, &value, sizeof(value), 1, &fd);
}

static inline int send_addr(uint32_t index, uint64_t user)
{
	struct vu_addr addr = {
		.index = index,
		.desc = user,
		.avail = user + PAGE,
		.used = user + 2 * PAGE,
	};

	return send_msg(VU_SET_VRING_ADDR, &addr, sizeof(addr), 0, NULL);
}

static inline struct vu_region region(unsigned int i)
{
	return (struct vu_region){
		.gpa = i * MEM_SIZE,
		.size = MEM_SIZE,
		.user_addr = MEM_USER + i * MEM_SIZE,
		.mmap_offset = PAGE,
	};
}

static inline int send_table(unsigned int n)
{
	struct vu_memory mem = { .nregions = n };
	int fds[VU_MAX_TABLE];

	for (unsigned int i = 0; i < n; i++) {
		mem.regions[i] = region(i);
		fds[i] = test_memfd(MEM_SIZE + PAGE);
	}
	return send_msg(VU_SET_MEM_TABLE, &mem, 8 + 32 * n, n, fds);
}

static inline int send_region(uint32_t request, struct vu_region r, bool with_fd)
{
	struct vu_mem_reg reg = { .region = r };
	int fd = with_fd ? test_memfd(MEM_SIZE + PAGE) : -1;

	return send_msg(request, &reg, sizeof(reg), with_fd, &fd);
}

static inline void start_queue(uint32_t q)
{
	CHECK_EQ(send_state(VU_SET_VRING_NUM, q, 128), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, q, 7), 0);
	CHECK_EQ(send_addr(q, MEM_USER + q * 3 * PAGE), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, q), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, q), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, q, 1), 0);
}

/* Sends the messages in QEMU's order. */
static inline void begin(enum from from)
{
	need_reply = false;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
	if (from < FROM_OWNER)
		return;
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	if (from >= FROM_PF)
		CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL), 0);
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	if (from < FROM_FEATURES)
		return;
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)), 0);
	if (from < FROM_MEMORY)
		return;
	CHECK_EQ(send_table(2), 0);
	if (from == RUNNING)
		start_queue(0);
}

static inline void end(void)
{
	vu_session_close(&session);
	CHECK_EQ(fake.abuse, 0);
	CHECK(!fake.open);
}

#endif
