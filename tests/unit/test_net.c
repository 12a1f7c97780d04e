// SPDX-License-Identifier: GPL-2.0
/* backend_net.c: cards and their ports, and how a receiving queue starts. */
#include <linux/seq_file.h>

#include "net_rx.h"
#include "order.h"

/* --- cards without a port, ports, config space --- */

static void test_no_port(void)
{
	net_init(RX_NUM, false, false);
	net_start(MRG);
	next_desc = next_buf = 0;
	post(1000);
	CHECK_EQ(net_pass(true), BELL_PASS_DONE);
	CHECK(!be->ops->exec.pending(&exec));
	CHECK_EQ(used(), 0);
	net_end();
}

static u32 settled;

static void settle(struct bell_port *of)
{
	CHECK(of == &port.port);
	settled++;
}

/*
 * A pause waits for deliveries of the port in the receiving queue, if the port delivers on
 * its own.
 */
static void test_settle(void)
{
	struct bell_port_ops ops = fake_ops;

	ops.settle = settle;
	for (u32 sends = 0; sends < 2; sends++) {
		net_init(RX_NUM, false, sends);
		settled = 0;
		CHECK_EQ(net_set_port(PORT_FD), 0);
		net_start(MRG);
		be->ops->exec.settle(&exec);
		CHECK_EQ(settled, 0);
		port.port.ops = &ops;
		be->ops->exec.settle(&exec);
		CHECK_EQ(settled, !sends);
		net_end();
		net_init(RX_NUM, false, sends);
		net_start(MRG);
		be->ops->exec.settle(&exec);
		CHECK_EQ(settled, !sends);
		net_end();
	}
}

static void test_start_fails(void)
{
	net_init(RX_NUM, false, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	ring_start(r);
	for (u32 nth = 1; nth < 3; nth++) {
		world.fail_alloc = nth;
		CHECK_EQ(be->ops->start_queue(be, &exec, MRG), -ENOMEM);
		CHECK_EQ(port.starts, 0);
	}
	world.fail_alloc = 0;
	port.start_ret = -EBUSY;
	CHECK_EQ(be->ops->start_queue(be, &exec, MRG), -EBUSY);
	port.start_ret = 0;
	/* A queue that failed to start does not keep the port busy. */
	CHECK_EQ(net_set_port(-1), 0);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	CHECK_EQ(be->ops->start_queue(be, &exec, MRG), 0);
	CHECK(exec.auto_inline);
	net_end();
}

static void test_set_port(void)
{
	struct vhost_doorbell_net_port cfg = { .pair = 2, .fd = PORT_FD };

	net_init(RX_NUM, false, false);
	CHECK_EQ(net_set_port_of(&cfg), -ENOBUFS);
	cfg.pair = -1U;
	CHECK_EQ(net_set_port_of(&cfg), -ENOBUFS);
	CHECK_EQ(net_set_port(-1), 0);
	CHECK_EQ(net_set_port(3), -EBADF);
	/* The owner's number of a pair is clamped before it is an index. */
	order_start();
	CHECK_EQ(net_set_port(PORT_FD), 0);
	CHECK(ORDER({ SHIM_NOSPEC }));
	/*
	 * A port that cannot be opened leaves the old one in place; a good one
	 * replaces it.
	 */
	CHECK_EQ(net_set_port(-2), -EBADF);
	CHECK_EQ(port.closes, 0);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	CHECK_EQ(port.opens, 2);
	CHECK_EQ(port.closes, 1);
	net_start(MRG);
	CHECK_EQ(net_set_port(PORT_FD), -EBUSY);
	CHECK_EQ(net_set_port(-1), -EBUSY);
	/* The queues of the other pair do not run, so its port may change. */
	cfg.pair = 0;
	cfg.fd = -1;
	CHECK_EQ(net_set_port_of(&cfg), 0);
	net_end();
}

/* With a network device of its own, a card has that port for all pairs. */
static void test_set_dev(void)
{
	struct vhost_doorbell_net_dev cfg = { .name = "net%d" };
	struct vhost_doorbell_net_port none = { .pair = 0, .fd = -1 };

	net_init(RX_NUM, false, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	CHECK_EQ(bell_backend_net_set_dev(be, &cfg), -EBUSY);
	CHECK_EQ(net_set_port(-1), 0);
	port.start_ret = -EEXIST;
	CHECK_EQ(bell_backend_net_set_dev(be, &cfg), -EEXIST);
	port.start_ret = 0;
	net_start(MRG);
	CHECK_EQ(bell_backend_net_set_dev(be, &cfg), -EBUSY);
	be->ops->stop_queue(be, &exec);
	CHECK_EQ(bell_backend_net_set_dev(be, &cfg), 0);
	CHECK_EQ(bell_backend_net_set_dev(be, &cfg), -EBUSY);
	CHECK_EQ(port.opens - port.closes, 2);
	CHECK_EQ(net_set_port_of(&none), 0);
	CHECK_EQ(port.opens - port.closes, 1);
	CHECK_EQ(be->ops->start_queue(be, &exec, MRG), 0);
	net_end();
}

/* Text that fdinfo shows: a line for each pair */
static void test_show(void)
{
	static struct seq_file m;
	char line[32];

	for (u32 pairs = 1; pairs <= VHOST_DOORBELL_MAX_PAIRS; pairs++) {
		struct vhost_doorbell_net cfg = { .num_pairs = pairs };
		const char *at = m.text;

		m.len = 0;
		be = bell_backend_net_create(&cfg);
		be->ops->show(be, &m);
		be->ops->destroy(be);
		snprintf(line, sizeof(line), "pairs:\t%u\n", pairs);
		CHECK(!strncmp(at, line, strlen(line)));
		for (u32 i = 0; i < pairs && at; i++) {
			snprintf(line, sizeof(line), "\npair%u:\t", i);
			at = strstr(at, line);
			CHECK(at);
		}
		CHECK(at && !strstr(at + 1, "\npair"));
	}
}

static void test_create(void)
{
	static const struct {
		u32 pairs, mtu;
		int ret;
	} rows[] = {
		{ 0, 0, -EINVAL }, { 33, 0, -EINVAL }, { -1U, 0, -EINVAL },
		{ 1, 67, -EINVAL }, { 1, 65536, -EINVAL }, { 1, 1, -EINVAL },
		{ 1, -1U, -EINVAL }, { 1, 68, 0 }, { 32, 65535, 0 }, { 1, 0, 0 },
	};

	for (u32 i = 0; i < 10; i++) {
		struct vhost_doorbell_net cfg = {
			.num_pairs = rows[i].pairs, .mtu = rows[i].mtu,
		};
		struct vhost_doorbell_net_stats st = { .pair = rows[i].pairs };
		struct virtio_net_config c;
		u8 beyond[16] = { };

		be = bell_backend_net_create(&cfg);
		CHECK_EQ(IS_ERR(be) ? PTR_ERR(be) : 0, rows[i].ret);
		if (IS_ERR(be))
			continue;
		CHECK(bell_backend_is_net(be));
		CHECK_EQ(be->num_queues, 2 * rows[i].pairs);
		CHECK_EQ(!!(be->features & F(MQ)), rows[i].pairs > 1);
		CHECK_EQ(!!(be->features & F(MTU)), rows[i].mtu > 0);
		/* Features that belong to the VMM are not offered. */
		CHECK(!(be->features & (F(MAC) | F(STATUS) | F(CTRL_VQ))));
		be->ops->get_config(be, 0, &c, sizeof(c));
		CHECK_EQ(le16toh(c.mtu), rows[i].mtu);
		CHECK_EQ(le16toh(c.max_virtqueue_pairs), rows[i].pairs);
		be->ops->get_config(be, sizeof(c), beyond, 16);
		be->ops->get_config(be, sizeof(c) - 1, beyond, 16);
		be->ops->get_config(be, -1U, beyond, 16);
		CHECK_EQ(be->ops->set_config(be, 0, beyond, 1), -EPERM);
		CHECK_EQ(bell_backend_net_get_stats(be, &st), -ENOBUFS);
		be->ops->destroy(be);
	}
	world.fail_alloc = 1;
	CHECK_EQ(PTR_ERR(bell_backend_net_create(&net_cfg)), -ENOMEM);
}

static const struct tap_test tests[] = {
	{ "net rx: no port", test_no_port },
	{ "net: a pause and the port's deliveries", test_settle },
	{ "net rx: a start that fails", test_start_fails },
	{ "net: ports of pairs", test_set_port },
	{ "net: a device of the card's own", test_set_dev },
	{ "net: cards, and what they offer", test_create },
	{ "net: the text of fdinfo", test_show },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
