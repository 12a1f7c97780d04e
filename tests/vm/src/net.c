// SPDX-License-Identifier: GPL-2.0
/*
 * net - a card over a tap, both ways, without the daemon
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/socket.h>

#include "driver.h"

#define HDR_LEN		12
#define RX		0
#define TX		1
#define FRAME		64
#define MAC		"\x02\0\0\0\0\1"

static int tap_open(const char *name)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), size = HDR_LEN;
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	MUST(fd >= 0);
	strcpy(req.ifr_name, name);
	MUST(!ioctl(fd, TUNSETIFF, &req));
	MUST(!ioctl(fd, TUNSETVNETHDRSZ, &size));
	return fd;
}

static void tap_up(const char *name, bool up)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq req = {};

	strcpy(req.ifr_name, name);
	MUST(!ioctl(s, SIOCGIFFLAGS, &req));
	req.ifr_flags = up ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP;
	MUST(!ioctl(s, SIOCSIFFLAGS, &req));
	close(s);
}

static int raw_open(const char *name)
{
	int s = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5),
		.sll_ifindex = if_nametoindex(name),
	};

	MUST(s >= 0 && !bind(s, (void *)&to, sizeof(to)));
	return s;
}

static void frame_fill(__u8 *f, unsigned int len, int seed)
{
	unsigned int i;

	memset(f, 0xff, 6);
	memcpy(f + 6, MAC, 6);
	f[12] = 0x88;
	f[13] = 0xb5;
	for (i = 14; i < len; i++)
		f[i] = seed + i;
}

static int card_new(int tap)
{
	struct vhost_doorbell_net net = { .num_pairs = 1 };
	struct vhost_doorbell_net_port port = { .fd = tap };
	struct vhost_doorbell_net_dev netdev = { .name = "vhd%d" };
	int dev = dev_open(), q;

	MUST(!ioctl(dev, VHOST_SET_OWNER));
	MUST(!ioctl(dev, VHOST_DOORBELL_SET_NET, &net));
	if (tap < 0)
		MUST(!ioctl(dev, VHOST_DOORBELL_SET_NET_DEV, &netdev));
	else
		MUST(!ioctl(dev, VHOST_DOORBELL_SET_NET_PORT, &port));
	driver_reset();
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1 |
			   1ULL << VIRTIO_NET_F_MRG_RXBUF));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
	for (q = 0; q < QUEUES; q++) {
		dev_set_queue(dev, q);
		MUST(!set_run(dev, q, 1));
	}
	return dev;
}

static void add(int q, unsigned short head, __u64 off, unsigned int len)
{
	struct vring_desc *d = (void *)DESC(q);
	struct vring_avail *a = (void *)AVAIL(q);

	d[head] = (struct vring_desc){
		.addr = GPA + off, .len = len,
		.flags = q == RX ? VRING_DESC_F_WRITE : 0,
	};
	a->ring[driver_avail[q]++ % NUM] = head;
	__atomic_store_n(&a->idx, driver_avail[q], __ATOMIC_SEQ_CST);
}

static unsigned short used(int q)
{
	return __atomic_load_n(&((struct vring_used *)USED(q))->idx, __ATOMIC_ACQUIRE);
}

static void run(bool own)
{
	struct vhost_doorbell_net_stats st = {};
	struct vring_used *u = (void *)USED(RX);
	__u8 f[1500], g[2000];
	int tap = -1, raw, dev, i;
	double end;
	ssize_t n;

	if (own) {
		dev = card_new(-1);
		tap_up("vhd0", true);
		system("ip -d link show vhd0; ethtool -i vhd0; ethtool -k vhd0 | grep -E 'check|seg'");
	} else {
		tap = tap_open("vhd0");
		tap_up("vhd0", true);
		dev = card_new(tap);
	}
	raw = raw_open("vhd0");

	for (i = 0; i < 4; i++) {
		memset((void *)(MEM + DATA(TX)), 0, HDR_LEN);
		frame_fill((void *)(MEM + DATA(TX) + HDR_LEN), FRAME, i);
		add(TX, i, DATA(TX), HDR_LEN + FRAME);
		eventfd_write(FD_KICK + TX, 1);
		end = now() + 5;
		while (used(TX) != i + 1 && now() < end)
			nap();
		ok(used(TX) == i + 1, "frame %d is sent", i);
		n = recv(raw, g, sizeof(g), 0);
		frame_fill(f, FRAME, i);
		ok(n == FRAME && !memcmp(f, g, FRAME), "and arrives (%zd)", n);
	}
	for (i = 0; i < 8; i++)
		add(RX, i, DATA(RX) + i * 256, 256);
	for (i = 0; i < 3; i++) {
		frame_fill(f, 600, i);
		MUST(send(raw, f, i ? 600 : 100, 0) > 0);
	}
	end = now() + 5;
	while (used(RX) != 7 && now() < end)
		nap();
	ok(used(RX) == 7, "%d buffers are used", used(RX));
	for (i = 0; i < used(RX); i++) {
		__u8 *b = (void *)(MEM + DATA(RX) + u->ring[i].id * 256);

		diag("buffer %u len %u num %u", u->ring[i].id, u->ring[i].len, b[10]);
	}
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_NET_STATS, &st));
	diag("rx %llu hooks %llu polls %llu punts %llu dry %llu long %llu off %llu batches %llu",
	     st.rx_packets, st.rx_hooks, st.rx_polls, st.rx_punts, st.rx_dry, st.rx_drop_long, st.rx_drop_offload, st.rx_batches);
	diag("tx %llu batches %llu bad %llu port %llu down %llu", st.tx_packets, st.tx_batches, st.tx_drop_bad, st.tx_drop_port, st.tx_drop_down);
	for (i = 0; i < 2; i++) {
		struct vhost_doorbell_stats s = get_stats(dev, i);
		diag("q%d inline %llu worker %llu punts %llu signals %llu state %u", i, s.inline_passes, s.worker_passes, s.punts, s.signals, s.state);
	}
	if (own) system("ip -s link show vhd0; cat /proc/$PPID/fdinfo/* | grep -E 'port|pair'");
	close(dev);
	close(raw);
	if (!own) close(tap);
}

int main(void)
{
	tap_begin(30);
	driver_init();
	run(false);
	run(true);
	return tap_end();
}
