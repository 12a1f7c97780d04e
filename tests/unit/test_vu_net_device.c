// SPDX-License-Identifier: GPL-2.0
/*
 * The device of a card: when a pair gets its port, and what remains between two
 * front ends. ioctl() is replaced here and plays the module, on /dev/null. Taps
 * are real, in a network namespace of this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "fd.h"
#include "net_device.h"
#include "test_vu.h"
#include "tuntap.h"

#define BIT(n)		(1ULL << (n))
#define V1		BIT(32)

int ioctl(int fd, unsigned long request, ...);

/* The calls that the module got, in words; the results that it returns */
static char told[1024];
static int run_ret, stop_ret, port_ret, dev_ret;

static struct net_device device;
static struct port port;
static struct vu_device *const dev = &device.vhd.base;
static unsigned int losses;

__attribute__((format(printf, 1, 2)))
static void tell(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told + n, sizeof(told) - n, fmt, ap);
	va_end(ap);
}

static bool was_told(const char *words)
{
	bool same = !strcmp(told, words);

	if (!same)
		printf("# told '%s', not '%s'\n", told, words);
	told[0] = '\0';
	return same;
}

static int play_run(const struct vhost_doorbell_run *run)
{
	tell("%s%u ", run->run ? "run" : "stop", run->index);
	return run->run ? run_ret : stop_ret;
}

static int play_port(const struct vhost_doorbell_net_port *p)
{
	int header = -1;

	if (p->fd >= 0)
		ioctl(p->fd, TUNGETVNETHDRSZ, &header);
	if (p->fd >= 0)
		tell("port%u:%d ", p->pair, header);
	else
		tell("take%u ", p->pair);
	return p->fd >= 0 ? port_ret : 0;
}

static int play_dev(struct vhost_doorbell_net_dev *d)
{
	tell("dev:%s ", d->name);
	strcpy(d->name, "lo");
	return dev_ret;
}

static int play(unsigned long request, void *arg)
{
	struct vhost_doorbell_info *info = arg;
	const struct vhost_doorbell_net *net = arg;

	switch (request) {
	case VHOST_DOORBELL_GET_INFO:
		info->abi_version = VHOST_DOORBELL_ABI_VERSION;
		info->max_regions = 8;
		return 0;
	case VHOST_DOORBELL_SET_NET:
		tell("net:%u,%u ", net->num_pairs, net->mtu);
		return 0;
	case VHOST_DOORBELL_SET_NET_PORT:
		return play_port(arg);
	case VHOST_DOORBELL_SET_NET_DEV:
		return play_dev(arg);
	case VHOST_DOORBELL_SET_RUN:
		return play_run(arg);
	case VHOST_SET_MEM_TABLE:
		tell("mem:%u ", ((struct vhost_memory *)arg)->nregions);
		return 0;
	case VHOST_DOORBELL_RESIZE:
		tell("resize ");
		return 0;
	}
	return 0;
}

/* Replaces the ioctl() of libc */
int ioctl(int fd, unsigned long request, ...)
{
	unsigned int type = _IOC_TYPE(request);
	va_list ap;
	void *arg;
	int ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (type != 0xAF && type != VHOST_DOORBELL_IOC_MAGIC)
		return syscall(SYS_ioctl, fd, request, arg);
	ret = play(request, arg);
	errno = -ret;
	return ret ? -1 : 0;
}

static void lost(const struct port *p)
{
	(void)p;
	losses++;
}

static void make(enum port_kind kind, const char *name, unsigned int pairs,
		 unsigned int mtu)
{
	port = (struct port){ .kind = kind, .pairs = pairs };
	strcpy(port.name, name);
	for (int i = 0; i < VHOST_DOORBELL_MAX_PAIRS; i++)
		port.fd[i] = -1;
	CHECK_EQ(port_open(&port), 0);
	device = (struct net_device){
		.vhd.path = "/dev/null", .port = &port, .mtu = mtu, .lost = lost,
	};
	net_device_init(&device);
	run_ret = stop_ret = port_ret = dev_ret = 0;
	losses = 0;
	told[0] = '\0';
}

static void unmake(void)
{
	net_device_end(&device);
	port_close(&port);
}

static void test_probe(void)
{
	make(PORT_TAP_CREATE, "probe0", 2, 1400);
	CHECK_EQ(net_device_probe(&device), 0);
	CHECK(was_told("net:2,1400 port0:12 take0 port1:12 take1 "));
	/* The first queue stays attached, as a tap must keep one queue. */
	CHECK_EQ(port.attached, 1);
	CHECK_EQ(device.vhd.fd, -1);
	port_ret = -EBUSY;
	CHECK_EQ(net_device_probe(&device), -EBUSY);
	CHECK(port.error && strstr(port.error, "another card"));
	CHECK_EQ(device.vhd.fd, -1);
	unmake();
}

static void test_pairs(void)
{
	make(PORT_TAP_CREATE, "pairs0", 2, 0);
	CHECK_EQ(net_device_probe(&device), 0);
	told[0] = '\0';
	CHECK_EQ(dev->ops->open(dev), 0);
	CHECK(was_told("net:2,0 "));
	CHECK(dev->num_queues == 4 && dev->max_regions == 8);
	CHECK_EQ(dev->ops->set_features(dev, V1), 0);
	/*
	 * The module has the port from the first start of a queue up to the
	 * last stop
	 */
	CHECK_EQ(dev->ops->set_run(dev, 1, true), 0);
	CHECK_EQ(dev->ops->set_run(dev, 0, true), 0);
	CHECK(was_told("port0:12 run1 run0 "));
	CHECK_EQ(dev->ops->set_run(dev, 1, false), 0);
	CHECK_EQ(dev->ops->set_run(dev, 1, true), 0);
	CHECK(was_told("stop1 run1 "));
	/*
	 * The queue of the second pair is attached only while that pair runs.
	 */
	CHECK_EQ(port.attached, 1);
	CHECK_EQ(dev->ops->set_run(dev, 2, true), 0);
	CHECK_EQ(port.attached, 3);
	CHECK_EQ(dev->ops->set_run(dev, 2, false), 0);
	CHECK_EQ(port.attached, 1);
	CHECK(was_told("port1:12 run2 stop2 take1 "));
	CHECK_EQ(dev->ops->set_run(dev, 0, false), 0);
	CHECK_EQ(dev->ops->set_run(dev, 1, false), 0);
	CHECK(was_told("stop0 stop1 take0 "));
	/* The next driver may be a legacy one. */
	CHECK_EQ(dev->ops->set_features(dev, 0), 0);
	CHECK_EQ(dev->ops->set_run(dev, 0, true), 0);
	CHECK(was_told("port0:10 run0 "));
	dev->ops->close(dev);
	CHECK_EQ(device.vhd.fd, -1);
	CHECK(!port.given && !device.running);
	unmake();
}

static void test_failures(void)
{
	make(PORT_TAP_CREATE, "fails0", 1, 0);
	CHECK_EQ(dev->ops->open(dev), 0);
	CHECK_EQ(dev->ops->set_features(dev, V1), 0);
	told[0] = '\0';
	/* If a queue fails to start its port is taken away. */
	run_ret = -ENOMEM;
	CHECK_EQ(dev->ops->set_run(dev, 0, true), -ENOMEM);
	CHECK(was_told("port0:12 run0 take0 "));
	run_ret = 0;
	/* A queue whose port is refused does not start. */
	port_ret = -EBUSY;
	CHECK_EQ(dev->ops->set_run(dev, 0, true), -EBUSY);
	CHECK(was_told("port0:12 "));
	port_ret = 0;
	/* A queue that fails to stop keeps its port. */
	CHECK_EQ(dev->ops->set_run(dev, 0, true), 0);
	stop_ret = -EINTR;
	CHECK_EQ(dev->ops->set_run(dev, 0, false), -EINTR);
	CHECK(was_told("port0:12 run0 stop0 "));
	CHECK_EQ(port.given, 1);
	CHECK_EQ(losses, 0);
	unmake();
}

static void test_messages(void)
{
	static const uint8_t mac[VU_MAC_LEN] = { 2, 0, 0, 0, 0, 1 };

	make(PORT_TAP_CREATE, "msgs0", 1, 1400);
	CHECK_EQ(dev->ops->set_mtu(dev, 1400), 0);
	CHECK_EQ(dev->ops->set_mtu(dev, 1401), -EINVAL);
	CHECK_EQ(dev->ops->send_rarp(dev, mac), -EIO);
	CHECK_EQ(link_set_up("msgs0"), 0);
	CHECK_EQ(dev->ops->send_rarp(dev, mac), 0);
	unmake();
	make(PORT_TAP_CREATE, "msgs0", 1, 0);
	CHECK_EQ(dev->ops->set_mtu(dev, 9000), 0);
	unmake();
}

/*
 * The card's own network device exists from the probe on, and outlives front
 * ends.
 */
static void test_own_device(void)
{
	make(PORT_DEV, "card%d", 2, 0);
	CHECK(!dev->ops->send_rarp);
	CHECK_EQ(net_device_probe(&device), 0);
	CHECK(was_told("net:2,0 dev:card%d "));
	CHECK(!strcmp(port.name, "lo") && device.vhd.fd >= 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(dev->ops->open(dev), 0);
		CHECK_EQ(dev->ops->set_features(dev, V1), 0);
		CHECK_EQ(dev->ops->set_run(dev, 0, true), 0);
		CHECK_EQ(dev->ops->set_run(dev, 0, false), 0);
		CHECK(was_told("run0 stop0 "));
		/* Guest memory is released with the front end. */
		dev->ops->close(dev);
		CHECK(was_told("mem:0 "));
		CHECK(device.vhd.fd >= 0);
	}
	/*
	 * If a queue does not stop, the device is closed, which removes its
	 * network device.
	 */
	CHECK_EQ(dev->ops->open(dev), 0);
	CHECK_EQ(dev->ops->set_run(dev, 0, true), 0);
	dev->ops->close(dev);
	CHECK(device.vhd.fd < 0 && !device.named);
	told[0] = '\0';
	CHECK_EQ(dev->ops->open(dev), 0);
	CHECK(was_told("net:2,0 dev:lo "));
	unmake();
	CHECK_EQ(device.vhd.fd, -1);

	make(PORT_DEV, "card0", 1, 0);
	dev_ret = -EPERM;
	CHECK_EQ(net_device_probe(&device), -EPERM);
	CHECK(port.error && strstr(port.error, "CAP_NET_ADMIN"));
	CHECK_EQ(device.vhd.fd, -1);
	unmake();
}

static const struct test tests[] = {
	{ "each pair is tried at the start", test_probe },
	{ "a pair has its port while it runs", test_pairs },
	{ "starts and stops that fail", test_failures },
	{ "MTU and RARP", test_messages },
	{ "a network device of the card's own is kept", test_own_device },
};

int main(void)
{
	if ((unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) ||
	    access("/dev/net/tun", R_OK | W_OK)) {
		printf("1..1\nok 1 - devices # SKIP no network namespace or tun\n");
		return 0;
	}
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
