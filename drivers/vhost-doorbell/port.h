/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port - what backend_net asks of what carries the packets of a pair of queues
 *
 * A port gives the guest's frames to the host's network, and the host's frames to
 * bell_backend_net_deliver(). How it gets these is its own affair: a tap is pulled
 * from by the queue's pass, a network device of our own pushes.
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

/* Free bytes before a frame, for the port and for the network's headers. */
#define BELL_PORT_HEADROOM	\
	SKB_DATA_ALIGN(NET_IP_ALIGN + NET_SKB_PAD + XDP_PACKET_HEADROOM)
/* Of a frame that goes in one piece, with the room before and behind it. */
#define BELL_PORT_BUFLEN(len)	\
	(SKB_DATA_ALIGN(BELL_PORT_HEADROOM + (len)) + \
	 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))
#define BELL_PORT_BATCH		64

/* A frame of the guest, copied into a part of a page. */
struct bell_port_frame {
	void			*buf;		/* BELL_PORT_BUFLEN() of @len */
	u32			 len;		/* without virtio header */
	struct virtio_net_hdr	 hdr;		/* as the guest gave it */
};

struct bell_port_ops {
	/*
	 * Send the guest's frames, and free their buffers. By the runner of the
	 * sending queue, with bottom halves on. Return: 0, or an error if a frame was
	 * dropped, which counts for all of them: -ENETDOWN for being down.
	 */
	int	(*send)(struct bell_port *port,
			const struct bell_port_frame *frame, unsigned int n,
			u32 hdr_len);
	/*
	 * The same of one that does not fit into a buffer: @iter gives the header of
	 * @hdr_len bytes and then the frame. Return: 0, -EAGAIN to be tried again
	 * by the worker, or an error: it is dropped.
	 */
	int	(*send_large)(struct bell_port *port, struct iov_iter *iter,
			      u32 hdr_len, bool may_sleep);

	/*
	 * Around a run of the receiving queue. From the start on the port has
	 * @exec served when there are frames; after the stop it does not touch
	 * @rx. Process context.
	 */
	int	(*start)(struct bell_port *port, struct bell_net_rx *rx,
			 struct bell_exec *exec);
	void	(*stop)(struct bell_port *port);
	/*
	 * Deliver frames until there are none or something stops us; by the runner of
	 * the receiving queue. Return: BELL_PASS_*; and PUNT for a worker: a page
	 * is to be pinned.
	 */
	enum bell_pass (*receive)(struct bell_port *port, struct bell_run *run);
	/* Are there frames? A hint, by the runner. NULL for one that pushes. */
	bool	(*pending)(struct bell_port *port);
	/* One device carries the frames of all pairs. */
	bool	shared;

	/* As of struct bell_exec_ops, for the receiving queue; or NULL. */
	void	(*settle)(struct bell_port *port);

	void	(*show)(struct bell_port *port, struct seq_file *m);
	/* With the queues of the pair stopped. */
	void	(*close)(struct bell_port *port);
};

/* Embedded in the port's own structure. */
struct bell_port {
	const struct bell_port_ops *ops;
	const struct bell_net_stats *stats;	/* of its pair */
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
