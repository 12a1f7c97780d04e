/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port - the interface between backend_net*.c and a port, which carries the
 * packets of one pair of queues
 *
 * A port passes the guest's frames to the host's network, and the host's frames
 * to bell_backend_net_deliver(). The pass of the receiving queue pulls frames
 * from a tap (port_tap.c). A network device of the card's own (port_dev.c)
 * pushes them in the sender's context.
 */
#ifndef BELL_PORT_H
#define BELL_PORT_H

#include <linux/bpf.h>
#include <linux/netdev_features.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/virtio_net.h>

#include "exec.h"

struct bell_net_rx;
struct bell_net_stats;
struct bell_port;
struct iov_iter;
struct seq_file;
struct vhost_doorbell_net_dev;

/* Free bytes in front of a frame, for the port and for the network's headers */
#define BELL_PORT_HEADROOM	\
	SKB_DATA_ALIGN(NET_IP_ALIGN + NET_SKB_PAD + XDP_PACKET_HEADROOM)
/*
 * Size of the buffer of a frame of @len bytes: headroom, frame, struct
 * skb_shared_info
 */
#define BELL_PORT_BUFLEN(len)	\
	(SKB_DATA_ALIGN(BELL_PORT_HEADROOM + (len)) + \
	 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))
#define BELL_PORT_BATCH		64

/* A frame of the guest, copied into a fragment of a page */
struct bell_port_frame {
	void			*buf;		/* BELL_PORT_BUFLEN() of @len */
	/* Bytes of the frame, without the virtio header */
	u32			 len;
	/* The header that the guest wrote; not checked yet */
	struct virtio_net_hdr	 hdr;
};

struct bell_port_ops {
	/*
	 * Send @n frames of the guest and consume their buffers. Called by the runner
	 * of the sending queue, with bottom halves on. Returns 0, or an error if any
	 * frame was dropped, and then all are counted as dropped; -ENETDOWN if the
	 * port is down.
	 */
	int	(*send)(struct bell_port *port,
			const struct bell_port_frame *frame, unsigned int n,
			u32 hdr_len);
	/*
	 * Send one frame that does not fit into a page: @iter gives the virtio header
	 * of @hdr_len bytes and then the frame. Returns 0; -EAGAIN if the worker must
	 * try again; or another error if the frame was dropped.
	 */
	int	(*send_large)(struct bell_port *port, struct iov_iter *iter,
			      u32 hdr_len, bool may_sleep);

	/*
	 * Called before and after the receiving queue runs, in process context. After
	 * start() the port rings @exec when it has frames; after stop() it does not
	 * access @rx.
	 */
	int	(*start)(struct bell_port *port, struct bell_net_rx *rx,
			 struct bell_exec *exec);
	void	(*stop)(struct bell_port *port);
	/*
	 * Deliver frames until there are none, the driver has no buffers, or the pass
	 * must stop. Called by the runner of the receiving queue. In the worker,
	 * BELL_PASS_PUNT means that a page must be pinned first.
	 */
	enum bell_pass (*receive)(struct bell_port *port, struct bell_run *run);
	/*
	 * Are there frames? A hint; called by the runner. NULL for a port that
	 * delivers frames in their sender's context.
	 */
	bool	(*pending)(struct bell_port *port);
	/* One network device carries the frames of all pairs of the card. */
	bool	shared;

	/* As in struct bell_exec_ops, for the receiving queue. May be NULL. */
	void	(*settle)(struct bell_port *port);

	void	(*show)(struct bell_port *port, struct seq_file *m);
	/* Free the port. The queues of the pair are stopped. */
	void	(*close)(struct bell_port *port);
};

/* First part of each kind of port's own structure; constant */
struct bell_port {
	const struct bell_port_ops *ops;
	const struct bell_net_stats *stats;	/* counters of its pair */
};

/* port_tap.c */
struct bell_port *bell_port_tap_open(int fd);

/* port_dev.c */
int bell_port_init(void);
void bell_port_exit(void);
int bell_port_dev_create(struct vhost_doorbell_net_dev *cfg, u16 mtu,
			 const struct bell_net_stats **stats,
			 struct bell_port **port, u32 n);

/* backend_net_tx.c */
int bell_backend_net_drop_frames(const struct bell_port_frame *frame,
				 unsigned int n, int error);

/* backend_net_rx.c */
int bell_backend_net_deliver(struct bell_net_rx *rx, struct sk_buff *skb);
int bell_backend_net_deliver_raw(struct bell_net_rx *rx, const void *data,
				 u32 len);
void bell_backend_net_deliver_end(struct bell_net_rx *rx);
bool bell_backend_net_has_more(struct bell_net_rx *rx);
bool bell_backend_net_dry(struct bell_net_rx *rx);
bool bell_backend_net_ask_kick(struct bell_net_rx *rx);
void bell_backend_net_drop_dead(struct bell_net_rx *rx);
u32 bell_backend_net_places(struct bell_net_rx *rx);
void bell_backend_net_hooked(struct bell_net_rx *rx);
netdev_features_t bell_backend_net_offloads(const struct bell_net_rx *rx);
u64 *bell_backend_net_polls(struct bell_net_rx *rx);

#endif
