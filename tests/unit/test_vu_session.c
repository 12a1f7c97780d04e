// SPDX-License-Identifier: GPL-2.0
/* The protocol: the regular order of messages, and each deviation from it. */
#include "test_vu_front.h"

static void test_features(void)
{
	begin(FROM_NEW);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK_EQ(reply.payload.u64, FAKE_OFFERED | BIT(26) | BIT(30));
	CHECK_EQ(send_none(VU_GET_PROTOCOL_FEATURES), 0);
	CHECK_EQ(reply.payload.u64, PF_ALL);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL | BIT(20)), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, PF_ALL), 0);
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	/* After RESET_OWNER a second SET_OWNER is legal. */
	CHECK_EQ(send_none(VU_SET_OWNER), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(25)), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_FEATURES, BIT(35)), -EINVAL);
	/*
	 * Feature bits that a transport may add are accepted but not passed on.
	 */
	CHECK_EQ(send_u64(VU_SET_FEATURES, BIT(32) | BIT(27) | BIT(40)), 0);
	CHECK_EQ(fake.features, BIT(32));
	CHECK_EQ(send_none(VU_GET_QUEUE_NUM), 0);
	CHECK_EQ(reply.payload.u64, FAKE_QUEUES);
	CHECK_EQ(send_none(VU_GET_MAX_MEM_SLOTS), 0);
	CHECK_EQ(reply.payload.u64, 509);
	end();
}

/* Features that were negotiated before this process took over. */
static void test_accepted(void)
{
	begin(FROM_OWNER);
	fake.base.accepted = BIT(13);
	CHECK_EQ(send_none(VU_GET_FEATURES), 0);
	CHECK(!(reply.payload.u64 & BIT(13)));
	CHECK_EQ(send_u64(VU_SET_FEATURES, BIT(32) | BIT(13) | BIT(14)), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_FEATURES, BIT(32) | BIT(13)), 0);
	CHECK_EQ(fake.features, BIT(32) | BIT(13));
	end();
}

static void test_start_stop(void)
{
	const struct fake_queue *q = &fake.queue[0];

	begin(FROM_MEMORY);
	/* Before the start the session returns the base that was set, or 0. */
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(reply.payload.state.num, 0);

	start_queue(0);
	CHECK(q->running);
	CHECK(q->num == 128 && q->base == 7);
	CHECK_EQ(q->addr.desc_user_addr, session.mem->region[0].addr);
	CHECK_EQ(q->addr.avail_user_addr, session.mem->region[0].addr + PAGE);
	CHECK_EQ(session.mem->region[0].addr -
		 (uintptr_t)session.mem->region[0].map, 0);

	/* A running ring cannot be resized. */
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 64), -EBUSY);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 1), -EBUSY);
	CHECK_EQ(send_addr(0, MEM_USER + PAGE), -EBUSY);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	/* The call and error eventfds may change while the ring runs. */
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 0), 0);
	CHECK_EQ(q->call, session.queue[0].call);
	CHECK_EQ(send_event(VU_SET_VRING_ERR, 0), 0);
	CHECK_EQ(q->err, session.queue[0].err);
	CHECK_EQ(send_u64(VU_SET_VRING_CALL, VU_VRING_NOFD), 0);
	CHECK_EQ(q->call, -1);
	CHECK_EQ(q->starts, 1);

	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(reply.payload.state.num, 12);
	CHECK(!q->running);
	/* The ring is still enabled, so a new kick eventfd starts it again. */
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK(q->running && q->base == 12);
	/* A new kick eventfd stops and starts a running ring. */
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK(q->running && q->base == 17);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(!q->running);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK(q->running && q->base == 22);
	end();
}

/* Without bit 30 a ring is enabled as soon as it starts. */
static void test_enabled_from_start(void)
{
	begin(FROM_OWNER);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES), 0);
	CHECK_EQ(send_table(1), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 1, 128), 0);
	CHECK_EQ(send_addr(1, MEM_USER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 1), 0);
	CHECK(fake.queue[1].running);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 1, 0), -EPROTO);
	end();
}

/* Each row breaks one rule; the session must refuse it. */
static void test_table_rules(void)
{
	static const struct {
		const char	*rule;
		enum from	 from;
		uint32_t	 request;
		uint32_t	 size;
		unsigned int	 nfds;
		int		 ret;
	} rows[] = {
		{ "request 0", FROM_FEATURES, 0, 0, 0, -EOPNOTSUPP },
		{ "size", FROM_PF, VU_SET_LOG_BASE, 8, 1, -EBADMSG },
		{ "fds", FROM_PF, VU_SET_LOG_BASE, 16, 2, -EBADMSG },
		{ "state", FROM_NEW, VU_SET_LOG_BASE, 16, 1, -EPROTO },
		{ "feature", FROM_OWNER, VU_SET_LOG_BASE, 16, 1, -EPROTO },
		{ "feature", FROM_OWNER, VU_SET_LOG_FD, 0, 1, -EPROTO },
		{ "request 35", FROM_FEATURES, 35, 8, 0, -EOPNOTSUPP },
		{ "past the last", FROM_FEATURES, 41, 0, 0, -EOPNOTSUPP },
		{ "far past", FROM_FEATURES, 0xffffffff, 0, 8, -EOPNOTSUPP },
		{ "size", FROM_NEW, VU_GET_FEATURES, 8, 0, -EBADMSG },
		{ "size", FROM_OWNER, VU_SET_FEATURES, 4, 0, -EBADMSG },
		{ "size", FROM_FEATURES, VU_SET_MEM_TABLE, 40, 0, -EBADMSG },
		{ "size", FROM_FEATURES, VU_SET_VRING_ADDR, 32, 0, -EBADMSG },
		{ "size", FROM_FEATURES, VU_SET_VRING_KICK, 4, 1, -EBADMSG },
		{ "size", FROM_FEATURES, VU_ADD_MEM_REG, 32, 1, -EBADMSG },
		{ "size", FROM_PF, VU_GET_CONFIG, 8, 0, -EBADMSG },
		{ "fds", FROM_NEW, VU_GET_FEATURES, 0, 1, -EBADMSG },
		{ "fds", FROM_NEW, VU_SET_OWNER, 0, 8, -EBADMSG },
		{ "fds", FROM_PF, VU_SET_BACKEND_REQ_FD, 0, 2, -EBADMSG },
		{ "fds", FROM_FEATURES, VU_SET_VRING_KICK, 8, 2, -EBADMSG },
		{ "fds", FROM_FEATURES, VU_SET_VRING_CALL, 8, 8, -EBADMSG },
		{ "fds", FROM_FEATURES, VU_SET_VRING_NUM, 8, 1, -EBADMSG },
		{ "fds", FROM_FEATURES, VU_ADD_MEM_REG, 40, 2, -EBADMSG },
		{ "fds", FROM_FEATURES, VU_REM_MEM_REG, 40, 2, -EBADMSG },
		{ "state", FROM_NEW, VU_SET_FEATURES, 8, 0, -EPROTO },
		{ "state", FROM_NEW, VU_SET_VRING_CALL, 8, 1, -EPROTO },
		{ "state", FROM_NEW, VU_GET_VRING_BASE, 8, 0, -EPROTO },
		{ "state", FROM_PF, VU_SET_MEM_TABLE, 8, 0, -EPROTO },
		{ "state", FROM_PF, VU_SET_VRING_NUM, 8, 0, -EPROTO },
		{ "state", FROM_PF, VU_SET_VRING_KICK, 8, 1, -EPROTO },
		{ "state", FROM_NEW, VU_SET_VRING_ENABLE, 8, 0, -EPROTO },
		{ "state", FROM_PF, VU_ADD_MEM_REG, 40, 1, -EPROTO },
		{ "feature", FROM_OWNER, VU_GET_CONFIG, 12, 0, -EPROTO },
		{ "feature", FROM_OWNER, VU_SET_CONFIG, 12, 0, -EPROTO },
		{ "feature", FROM_OWNER, VU_SET_BACKEND_REQ_FD, 0, 1, -EPROTO },
		{ "feature", FROM_OWNER, VU_RESET_DEVICE, 0, 0, -EPROTO },
		{ "feature", FROM_OWNER, VU_GET_MAX_MEM_SLOTS, 0, 0, -EPROTO },
		{ "feature", FROM_OWNER, VU_GET_STATUS, 0, 0, -EPROTO },
		{ "feature", FROM_OWNER, VU_SET_STATUS, 8, 0, -EPROTO },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t payload[VU_MAX_PAYLOAD] = { 0 };
		unsigned int calls;
		int fds[VU_MAX_FDS], ret;

		begin(rows[i].from);
		calls = fake.calls;
		for (unsigned int j = 0; j < rows[i].nfds; j++)
			fds[j] = eventfd(0, EFD_CLOEXEC);
		ret = send_msg(rows[i].request, payload, rows[i].size,
			       rows[i].nfds, fds);
		if (ret != rows[i].ret || fake.calls != calls ||
		    reply.request) {
			printf("# %s of request %u: %d, %s\n", rows[i].rule,
			       rows[i].request, ret,
			       vu_session_error(&session));
			CHECK(false);
		}
		end();
	}
}

/*
 * Does queue 0 wait for its memory? @ret is the result of setting its
 * addresses.
 */
static bool is_parked(int ret)
{
	unsigned int starts = fake.queue[0].starts;

	return !ret && !send_event(VU_SET_VRING_KICK, 0) &&
	       fake.queue[0].starts == starts && !fake.queue[0].running;
}

static void test_ring_rules(void)
{
	struct vu_addr log = { .flags = 2 };
	unsigned int calls;

	begin(FROM_MEMORY);
	calls = fake.calls;
	CHECK_EQ(send_state(VU_SET_VRING_NUM, FAKE_QUEUES, 128), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0xffffffff, 128), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 0), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 100), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 65536), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 65536), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, FAKE_QUEUES, 0), -EINVAL);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, FAKE_QUEUES, 0), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 2), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, FAKE_QUEUES, 1), -EINVAL);
	CHECK_EQ(send_addr(FAKE_QUEUES, MEM_USER), -EINVAL);
	CHECK_EQ(send_msg(VU_SET_VRING_ADDR, &log, 40, 0, NULL), -EINVAL);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, FAKE_QUEUES), -EINVAL);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, 255), -EINVAL);
	CHECK_EQ(send_event(VU_SET_VRING_ERR, 0x200), -EINVAL);
	CHECK_EQ(send_event(VU_SET_VRING_ERR, BIT(32)), -EINVAL);
	/* A message must carry a descriptor if and only if it announces one. */
	CHECK_EQ(send_u64(VU_SET_VRING_KICK, 0), -EBADMSG);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, VU_VRING_NOFD), -EBADMSG);
	CHECK_EQ(send_event(VU_SET_VRING_CALL, VU_VRING_NOFD), -EBADMSG);
	/* A ring without kick eventfd would have to be polled. */
	CHECK_EQ(send_u64(VU_SET_VRING_KICK, VU_VRING_NOFD), -EOPNOTSUPP);
	CHECK_EQ(fake.calls, calls);

	/* A start without a size, without addresses, with wrong addresses. */
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), -ENXIO);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 256), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), -ENXIO);
	CHECK(is_parked(send_addr(0, MEM_USER + 2 * MEM_SIZE)));
	/* The ring crosses the end of the region into the next one. */
	CHECK(is_parked(send_addr(0, MEM_USER + MEM_SIZE - 2048)));
	CHECK(is_parked(send_addr(0, UINT64_MAX)));
	CHECK_EQ(fake.calls, calls);
	end();
}

static int send_areas(uint64_t desc, uint64_t driver, uint64_t device)
{
	struct vu_addr addr = { .desc = desc, .avail = driver, .used = device };

	return send_msg(VU_SET_VRING_ADDR, &addr, sizeof(addr), 0, NULL);
}

/* A packed ring has other sizes, another base and other areas. */
static void test_packed(void)
{
	const uint64_t end_of = MEM_USER + MEM_SIZE;
	const struct fake_queue *q = &fake.queue[0];

	begin(FROM_MEMORY);
	/* Packed rings are not negotiated yet. */
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 100), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0x80058005), -EINVAL);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_OFFERED | BIT(30)), 0);
	CHECK_EQ(fake.features, FAKE_OFFERED);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 0), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 32769), -EINVAL);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 32767), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 100), 0);
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0x80058005), 0);
	/*
	 * Up to the last byte of the region: 16 bytes for each entry, 4 for
	 * each event area.
	 */
	CHECK_EQ(send_areas(end_of - 1600, end_of - 4, end_of - 4), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK(q->running);
	CHECK_EQ(q->num, 100);
	CHECK_EQ(q->base, 0x80058005);
	CHECK_EQ(q->addr.used_user_addr,
		 session.mem->region[0].addr + MEM_SIZE - 4);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(reply.payload.state.num, 0x8005800a);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(q->base, 0x8005800a);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);

	/*
	 * DPDK sends one half of the base: the place of the next entry to take,
	 * with nothing in flight.
	 */
	CHECK_EQ(send_state(VU_SET_VRING_BASE, 0, 0x8000), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK_EQ(q->base, 0x80008000);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);

	/* One entry beyond the end. */
	CHECK(is_parked(send_areas(end_of - 1584, end_of - 4, end_of - 4)));
	CHECK(is_parked(send_areas(end_of - 1600, end_of - 2, end_of - 4)));
	CHECK(is_parked(send_areas(end_of - 1600, end_of - 4, end_of - 2)));
	end();
}

static void test_reply_ack(void)
{
	begin(FROM_MEMORY);
	need_reply = true;
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK(reply.request == VU_SET_VRING_NUM && reply.size == 8);
	CHECK_EQ(reply.payload.u64, 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 3), 0);
	CHECK(reply.request && reply.payload.u64);
	CHECK(*vu_session_error(&session));
	fake.mem_ret = -ENOMEM;
	CHECK_EQ(send_table(1), 0);
	CHECK(reply.request && reply.payload.u64);
	/* Messages that always have a reply get no second one. */
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 1, 0), 0);
	CHECK_EQ(reply.payload.state.index, 1);
	/*
	 * A malformed message ends the connection, whether or not a reply was
	 * asked for.
	 */
	CHECK_EQ(send_msg(VU_SET_VRING_NUM, NULL, 0, 0, NULL), -EBADMSG);
	need_reply = false;
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK_EQ(reply.request, 0);
	end();

	/* REPLY_ACK is not negotiated: the bit in the header means nothing. */
	begin(FROM_OWNER);
	need_reply = true;
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES), 0);
	CHECK_EQ(reply.request, 0);
	end();
}

static void test_config(void)
{
	struct vu_config c = { .size = 60 };

	begin(FROM_PF);
	CHECK_EQ(send_msg(VU_GET_CONFIG, &c, 72, 0, NULL), 0);
	CHECK_EQ(reply.size, 72);
	CHECK_EQ(reply.payload.config.data[59], 0x5a);
	c.offset = 200;
	CHECK_EQ(send_msg(VU_GET_CONFIG, &c, 72, 0, NULL), 0);
	CHECK_EQ(reply.size, 0);
	c.offset = 0xffffffff;
	CHECK_EQ(send_msg(VU_GET_CONFIG, &c, 72, 0, NULL), 0);
	CHECK_EQ(reply.size, 0);
	c = (struct vu_config){ .offset = 255, .size = 1 };
	CHECK_EQ(send_msg(VU_GET_CONFIG, &c, 13, 0, NULL), 0);
	CHECK_EQ(reply.size, 13);
	/*
	 * SPDK's initiator sends a payload of full size and expects a reply of
	 * the same size.
	 */
	CHECK_EQ(send_msg(VU_GET_CONFIG, &c, 268, 0, NULL), 0);
	CHECK(reply.size == 268 && reply.payload.config.size == 1 &&
	      reply.payload.config.data[0] == 0x5a &&
	      !reply.payload.config.data[1]);
	CHECK_EQ(send_msg(VU_SET_CONFIG, &c, 268, 0, NULL), 0);
	CHECK(said("Operation not permitted"));
	fake.config_ret = -EIO;
	CHECK_EQ(send_msg(VU_GET_CONFIG, &c, 13, 0, NULL), 0);
	CHECK_EQ(reply.size, 0);
	/* The device refuses the values; the session goes on. */
	CHECK_EQ(send_msg(VU_SET_CONFIG, &c, 13, 0, NULL), 0);
	CHECK(*vu_session_error(&session));
	need_reply = true;
	CHECK_EQ(send_msg(VU_SET_CONFIG, &c, 13, 0, NULL), 0);
	CHECK_EQ(reply.payload.u64, EPERM);
	c.flags = 2;
	CHECK_EQ(send_msg(VU_SET_CONFIG, &c, 13, 0, NULL), 0);
	CHECK_EQ(reply.payload.u64, EINVAL);
	end();
}

/* The device reports another size. */
static bool resize(void)
{
	bool changed;

	fake.resized = true;
	CHECK_EQ(vu_session_resize(&session, &changed), 0);
	return changed;
}

static void test_resize(void)
{
	int fd = test_channel(), second = test_channel(), other;
	struct vu_msg notice;
	bool changed;

	begin(RUNNING);
	/* Without a channel the notice is kept until there is one. */
	CHECK(resize());
	CHECK(!vu_session_notice(&session, &notice));
	CHECK_EQ(send_none(VU_SET_BACKEND_REQ_FD), -EINVAL);
	other = eventfd(0, EFD_CLOEXEC);
	CHECK_EQ(send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &other), -EINVAL);
	CHECK(said("not a Unix socket"));
	other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_EQ(send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &other), -EINVAL);
	CHECK(session.backend < 0);
	CHECK_EQ(send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &fd), 0);
	CHECK_EQ(session.backend, fd);
	CHECK(vu_session_notice(&session, &notice));
	CHECK(notice.request == VU_BACKEND_CONFIG_CHANGE &&
	      notice.flags == VU_VERSION && !notice.size && !notice.nfds);
	vu_session_noticed(&session, 0);
	CHECK(!vu_session_notice(&session, &notice));
	CHECK_EQ(vu_session_resize(&session, &changed), 0);
	CHECK(!changed && !vu_session_notice(&session, &notice));

	/* A channel that fails is closed; the next channel gets the notice. */
	CHECK(resize() && vu_session_notice(&session, &notice));
	vu_session_noticed(&session, -EPIPE);
	CHECK(session.backend < 0 && test_closed(fd));
	CHECK(!vu_session_notice(&session, &notice));
	CHECK_EQ(send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &second), 0);
	CHECK(vu_session_notice(&session, &notice));
	vu_session_noticed(&session, 0);

	fake.config_ret = -ENOSPC;
	fake.resized = true;
	CHECK_EQ(vu_session_resize(&session, &changed), -ENOSPC);
	CHECK(!vu_session_notice(&session, &notice));
	end();
	CHECK(test_closed(second));

	/* A front end without the config messages gets no notice. */
	begin(FROM_OWNER);
	CHECK_EQ(send_u64(VU_SET_PROTOCOL_FEATURES, BIT(5)), 0);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)), 0);
	CHECK_EQ(send_table(1), 0);
	start_queue(0);
	fd = test_channel();
	CHECK_EQ(send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &fd), 0);
	CHECK(resize());
	CHECK(!vu_session_notice(&session, &notice));
	end();
}

/* While no ring runs the protocol forbids the notice, and QEMU drops it. */
static void test_resize_stopped(void)
{
	int fd = test_channel();
	struct vu_msg notice;

	begin(FROM_MEMORY);
	CHECK_EQ(send_msg(VU_SET_BACKEND_REQ_FD, NULL, 0, 1, &fd), 0);
	CHECK(resize());
	CHECK(!vu_session_notice(&session, &notice));
	start_queue(1);
	CHECK(vu_session_notice(&session, &notice));
	vu_session_noticed(&session, 0);
	/* Between a stop and the next start, and while the ring is parked */
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 1, 0), 0);
	CHECK(resize());
	CHECK(!vu_session_notice(&session, &notice));
	CHECK_EQ(send_table(0), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 1), 0);
	CHECK(!vu_session_notice(&session, &notice));
	CHECK_EQ(send_table(1), 0);
	CHECK(vu_session_notice(&session, &notice));
	end();
}

/* Bit 30 decides whether a ring waits for SET_VRING_ENABLE. */
static void test_features_later(void)
{
	const struct fake_queue *q = &fake.queue[0];

	begin(FROM_MEMORY);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	CHECK(!q->running);
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES), 0);
	CHECK(q->running);
	/* If bit 30 is set again the ring stays enabled. */
	CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)), 0);
	CHECK(q->running && q->starts == 1);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
	CHECK(!q->running);
	end();
}

static void test_reset(void)
{
	static const uint32_t requests[] = {
		VU_RESET_DEVICE, VU_RESET_OWNER, VU_SET_STATUS,
	};

	for (size_t i = 0; i < 3; i++) {
		uint64_t zero = 0;

		begin(RUNNING);
		CHECK_EQ(send_u64(VU_SET_STATUS, 256), -EINVAL);
		CHECK_EQ(send_u64(VU_SET_STATUS, 11), 0);
		CHECK_EQ(send_none(VU_GET_STATUS), 0);
		CHECK_EQ(reply.payload.u64, 11);
		CHECK(fake.queue[0].running);
		CHECK_EQ(send_msg(requests[i], &zero,
				  requests[i] == VU_SET_STATUS ? 8 : 0, 0,
				  NULL), 0);
		CHECK(!fake.queue[0].running);
		CHECK_EQ(send_none(VU_GET_STATUS), 0);
		CHECK_EQ(reply.payload.u64, 0);
		/* As after a stop by QEMU: base and memory are kept. */
		CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 0), 0);
		CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
		CHECK_EQ(reply.payload.state.num, 12);
		CHECK_EQ(fake.regions, 2);
		CHECK_EQ(send_u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)),
			 0);
		start_queue(0);
		CHECK(fake.queue[0].running);
		end();
	}
}

static void test_device_fails(void)
{
	begin(FROM_MEMORY);
	CHECK_EQ(send_state(VU_SET_VRING_ENABLE, 0, 1), 0);
	CHECK_EQ(send_state(VU_SET_VRING_NUM, 0, 128), 0);
	CHECK_EQ(send_addr(0, MEM_USER), 0);
	fake.run_ret = -ENXIO;
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), -ENXIO);
	CHECK(!session.queue[0].running);
	CHECK_EQ(strcmp(vu_session_error(&session), "queue 0: SET_VRING_KICK: "
			"start: No such device or address"), 0);
	fake.run_ret = 0;
	CHECK_EQ(send_event(VU_SET_VRING_KICK, 0), 0);
	/* If the ring does not stop, the session sends no reply. */
	fake.run_ret = -EIO;
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), -EIO);
	CHECK_EQ(reply.request, 0);
	end();

	memset(&fake, 0, sizeof(fake));
	fake.base.ops = &fake_ops;
	fake.open_ret = -ENODEV;
	CHECK_EQ(vu_session_open(&session, &fake.base), -ENODEV);
}

static void test_disconnect(void)
{
	begin(RUNNING);
	for (uint32_t q = 1; q < FAKE_QUEUES; q++)
		start_queue(q);
	CHECK_EQ(send_event(VU_SET_VRING_ERR, 2), 0);
	end();
	for (uint32_t q = 0; q < FAKE_QUEUES; q++)
		CHECK(!fake.queue[q].running);
	/* The next front end starts with a clean state. */
	begin(FROM_FEATURES);
	CHECK_EQ(send_state(VU_GET_VRING_BASE, 0, 0), 0);
	CHECK_EQ(reply.payload.state.num, 0);
	CHECK_EQ(session.mem->n, 0);
	end();
}

static const struct test tests[] = {
	{ "features and protocol features", test_features },
	{ "session: features of a former process", test_accepted },
	{ "start, change, stop, start again", test_start_stop },
	{ "without bit 30: enabled from the start", test_enabled_from_start },
	{ "every rule of the table", test_table_rules },
	{ "ranges of ring messages", test_ring_rules },
	{ "packed rings", test_packed },
	{ "REPLY_ACK", test_reply_ack },
	{ "configuration space", test_config },
	{ "another size is told to those who listen", test_resize },
	{ "another size is kept while no ring runs", test_resize_stopped },
	{ "SET_FEATURES without bit 30 starts what waits", test_features_later },
	{ "RESET_DEVICE, RESET_OWNER, status 0", test_reset },
	{ "failures of the device", test_device_fails },
	{ "a disconnect leaves nothing", test_disconnect },
};

TEST_MAIN(tests)
