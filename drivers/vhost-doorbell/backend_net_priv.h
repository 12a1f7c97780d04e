/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend_net_priv - what the parts of backend_net share
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

/* Descriptors of a frame: a sender pays for those of another guest. */
#define BELL_NET_MAX_SEGS	1024U

/* The virtio header, and what of a frame precedes a VLAN tag, and that tag */
#define BELL_NET_HDR_MAX	(sizeof(struct virtio_net_hdr_mrg_rxbuf) + 16)

/* A receiving queue that runs. All belongs to the context that delivers. */
struct bell_net_rx {
	struct bell_vq		*vq;
	struct bell_net_stats	*stats;
	u32			 hdr_len;
	bool			 mergeable;
	/* What the driver takes. */
	bool			 csum;
	u32			 gso;		/* bits 1 << VIRTIO_NET_HDR_GSO_* */
	bool			 ecn;

	bool			 kick;		/* the driver is to kick */
	u32			 need;		/* bytes that wait for a pin */
	u32			 places;	/* see bell_backend_net_places() */
	u32			 packets;	/* in @done */
	u32			 ndone;
	struct bell_done	*done;		/* one for each of the ring */
};

/* A sending queue that runs; the runner's. */
struct bell_net_tx {
	struct bell_vq		*vq;
	struct bell_net_stats	*stats;
	u32			 hdr_len;
	struct page_frag	 frag;		/* where buffers come from */
	struct bio_vec		*vecs;		/* of one large frame */
	u32			 ndone;
	u32			 nframes;
	struct bell_done	 done[BELL_PORT_BATCH];
	struct bell_port_frame	 frame[BELL_PORT_BATCH];
};

struct bell_net_pair {
	struct bell_port	*port;	/* constant while a queue runs; or NULL */
	struct bell_net_rx	*rx;	/* while it runs */
	struct bell_net_tx	*tx;
	struct bell_net_stats	 stats;
};

struct bell_net {
	struct bell_backend	 be;
	u32			 num_pairs;
	u16			 mtu;		/* 0: not offered */
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
