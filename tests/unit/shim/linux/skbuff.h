/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SKBUFF_H
#define SHIM_LINUX_SKBUFF_H

#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* As on x86, so that buffers have the same size here as in the kernel. */
#define NET_IP_ALIGN		0
#define NET_SKB_PAD		64
#define XDP_PACKET_HEADROOM	256
#define SKB_DATA_ALIGN(x)	ALIGN(x, (size_t)SMP_CACHE_BYTES)

struct skb_shared_info {
	u8	room[320];
};

enum {
	CHECKSUM_NONE,
	CHECKSUM_UNNECESSARY,
	CHECKSUM_COMPLETE,
	CHECKSUM_PARTIAL,
};

enum {
	SKB_GSO_TCPV4	= 1U << 0,
	SKB_GSO_TCP_ECN	= 1U << 2,
	SKB_GSO_TCPV6	= 1U << 4,
	SKB_GSO_SCTP	= 1U << 14,
};

/*
 * A packet. As in the kernel, a part of it may lie in another piece of memory.
 */
struct sk_buff {
	u32		 len;		/* bytes of the whole packet */
	u32		 data_len;	/* bytes in @more */
	const u8	*data;
	const u8	*more;
	bool		 vlan_present;
	__be16		 vlan_proto;
	u16		 vlan_tci;
	u8		 ip_summed;
	u16		 csum_start;	/* offset from @data */
	u16		 csum_offset;
	u16		 gso_size;
	u32		 gso_type;
	u32		 unreadable;	/* offset of a byte that cannot be read; 0: none */
	int		 help;		/* return value of skb_checksum_help() */
	unsigned int	 helped;
};

#define skb_is_gso(skb)	((skb)->gso_size)

/* Bytes that lie in one piece at @data */
static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline int skb_copy_bits(const struct sk_buff *skb, int offset, void *to,
				int len)
{
	u8 *at = to;

	if (offset < 0 || len < 0 || (u32)offset + len > skb->len)
		return -EFAULT;
	/* Such as a packet whose data is in a device's memory */
	if (skb->unreadable && skb->unreadable >= (u32)offset &&
	    skb->unreadable < (u32)offset + len)
		return -EFAULT;
	for (; len; len--, offset++) {
		u32 head = skb->len - skb->data_len;

		*at++ = (u32)offset < head ? skb->data[offset] :
			skb->more[offset - head];
	}
	return 0;
}

static inline int skb_checksum_help(struct sk_buff *skb)
{
	skb->helped++;
	if (!skb->help)
		skb->ip_summed = CHECKSUM_NONE;
	return skb->help;
}

/*
 * A page from which small fragments are cut; each fragment holds a reference to
 * it.
 */
struct page_frag {
	struct page	*page;
	u32		 offset;
	u32		 size;
};

bool skb_page_frag_refill(unsigned int size, struct page_frag *frag, gfp_t gfp);
void page_frag_free(void *p);

#endif
