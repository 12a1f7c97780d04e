// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_vu_msg - a hostile front end: bytes become vhost-user messages
 *
 * The input is a stream of messages. The codec reads each of them and gives it
 * to a session on a fake device, with real descriptors. The fake device counts
 * calls that the kernel module would refuse. The first byte of the input
 * chooses the state in which the session starts. The byte before each message
 * chooses how many descriptors come with it, and of which kind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "count.h"
#include "fd.h"
#include "mutator.h"
#include "session.h"
#include "../unit/test_vu.h"
#include "../unit/test_vu_fake.h"

/* The byte before a message: one descriptor, which is an eventfd. */
#define FUZZ_ONE_EVENTFD	(0x80 | 17)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake fake;
static struct vu_session session;

static void fuzz_send(uint32_t request, uint64_t value, uint32_t size)
{
	struct vu_msg m, reply;

	vu_msg_init(&m);
	m.request = request;
	m.flags = VU_VERSION;
	m.size = size;
	m.payload.u64 = value;
	vu_session_handle(&session, &m, &reply);
}

static bool fuzz_has_started(void)
{
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		if (fake.queue[i].starts)
			return true;
	return false;
}

static void fuzz_begin(uint8_t how)
{
	fake = (struct fake){ .base.ops = &fake_ops };
	if (how & 0x80)
		fake.mem_ret = -ENOMEM;
	if (how & 0x40)
		fake.run_ret = -ENXIO;
	if (how & 0x20)
		fake.base.type = VU_DEVICE_NET;
	if (how & 0x10)
		fake.net_ret = -EIO;
	if (vu_session_open(&session, &fake.base))
		abort();
	if (how & 1)
		fuzz_send(VU_SET_PROTOCOL_FEATURES,
			  how & 0x20 ? 0x1a01d : 0x1b209, 8);
	if (how & 2)
		fuzz_send(VU_SET_OWNER, 0, 0);
	if (how & 4)
		fuzz_send(VU_SET_FEATURES, how & 8 ? FAKE_OFFERED :
			  FAKE_FEATURES | 1ULL << 30, 8);
}

static void fuzz_add_fds(struct vu_msg *m, uint8_t how)
{
	m->nfds = how % (VU_MAX_FDS + 1);
	for (unsigned int i = 0; i < m->nfds; i++)
		m->fds[i] = how & 0x80 ? eventfd(0, EFD_CLOEXEC) :
					 test_memfd(1 << 20);
}

/* Processes one message; returns the bytes of input it took, 0 at the end. */
static size_t fuzz_message(const uint8_t *data, size_t size)
{
	struct vu_msg m, reply;
	bool changed;
	size_t used;
	int ret;

	if (size < 1 + VU_HEADER_SIZE)
		return 0;
	vu_msg_init(&m);
	if (vu_msg_read_header(&m, data + 1))
		return 0;
	used = 1 + VU_HEADER_SIZE + m.size;
	if (used > size)
		return 0;
	memcpy(m.payload.bytes, data + 1 + VU_HEADER_SIZE, m.size);
	fuzz_add_fds(&m, data[0]);
	ret = vu_session_handle(&session, &m, &reply);
	if (m.nfds || reply.size > VU_MAX_PAYLOAD ||
	    reply.nfds > (m.request == VU_GET_INFLIGHT_FD))
		abort();
	if (reply.nfds)
		close(reply.fds[0]);
	if (ret && !*vu_session_error(&session))
		abort();
	/* After each message do what the event loop does */
	fake.resized = data[0] & 4;
	fake.queue[data[0] % FAKE_QUEUES].kicks++;
	if (data[0] & 1)
		vu_session_resize(&session, &changed);
	if (vu_session_notice(&session, &reply))
		vu_session_noticed(&session, data[0] & 2 ? -EPIPE : 0);
	vu_session_watch(&session);
	return ret ? 0 : used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds = test_count_fds();
	size_t used;

	if (!size)
		return 0;
	fuzz_begin(*data);
	data++, size--;
	while ((used = fuzz_message(data, size))) {
		data += used;
		size -= used;
	}
	fuzz_count(fuzz_has_started());
	vu_session_close(&session);
	if (fake.abuse || fake.open || test_count_fds() != fds)
		abort();
	return 0;
}

/*
 * Builds likely inputs, as random bytes hardly ever make one whole message.
 * Values come from a small range, so that the messages of one input fit
 * together.
 */
static uint32_t fuzz_size(uint32_t request, uint64_t (*random)(void))
{
	switch (request) {
	case VU_SET_MEM_TABLE:
		return 8 + 32 * (random() % 3);
	case VU_SET_VRING_ADDR:
	case VU_ADD_MEM_REG:
	case VU_REM_MEM_REG:
		return 40;
	case VU_GET_CONFIG:
	case VU_SET_CONFIG:
		return 12 + random() % 64;
	case VU_GET_INFLIGHT_FD:
	case VU_SET_INFLIGHT_FD:
		return random() % 2 ? 20 : 24;
	case VU_GET_FEATURES:
	case VU_SET_OWNER:
	case VU_RESET_OWNER:
	case VU_GET_PROTOCOL_FEATURES:
	case VU_GET_QUEUE_NUM:
	case VU_RESET_DEVICE:
	case VU_GET_MAX_MEM_SLOTS:
	case VU_GET_STATUS:
		return 0;
	}
	return 8;
}

static void fuzz_make_payload(struct vu_msg *m, uint64_t (*random)(void))
{
	struct vu_region *r = &m->payload.mem_reg.region;
	uint64_t page = 4096 * (random() % 16);

	for (unsigned int i = 0; i < m->size / 4; i++)
		((uint32_t *)m->payload.bytes)[i] = random() % 4;
	switch (m->request) {
	case VU_SET_VRING_NUM:
		m->payload.state.num = 1 << random() % 9;
		break;
	case VU_SET_VRING_ADDR:
		m->payload.addr.flags = 0;
		m->payload.addr.desc = 0x100000 + page;
		m->payload.addr.avail = 0x101000 + page;
		m->payload.addr.used = 0x102000 + page;
		break;
	case VU_GET_INFLIGHT_FD:
	case VU_SET_INFLIGHT_FD:
		m->payload.inflight.size = page;
		m->payload.inflight.offset = 8 * (random() % 3);
		break;
	case VU_SET_CONFIG:
	case VU_GET_CONFIG:
		m->payload.config.size = m->size - 12;
		break;
	case VU_SET_MEM_TABLE:
		m->payload.memory.nregions = (m->size - 8) / 32;
		r = m->payload.memory.regions;
		/* fall through */
	case VU_ADD_MEM_REG:
	case VU_REM_MEM_REG:
		for (size_t i = 0; i < (m->size - 8) / 32; i++, page += 65536)
			r[i] = (struct vu_region){
				page, 65536, 0x100000 + page, 4096 };
		break;
	}
}

/* What starts queue 0 */
static const uint32_t fuzz_start[] = {
	VU_SET_MEM_TABLE, VU_SET_VRING_NUM, VU_SET_VRING_BASE, VU_SET_VRING_ADDR,
	VU_SET_VRING_CALL, VU_SET_VRING_KICK, VU_SET_VRING_ENABLE,
};
#define FUZZ_NR_START	(sizeof(fuzz_start) / sizeof(*fuzz_start))

/* Make the payload that of a start of queue 0 in the first region. */
static void fuzz_make_start(struct vu_msg *m)
{
	switch (m->request) {
	case VU_SET_MEM_TABLE:
		m->payload.memory.regions[0] = (struct vu_region){
			0, 65536, 0x100000, 0 };
		break;
	case VU_SET_VRING_NUM:
		m->payload.state.num = 64;
		m->payload.state.index = 0;
		break;
	case VU_SET_VRING_ADDR:
		m->payload.addr.index = 0;
		m->payload.addr.desc = 0x100000;
		m->payload.addr.avail = 0x101000;
		m->payload.addr.used = 0x102000;
		break;
	case VU_SET_VRING_ENABLE:
		m->payload.state.index = 0;
		m->payload.state.num = 1;
		break;
	default:
		m->payload.u64 = 0;
	}
}

size_t fuzz_make_input(uint8_t *data, size_t max, uint64_t (*random)(void))
{
	size_t at = 1, start = random() % 2 ? FUZZ_NR_START : 0;

	data[0] = start || random() % 4 ? 7 : random();
	for (size_t i = 0, n = start + random() % 24; i < n; i++) {
		struct vu_msg m;

		vu_msg_init(&m);
		m.request = i < start ? fuzz_start[i] : random() % VU_NR_REQUESTS;
		m.flags = VU_VERSION | (random() % 2 ? VU_FLAG_NEED_REPLY : 0);
		m.size = i < start && m.request == VU_SET_MEM_TABLE ? 40 :
			 fuzz_size(m.request, random);
		fuzz_make_payload(&m, random);
		if (i < start)
			fuzz_make_start(&m);
		if (at + 1 + VU_HEADER_SIZE + m.size > max)
			break;
		data[at++] = m.request == VU_SET_MEM_TABLE ? (m.size - 8) / 32 :
			     m.request == VU_ADD_MEM_REG ? 1 :
			     m.request >= VU_SET_VRING_KICK &&
			     m.request <= VU_SET_VRING_ERR ? FUZZ_ONE_EVENTFD :
			     0;
		vu_msg_write_header(&m, data + at);
		memcpy(data + at + VU_HEADER_SIZE, m.payload.bytes, m.size);
		at += VU_HEADER_SIZE + m.size;
	}
	return at;
}
