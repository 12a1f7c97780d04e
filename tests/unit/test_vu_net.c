// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions of network cards: where they differ from disks, and the messages
 * that each front end sends, in its order. The fake device is a card with two
 * pairs.
 */
#include "test_vu_front.h"

#include <linux/virtio_net.h>

#define PF(n)		BIT(VU_PROTOCOL_F_##n)
#define F(n)		BIT(VIRTIO_NET_F_##n)

#define PAIRS		(FAKE_QUEUES / 2)
#define OFFERED		(BIT(32) | BIT(34) | BIT(29) | BIT(28) | F(CSUM) | F(MQ) | \
			 F(GUEST_CSUM) | F(GUEST_TSO4) | F(HOST_TSO4) | \
			 F(MRG_RXBUF) | F(GUEST_ANNOUNCE))
/* Features that the guest negotiates, without packed rings */
#define TAKEN		(OFFERED & ~BIT(34))
/* Features that the VMM implements itself, MTU, and bits of the transport */
#define OF_VMM		(F(CTRL_GUEST_OFFLOADS) | F(MTU) | F(MAC) | F(STATUS) | \
			 F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_VLAN) | \
			 F(CTRL_RX_EXTRA) | F(CTRL_MAC_ADDR) | F(STANDBY) | \
			 F(SPEED_DUPLEX) | BIT(27) | BIT(40))
#define PF_NET		(PF(MQ) | PF(REPLY_ACK) | PF(RESET_DEVICE) | \
			 PF(CONFIGURE_MEM_SLOTS) | PF(STATUS) | PF(RARP) | \
			 PF(NET_MTU) | PF(LOG_SHMFD))

static const uint8_t mac[VU_MAC_LEN] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static struct vu_device_ops few_ops;

static void open_card(void)
{
	need_reply = false;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	fake.base.type = VU_DEVICE_NET;
	fake.offered = OFFERED;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
}

static void own_card(void)
{
	open_card();
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_NET), 0);
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
}

static bool answers(uint32_t request, uint64_t value)
{
	return !send_none(request) && reply.request == request &&
	       reply.payload.u64 == value;
}

/* The reply that was asked for reports success */
static bool good(int ret)
{
	return !ret && !*vu_session_error(&session) &&
	       reply.request && !reply.payload.u64;
}

static void wire(uint32_t i, uint32_t base)
{
	CHECK_EQ(send_state(VU_SET_VRING_NUM, i, 128), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, i, base), 0);
	CHECK_EQ(send_addr(i, MEM_USER + i * 3 * PAGE), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, i), 0);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, i), 0);
}

static bool runs(unsigned int pair)
{
	return fake.queue[2 * pair].running && fake.queue[2 * pair + 1].running;
}

static bool stands(unsigned int pair)
{
	return !fake.queue[2 * pair].running &&
	       !fake.queue[2 * pair + 1].running;
}

static void enable(unsigned int pair, bool on)
{
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 2 * pair, on), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 2 * pair + 1, on), 0);
}

static bool stopped_at(uint32_t i, uint32_t base)
{
	return !send_state(VU_GET_VRING_BASE, i, 0) &&
	       reply.request == VU_GET_VRING_BASE &&
	       reply.payload.state.num == base && !fake.queue[i].running;
}

static void test_offers(void)
{
	open_card();
	CHECK(answers(VU_GET_FEATURES, OFFERED | BIT(26) | BIT(30)));
	CHECK(answers(VU_GET_PROTOCOL_FEATURES, PF_NET));
	CHECK(answers(VU_GET_QUEUE_NUM, PAIRS));
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF(CONFIG)), -EINVAL);
	end();
	/* A device without set_mtu and send_rarp */
	few_ops = fake_ops;
	few_ops.set_mtu = NULL;
	few_ops.send_rarp = NULL;
	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &few_ops;
	fake.base.type = VU_DEVICE_NET;
	CHECK_EQ(vu_session_open(&session, &fake.base), 0);
	CHECK(answers(VU_GET_PROTOCOL_FEATURES,
		      PF_NET & ~(PF(RARP) | PF(NET_MTU))));
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF(RARP)), -EINVAL);
	end();
	/* A disk offers neither MTU nor RARP */
	begin(FROM_NEW);
	CHECK(answers(VU_GET_PROTOCOL_FEATURES, PF_ALL));
	CHECK(answers(VU_GET_QUEUE_NUM, FAKE_QUEUES));
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF(NET_MTU)), -EINVAL);
	end();
}

/* Features that the VMM implements are not passed on to the device. */
static void test_features(void)
{
	own_card();
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | OF_VMM | BIT(30)), 0);
	CHECK_EQ(fake.features, TAKEN);
	end();
	/* GUEST_ANNOUNCE is not passed on if the device does not offer it. */
	own_card();
	session.device_features &= ~F(GUEST_ANNOUNCE);
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(30)), 0);
	CHECK_EQ(fake.features, TAKEN & ~F(GUEST_ANNOUNCE));
	end();
	/* Features that the device would have to implement are refused */
	own_card();
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(57)), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | F(HOST_UFO)), -EINVAL);
	CHECK_EQ(fake.features, 0);
	end();
	/* For a disk these bits are other features. */
	begin(FROM_OWNER);
	CHECK_EQ(send_u64(VU_SET_FEATURES, BIT(32) | F(MAC)), -EINVAL);
	end();
}

/* QEMU sends the same features once for each pair. */
static void test_repeated_features(void)
{
	unsigned int calls;

	own_card();
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(30)), 0);
	CHECK_EQ(send_table(1), 0);
	enable(0, true);
	wire(0, 0);
	wire(1, 0);
	CHECK(runs(0));
	calls = fake.calls;
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | F(MAC) | BIT(30)), 0);
	CHECK_EQ(fake.calls, calls);
	CHECK(runs(0) && fake.queue[0].starts == 1);
	end();
}

static void test_early_enable(void)
{
	own_card();
	enable(0, true);
	enable(1, false);
	CHECK_EQ(fake.calls, 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(30)), 0);
	CHECK_EQ(send_table(1), 0);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		wire(i, 0);
	CHECK(runs(0) && stands(1));
	enable(1, true);
	CHECK(runs(1));
	end();
	/* The index and value are still checked. */
	own_card();
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, FAKE_QUEUES, 1), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 2), -EINVAL);
	end();
	/* The same with a disk */
	begin(FROM_PF);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)), 0);
	CHECK_EQ(send_table(1), 0);
	wire(0, 0);
	CHECK(fake.queue[0].running);
	end();
	/* Without bit 30 the message ENABLE does nothing. */
	own_card();
	enable(0, false);
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN), 0);
	CHECK_EQ(send_table(1), 0);
	wire(0, 0);
	CHECK(fake.queue[0].running);
	end();
}

/*
 * A ring that was started and then disabled serves nothing; it resumes where it
 * stopped.
 */
static void test_disabled(void)
{
	own_card();
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(30)), 0);
	CHECK_EQ(send_table(1), 0);
	enable(0, true);
	wire(0, 0);
	wire(1, 0);
	CHECK(runs(0));
	enable(0, false);
	CHECK(stands(0));
	enable(0, true);
	CHECK(runs(0) && fake.queue[0].base == 5 && fake.queue[1].base == 5);
	/* The ring is disabled before it is stopped */
	enable(0, false);
	CHECK(stopped_at(0, 10));
	CHECK(stopped_at(1, 10));
	/* Only one ring of the pair is enabled */
	wire(0, 10);
	wire(1, 10);
	CHECK(stands(0));
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 1, 1), 0);
	CHECK(!fake.queue[0].running && fake.queue[1].running);
	end();
}

static void test_mtu(void)
{
	unsigned int calls;

	own_card();
	CHECK_EQ(send_u64(VU_NET_SET_MTU, 1500), 0);
	CHECK_EQ(fake.mtu, 1500);
	need_reply = true;
	CHECK(good(send_u64(VU_NET_SET_MTU, 68)));
	CHECK(good(send_u64(VU_NET_SET_MTU, 65535)));
	CHECK_EQ(fake.mtu, 65535);
	/*
	 * After this error a front end may refuse to start its card, or go on.
	 */
	fake.net_ret = -EINVAL;
	CHECK_EQ(send_u64(VU_NET_SET_MTU, 9000), 0);
	CHECK_EQ(reply.payload.u64, EINVAL);
	CHECK(said("NET_SET_MTU: an MTU of 9000"));
	need_reply = false;
	CHECK_EQ(send_u64(VU_NET_SET_MTU, 9000), 0);
	CHECK(said("9000"));
	calls = fake.calls;
	CHECK_EQ(send_u64(VU_NET_SET_MTU, 67), 0);
	CHECK(said("67"));
	CHECK_EQ(send_u64(VU_NET_SET_MTU, 65536), 0);
	CHECK(said("65536"));
	CHECK_EQ(fake.calls, calls);
	end();
	open_card();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_u64(VU_NET_SET_MTU, 1500), -EPROTO);
	end();
}

static void test_rarp(void)
{
	uint64_t value = 0;

	memcpy(&value, mac, sizeof(mac));
	own_card();
	CHECK_EQ(send_u64(VU_SEND_RARP, value), 0);
	CHECK(fake.rarps == 1 && !memcmp(fake.mac, mac, sizeof(mac)));
	need_reply = true;
	CHECK(good(send_u64(VU_SEND_RARP, value)));
	fake.net_ret = -EIO;
	CHECK_EQ(send_u64(VU_SEND_RARP, value), 0);
	CHECK_EQ(reply.payload.u64, EIO);
	need_reply = false;
	CHECK_EQ(send_u64(VU_SEND_RARP, value), 0);
	CHECK(said("SEND_RARP"));
	end();
	open_card();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_u64(VU_SEND_RARP, value), -EPROTO);
	CHECK_EQ(fake.rarps, 0);
	end();
}

/*
 * Receive buffers in the ring are no sign of a problem while no frame arrives.
 */
static void test_watch(void)
{
	own_card();
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(30)), 0);
	CHECK_EQ(send_table(1), 0);
	enable(0, true);
	wire(0, 0);
	wire(1, 0);
	fake.queue[0].kicks = 3;
	CHECK(vu_session_watch(&session));
	CHECK(vu_session_watch(&session));
	CHECK(!*vu_session_error(&session));
	/* Frames to send must be served. */
	fake.queue[1].kicks = 1;
	CHECK(vu_session_watch(&session));
	CHECK(!vu_session_watch(&session));
	CHECK(said("queue 1: the guest kicks"));
	fake.queue[1].requests = 1;
	CHECK(!vu_session_watch(&session));
	CHECK(!*vu_session_error(&session));
	end();
}

/* QEMU 7.2 sends the memory regions once for each pair. */
static void test_repeated_memory(void)
{
	unsigned int calls;

	own_card();
	CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | BIT(30)), 0);
	need_reply = true;
	CHECK(good(send_region(VU_ADD_MEM_REG, region(0), true)));
	enable(0, true);
	need_reply = false;
	wire(0, 0);
	wire(1, 0);
	CHECK(runs(0));
	need_reply = true;
	calls = fake.calls;
	CHECK(good(send_region(VU_ADD_MEM_REG, region(0), true)));
	CHECK(fake.calls == calls && session.mem->n == 1 && runs(0));
	CHECK(good(send_region(VU_ADD_MEM_REG, region(1), true)));
	CHECK(good(send_region(VU_ADD_MEM_REG, region(1), true)));
	CHECK(good(send_region(VU_REM_MEM_REG, region(1), false)));
	CHECK_EQ(session.mem->n, 1);
	calls = fake.calls;
	CHECK(good(send_region(VU_REM_MEM_REG, region(1), false)));
	CHECK(fake.calls == calls && runs(0));
	/* Another region at the same place is still an error. */
	CHECK_EQ(send_region(VU_ADD_MEM_REG, (struct vu_region){
			.size = MEM_SIZE / 2, .user_addr = MEM_USER }, true), 0);
	CHECK_EQ(reply.payload.u64, EEXIST);
	end();
	/* For a disk the same region twice is an error. */
	begin(FROM_MEMORY);
	need_reply = true;
	CHECK_EQ(send_region(VU_REM_MEM_REG, region(5), false), 0);
	CHECK_EQ(reply.payload.u64, ENOENT);
	CHECK_EQ(send_region(VU_ADD_MEM_REG, region(0), true), 0);
	CHECK_EQ(reply.payload.u64, EEXIST);
	end();
}

/*
 * The messages by which QEMU 7.2 to 10 start a card: pair by pair, with the
 * features each time
 */
static void qemu_start(uint32_t base)
{
	CHECK_EQ(send_none(VU_RESET_DEVICE), 0);
	/* The guest's driver starts with one pair, then enables the second. */
	need_reply = true;
	enable(0, true);
	enable(1, false);
	enable(1, true);
	need_reply = false;
	for (unsigned int pair = 0; pair < PAIRS; pair++) {
		CHECK_EQ(send_u64(VU_SET_FEATURES, TAKEN | F(MTU) | BIT(30)), 0);
		if (!session.mem->n) {
			need_reply = true;
			CHECK(good(send_region(VU_ADD_MEM_REG, region(0), true)));
			need_reply = false;
		}
		wire(2 * pair, base);
		wire(2 * pair + 1, base);
	}
	CHECK(answers(VU_GET_STATUS, 0));
	CHECK_EQ(send_u64(VU_SET_STATUS, 15), 0);
	need_reply = true;
	enable(0, true);
	enable(1, true);
	need_reply = false;
	CHECK(runs(0) && runs(1));
}

static void test_qemu(void)
{
	open_card();
	for (unsigned int pair = 0; pair < PAIRS; pair++) {
		CHECK_EQ(send_none(VU_GET_FEATURES), 0);
		CHECK(answers(VU_GET_PROTOCOL_FEATURES, PF_NET));
		CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_NET), 0);
		if (!pair)
			CHECK(answers(VU_GET_QUEUE_NUM, PAIRS));
		CHECK_EQ(send_none(VU_GET_MAX_MEM_SLOTS), 0);
		if (!pair)
			CHECK_EQ(send_none(VU_SET_OWNER), 0);
		for (unsigned int i = 0; i < 2; i++) {
			CHECK_EQ(send_event(VU_SET_VRING_CALL, 2 * pair + i), 0);
			CHECK_EQ(send_event(VU_SET_VRING_ERR, 2 * pair + i), 0);
		}
	}
	qemu_start(0);
	/*
	 * A pause of the guest: QEMU 10 gets the bases first, QEMU 7.2 sends
	 * the status first.
	 */
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		CHECK(stopped_at(i, 5));
	CHECK_EQ(send_u64(VU_SET_STATUS, 0), 0);
	qemu_start(5);
	CHECK(stopped_at(0, 10) && stopped_at(1, 10));
	CHECK_EQ(send_u64(VU_SET_STATUS, 0), 0);
	CHECK(stopped_at(2, 10) && stopped_at(3, 10));
	qemu_start(10);
	/* The guest's driver uses one pair again. */
	enable(1, false);
	CHECK(runs(0) && stands(1));
	end();
}

/*
 * cloud-hypervisor: all rings at once, with the VMM's own features, and a reply
 * to each message
 */
static void test_cloud_hypervisor(void)
{
	open_card();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES,
			  PF(MQ) | PF(CONFIGURE_MEM_SLOTS) | PF(REPLY_ACK)), 0);
	CHECK(answers(VU_GET_QUEUE_NUM, PAIRS));
	need_reply = true;
	CHECK(good(send_u64(VU_SET_FEATURES, TAKEN | OF_VMM | BIT(30))));
	CHECK_EQ(fake.features, TAKEN);
	CHECK(good(send_table(2)));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(good(send_state(VU_SET_VRING_NUM, i, 256)));
		CHECK(good(send_addr(i, MEM_USER + i * 3 * PAGE)));
		CHECK(good(send_state(VU_SET_VRING_BASE, i, 0)));
		CHECK(good(send_event(VU_SET_VRING_CALL, i)));
		CHECK(good(send_event(VU_SET_VRING_KICK, i)));
	}
	enable(0, true);
	CHECK(runs(0));
	/* A reset of the device only disables the rings. */
	enable(0, false);
	CHECK(stands(0));
	end();
}

/*
 * DPDK's virtio-user: status first, eventfds before features, then ring by ring
 */
static void test_dpdk(void)
{
	open_card();
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES,
			  PF(MQ) | PF(REPLY_ACK) | PF(STATUS)), 0);
	CHECK(answers(VU_GET_QUEUE_NUM, PAIRS));
	CHECK_EQ(send_u64(VU_SET_STATUS, 0), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, 1), 0);
	CHECK_EQ(send_u64(VU_SET_STATUS, 3), 0);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		CHECK_EQ(send_event(VU_SET_VRING_CALL, i), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, OFFERED | BIT(30)), 0);
	CHECK_EQ(fake.features, OFFERED);
	CHECK_EQ(send_u64(VU_SET_STATUS, 11), 0);
	CHECK_EQ(send_table(2), 0);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		wire(i, 0x80008000u);
	enable(0, true);
	enable(1, false);
	CHECK(runs(0) && stands(1));
	CHECK_EQ(send_u64(VU_SET_STATUS, 15), 0);
	enable(0, false);
	CHECK(stopped_at(0, 0x80008005u));
	end();
}

static const struct test tests[] = {
	{ "what is offered", test_offers },
	{ "features of the VMM's own", test_features },
	{ "features once more, for the next pair", test_repeated_features },
	{ "SET_VRING_ENABLE before the features", test_early_enable },
	{ "started and disabled", test_disabled },
	{ "NET_SET_MTU", test_mtu },
	{ "SEND_RARP", test_rarp },
	{ "guest memory that cannot be seen", test_watch },
	{ "guest memory once more, for the next pair", test_repeated_memory },
	{ "as QEMU does it", test_qemu },
	{ "as cloud-hypervisor does it", test_cloud_hypervisor },
	{ "as DPDK's virtio-user does it", test_dpdk },
};

TEST_MAIN(tests)
