// SPDX-License-Identifier: GPL-2.0
#include "tuntap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"

#define BIT(n)		(1ull << (n))

#define TAP_FLAGS	(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
/* Length of the virtio header, with num_buffers and without */
#define TAP_HEADER	sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define TAP_HEADER_OLD	sizeof(struct virtio_net_hdr)

#define ETH_RARP	0x8035
#define ETH_IPV4	0x0800
#define ETH_MIN		60	/* minimum length of a frame */
#define RARP_REQUEST	3

static int attach(const char *path, const char *name, unsigned int flags,
		  bool multi)
{
	struct ifreq r = {
		.ifr_flags = TAP_FLAGS | flags | (multi ? IFF_MULTI_QUEUE : 0),
	};
	_cleanup_fd_ int fd = -1;

	if (strlen(name) >= sizeof(r.ifr_name))
		return -ENODEV;
	strcpy(r.ifr_name, name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r))
		return -errno;
	return steal_fd(&fd);
}

int tuntap_open_next(const char *name)
{
	int fd;

	/* TUNSETIFF would create an interface that does not exist. */
	if (!if_nametoindex(name))
		return -ENODEV;
	fd = attach("/dev/net/tun", name, 0, true);
	return fd == -E2BIG ? -EBUSY : fd;
}

int tuntap_open(const char *name, bool *multi)
{
	int fd = tuntap_open_next(name);

	*multi = fd != -EINVAL;
	return *multi ? fd : attach("/dev/net/tun", name, 0, false);
}

int tuntap_create(const char *name, bool multi)
{
	int fd = attach("/dev/net/tun", name, IFF_TUN_EXCL, multi);

	return fd == -EBUSY ? -EEXIST : fd;
}

int tuntap_open_macvtap(const char *name, bool multi)
{
	unsigned int index = if_nametoindex(name);
	_cleanup_fd_ int fd = -1;
	struct tuntap_info info;
	char path[32];

	if (!index)
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/tap%u", index);
	fd = attach(path, name, 0, multi);
	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : fd;
	/* The index may be of an interface in another network namespace. */
	if (tuntap_get_info(fd, &info) || strcmp(info.name, name))
		return -EINVAL;
	return steal_fd(&fd);
}

int tuntap_get_info(int fd, struct tuntap_info *info)
{
	struct ifreq r = { 0 };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (ioctl(fd, TUNGETIFF, &r) || !(r.ifr_flags & IFF_TAP))
		return -EINVAL;
	if (!(r.ifr_flags & IFF_VNET_HDR))
		return -EPROTO;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	memcpy(info->name, r.ifr_name, sizeof(info->name));
	info->name[sizeof(info->name) - 1] = '\0';
	info->multi = r.ifr_flags & IFF_MULTI_QUEUE;
	return 0;
}

int tuntap_set_queue(int fd, bool attached)
{
	struct ifreq r = {
		.ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE,
	};

	return ioctl(fd, TUNSETQUEUE, &r) ? -errno : 0;
}

/* Converts VIRTIO_NET_F_GUEST_* bits to TUN_F_*. All others need CSUM. */
static unsigned long offloads(uint64_t features)
{
	unsigned long o = TUN_F_CSUM;

	if (!(features & BIT(VIRTIO_NET_F_GUEST_CSUM)))
		return 0;
	if (features & BIT(VIRTIO_NET_F_GUEST_TSO4))
		o |= TUN_F_TSO4;
	if (features & BIT(VIRTIO_NET_F_GUEST_TSO6))
		o |= TUN_F_TSO6;
	if (features & BIT(VIRTIO_NET_F_GUEST_ECN) && o != TUN_F_CSUM)
		o |= TUN_F_TSO_ECN;
	return o;
}

int tuntap_agree(int fd, uint64_t features)
{
	bool new = features & (BIT(VIRTIO_F_VERSION_1) |
			       BIT(VIRTIO_NET_F_MRG_RXBUF));
	int header = new ? TAP_HEADER : TAP_HEADER_OLD;
	int little = !!(features & BIT(VIRTIO_F_VERSION_1));
	int room = INT_MAX;

	if (ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	    ioctl(fd, TUNSETVNETLE, &little) ||
	    ioctl(fd, TUNSETOFFLOAD, offloads(features)) ||
	    ioctl(fd, TUNSETSNDBUF, &room))
		return -errno;
	return 0;
}

static uint8_t *put16(uint8_t *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
	return at + 2;
}

static uint8_t *put_mac(uint8_t *at, const uint8_t *mac)
{
	memcpy(at, mac, LINK_MAC_LEN);
	return at + LINK_MAC_LEN;
}

static void fill_rarp(uint8_t *at, const uint8_t mac[LINK_MAC_LEN])
{
	memset(at, 0xff, LINK_MAC_LEN);
	at = put_mac(at + LINK_MAC_LEN, mac);
	at = put16(at, ETH_RARP);
	at = put16(at, 1);			/* Ethernet */
	at = put16(at, ETH_IPV4);
	*at++ = LINK_MAC_LEN;
	*at++ = 4;				/* bytes of an IPv4 address */
	at = put16(at, RARP_REQUEST);
	at = put_mac(at, mac);
	/* IP address of the sender: none */
	at += 4;
	put_mac(at, mac);
}

int tuntap_send_rarp(int fd, const uint8_t mac[LINK_MAC_LEN])
{
	uint8_t frame[TAP_HEADER + ETH_MIN] = { 0 };
	size_t size;
	ssize_t n;
	int header;

	if (ioctl(fd, TUNGETVNETHDRSZ, &header))
		return -errno;
	if (header < 0 || (size_t)header > TAP_HEADER)
		return -EINVAL;
	size = header + ETH_MIN;
	fill_rarp(frame + header, mac);
	n = write(fd, frame, size);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}
