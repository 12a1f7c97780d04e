// SPDX-License-Identifier: GPL-2.0
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "fd.h"

static int link_ioctl(const char *name, unsigned long request, struct ifreq *r)
{
	_cleanup_fd_ int fd = -1;

	if (strlen(name) >= sizeof(r->ifr_name))
		return -ENODEV;
	strcpy(r->ifr_name, name);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	return ioctl(fd, request, r) ? -errno : 0;
}

int link_get(const char *name, struct link_info *info)
{
	struct ifreq r = { 0 };
	int ret;

	memset(info, 0, sizeof(*info));
	ret = link_ioctl(name, SIOCGIFINDEX, &r);
	if (ret)
		return ret;
	info->index = r.ifr_ifindex;
	ret = link_ioctl(name, SIOCGIFMTU, &r);
	if (ret)
		return ret;
	info->mtu = r.ifr_mtu;
	ret = link_ioctl(name, SIOCGIFFLAGS, &r);
	if (ret)
		return ret;
	info->up = r.ifr_flags & IFF_UP;
	ret = link_ioctl(name, SIOCGIFHWADDR, &r);
	if (!ret)
		memcpy(info->mac, r.ifr_hwaddr.sa_data, sizeof(info->mac));
	return ret;
}

int link_set_up(const char *name)
{
	struct ifreq r = { 0 };
	int ret = link_ioctl(name, SIOCGIFFLAGS, &r);

	if (ret || r.ifr_flags & IFF_UP)
		return ret;
	r.ifr_flags |= IFF_UP;
	return link_ioctl(name, SIOCSIFFLAGS, &r);
}

int link_set_mtu(const char *name, unsigned int mtu)
{
	struct ifreq r = { .ifr_mtu = mtu };

	return link_ioctl(name, SIOCSIFMTU, &r);
}

int link_join_bridge(const char *name, const char *bridge)
{
	struct ifreq r = { 0 };
	int ret = link_ioctl(name, SIOCGIFINDEX, &r);

	return ret ? ret : link_ioctl(bridge, SIOCBRADDIF, &r);
}

void link_mac_text(const uint8_t mac[LINK_MAC_LEN], char *to)
{
	snprintf(to, LINK_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		 mac[1], mac[2], mac[3], mac[4], mac[5]);
}
