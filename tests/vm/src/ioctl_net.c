// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_net - each rule that an ioctl for a network card can break; and a card
 * from open to close
 */
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ioctl.h"

#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define MRG	(1ULL << VIRTIO_NET_F_MRG_RXBUF)
#define HDR_LEN	12
#define FRAME	100
#define RX	0
#define TX	1
#define CARD	"testcard0"

enum {
	FD_TAP		= 240,
	FD_UNATTACHED,
	FD_PATH,
	FD_DIRECTORY,
	FD_CHAR,
	FD_PIPE,
	FD_PIPE_END,
	FD_SOCKET,
	FD_CLOSED,
};

#define FEATURES(f)	.cmd = VHOST_SET_FEATURES, .features = (f)
#define OFFERED		(1ULL << VIRTIO_NET_F_CSUM |			\
			 1ULL << VIRTIO_NET_F_GUEST_CSUM |		\
			 1ULL << VIRTIO_NET_F_GUEST_TSO4 |		\
			 1ULL << VIRTIO_NET_F_GUEST_TSO6 |		\
			 1ULL << VIRTIO_NET_F_GUEST_ECN |		\
			 1ULL << VIRTIO_NET_F_HOST_TSO4 |		\
			 1ULL << VIRTIO_NET_F_HOST_TSO6 |		\
			 1ULL << VIRTIO_NET_F_HOST_ECN | MRG |		\
			 1ULL << VIRTIO_NET_F_GUEST_ANNOUNCE)
#define DEVICE_BITS	0xffffffULL	/* the other bits belong to the transport */

/* Calls that change a card, for its owner only */
static const struct row owners[] = {
	{ "SET_NET",		SET_NET() },
	{ "SET_NET_PORT",	SET_PORT() },
	{ "SET_NET_PORT: a tap", SET_PORT(.fd = FD_TAP) },
	{ "SET_NET_DEV",	SET_DEV() },
};

/* Errors with a card of one pair without a port, whose queues do not run */
static const struct row card[] = {
	{ "SET_NET: there is one", SET_NET(), .err = EBUSY },
	{ "SET_BLK: it is a card", .cmd = VHOST_DOORBELL_SET_BLK,
	  .blk = { .fd = FD_DISK, .num_queues = 1 }, .err = EBUSY },
	{ "RESIZE: it is a card", .cmd = VHOST_DOORBELL_RESIZE, .err = ENXIO },
	{ "SET_CONFIG: it is a card", .cmd = VHOST_DOORBELL_SET_CONFIG,
	  .config = { .size = 1 }, .err = EPERM },

	{ "SET_NET_PORT: pair past the last", SET_PORT(.pair = 1),
	  .err = ENOBUFS },
	{ "SET_NET_PORT: pair 2^32 - 1", SET_PORT(.pair = -1U),
	  .err = ENOBUFS },
	{ "SET_NET_PORT: pair past the last, with a tap",
	  SET_PORT(.pair = 1, .fd = FD_TAP), .err = ENOBUFS },
	{ "SET_NET_PORT: fd is -2", SET_PORT(.fd = -2), .err = EBADF },
	{ "SET_NET_PORT: fd is not open", SET_PORT(.fd = FD_CLOSED),
	  .err = EBADF },
	{ "SET_NET_PORT: fd is O_PATH", SET_PORT(.fd = FD_PATH), .err = EBADF },
	{ "SET_NET_PORT: a file", SET_PORT(.fd = FD_DISK), .err = EINVAL },
	{ "SET_NET_PORT: a directory", SET_PORT(.fd = FD_DIRECTORY),
	  .err = EINVAL },
	{ "SET_NET_PORT: a character device", SET_PORT(.fd = FD_CHAR),
	  .err = EINVAL },
	{ "SET_NET_PORT: a pipe", SET_PORT(.fd = FD_PIPE), .err = EINVAL },
	{ "SET_NET_PORT: a socket", SET_PORT(.fd = FD_SOCKET), .err = EINVAL },
	{ "SET_NET_PORT: an eventfd", SET_PORT(.fd = FD_KICK), .err = EINVAL },
	{ "SET_NET_PORT: none, and none", SET_PORT(), .err = 0 },
	{ "SET_NET_PORT: /dev/net/tun without an interface",
	  SET_PORT(.fd = FD_UNATTACHED), .err = 0 },
	{ "SET_NET_PORT: a tap", SET_PORT(.fd = FD_TAP), .err = 0 },
	{ "SET_NET_DEV: it has a port", SET_DEV(), .err = EBUSY },
	{ "SET_NET_PORT: a tap in its place", SET_PORT(.fd = FD_TAP), .err = 0 },
	{ "SET_NET_PORT: none", SET_PORT(), .err = 0 },

	{ "SET_NET_DEV: no name", SET_DEV(.name = ""), .err = EINVAL },
	{ "SET_NET_DEV: a name with a slash", SET_DEV(.name = "a/b"),
	  .err = EINVAL },
	{ "SET_NET_DEV: a name that does not end",
	  SET_DEV(.name = "0123456789abcdef"), .err = EINVAL },
	{ "SET_NET_DEV: another % in the name", SET_DEV(.name = "a%s"),
	  .err = EINVAL },
	{ "SET_NET_DEV: two numbers in the name", SET_DEV(.name = "a%d%d"),
	  .err = EINVAL },
	{ "SET_NET_DEV: a name of another's", SET_DEV(.name = "lo"),
	  .err = EEXIST },
	{ "SET_NET_DEV: address of a group", SET_DEV(.mac = { 1, 2 }),
	  .err = EINVAL },

	{ "GET_NET_STATS: pair past the last", NET_STATS(.pair = 1),
	  .err = ENOBUFS },
	{ "GET_NET_STATS: pair 2^32 - 1", NET_STATS(.pair = -1U),
	  .err = ENOBUFS },
	{ "GET_NET_STATS", NET_STATS(), .err = 0 },
	{ "SET_FEATURES: the VMM's own (MAC)",
	  FEATURES(V1 | 1ULL << VIRTIO_NET_F_MAC), .err = EOPNOTSUPP },
	{ "SET_FEATURES: the VMM's own (CTRL_VQ)",
	  FEATURES(V1 | 1ULL << VIRTIO_NET_F_CTRL_VQ), .err = EOPNOTSUPP },
	{ "SET_FEATURES: several pairs of one",
	  FEATURES(V1 | 1ULL << VIRTIO_NET_F_MQ), .err = EOPNOTSUPP },
	{ "SET_FEATURES: no mtu was said",
	  FEATURES(V1 | 1ULL << VIRTIO_NET_F_MTU), .err = EOPNOTSUPP },
	{ "SET_VRING_NUM: queue past the last",
	  .cmd = VHOST_SET_VRING_NUM, .state = { 2, NUM }, .err = ENOBUFS },
};

/* Errors while one of the two queues runs */
static const struct row running[] = {
	{ "SET_NET", SET_NET(), .err = EBUSY },
	{ "SET_NET_PORT: a queue runs", SET_PORT(.fd = FD_TAP), .err = EBUSY },
	{ "SET_NET_PORT: a queue runs, to detach", SET_PORT(), .err = EBUSY },
	{ "SET_NET_DEV: a queue runs", SET_DEV(), .err = EBUSY },
	{ "GET_NET_STATS", NET_STATS(), .err = 0 },
};

static void expect_in_child(int dev)
{
	static const struct row stats = { "", NET_STATS() };
	unsigned int i, wrong = 0;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		for (i = 0; i < sizeof(owners) / sizeof(*owners); i++)
			wrong += call_row(dev, &owners[i]) != EPERM;
		wrong += call_row(dev, &stats) != 0;
		_exit(wrong);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	ok(!status, "another process may count, and change nothing");
}

/* --- a tap as the port --- */

static void tap_up(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq req = { .ifr_name = CARD };

	MUST(!ioctl(s, SIOCGIFFLAGS, &req));
	req.ifr_flags |= IFF_UP;
	MUST(!ioctl(s, SIOCSIFFLAGS, &req));
	close(s);
}

static bool tap_is_there(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq req = { .ifr_name = CARD };
	bool there = !ioctl(s, SIOCGIFFLAGS, &req);

	close(s);
	return there;
}

static void tap_make(void)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
			     .ifr_name = CARD };
	int size = HDR_LEN;

	fd_at(FD_TAP, open("/dev/net/tun", O_RDWR));
	MUST(!ioctl(FD_TAP, TUNSETIFF, &req));
	MUST(!ioctl(FD_TAP, TUNSETVNETHDRSZ, &size));
	tap_up();
}

/* --- a card from open to close --- */

static int card_new(unsigned int pairs, unsigned int mtu)
{
	struct vhost_doorbell_net net = { .num_pairs = pairs, .mtu = mtu };
	int dev = dev_open();

	MUST(!ioctl(dev, VHOST_SET_OWNER));
	MUST(!ioctl(dev, VHOST_DOORBELL_SET_NET, &net));
	return dev;
}

static void card_ready(int dev)
{
	int q;

	driver_reset();
	MUST(!set_features(dev, V1 | MRG));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
	for (q = 0; q < QUEUES; q++)
		dev_set_queue(dev, q);
}

static int set_port(int dev, int fd)
{
	const struct row row = { "", SET_PORT(.fd = fd) };

	return call_row(dev, &row);
}

static struct vhost_doorbell_net_stats net_stats(int dev)
{
	struct vhost_doorbell_net_stats st = { .pair = 0 };

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_NET_STATS, &st));
	return st;
}

/* Sends a frame and waits for it on the receiving queue */
static bool card_sends(void)
{
	struct vring_avail *avail = (void *)AVAIL(TX);
	__u8 *frame = (void *)(MEM + DATA(TX));

	memset(frame, 0, HDR_LEN);
	memset(frame + HDR_LEN, 0xff, FRAME);
	driver_desc(TX, 0, GPA + DATA(TX), HDR_LEN + FRAME, 0);
	avail->ring[driver_avail[TX]++ % NUM] = 0;
	__atomic_store_n(&avail->idx, driver_avail[TX], __ATOMIC_SEQ_CST);
	eventfd_write(FD_KICK + TX, 1);
	return UNTIL(driver_done(TX));
}

static void test_open(void)
{
	static const struct row stats = { "GET_NET_STATS", NET_STATS() };
	int dev = dev_open();
	unsigned int i;

	EXPECT(dev, "no owner", net_always);
	for (i = 0; i < sizeof(owners) / sizeof(*owners); i++)
		expect(dev, "no owner", &owners[i], EPERM);
	expect(dev, "no owner", &stats, ENXIO);
	close(dev);
}

static void test_offers(void)
{
	struct vhost_doorbell_config config = {
		.size = sizeof(struct virtio_net_config),
	};
	const struct virtio_net_config *c = (void *)config.data;
	__u64 features;
	int dev;

	dev = card_new(1, 0);
	MUST(!ioctl(dev, VHOST_GET_FEATURES, &features));
	ok((features & DEVICE_BITS) == OFFERED && features & V1,
	   "GET_FEATURES: of one pair");
	close(dev);
	dev = card_new(VHOST_DOORBELL_MAX_PAIRS, 9000);
	MUST(!ioctl(dev, VHOST_GET_FEATURES, &features));
	ok((features & DEVICE_BITS) ==
	   (OFFERED | 1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_NET_F_MTU),
	   "GET_FEATURES: of all pairs, with an mtu");
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_CONFIG, &config));
	ok(c->max_virtqueue_pairs == VHOST_DOORBELL_MAX_PAIRS && c->mtu == 9000 &&
	   c->status == VIRTIO_NET_S_LINK_UP, "GET_CONFIG: what was said");
	ok(!set_features(dev, features), "SET_FEATURES: takes all of them");
	ok(!set_state(dev, VHOST_SET_VRING_NUM, 63, NUM) &&
	   set_state(dev, VHOST_SET_VRING_NUM, 64, NUM) && errno == ENOBUFS,
	   "two queues a pair");
	close(dev);
}

static void test_card(void)
{
	int dev = card_new(1, 0), other;

	EXPECT(dev, "card", net_always);
	EXPECT(dev, "card", card);
	expect_in_child(dev);
	/* The failed calls have changed nothing. */
	card_ready(dev);
	MUST(!set_port(dev, FD_TAP));
	MUST(!set_run(dev, TX, 1));
	EXPECT(dev, "sending", running);
	MUST(!set_run(dev, RX, 1));
	EXPECT(dev, "running", net_always);
	EXPECT(dev, "running", running);
	expect_in_child(dev);
	ok(card_sends() && net_stats(dev).tx_packets == 1, "it sends");
	MUST(!set_run(dev, TX, 0));
	EXPECT(dev, "receiving", running);

	other = card_new(1, 0);
	card_ready(other);
	ok(!set_port(other, FD_TAP) && set_run(other, RX, 1) && errno == EBUSY,
	   "SET_RUN: EBUSY if another card receives from the tap");
	ok(!set_run(other, TX, 1), "to send is no matter");
	MUST(!set_run(dev, RX, 0));
	ok(!set_run(other, RX, 1), "SET_RUN: and when it has stopped it goes");
	close(other);
	ok(!set_port(dev, -1), "SET_NET_PORT: none, once the queues stand");
	close(dev);
}

/* A pair runs without a port, then with one */
static void test_no_port(void)
{
	int dev = card_new(1, 0);

	card_ready(dev);
	MUST(!set_run(dev, RX, 1) && !set_run(dev, TX, 1));
	ok(card_sends() && net_stats(dev).tx_drop_port == 1 &&
	   !net_stats(dev).tx_packets, "no port: a frame is dropped and counted");
	MUST(!set_run(dev, RX, 0) && !set_run(dev, TX, 0));
	MUST(!set_port(dev, FD_UNATTACHED));
	MUST(!set_run(dev, RX, 1) && !set_run(dev, TX, 1));
	ok(card_sends() && net_stats(dev).tx_drop_down == 1,
	   "a tun without an interface: the same");
	MUST(!set_run(dev, RX, 0) && !set_run(dev, TX, 0));
	MUST(!set_port(dev, FD_TAP));
	MUST(!set_run(dev, RX, 1) && !set_run(dev, TX, 1));
	ok(card_sends() && net_stats(dev).tx_packets == 1, "a tap: it is sent");
	close(dev);
}

/* Makes a call without CAP_NET_ADMIN; returns 0 or its error */
static int call_without(int dev, const struct row *row)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct all[2], less[2];
	int ret;

	MUST(!syscall(SYS_capget, &h, all));
	memcpy(less, all, sizeof(less));
	less[0].effective &= ~(1U << CAP_NET_ADMIN);
	MUST(!syscall(SYS_capset, &h, less));
	ret = call_row(dev, row);
	MUST(!syscall(SYS_capset, &h, all));
	return ret;
}

static void test_dev(void)
{
	static const struct row row = { "", SET_DEV() };
	struct vhost_doorbell_net_dev netdev = {
		.name = "card%d", .mac = { 2, 0, 0, 0, 0, 9 },
	};
	int dev = card_new(2, 0), s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq req = {};

	ok(call_without(dev, &row) == EPERM,
	   "SET_NET_DEV: EPERM without CAP_NET_ADMIN");
	ok(!ioctl(dev, VHOST_DOORBELL_SET_NET_DEV, &netdev) &&
	   !strcmp(netdev.name, "card0") && netdev.ifindex > 0,
	   "SET_NET_DEV: gives name and index");
	strcpy(req.ifr_name, netdev.name);
	ok(!ioctl(s, SIOCGIFHWADDR, &req) &&
	   !memcmp(req.ifr_hwaddr.sa_data, netdev.mac, 6),
	   "SET_NET_DEV: the address that was said");
	expect(dev, "own device", &row, EBUSY);
	close(dev);
	ok(UNTIL(ioctl(s, SIOCGIFHWADDR, &req) && errno == ENODEV),
	   "SET_NET_DEV: it goes with the card");
	close(s);
}

/* Closing the card drops its reference to the module. */
static void test_close(void)
{
	int dev = card_new(1, 0);

	card_ready(dev);
	MUST(!set_port(dev, FD_TAP));
	MUST(!set_run(dev, RX, 1) && !set_run(dev, TX, 1));
	close(FD_TAP);
	ok(tap_is_there() && card_sends(), "the card keeps the tap");
	close(dev);
	ok(UNTIL(!tap_is_there()), "and lets go of it at the close");
	ok(!close(open("/dev/vhost-doorbell", O_RDWR)), "the module lives");
}

static void open_files(void)
{
	int fds[2];

	tap_make();
	fd_at(FD_UNATTACHED, open("/dev/net/tun", O_RDWR));
	fd_at(FD_PATH, open("/dev/net/tun", O_PATH));
	fd_at(FD_DIRECTORY, open("/tmp", O_RDONLY));
	fd_at(FD_CHAR, open("/dev/null", O_RDWR));
	MUST(!pipe(fds));
	fd_at(FD_PIPE, fds[0]);
	fd_at(FD_PIPE_END, fds[1]);
	fd_at(FD_SOCKET, socket(AF_UNIX, SOCK_STREAM, 0));
}

int main(void)
{
	tap_begin(60);
	driver_init();
	open_files();
	test_open();
	test_offers();
	test_card();
	test_no_port();
	test_dev();
	test_close();
	return tap_end();
}
