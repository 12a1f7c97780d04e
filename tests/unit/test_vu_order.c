// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of each front end, in the order in which it sends them and with
 * its peculiarities. Each front end starts, stops and starts again; ring 0 must
 * run then.
 */
#include "test_vu_front.h"

#define PF(n)		BIT(VU_PROTOCOL_F_##n)
#define FEATURES	(FAKE_FEATURES | BIT(30))

static const struct fake_queue *q = &fake.queue[0];

static void open_session(void)
{
	need_reply = false;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
}

/* Success; if a reply was asked for, it reports success */
static bool good(int ret)
{
	return !ret && !*vu_session_error(&session) &&
	       (!need_reply || (reply.request && !reply.payload.u64));
}

static int get_config(uint32_t offset, uint32_t size, uint32_t flags,
		      uint32_t all)
{
	struct vu_config c = { .offset = offset, .size = size, .flags = flags };

	return send_msg(VU_GET_CONFIG, &c, all, 0, NULL);
}

static int send_channel(void)
{
	int fd = test_channel();

	return send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &fd);
}

static bool stopped_at(uint32_t base)
{
	return !send_state(VU_GET_VRING_BASE, 0, 0) &&
	       reply.request == VU_GET_VRING_BASE &&
	       reply.payload.state.num == base && !q->running;
}

/* QEMU 7.2 to 11. With memory slots it sends one region after the other. */
static void qemu_start(uint32_t base)
{
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	need_reply = true;
	if (!session.mem->n) {
		CHECK(good(send_region(VU_ADD_MEM_REG, region(1), true)));
		CHECK(good(send_region(VU_ADD_MEM_REG, region(0), true)));
	}
	need_reply = false;
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, base), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_none(VU_GET_STATUS), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, reply.payload.u64 | 15), 0);
	CHECK(q->running && q->base == base);
}

static void test_qemu(void)
{
	open_session();
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL), 0);
	CHECK_EQ(send_none(VU_GET_QUEUE_NUM), 0);
	CHECK_EQ(send_none(VU_GET_MAX_MEM_SLOTS), 0);
	CHECK_EQ(send_channel(), 0);
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_ERR, 0), 0);
	CHECK_EQ(get_config(0, 60, 0, 72), 0);
	qemu_start(0);
	/*
	 * A pause of the guest: QEMU 7.2 resets the status before it asks for
	 * the base.
	 */
	CHECK_EQ(send_u64(VU_SET_STATUS, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(stopped_at(5));
	qemu_start(5);
	/* Newer versions ask for the base first. */
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(stopped_at(10));
	CHECK_EQ(send_u64(VU_SET_STATUS, 0), 0);
	qemu_start(10);
	end();
}

/*
 * cloud-hypervisor: wants a reply to each message, sends the ring size first,
 * and gives 0x100 as the offset of the config space.
 */
static void ch_start(uint32_t base)
{
	CHECK(good(send_u64(VU_SET_FEATURES, FEATURES)));
	CHECK(good(send_table(2)));
	CHECK(good(send_state(VU_SET_VRING_NUM, 0, 128)));
	CHECK(good(send_state(VU_SET_VRING_NUM, 1, 128)));
	CHECK(good(send_addr(0, MEM_USER)));
	CHECK(good(send_state(VU_SET_VRING_BASE, 0, base)));
	CHECK(good(send_event(VU_SET_VRING_CALL, 0)));
	CHECK(good(send_event(VU_SET_VRING_KICK, 0)));
	CHECK(!q->running);
	CHECK(good(send_state(VU_SET_VRING_ENABLE, 0, 1)));
	CHECK(q->running && q->base == base);
	CHECK(good(send_state(VU_SET_VRING_ENABLE, 1, 1)));
}

static void test_cloud_hypervisor(void)
{
	open_session();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES,
			  PF(CONFIG) | PF(MQ) | PF(CONFIGURE_MEM_SLOTS) |
			  PF(REPLY_ACK)), 0);
	need_reply = true;
	CHECK_EQ(send_none(VU_GET_QUEUE_NUM), 0);
	CHECK_EQ(reply.payload.u64, FAKE_QUEUES);
	CHECK_EQ(get_config(0x100, 60, 1, 72), 0);
	CHECK(reply.size == 72 && reply.payload.config.offset == 0x100 &&
	      reply.payload.config.size == 60 &&
	      reply.payload.config.data[0] == 0x5a);
	ch_start(0);
	/* A pause of the guest */
	CHECK(good(send_state(VU_SET_VRING_ENABLE, 0, 0)));
	CHECK(!q->running);
	CHECK(good(send_state(VU_SET_VRING_ENABLE, 0, 1)));
	CHECK(q->running && q->base == 5);
	/* A reset of the device only disables the rings. */
	CHECK(good(send_state(VU_SET_VRING_ENABLE, 0, 0)));
	CHECK(good(send_state(VU_SET_VRING_ENABLE, 1, 0)));
	ch_start(0);
	CHECK(good(send_region(VU_ADD_MEM_REG, region(2), true)));
	/* When the VMM restores a guest it sends SET_OWNER again. */
	CHECK(good(send_none(VU_SET_OWNER)));
	end();
}

/*
 * SPDK's initiator: features before protocol features, a config payload of full
 * size, and rings enabled before anything else of them is set.
 */
static void spdk_start(void)
{
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF(MQ) | PF(CONFIG)), 0);
	CHECK_EQ(get_config(0, 256, 0, 268), 0);
	CHECK_EQ(reply.size, 268);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_none(VU_GET_QUEUE_NUM), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_table(2), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK(q->running && !q->base);
}

static void test_spdk(void)
{
	struct vu_config wce = { .offset = 32, .size = 1 };

	open_session();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	spdk_start();
	/* The fake device refuses the new config; the session goes on. */
	CHECK_EQ(send_msg(VU_SET_CONFIG, &wce, 268, 0, NULL), 0);
	CHECK(stopped_at(5));
	CHECK_EQ(send_table(1), 0);
	spdk_start();
	end();
}

/*
 * crosvm: some features early, those of the guest later, the back-end channel
 * in between.
 */
static void crosvm_start(void)
{
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(send_table(2), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 256), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK(q->running && !q->base && q->num == 256);
}

static void test_crosvm(void)
{
	open_session();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, BIT(30) | BIT(32)), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES,
			  PF(CONFIG) | PF(MQ) | PF(BACKEND_REQ)), 0);
	CHECK_EQ(send_channel(), 0);
	CHECK_EQ(get_config(0, 60, 1, 72), 0);
	crosvm_start();
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(stopped_at(5));
	crosvm_start();
	end();
}

/* DPDK's virtio-user: eventfds before features, status messages, no replies. */
static void dpdk_start(void)
{
	CHECK_EQ(send_u64(VU_SET_STATUS, 0), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, 1), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, 3), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, 11), 0);
	CHECK_EQ(send_none(VU_GET_STATUS), 0);
	CHECK_EQ(reply.payload.u64, 11);
	CHECK_EQ(send_table(2), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 256), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, 15), 0);
	CHECK(q->running);
}

static void test_dpdk(void)
{
	open_session();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES,
			  PF(MQ) | PF(REPLY_ACK) | PF(STATUS)), 0);
	dpdk_start();
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(stopped_at(5));
	dpdk_start();
	end();
}

/* Before the start each message may be sent twice and in any order. */
static void test_any_order(void)
{
	begin(FROM_FEATURES);
	CHECK_EQ(send_event(VU_SET_VRING_ERR, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_addr(0, MEM_USER + PAGE), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 3), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 64), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL), 0);
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK(!q->running);
	CHECK_EQ(send_table(1), 0);
	CHECK(q->running && q->starts == 1 && q->num == 64 && q->base == 3);
	/* Messages that are repeated while the ring runs */
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FEATURES), 0);
	CHECK_EQ(q->starts, 1);
	CHECK(stopped_at(8));
	CHECK(stopped_at(8));
	end();
}

static const struct test tests[] = {
	{ "as QEMU does it", test_qemu },
	{ "as cloud-hypervisor does it", test_cloud_hypervisor },
	{ "as SPDK's initiator does it", test_spdk },
	{ "as crosvm does it", test_crosvm },
	{ "as DPDK's virtio-user does it", test_dpdk },
	{ "twice, early, late", test_any_order },
};

TEST_MAIN(tests)
