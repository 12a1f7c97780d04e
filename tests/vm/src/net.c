// SPDX-License-Identifier: GPL-2.0
/*
 * net - ports of a card that other processes use, too: they read from the same
 * tap, change, shut or delete it; a driver that adds no buffers; and the life
 * of a card's own network device
 *
 * The device is driven directly, without daemon and guest.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "driver.h"

#define NAME		"vhd0"
#define TYPE		0x88b5		/* EtherType for experiments */
#define HDR_LEN		12
#define RX		0
#define TX		1
#define FRAME		200
#define BUF		256
#define MANY		3000

/*
 * Descriptors of the tap, of a raw socket on the test's interface, and of the
 * card
 */
static int tap = -1, raw = -1, dev = -1;
/* Number of used buffers that were checked and may be posted again */
static unsigned short rx_seen;

static struct ifreq request(void)
{
	struct ifreq req = {};

	strcpy(req.ifr_name, NAME);
	return req;
}

static void interface(unsigned long cmd, struct ifreq *req)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	MUST(s >= 0 && !ioctl(s, cmd, req));
	close(s);
}

static void up(bool on)
{
	struct ifreq req = request();

	interface(SIOCGIFFLAGS, &req);
	req.ifr_flags = on ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP;
	interface(SIOCSIFFLAGS, &req);
}

/* Keeps other frames off the interface */
static void quiet(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/" NAME "/disable_ipv6", O_WRONLY);

	if (fd < 0)
		return;
	MUST(write(fd, "1", 1) == 1);
	close(fd);
}

static void tap_open(void)
{
	struct ifreq req = request();
	int size = HDR_LEN;

	req.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	MUST(tap >= 0);
	MUST(!ioctl(tap, TUNSETIFF, &req));
	MUST(!ioctl(tap, TUNSETVNETHDRSZ, &size));
}

static void raw_open(void)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(TYPE),
		.sll_ifindex = if_nametoindex(NAME),
	};

	quiet();
	up(true);
	raw = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(TYPE));
	MUST(raw >= 0 && !bind(raw, (void *)&to, sizeof(to)));
}

static void frame_fill(__u8 *frame, unsigned int len, unsigned int seed)
{
	unsigned int i;

	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\x02\0\0\0\0\1", 6);
	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	memcpy(frame + 14, &seed, sizeof(seed));
	for (i = 14 + sizeof(seed); i < len; i++)
		frame[i] = seed + i;
}

static int set_port(int card, int fd)
{
	struct vhost_doorbell_net_port port = { .fd = fd };

	return ioctl(card, VHOST_DOORBELL_SET_NET_PORT, &port);
}

static int set_dev(int card, const char *name)
{
	struct vhost_doorbell_net_dev arg = {};

	strcpy(arg.name, name);
	return ioctl(card, VHOST_DOORBELL_SET_NET_DEV, &arg);
}

static void card_own(int card)
{
	struct vhost_doorbell_net net = { .num_pairs = 1 };

	MUST(!ioctl(card, VHOST_SET_OWNER));
	MUST(!ioctl(card, VHOST_DOORBELL_SET_NET, &net));
}

static int card_open(void)
{
	int card = dev_open();

	card_own(card);
	return card;
}

static void card_ready(int card)
{
	int q;

	driver_reset();
	rx_seen = 0;
	MUST(!set_features(card, 1ULL << VIRTIO_F_VERSION_1 |
				 1ULL << VIRTIO_NET_F_MRG_RXBUF));
	MUST(!ioctl(card, VHOST_SET_MEM_TABLE, driver_table()));
	for (q = 0; q < QUEUES; q++)
		dev_set_queue(card, q);
}

static void card_run(int card)
{
	MUST(!set_run(card, RX, 1));
	MUST(!set_run(card, TX, 1));
}

static void card_start(bool own)
{
	if (own) {
		MUST(!set_dev(dev, NAME));
	} else {
		tap_open();
		MUST(!set_port(dev, tap));
	}
	raw_open();
	card_ready(dev);
	card_run(dev);
}

/*
 * Opens a card on a tap, or on a network device of its own, and the other end
 */
static void begin(bool own)
{
	dev = card_open();
	card_start(own);
}

static void end(void)
{
	close(dev);
	close(raw);
	if (tap >= 0)
		close(tap);
	tap = -1;
}

static struct vhost_doorbell_net_stats stats(void)
{
	struct vhost_doorbell_net_stats st = {};

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_NET_STATS, &st));
	return st;
}

/* --- a minimal driver --- */

static void add(int q, unsigned int len)
{
	struct vring_avail *avail = (void *)AVAIL(q);
	unsigned int i = driver_avail[q] % NUM;

	driver_desc(q, i, GPA + DATA(q) + i * BUF, len,
		    q == RX ? VRING_DESC_F_WRITE : 0);
	avail->ring[i] = i;
	driver_avail[q]++;
	__atomic_store_n(&avail->idx, driver_avail[q], __ATOMIC_SEQ_CST);
}

static unsigned short used(int q)
{
	struct vring_used *ring = (void *)USED(q);

	return __atomic_load_n(&ring->idx, __ATOMIC_ACQUIRE);
}

/* Kicks as a driver without EVENT_IDX does */
static void kick(int q)
{
	struct vring_used *ring = (void *)USED(q);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(*(volatile __u16 *)&ring->flags & VRING_USED_F_NO_NOTIFY))
		eventfd_write(FD_KICK + q, 1);
}

static bool send_one(unsigned int seed)
{
	unsigned int i = driver_avail[TX] % NUM;
	void *buf = (void *)(MEM + DATA(TX) + i * BUF);

	memset(buf, 0, HDR_LEN);
	frame_fill(buf + HDR_LEN, FRAME, seed);
	add(TX, HDR_LEN + FRAME);
	eventfd_write(FD_KICK + TX, 1);
	return UNTIL(used(TX) == driver_avail[TX]);
}

static bool receive_raw(unsigned int seed)
{
	__u8 want[FRAME], got[FRAME + 1];

	frame_fill(want, FRAME, seed);
	return UNTIL(recv(raw, got, sizeof(got), 0) == FRAME) &&
	       !memcmp(want, got, FRAME);
}

static bool send_raw(unsigned int seed)
{
	__u8 frame[FRAME];

	frame_fill(frame, FRAME, seed);
	return send(raw, frame, FRAME, 0) == FRAME;
}

/* Is this the frame in the used buffer number @i? */
static bool is_frame(unsigned short i, unsigned int seed)
{
	struct vring_used *ring = (void *)USED(RX);
	struct vring_used_elem *e = &ring->ring[i % NUM];
	__u8 *buf = (void *)(MEM + DATA(RX) + e->id * BUF), want[FRAME];

	frame_fill(want, FRAME, seed);
	return e->len == HDR_LEN + FRAME && buf[10] == 1 && !buf[11] &&
	       !memcmp(buf + HDR_LEN, want, FRAME);
}

static void fill_rx(void)
{
	while ((unsigned short)(driver_avail[RX] - rx_seen) < NUM)
		add(RX, BUF);
	kick(RX);
}

/* Do frames pass in both directions unchanged? */
static void works(const char *when)
{
	static unsigned int seed;
	unsigned short at;

	seed++;
	ok(send_one(seed) && receive_raw(seed), "%s: a frame is sent", when);
	at = rx_seen = used(RX);
	fill_rx();
	ok(send_raw(seed) && UNTIL(used(RX) == (unsigned short)(at + 1)) &&
	   is_frame(at, seed), "%s: a frame is received", when);
}

/* --- a thread that sends frames to the guest --- */

static bool load_on;
static unsigned int load_sent, load_failed;

static void *load_run(void *arg)
{
	unsigned int max = (long)arg;

	while (__atomic_load_n(&load_on, __ATOMIC_ACQUIRE) && load_sent < max) {
		if (send_raw(load_sent))
			load_sent++;
		else
			load_failed++;
		/* Back off while the queue is full. */
		if (load_failed)
			sched_yield();
	}
	__atomic_store_n(&load_on, false, __ATOMIC_RELEASE);
	return NULL;
}

static pthread_t load_start(unsigned int max)
{
	pthread_t thread;

	load_on = true;
	load_sent = 0;
	load_failed = 0;
	MUST(!pthread_create(&thread, NULL, load_run, (void *)(long)max));
	return thread;
}

static void load_stop(pthread_t thread)
{
	__atomic_store_n(&load_on, false, __ATOMIC_RELEASE);
	MUST(!pthread_join(thread, NULL));
}

/*
 * Receives while the load runs. Counts frames, and wrong ones: changed ones,
 * and those older than the one before.
 */
static unsigned int load_receive(unsigned int *wrong)
{
	struct vring_used *ring = (void *)USED(RX);
	unsigned int n = 0, last = 0, seed;
	__u8 *buf;

	while (__atomic_load_n(&load_on, __ATOMIC_ACQUIRE) ||
	       rx_seen != used(RX)) {
		if (rx_seen == used(RX)) {
			nap();
			continue;
		}
		buf = (void *)(MEM + DATA(RX) + ring->ring[rx_seen % NUM].id * BUF);
		memcpy(&seed, buf + HDR_LEN + 14, sizeof(seed));
		*wrong += !is_frame(rx_seen, seed) || (n && seed <= last);
		last = seed;
		n++;
		rx_seen++;
		fill_rx();
	}
	return n;
}

/* --- the tests --- */

static void test_basics(bool own)
{
	const char *kind = own ? "network device" : "tap";
	struct vhost_doorbell_net_stats st;

	begin(own);
	works(kind);
	st = stats();
	ok(st.rx_packets == 1 && st.tx_packets == 1 &&
	   st.rx_bytes == FRAME && st.tx_bytes == FRAME,
	   "%s: frames and bytes are counted", kind);
	if (!own)
		ok(st.rx_polls && st.rx_hooks, "%s: received in the sender's poll",
		   kind);
	/* One frame needs three buffers. */
	MUST(!set_run(dev, RX, 0));
	driver_avail[RX] = 0;
	memset((void *)DESC(RX), 0, 0x3000);
	MUST(!set_state(dev, VHOST_SET_VRING_BASE, RX, 0));
	MUST(!set_run(dev, RX, 1));
	add(RX, 100);
	add(RX, 100);
	kick(RX);
	MUST(send_raw(1));
	usleep(100000);
	ok(!used(RX), "%s: two of three buffers are not used", kind);
	add(RX, 100);
	kick(RX);
	ok(UNTIL(used(RX) == 3) &&
	   *(__u8 *)(MEM + DATA(RX) + 10) == 3, "%s: three are", kind);
	end();
}

static void test_two_cards(void)
{
	int other;

	begin(false);
	other = card_open();
	MUST(!set_port(other, tap));
	/* A second card needs rings of its own */
	MUST(!set_features(other, 1ULL << VIRTIO_F_VERSION_1));
	MUST(!ioctl(other, VHOST_SET_MEM_TABLE, driver_table()));
	dev_set_queue(other, RX);
	errno = 0;
	ok(set_run(other, RX, 1) && errno == EBUSY,
	   "one tap for two cards: the second gets EBUSY");
	close(other);
	end();
}

static void test_port_while_running(void)
{
	begin(false);
	errno = 0;
	ok(set_port(dev, -1) && errno == EBUSY,
	   "a port is not taken away while the pair runs");
	errno = 0;
	ok(set_dev(dev, "vhd1") && errno == EBUSY,
	   "nor does the card get a network device");
	MUST(!set_run(dev, RX, 0) && !set_run(dev, TX, 0));
	ok(!set_port(dev, -1), "it is when the pair is stopped");
	card_ready(dev);
	card_run(dev);
	ok(send_one(1) && stats().tx_drop_port == 1,
	   "without a port frames are dropped");
	MUST(!set_run(dev, RX, 0) && !set_run(dev, TX, 0));
	MUST(!set_port(dev, tap));
	card_ready(dev);
	card_run(dev);
	works("with the port again");
	end();
}

/* A process that reads from the same file only takes frames away. */
static void test_thief(void)
{
	unsigned int got, stolen, wrong = 0;
	int pipefd[2], status;
	pthread_t load;
	pid_t thief;

	begin(false);
	fill_rx();
	MUST(!pipe(pipefd));
	thief = fork();
	MUST(thief >= 0);
	if (!thief) {
		char buf[2048];

		stolen = 0;
		close(pipefd[0]);
		/* Read until the parent kills this process, or is gone */
		for (;;) {
			if (read(tap, buf, sizeof(buf)) > 0)
				stolen++;
			if (write(pipefd[1], &stolen, sizeof(stolen)) < 0)
				_exit(0);
		}
	}
	close(pipefd[1]);
	MUST(fcntl(pipefd[0], F_SETFL, O_NONBLOCK) == 0);
	load = load_start(MANY);
	stolen = 0;
	got = load_receive(&wrong);
	load_stop(load);
	UNTIL(({
		unsigned int n;

		while (read(pipefd[0], &n, sizeof(n)) == sizeof(n))
			stolen = n;
		got + stolen >= load_sent;
	}));
	kill(thief, SIGKILL);
	MUST(waitpid(thief, &status, 0) == thief);
	close(pipefd[0]);
	diag("sent %u, received %u, stolen %u", load_sent, got, stolen);
	ok(!wrong, "a thief at the tap: what is received is right, and in order");
	ok(got + stolen <= load_sent && got, "and none twice");
	works("after the thief");
	end();
}

static void test_queue_length(void)
{
	struct ifreq req = request();
	unsigned int wrong = 0, got;
	pthread_t load;
	pid_t child;

	begin(false);
	fill_rx();
	child = fork();
	MUST(child >= 0);
	if (!child) {
		for (unsigned int i = 0;; i++) {
			req.ifr_qlen = 500 + i % 3 * 700;
			interface(SIOCSIFTXQLEN, &req);
		}
	}
	load = load_start(MANY);
	got = load_receive(&wrong);
	load_stop(load);
	kill(child, SIGKILL);
	MUST(waitpid(child, NULL, 0) == child);
	diag("sent %u, received %u", load_sent, got);
	ok(got && !wrong, "the tap's queue length changes all the time");
	works("after that");
	end();
}

/* CPU time of the worker's thread; none if it had no work lately and has no thread */
static double cpu_used(void)
{
	unsigned long long pid = get_stats(dev, RX).worker_pid;
	char path[64], line[512], *at;
	unsigned long utime, stime;
	FILE *f;

	if (!pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%llu/stat", pid);
	f = fopen(path, "r");
	MUST(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')');
	MUST(at && sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			  &utime, &stime) == 2);
	return (double)(utime + stime) / sysconf(_SC_CLK_TCK);
}

/* Frames that wait for buffers must cost no CPU time. */
static void test_dry(bool own)
{
	const char *kind = own ? "network device" : "tap";
	struct vhost_doorbell_net_stats before, after;
	unsigned short i;
	double cpu;

	begin(own);
	for (i = 0; i < 5; i++)
		MUST(send_raw(i));
	usleep(100000);
	before = stats();
	cpu = cpu_used();
	sleep(1);
	after = stats();
	ok(cpu_used() - cpu < 0.1 && before.rx_polls == after.rx_polls &&
	   before.rx_dry == after.rx_dry, "%s: no buffers, and no CPU time", kind);
	fill_rx();
	ok(UNTIL(used(RX) == 5), "%s: the frames come when there are buffers",
	   kind);
	for (i = 0; i < 5; i++)
		ok(is_frame(i, i), "%s: frame %u is right", kind, i);
	end();
}

static void test_down(bool own)
{
	const char *kind = own ? "network device" : "tap";

	begin(own);
	works(kind);
	up(false);
	/* Wait for the card, which looks once a jiffy. */
	usleep(50000);
	ok(send_one(1) && stats().tx_drop_down == 1,
	   "%s: what is sent while it is down is dropped and counted", kind);
	up(true);
	usleep(50000);
	while (recv(raw, &(char){ 0 }, 1, MSG_TRUNC) >= 0)
		;
	works("up again");
	end();
}

static int command(const char *line)
{
	int status = system(line);

	MUST(status >= 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_deleted(void)
{
	pthread_t load;

	begin(false);
	works("before the tap is deleted");
	load = load_start(~0U);
	usleep(100000);
	MUST(!command("ip link del " NAME));
	load_stop(load);
	ok(send_one(1) && stats().tx_drop_down >= 1,
	   "a tap that is deleted: what is sent is dropped");
	end();
	ok(!if_nametoindex(NAME), "and it goes");
}

/* A driver that adds no buffers must not block other senders for long. */
static void test_dead(void)
{
	int i;

	begin(true);
	for (i = 0; i < 5; i++)
		MUST(send_raw(i));
	ok(UNTIL(stats().rx_drop_dead == 5),
	   "a dead driver: its frames are dropped after a while");
	MUST(send_raw(9));
	ok(UNTIL(stats().rx_drop_dead == 6), "and later ones at once");
	fill_rx();
	usleep(100000);
	works("a kick revives it");
	end();
}

static void test_own_life(void)
{
	int other;

	begin(true);
	other = card_open();
	errno = 0;
	ok(set_dev(other, NAME) && errno == EEXIST, "a name that is in use");
	errno = 0;
	ok(set_dev(other, "a/b") && errno == EINVAL, "a name that cannot be");
	close(other);
	ok(command("ip link del " NAME " 2>/dev/null"), "'ip link' cannot delete it");
	ok(!command("ip -d link show " NAME " | grep -q doorbell"),
	   "'ip link' tells its kind");
	ok(!command("ethtool -i " NAME " | grep -q '^driver: vhost-doorbell'"),
	   "ethtool tells its driver");
	ok(!command("ethtool -S " NAME " | grep -q pair0_rx_packets"),
	   "ethtool tells its counters");
	/* Older kernels cannot rename an interface that is up. */
	ok(!command("ip link set " NAME " down && ip link set " NAME " name vhd9 && "
		    "ip link set vhd9 name " NAME " && ip link set " NAME " up"),
	   "it can be renamed");
	works("a network device that was renamed");
	MUST(!command("ip netns add vhd && ip link set " NAME " netns vhd"));
	MUST(!command("ip -n vhd link set " NAME " up"));
	ok(send_one(1), "in another namespace frames are sent");
	MUST(!command("ip -n vhd link set " NAME " netns 1"));
	close(raw);
	raw_open();
	works("back from another namespace");
	MUST(!command("ip link set " NAME " netns vhd && ip -n vhd link set " NAME " up"));
	MUST(!command("ip netns del vhd"));
	ok(UNTIL(send_one(2) && stats().tx_drop_down),
	   "it goes with its namespace, and what is sent is dropped");
	MUST(!set_run(dev, RX, 0) && !set_run(dev, TX, 0));
	end();
	ok(!if_nametoindex(NAME), "nothing is left of it");
}

/* The memory table is replaced while frames are delivered. */
static void test_memory(bool own)
{
	const char *kind = own ? "network device" : "tap";
	unsigned int wrong = 0, got, n = 0;
	pthread_t load;

	begin(own);
	fill_rx();
	load = load_start(MANY);
	while (__atomic_load_n(&load_on, __ATOMIC_ACQUIRE) && n < 50) {
		MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
		/* Buffers are posted again, so their pages are pinned again. */
		fill_rx();
		n++;
	}
	got = load_receive(&wrong);
	load_stop(load);
	diag("%u tables, sent %u, received %u", n, load_sent, got);
	works(kind);
	end();
}

static void test_privilege(void)
{
	int card = card_open(), status;
	pid_t child = fork();

	MUST(child >= 0);
	if (!child) {
		int own;

		/* Open the file to all users: the capability must decide */
		MUST(!chmod("/dev/vhost-doorbell", 0666));
		MUST(!setgid(65534) && !setuid(65534));
		own = card_open();
		errno = 0;
		_exit(set_dev(own, NAME) && errno == EPERM ? 0 : 1);
	}
	MUST(waitpid(child, &status, 0) == child);
	MUST(!chmod("/dev/vhost-doorbell", 0660));
	ok(!status, "a network device takes CAP_NET_ADMIN");
	close(card);
}

/* The owner dies, and this process, which kept the card's file, adopts it. */
static void test_adopted(bool own)
{
	int status;
	pid_t pid;

	dev = dev_open();
	fflush(stdout);
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		card_own(dev);
		card_start(own);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0) == pid && !status);
	/* The child emptied the rings. */
	driver_avail[RX] = 0;
	driver_avail[TX] = 0;
	raw_open();
	works("with no owner");
	ok(!ioctl(dev, VHOST_DOORBELL_ADOPT, driver_table()), "it is adopted");
	works("adopted");
	MUST(!set_run(dev, RX, 0) && !set_run(dev, TX, 0));
	card_run(dev);
	works("started again by its new owner");
	end();
}

int main(void)
{
	int own;

	tap_begin(120);
	driver_init();
	for (own = 0; own < 2; own++) {
		test_basics(own);
		test_dry(own);
		test_down(own);
		test_memory(own);
		test_adopted(own);
	}
	test_two_cards();
	test_port_while_running();
	test_thief();
	test_queue_length();
	test_deleted();
	test_dead();
	test_own_life();
	test_privilege();
	return tap_end();
}
