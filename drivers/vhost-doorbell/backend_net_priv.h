/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend_net_priv - shared by backend_net.c, backend_net_rx.c and backend_net_tx.c
 * only
 */
#ifndef BELL_BACKEND_NET_PRIV_H
#define BELL_BACKEND_NET_PRIV_H

#include <linux/mm_types.h>
#include <linux/types.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_net.h>

#include "backend.h"
#include "port.h"
#include "stats.h"
#include "vq.h"

struct bio_vec;

/*
 * Most descriptors of a frame. The sender of a frame spends the time to walk the
 * receiver's descriptors, so their number is limited.
 */
#define BELL_NET_MAX_SEGS	1024U

/* Room for the virtio header, two MAC addresses and a VLAN tag */
#define BELL_NET_HDR_MAX	(sizeof(struct virtio_net_hdr_mrg_rxbuf) + 16)

/* A running receiving queue. Only the context that delivers accesses it. */
struct bell_net_rx {
	struct bell_vq		*vq;
	struct bell_net_stats	*stats;
	u32			 hdr_len;
	bool			 mergeable;
	/* Offloads that the driver accepts */
	bool			 csum;
	u32			 gso;		/* bits 1 << VIRTIO_NET_HDR_GSO_* */
	bool			 ecn;

	bool			 kick;		/* the driver was asked for a kick */
	/*
	 * Length in bytes, with virtio header, of the frame whose buffers the worker
	 * must pin
	 */
	u32			 need;
	/* Descriptors used, see bell_backend_net_places() */
	u32			 places;
	u32			 packets;	/* frames in @done */
	u32			 ndone;		/* entries of @done in use */
	/* Buffers to put into the used ring; has as many entries as the ring */
	struct bell_done	*done;
};

/* A running sending queue. Only its runner accesses it. */
struct bell_net_tx {
	struct bell_vq		*vq;
	struct bell_net_stats	*stats;
	u32			 hdr_len;
	/* Page from which buffers are allocated */
	struct page_frag	 frag;
	struct bio_vec		*vecs;		/* pieces of one large frame */
	u32			 ndone;		/* entries of @done in use */
	u32			 nframes;	/* entries of @frame in use */
	/* Buffers to return to the driver */
	struct bell_done	 done[BELL_PORT_BATCH];
	/* Frames to give to the port */
	struct bell_port_frame	 frame[BELL_PORT_BATCH];
};

struct bell_net_pair {
	/* Constant while one of the two queues runs; NULL if the pair has no port */
	struct bell_port	*port;
	struct bell_net_rx	*rx;	/* NULL unless the queue runs */
	struct bell_net_tx	*tx;
	struct bell_net_stats	 stats;
};

struct bell_net {
	struct bell_backend	 be;
	u32			 num_pairs;
	u16			 mtu;		/* in bytes; 0: not offered */
	struct bell_net_pair	 pair[];
};

static inline u32 bell_backend_net_hdr_len(u64 features)
{
	u64 long_hdr = BIT_ULL(VIRTIO_F_VERSION_1) |
		       BIT_ULL(VIRTIO_NET_F_MRG_RXBUF);

	return features & long_hdr ? sizeof(struct virtio_net_hdr_mrg_rxbuf) :
				     sizeof(struct virtio_net_hdr);
}

/* backend_net_rx.c */
int bell_backend_net_rx_start(struct bell_net_pair *pair,
			      struct bell_exec *exec, u64 features);
void bell_backend_net_rx_stop(struct bell_net_pair *pair);
enum bell_pass bell_backend_net_rx_pass(struct bell_net_pair *pair,
					struct bell_run *run);
bool bell_backend_net_rx_pending(struct bell_net_pair *pair);
void bell_backend_net_rx_settle(struct bell_net_pair *pair);

/* backend_net_tx.c */
int bell_backend_net_tx_start(struct bell_net_pair *pair,
			      struct bell_exec *exec, u64 features);
void bell_backend_net_tx_stop(struct bell_net_pair *pair);
enum bell_pass bell_backend_net_tx_pass(struct bell_net_pair *pair,
					struct bell_run *run);

#endif
