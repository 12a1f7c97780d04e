/* SPDX-License-Identifier: GPL-2.0 */
/* compat_net - network interfaces that older kernels lack; see compat.h */
#ifndef BELL_COMPAT_NET_H
#define BELL_COMPAT_NET_H

#include <linux/if_tun.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/xdp.h>

/* A net_device that is not registered: a NAPI instance must belong to some device. */
#ifdef BELL_HAVE_ALLOC_NETDEV_DUMMY
static inline struct net_device *bell_alloc_netdev_dummy(void)
{
	return alloc_netdev_dummy(0);
}

static inline void bell_free_netdev_dummy(struct net_device *dev)
{
	free_netdev(dev);
}
#else					/* drop with 6.1 */
static inline struct net_device *bell_alloc_netdev_dummy(void)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
}

static inline void bell_free_netdev_dummy(struct net_device *dev)
{
	kfree(dev);
}
#endif

/*
 * While a thread has bottom halves off, can no other thread with bottom halves off run
 * on the same CPU? Not on every PREEMPT_RT kernel.
 */
static inline bool bell_bh_off_keeps_cpu(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT);
}

#ifndef BELL_HAVE_TUN_WAKE_QUEUE	/* drop with 6.12 */
static inline void tun_wake_queue(struct file *file, int consumed)
{
}
#endif

/* Set up an XDP buffer for TUN_MSG_PTR: @len bytes of frame at @buf + @headroom. */
static inline void bell_tun_init_xdp(struct xdp_buff *xdp, void *buf,
				     u32 buflen, u32 headroom, u32 len,
				     const struct virtio_net_hdr *gso)
{
#ifdef BELL_HAVE_TUN_XDP_HDR		/* drop with 6.12 */
	struct tun_xdp_hdr *hdr = buf;

	hdr->buflen = buflen;
	hdr->gso = *gso;
#else
	/*
	 * The tap reads as many bytes as the header size set by TUNSETVNETHDRSZ: clear
	 * what follows the plain header.
	 */
	memset(buf, 0, 32);
	*(struct virtio_net_hdr *)buf = *gso;
#endif
	xdp_init_buff(xdp, buflen, NULL);
	xdp_prepare_buff(xdp, buf, headroom, len, true);
}

#endif
