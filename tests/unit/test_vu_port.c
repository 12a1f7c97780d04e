// SPDX-License-Identifier: GPL-2.0
/*
 * Taps, and the ports of cards, in a network namespace of this process. The
 * tests are skipped if there is no such namespace or no /dev/net/tun.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "fd.h"
#include "link.h"
#include "port.h"
#include "tuntap.h"
#include "test_vu.h"

#define BIT(n)		(1ULL << (n))
#define V1		BIT(32)
#define F(n)		BIT(VIRTIO_NET_F_##n)

static const uint8_t mac[LINK_MAC_LEN] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static int header_of(int fd)
{
	int size = 0;

	return ioctl(fd, TUNGETVNETHDRSZ, &size) ? -errno : size;
}

static int little(int fd)
{
	int on = -1;

	return ioctl(fd, TUNGETVNETLE, &on) ? -errno : on;
}

/* An offload of the interface, as ethtool -k shows it */
static int offload(const char *name, uint32_t which)
{
	struct ethtool_value value = { .cmd = which };
	struct ifreq r = { .ifr_data = (char *)&value };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(r.ifr_name, name);
	return ioctl(fd, SIOCETHTOOL, &r) ? -errno : (int)value.data;
}

static void test_links(void)
{
	_cleanup_fd_ int fd = tuntap_create("link0", false);
	char text[LINK_MAC_TEXT];
	struct link_info info;

	CHECK(fd >= 0);
	CHECK_EQ(link_get("absent", &info), -ENODEV);
	CHECK_EQ(link_get("a-name-that-is-far-too-long", &info), -ENODEV);
	CHECK_EQ(link_get("link0", &info), 0);
	CHECK(info.index && !info.up);
	CHECK_EQ(link_set_mtu("link0", 9000), 0);
	CHECK_EQ(link_set_up("link0"), 0);
	CHECK_EQ(link_set_up("link0"), 0);
	CHECK_EQ(link_get("link0", &info), 0);
	CHECK(info.up && info.mtu == 9000);
	CHECK_EQ(link_join_bridge("absent", "lo"), -ENODEV);
	CHECK(link_join_bridge("link0", "lo") < 0);
	link_mac_text(mac, text);
	CHECK(!strcmp(text, "52:54:00:12:34:56"));
}

static void test_open(void)
{
	_cleanup_fd_ int one = tuntap_create("one0", false);
	_cleanup_fd_ int many = tuntap_create("many0", true);
	_cleanup_fd_ int more = -1;
	struct tuntap_info info;
	bool multi;
	int null;

	CHECK(one >= 0 && many >= 0);
	CHECK_EQ(tuntap_create("one0", false), -EEXIST);
	CHECK_EQ(tuntap_create("many0", true), -EEXIST);
	CHECK_EQ(tuntap_open("one0", &multi), -EBUSY);
	CHECK(!multi);
	more = tuntap_open("many0", &multi);
	CHECK(more >= 0 && multi);
	/*
	 * Opening a tap that does not exist fails; it must not create it, so
	 * the second try fails, too.
	 */
	CHECK_EQ(tuntap_open("absent", &multi), -ENODEV);
	CHECK_EQ(tuntap_open("absent", &multi), -ENODEV);
	CHECK_EQ(tuntap_open("lo", &multi), -EINVAL);
	CHECK_EQ(tuntap_open_macvtap("absent", false), -ENODEV);
	CHECK_EQ(tuntap_open_macvtap("one0", false), -EINVAL);
	CHECK(fcntl(more, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(more, F_GETFL) & O_NONBLOCK);

	CHECK_EQ(tuntap_get_info(more, &info), 0);
	CHECK(info.multi && !strcmp(info.name, "many0"));
	CHECK_EQ(tuntap_get_info(one, &info), 0);
	CHECK(!info.multi && !strcmp(info.name, "one0"));
	CHECK_EQ(tuntap_get_info(-1, &info), -EBADF);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK_EQ(tuntap_get_info(null, &info), -EINVAL);
	fd_close(&null);
	/*
	 * A descriptor that is not attached to an interface, then one without
	 * virtio header
	 */
	null = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	CHECK_EQ(tuntap_get_info(null, &info), -EINVAL);
	CHECK_EQ(ioctl(null, TUNSETIFF, &(struct ifreq){
		.ifr_name = "bare0", .ifr_flags = IFF_TAP | IFF_NO_PI }), 0);
	CHECK_EQ(tuntap_get_info(null, &info), -EPROTO);
	fd_close(&null);
}

static void test_agree(void)
{
	static const struct {
		uint64_t features;
		int header, little, tso;
	} rows[] = {
		{ 0, 10, 0, 0 },
		{ V1, 12, 1, 0 },
		{ F(MRG_RXBUF), 12, 0, 0 },
		{ V1 | F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6) |
		  F(GUEST_ECN), 12, 1, 1 },
		{ V1 | F(GUEST_CSUM) | F(GUEST_TSO4), 12, 1, 1 },
		{ V1 | F(GUEST_CSUM), 12, 1, 0 },
		/* Invalid combinations, which the kernel would refuse. */
		{ V1 | F(GUEST_TSO4), 12, 1, 0 },
		{ V1 | F(GUEST_CSUM) | F(GUEST_ECN), 12, 1, 0 },
		{ 0, 10, 0, 0 },
	};
	_cleanup_fd_ int fd = tuntap_create("agree0", false);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(tuntap_agree(fd, rows[i].features), 0);
		CHECK_EQ(header_of(fd), rows[i].header);
		CHECK_EQ(little(fd), rows[i].little);
		CHECK_EQ(offload("agree0", ETHTOOL_GTSO), rows[i].tso);
	}
	CHECK_EQ(tuntap_agree(-1, V1), -EBADF);
}

static void test_queues(void)
{
	_cleanup_fd_ int first = tuntap_create("queue0", true);
	_cleanup_fd_ int next = tuntap_open_next("queue0");
	_cleanup_fd_ int one = tuntap_create("only0", false);

	CHECK_EQ(tuntap_set_queue(next, false), 0);
	CHECK_EQ(tuntap_set_queue(next, false), -EINVAL);
	CHECK_EQ(tuntap_set_queue(next, true), 0);
	CHECK_EQ(tuntap_agree(next, V1), 0);
	CHECK_EQ(tuntap_set_queue(one, false), -EINVAL);
	CHECK(first >= 0);
}

/* A socket for RARP frames that arrive at the interface */
static int listen_for_rarp(const char *name)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_RARP),
		.sll_ifindex = if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			htons(ETH_P_RARP));

	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void test_rarp(void)
{
	static const uint8_t want[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x80, 0x35,
		0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x03,
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0, 0, 0, 0,
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0, 0, 0, 0,
	};
	static const uint64_t features[] = { 0, V1 };
	_cleanup_fd_ int tap = tuntap_create("rarp0", false), sock = -1;
	uint8_t got[128];

	/* An interface that is down receives nothing. */
	CHECK_EQ(tuntap_send_rarp(tap, mac), -EIO);
	CHECK_EQ(link_set_up("rarp0"), 0);
	sock = listen_for_rarp("rarp0");
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(tuntap_agree(tap, features[i]), 0);
		CHECK_EQ(tuntap_send_rarp(tap, mac), 0);
		CHECK_EQ(recv(sock, got, sizeof(got), 0), sizeof(want));
		CHECK(!memcmp(got, want, sizeof(want)));
	}
	CHECK_EQ(recv(sock, got, sizeof(got), 0), -1);
}

static void init_port(struct port *p, enum port_kind kind, const char *name,
		      unsigned int pairs)
{
	*p = (struct port){ .kind = kind, .pairs = pairs };
	strcpy(p->name, name);
	for (int i = 0; i < VHOST_DOORBELL_MAX_PAIRS; i++)
		p->fd[i] = -1;
}

/* Opening the port fails with @err and these words, and leaks no descriptor */
static void check_refused(enum port_kind kind, const char *name,
			  unsigned int pairs, int err, const char *words)
{
	int fds = test_count_fds();
	struct port p;

	init_port(&p, kind, name, pairs);
	CHECK_EQ(port_open(&p), err);
	CHECK(p.error && strstr(p.error, words));
	CHECK_EQ(test_count_fds(), fds);
}

static void test_ports(void)
{
	_cleanup_fd_ int one = tuntap_create("single0", false);
	struct port p;

	check_refused(PORT_TAP, "absent", 1, -ENODEV, "create");
	check_refused(PORT_TAP, "lo", 1, -EINVAL, "not a tap");
	check_refused(PORT_TAP, "single0", 1, -EBUSY, "in use");
	check_refused(PORT_TAP_CREATE, "single0", 1, -EEXIST, "exists");
	check_refused(PORT_TAP_CREATE, "single0", 2, -EEXIST, "exists");
	check_refused(PORT_MACVTAP, "lo", 1, -EINVAL, "macvtap");
	ioctl(one, TUNSETPERSIST, 1);
	fd_close(&one);
	check_refused(PORT_TAP, "single0", 2, -EINVAL, "one queue");
	init_port(&p, PORT_TAP, "single0", 1);
	CHECK_EQ(port_open(&p), 0);
	CHECK(!p.multi && p.attached == 1);
	ioctl(p.fd[0], TUNSETPERSIST, 0);
	port_close(&p);

	init_port(&p, PORT_TAP_CREATE, "new0", 3);
	CHECK_EQ(port_open(&p), 0);
	CHECK(p.multi && p.attached == 7 && p.fd[2] >= 0 && p.fd[3] < 0);
	CHECK_EQ(port_bring_up(&p, NULL, 1400), 0);
	CHECK_EQ(port_bring_up(&p, "lo", 0), -EOPNOTSUPP);
	CHECK(strstr(p.error, "bridge"));
	CHECK(port_bring_up(&p, NULL, 65535) < 0);
	CHECK(strstr(p.error, "MTU"));
	port_close(&p);
	CHECK_EQ(if_nametoindex("new0"), 0);
}

static void test_inherited(void)
{
	_cleanup_fd_ int other = tuntap_create("other0", false);
	struct port p;

	init_port(&p, PORT_TAP_FD, "", 2);
	p.fd[0] = tuntap_create("given0", true);
	p.fd[1] = tuntap_open_next("given0");
	CHECK_EQ(port_open(&p), 0);
	CHECK(p.multi && p.attached == 3 && !strcmp(p.name, "given0"));
	fd_close(&p.fd[1]);
	p.fd[1] = dup(other);
	CHECK_EQ(port_open(&p), -EINVAL);
	CHECK(strstr(p.error, "several"));
	fd_close(&p.fd[1]);
	p.fd[1] = open("/dev/null", O_RDWR);
	CHECK_EQ(port_open(&p), -EINVAL);
	port_close(&p);
}

static void remove_tap(const char *name)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} m = {
		.head.nlmsg_len = sizeof(m),
		.head.nlmsg_type = RTM_DELLINK,
		.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.link.ifi_index = if_nametoindex(name),
	};
	_cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				     NETLINK_ROUTE);
	char answer[256];

	CHECK_EQ(send(fd, &m, sizeof(m), 0), sizeof(m));
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	CHECK_EQ(if_nametoindex(name), 0);
}

static void test_gone(void)
{
	struct port p;
	int owner;

	owner = tuntap_create("gone0", true);
	ioctl(owner, TUNSETPERSIST, 1);
	fd_close(&owner);
	init_port(&p, PORT_TAP, "gone0", 2);
	CHECK_EQ(port_open(&p), 0);
	remove_tap("gone0");
	/*
	 * There is no module here: descriptor -1 is no device, so an ioctl on
	 * it fails.
	 */
	CHECK_EQ(port_give(&p, -1, 0), -ENOLINK);
	CHECK_EQ(port_give(&p, -1, 1), -ENOLINK);
	CHECK(strstr(p.error, "gone"));
	CHECK_EQ(if_nametoindex("gone0"), 0);
	owner = tuntap_create("gone0", true);
	CHECK_EQ(port_give(&p, -1, 0), -EBADF);
	CHECK_EQ(port_give(&p, -1, 1), -EBADF);
	CHECK_EQ(p.attached, 3);
	fd_close(&owner);
	port_close(&p);
}

static const struct test tests[] = {
	{ "interfaces", test_links },
	{ "taps are opened", test_open },
	{ "header and offloads as agreed on", test_agree },
	{ "queues are attached and detached", test_queues },
	{ "RARP comes out", test_rarp },
	{ "ports", test_ports },
	{ "descriptors from another program", test_inherited },
	{ "an interface that goes and comes back", test_gone },
};

int main(void)
{
	if ((unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) ||
	    access("/dev/net/tun", R_OK | W_OK)) {
		printf("1..1\nok 1 - ports # SKIP no network namespace or tun\n");
		return 0;
	}
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
