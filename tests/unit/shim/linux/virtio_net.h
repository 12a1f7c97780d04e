/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_VIRTIO_NET_H
#define SHIM_LINUX_VIRTIO_NET_H

#include_next <linux/virtio_net.h>
#include <linux/skbuff.h>

/* The part of the kernel's function that the tests use. */
static inline int virtio_net_hdr_from_skb(const struct sk_buff *skb,
					  struct virtio_net_hdr *hdr,
					  bool little_endian,
					  bool has_data_valid, int vlan_hlen)
{
	memset(hdr, 0, sizeof(*hdr));
	if (!little_endian)
		shim_die("a header of big endian");
	if (skb_is_gso(skb)) {
		hdr->hdr_len = htole16(skb->len - skb->data_len);
		hdr->gso_size = htole16(skb->gso_size);
		if (skb->gso_type & SKB_GSO_TCPV4)
			hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		else if (skb->gso_type & SKB_GSO_TCPV6)
			hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
		else
			return -EINVAL;
		if (skb->gso_type & SKB_GSO_TCP_ECN)
			hdr->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = htole16(skb->csum_start + vlan_hlen);
		hdr->csum_offset = htole16(skb->csum_offset);
	} else if (has_data_valid && skb->ip_summed == CHECKSUM_UNNECESSARY) {
		hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	return 0;
}

#endif
