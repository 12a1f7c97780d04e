// SPDX-License-Identifier: GPL-2.0
/* The codec: headers, payload sizes, replies. */
#include <errno.h>
#include <string.h>

#include "msg.h"
#include "test_vu.h"

static int read_header(struct vu_msg *m, uint32_t request, uint32_t flags,
		       uint32_t size)
{
	uint32_t word[3] = { request, flags, size };

	vu_msg_init(m);
	return vu_msg_read_header(m, word);
}

static void test_header(void)
{
	uint8_t buf[VU_HEADER_SIZE];
	struct vu_msg m;

	CHECK_EQ(read_header(&m, 1, 1, 0), 0);
	CHECK_EQ(read_header(&m, 1, 1 | VU_FLAG_NEED_REPLY, 8), 0);
	CHECK_EQ(m.request, 1);
	CHECK_EQ(m.size, 8);
	/*
	 * An unknown request has a valid header; the request table refuses it.
	 */
	CHECK_EQ(read_header(&m, 0xffffffff, 1, VU_MAX_PAYLOAD), 0);

	CHECK_EQ(read_header(&m, 1, 0, 0), -EPROTO);
	CHECK_EQ(read_header(&m, 1, 2, 0), -EPROTO);
	CHECK_EQ(read_header(&m, 1, 3, 0), -EPROTO);
	CHECK_EQ(read_header(&m, 1, 1 | VU_FLAG_REPLY, 0), -EPROTO);
	CHECK_EQ(read_header(&m, 1, 1, VU_MAX_PAYLOAD + 1), -EMSGSIZE);
	CHECK_EQ(read_header(&m, 1, 1, 0xffffffff), -EMSGSIZE);

	CHECK_EQ(read_header(&m, 7, 9, 40), 0);
	vu_msg_write_header(&m, buf);
	CHECK_EQ(memcmp(buf, (uint32_t[]){ 7, 9, 40 }, sizeof(buf)), 0);
}

static void test_fixed_sizes(void)
{
	static const struct {
		enum vu_payload kind;
		uint32_t	size;
	} rows[] = {
		{ VU_PAYLOAD_NONE, 0 },	   { VU_PAYLOAD_U64, 8 },
		{ VU_PAYLOAD_STATE, 8 },   { VU_PAYLOAD_ADDR, 40 },
		{ VU_PAYLOAD_MEM_REG, 40 },
	};
	struct vu_msg m;

	vu_msg_init(&m);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (m.size = 0; m.size <= VU_MAX_PAYLOAD; m.size++)
			CHECK_EQ(vu_msg_check(&m, rows[i].kind),
				 m.size == rows[i].size ? 0 : -EBADMSG);
}

static void test_memory_size(void)
{
	struct vu_msg m;

	vu_msg_init(&m);
	for (uint32_t n = 0; n <= VU_MAX_TABLE; n++) {
		m.payload.memory.nregions = n;
		for (m.size = 0; m.size <= VU_MAX_PAYLOAD; m.size++)
			CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_MEMORY),
				 m.size == 8 + 32 * n ? 0 : -EBADMSG);
	}
	m.payload.memory.nregions = VU_MAX_TABLE + 1;
	m.size = 8 + 32 * (VU_MAX_TABLE + 1);
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_MEMORY), -EBADMSG);
	/* 32 * nregions wraps to 0 in 32-bit arithmetic. */
	m.payload.memory.nregions = 0x08000000;
	m.size = 8;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_MEMORY), -EBADMSG);
}

static void test_config_size(void)
{
	struct vu_msg m;

	vu_msg_init(&m);
	m.payload.config.size = 60;
	m.size = 72;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), 0);
	m.size = 71;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), -EBADMSG);
	/*
	 * A payload may be longer than the data, up to the size of the largest
	 * config space.
	 */
	m.size = 73;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), 0);
	m.size = 268;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), 0);
	m.size = 269;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), -EBADMSG);
	m.size = 8;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), -EBADMSG);
	m.payload.config.size = 256;
	m.size = 268;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), 0);
	m.payload.config.size = 257;
	m.size = 269;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), -EBADMSG);
	m.payload.config.size = 0xfffffffc;	/* adding 12 wraps to 8 */
	m.size = 8;
	CHECK_EQ(vu_msg_check(&m, VU_PAYLOAD_CONFIG), -EBADMSG);
}

static void test_replies(void)
{
	uint8_t data[VU_MAX_CONFIG + 1] = { 1, 2, 3 };
	struct vu_msg m, r;

	vu_msg_init(&m);
	m.request = VU_GET_CONFIG;
	m.flags = VU_VERSION | VU_FLAG_NEED_REPLY;
	m.payload.config.offset = 4;
	m.payload.config.size = 3;
	m.payload.config.flags = 1;

	vu_msg_reply_u64(&r, &m, 0x123456789aULL);
	CHECK_EQ(r.request, VU_GET_CONFIG);
	CHECK_EQ(r.flags, 5);
	CHECK_EQ(r.size, 8);
	CHECK_EQ(r.payload.u64, 0x123456789aLL);
	CHECK_EQ(r.nfds, 0);

	vu_msg_reply_state(&r, &m, 2, 99);
	CHECK_EQ(r.size, 8);
	CHECK(r.payload.state.index == 2 && r.payload.state.num == 99);

	vu_msg_reply_config(&r, &m, data, 3);
	CHECK_EQ(r.size, 15);
	CHECK(r.payload.config.offset == 4 && r.payload.config.size == 3);
	CHECK_EQ(memcmp(r.payload.config.data, data, 3), 0);
	m.size = 268;
	vu_msg_reply_config(&r, &m, data, 3);
	CHECK_EQ(r.size, 268);
	/* The reply must not contain bytes of an earlier message. */
	CHECK_EQ(r.payload.config.data[3], 0);

	vu_msg_reply_config(&r, &m, data, 0);
	CHECK_EQ(r.size, 0);
	vu_msg_reply_config(&r, &m, data, VU_MAX_CONFIG + 1);
	CHECK_EQ(r.size, 0);
}

static void test_names(void)
{
	CHECK_EQ(strcmp(vu_msg_name(VU_SET_VRING_KICK), "SET_VRING_KICK"), 0);
	CHECK(!vu_msg_name(0));
	CHECK(!vu_msg_name(VU_NR_REQUESTS));
	CHECK(!vu_msg_name(0xffffffff));
}

static const struct test tests[] = {
	{ "header: version, reply flag, size", test_header },
	{ "payload: kinds of one size", test_fixed_sizes },
	{ "payload: memory table", test_memory_size },
	{ "payload: config space", test_config_size },
	{ "replies", test_replies },
	{ "names of requests", test_names },
};

TEST_MAIN(tests)
