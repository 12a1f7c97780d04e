// SPDX-License-Identifier: GPL-2.0
/*
 * net_tap - taps and macvtaps by file descriptor, interfaces by name
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_frame.h"
#include "net_tap.h"

/*
 * 198.18.0.1, from the network that RFC 2544 sets aside for tests. Each interface gets its
 * own number as the third byte.
 */
#define NET_TEST_NET	0xc6120001u

unsigned int net_header_size(uint64_t features)
{
	return features & (1ull << VIRTIO_F_VERSION_1 |
			   1ull << VIRTIO_NET_F_MRG_RXBUF) ?
	       NET_HDR_MRG : NET_HDR;
}

static int tap_attach(int fd, const char *name, bool multi_queue)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	if (strlen(name) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	strcpy(r.ifr_name, name);
	if (multi_queue)
		r.ifr_flags |= IFF_MULTI_QUEUE;
	return ioctl(fd, TUNSETIFF, &r) ? -errno : 0;
}

static int macvtap_attach(int fd)
{
	struct ifreq r = { 0 };

	if (ioctl(fd, TUNGETIFF, &r))
		return -errno;
	r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	return ioctl(fd, TUNSETIFF, &r) ? -errno : 0;
}

int net_tap_open(const char *name, bool multi_queue)
{
	bool macvtap = *name == '/';
	int fd = open(macvtap ? name : "/dev/net/tun", O_RDWR | O_CLOEXEC |
		      O_NONBLOCK), ret;

	if (fd < 0)
		return -errno;
	if (macvtap)
		ret = macvtap_attach(fd);
	else
		ret = tap_attach(fd, name, multi_queue);
	/* The tap exists with several queues: attach to one of them. */
	if (ret == -EINVAL && !macvtap && !multi_queue)
		ret = tap_attach(fd, name, true);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int net_tap_name(int fd, char *ifname)
{
	struct ifreq r = { 0 };

	if (ioctl(fd, TUNGETIFF, &r))
		return -errno;
	memcpy(ifname, r.ifr_name, IFNAMSIZ);
	return 0;
}

static int if_ioctl(unsigned long request, void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, request, arg) ? -errno : 0;
	close(fd);
	return ret;
}

static int if_request(unsigned long request, const char *ifname,
		      struct ifreq *r)
{
	if (strlen(ifname) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	strcpy(r->ifr_name, ifname);
	return if_ioctl(request, r);
}

static int if_set_in(unsigned long request, const char *ifname, uint32_t ip)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { ip } };
	struct ifreq r = { 0 };

	memcpy(&r.ifr_addr, &in, sizeof(in));
	return if_request(request, ifname, &r);
}

int net_if_address(const char *ifname, uint32_t *ip)
{
	struct sockaddr_in in;
	struct ifreq r = { .ifr_addr = { .sa_family = AF_INET } };
	int ret = if_request(SIOCGIFADDR, ifname, &r);

	if (!ret) {
		memcpy(&in, &r.ifr_addr, sizeof(in));
		*ip = in.sin_addr.s_addr;
		return 0;
	}
	if (ret != -EADDRNOTAVAIL)
		return ret;
	*ip = htonl(NET_TEST_NET | (if_nametoindex(ifname) & 0xff) << 8);
	ret = if_set_in(SIOCSIFADDR, ifname, *ip);
	return ret ? ret : if_set_in(SIOCSIFNETMASK, ifname, htonl(0xffffff00u));
}

int net_if_neighbour(const char *ifname, uint32_t ip, const uint8_t *mac)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { ip } };
	struct arpreq r = { .arp_flags = ATF_COM | ATF_PERM,
			    .arp_ha = { .sa_family = ARPHRD_ETHER } };

	if (strlen(ifname) >= sizeof(r.arp_dev))
		return -ENAMETOOLONG;
	memcpy(&r.arp_pa, &in, sizeof(in));
	memcpy(r.arp_ha.sa_data, mac, ETH_ALEN);
	strcpy(r.arp_dev, ifname);
	return if_ioctl(SIOCSARP, &r);
}
