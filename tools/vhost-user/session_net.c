// SPDX-License-Identifier: GPL-2.0
/*
 * session_net - handlers of messages that are only for cards
 */
#include "session_priv.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#define MTU_MIN		68

uint64_t vu_net_protocol(const struct vu_device *dev)
{
	uint64_t features = 0;

	/*
	 * CONFIG is not offered: QEMU makes the config space of its card
	 * itself, and warns if the back end has another. So no notice is sent
	 * by BACKEND_REQ either.
	 */
	if (dev->ops->send_rarp)
		features |= VU_BIT(VU_PROTOCOL_F_RARP);
	if (dev->ops->set_mtu)
		features |= VU_BIT(VU_PROTOCOL_F_NET_MTU);
	return features;
}

/*
 * Features that a VMM implements itself: address, link state, control queue. QEMU does
 * not send these bits, other VMMs do. QEMU sends MTU if its host_mtu is set, with or
 * without an offer.
 */
uint64_t vu_net_ignored_features(void)
{
	return VU_BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |
	       VU_BIT(VIRTIO_NET_F_MTU) |
	       VU_BIT(VIRTIO_NET_F_MAC) |
	       VU_BIT(VIRTIO_NET_F_STATUS) |
	       VU_BIT(VIRTIO_NET_F_CTRL_VQ) |
	       VU_BIT(VIRTIO_NET_F_CTRL_RX) |
	       VU_BIT(VIRTIO_NET_F_CTRL_VLAN) |
	       VU_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |
	       VU_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) |
	       VU_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) |
	       VU_BIT(VIRTIO_NET_F_STANDBY) |
	       VU_BIT(VIRTIO_NET_F_SPEED_DUPLEX);
}

int vu_net_set_mtu(struct vu_session *s, struct vu_msg *m, struct vu_msg *reply)
{
	uint64_t mtu = m->payload.u64;
	int ret = -EINVAL;

	(void)reply;
	if (mtu >= MTU_MIN && mtu <= UINT16_MAX)
		ret = s->dev->ops->set_mtu(s->dev, mtu);
	return ret ? vu_session_fail(s, ret, "an MTU of %llu",
				     (unsigned long long)mtu) : 0;
}

/* The first bytes of the payload are the address. */
int vu_net_send_rarp(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	uint8_t mac[VU_MAC_LEN];

	(void)reply;
	memcpy(mac, m->payload.bytes, sizeof(mac));
	return s->dev->ops->send_rarp(s->dev, mac);
}
