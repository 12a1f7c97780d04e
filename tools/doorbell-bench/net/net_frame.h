/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_frame - the frames that an emulated driver and its other end exchange
 *
 * Ethernet, IPv4 or IPv6, UDP or TCP. The payload begins with a tag that holds
 * the stream and the number of the frame; the rest is a pattern computed from
 * both. The length of a frame follows from its number.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#include "net_options.h"

#define NET_HDR		sizeof(struct virtio_net_hdr)
#define NET_HDR_MRG	sizeof(struct virtio_net_hdr_mrg_rxbuf)

/* Port numbers of stream 0; the number of the stream is added. */
#define NET_PORT_HOST	7000
#define NET_PORT_GUEST	9000
/* Offset of the destination port in an IPv4 frame, and in an IPv6 frame. */
#define NET_AT_PORT	36
#define NET_AT_PORT6	56

/* One end of a stream; addresses are in network byte order. */
struct net_address {
	uint8_t		mac[ETH_ALEN];
	uint32_t	ip;
	/* Port of stream 0, in host byte order */
	uint16_t	port;
};

/* Properties of all frames of one direction; constant */
struct net_frame_rules {
	enum net_offload	offload;
	uint32_t		size;
	uint32_t		min_size;
	uint32_t		mss;
	uint64_t		seed;
	struct net_address	from;
	struct net_address	to;
};

struct net_tag {
	uint16_t	stream;
	uint64_t	seq;
};

/* The shortest frame with room for a tag. */
uint32_t net_frame_least(enum net_offload offload);
uint32_t net_frame_size(const struct net_frame_rules *r, uint64_t seq);
/* Bytes before the payload. */
uint32_t net_frame_headers(enum net_offload offload);

/* Builds the frame and its virtio header, except num_buffers. */
void net_frame_make(const struct net_frame_rules *r, struct net_tag tag,
		    struct virtio_net_hdr *hdr, uint8_t *frame);
/* Changes the number of a frame built before; the size must be the same. */
void net_frame_renumber(const struct net_frame_rules *r, uint64_t seq,
			uint8_t *frame);

/* Returns true, and the tag, if this program built the frame. */
bool net_frame_tag(const struct net_frame_rules *r, const uint8_t *frame,
		   uint32_t len, struct net_tag *tag);
/*
 * Returns NULL, or what is wrong with the frame. @hdr may be NULL if it is not
 * known.
 */
const char *net_frame_check(const struct net_frame_rules *r,
			    const struct net_tag *tag,
			    const struct virtio_net_hdr *hdr,
			    const uint8_t *frame, uint32_t len);
/* Builds the payload only, for UDP sockets. */
void net_frame_payload(const struct net_frame_rules *r, struct net_tag tag,
		       uint8_t *payload, uint32_t len);

/*
 * Turns a request into its answer, in place: UDP over IPv4, or ARP for the
 * address of @self. Returns false if it is neither.
 */
bool net_frame_answer(const struct net_address *self, uint8_t *frame,
		      uint32_t len);
/*
 * Builds an ARP frame of 60 bytes, from which bridges learn the port of @self.
 */
void net_frame_announce(const struct net_address *self, uint8_t *frame);

#endif
